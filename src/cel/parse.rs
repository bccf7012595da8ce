//! Text → the `cel` crate's syntax tree, within limits. Input: an expression; output: its tree, or the error and its bytes.
//!
//! The parser and the destructor of its tree recurse, so the text is scanned for depth before it is parsed; the tree
//! itself is then measured by an iterative walk.

use std::borrow::Cow;
use std::ops::Range;

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::parser::pratt_parser::{Lexer, Token, TokenKind};
use cel::parser::{ParseError, PrattParser};

use crate::cel::compile::recognise;
use crate::cel::error::{CompileError, ErrorKind};
use crate::source::to_usize;

/// Longest expression in bytes.
pub const MAX_BYTES: usize = 16 * 1024;
/// Most nodes of an expression.
pub const MAX_NODES: usize = 2_000;
/// Deepest nesting of an expression.
pub const MAX_DEPTH: usize = 64;
/// Most operators in a row that the text may have before it is parsed: no expression within [`MAX_DEPTH`] has more
/// (32 terms of 32 selections each), and a tree as deep as this is dropped in well under 1 MiB of stack.
const MAX_CHAIN: usize = 1_100;

/// Parses an expression and enforces the limits.
pub(crate) fn parse(text: &str) -> Result<IdedExpr, CompileError> {
    scan(text)?;
    let tree = parser()
        .parse(&plain(text))
        .map_err(|errors| placed(text, &errors.errors))?;
    measure(&tree, text)?;
    Ok(tree)
}

/// A parser with the extensions of the language switched on.
pub(crate) fn parser() -> PrattParser {
    PrattParser::new()
        .enable_optional_syntax(true)
        .enable_ident_escape_syntax(true)
        .max_recursion_depth(64)
}

/// The text the parser sees: `cel.iterVar(0, 1)`, which the crate's macros refuse as a variable, becomes an identifier,
/// padded to the same length (cel-spec, block extension).
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains("cel.iterVar(") {
        return Cow::Borrowed(text);
    }
    let mut lexer = Lexer::new(text);
    let tokens: Vec<Token> = std::iter::from_fn(|| {
        let token = lexer.lex();
        let more = !matches!(token.kind, TokenKind::TokEnd | TokenKind::TokError);
        more.then_some(token)
    })
    .filter(|token| token.kind != TokenKind::TokWhitespace)
    .collect();
    let word = |token: &Token| text.get(token.start..token.end).unwrap_or("");
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for call in tokens.windows(8) {
        let [before, cel, dot, name, open, first, comma, second] = call else {
            continue;
        };
        let end = tokens
            .iter()
            .find(|token| token.start >= second.end)
            .filter(|token| token.kind == TokenKind::TokRightParen)
            .map(|token| token.end);
        let is_call = before.kind != TokenKind::TokDot
            && word(cel) == "cel"
            && dot.kind == TokenKind::TokDot
            && word(name) == "iterVar"
            && open.kind == TokenKind::TokLeftParen
            && first.kind == TokenKind::TokInt
            && comma.kind == TokenKind::TokComma
            && second.kind == TokenKind::TokInt;
        if let (true, Some(end)) = (is_call, end) {
            out.push_str(text.get(copied..cel.start).unwrap_or(""));
            let name = format!("cel_iterVar_{}_{}", word(first), word(second));
            out.push_str(&name);
            // The call is longer than the name: it has two brackets, a dot and a comma.
            out.extend(std::iter::repeat_n(
                ' ',
                (end - cel.start).saturating_sub(name.len()),
            ));
            copied = end;
        }
    }
    out.push_str(text.get(copied..).unwrap_or(""));
    Cow::Owned(out)
}

fn limit(message: String, range: Range<usize>) -> CompileError {
    CompileError {
        kind: ErrorKind::Limit,
        message,
        help: Some("split it with `variables`".to_owned()),
        range,
    }
}

fn too_deep(range: Range<usize>) -> CompileError {
    limit(
        format!("expression nested deeper than {MAX_DEPTH} levels"),
        range,
    )
}

/// One open bracket of the scan: an upper bound of the depth of what stands in it.
#[derive(Default)]
struct Level {
    chain: usize,
    conditionals: usize,
    below: usize,
    deepest: usize,
}

impl Level {
    fn close_segment(&mut self) {
        self.deepest = self.deepest.max(self.chain + self.below);
        self.chain = 0;
        self.below = 0;
    }
}

fn scan(text: &str) -> Result<(), CompileError> {
    if text.len() > MAX_BYTES {
        return Err(limit(
            format!(
                "expression of {} bytes is longer than {MAX_BYTES}",
                text.len()
            ),
            0..text.len(),
        ));
    }
    let mut lexer = Lexer::new(text);
    let mut levels: Vec<Level> = Vec::with_capacity(16);
    let mut level = Level::default();
    let mut previous = TokenKind::TokEnd;
    loop {
        let token = lexer.lex();
        match token.kind {
            TokenKind::TokEnd | TokenKind::TokError => return Ok(()),
            TokenKind::TokWhitespace | TokenKind::TokComment => continue,
            TokenKind::TokString | TokenKind::TokBytes => check_literal(text, token)?,
            TokenKind::TokLeftBracket | TokenKind::TokLeftBrace | TokenKind::TokLeftParen => {
                level.chain += 1;
                levels.push(std::mem::take(&mut level));
            }
            TokenKind::TokRightBracket | TokenKind::TokRightBrace | TokenKind::TokRightParen => {
                level.close_segment();
                let closed = level.deepest + level.conditionals;
                if let Some(outer) = levels.pop() {
                    level = outer;
                    level.below = level.below.max(closed);
                }
            }
            TokenKind::TokComma => {
                level.close_segment();
                level.conditionals = 0;
            }
            TokenKind::TokLogicalAnd | TokenKind::TokLogicalOr | TokenKind::TokColon => {
                level.close_segment();
            }
            TokenKind::TokQuestion => {
                if !matches!(
                    previous,
                    TokenKind::TokDot
                        | TokenKind::TokLeftBracket
                        | TokenKind::TokLeftBrace
                        | TokenKind::TokComma
                ) {
                    level.close_segment();
                    level.conditionals += 1;
                }
            }
            TokenKind::TokIdent
            | TokenKind::TokReservedWord
            | TokenKind::TokInt
            | TokenKind::TokUint
            | TokenKind::TokFloat
            | TokenKind::TokNull
            | TokenKind::TokTrue
            | TokenKind::TokFalse => {}
            _ => level.chain += 1,
        }
        if level.chain + level.below > MAX_CHAIN || level.conditionals > MAX_DEPTH {
            return Err(too_deep(token.start..token.end));
        }
        previous = token.kind;
    }
}

/// The crate takes a raw line break in a single-quoted literal; CEL does not.
fn check_literal(text: &str, token: Token) -> Result<(), CompileError> {
    let literal = text.get(token.start..token.end).unwrap_or("");
    let quoted = literal.trim_start_matches(['r', 'R', 'b', 'B']);
    if quoted.starts_with("\"\"\"") || quoted.starts_with("'''") {
        return Ok(());
    }
    match literal.find(['\n', '\r']) {
        None => Ok(()),
        Some(at) => Err(CompileError {
            kind: ErrorKind::Syntax,
            message: "line break in a quoted literal".to_owned(),
            help: Some("write `\\n`, or quote with three quotes".to_owned()),
            range: token.start..token.start + at,
        }),
    }
}

fn placed(text: &str, errors: &[ParseError]) -> CompileError {
    if errors
        .iter()
        .any(|error| error.msg.contains("recursion limit"))
    {
        return too_deep(0..text.len());
    }
    let first = errors
        .iter()
        .find(|error| error.pos.0 > 0)
        .or(errors.first());
    let Some(error) = first else {
        return CompileError {
            kind: ErrorKind::Syntax,
            message: "not a CEL expression".to_owned(),
            help: None,
            range: 0..text.len(),
        };
    };
    let range = error
        .source_info
        .as_ref()
        .and_then(|info| info.offset_for(error.expr_id))
        .map_or(0..text.len(), |(start, end)| {
            to_usize(start).min(text.len())..to_usize(end).min(text.len())
        });
    // The lexer counts a character it does not know byte by byte.
    let range = text.floor_char_boundary(range.start)..text.ceil_char_boundary(range.end);
    CompileError {
        kind: ErrorKind::Syntax,
        message: in_our_words(&error.msg),
        help: None,
        range,
    }
}

/// The generated parser speaks of its tokens: `mismatched input '<EOF>' expecting ')'`.
fn in_our_words(message: &str) -> String {
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    let quoted = |start: &str| message.strip_prefix(start)?.rsplit_once('\'');
    let unexpected = [
        "mismatched input '",
        "extraneous input '",
        "no viable alternative at input '",
    ];
    let text_of = |start: &&str| {
        let rest = message.strip_prefix(*start)?;
        let end = rest.find("' expecting").or_else(|| rest.rfind('\''))?;
        rest.get(..end)
    };
    if let Some(found) = unexpected.iter().find_map(text_of) {
        return match found.strip_suffix("<EOF>") {
            Some(_) => String::from("the expression ends too early"),
            None => format!("`{found}` does not fit here"),
        };
    }
    match quoted("token recognition error at: '") {
        Some((found, _)) => format!("`{found}` is no part of CEL"),
        None => message.replace("<EOF>", "end of expression"),
    }
}

/// Counts nodes and depth without recursion.
fn measure(tree: &IdedExpr, text: &str) -> Result<(), CompileError> {
    let mut stack = vec![(tree, 1_usize)];
    let mut nodes = 0;
    while let Some((node, depth)) = stack.pop() {
        nodes += 1;
        if nodes > MAX_NODES {
            return Err(limit(
                format!("expression of more than {MAX_NODES} nodes"),
                0..text.len(),
            ));
        }
        if depth > MAX_DEPTH {
            return Err(too_deep(0..text.len()));
        }
        let mut push = |child| stack.push((child, depth + 1));
        match &node.expr {
            Expr::Call(call) => {
                call.target.iter().for_each(|target| push(target));
                call.args.iter().for_each(push);
            }
            // A macro counts as written, not as expanded.
            Expr::Comprehension(fold) => {
                push(&fold.iter_range);
                if let Some((_, filter, body)) = recognise(fold) {
                    filter.into_iter().for_each(&mut push);
                    push(body);
                }
            }
            Expr::List(list) => list.elements.iter().for_each(push),
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        push(&entry.key);
                        push(&entry.value);
                    }
                }
            }
            Expr::Struct(item) => {
                for entry in &item.entries {
                    if let EntryExpr::StructField(field) = &entry.expr {
                        push(&field.value);
                    }
                }
            }
            Expr::Select(select) => push(&select.operand),
            Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Option<ErrorKind> {
        parse(text).err().map(|error| error.kind)
    }

    #[test]
    fn long_chains_and_deep_nests_are_refused_before_they_can_overflow_the_stack() {
        assert_eq!(kind(&"1+".repeat(20_000)), Some(ErrorKind::Limit));
        assert_eq!(
            kind(&format!("1{}", "+1".repeat(8_000))),
            Some(ErrorKind::Limit)
        );
        assert_eq!(
            kind(&format!("a{}", ".b".repeat(5_000))),
            Some(ErrorKind::Limit)
        );
        assert_eq!(
            kind(&format!("{}a", "a?b:".repeat(4_000))),
            Some(ErrorKind::Limit)
        );
        assert_eq!(
            kind(&format!("{}1", "-!".repeat(4_000))),
            Some(ErrorKind::Limit)
        );
        assert_eq!(
            kind(&format!("{}1{}", "(1+".repeat(70), ")".repeat(70))),
            Some(ErrorKind::Limit)
        );
        assert_eq!(
            kind(&format!("[{}1]", "1,".repeat(3_000))),
            Some(ErrorKind::Limit)
        );
        assert_eq!(
            kind(&format!("1{}", "+1".repeat(64))),
            Some(ErrorKind::Limit)
        );
        assert_eq!(kind(&format!("1{}", "+1".repeat(63))), None);
        assert_eq!(
            kind(&format!("a.b == 1{}", " && a.b == 1".repeat(200))),
            None
        );
    }

    #[test]
    fn a_macro_variable_of_a_block_becomes_a_name_of_the_same_length() {
        let text = "[1].map(cel.iterVar(0, 0), cel.iterVar( 0,0 ) + 1)";
        let plain = plain(text);
        assert_eq!(plain.len(), text.len());
        let words: Vec<_> = plain.split_whitespace().collect();
        assert_eq!(
            words,
            ["[1].map(cel_iterVar_0_0", ",", "cel_iterVar_0_0", "+", "1)"]
        );
        // Found by fuzzing: other texts that look alike are left alone.
        for text in [
            "atcel.iterVar( +…'.iterVar( +…')",
            "'cel.iterVar(0, 0)'",
            "a.cel.iterVar(0, 0)",
        ] {
            assert_eq!(super::plain(text), text);
        }
    }

    #[test]
    fn a_line_break_in_a_quoted_literal_is_refused_at_its_place() {
        let error = parse("a == 'x\ny'").expect_err("a raw line break");
        assert_eq!((error.kind, error.range), (ErrorKind::Syntax, 5..7));
        assert_eq!(kind("'''x\ny'''"), None);
        assert_eq!(kind("r\"\"\"x\ny\"\"\""), None);
    }

    #[test]
    fn a_syntax_error_names_its_bytes() {
        let error = parse("a ==").expect_err("no right side");
        assert_eq!((error.kind, error.range), (ErrorKind::Syntax, 4..4));
        let error = parse("a b").expect_err("two names");
        assert_eq!(error.range, 2..3);
    }
}
