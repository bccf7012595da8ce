//! Differences that are meant. Input: differences and the entries of the config; output: which differences an entry covers, and entries
//! without effect.

use std::collections::BTreeSet;

use crate::config::environments::{Differs, Intended};
use crate::query::environments::{Difference, EnvironmentReport, Settings, Spent};

/// An entry by the position of its application and its own.
type Entry = (usize, usize);

impl EnvironmentReport {
    /// Marks what is meant, and names the entries that cover nothing or have run out. An entry covers a difference from one environment;
    /// what differs from several alike and is meant for some of them becomes two.
    pub(super) fn intend(&mut self, settings: &Settings<'_>) {
        let mut used = BTreeSet::new();
        let differences = std::mem::take(&mut self.differences);
        self.differences = differences
            .into_iter()
            .flat_map(|difference| split(difference, settings, &mut used))
            .collect();
        for (number, config) in settings.config.iter().enumerate() {
            let is_compared = (self.applications.iter())
                .any(|a| a.name == config.name && a.is_compared() && a.absent.is_empty());
            for (at, entry) in config.differences.iter().enumerate() {
                let expired = entry.until.clone();
                let expired = expired.filter(|_| entry.is_expired(settings.today));
                let unused = is_compared && !used.contains(&(number, at));
                if expired.is_some() || unused {
                    self.spent.push(Spent {
                        span: entry.span,
                        expired,
                    });
                }
            }
        }
    }
}

/// The parts of a difference that one entry covers, or none.
fn split(
    difference: Difference,
    settings: &Settings<'_>,
    used: &mut BTreeSet<Entry>,
) -> Vec<Difference> {
    let mut parts: Vec<(Option<Entry>, Difference)> = Vec::new();
    for other in &difference.others {
        let found = covering(&difference, other, settings);
        used.extend(found);
        let found = found.filter(|_| !settings.no_ignores);
        match parts.iter_mut().find(|(known, _)| *known == found) {
            Some((_, part)) => part.others.push(other.clone()),
            None => {
                let meant = found.and_then(|place| entry(settings, place));
                let part = Difference {
                    others: vec![other.clone()],
                    intended: meant.map(|e| (e.reason.clone(), e.until.clone())),
                    ..difference.clone()
                };
                parts.push((found, part));
            }
        }
    }
    parts.into_iter().map(|(_, part)| part).collect()
}

fn entry<'s>(settings: &Settings<'s>, (number, at): Entry) -> Option<&'s Intended> {
    settings.config.get(number)?.differences.get(at)
}

/// The first entry in force that covers a difference from one environment.
fn covering(difference: &Difference, other: &str, settings: &Settings<'_>) -> Option<Entry> {
    let about = &difference.change.about;
    let differs = Differs {
        fact: difference.change.kind.as_str(),
        object: (
            about.resource.kind(),
            &about.namespace,
            &about.resource.name,
        ),
        between: (&difference.environment, other),
    };
    let entries = settings.config.iter().enumerate();
    let mut own = entries.filter(|(_, config)| config.name == difference.application);
    own.find_map(|(number, config)| {
        let mut entries = config.differences.iter();
        let at = entries.position(|e| !e.is_expired(settings.today) && e.covers(differs))?;
        Some((number, at))
    })
}
