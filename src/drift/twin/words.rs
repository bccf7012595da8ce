//! What names of one environment are in another. Input: two views and pairs of their objects; output: `Words`, which read a text of the one in
//! the other's names.

use std::collections::{BTreeMap, BTreeSet};

use crate::drift::twin::{Side, Votes};
use crate::view::Namespace;
use crate::yaml::NodeRef;

/// Names of one environment with those of another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Namespaces.
    pub namespaces: BTreeMap<String, String>,
    /// Objects by kind and name.
    pub names: BTreeMap<(String, String), String>,
    /// Whole words that hold the environment's own, wherever they stand.
    pub words: BTreeMap<String, String>,
}

/// Where a text stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place<'t> {
    /// Its key, or that of its list.
    pub(super) key: &'t str,
    /// The key of the mapping that holds it.
    pub(super) parent: &'t str,
    /// `kind:` beside it.
    pub(super) kind: Option<&'t str>,
    /// `key:` beside it: the attribute of a condition.
    pub(super) attribute: Option<&'t str>,
}

/// Longer texts are no names: scripts, certificates.
const MAX_BYTES: usize = 512;

impl Words {
    /// Learns them from pairs, and from words that are the same without the environment's own.
    pub(super) fn of(here: Side<'_>, there: Side<'_>, pairs: &[(usize, usize)]) -> Self {
        let (mut namespaces, mut names) = (Votes::default(), BTreeMap::<&str, Votes>::new());
        for &(one, other) in pairs {
            let sides = (here.view.members.get(one), there.view.members.get(other));
            let (Some(one), Some(other)) = sides else {
                continue;
            };
            if let (Namespace::Named(from), Namespace::Named(to)) =
                (&one.namespace, &other.namespace)
            {
                namespaces.add(from, to);
            }
            let (from, to) = (&one.resource.name, &other.resource.name);
            if one.resource.is("", "Namespace") {
                namespaces.add(from, to);
            }
            names.entry(one.resource.kind()).or_default().add(from, to);
        }
        let mut found = Self {
            namespaces: namespaces.agreed(),
            ..Self::default()
        };
        for (kind, votes) in names {
            for (from, to) in votes.agreed() {
                found.names.insert((kind.to_owned(), from), to);
            }
        }
        found.words = alike(here, there);
        found
    }

    /// Whether every text reads the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.namespaces.is_empty() && self.names.is_empty() && self.words.is_empty()
    }

    /// A name of an object of a kind.
    pub(super) fn name(&self, kind: &str, name: &str) -> Option<&str> {
        let own = self.names.get(&(kind.to_owned(), name.to_owned()));
        own.or_else(|| self.words.get(name)).map(String::as_str)
    }

    /// A namespace.
    #[must_use]
    pub fn namespace(&self, name: &str) -> Option<&str> {
        let own = self.namespaces.get(name).or_else(|| self.words.get(name));
        own.map(String::as_str)
    }

    /// A text in the other environment's names; `None` when it reads the same.
    pub(super) fn text(&self, text: &str, place: Place<'_>) -> Option<String> {
        if text.len() > MAX_BYTES {
            return None;
        }
        let mut read = String::with_capacity(text.len());
        let mut before: Option<&str> = None;
        let mut rest = text;
        let mut differs = false;
        while !rest.is_empty() {
            let end = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at_checked(end)?;
            let meaning = meaning(text, word, before, after, place);
            match self.one(word, meaning) {
                Some(other) => {
                    differs = true;
                    read.push_str(other);
                }
                None => read.push_str(word),
            }
            before = Some(word);
            let mut letters = after.chars();
            read.extend(letters.next());
            rest = letters.as_str();
        }
        differs.then_some(read)
    }

    fn one(&self, word: &str, meaning: Meaning<'_>) -> Option<&str> {
        match meaning {
            Meaning::Namespace => self.namespace(word),
            Meaning::Name(kind) => self.name(kind, word),
            Meaning::Word => self.words.get(word).map(String::as_str),
        }
    }
}

/// What a word of a text names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning<'t> {
    Namespace,
    Name(&'t str),
    Word,
}

fn meaning<'t>(
    text: &str,
    word: &str,
    before: Option<&str>,
    after: &str,
    place: Place<'t>,
) -> Meaning<'t> {
    // `cluster.local/ns/chat/sa/front`, `front.chat.svc.cluster.local`.
    match before {
        Some("ns") if text.contains("ns/") => return Meaning::Namespace,
        Some("sa") if text.contains("/sa/") => return Meaning::Name("ServiceAccount"),
        _ => {}
    }
    let label =
        |text: &str, number: usize| text.split(['.', ':', '/']).nth(number).map(str::to_owned);
    if label(after, 1).as_deref() == Some("svc") {
        return Meaning::Namespace;
    }
    if label(after, 2).as_deref() == Some("svc") {
        return Meaning::Name("Service");
    }
    let is_whole = word.len() == text.len();
    match place.key {
        "namespace"
        | "namespaces"
        | "notNamespaces"
        | "exportTo"
        | "kubernetes.io/metadata.name" => Meaning::Namespace,
        "values" if place.attribute == Some("source.namespace") => Meaning::Namespace,
        "values" if place.attribute == Some("kubernetes.io/metadata.name") => Meaning::Namespace,
        "serviceAccountName" | "serviceAccount" => Meaning::Name("ServiceAccount"),
        "serviceAccounts" | "notServiceAccounts" => match after.starts_with('/') {
            true => Meaning::Namespace,
            false => Meaning::Name("ServiceAccount"),
        },
        "gateways" => match after.starts_with('/') {
            true => Meaning::Namespace,
            false => Meaning::Name("Gateway"),
        },
        // `front` and `front.chat` are Services of the mesh's own; `chat/*` belongs to a Sidecar.
        "host" | "hosts" => match (before, after) {
            (None, "") => Meaning::Name("Service"),
            (None, rest) if rest.starts_with('/') => Meaning::Namespace,
            (None, rest) if !rest.get(1..).unwrap_or_default().contains('.') => {
                Meaning::Name("Service")
            }
            (Some(_), "") if text.split('.').count() == 2 => Meaning::Namespace,
            _ => Meaning::Word,
        },
        "name" if is_whole => match (place.kind, place.parent) {
            (Some(kind), parent) if refers(parent) => Meaning::Name(kind),
            (None, "service" | "backend" | "backendRefs" | "backendRef") => {
                Meaning::Name("Service")
            }
            (None, "parentRefs" | "parentRef") => Meaning::Name("Gateway"),
            _ => Meaning::Word,
        },
        "serviceName" => Meaning::Name("Service"),
        _ => Meaning::Word,
    }
}

fn refers(parent: &str) -> bool {
    parent.ends_with("Ref") || parent.ends_with("Refs") || parent == "subjects"
}

fn is_of_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_')
}

/// Words that are the same without the environment's own, where one of each side is; a word that both sides use is what it is.
fn alike(here: Side<'_>, there: Side<'_>) -> BTreeMap<String, String> {
    let (own, other) = (spoken(here), spoken(there));
    let by_rest = |words: &BTreeSet<String>, side: Side<'_>, not: &BTreeSet<String>| {
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for word in words.difference(not) {
            if let Some(rest) = side.tokens.without(word) {
                found.entry(rest).or_default().push(word.clone());
            }
        }
        found
    };
    let mut targets = by_rest(&other, there, &own);
    let sources = by_rest(&own, here, &other);
    let pairs = sources.into_iter().filter_map(|(rest, from)| {
        let to = targets.remove(&rest)?;
        match (from.as_slice(), to.as_slice()) {
            ([from], [to]) => Some((from.clone(), to.clone())),
            _ => None,
        }
    });
    pairs.collect()
}

/// All words of a view.
fn spoken(side: Side<'_>) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for member in &side.view.members {
        collect(member.resource.object(), &mut words);
    }
    words
}

fn collect(node: NodeRef<'_>, words: &mut BTreeSet<String>) {
    if node.is_map() {
        node.entries().for_each(|(_, value)| collect(value, words));
    } else if node.is_seq() {
        node.items().for_each(|item| collect(item, words));
    } else if let Some(text) = node.as_str().filter(|text| text.len() <= MAX_BYTES) {
        for word in text.split(|c| !is_of_word(c)) {
            if !word.is_empty() && !words.contains(word) {
                words.insert(word.to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Words {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let name = |kind: &str, a: &str, b: &str| ((kind.to_owned(), a.to_owned()), b.to_owned());
        Words {
            namespaces: [pair("alpha", "omega")].into(),
            names: [
                name("ServiceAccount", "front", "live-front"),
                name("Service", "llm", "live-llm"),
                name("Gateway", "edge", "live-edge"),
            ]
            .into(),
            words: [pair("db-staging", "db-prod")].into(),
        }
    }

    fn read(key: &str, text: &str) -> String {
        let place = Place {
            key,
            ..Place::default()
        };
        words().text(text, place).unwrap_or_else(|| text.to_owned())
    }

    #[test]
    fn a_word_is_read_for_what_it_names() {
        let principal = "cluster.local/ns/alpha/sa/front";
        assert_eq!(
            read("principals", principal),
            "cluster.local/ns/omega/sa/live-front"
        );
        assert_eq!(read("principals", "*/ns/alpha/sa/*"), "*/ns/omega/sa/*");
        assert_eq!(read("host", "llm"), "live-llm");
        assert_eq!(read("host", "llm.alpha"), "live-llm.omega");
        assert_eq!(
            read("value", "http://llm.alpha.svc:80/a"),
            "http://live-llm.omega.svc:80/a"
        );
        assert_eq!(read("hosts", "alpha/*"), "omega/*");
        assert_eq!(read("gateways", "alpha/edge"), "omega/live-edge");
        assert_eq!(read("namespaces", "alpha"), "omega");
        assert_eq!(read("serviceAccounts", "alpha/front"), "omega/live-front");
    }

    #[test]
    fn the_same_letters_elsewhere_stay() {
        for (key, text) in [
            ("app", "front"),
            ("image", "alpha/llm:1"),
            ("host", "llm.example.com"),
            ("name", "llm"),
        ] {
            assert_eq!(read(key, text), text, "{key}");
        }
        // The environment's own word tells by itself.
        assert_eq!(read("app", "db-staging"), "db-prod");
        assert_eq!(read("app", "my-db-staging"), "my-db-staging");
    }
}
