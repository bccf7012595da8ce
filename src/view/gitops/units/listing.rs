//! L3: folders without a kustomization. Input: a folder and who applies it; output: the manifests that count.

use globset::GlobBuilder;

use crate::view::gitops::argo::Order;
use crate::view::gitops::units::{Built, Units};

impl Units<'_> {
    /// The manifests that Flux lists where there is no kustomization, as paths relative to the folder
    /// (`scan` in `generateKustomization` of fluxcd/pkg `kustomize/kustomize_generator.go`). Flux fails on other YAML; it is left
    /// out here.
    pub(super) fn listed(&self, folder: &str) -> Vec<String> {
        let (raw, inner) = self.scan(folder);
        let prefix = if folder.is_empty() {
            0
        } else {
            folder.len() + 1
        };
        let paths = raw.iter().filter_map(|&number| self.file(number));
        let paths = paths
            .filter(|file| !self.loaded.resources_of(file).is_empty() || !file.broken.is_empty())
            .map(|file| file.source.path.as_str());
        let mut all: Vec<&str> = paths.chain(inner.iter().map(String::as_str)).collect();
        all.sort_unstable();
        all.iter()
            .filter_map(|path| path.get(prefix..))
            .map(str::to_owned)
            .collect()
    }

    /// The same as objects: manifests as they stand, kustomizations below built.
    pub(super) fn listing(&mut self, folder: &str) -> Built {
        let (raw, inner) = self.scan(folder);
        let mut built = Built {
            files: raw.clone(),
            raw,
            ..Built::default()
        };
        for folder in inner {
            built.append(&self.by_flux(&folder));
        }
        built
    }

    /// Manifests in and below a folder, and the kustomizations on the way, which are not looked into.
    fn scan(&self, folder: &str) -> (Vec<u32>, Vec<String>) {
        let (mut raw, mut inner): (Vec<u32>, Vec<String>) = (Vec::new(), Vec::new());
        for at in self.folders.below(folder) {
            let is_inside = |of: &String| {
                at.strip_prefix(of.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
            };
            if inner.last().is_some_and(is_inside) {
                continue;
            }
            if at != folder && self.leaves.has(at) {
                inner.push(at.to_owned());
                continue;
            }
            let is_yaml = |number: &&u32| {
                let path = self.file(**number).map_or("", |f| f.source.path.as_str());
                [".yaml", ".yml"].iter().any(|end| path.ends_with(end))
            };
            raw.extend(self.folders.files(at).iter().filter(is_yaml));
        }
        (raw, inner)
    }

    /// Files directly in a folder, as they stand.
    pub(super) fn directly(&self, folder: &str) -> Built {
        let raw = self.folders.files(folder).to_vec();
        Built {
            files: raw.clone(),
            raw,
            ..Built::default()
        }
    }

    /// The files of a folder that the patterns of a directory source name: a star crosses slashes
    /// (`getPotentiallyValidManifestFile` in argo-cd `reposerver/repository/repository.go`).
    pub(super) fn matching(&self, folder: &str, order: &Order) -> Result<Built, String> {
        let glob = |pattern: &str| {
            let glob = GlobBuilder::new(pattern).literal_separator(false).build();
            let glob = glob.map_err(|_| format!("`{pattern}` is no pattern"))?;
            Ok::<_, String>(glob.compile_matcher())
        };
        let include = glob(if order.include.is_empty() {
            "*"
        } else {
            &order.include
        })?;
        let exclude = (!order.exclude.is_empty()).then(|| glob(&order.exclude));
        let exclude = exclude.transpose()?;
        let mut built = Built::default();
        for at in self.folders.below(folder) {
            if at != folder && !order.recurse {
                continue;
            }
            for &number in self.folders.files(at) {
                let path = self.file(number).map_or("", |f| f.source.path.as_str());
                let path = path
                    .strip_prefix(folder)
                    .unwrap_or(path)
                    .trim_start_matches('/');
                let is_out = exclude.as_ref().is_some_and(|glob| glob.is_match(path));
                if include.is_match(path) && !is_out {
                    built.raw.push(number);
                    built.files.push(number);
                }
            }
        }
        Ok(built)
    }
}
