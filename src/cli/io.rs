//! L8: what a command may touch of the world outside: streams, working directory, clock, environment.

use std::io::{BufWriter, IsTerminal, Read, Write};
use std::path::PathBuf;

/// The outside world of one run; tests give their own.
pub struct Io<'i> {
    /// Where the chosen report goes.
    pub out: &'i mut dyn Write,
    /// Everything else.
    pub err: &'i mut dyn Write,
    /// Read when `-` is named.
    pub stdin: &'i mut dyn Read,
    /// Absolute working directory.
    pub cwd: PathBuf,
    /// Environment variables that change what a terminal shows.
    pub env: fn(&str) -> Option<String>,
    /// The day, `YYYY-MM-DD`, UTC.
    pub today: String,
    /// Whether stdout is a terminal.
    pub terminal_out: bool,
    /// Whether stderr is a terminal.
    pub terminal_err: bool,
}

impl std::fmt::Debug for Io<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Io")
            .field("cwd", &self.cwd)
            .field("today", &self.today)
            .finish_non_exhaustive()
    }
}

/// Calls `run` with the process's own streams; flushes them after it.
pub(super) fn with_process(run: impl FnOnce(&mut Io<'_>) -> u8) -> u8 {
    let (stdout, stderr, stdin) = (std::io::stdout(), std::io::stderr(), std::io::stdin());
    let (terminal_out, terminal_err) = (stdout.is_terminal(), stderr.is_terminal());
    let mut out = BufWriter::with_capacity(1 << 16, stdout.lock());
    let code = run(&mut Io {
        out: &mut out,
        err: &mut stderr.lock(),
        stdin: &mut stdin.lock(),
        cwd: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
        env: |name| std::env::var(name).ok(),
        today: today(),
        terminal_out,
        terminal_err,
    });
    match out.flush() {
        Ok(()) => code,
        Err(cause) if cause.kind() == std::io::ErrorKind::BrokenPipe => code,
        Err(_) => super::EXIT_ERROR,
    }
}

/// The system's day in UTC, so that two machines agree.
fn today() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seconds = since.map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(0));
    chrono::DateTime::from_timestamp(seconds, 0)
        .map_or_else(String::new, |t| t.format("%Y-%m-%d").to_string())
}
