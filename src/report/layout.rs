//! L7: JSON that people can read and diff without paying for it. Input: a value; output: JSON with line breaks down to a depth.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

/// Writes a value and a line end; what lies deeper than `depth` stands on one line with its parent.
pub(super) fn write_json(
    out: &mut impl Write,
    value: &impl Serialize,
    depth: usize,
) -> io::Result<()> {
    let layout = Layout {
        pretty: PrettyFormatter::new(),
        depth,
        at: 0,
    };
    value.serialize(&mut Serializer::with_formatter(&mut *out, layout))?;
    writeln!(out)
}

struct Layout {
    pretty: PrettyFormatter<'static>,
    depth: usize,
    at: usize,
}

/// Passes a call to the pretty formatter where lines break, else to the compact one.
macro_rules! by_depth {
    ($self:ident.$call:ident($($arg:ident),*)) => {
        if $self.at <= $self.depth {
            $self.pretty.$call($($arg),*)
        } else {
            CompactFormatter.$call($($arg),*)
        }
    };
}

impl Formatter for Layout {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.at += 1;
        by_depth!(self.begin_array(out))
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        let done = by_depth!(self.end_array(out));
        self.at -= 1;
        done
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        by_depth!(self.begin_array_value(out, first))
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        by_depth!(self.end_array_value(out))
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.at += 1;
        by_depth!(self.begin_object(out))
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        let done = by_depth!(self.end_object(out));
        self.at -= 1;
        done
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        by_depth!(self.begin_object_key(out, first))
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        by_depth!(self.begin_object_value(out))
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        by_depth!(self.end_object_value(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_down_to_the_depth() {
        let value = serde_json::json!({"a": [{"b": [1, {"c": 2}]}, {}], "d": [], "e": {"f": "x"}});
        let mut out = Vec::new();
        write_json(&mut out, &value, 2).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "{\n  \"a\": [\n    {\"b\":[1,{\"c\":2}]},\n    {}\n  ],\n  \"d\": [],\n  \"e\": {\n    \"f\": \"x\"\n  }\n}\n"
        );
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read, value);
    }
}
