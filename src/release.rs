//! L3: Helm releases, which nothing here renders. Input: the objects and files of a view; output: `Release`: where it goes,
//! which charts it installs, with the values they are given as far as files tell.
//!
//! There is no template engine: what a chart makes of its values is unknown, but for the charts of [`charts`].

pub mod charts;
mod declared;
mod files;
mod merge;
mod parameters;
mod values;

use std::sync::Arc;

use crate::resource::Resource;
use crate::source::Span;
use crate::yaml::{NodeRef, Tree};

pub use declared::find;
pub use files::Files;

/// An object with the namespace it is applied to.
#[derive(Clone, Copy, Debug)]
pub struct Applied<'v> {
    /// The object.
    pub resource: &'v Arc<Resource>,
    /// Its effective namespace, `""` for cluster scope and for the unnamed one.
    pub namespace: &'v str,
}

/// A chart that somebody installs.
#[derive(Clone, Debug)]
pub struct Release {
    /// For the ledger: `HelmRelease ml/ollama`.
    pub what: String,
    /// Release name.
    pub name: String,
    /// Namespace that its objects go to unless they name another; `None` when it cannot be told.
    pub namespace: Option<String>,
    /// Where it is declared.
    pub span: Span,
    /// The object that declares it; an entry of a kustomization and a chart's own `Chart.yaml` count as one.
    pub resource: Arc<Resource>,
    /// The chart; for a chart of the tree that is only a shell, those it depends on.
    pub charts: Vec<Chart>,
}

/// A chart with the values it is given; by default one of which nothing is known.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    /// Its name, `""` when it cannot be told.
    pub name: String,
    /// Where it is fetched from, as far as files tell; `""` for a chart of the tree.
    pub repository: String,
    /// Values as Helm merges them, each with the place that sets it; defaults of the chart are not among them.
    values: Option<Arc<Tree>>,
    /// Whether every source of values could be read, so that a value that is not there is not set.
    pub is_whole: bool,
}

impl Chart {
    /// The merged values.
    #[must_use]
    pub fn values(&self) -> Option<NodeRef<'_>> {
        Some(self.values.as_ref()?.node(0)).filter(|node| node.is_map())
    }

    /// The value at a path of keys.
    #[must_use]
    pub fn value(&self, path: &[&str]) -> Option<NodeRef<'_>> {
        self.values()?.at(path)
    }
}

impl Release {
    /// Whether it may hold objects that change who may call whom: all do, but for charts whose contents are known.
    #[must_use]
    pub fn opens(&self) -> bool {
        self.charts.is_empty()
            || self
                .charts
                .iter()
                .any(|chart| !charts::holds_no_policy(chart))
    }
}
