//! L7: `primaryLocationLineHash`, by which GitHub follows an alert over moved lines. Input: a text and line numbers; output: fingerprints.
//!
//! A polynomial hash (base 37, modulo 2^64) rolls over 100 UTF-16 units; spaces and tabs never enter, every line end
//! enters as one LF, the end as 65535 and then zeros. A line's hash is that of the window which begins at its first
//! unit; its occurrence among equal hashes of the file follows after a colon.
//! Upstream: github/codeql-action `src/fingerprints.ts`, whose published vectors are the tests below.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

const WINDOW: usize = 100;
const BASE: u64 = 37;
const END: u16 = 65_535;

/// The fingerprints of these 1-based lines; one pass over the text however many lines are asked for.
pub(super) fn line_fingerprints(text: &str, lines: &BTreeSet<u32>) -> BTreeMap<u32, String> {
    let hashes = line_hashes(text);
    let hash_of = |line: &u32| hashes.get(crate::source::to_usize(*line).checked_sub(1)?);
    let mut seen: FxHashMap<u64, u64> = lines.iter().filter_map(hash_of).map(|&h| (h, 0)).collect();
    let mut out = BTreeMap::new();
    for (line, hash) in (1u32..).zip(&hashes) {
        if let Some(count) = seen.get_mut(hash) {
            *count += 1;
            if lines.contains(&line) {
                out.insert(line, format!("{hash:x}:{count}"));
            }
        }
    }
    out
}

#[derive(Clone, Copy, Default)]
struct Slot {
    unit: u16,
    opens_line: bool,
}

struct Roll {
    ring: [Slot; WINDOW],
    at: usize,
    hash: u64,
    leaving: u64,
    lines: Vec<u64>,
}

impl Roll {
    fn push(&mut self, unit: u16, opens_line: bool) {
        let Some(slot) = self.ring.get_mut(self.at) else {
            return;
        };
        if slot.opens_line {
            self.lines.push(self.hash);
        }
        let leaves = self.leaving.wrapping_mul(u64::from(slot.unit));
        self.hash = self
            .hash
            .wrapping_mul(BASE)
            .wrapping_add(u64::from(unit))
            .wrapping_sub(leaves);
        *slot = Slot { unit, opens_line };
        self.at = if self.at + 1 == WINDOW {
            0
        } else {
            self.at + 1
        };
    }
}

/// The hash of every line, in order; the last one is of what follows the last line end.
fn line_hashes(text: &str) -> Vec<u64> {
    let mut roll = Roll {
        ring: [Slot::default(); WINDOW],
        at: 0,
        hash: 0,
        leaving: (0..WINDOW).fold(1, |power: u64, _| power.wrapping_mul(BASE)),
        lines: Vec::new(),
    };
    let (lf, cr) = (u16::from(b'\n'), u16::from(b'\r'));
    let (mut at_start, mut after_cr) = (true, false);
    for unit in text.encode_utf16().chain([END]) {
        if unit == u16::from(b' ') || unit == u16::from(b'\t') || (after_cr && unit == lf) {
            after_cr = false;
            continue;
        }
        after_cr = unit == cr;
        let unit = if after_cr { lf } else { unit };
        roll.push(unit, at_start);
        at_start = unit == lf;
    }
    for _ in 0..WINDOW {
        roll.push(0, false);
    }
    roll.lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values published in github/codeql-action `src/fingerprints.test.ts`.
    #[test]
    fn hashes_equal_the_published_ones() {
        let lorem = "Lorem ipsum dolor sit amet.\n".repeat(10);
        let mut repeated: Vec<String> = (1..=6).map(|i| format!("a7f2ff13bc495cf2:{i}")).collect();
        repeated.extend(
            [
                "a7f2ff1481e87703:1",
                "a9cf91f7bbf1862b:1",
                "55ec222b86bcae53:1",
                "cc97dc7b1d7d8f7b:1",
                "c129715d7a2bc9a3:1",
            ]
            .map(str::to_owned),
        );
        let own = |hashes: &[&str]| hashes.iter().map(|h| (*h).to_owned()).collect::<Vec<_>>();
        for (text, expected) in [
            ("", own(&["c129715d7a2bc9a3:1"])),
            (
                " a\nb\n  \t\tc\n d",
                own(&[
                    "271789c17abda88f:1",
                    "54703d4cd895b18:1",
                    "180aee12dab6264:1",
                    "a23a3dc5e078b07b:1",
                ]),
            ),
            (
                " hello; \t\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n",
                own(&[
                    "e9496ae3ebfced30:1",
                    "fb7c023a8b9ccb3f:1",
                    "ce8ba1a563dcdaca:1",
                    "e20e36e16fcb0cc8:1",
                    "b3edc88f2938467e:1",
                    "c8e28b0b4002a3a0:1",
                    "c129715d7a2bc9a3:1",
                ]),
            ),
            (lorem.as_str(), repeated),
        ] {
            let all = (1..=20).collect();
            let got: Vec<String> = line_fingerprints(text, &all).into_values().collect();
            assert_eq!(got, expected, "{text:?}");
        }
    }

    #[test]
    fn occurrences_count_lines_that_nobody_asked_for() {
        let text = "Lorem ipsum dolor sit amet.\n".repeat(10);
        let got = line_fingerprints(&text, &BTreeSet::from([3, 99]));
        assert_eq!(got, BTreeMap::from([(3, "a7f2ff13bc495cf2:3".to_owned())]));
    }
}
