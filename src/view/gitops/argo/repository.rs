//! L3: which repository this is. Input: the sources of all Argo CD objects that name a folder which is here; output: the address
//! that most of them give, so that the path of another repository is not taken for a folder of this one.

use std::collections::BTreeMap;

/// Addresses of the repositories of a run by their top folder, each with how often it is given.
#[derive(Debug, Default)]
pub(in crate::view::gitops) struct Repositories {
    tops: BTreeMap<String, BTreeMap<String, usize>>,
}

impl Repositories {
    /// Notes that a source names an address and a path that leads to a folder here.
    pub(in crate::view::gitops) fn note(&mut self, address: &str, path: &str, folder: &str) {
        let of_top = self.tops.entry(top(path, folder)).or_default();
        *of_top.entry(normal(address)).or_default() += 1;
    }

    /// Whether the folder is surely or possibly one of another repository that has the same path: most sources that lead here, or
    /// as many, give another address.
    pub(in crate::view::gitops) fn is_elsewhere(
        &self,
        address: &str,
        path: &str,
        folder: &str,
    ) -> bool {
        if address.is_empty() {
            return false;
        }
        let address = normal(address);
        let Some(known) = self.tops.get(&top(path, folder)) else {
            return false;
        };
        let own = known.get(&address).copied().unwrap_or_default();
        known
            .iter()
            .any(|(other, count)| *other != address && *count >= own)
    }
}

/// The folder that the path counts from.
fn top(path: &str, folder: &str) -> String {
    let top = folder.strip_suffix(path).unwrap_or(folder);
    top.trim_end_matches('/').to_owned()
}

/// An address without protocol, user and ending: `git@github.com:a/b.git` and `https://github.com/a/b` are one.
fn normal(address: &str) -> String {
    let address = address.trim();
    let plain = address.split_once("://").map_or(address, |(_, rest)| rest);
    let (host, path) = plain.split_at(plain.find('/').unwrap_or(plain.len()));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let plain = format!("{host}{path}").replace(':', "/");
    let plain = plain.trim_end_matches('/');
    plain.strip_suffix(".git").unwrap_or(plain).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_repository_has_many_addresses() {
        for address in [
            "https://github.com/Acme/fleet.git",
            "https://github.com/acme/fleet/",
            "git@github.com:acme/fleet.git",
            "github.com:acme/fleet.git",
            "ssh://git@github.com/acme/fleet",
        ] {
            assert_eq!(normal(address), "github.com/acme/fleet", "{address}");
        }
    }

    #[test]
    fn the_address_that_most_sources_give_is_this_one() {
        let mut known = Repositories::default();
        known.note("https://x/fleet", "apps", "r/apps");
        known.note("https://x/fleet.git", "infra", "r/infra");
        known.note("https://x/web", "deploy", "r/deploy");
        known.note("https://x/web", "deploy", "other/deploy");
        assert!(!known.is_elsewhere("https://x/fleet", "deploy", "r/deploy"));
        assert!(known.is_elsewhere("https://x/web", "deploy", "r/deploy"));
        assert!(!known.is_elsewhere("https://x/web", "deploy", "other/deploy"));
        known.note("https://x/other", "deploy", "other/deploy");
        let is_tie = known.is_elsewhere("https://x/web", "deploy", "other/deploy");
        assert!(is_tie);
    }
}
