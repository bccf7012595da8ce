//! One text of manifests as a view.

use std::sync::Arc;

use meshgov::resource::{Resource, ResourceId};
use meshgov::source::{SourceFile, SourceId};
use meshgov::view::{Member, Namespace, View};
use meshgov::yaml;

/// Reads every document of `text` into one complete view.
pub(crate) fn of(text: &str) -> View {
    let file = Arc::new(SourceFile::new(SourceId(0), "case.yaml", text));
    let parsed = yaml::parse(&file);
    assert!(parsed.errors.is_empty(), "{:?}", parsed.errors);
    let tree = Arc::new(parsed.tree);
    let members = (0u32..)
        .zip(&parsed.documents)
        .filter_map(|(at, document)| Resource::new(ResourceId(at), &tree, document.root))
        .map(|resource| {
            let namespace = match (resource.kind(), &resource.namespace) {
                ("Namespace", _) => Namespace::Cluster,
                (_, Some(name)) => Namespace::Named(name.as_str().into()),
                (_, None) => Namespace::Unset,
            };
            Member {
                resource: Arc::new(resource),
                namespace,
            }
        });
    View::new("case".into(), "test".into(), members.collect(), Vec::new())
}
