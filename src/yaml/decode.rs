//! Bytes → text. Input: the bytes of a file; output: UTF-8 without byte order mark, or why the file cannot be read.

/// Bytes a file may have.
pub const MAX_BYTES: usize = 256 << 20;
/// Bytes a line may have: longer ones are no manifest, and every tool behind us would choke on them.
pub const MAX_LINE_BYTES: usize = 16 << 20;

/// Why the bytes of a file are not text we read. Offsets are 0-based bytes of the file, lines are 1-based.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum DecodeError {
    /// More than [`MAX_BYTES`].
    #[error("the file has {bytes} bytes, more than the {MAX_BYTES} that are read")]
    TooLarge {
        /// Size of the file.
        bytes: usize,
    },
    /// A line of more than [`MAX_LINE_BYTES`].
    #[error("line {line} is longer than {MAX_LINE_BYTES} bytes")]
    LongLine {
        /// Where the line begins.
        offset: usize,
        /// Its number.
        line: usize,
    },
    /// A NUL byte, as in images and archives.
    #[error("binary file: NUL byte at byte {offset}")]
    Binary {
        /// Where the first one is.
        offset: usize,
    },
    /// Neither UTF-8 nor announced as UTF-16.
    #[error("not UTF-8: invalid byte {byte:#04x} at byte {offset} (line {line})")]
    Utf8 {
        /// Where the first invalid byte is.
        offset: usize,
        /// Its line.
        line: usize,
        /// The byte.
        byte: u8,
    },
    /// UTF-16 with a lone surrogate or half a character.
    #[error("not UTF-16: broken character at byte {offset}")]
    Utf16 {
        /// Where it is.
        offset: usize,
    },
    /// UTF-32, which go-yaml does not read either.
    #[error("UTF-32 is not supported; save the file as UTF-8")]
    Utf32,
}

/// Decodes UTF-8 or UTF-16 as YAML 1.2.2 §5.2 detects them, with or without byte order mark. Line ends are kept.
///
/// # Errors
/// Whatever the file's author must mend: see [`DecodeError`].
pub fn decode(bytes: Vec<u8>) -> Result<String, DecodeError> {
    if bytes.len() > MAX_BYTES {
        return Err(DecodeError::TooLarge { bytes: bytes.len() });
    }
    let text = match bytes.as_slice() {
        [0, 0, 0xfe, 0xff, ..] | [0xff, 0xfe, 0, 0, ..] => return Err(DecodeError::Utf32),
        [0, 0, 0, other, ..] | [other, 0, 0, 0, ..] if *other != 0 => {
            return Err(DecodeError::Utf32);
        }
        [0xfe, 0xff, rest @ ..] => utf16(rest, 2, u16::from_be_bytes)?,
        [0xff, 0xfe, rest @ ..] => utf16(rest, 2, u16::from_le_bytes)?,
        [0, other, ..] if *other != 0 => utf16(&bytes, 0, u16::from_be_bytes)?,
        [other, 0, ..] if *other != 0 => utf16(&bytes, 0, u16::from_le_bytes)?,
        _ => utf8(bytes)?,
    };
    if let Some(offset) = memchr::memchr(0, text.as_bytes()) {
        return Err(DecodeError::Binary { offset });
    }
    check_lines(&text)?;
    Ok(text)
}

fn utf8(bytes: Vec<u8>) -> Result<String, DecodeError> {
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        if let Some(offset) = memchr::memchr(0, bytes) {
            return DecodeError::Binary { offset };
        }
        DecodeError::Utf8 {
            offset,
            line: 1 + memchr::memchr_iter(b'\n', bytes.get(..offset).unwrap_or_default()).count(),
            byte: bytes.get(offset).copied().unwrap_or(0),
        }
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

fn utf16(bytes: &[u8], skipped: usize, unit: fn([u8; 2]) -> u16) -> Result<String, DecodeError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len() / 2);
    let mut offset = skipped;
    for decoded in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        let c = decoded.map_err(|_| DecodeError::Utf16 { offset })?;
        text.push(c);
        offset += 2 * c.len_utf16();
    }
    if rest.is_empty() {
        Ok(text)
    } else {
        Err(DecodeError::Utf16 { offset })
    }
}

fn check_lines(text: &str) -> Result<(), DecodeError> {
    if text.len() <= MAX_LINE_BYTES {
        return Ok(());
    }
    let mut offset = 0;
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).chain([text.len()]);
    for (number, end) in ends.enumerate() {
        if end - offset > MAX_LINE_BYTES {
            let line = number + 1;
            return Err(DecodeError::LongLine { offset, line });
        }
        offset = end + 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, mark: &[u8], bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        let units = text.encode_utf16().flat_map(bytes);
        mark.iter().copied().chain(units).collect()
    }

    #[test]
    fn utf_8_and_utf_16_are_read_with_or_without_a_mark() {
        let text = "a: é😀\r\nb: 1\n";
        let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        assert_eq!(decode(text.into()).unwrap(), text);
        assert_eq!(decode(marked).unwrap(), text);
        for mark in [&b""[..], b"\xff\xfe"] {
            assert_eq!(decode(utf16(text, mark, u16::to_le_bytes)).unwrap(), text);
        }
        for mark in [&b""[..], b"\xfe\xff"] {
            assert_eq!(decode(utf16(text, mark, u16::to_be_bytes)).unwrap(), text);
        }
        assert_eq!(decode(Vec::new()).unwrap(), "");
        assert_eq!(decode(b"\xff\xfe".to_vec()).unwrap(), "");
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_place() {
        let refused = |bytes: &[u8]| decode(bytes.to_vec()).unwrap_err();
        let expected = DecodeError::Utf8 {
            offset: 8,
            line: 2,
            byte: 0xff,
        };
        assert_eq!(refused(b"a: 1\nb: \xff\n"), expected);
        assert_eq!(refused(b"ab\x00c"), DecodeError::Binary { offset: 2 });
        assert_eq!(refused(b"\xff\x89P\x00"), DecodeError::Binary { offset: 3 });
        assert_eq!(refused(b"\xff\xfea\x00b"), DecodeError::Utf16 { offset: 4 });
        assert_eq!(
            refused(b"\xff\xfe\x00\xd8a\x00"),
            DecodeError::Utf16 { offset: 2 }
        );
        assert_eq!(
            refused(b"\xff\xfe\x00\x00a\x00\x00\x00"),
            DecodeError::Utf32
        );
        assert_eq!(refused(b"\x00\x00\x00a"), DecodeError::Utf32);
        let message = refused(b"a: 1\nb: \xff\n").to_string();
        assert_eq!(message, "not UTF-8: invalid byte 0xff at byte 8 (line 2)");
    }

    #[test]
    fn files_and_lines_beyond_the_caps_are_refused() {
        let bytes = MAX_BYTES + 1;
        assert_eq!(
            decode(vec![b'#'; bytes]),
            Err(DecodeError::TooLarge { bytes })
        );
        let mut text = b"a: 1\nb: ".to_vec();
        text.resize(5 + MAX_LINE_BYTES, b'x');
        assert!(decode(text.clone()).is_ok());
        text.push(b'x');
        let long = DecodeError::LongLine { offset: 5, line: 2 };
        assert_eq!(decode(text.clone()), Err(long.clone()));
        text.extend(b"\nc: 1\n");
        assert_eq!(decode(text), Err(long));
    }
}
