//! L3: views of plain folders. Input: the files below one path and the copies among their objects; output: sets of files that
//! can be applied together.
//!
//! One path is one view, until the same object occurs twice with unequal content. Then, at the lowest folder that holds both
//! copies, the sub-folders that hold them are *alternatives*: each becomes a view, with everything that is no alternative.
//! A file directly in that folder which holds a copy is an alternative of its own. Alternatives in different places that
//! have the same name (`apps/a/dev`, `apps/b/dev`) are taken together, for they are the same environment. Alternatives of
//! different names never meet, so the number of views is at most the number of folders, and no combination is tried.
//! Copies in one folder stay in one view: they are reported, not split (`conflict.rs`).
//!
//! A tree of hundreds of independent samples would repeat what they share in every view. Beyond [`MAX_REPEATED`] the shared
//! files of a folder with many alternatives become a view of their own instead.

use std::collections::{BTreeMap, BTreeSet};

use crate::load::Loaded;
use crate::source::to_usize;
use crate::view::content::Copies;

/// Members that all views together may have beyond eight times the objects of the path.
const MAX_REPEATED: usize = 100_000;

/// A set of files that can be applied together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileSet {
    /// Folder, or `folder/*/alternative` for several of one name.
    pub(crate) name: String,
    /// Files by number, ascending.
    pub(crate) files: Vec<u32>,
}

/// Splits the files of one path into views.
pub(crate) fn split(loaded: &Loaded, root: &str, files: &[u32], copies: &Copies) -> Vec<FileSet> {
    let mut tree = FolderTree::new(loaded, root, files);
    tree.find_alternatives(loaded, copies);
    let objects: usize = files.iter().map(|&file| tree.weight(file)).sum();
    let solve = |detach| tree.closed(0, tree.solve(0, detach), detach);
    let attached = solve(false);
    let members: usize = attached
        .iter()
        .flat_map(|variant| &variant.files)
        .map(|part| part.iter().map(|&file| tree.weight(file)).sum::<usize>())
        .sum();
    let variants = if members > 8 * objects + MAX_REPEATED {
        solve(true)
    } else {
        attached
    };
    variants
        .into_iter()
        .map(|variant| {
            let mut files: Vec<u32> = variant
                .files
                .iter()
                .flat_map(|part| part.iter().copied())
                .collect();
            files.sort_unstable();
            FileSet {
                name: variant.name,
                files,
            }
        })
        .collect()
}

/// Files shared by several variants.
type Part = std::rc::Rc<Vec<u32>>;

/// One way to choose alternatives below a folder.
#[derive(Clone, Debug)]
struct Variant {
    /// The names of the chosen alternatives below the folder; empty when there was nothing to choose.
    label: String,
    name: String,
    files: Vec<Part>,
}

/// The files below a folder: those in every view, and those to choose from.
#[derive(Default)]
struct Solved {
    shared: Vec<u32>,
    variants: Vec<Variant>,
}

#[derive(Debug, Default)]
struct Folder {
    path: String,
    parent: Option<usize>,
    children: BTreeMap<String, usize>,
    files: Vec<u32>,
    /// Sub-folders that are alternatives of each other.
    alternatives: BTreeSet<usize>,
    /// Files directly in this folder that are an alternative.
    own_alternative: BTreeSet<u32>,
}

struct FolderTree {
    folders: Vec<Folder>,
    /// Folder of each file, by file number.
    folder_of: BTreeMap<u32, usize>,
    /// Objects of each file.
    weights: BTreeMap<u32, usize>,
}

impl FolderTree {
    fn new(loaded: &Loaded, root: &str, files: &[u32]) -> Self {
        let mut tree = Self {
            folders: vec![Folder {
                path: root.to_owned(),
                ..Folder::default()
            }],
            folder_of: BTreeMap::new(),
            weights: BTreeMap::new(),
        };
        for &number in files {
            let Some(file) = loaded.files.get(to_usize(number)) else {
                continue;
            };
            let below = match root {
                "." => file.folder(),
                root => file
                    .folder()
                    .strip_prefix(root)
                    .map_or("", |rest| rest.trim_start_matches('/')),
            };
            let folder = below
                .split('/')
                .filter(|name| !name.is_empty())
                .fold(0, |at, name| tree.child(at, name));
            if let Some(folder) = tree.folders.get_mut(folder) {
                folder.files.push(number);
            }
            tree.folder_of.insert(number, folder);
            let (first, end) = file.resources;
            tree.weights.insert(number, to_usize(end - first));
        }
        tree
    }

    fn child(&mut self, parent: usize, name: &str) -> usize {
        let next = self.folders.len();
        let Some(folder) = self.folders.get_mut(parent) else {
            return parent;
        };
        if let Some(&known) = folder.children.get(name) {
            return known;
        }
        folder.children.insert(name.to_owned(), next);
        let path = match folder.path.as_str() {
            "." => name.to_owned(),
            path => format!("{path}/{name}"),
        };
        self.folders.push(Folder {
            path,
            parent: Some(parent),
            ..Folder::default()
        });
        next
    }

    fn weight(&self, file: u32) -> usize {
        self.weights.get(&file).copied().unwrap_or(0)
    }

    /// Marks, for every identity with unequal copies, the branches of the lowest common folders.
    fn find_alternatives(&mut self, loaded: &Loaded, copies: &Copies) {
        for group in copies.groups() {
            // Folder → branch (a sub-folder, or `None` for its own files) → contents met there.
            let mut branches: BTreeMap<usize, BTreeMap<Option<usize>, BTreeSet<u64>>> =
                BTreeMap::new();
            let mut own: BTreeMap<usize, BTreeSet<u32>> = BTreeMap::new();
            for (resource, content) in group {
                let Some(file) = loaded
                    .resources
                    .get(resource)
                    .map(|resource| resource.tree.source().id.0)
                else {
                    continue;
                };
                let Some(&folder) = self.folder_of.get(&file) else {
                    continue;
                };
                own.entry(folder).or_default().insert(file);
                let (mut at, mut branch) = (Some(folder), None);
                while let Some(number) = at {
                    branches
                        .entry(number)
                        .or_default()
                        .entry(branch)
                        .or_default()
                        .insert(content);
                    branch = Some(number);
                    at = self.folders.get(number).and_then(|folder| folder.parent);
                }
            }
            for (number, branches) in branches {
                let contents: BTreeSet<u64> = branches.values().flatten().copied().collect();
                let Some(folder) = self.folders.get_mut(number) else {
                    continue;
                };
                if branches.len() < 2 || contents.len() < 2 {
                    continue;
                }
                for branch in branches.into_keys() {
                    match branch {
                        Some(child) => {
                            folder.alternatives.insert(child);
                        }
                        None => folder
                            .own_alternative
                            .extend(own.get(&number).into_iter().flatten()),
                    }
                }
            }
        }
    }

    /// What is shared below a folder, and the alternatives there, one per label.
    fn solve(&self, number: usize, detach: bool) -> Solved {
        let mut solved = Solved::default();
        let Some(folder) = self.folders.get(number) else {
            return solved;
        };
        let mut chosen: BTreeMap<String, Vec<Variant>> = BTreeMap::new();
        let (own, shared): (Vec<u32>, Vec<u32>) = folder
            .files
            .iter()
            .partition(|file| folder.own_alternative.contains(file));
        solved.shared = shared;
        if !own.is_empty() {
            chosen.entry(".".to_owned()).or_default().push(Variant {
                label: ".".to_owned(),
                name: folder.path.clone(),
                files: vec![Part::new(own)],
            });
        }
        for (name, &child) in &folder.children {
            let below = self.solve(child, detach);
            let variants = if folder.alternatives.contains(&child) {
                self.closed(child, below, detach)
                    .into_iter()
                    .map(|variant| Variant {
                        label: match variant.label.as_str() {
                            "" | "." => name.clone(),
                            label => format!("{name}/{label}"),
                        },
                        ..variant
                    })
                    .collect()
            } else {
                solved.shared.extend(below.shared);
                below.variants
            };
            for variant in variants {
                chosen
                    .entry(variant.label.clone())
                    .or_default()
                    .push(variant);
            }
        }
        solved.variants = chosen
            .into_iter()
            .map(|(label, parts)| merge(folder, label, parts))
            .collect();
        solved
    }

    /// Variants that hold the shared files as well. With `detach`, files that would be repeated too often get their own.
    fn closed(&self, number: usize, solved: Solved, detach: bool) -> Vec<Variant> {
        let Solved {
            shared,
            mut variants,
        } = solved;
        let alone = |files: Part| Variant {
            label: String::new(),
            name: self
                .folders
                .get(number)
                .map(|folder| folder.path.clone())
                .unwrap_or_default(),
            files: vec![files],
        };
        let shared = Part::new(shared);
        if variants.is_empty() || (detach && self.repeats_too_much(&shared, &variants)) {
            variants.push(alone(shared));
        } else {
            for variant in &mut variants {
                variant.files.push(Part::clone(&shared));
            }
        }
        variants
    }

    fn repeats_too_much(&self, shared: &[u32], variants: &[Variant]) -> bool {
        let weight = |files: &[u32]| files.iter().map(|&file| self.weight(file)).sum::<usize>();
        let own: usize = variants
            .iter()
            .flat_map(|variant| &variant.files)
            .map(|part| weight(part))
            .sum();
        let once = weight(shared);
        variants.len() * once > 8 * (own + once)
    }
}

/// Alternatives of one name are chosen together.
fn merge(folder: &Folder, label: String, mut parts: Vec<Variant>) -> Variant {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return Variant { label, ..only };
    }
    let name = match folder.path.as_str() {
        "." => format!("*/{label}"),
        path => format!("{path}/*/{label}"),
    };
    Variant {
        name: name
            .trim_end_matches("/.")
            .trim_end_matches("*/")
            .to_owned(),
        label,
        files: parts
            .into_iter()
            .flat_map(|variant| variant.files)
            .collect(),
    }
}
