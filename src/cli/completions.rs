//! L8: `meshgov completions`. Input: a shell; output: its completion script.

use clap::Args;
use clap_complete::Shell;

use crate::cli::{EXIT_OK, Io, print};
use crate::error::Error;

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// Shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self, io: &mut Io<'_>) -> Result<u8, Error> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::command(), "meshgov", &mut script);
        print(io, &String::from_utf8_lossy(&script))?;
        Ok(EXIT_OK)
    }
}
