//! L7: words for reports. Input: text from manifests and rules; output: one safe line of it.

use std::borrow::Cow;

/// Whether a character would move the cursor, hide or reorder text when printed: control characters, and the
/// bidirectional and invisible ones of CVE-2021-42574.
pub(super) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The text as one line: line ends become spaces, other unprintable characters `U+FFFD`.
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let text = text.trim_end_matches(['\n', '\r']);
    let safe = |c: char| match c {
        '\n' | '\r' | '\t' => ' ',
        c if is_unprintable(c) => '\u{fffd}',
        c => c,
    };
    Cow::Owned(text.replace("\r\n", "\n").chars().map(safe).collect())
}

/// `1 object`, `2 objects`, `1,234 objects`; words in -y become -ies, but for overlays.
pub(crate) fn plural(count: usize, word: &str) -> String {
    let mut out = number(count);
    let stem = word.strip_suffix('y');
    match (count, stem.filter(|s| !s.ends_with(['a', 'e', 'o', 'u']))) {
        (1, _) => out.push_str(&format!(" {word}")),
        (_, Some(stem)) => out.push_str(&format!(" {stem}ies")),
        _ => out.push_str(&format!(" {word}s")),
    }
    out
}

/// `1,234,567`.
pub(super) fn number(count: usize) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The first `cap` items joined, and how many more there are: `a, b and 3 more`.
pub(super) fn and_more<T: AsRef<str>>(
    items: impl ExactSizeIterator<Item = T>,
    cap: usize,
) -> String {
    let total = items.len();
    // One item more costs no more room than the words `and 1 more`.
    let shown = if total == cap + 1 { total } else { cap };
    let mut out = String::new();
    for (at, item) in items.take(shown).enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        out.push_str(&one_line(item.as_ref()));
    }
    if total > shown {
        out.push_str(&format!(" and {} more", number(total - shown)));
    }
    out
}

/// The first paragraph of a Markdown text on one line, without its marks.
pub(super) fn first_paragraph(markdown: &str) -> String {
    let mut out = String::new();
    for line in markdown.trim_start().lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with("```") {
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(line);
    }
    one_line(&out).into_owned()
}

/// The first sentence of a line, without its final stop.
pub(super) fn sentence(line: &str) -> &str {
    let end = line.find(". ").unwrap_or(line.len());
    line.get(..end)
        .unwrap_or(line)
        .trim_end()
        .trim_end_matches('.')
}

/// At most `max` bytes, cut before a character, with `…` for what is missing.
pub(super) fn truncated(text: &str, max: usize) -> Cow<'_, str> {
    if text.len() <= max {
        return Cow::Borrowed(text);
    }
    let mut end = max.saturating_sub('…'.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Cow::Owned(format!("{}…", text.get(..end).unwrap_or("")))
}

/// A relative path as a URI reference: everything but RFC 3986 unreserved characters and `/` is percent-encoded.
pub(super) fn percent_encoded(path: &str) -> Cow<'_, str> {
    let kept = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'/');
    if path.bytes().all(kept) {
        return Cow::Borrowed(path);
    }
    let mut out = String::with_capacity(path.len() + 16);
    for byte in path.bytes() {
        if kept(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_manifests_prints_on_one_safe_line() {
        assert_eq!(one_line("a b"), "a b");
        assert_eq!(one_line("a\r\nb\tc\n"), "a b c");
        assert_eq!(one_line("\u{1b}[31mred\u{202e}"), "\u{fffd}[31mred\u{fffd}");
    }

    #[test]
    fn counts_read_as_people_write_them() {
        assert_eq!(plural(2, "overlay"), "2 overlays");
        assert_eq!(plural(2, "entry"), "2 entries");
        assert_eq!(plural(1, "view"), "1 view");
        assert_eq!(plural(0, "view"), "0 views");
        assert_eq!(plural(12_345, "policy"), "12,345 policies");
    }

    #[test]
    fn long_lists_say_what_they_leave_out() {
        assert_eq!(and_more(["a", "b"].iter(), 2), "a, b");
        assert_eq!(and_more(["a", "b", "c"].iter(), 2), "a, b, c");
        assert_eq!(and_more(["a", "b", "c", "d"].iter(), 2), "a, b and 2 more");
    }

    #[test]
    fn prose_is_cut_at_its_joints() {
        assert_eq!(first_paragraph("\nOne `x`\nline.\n\nTwo"), "One `x` line.");
        assert_eq!(sentence("Use v1.2. Then stop."), "Use v1.2");
        assert_eq!(sentence("Only one."), "Only one");
        assert_eq!(truncated("aé", 3), "aé");
        assert_eq!(truncated("aéé", 4), "a…");
    }

    #[test]
    fn paths_become_uri_references() {
        assert_eq!(percent_encoded("a/b-c_1.yaml"), "a/b-c_1.yaml");
        assert_eq!(
            percent_encoded("a b/100%/模:#.yaml"),
            "a%20b/100%25/%E6%A8%A1%3A%23.yaml"
        );
    }
}
