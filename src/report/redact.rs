//! L7: what no report may show. Input: the secret spans of an `Outcome`; output: pieces of text with the secrets named, not shown.

use std::ops::Range;

use crate::source::{SourceId, Span, to_usize};

/// Stands for a secret in every format.
pub(super) const REDACTED: &str = "[redacted]";

/// Finds secrets by position.
#[derive(Debug)]
pub(super) struct Redactor {
    /// By source, then by start; overlapping ones joined, so that ends ascend too.
    secrets: Vec<Span>,
}

impl Redactor {
    /// Indexes secret spans, sorted or not.
    pub(super) fn new(secrets: &[Span]) -> Self {
        let mut sorted: Vec<Span> = secrets.iter().copied().filter(|s| !s.is_empty()).collect();
        sorted.sort_unstable();
        let mut joined: Vec<Span> = Vec::with_capacity(sorted.len());
        for span in sorted {
            match joined.last_mut() {
                Some(last) if last.source == span.source && span.start <= last.end => {
                    last.end = last.end.max(span.end);
                }
                _ => joined.push(span),
            }
        }
        Self { secrets: joined }
    }

    /// The secrets that share a byte with a range of a source, clipped to it, in order.
    pub(super) fn within(
        &self,
        source: SourceId,
        range: Range<usize>,
    ) -> impl Iterator<Item = Range<usize>> {
        let from = self.secrets.partition_point(|s| {
            s.source < source || (s.source == source && to_usize(s.end) <= range.start)
        });
        self.secrets
            .get(from..)
            .unwrap_or_default()
            .iter()
            .take_while(move |s| s.source == source && to_usize(s.start) < range.end)
            .map(move |s| to_usize(s.start).max(range.start)..to_usize(s.end).min(range.end))
    }

    /// Whether any byte of the span is secret.
    pub(super) fn touches(&self, span: Span) -> bool {
        self.within(span.source, to_usize(span.start)..to_usize(span.end))
            .next()
            .is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(source: u32, start: u32, end: u32) -> Span {
        Span {
            source: SourceId(source),
            start,
            end,
        }
    }

    #[test]
    fn secrets_are_found_by_any_shared_byte() {
        let redactor = Redactor::new(&[
            span(1, 8, 12),
            span(1, 2, 4),
            span(1, 3, 6),
            span(0, 0, 9),
            span(1, 30, 40),
            span(1, 31, 33),
        ]);
        let within = |range: Range<usize>| redactor.within(SourceId(1), range).collect::<Vec<_>>();
        assert_eq!(within(0..20), [2..6, 8..12]);
        assert_eq!(within(35..50).first(), Some(&(35..40)));
        assert_eq!(within(5..9), [5..6, 8..9]);
        assert!(within(6..8).is_empty());
        assert!(redactor.touches(span(1, 11, 15)));
        assert!(!redactor.touches(span(1, 12, 15)));
        assert!(!redactor.touches(span(2, 0, 15)));
    }
}
