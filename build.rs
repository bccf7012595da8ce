//! Lists the files that the binary carries, so that a new one needs no registry kept by hand: the built-in rules, and the
//! tree of `meshgov demo`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=rules");
    println!("cargo:rerun-if-changed=testdata/demo");
    println!("cargo:rerun-if-changed=build.rs");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut files = Vec::new();
    for family in folders(&root.join("rules"))? {
        for file in fs::read_dir(family)? {
            let path = file?.path();
            if path.extension().is_some_and(|e| e == "yaml") {
                files.push(path);
            }
        }
    }
    // By file name, hence by rule id.
    files.sort_by_key(|path| path.file_name().map(ToOwned::to_owned));
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("rules.rs"), table(&files, &root, &root))?;

    let demo = root.join("testdata/demo");
    let mut files = Vec::new();
    below(&demo, &mut files)?;
    files.sort();
    fs::write(out.join("demo.rs"), table(&files, &demo, &root))
}

/// Source text of a list of `(path relative to base, content)`. The folder of the package is left to the compiler: a target folder may
/// serve several clones.
fn table(files: &[PathBuf], base: &Path, root: &Path) -> String {
    let below = |path: &Path, folder: &Path| {
        let relative = path.strip_prefix(folder).unwrap_or(path);
        relative.to_string_lossy().replace('\\', "/")
    };
    let mut table = String::from("&[\n");
    for path in files {
        let (name, file) = (below(path, base), below(path, root));
        let content =
            format!("include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/\", {file:?}))");
        let _ = writeln!(table, "    ({name:?}, {content}),");
    }
    table.push_str("]\n");
    table
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            below(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

fn folders(of: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(of)? {
        let path = entry?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    Ok(found)
}
