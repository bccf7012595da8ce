//! What aliases cost, counted while reading. Input: anchors and aliases in document order; output: sizes and depths as if
//! every alias were replaced by its value, or a refusal beyond the caps. Nothing is ever expanded.

use crate::yaml::parse::{MAX_DEPTH, MAX_NODES, ParseErrorKind};

/// The value an anchor names.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Anchored {
    /// Its node.
    pub(crate) index: u32,
    /// Its nodes after expanding the aliases in it.
    size: usize,
    /// Collections inside each other in it; 0 for a scalar.
    pub(crate) levels: usize,
    /// Still being read: an alias to it would contain itself.
    pub(crate) open: bool,
}

/// The anchors of a file and the nodes that its aliases stand for.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    /// By anchor number, which granit-parser counts from 1 through the whole file; 0 is no anchor.
    anchors: Vec<Anchored>,
    /// Nodes that aliases stand for beyond themselves, in the documents kept so far and the current one.
    expanded: usize,
    /// `expanded` before the current document.
    kept: usize,
}

impl Budget {
    /// Names a scalar.
    pub(crate) fn define_scalar(&mut self, number: usize, index: u32) {
        self.define(
            number,
            Anchored {
                index,
                size: 1,
                ..Anchored::default()
            },
        );
    }

    /// Names a collection that begins now; returns what [`Budget::close`] wants back.
    pub(crate) fn open(&mut self, number: usize, index: u32) -> usize {
        self.define(
            number,
            Anchored {
                index,
                open: true,
                ..Anchored::default()
            },
        );
        self.expanded
    }

    /// Ends an anchored collection of `nodes` nodes and `levels` levels.
    pub(crate) fn close(&mut self, number: usize, nodes: usize, levels: usize, opened: usize) {
        let expanded = self.expanded;
        if let Some(anchored) = self.slot(number) {
            anchored.size = nodes + expanded.saturating_sub(opened);
            anchored.levels = levels;
            anchored.open = false;
        }
    }

    /// What an anchor names.
    pub(crate) fn target(&self, number: usize) -> Anchored {
        let place = number.checked_sub(1);
        place
            .and_then(|place| self.anchors.get(place))
            .copied()
            .unwrap_or_default()
    }

    /// Counts an alias that stands below `depth` collections.
    pub(crate) fn expand(&mut self, target: Anchored, depth: usize) -> Result<(), ParseErrorKind> {
        if depth + target.levels > MAX_DEPTH {
            return Err(ParseErrorKind::TooDeep(MAX_DEPTH));
        }
        self.expanded += target.size.saturating_sub(1);
        Ok(())
    }

    /// Refuses the node that makes `nodes` written ones when they are too many with the expanded ones.
    #[inline]
    pub(crate) fn check(&self, nodes: usize) -> Result<(), ParseErrorKind> {
        if nodes + self.expanded > MAX_NODES {
            return Err(ParseErrorKind::TooManyNodes(MAX_NODES));
        }
        Ok(())
    }

    /// Keeps the current document's count.
    pub(crate) fn keep(&mut self) {
        self.kept = self.expanded;
    }

    /// Forgets the current document's count.
    pub(crate) fn roll_back(&mut self) {
        self.expanded = self.kept;
    }

    fn define(&mut self, number: usize, anchored: Anchored) {
        if number == 0 {
            return;
        }
        if self.anchors.len() < number {
            self.anchors.resize(number, Anchored::default());
        }
        if let Some(slot) = self.slot(number) {
            *slot = anchored;
        }
    }

    fn slot(&mut self, number: usize) -> Option<&mut Anchored> {
        self.anchors.get_mut(number.checked_sub(1)?)
    }
}
