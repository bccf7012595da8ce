//! L3: which views are environments of one application. Input: the names of views and what the configuration declares; output:
//! `Application`s with their environments, production first.
//!
//! By convention an environment is a view whose path has a part that is called like one (`overlays/prod`, `clusters/dev/shop`,
//! `overlays/eu-staging`); paths that are the same but for that word are environments of one application. A path without such a word is
//! a variant (`overlays/gke`), and no variant is ever taken for production.

pub mod names;

use std::collections::BTreeMap;

use names::Stage;

/// An application as the configuration declares it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// Environments with the name of the view of each; none = those found by convention under this name.
    pub views: Vec<(String, String)>,
    /// Which of them are production; `None` = those whose names say so.
    pub production: Option<Vec<String>>,
}

/// A view as an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its name: `prod-eu`.
    pub name: String,
    /// Position of the view.
    pub view: usize,
    /// Whether it is production.
    pub is_production: bool,
}

/// Views that are environments of one application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Its name in the configuration, else the paths of its views with `*` for the environment: `deploy/overlays/*`.
    pub name: String,
    /// Whether the configuration declares its environments.
    pub is_declared: bool,
    /// Production first, then from the nearest to production to the farthest.
    pub environments: Vec<Environment>,
    /// Declared environments whose view is not among those of the run.
    pub absent: Vec<String>,
}

impl Application {
    /// Environments that are production.
    pub fn production(&self) -> impl Iterator<Item = &Environment> {
        self.environments.iter().filter(|e| e.is_production)
    }

    /// Environments that are not.
    pub fn others(&self) -> impl Iterator<Item = &Environment> {
        self.environments.iter().filter(|e| !e.is_production)
    }

    /// Whether there is something to compare.
    #[must_use]
    pub fn is_compared(&self) -> bool {
        self.production().next().is_some() && self.others().next().is_some()
    }

    /// Why nothing is compared; `None` where something is.
    #[must_use]
    pub fn why_not(&self) -> Option<String> {
        if self.is_compared() {
            return None;
        }
        let absent = match self.absent.as_slice() {
            [] => None,
            [one] => Some(format!("{one} is not among what was read")),
            many => Some(format!("{} are not among what was read", many.join(", "))),
        };
        let names: Vec<&str> = self.environments.iter().map(|e| e.name.as_str()).collect();
        Some(absent.unwrap_or_else(|| match self.production().next() {
            None => format!("none of {} is known as production", names.join(", ")),
            Some(_) => format!("all of {} are production", names.join(", ")),
        }))
    }
}

/// Finds the applications: declared ones first, then those found by convention among the views that are left.
#[must_use]
pub fn find(views: &[&str], declared: &[Declared]) -> Vec<Application> {
    let mut found: Vec<Application> = declared
        .iter()
        .filter(|d| !d.views.is_empty())
        .map(|d| of_declared(views, d))
        .collect();
    let taken: Vec<usize> = found
        .iter()
        .flat_map(|a| a.environments.iter().map(|e| e.view))
        .collect();
    let open = views.iter().enumerate();
    let open = open.filter(|(at, _)| !taken.contains(at));
    for mut application in by_convention(open.map(|(at, name)| (at, *name))) {
        let settings = declared.iter().find(|d| d.name == application.name);
        if let Some(production) = settings.and_then(|d| d.production.as_ref()) {
            for environment in &mut application.environments {
                environment.is_production = production.contains(&environment.name);
            }
            order(&mut application.environments);
        }
        found.push(application);
    }
    found
}

fn of_declared(views: &[&str], declared: &Declared) -> Application {
    let mut application = Application {
        name: declared.name.clone(),
        is_declared: true,
        environments: Vec::new(),
        absent: Vec::new(),
    };
    for (name, view) in &declared.views {
        let is_production = match &declared.production {
            Some(production) => production.contains(name),
            None => names::stage(name) == Some(Stage::PRODUCTION),
        };
        match views.iter().position(|own| own == view) {
            Some(view) => application.environments.push(Environment {
                name: name.clone(),
                view,
                is_production,
            }),
            None => application.absent.push(name.clone()),
        }
    }
    order(&mut application.environments);
    application
}

/// Production first, then by nearness to it, then by name.
fn order(environments: &mut [Environment]) {
    environments.sort_by(|a, b| {
        let stage = |e: &Environment| names::stage(&e.name).unwrap_or(Stage::UNKNOWN);
        (b.is_production.cmp(&a.is_production))
            .then_with(|| stage(a).cmp(&stage(b)))
            .then_with(|| a.name.cmp(&b.name))
    });
}

/// Environments of one pattern; plain when the environment's name is the whole part of the path.
struct Group {
    is_plain: bool,
    environments: Vec<Environment>,
}

impl Group {
    fn has(&self, production: bool) -> bool {
        let mut list = self.environments.iter();
        list.any(|e| e.is_production == production)
    }
}

fn by_convention<'v>(views: impl Iterator<Item = (usize, &'v str)>) -> Vec<Application> {
    // The path without the environment, then with the qualifier that stands beside it.
    let mut groups: BTreeMap<String, BTreeMap<String, Group>> = BTreeMap::new();
    for (view, name) in views {
        let Some(place) = names::place(name) else {
            continue;
        };
        let group = groups.entry(place.path).or_default();
        let group = group.entry(place.pattern).or_insert_with(|| Group {
            is_plain: place.is_plain,
            environments: Vec::new(),
        });
        group.environments.push(Environment {
            name: place.part,
            view,
            is_production: place.stage == Stage::PRODUCTION,
        });
    }
    let mut found = Vec::new();
    for (_, mut patterns) in groups {
        complete(&mut patterns);
        for (name, mut group) in patterns {
            order(&mut group.environments);
            if group.environments.len() > 1 && group.has(false) {
                found.push(Application {
                    name,
                    is_declared: false,
                    environments: group.environments,
                    absent: Vec::new(),
                });
            }
        }
    }
    found
}

/// `prod-eu`, `prod-us` and `staging`: where the plain names lack production, or have nothing else, those with a qualifier that nothing else
/// is held against stand for it.
fn complete(patterns: &mut BTreeMap<String, Group>) {
    let Some((plain, group)) = patterns.iter().find(|(_, g)| g.is_plain) else {
        return;
    };
    let (lacks_production, lacks_others) = (!group.has(true), !group.has(false));
    if !lacks_production && !lacks_others {
        return;
    }
    let plain = plain.clone();
    let fits =
        |g: &Group| !g.is_plain && g.has(true) == lacks_production && g.has(false) == lacks_others;
    let joining: Vec<String> = patterns
        .iter()
        .filter(|(_, g)| fits(g))
        .map(|(name, _)| name.clone())
        .collect();
    let mut more = Vec::new();
    for name in joining {
        more.extend(
            patterns
                .remove(&name)
                .into_iter()
                .flat_map(|g| g.environments),
        );
    }
    if let Some(group) = patterns.get_mut(&plain) {
        group.environments.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(views: &[&str]) -> Vec<String> {
        let line = |a: Application| {
            let of = |list: Vec<&Environment>| {
                let names: Vec<_> = list.iter().map(|e| e.name.as_str()).collect();
                names.join(" ")
            };
            format!(
                "{}: {} | {}",
                a.name,
                of(a.production().collect()),
                of(a.others().collect())
            )
        };
        find(views, &[]).into_iter().map(line).collect()
    }

    #[test]
    fn paths_that_differ_in_the_environment_only_are_one_application() {
        assert_eq!(
            found(&["overlays/dev", "overlays/prod", "overlays/staging", "base"]),
            ["overlays/*: prod | staging dev"]
        );
        assert_eq!(found(&["prod", "qa"]), ["*: prod | qa"]);
        assert_eq!(
            found(&[
                "clusters/prod/a",
                "clusters/prod/b",
                "clusters/test/a",
                "clusters/test/b"
            ]),
            ["clusters/*/a: prod | test", "clusters/*/b: prod | test"]
        );
        assert!(found(&["a/overlays/prod", "b/overlays/dev"]).is_empty());
    }

    #[test]
    fn variants_are_no_environments() {
        assert!(found(&["overlays/gke", "overlays/ha", "overlays/with-tls"]).is_empty());
        assert!(found(&["overlays/gke", "overlays/prod"]).is_empty());
        assert_eq!(
            found(&["overlays/dev", "overlays/preprod"]),
            ["overlays/*:  | preprod dev"]
        );
        assert_eq!(
            found(&["o/pre-prod", "o/non-prod"]),
            ["o/*:  | pre-prod non-prod"]
        );
    }

    #[test]
    fn qualified_names_compare_with_their_like() {
        assert_eq!(
            found(&[
                "o/prod",
                "o/prod-fwi",
                "o/staging",
                "o/init-db-prod",
                "o/init-db-staging"
            ]),
            [
                "o/*: prod | staging",
                "o/init-db-*: init-db-prod | init-db-staging"
            ]
        );
        assert_eq!(
            found(&["o/prod-eu", "o/prod-us", "o/staging"]),
            ["o/*: prod-eu prod-us | staging"]
        );
    }

    #[test]
    fn declared_ones_come_first_and_tell_production() {
        let declared = Declared {
            name: "shop".to_owned(),
            views: vec![
                ("blue".into(), "a".into()),
                ("green".into(), "b".into()),
                ("red".into(), "c".into()),
            ],
            production: Some(vec!["blue".into()]),
        };
        let found = find(&["a", "b", "o/dev", "o/qa"], &[declared]);
        assert_eq!(found[0].production().next().unwrap().name, "blue");
        assert_eq!(found[0].absent, ["red"]);
        assert_eq!(
            found[1].why_not().unwrap(),
            "none of qa, dev is known as production"
        );
    }
}
