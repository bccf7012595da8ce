//! Scores of plain workloads. Input: pod templates; output: class, score and the evidence for it. One file a signal; weights are data.
//!
//! Independent signals add up by noisy-or: score = 1 − Π(1 − weight), with one vote per signal and class, the strongest. The weights are
//! set so that an image or a start command alone makes an asset, an accelerator alone does not.

mod accelerator;
mod command;
mod environment;
mod host;
mod image;
mod infrastructure;
mod label;
mod mount;
mod patterns;
mod port;

pub use environment::is_credential;
pub use mount::is_weights_path;

use crate::asset::class::Class;
use crate::pods::{PodTemplate, Shape};
use crate::source::Span;
use crate::yaml::NodeRef;

/// Where a vote comes from; votes of different signals are taken to be independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Signal {
    /// The kind itself.
    Kind,
    /// A container image.
    Image,
    /// Command and arguments.
    Command,
    /// An environment variable that configures a provider.
    Provider,
    /// An environment variable with a token for a model hub or tool.
    Hub,
    /// An environment variable that configures a model server.
    Serving,
    /// The host of a provider in an argument or variable.
    Host,
    /// A device resource or runtime class.
    Accelerator,
    /// A claim of a device by dynamic resource allocation.
    Claim,
    /// A container port.
    Port,
    /// A mount path.
    Mount,
    /// A label that only AI controllers set.
    LabelKey,
    /// A label value.
    LabelValue,
    /// The object's name.
    Name,
}

impl Signal {
    /// The word used in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Image => "image",
            Self::Command => "command",
            Self::Provider => "provider-env",
            Self::Hub => "hub-env",
            Self::Serving => "serving-env",
            Self::Host => "provider-host",
            Self::Accelerator => "accelerator",
            Self::Claim => "device-claim",
            Self::Port => "port",
            Self::Mount => "mount",
            Self::LabelKey => "label-key",
            Self::LabelValue => "label-value",
            Self::Name => "name",
        }
    }
}

/// A vote for a class with the bytes that cast it.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// Signal.
    pub signal: Signal,
    /// Class voted for.
    pub class: Class,
    /// Weight, 0 to 1.
    pub weight: f64,
    /// What was seen, in words: `image vllm/vllm-openai is vllm`.
    pub what: String,
    /// Where.
    pub span: Span,
}

/// What the votes add up to.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The class.
    pub class: Class,
    /// 0 to 1.
    pub score: f64,
    /// The product behind the strongest image or command vote of the class; empty when none names one.
    pub product: &'static str,
    /// Votes for any class, in the order they were cast.
    pub evidence: Vec<Evidence>,
}

/// The votes cast so far.
#[derive(Debug, Default)]
struct Ballot {
    votes: Vec<(Evidence, &'static str)>,
}

impl Ballot {
    /// Casts a vote; of one signal and class only the strongest stays.
    fn add(&mut self, vote: Vote, what: impl FnOnce() -> String, node: NodeRef<'_>) {
        let same = |(e, _): &&mut (Evidence, &'static str)| {
            e.signal == vote.signal && e.class == vote.class
        };
        let known = self.votes.iter_mut().find(same);
        if known.as_ref().is_some_and(|(e, _)| e.weight >= vote.weight) {
            return;
        }
        let evidence = Evidence {
            signal: vote.signal,
            class: vote.class,
            weight: vote.weight,
            what: what(),
            span: node.span(),
        };
        match known {
            Some(slot) => *slot = (evidence, vote.product),
            None => self.votes.push((evidence, vote.product)),
        }
    }

    /// Casts a vote for a model server of no product in particular.
    fn add_server(
        &mut self,
        signal: Signal,
        weight: f64,
        what: impl FnOnce() -> String,
        node: NodeRef<'_>,
    ) {
        let vote = Vote {
            signal,
            class: Class::ModelServer,
            weight,
            product: "",
        };
        self.add(vote, what, node);
    }

    fn of(&self, class: Class) -> impl Iterator<Item = &(Evidence, &'static str)> {
        self.votes.iter().filter(move |(e, _)| e.class == class)
    }

    fn score(&self, class: Class) -> f64 {
        1.0 - self.of(class).map(|(e, _)| 1.0 - e.weight).product::<f64>()
    }

    /// Whether an image or a command speaks for the class.
    fn is_named(&self, class: Class) -> bool {
        self.of(class)
            .any(|(e, _)| matches!(e.signal, Signal::Image | Signal::Command))
    }

    /// The class with the highest score; a class that image or command names beats a model server that only devices, mounts or
    /// variables suggest.
    fn winner(&self) -> Option<(Class, f64)> {
        let strongest = |classes: &mut dyn Iterator<Item = Class>| {
            let mut best: Option<(Class, f64)> = None;
            for class in classes {
                let score = self.score(class);
                if best.is_none_or(|(_, known)| score > known) {
                    best = Some((class, score));
                }
            }
            best
        };
        let voted = || self.votes.iter().map(|(e, _)| e.class);
        if !self.is_named(Class::ModelServer) {
            let mut specific = voted().filter(|&class| {
                !matches!(class, Class::ModelServer | Class::LlmClient)
                    && self.is_named(class)
                    && self.score(class) >= SPECIFIC
            });
            if let Some(found) = strongest(&mut specific) {
                return Some(found);
            }
        }
        strongest(&mut voted())
    }
}

/// A vote without its words.
#[derive(Clone, Copy)]
struct Vote {
    signal: Signal,
    class: Class,
    weight: f64,
    product: &'static str,
}

/// Score from which a named class beats generic evidence for a model server.
const SPECIFIC: f64 = 0.75;

/// A DaemonSet is rather an agent of the platform than a workload.
const DAEMON_SET: f64 = 0.5;

/// Scores an object by its pods; `None` when nothing votes.
#[must_use]
pub fn verdict(object: NodeRef<'_>, templates: &[PodTemplate<'_>]) -> Option<Verdict> {
    if templates.is_empty() {
        return None;
    }
    let mut ballot = Ballot::default();
    for template in templates {
        read_template(object, template, &mut ballot);
    }
    if ballot.votes.is_empty() {
        return None;
    }
    label::read_name(object, &mut ballot);
    let (named, mut score) = ballot.winner()?;
    let class = if runs_to_its_end(object) && named == Class::ModelServer && !ballot.is_named(named)
    {
        // It fetches or makes weights; what serves does not end.
        Class::Pipeline
    } else {
        named
    };
    if object.get("kind").and_then(NodeRef::as_str) == Some("DaemonSet") {
        score *= DAEMON_SET;
    }
    score *= infrastructure::factor_of_name(name_of(object));
    let product = ballot
        .of(named)
        .filter(|(_, product)| !product.is_empty())
        .max_by(|(a, _), (b, _)| a.weight.total_cmp(&b.weight))
        .map_or("", |(_, product)| product);
    Some(Verdict {
        class,
        score,
        product,
        evidence: ballot.votes.into_iter().map(|(e, _)| e).collect(),
    })
}

fn runs_to_its_end(object: NodeRef<'_>) -> bool {
    let kind = object.get("kind").and_then(NodeRef::as_str);
    matches!(kind, Some("Job" | "CronJob" | "JobSet"))
}

/// `metadata.name`; the empty text when it is no string.
fn name_of(object: NodeRef<'_>) -> &str {
    let name = object.at(&["metadata", "name"]);
    name.and_then(NodeRef::as_str).unwrap_or("")
}

fn read_template(object: NodeRef<'_>, template: &PodTemplate<'_>, ballot: &mut Ballot) {
    let waypoint = label::is_mesh_gateway(object, template);
    for container in template.containers().map(|c| c.node) {
        let factor = infrastructure::factor_of_container(container);
        if !waypoint {
            image::read(container, factor, ballot);
        }
        command::read(container, factor, ballot);
        environment::read(container, ballot);
        accelerator::read(container, ballot);
        port::read(container, ballot);
        mount::read(container, ballot);
    }
    if template.shape != Shape::Container {
        accelerator::read_pod(template.spec, ballot);
    }
    label::read(template, ballot);
}

/// The image of a container without tag and digest, with the node that holds it. Some operators split it into fields.
#[must_use]
pub fn image_name<'t>(container: NodeRef<'t>) -> Option<(&'t str, NodeRef<'t>)> {
    let node = container.get("image")?;
    let node = node
        .get("repository")
        .or_else(|| node.get("name"))
        .unwrap_or(node);
    let text = node.as_str()?;
    let text = text.split('@').next().unwrap_or(text);
    let folder = text.rfind('/').map_or(0, |at| at + 1);
    let end = text
        .get(folder..)?
        .find(':')
        .map_or(text.len(), |at| folder + at);
    Some((text.get(..end)?, node))
}

/// Command and arguments of a container as one line, with the node to point at.
#[must_use]
pub fn command_line<'t>(container: NodeRef<'t>) -> Option<(String, NodeRef<'t>)> {
    let mut line = String::new();
    let mut first = None;
    for field in ["command", "cmd", "args"] {
        let Some(node) = container.get(field) else {
            continue;
        };
        let mut add = |text: &str| {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(text);
        };
        if node.is_seq() {
            node.items().for_each(|item| add(item.text()));
        } else {
            add(node.text());
        }
        first.get_or_insert(node);
    }
    first.map(|node| (line, node))
}

/// A variable of a container.
#[derive(Clone, Copy, Debug)]
pub struct Variable<'t> {
    /// Its name.
    pub name: &'t str,
    /// The node that names it.
    pub node: NodeRef<'t>,
    /// `value`, when set literally.
    pub value: Option<NodeRef<'t>>,
    /// `valueFrom`, when set from elsewhere.
    pub from: Option<NodeRef<'t>>,
}

/// Variables of a container: a list of entries, or a map of texts as kmcp has it.
pub fn variables<'t>(container: NodeRef<'t>) -> impl Iterator<Item = Variable<'t>> + use<'t> {
    let env = container.get("env");
    let listed = env
        .into_iter()
        .flat_map(NodeRef::items)
        .filter_map(|entry| {
            let node = entry.get("name")?;
            Some(Variable {
                name: node.as_str()?,
                node,
                value: entry.get("value"),
                from: entry.get("valueFrom"),
            })
        });
    let mapped = env
        .into_iter()
        .filter(|env| env.is_map())
        .flat_map(NodeRef::entries)
        .filter_map(|(key, value)| {
            Some(Variable {
                name: key.as_str()?,
                node: key,
                value: Some(value),
                from: None,
            })
        });
    listed.chain(mapped)
}
