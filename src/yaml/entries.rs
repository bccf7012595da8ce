//! Entries and items of collections as Kubernetes sees them. Input: a node; output: its fields, duplicates and merge keys
//! applied.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::yaml::key::{Key, key_hash};
use crate::yaml::node::{Kind, NodeRef};
use crate::yaml::tree::{HAS_DUPLICATE, HAS_MERGE, MERGE_KEY, Tree};

impl<'t> NodeRef<'t> {
    /// The value of a field, as [`NodeRef::entries`] has it. `None` for a non-map or missing key.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Self> {
        self.entry_hashed(key_hash(name), name)
            .map(|(_, value)| value)
    }

    /// [`NodeRef::get`] with a prepared key.
    #[must_use]
    pub fn get_key(self, key: &Key) -> Option<Self> {
        self.entry_hashed(key.hash, &key.name)
            .map(|(_, value)| value)
    }

    /// Key node and value of a field.
    #[must_use]
    pub fn entry(self, name: &str) -> Option<(Self, Self)> {
        self.entry_hashed(key_hash(name), name)
    }

    /// [`NodeRef::entry`] with a prepared key.
    #[must_use]
    pub fn entry_key(self, key: &Key) -> Option<(Self, Self)> {
        self.entry_hashed(key.hash, &key.name)
    }

    /// The value at a path of field names.
    #[must_use]
    pub fn at(self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(self, |node, name| node.get(name))
    }

    fn entry_hashed(self, hash: u32, name: &str) -> Option<(Self, Self)> {
        let map = self.resolved();
        let node = self.tree.raw(map.index);
        if node.kind != Kind::Map {
            return None;
        }
        let first_wins = node.flags & (HAS_DUPLICATE | HAS_MERGE) == 0;
        let mut found = None;
        let mut index = map.index + 1;
        while index < node.skip {
            let key = self.tree.raw(index);
            let value = key.skip;
            if key.flags & MERGE_KEY != 0 {
                let merged = Self::new(self.tree, value).merged_maps();
                let entry = merged
                    .into_iter()
                    .find_map(|map| map.entry_hashed(hash, name));
                found = entry.or(found);
            } else if key.hash == hash && Self::new(self.tree, index).key_text() == name {
                found = Some((Self::new(self.tree, index), Self::new(self.tree, value)));
                if first_wins {
                    return found;
                }
            }
            index = self.tree.raw(value).skip;
        }
        found
    }

    /// The maps that the value of a merge key stands for, in order of precedence (earlier wins).
    fn merged_maps(self) -> impl Iterator<Item = Self> {
        let single = self.is_map().then_some(self);
        let list = self.items().filter(|item| item.is_map());
        single.into_iter().chain(list)
    }

    /// Entries as Kubernetes sees them: duplicates resolved (last wins), merge keys applied; source order. Empty for non-maps.
    ///
    /// A merge key takes its turn like any other: it overrides what stands before it and yields to what follows. So does
    /// go-yaml v2 under sigs.k8s.io/yaml (`mapping` in `decode.go`), against the merge-key draft, where own keys always win.
    pub fn entries(self) -> Box<dyn Iterator<Item = (Self, Self)> + 't> {
        let map = self.resolved();
        let node = self.tree.raw(map.index);
        if node.kind != Kind::Map {
            return Box::new(std::iter::empty());
        }
        if node.flags & (HAS_MERGE | HAS_DUPLICATE) == 0 {
            return Box::new(RawEntries::new(map));
        }
        let mut effective = EffectiveEntries::default();
        effective.add_map(map);
        Box::new(effective.entries.into_iter())
    }

    /// Entries exactly as written: duplicates kept, `<<` a plain key. Empty for non-maps.
    pub fn raw_entries(self) -> impl Iterator<Item = (Self, Self)> + 't {
        RawEntries::new(self.resolved())
    }

    /// Items of a sequence; empty for other kinds.
    pub fn items(self) -> Items<'t> {
        let seq = self.resolved();
        let node = self.tree.raw(seq.index);
        let end = if node.kind == Kind::Seq { node.skip } else { 0 };
        Items {
            tree: self.tree,
            index: seq.index + 1,
            end,
        }
    }

    /// Item of a sequence by 0-based position.
    #[must_use]
    pub fn item(self, position: usize) -> Option<Self> {
        self.items().nth(position)
    }
}

/// The entries of a map while duplicates and merge keys are applied: each key at its first place with its last value.
#[derive(Default)]
struct EffectiveEntries<'t> {
    entries: Vec<(NodeRef<'t>, NodeRef<'t>)>,
    places: HashMap<Cow<'t, str>, usize>,
}

impl<'t> EffectiveEntries<'t> {
    fn add_map(&mut self, map: NodeRef<'t>) {
        for (key, value) in RawEntries::new(map.resolved()) {
            if map.tree.raw(key.index).flags & MERGE_KEY == 0 {
                self.add(key, value);
                continue;
            }
            let merged: Vec<_> = value.merged_maps().collect();
            for map in merged.into_iter().rev() {
                self.add_map(map);
            }
        }
    }

    fn add(&mut self, key: NodeRef<'t>, value: NodeRef<'t>) {
        let next = self.entries.len();
        let place = *self.places.entry(key.key_text()).or_insert(next);
        match self.entries.get_mut(place) {
            Some(slot) => *slot = (key, value),
            None => self.entries.push((key, value)),
        }
    }
}

struct RawEntries<'t> {
    tree: &'t Tree,
    index: u32,
    end: u32,
}

impl<'t> RawEntries<'t> {
    fn new(map: NodeRef<'t>) -> Self {
        let node = map.tree.raw(map.index);
        Self {
            tree: map.tree,
            index: map.index + 1,
            end: if node.kind == Kind::Map { node.skip } else { 0 },
        }
    }
}

impl<'t> Iterator for RawEntries<'t> {
    type Item = (NodeRef<'t>, NodeRef<'t>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.index >= self.end {
            return None;
        }
        let key = NodeRef::new(self.tree, self.index);
        let value = NodeRef::new(self.tree, self.tree.raw(self.index).skip);
        self.index = self.tree.raw(value.index).skip;
        Some((key, value))
    }
}

/// Iterator over the items of a sequence.
#[derive(Clone)]
pub struct Items<'t> {
    tree: &'t Tree,
    index: u32,
    end: u32,
}

impl<'t> Iterator for Items<'t> {
    type Item = NodeRef<'t>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.index >= self.end {
            return None;
        }
        let item = NodeRef::new(self.tree, self.index);
        self.index = self.tree.raw(self.index).skip;
        Some(item)
    }
}
