//! L7: colours and wrapped prose of the `human` format. Input: text and `Terminal`; output: text with ANSI sequences where they are wanted.

use crate::facts::Severity;
use crate::report::Terminal;

/// A look; the number of the ANSI "select graphic rendition" sequence.
#[derive(Clone, Copy)]
pub(super) enum Look {
    Severity(Severity),
    Bold,
    Dim,
}

impl Look {
    fn code(self) -> &'static str {
        match self {
            Self::Severity(Severity::Critical) => "1;31",
            Self::Severity(Severity::High) => "31",
            Self::Severity(Severity::Medium) => "33",
            Self::Severity(Severity::Low) => "36",
            Self::Severity(Severity::Note) => "34",
            Self::Bold => "1",
            Self::Dim => "2",
        }
    }
}

/// The text in a look, or as it is.
pub(super) fn paint(terminal: Terminal, look: Look, text: &str) -> String {
    if terminal.color {
        format!("\x1b[{}m{text}\x1b[0m", look.code())
    } else {
        text.to_owned()
    }
}

/// The text as an OSC 8 link, or as it is.
pub(super) fn link(terminal: Terminal, url: Option<&str>, text: &str) -> String {
    match url {
        Some(url) if terminal.links => format!("\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\"),
        _ => text.to_owned(),
    }
}

/// `  name: text`, wrapped at the width of the terminal under the text.
pub(super) fn entry(terminal: Terminal, name: &str, text: &str, out: &mut String) {
    let head = format!("  {name}: ");
    let indent = head.chars().count();
    out.push_str(&paint(terminal, Look::Dim, head.trim_end()));
    let mut column = indent.saturating_sub(1);
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if column > indent && column + 1 + width > terminal.width {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_wraps_under_itself() {
        let terminal = Terminal {
            width: 20,
            ..Terminal::default()
        };
        let mut out = String::new();
        entry(terminal, "why", "one two three four five", &mut out);
        assert_eq!(out, "  why: one two three\n       four five\n");
    }
}
