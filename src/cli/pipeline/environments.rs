//! L8: environments as a run sees them. Input: views and the config; output: which applications there are, how production compares, and
//! differences as subjects of rules.

use std::path::Path;

use crate::cel::Reasons;
use crate::cli::pipeline::Input;
use crate::config::Config;
use crate::facts::Assumptions;
use crate::facts::change::Side;
use crate::facts::record::environment::{DifferenceRecord, EnvironmentSubject};
use crate::facts::subject::{Subject, World};
use crate::query::environments::{self, Difference, EnvironmentReport, Settings, Verdict};
use crate::source::{Sources, Span};
use crate::view::environments::{Application, Declared};

/// How environments are compared in a run.
#[derive(Clone, Copy, Debug)]
pub struct Compare<'c> {
    /// What is declared, and meant to differ.
    pub config: &'c Config,
    /// The working directory, which paths of the config are printed from.
    pub cwd: &'c Path,
    /// The day entries are judged on.
    pub today: &'c str,
    /// Whether no difference is meant.
    pub no_ignores: bool,
}

/// The two environments of a rule's example.
const SIDES: [&str; 2] = ["staging", "production"];

/// Reads the manifests of two environments that stand in no file, and compares them.
#[must_use]
pub fn read_two(
    staging: &[(String, String)],
    production: &[(String, String)],
    assume: Assumptions,
) -> Input {
    let files: Vec<(String, String)> = SIDES
        .iter()
        .zip([staging, production])
        .flat_map(|(name, files)| {
            let placed =
                move |(path, text): &(String, String)| (format!("{name}/{path}"), text.clone());
            files.iter().map(placed)
        })
        .collect();
    let named = SIDES.map(|name| (name.to_owned(), vec![name.to_owned()]));
    let mut input = super::read_views(&files, assume, named.to_vec());
    let settings = Settings {
        declared: vec![Declared {
            name: String::from("example"),
            views: SIDES
                .map(|name| (name.to_owned(), name.to_owned()))
                .to_vec(),
            production: None,
        }],
        ..Settings::default()
    };
    let report = environments::compare(&input.views, &input.assume, &settings, &input.sources);
    input.environments = Some(report);
    input
}

/// A path of [`read_two`] as the example names it; `None` for the other environment's.
#[must_use]
pub fn of_production(path: &str) -> Option<&str> {
    path.strip_prefix(SIDES[1])?.strip_prefix('/')
}

/// Every declared environment as a view: one that the config declares, else one of its own paths.
fn views(config: &Config, printed: &impl Fn(&String) -> String) -> Vec<Environment> {
    let mut found = Vec::new();
    for application in &config.environments {
        for (name, paths) in &application.views {
            let shown: Vec<String> = paths.iter().map(printed).collect();
            let (view, paths) = match (paths.as_slice(), shown.as_slice()) {
                ([one], _) if config.views.contains_key(one) => (one.clone(), Vec::new()),
                (_, [one]) if !one.is_empty() => (one.clone(), shown),
                _ => (format!("{}/{name}", application.name), shown),
            };
            found.push(Environment {
                application: application.name.clone(),
                name: name.clone(),
                view,
                paths,
            });
        }
    }
    found
}

/// A declared environment with the name of its view, and its paths where no other entry declares the view.
struct Environment {
    application: String,
    name: String,
    view: String,
    paths: Vec<String>,
}

/// Adds the views that only `environments:` declares.
pub(super) fn add_views(
    config: &Config,
    printed: &impl Fn(&String) -> String,
    named: &mut Vec<(String, Vec<String>)>,
) {
    for environment in views(config, printed) {
        let is_known = named.iter().any(|(name, _)| *name == environment.view);
        if !environment.paths.is_empty() && !is_known {
            named.push((environment.view, environment.paths));
        }
    }
}

/// The applications of a config, with the names of their views.
fn declared(config: &Config, cwd: &Path) -> Vec<Declared> {
    let views = views(config, &super::printed(config, cwd));
    let of = |name: &str| {
        let own = views.iter().filter(|e| e.application == name);
        own.map(|e| (e.name.clone(), e.view.clone())).collect()
    };
    let applications = config.environments.iter();
    applications
        .map(|application| Declared {
            name: application.name.clone(),
            views: of(&application.name),
            production: application.production.clone(),
        })
        .collect()
}

impl Input {
    /// Finds the applications among the views, for the opening lines.
    pub fn find_applications(&mut self, config: &Config, cwd: &Path) {
        self.applications = environments::applications(&self.views, &declared(config, cwd));
    }

    /// The applications, once they are found.
    #[must_use]
    pub fn applications(&self) -> &[Application] {
        &self.applications
    }

    /// Compares the environments of every application.
    #[must_use]
    pub fn environments(&self, compare: Compare<'_>) -> EnvironmentReport {
        let settings = Settings {
            config: &compare.config.environments,
            file: compare.config.file.clone(),
            declared: declared(compare.config, compare.cwd),
            today: compare.today,
            no_ignores: compare.no_ignores,
        };
        environments::compare(&self.views, &self.assume, &settings, &self.sources)
    }

    /// The same, for rules: differences become subjects.
    pub fn compare_environments(&mut self, compare: Compare<'_>) {
        self.environments = Some(self.environments(compare));
    }

    /// The differences that a view's environment shows, as subjects; what is meant is none.
    pub(super) fn environment_subjects(&self, world: &mut World) -> Vec<Box<dyn Subject>> {
        let Some(report) = &self.environments else {
            return Vec::new();
        };
        let view = world.view.name.clone();
        let shown = |d: &&Difference| d.intended.is_none() && d.change.views.contains(&view);
        report
            .differences
            .iter()
            .filter(shown)
            .map(|difference| subject(difference, &report.sources, world))
            .collect()
    }

    /// Entries of `differences` without effect, in words.
    pub(super) fn spent_differences(&self) -> Vec<(Span, Option<&str>)> {
        let report = self.environments.iter();
        let spent = report.flat_map(|r| &r.spent);
        spent.map(|s| (s.span, s.expired.as_deref())).collect()
    }
}

fn subject(difference: &Difference, sources: &Sources, world: &mut World) -> Box<dyn Subject> {
    let change = &difference.change;
    let reasons = change.reasons().into_iter();
    let numbers = reasons.map(|reason| world.reason(reason));
    let unknown = Reasons::new(numbers.collect());
    let others = difference.others.join(", ");
    let causes = change.cause.iter().map(|cause| {
        let place = sources
            .get(cause.span.source)
            .map_or_else(String::new, |file| {
                format!("{}:{}", file.path, file.position(cause.span.start).line)
            });
        let side = match cause.side {
            Side::Base => others.as_str(),
            Side::Head => &difference.environment,
        };
        format!("{place} ({side})")
    });
    Box::new(EnvironmentSubject(DifferenceRecord {
        causes: causes.collect(),
        unknown,
        application: difference.application.clone(),
        environment: difference.environment.clone(),
        others: difference.others.clone(),
        verdict: (difference.verdict != Verdict::Unknown).then(|| difference.verdict.as_str()),
        change: change.clone(),
    }))
}
