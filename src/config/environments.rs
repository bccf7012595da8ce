//! L5: `environments:` of the config. Input: one entry; output: `Environments`: what an application consists of, which environments are
//! production, and which differences between them are meant.

use crate::config::ignores::{ObjectPattern, is_date};
use crate::shape::{Problem, nearest};
use crate::source::Span;
use crate::yaml::NodeRef;

/// What the config says of one application.
#[derive(Clone, Debug, Default)]
pub struct Environments {
    /// The application: any name where `views` are given, else as convention names it.
    pub name: String,
    /// Environments with their views or paths; none = those found by convention.
    pub views: Vec<(String, Vec<String>)>,
    /// Which are production; `None` = those whose names say so.
    pub production: Option<Vec<String>>,
    /// Differences that are meant.
    pub differences: Vec<Intended>,
}

/// A difference that is meant.
#[derive(Clone, Debug)]
pub struct Intended {
    /// Which fact differs; `None` = any.
    pub fact: Option<String>,
    object: Option<ObjectPattern>,
    /// Environments it holds between; empty = all.
    environments: Vec<String>,
    /// Why.
    pub reason: String,
    /// Last day it holds, `YYYY-MM-DD`.
    pub until: Option<String>,
    /// The entry in the config.
    pub span: Span,
}

/// A difference as an entry sees it.
#[derive(Clone, Copy, Debug)]
pub struct Differs<'d> {
    /// The fact.
    pub fact: &'d str,
    /// Kind, namespace and name of the object in production.
    pub object: (&'d str, &'d str, &'d str),
    /// The two environments.
    pub between: (&'d str, &'d str),
}

impl Intended {
    /// Whether the entry covers a difference.
    #[must_use]
    pub fn covers(&self, differs: Differs<'_>) -> bool {
        let (kind, namespace, name) = differs.object;
        let is_named = |environment: &str| {
            self.environments.is_empty() || self.environments.iter().any(|e| e == environment)
        };
        self.fact.as_ref().is_none_or(|f| f == differs.fact)
            && self
                .object
                .as_ref()
                .is_none_or(|o| o.covers(kind, namespace, name))
            && is_named(differs.between.0)
            && is_named(differs.between.1)
    }

    /// Whether it no longer holds on a day.
    #[must_use]
    pub fn is_expired(&self, today: &str) -> bool {
        self.until.as_deref().is_some_and(|until| until < today)
    }
}

/// Facts that environments are compared in.
pub const FACTS: &[&str] = &[
    "membership",
    "transport",
    "access",
    "client",
    "egress",
    "exposure",
    "grade",
];

/// Reads one entry, already of the right shape.
pub(crate) fn read(
    name: NodeRef<'_>,
    node: NodeRef<'_>,
    problems: &mut Vec<Problem>,
) -> Environments {
    let views = node.get("views").into_iter().flat_map(NodeRef::entries);
    let mut found = Environments {
        name: name.key_text().into_owned(),
        views: views
            .map(|(name, paths)| (name.key_text().into_owned(), texts(paths)))
            .collect(),
        production: node.get("production").map(texts),
        differences: Vec::new(),
    };
    let known: Vec<&str> = found.views.iter().map(|(name, _)| name.as_str()).collect();
    for (_, paths) in node.get("views").into_iter().flat_map(NodeRef::entries) {
        if paths.is_empty() {
            let problem = Problem::at(paths, "the environment has no view and no path");
            problems.push(problem.help("write `[overlays/prod]`"));
        }
    }
    let listed = node.get("production").into_iter().flat_map(NodeRef::items);
    let entries = || {
        let list = node.get("differences");
        list.into_iter().flat_map(NodeRef::items)
    };
    let more = entries().filter_map(|entry| entry.get("environments"));
    let named = listed.chain(more.flat_map(NodeRef::items));
    // Which environments convention finds is known once the tree is read.
    for environment in named.filter(|_| !known.is_empty()) {
        let text = environment.text();
        if !known.contains(&text) {
            let problem = Problem::at(environment, format!("no environment is called `{text}`"));
            problems.push(match nearest(text, known.iter().copied()) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem.help(format!("one of {}", known.join(", "))),
            });
        }
    }
    found.differences = entries()
        .filter_map(|entry| intended(entry, problems))
        .collect();
    found
}

fn intended(node: NodeRef<'_>, problems: &mut Vec<Problem>) -> Option<Intended> {
    let before = problems.len();
    let text = |name: &str| node.get(name).map(|n| n.text().to_owned());
    if node.get("fact").is_none() && node.get("object").is_none() {
        let problem = Problem::at(node, "the entry covers every difference");
        problems.push(problem.help("name a `fact` or an `object`"));
    }
    if let Some(empty) = node.get("reason").filter(|r| r.text().trim().is_empty()) {
        problems.push(Problem::at(empty, "the reason is empty"));
    }
    if let Some(until) = node.get("until").filter(|u| !is_date(u.text())) {
        let problem = Problem::at(until, format!("`{}` is no date", until.text()));
        problems.push(problem.help("write YYYY-MM-DD"));
    }
    (problems.len() == before).then(|| Intended {
        fact: text("fact"),
        object: text("object").map(|o| ObjectPattern::read(&o)),
        environments: node.get("environments").map(texts).unwrap_or_default(),
        reason: text("reason").unwrap_or_default(),
        until: text("until"),
        span: node.span(),
    })
}

fn texts(node: NodeRef<'_>) -> Vec<String> {
    node.items().map(|n| n.text().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn problems(entry: &str) -> Vec<String> {
        let text = format!("version: 1\nenvironments:\n  shop: {entry}\n");
        let problems = Config::parse("c", &text).unwrap_err();
        let line = |p: &Problem| format!("{p} | {}", p.help.as_deref().unwrap_or(""));
        problems.iter().map(line).collect()
    }

    fn entry(text: &str) -> Intended {
        let text = format!("version: 1\nenvironments:\n  shop:\n    differences:\n    - {text}\n");
        let mut config = Config::parse("c", &text).unwrap();
        config.environments.remove(0).differences.remove(0)
    }

    #[test]
    fn an_entry_covers_what_it_names() {
        let differs = |fact, object, between| Differs {
            fact,
            object,
            between,
        };
        let object = ("Deployment", "chat", "front");
        let one = entry(
            "{fact: transport, object: 'Deployment:chat/*', environments: [prod, dev], reason: r}",
        );
        assert!(one.covers(differs("transport", object, ("prod", "dev"))));
        assert!(!one.covers(differs("access", object, ("prod", "dev"))));
        assert!(!one.covers(differs("transport", object, ("prod", "qa"))));
        assert!(!one.covers(differs(
            "transport",
            ("Deployment", "ml", "front"),
            ("prod", "dev")
        )));
        let day = entry("{fact: access, reason: r, until: 2027-03-31}");
        assert!(!day.is_expired("2027-03-31") && day.is_expired("2027-04-01"));
    }

    #[test]
    fn slips_are_refused_with_their_place() {
        assert_eq!(
            problems("{differences: [{reason: r}, {fact: acces, reason: r}]}")[0],
            "c:3:44: `acces` is not one of `membership`, `transport`, `access`, `client`, `egress`, `exposure`, `grade` | did you mean `access`?"
        );
        assert_eq!(
            problems("{views: {prod: [a], dev: [b]}, production: [prdo]}"),
            ["c:3:53: no environment is called `prdo` | did you mean `prod`?"]
        );
        assert_eq!(
            problems("{differences: [{reason: r}]}"),
            ["c:3:24: the entry covers every difference | name a `fact` or an `object`"]
        );
        assert_eq!(
            problems("{difference: []}"),
            ["c:3:10: unknown key `difference` | did you mean `differences`?"]
        );
        assert_eq!(
            problems("{views: {prod: []}, differences: [{fact: access, reason: '', until: soon}]}"),
            [
                "c:3:24: the environment has no view and no path | write `[overlays/prod]`",
                "c:3:66: the reason is empty | ",
                "c:3:77: `soon` is no date | write YYYY-MM-DD",
            ]
        );
    }
}
