//! L3: which words name an environment. Input: paths of views, words of manifests; output: the stage that a word names, and what is left
//! of a name without it.

/// How near to production an environment is; production is the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Stage(usize);

impl Stage {
    /// Production itself.
    pub const PRODUCTION: Self = Self(0);
    /// A name that tells nothing.
    pub const UNKNOWN: Self = Self(usize::MAX);
}

/// Words for one stage each, from production to the farthest from it.
const STAGES: &[&[&str]] = &[
    &["production", "prod", "prd", "live"],
    &[
        "preprod",
        "preproduction",
        "preprd",
        "pre-prod",
        "pre-production",
    ],
    &["staging", "stage", "stg"],
    &["uat", "acceptance"],
    &["nonprod", "nonproduction", "non-prod", "non-production"],
    &["qa"],
    &["integration", "sit"],
    &["perf", "performance"],
    &["test", "testing", "tst"],
    &["demo"],
    &["preview"],
    &["dev", "development", "devel", "develop"],
    &["sandbox", "sbx"],
    &["local"],
];

/// Folders that hold environments.
const HOLDERS: &[&str] = &[
    "overlays",
    "overlay",
    "environments",
    "environment",
    "envs",
    "env",
    "stages",
    "clusters",
];

/// The stage that a whole name, or one word at its beginning or end, tells: `prod`, `prod-eu`, `eu-staging`.
#[must_use]
pub fn stage(name: &str) -> Option<Stage> {
    named(name).map(|found| found.stage)
}

/// A name with the word for its stage.
struct Named {
    stage: Stage,
    /// The name with `*` for the word.
    pattern: String,
}

fn is_separator(letter: char) -> bool {
    matches!(letter, '-' | '_' | '.')
}

fn stage_of_word(word: &str) -> Option<Stage> {
    let at = STAGES.iter().position(|words| words.contains(&word))?;
    Some(Stage(at))
}

/// The parts of a name, `pre-prod` and `non-prod` as one.
fn parts(name: &str) -> Vec<&str> {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    let mut start = 0;
    for part in name.split(is_separator) {
        let end = start + part.len();
        let before = ranges.last_mut().filter(|(from, to)| {
            matches!(name.get(*from..*to), Some("pre" | "non"))
                && stage_of_word(part) == Some(Stage::PRODUCTION)
        });
        match before {
            Some((_, to)) => *to = end,
            None => ranges.push((start, end)),
        }
        // Every separator is one byte long.
        start = end + 1;
    }
    let part = |(start, end): (usize, usize)| name.get(start..end).unwrap_or_default();
    ranges.into_iter().map(part).collect()
}

fn named(name: &str) -> Option<Named> {
    let parts = parts(name);
    let stages: Vec<Option<Stage>> = parts.iter().map(|p| stage_of_word(p)).collect();
    let mut told = stages
        .iter()
        .enumerate()
        .filter_map(|(at, s)| Some((at, (*s)?)));
    let (at, stage) = told.next()?;
    // `prod-test` is either: nobody can tell.
    if told.next().is_some() || (at != 0 && at + 1 != parts.len()) {
        return None;
    }
    let word = parts.get(at)?;
    let pattern = match at {
        0 => format!("*{}", name.get(word.len()..)?),
        _ => format!("{}*", name.get(..name.len() - word.len())?),
    };
    Some(Named { stage, pattern })
}

/// Where the environment stands in the name of a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The part of the path: `prod-eu`.
    pub(super) part: String,
    /// The stage that it tells.
    pub(super) stage: Stage,
    /// The path with `*` for the part.
    pub(super) path: String,
    /// The path with `*` for the word that names the stage.
    pub(super) pattern: String,
    /// Whether the word is the whole part.
    pub(super) is_plain: bool,
}

/// Finds the one part of a view's name that names an environment: below a folder that holds environments, else the only one that is such a
/// word, else the last.
pub(super) fn place(view: &str) -> Option<Place> {
    // `folder (other files)` is what an environment is not made of.
    if view.contains(' ') {
        return None;
    }
    let parts: Vec<&str> = view.split(['/', '@']).collect();
    let found: Vec<(usize, Named)> = parts
        .iter()
        .enumerate()
        .filter_map(|(at, part)| Some((at, named(part)?)))
        .collect();
    let is_held = |at: usize| at > 0 && parts.get(at - 1).is_some_and(|p| HOLDERS.contains(p));
    let last = parts.len() - 1;
    let plain = |named: &Named| named.pattern == "*";
    let mut held = found.iter().filter(|(at, _)| is_held(*at));
    let mut words = found.iter().filter(|(_, n)| plain(n));
    let (at, named) = match (held.next(), held.next(), words.next(), words.next()) {
        (Some(only), None, ..) | (None, _, Some(only), None) => only,
        _ => found.iter().find(|(at, _)| *at == last)?,
    };
    let with = |text: &str| {
        let mut path = String::new();
        let mut rest = view;
        for (number, part) in parts.iter().enumerate() {
            path.push_str(if number == *at { text } else { part });
            rest = rest.get(part.len()..).unwrap_or_default();
            let separator = rest.chars().next();
            path.extend(separator);
            rest = rest
                .get(separator.map_or(0, char::len_utf8)..)
                .unwrap_or_default();
        }
        path
    };
    Some(Place {
        part: (*parts.get(*at)?).to_owned(),
        stage: named.stage,
        path: with("*"),
        pattern: with(&named.pattern),
        is_plain: plain(named),
    })
}

/// How an environment is called in names: its own name, and the other words for its stage in the place of the one it uses.
#[derive(Clone, Debug)]
pub struct Tokens(Vec<Vec<String>>);

impl Tokens {
    /// The tokens of an environment.
    #[must_use]
    pub fn of(environment: &str) -> Self {
        let split = |text: &str| {
            text.split(is_separator)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let mut all = vec![split(environment)];
        if let Some(named) = named(environment) {
            let words = STAGES.get(named.stage.0).copied().unwrap_or_default();
            for word in words {
                all.push(split(word));
                all.push(split(&named.pattern.replace('*', word)));
            }
        }
        // The longest first, so that `prod-eu` is one token and not one and a rest.
        all.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        all.dedup();
        Self(all)
    }

    /// A name with `*` for the environment; `None` when it does not name it.
    #[must_use]
    pub fn without(&self, name: &str) -> Option<String> {
        let parts: Vec<&str> = name.split(['-', '_']).collect();
        let mut kept: Vec<&str> = Vec::with_capacity(parts.len());
        let (mut at, mut found) = (0, false);
        while let Some(part) = parts.get(at) {
            let rest = parts.get(at..).unwrap_or_default();
            let token = self
                .0
                .iter()
                .find(|t| rest.len() >= t.len() && rest.iter().zip(*t).all(|(a, b)| a == b));
            match token {
                Some(token) => {
                    kept.push("*");
                    found = true;
                    at += token.len();
                }
                None => {
                    kept.push(part);
                    at += 1;
                }
            }
        }
        found.then(|| kept.join("-"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preproduction_is_never_production() {
        for name in [
            "preprod",
            "pre-prod",
            "non-prod",
            "pre-production",
            "pre-prod-eu",
        ] {
            assert!(
                stage(name).is_some_and(|s| s != Stage::PRODUCTION),
                "{name}"
            );
        }
        for name in ["prod", "live", "prod-eu", "eu_prd", "production-fwi"] {
            assert_eq!(stage(name), Some(Stage::PRODUCTION), "{name}");
        }
        for name in [
            "product",
            "gke",
            "with-tls",
            "prod-test",
            "my-prod-db",
            "delivery",
            "stages",
        ] {
            assert_eq!(stage(name), None, "{name}");
        }
    }

    #[test]
    fn the_environment_is_one_part_of_a_path() {
        let of = |view| place(view).map(|p| (p.part, p.path));
        let is = |part: &str, path: &str| Some((part.to_owned(), path.to_owned()));
        assert_eq!(
            of("test/kustomize/overlays/prod"),
            is("prod", "test/kustomize/overlays/*")
        );
        assert_eq!(of("env/dev/postgresql"), is("dev", "env/*/postgresql"));
        assert_eq!(of("argo@prod"), is("prod", "argo@*"));
        assert_eq!(of("dev/charts/prod"), is("prod", "dev/charts/*"));
        assert_eq!(of("overlays/prod (other files)"), None);
        assert_eq!(of("samples/test-app"), is("test-app", "samples/*"));
    }

    #[test]
    fn tokens_are_whole_words() {
        let tokens = Tokens::of("production");
        assert_eq!(tokens.without("chat-prod").as_deref(), Some("chat-*"));
        assert_eq!(tokens.without("live").as_deref(), Some("*"));
        assert_eq!(tokens.without("products"), None);
        assert_eq!(
            Tokens::of("prod-eu").without("chat-prod-eu-1").as_deref(),
            Some("chat-*-1")
        );
        assert_eq!(
            Tokens::of("blue").without("blue-shop").as_deref(),
            Some("*-shop")
        );
    }
}
