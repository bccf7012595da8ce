//! Where each node of a syntax tree stands in the text. Input: a text that parses; output: byte ranges by node number.
//!
//! The parser gives positions away only with an error, so the text is parsed once more with a closing parenthesis too
//! many: the numbers are the same, and the error carries the offsets. Only errors, traces and messages pay for it.

use std::collections::HashMap;
use std::ops::Range;

use cel::common::ast::{EntryExpr, Expr, IdedExpr, SourceInfo};
use cel::parser::pratt_parser::{Lexer, Token, TokenKind};

use crate::cel::compile::recognise;
use crate::cel::parse::{parser, plain};
use crate::source::to_usize;

/// Ranges of a text's nodes; empty when it does not parse.
pub(crate) fn of_text(text: &str) -> HashMap<u32, Range<usize>> {
    match parser().parse(&plain(text)) {
        Ok(tree) => of_tree(text, &tree),
        Err(_) => HashMap::new(),
    }
}

/// Ranges of the nodes of a text's tree.
pub(crate) fn of_tree(text: &str, tree: &IdedExpr) -> HashMap<u32, Range<usize>> {
    let unbalanced = format!("{}\n)", plain(text));
    let Err(errors) = parser().parse(&unbalanced) else {
        return HashMap::new();
    };
    let Some(info) = errors.errors.iter().find_map(|e| e.source_info.clone()) else {
        return HashMap::new();
    };
    let mut places = Places {
        tokens: Tokens::new(text),
        info: &info,
        ranges: HashMap::new(),
    };
    places.visit(tree);
    places.ranges
}

struct Places<'i> {
    tokens: Tokens,
    info: &'i SourceInfo,
    ranges: HashMap<u32, Range<usize>>,
}

impl Places<'_> {
    /// Recursion is bounded by the parser's depth limit.
    fn visit(&mut self, node: &IdedExpr) -> Option<Range<usize>> {
        let mut union: Option<Range<usize>> = None;
        for child in children(node) {
            let range = self.visit(child);
            union = join(union, range);
        }
        if let Some((start, end)) = self.info.offset_for(node.id) {
            let own = to_usize(start)..to_usize(end);
            let own = self.tokens.completed(own, node);
            union = join(union, Some(own));
        }
        let range = self.tokens.balanced(union?);
        if let Ok(id) = u32::try_from(node.id) {
            self.ranges.insert(id, range.clone());
        }
        Some(range)
    }
}

fn join(one: Option<Range<usize>>, two: Option<Range<usize>>) -> Option<Range<usize>> {
    match (one, two) {
        (Some(one), Some(two)) => Some(one.start.min(two.start)..one.end.max(two.end)),
        (one, two) => one.or(two),
    }
}

/// The children that the author wrote.
fn children(node: &IdedExpr) -> Vec<&IdedExpr> {
    match &node.expr {
        Expr::Call(call) => call
            .target
            .as_deref()
            .into_iter()
            .chain(&call.args)
            .collect(),
        Expr::Comprehension(fold) => match recognise(fold) {
            Some((_, filter, body)) => std::iter::once(&fold.iter_range)
                .chain(filter)
                .chain(std::iter::once(body))
                .collect(),
            None => vec![&fold.iter_range],
        },
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => map
            .entries
            .iter()
            .filter_map(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => Some([&entry.key, &entry.value]),
                EntryExpr::StructField(_) => None,
            })
            .flatten()
            .collect(),
        Expr::Struct(item) => item
            .entries
            .iter()
            .filter_map(|entry| match &entry.expr {
                EntryExpr::StructField(field) => Some(&field.value),
                EntryExpr::MapEntry(_) => None,
            })
            .collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => Vec::new(),
    }
}

/// The tokens of a text, with the partner of each bracket.
struct Tokens {
    all: Vec<Token>,
    partner: Vec<usize>,
}

impl Tokens {
    fn new(text: &str) -> Self {
        let mut lexer = Lexer::new(text);
        let mut all: Vec<Token> = Vec::new();
        let mut partner = Vec::new();
        let mut open = Vec::new();
        loop {
            let token = lexer.lex();
            match token.kind {
                TokenKind::TokEnd | TokenKind::TokError => break,
                TokenKind::TokWhitespace | TokenKind::TokComment => continue,
                TokenKind::TokLeftParen | TokenKind::TokLeftBracket | TokenKind::TokLeftBrace => {
                    open.push(all.len());
                }
                TokenKind::TokRightParen
                | TokenKind::TokRightBracket
                | TokenKind::TokRightBrace => {
                    if let Some(opener) = open.pop() {
                        if let Some(slot) = partner.get_mut(opener) {
                            *slot = all.len();
                        }
                        all.push(token);
                        partner.push(opener);
                        continue;
                    }
                }
                _ => {}
            }
            partner.push(all.len());
            all.push(token);
        }
        Self { all, partner }
    }

    fn at(&self, start: usize) -> Option<usize> {
        self.all
            .binary_search_by_key(&start, |token| token.start)
            .ok()
    }

    /// Extends a node's own token by what belongs to it: a field name, a sign's number, the brackets of a call.
    fn completed(&self, own: Range<usize>, node: &IdedExpr) -> Range<usize> {
        let Some(index) = self.at(own.start) else {
            return own;
        };
        let next = |by: usize| self.all.get(index + by);
        let kind = next(0).map_or(TokenKind::TokEnd, |token| token.kind);
        let mut end = own.end;
        match (&node.expr, kind) {
            (Expr::Select(select), TokenKind::TokDot) if !select.test => {
                end = next(1).map_or(end, |token| token.end);
            }
            (Expr::Literal(_), TokenKind::TokMinus) => {
                end = next(1).map_or(end, |token| token.end);
            }
            (Expr::Ident(_), TokenKind::TokDot) => {
                end = next(1).map_or(end, |token| token.end);
            }
            (Expr::Call(_) | Expr::Select(_), TokenKind::TokIdent | TokenKind::TokDot) => {
                let name = usize::from(kind == TokenKind::TokDot);
                if next(name + 1).is_some_and(|token| token.kind == TokenKind::TokLeftParen) {
                    let close = self.partner.get(index + name + 1).copied();
                    end = close
                        .and_then(|close| self.all.get(close))
                        .map_or(end, |token| token.end);
                }
            }
            _ => {}
        }
        own.start..end.max(own.end)
    }

    /// Extends a range until its brackets are balanced.
    fn balanced(&self, range: Range<usize>) -> Range<usize> {
        let mut out = range.clone();
        let inside = self
            .all
            .iter()
            .enumerate()
            .filter(|(_, token)| range.start <= token.start && token.end <= range.end);
        for (index, _) in inside {
            let Some(partner) = self
                .partner
                .get(index)
                .filter(|partner| **partner != index)
                .and_then(|partner| self.all.get(*partner))
            else {
                continue;
            };
            out.start = out.start.min(partner.start);
            out.end = out.end.max(partner.end);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        let mut all: Vec<_> = of_text(text).into_iter().collect();
        all.sort_by_key(|(id, _)| *id);
        let mut out: Vec<String> = Vec::new();
        for (_, range) in all {
            let piece = text[range].to_owned();
            if !out.contains(&piece) {
                out.push(piece);
            }
        }
        out.sort();
        out
    }

    #[test]
    fn every_sub_expression_has_its_bytes() {
        assert_eq!(texts("a.b == -1"), ["-1", "a", "a.b", "a.b == -1"]);
        assert_eq!(
            texts("(a + b) * c"),
            ["(a + b) * c", "a", "a + b", "b", "c"]
        );
        assert_eq!(texts("has(a.b)"), ["a", "has(a.b)"]);
        assert_eq!(texts("size(a)[0]"), ["0", "a", "size(a)", "size(a)[0]"]);
        assert_eq!(
            texts("a.all(x, x.f(1))"),
            ["1", "a", "a.all(x, x.f(1))", "x", "x.f(1)"]
        );
        assert_eq!(texts("{'a': [1]}"), ["'a'", "1", "[1]", "{'a': [1]}"]);
    }
}
