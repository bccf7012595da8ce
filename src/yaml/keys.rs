//! Duplicate keys of the mappings under construction. Input: each key as it is appended; output: an earlier equal key.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::yaml::node::NodeRef;
use crate::yaml::tree::Tree;

/// Mappings up to this size are compared hash by hash; larger ones get an index.
const SMALL: usize = 64;

/// The keys of all open mappings, innermost last: hash and node index.
pub(crate) type OpenKeys = Vec<(u32, u32)>;

/// The keys seen so far in one open mapping.
#[derive(Debug, Default)]
pub(crate) struct KeySet {
    /// Where this mapping's keys begin in [`OpenKeys`].
    first: usize,
    /// One bit a hash seen, by its top six bits: most keys need no comparison.
    seen: u64,
    /// SipHash of the key text → node index. Not the 32-bit hash, whose collisions a hostile file can produce at will.
    index: Option<HashMap<u64, u32>>,
}

impl KeySet {
    /// An empty set for a mapping opened now.
    pub(crate) fn new(open: &OpenKeys) -> Self {
        Self {
            first: open.len(),
            ..Self::default()
        }
    }

    /// Forgets the mapping's keys.
    pub(crate) fn close(&self, open: &mut OpenKeys) {
        open.truncate(self.first);
    }

    /// Adds the key node `index` and returns the latest earlier key with the same text.
    #[inline]
    pub(crate) fn insert(&mut self, open: &mut OpenKeys, tree: &Tree, index: u32) -> Option<u32> {
        if self.index.is_some() {
            return self.insert_large(tree, index);
        }
        let hash = tree.raw(index).hash;
        let bit = 1_u64 << (hash >> 26);
        let known = if self.seen & bit == 0 {
            None
        } else {
            let same = |other: u32| text(tree, other) == text(tree, index);
            open.get(self.first..).and_then(|keys| {
                let mut equal = keys.iter().rev().filter(|(other, _)| *other == hash);
                equal.find(|(_, at)| same(*at)).map(|(_, at)| *at)
            })
        };
        self.seen |= bit;
        open.push((hash, index));
        if open.len() - self.first > SMALL {
            self.grow(open, tree);
        }
        known
    }

    fn grow(&mut self, open: &mut OpenKeys, tree: &Tree) {
        let keys = open.get(self.first..).unwrap_or_default().iter();
        let index = keys.map(|(_, at)| (sip(tree, *at), *at)).collect();
        self.index = Some(index);
        open.truncate(self.first);
    }

    fn insert_large(&mut self, tree: &Tree, index: u32) -> Option<u32> {
        let earlier = self.index.as_mut()?.insert(sip(tree, index), index)?;
        (text(tree, earlier) == text(tree, index)).then_some(earlier)
    }
}

fn text(tree: &Tree, index: u32) -> std::borrow::Cow<'_, str> {
    NodeRef::new(tree, index).key_text()
}

fn sip(tree: &Tree, index: u32) -> u64 {
    let mut hasher = DefaultHasher::new();
    text(tree, index).hash(&mut hasher);
    hasher.finish()
}
