//! Where a node really stands. Input: the text and the end of the previous token; output: the offset of the indicator
//! (`-`, `:`, `|`, `>`) that granit-parser leaves out of its spans, and the end of a block scalar's content.

/// Whether the byte ends an indicator such as `-` or `:` in block context.
fn is_blank(byte: Option<&u8>) -> bool {
    matches!(byte, None | Some(b' ' | b'\t' | b'\n' | b'\r'))
}

/// The offset of the dash of a block sequence that is the value or key after `from`.
pub(crate) fn dash_after(text: &[u8], from: usize) -> Option<usize> {
    walk(text, from, |at| {
        text.get(at) == Some(&b'-') && is_blank(text.get(at + 1))
    })
}

/// The offset of the `|` or `>` of the block scalar that follows `from`.
pub(crate) fn block_header_after(text: &[u8], from: usize) -> Option<usize> {
    walk(text, from, |at| matches!(text.get(at), Some(b'|' | b'>')))
}

/// The offset after the colon that follows the key ending at `from`; `None` when the key has no colon.
pub(crate) fn after_colon(text: &[u8], from: usize, flow: bool) -> Option<usize> {
    let at = skip_blank(text, from);
    let next = text.get(at + 1);
    let ends = is_blank(next) || (flow && matches!(next, Some(b',' | b'}' | b']')));
    (text.get(at) == Some(&b':') && ends).then_some(at + 1)
}

/// The offset after the dash of the absent item that follows `from`.
pub(crate) fn after_dash(text: &[u8], from: usize) -> Option<usize> {
    let at = skip_blank(text, from);
    (text.get(at) == Some(&b'-') && is_blank(text.get(at + 1))).then_some(at + 1)
}

/// The offset after the `?` of the absent key that follows `from`; `None` when it has none.
pub(crate) fn after_question_mark(text: &[u8], from: usize) -> Option<usize> {
    let mut at = skip_blank(text, from);
    if text.get(at) == Some(&b',') {
        at = skip_blank(text, at + 1);
    }
    (text.get(at) == Some(&b'?') && is_blank(text.get(at + 1))).then_some(at + 1)
}

/// Walks over what may stand between two nodes (space, comments, indicators, anchors, tags, document ends) to a wanted offset.
fn walk(text: &[u8], from: usize, wanted: impl Fn(usize) -> bool) -> Option<usize> {
    let mut at = from;
    loop {
        at = skip_blank(text, at);
        if wanted(at) {
            return Some(at);
        }
        at = match text.get(at)? {
            b':' | b'?' | b'-' => at + 1,
            b'&' | b'!' => end_of_property(text, at),
            b'.' if text.get(at..at + 3) == Some(b"...") => at + 3,
            _ => return None,
        };
    }
}

/// Skips white space, line breaks, byte order marks and comments.
fn skip_blank(text: &[u8], from: usize) -> usize {
    let mut at = from;
    loop {
        match text.get(at..) {
            Some([b' ' | b'\t' | b'\n' | b'\r', ..]) => at += 1,
            Some([0xef, 0xbb, 0xbf, ..]) => at += 3,
            Some(rest @ [b'#', ..]) => {
                at += memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
            }
            _ => return at,
        }
    }
}

/// The end of an anchor or tag that begins at `at`.
fn end_of_property(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let ends = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    at + rest.iter().position(ends).unwrap_or(rest.len())
}

/// The end of a block scalar's content. `content` is where its first line's text begins, `end` where the scanner stopped.
///
/// With `+` chomping every trailing line break counts; otherwise the content ends with its last line, whose line break is
/// left out, so that a region over the scalar does not run into the next line.
pub(crate) fn block_end(text: &[u8], header: usize, content: usize, end: usize) -> usize {
    let rest = text.get(header..).unwrap_or_default();
    let head_len = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
    let head = rest.get(..head_len).unwrap_or_default();
    let indicators = head.split(|byte| matches!(byte, b' ' | b'\t')).next();
    if indicators.is_some_and(|head| head.contains(&b'+')) {
        return end;
    }
    let before = text.get(..content).unwrap_or_default();
    let first = memchr::memrchr2(b'\n', b'\r', before).map_or(0, |at| at + 1);
    let indent = content - first;
    let mut end = if content < end { end } else { first };
    while first < end {
        let lines = text.get(first..end).unwrap_or_default();
        let without_break = end - line_break_len(lines);
        let lines = text.get(first..without_break).unwrap_or_default();
        let start = memchr::memrchr2(b'\n', b'\r', lines).map_or(first, |at| first + at + 1);
        let line = text.get(start..without_break).unwrap_or_default();
        if line.len() > indent || line.iter().any(|byte| *byte != b' ') {
            return without_break;
        }
        end = start;
    }
    let comment = head.iter().position(|byte| matches!(byte, b' ' | b'\t'));
    header + comment.unwrap_or(head.len())
}

fn line_break_len(text: &[u8]) -> usize {
    match text {
        [.., b'\r', b'\n'] => 2,
        [.., b'\n' | b'\r'] => 1,
        _ => 0,
    }
}
