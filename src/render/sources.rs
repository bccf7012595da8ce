//! L2: rendered manifests → the templates they come from. Input: Helm's `# Source:` comments and the files of the run; output:
//! objects whose values point into the template where its line reads the same, else at the template's `kind`.
//!
//! helm v3 `pkg/action/action.go:renderResources` writes `# Source: CHART/templates/FILE` above each document.

use std::collections::HashMap;
use std::sync::Arc;

use crate::kustomize::node::Node;
use crate::load::Loaded;
use crate::resource::Resource;
use crate::source::{SourceFile, Span, to_u32, to_usize};
use crate::yaml::NodeRef;

/// Templates of the run under `chart name/path inside`.
#[derive(Debug)]
pub struct Templates {
    by_name: HashMap<String, Arc<SourceFile>>,
}

impl Templates {
    /// Finds the charts of the run and their templates.
    #[must_use]
    pub fn of(loaded: &Loaded) -> Self {
        let mut charts: HashMap<&str, String> = HashMap::new();
        for file in &loaded.files {
            let path = file.source.path.as_str();
            let is_chart = path == "Chart.yaml" || path.ends_with("/Chart.yaml");
            if let Some(document) = file.documents.first().filter(|_| is_chart)
                && let Some(name) = file.tree.node(document.root).get("name")
            {
                charts.insert(file.folder(), name.text().to_owned());
            }
        }
        let mut by_name = HashMap::new();
        for file in &loaded.files {
            let path = file.source.path.as_str();
            let Some((chart, inside)) = path
                .split_once("/templates/")
                .or_else(|| Some(("", path.strip_prefix("templates/")?)))
            else {
                continue;
            };
            if let Some(name) = charts.get(chart) {
                by_name.insert(
                    format!("{name}/templates/{inside}"),
                    Arc::clone(&file.source),
                );
            }
        }
        Self { by_name }
    }

    /// The object with its values in the template that `# Source:` names, when that is a file of the run.
    #[must_use]
    pub fn place(&self, resource: &Resource) -> Option<Resource> {
        if self.by_name.is_empty() {
            return None;
        }
        let rendered = resource.tree.source();
        let object = resource.object();
        let template = self.by_name.get(source_of(rendered, object)?)?;
        let lines = Lines::of(template);
        let mut node = Node::read_as(object, false).into_owned();
        node.relocate(&|span| lines.place(rendered, span));
        let tree = Arc::new(node.to_tree(Arc::clone(template)));
        let mut placed = Resource::new(resource.id, &tree, 0)?;
        placed.namespace.clone_from(&resource.namespace);
        Some(placed)
    }
}

/// What the last `# Source:` comment above an object names, within its document.
fn source_of<'t>(rendered: &'t SourceFile, object: NodeRef<'_>) -> Option<&'t str> {
    let before = rendered.text.get(..to_usize(object.span().start))?;
    before
        .lines()
        .rev()
        .take_while(|line| line.trim_end() != "---")
        .find_map(|line| line.strip_prefix("# Source: "))
        .map(str::trim)
}

/// Lines of a template by what they read.
struct Lines {
    template: Arc<SourceFile>,
    /// Where a line begins, without its indent; `None` when several read the same.
    unique: HashMap<String, Option<u32>>,
    /// The `kind:` line, else the beginning.
    fallback: Span,
}

impl Lines {
    fn of(template: &Arc<SourceFile>) -> Self {
        let mut unique: HashMap<String, Option<u32>> = HashMap::new();
        let mut kind = None;
        let mut at = 0;
        for line in template.text.split_inclusive('\n') {
            let text = line.trim();
            let start = to_u32(at + line.len() - line.trim_start().len());
            if !text.is_empty() {
                unique
                    .entry(text.to_owned())
                    .and_modify(|known| *known = None)
                    .or_insert(Some(start));
            }
            if line.starts_with("kind:") {
                kind.get_or_insert((start, start + to_u32(text.len())));
            }
            at += line.len();
        }
        let (start, end) = kind.unwrap_or((0, 0));
        Self {
            template: Arc::clone(template),
            unique,
            fallback: Span {
                source: template.id,
                start,
                end,
            },
        }
    }

    /// The same bytes in the template: on a line that reads the same and does so only once.
    fn place(&self, rendered: &SourceFile, span: Span) -> Span {
        let (start, end) = (to_usize(span.start), to_usize(span.end));
        let text = rendered.text.as_str();
        let line_start = text
            .get(..start)
            .map_or(0, |t| t.rfind('\n').map_or(0, |n| n + 1));
        let line = text
            .get(line_start..)
            .and_then(|t| t.lines().next())
            .unwrap_or("");
        let content = line.trim();
        let indent = line.len() - line.trim_start().len();
        let Some(Some(at)) = self.unique.get(content) else {
            return self.fallback;
        };
        let offset = start.saturating_sub(line_start + indent);
        let length = (end - start).min(content.len().saturating_sub(offset));
        let start = at + to_u32(offset);
        Span {
            source: self.template.id,
            start,
            end: start + to_u32(length),
        }
    }
}
