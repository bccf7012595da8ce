//! Field names with their hash. Input: a name; output: a `Key` for repeated look-ups.

/// A field name with its hash, prepared once for repeated look-ups.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub(super) hash: u32,
    pub(super) name: Box<str>,
}

impl Key {
    /// Prepares a field name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            hash: key_hash(name),
            name: name.into(),
        }
    }

    /// The field name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// 32-bit hash of a key, eight bytes a step (multiply and fold, as in wyhash); never 0, so that 0 means "not a key".
#[must_use]
pub const fn key_hash(name: &str) -> u32 {
    const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut rest = name.as_bytes();
    let mut hash = widen(rest.len()) ^ SEED;
    while let [a, b, c, d, e, f, g, h, tail @ ..] = rest {
        hash = mix(hash ^ u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]));
        rest = tail;
    }
    let mut last = 0;
    while let [first, tail @ ..] = rest {
        last = (last << 8) | widen_byte(*first);
        rest = tail;
    }
    hash = mix(hash ^ last);
    let [a, b, c, d, e, f, g, h] = hash.to_le_bytes();
    let folded = u32::from_le_bytes([a, b, c, d]) ^ u32::from_le_bytes([e, f, g, h]);
    if folded == 0 { 1 } else { folded }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "both halves of a 128-bit product are wanted; `From` is not const"
)]
const fn mix(word: u64) -> u64 {
    let product = (word as u128) * 0xf135_7aea_2e62_a9c5;
    (product as u64) ^ ((product >> 64) as u64)
}

#[expect(clippy::as_conversions, reason = "lossless; `From` is not const")]
const fn widen(length: usize) -> u64 {
    length as u64
}

#[expect(clippy::as_conversions, reason = "lossless; `From` is not const")]
const fn widen_byte(byte: u8) -> u64 {
    byte as u64
}
