//! L8: `meshgov demo`. Input: the tree that the binary carries; output: its files in a new folder, and what `check` says of
//! them.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::check::Check;
use crate::cli::{Io, print};
use crate::error::Error;

/// Path and text of every file of the tree, from `testdata/demo`.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/demo.rs"));

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Unpack into this folder, which must not exist yet [default: a new temporary folder]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl Demo {
    pub(super) fn run(&self, io: &mut Io<'_>) -> Result<u8, Error> {
        let folder = match &self.dir {
            Some(dir) => {
                let full = io.cwd.join(dir);
                fs::create_dir(&full).map_err(|cause| failed("create", dir, cause))?;
                full
            }
            None => tempfile::Builder::new()
                .prefix("meshgov-demo-")
                .tempdir()
                .map_err(|cause| failed("create", &std::env::temp_dir(), cause))?
                .keep(),
        };
        unpack(&folder)?;
        // The tree speaks for itself: no config of a folder above it has a say.
        let check = Check::with(&["--no-config"])?;
        let cwd = std::mem::replace(&mut io.cwd, folder.clone());
        let code = check.run(io);
        io.cwd = cwd;
        let code = code?;
        let shown = self.dir.as_deref().unwrap_or(&folder).display();
        print(
            io,
            &format!(
                "\nThe manifests are in {shown}. Next:\n  \
                   cd {shown} && meshgov check\n  \
                   meshgov explain MTLS002\n  \
                   meshgov init    # in a repository of your own\n"
            ),
        )?;
        Ok(code)
    }
}

fn unpack(folder: &Path) -> Result<(), Error> {
    for (path, text) in FILES {
        let full = folder.join(path);
        if let Some(parent) = full.parent() {
            fs::create_dir_all(parent).map_err(|cause| failed("create", parent, cause))?;
        }
        fs::write(&full, text).map_err(|cause| failed("write", &full, cause))?;
    }
    Ok(())
}

fn failed(action: &'static str, path: &Path, cause: std::io::Error) -> Error {
    Error::File {
        action,
        path: path.display().to_string(),
        cause,
    }
}
