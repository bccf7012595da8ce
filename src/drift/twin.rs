//! Which object of one environment is which of another. Input: two views and what their environments are called; output: `Twins`: pairs, those
//! that nobody can tell apart, and `Words`: what names of the one read as in the other.
//!
//! Signs in order: built from the same document; same kind, namespace and name; the same without the environment's own word. A sign
//! counts when exactly one object of each side has it. Two that fit one stay apart.

mod read_as;
mod words;

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::pods;
use crate::source::Span;
use crate::view::environments::names::Tokens;
use crate::view::{Member, View};

pub use read_as::read_as;
pub use words::Words;

/// One of the two sides.
#[derive(Clone, Copy, Debug)]
pub struct Side<'v> {
    /// What is applied there.
    pub view: &'v View,
    /// How the environment is called in names.
    pub tokens: &'v Tokens,
}

/// Objects of two environments that are the same.
#[derive(Debug, Default)]
pub struct Twins {
    /// Positions in the two views.
    pub pairs: Vec<(usize, usize)>,
    /// Positions in the first view of objects that fit one of the second as well as others do.
    pub apart: Vec<usize>,
    /// The same of the second.
    pub apart_there: Vec<usize>,
    /// What names of the first view are in the second.
    pub words: Words,
}

impl Twins {
    /// Pairs the objects of two environments.
    #[must_use]
    pub fn of(here: Side<'_>, there: Side<'_>) -> Self {
        let mut open = Open::new(here.view, there.view);
        open.pair(|side, member| Some(Sign::Document(kind_span(side, member)?)));
        open.pair(|_, member| Some(Sign::Name(identity(member))));
        let tokens = [here.tokens, there.tokens];
        open.pair_or_apart(|side, member| {
            let name = |text: &str| {
                let tokens = tokens.get(side)?;
                tokens.without(text)
            };
            let (kind, namespace, own) = identity(member);
            let (place, called) = (name(&namespace), name(&own));
            (place.is_some() || called.is_some())
                .then(|| Sign::Name((kind, place.unwrap_or(namespace), called.unwrap_or(own))))
        });
        // What runs, and what stands before it, is the same in another namespace when there is no second of the name.
        open.pair(|_, member| {
            let counts =
                pods::template(&member.resource).is_some() || member.resource.is("", "Service");
            let (kind, _, name) = identity(member);
            counts.then_some(Sign::Name((kind, String::new(), name)))
        });
        let Open { pairs, apart, .. } = open;
        let words = Words::of(here, there, &pairs);
        let [apart, apart_there] = apart;
        Self {
            pairs,
            apart,
            apart_there,
            words,
        }
    }
}

type Identity = (String, String, String);

fn identity(member: &Member) -> Identity {
    let resource = &member.resource;
    (
        format!("{}/{}", resource.group(), resource.kind()),
        member.namespace.as_str().to_owned(),
        resource.name.clone(),
    )
}

/// The place of `kind:` tells the document that an object was built from: no patch and no transformer moves it.
fn kind_span(_side: usize, member: &Member) -> Option<(String, Span)> {
    let kind = member.resource.object().get("kind")?;
    (!member.resource.is_made()).then(|| (member.resource.kind().to_owned(), kind.span()))
}

/// What two objects have in common when they are the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Sign {
    Document((String, Span)),
    Name(Identity),
}

/// Objects that have no partner yet.
struct Open<'v> {
    views: [&'v View; 2],
    left: [Vec<usize>; 2],
    pairs: Vec<(usize, usize)>,
    apart: [Vec<usize>; 2],
}

impl<'v> Open<'v> {
    fn new(here: &'v View, there: &'v View) -> Self {
        Self {
            left: [
                (0..here.members.len()).collect(),
                (0..there.members.len()).collect(),
            ],
            views: [here, there],
            pairs: Vec::new(),
            apart: [Vec::new(), Vec::new()],
        }
    }

    /// Pairs what is left by a sign that one object of each side has.
    fn pair(&mut self, sign: impl Fn(usize, &Member) -> Option<Sign>) {
        self.by_sign(sign, false);
    }

    /// The same; several that have one sign on both sides are told apart by nobody.
    fn pair_or_apart(&mut self, sign: impl Fn(usize, &Member) -> Option<Sign>) {
        self.by_sign(sign, true);
    }

    fn by_sign(&mut self, sign: impl Fn(usize, &Member) -> Option<Sign>, notes: bool) {
        let mut signs: HashMap<Sign, [Vec<usize>; 2]> = HashMap::new();
        for (side, (view, left)) in self.views.iter().zip(&self.left).enumerate() {
            for &at in left {
                let sign = view.members.get(at).and_then(|m| sign(side, m));
                if let Some(list) = sign.and_then(|s| signs.entry(s).or_default().get_mut(side)) {
                    list.push(at);
                }
            }
        }
        let mut found: Vec<(usize, usize)> = Vec::new();
        let mut unclear: [Vec<usize>; 2] = [Vec::new(), Vec::new()];
        for [here, there] in signs.into_values() {
            match (here.as_slice(), there.as_slice()) {
                ([one], [other]) => found.push((*one, *other)),
                ([], _) | (_, []) => {}
                _ if notes => {
                    for (list, more) in unclear.iter_mut().zip([here, there]) {
                        list.extend(more);
                    }
                }
                _ => {}
            }
        }
        found.sort_unstable();
        let taken: [HashSet<usize>; 2] = [
            found.iter().map(|(here, _)| *here).collect(),
            found.iter().map(|(_, there)| *there).collect(),
        ];
        for ((left, taken), (apart, mut unclear)) in self
            .left
            .iter_mut()
            .zip(&taken)
            .zip(self.apart.iter_mut().zip(unclear))
        {
            unclear.sort_unstable();
            left.retain(|at| !taken.contains(at) && !unclear.contains(at));
            apart.extend(unclear);
        }
        self.pairs.extend(found);
    }
}

/// Pairs of words that all who vote agree on, in both directions.
#[derive(Debug, Default)]
struct Votes {
    there: BTreeMap<String, Option<String>>,
    back: BTreeMap<String, Option<String>>,
}

impl Votes {
    fn add(&mut self, here: &str, there: &str) {
        for (votes, from, to) in [
            (&mut self.there, here, there),
            (&mut self.back, there, here),
        ] {
            votes
                .entry(from.to_owned())
                .and_modify(|known| {
                    if known.as_deref() != Some(to) {
                        *known = None;
                    }
                })
                .or_insert_with(|| Some(to.to_owned()));
        }
    }

    /// What everybody agrees on, without what stays as it is.
    fn agreed(&self) -> BTreeMap<String, String> {
        let agreed = self.there.iter().filter_map(|(from, to)| {
            let to = to.as_ref()?;
            let back = self.back.get(to)?.as_ref()?;
            (back == from && from != to).then(|| (from.clone(), to.clone()))
        });
        agreed.collect()
    }
}
