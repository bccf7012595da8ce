//! L8: what is silenced. Input: verdicts, and the comments, annotations and entries of the config that silence some; output: the verdicts with
//! what is silenced marked, and findings about silencers that have no effect.

use std::sync::Arc;

use crate::cli::pipeline::Input;
use crate::config::Ignore;
use crate::evaluate::engine::{self, EngineRules};
use crate::evaluate::{CompiledRule, Judgement, merge};
use crate::finding::ObjectRef;
use crate::resource::ResourceId;
use crate::rule::RuleSet;
use crate::source::{SourceFile, Span};
use crate::suppress::{self, Silencers};

/// What is silenced, and whether at all.
#[derive(Debug)]
pub struct Silencing<'s> {
    /// All rules there are, for names.
    pub rules: &'s RuleSet,
    /// Entries of the config, with its text.
    pub ignores: &'s [Ignore],
    /// The config file, for findings about its entries.
    pub config: Option<&'s Arc<SourceFile>>,
    /// The day silencers are judged on.
    pub today: &'s str,
    /// `--no-ignores`.
    pub off: bool,
}

impl Input {
    pub(super) fn silence(
        &mut self,
        judgement: &mut Judgement,
        rules: &[CompiledRule],
        engine: &EngineRules,
        silencing: &Silencing<'_>,
    ) {
        let mut silencers = self.silencers();
        silencers.ignores = silencing.ignores.to_vec();
        let runs = |filter: &str| {
            let compiled = rules.iter().map(|r| &r.rule);
            let engine = silencing
                .rules
                .iter()
                .filter(|r| engine.get(&r.info.id).is_some());
            compiled.chain(engine).any(|r| RuleSet::is_named(r, filter))
        };
        let sources = &self.sources;
        let spent = silencers.apply(
            &mut judgement.findings,
            silencing.rules,
            silencing.today,
            |finding| {
                sources
                    .get(finding.span.source)
                    .map_or_else(String::new, |f| f.path.clone())
            },
            runs,
        );
        let mut drafts = Vec::new();
        for void in &spent.void {
            let (id, what) = if void.expired {
                (engine::IGNORE_EXPIRED, "this silencer has expired")
            } else {
                (engine::IGNORE_MALFORMED, "this silencer has no effect")
            };
            drafts.extend(engine.draft(id, void.span, format!("{what}: {}", void.message)));
        }
        for span in &spent.unused {
            let message = String::from("this silencer silences nothing");
            drafts.extend(engine.draft(engine::IGNORE_UNUSED, *span, message));
        }
        let differences: Vec<(Span, Option<String>)> = (self.spent_differences().into_iter())
            .map(|(span, until)| (span, until.map(str::to_owned)))
            .collect();
        let own = spent
            .expired_ignores
            .iter()
            .map(|(span, until)| {
                let words = format!("this entry of `ignores` has expired: it ran out on {until}");
                (engine::IGNORE_EXPIRED, *span, words)
            })
            .chain(spent.unused_ignores.iter().map(|span| {
                let words = String::from("this entry of `ignores` silences nothing");
                (engine::IGNORE_UNUSED, *span, words)
            }))
            .chain(differences.iter().map(|(span, until)| match until {
                Some(until) => {
                    let words =
                        format!("this entry of `differences` has expired: it ran out on {until}");
                    (engine::IGNORE_EXPIRED, *span, words)
                }
                None => {
                    let words = String::from("this entry of `differences` covers no difference");
                    (engine::IGNORE_UNUSED, *span, words)
                }
            }));
        if let Some(config) = silencing.config {
            let mut own = own.peekable();
            if own.peek().is_some() {
                let source = self.sources.add(config.path.clone(), config.text.clone());
                drafts.extend(own.filter_map(|(id, span, words)| {
                    let span = Span {
                        source: source.id,
                        ..span
                    };
                    engine.draft(id, span, words)
                }));
            }
        }
        let more = merge::merge(vec![drafts], &self.sources);
        judgement.findings.extend(more.findings);
        merge::sort(judgement, &self.sources);
    }

    /// The silencers that manifests hold.
    fn silencers(&self) -> Silencers {
        let mut silencers = Silencers::default();
        for file in &self.loaded.files {
            if memchr::memmem::find(file.source.text.as_bytes(), b"meshgov:").is_none() {
                continue;
            }
            for comment in &file.comments {
                if let Some(found) = suppress::of_comment(&file.source, *comment) {
                    silencers.add(found);
                }
            }
        }
        for resource in &self.loaded.resources {
            let object = resource.object();
            if object
                .at(&["metadata", "annotations", suppress::ANNOTATION])
                .is_some()
            {
                suppress::of_annotation(object, &self.keys(resource.id))
                    .for_each(|found| silencers.add(found));
            }
        }
        silencers
    }

    /// An object as findings name it, in each view that has it.
    fn keys(&self, id: ResourceId) -> Vec<(String, ObjectRef)> {
        self.views
            .iter()
            .flat_map(|view| view.members.iter().map(move |m| (view, m)))
            .filter(|(_, member)| member.resource.id == id)
            .map(|(view, member)| {
                let own = crate::evaluate::draft::identity(&member.resource);
                let object = ObjectRef {
                    namespace: member.namespace.as_str().to_owned(),
                    ..own
                };
                (view.name.clone(), object)
            })
            .collect()
    }
}
