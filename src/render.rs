//! L2: commands that print manifests. Input: a command that the config names, its folder; output: what it prints, from the
//! cache when nothing it may read has changed. Nothing runs unless the config names it.

mod inputs;
pub mod sources;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::discover::display::io_words;
pub use inputs::key;

/// Where outputs are kept, in the folder of the config. A `.gitignore` inside keeps it out of commits and out of the inputs.
pub const CACHE: &str = ".meshgov/cache";
/// How long a command may take.
const PATIENCE: Duration = Duration::from_mins(5);
/// How often a running command is looked at.
const PAUSE: Duration = Duration::from_millis(10);
/// Bytes of stderr that an error shows.
const MAX_WORDS: usize = 2_000;

/// A command with what decides its output.
#[derive(Clone, Copy, Debug)]
pub struct Job<'j> {
    /// Name of what it renders, for the cache.
    pub name: &'j str,
    /// Program and arguments.
    pub command: &'j [String],
    /// Files and folders whose content decides the output, relative to `folder`; empty = everything below it.
    pub inputs: &'j [String],
    /// Folder that it runs in.
    pub folder: &'j Path,
}

/// What a command printed.
#[derive(Debug)]
pub struct Output {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Where they are kept.
    pub path: PathBuf,
}

/// Why there is no output: the user's.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The program is not there or not executable.
    #[error("`{program}` cannot be run: {cause}")]
    Start {
        /// First word of the command.
        program: String,
        /// The operating system's words.
        cause: String,
    },
    /// It failed.
    #[error("`{command}` failed{code}: {words}")]
    Failed {
        /// The command.
        command: String,
        /// ` with exit code 1`, or nothing when a signal ended it.
        code: String,
        /// The end of what it said on stderr.
        words: String,
    },
    /// It ran for longer than five minutes and was stopped.
    #[error("`{command}` did not end within {} s", PATIENCE.as_secs())]
    Slow {
        /// The command.
        command: String,
    },
}

/// The output of a command, run only when its inputs changed since the last time.
///
/// # Errors
/// The user's: a command that cannot be run, fails, or does not end.
pub fn output(job: Job<'_>) -> Result<Output, RenderError> {
    let key = key(job);
    let known = key.as_deref().unwrap_or("unkept");
    let name: String = job
        .name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect();
    let path = job.folder.join(CACHE).join(format!("{name}-{known}.yaml"));
    if key.is_some()
        && let Ok(bytes) = std::fs::read(&path)
    {
        return Ok(Output { bytes, path });
    }
    let bytes = run(job)?;
    if keep(job.folder, &path, &bytes).is_err() {
        // A cache that cannot be written costs time, nothing else.
        return Ok(Output { bytes, path });
    }
    Ok(Output { bytes, path })
}

/// Writes an output whole or not at all, since another run may read it.
fn keep(folder: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let cache = folder.join(CACHE);
    std::fs::create_dir_all(&cache)?;
    if let Some(outer) = cache.parent() {
        let ignore = outer.join(".gitignore");
        if !ignore.exists() {
            std::fs::write(ignore, "*\n")?;
        }
    }
    let partial = path.with_extension(format!("{}.part", std::process::id()));
    std::fs::write(&partial, bytes)?;
    std::fs::rename(partial, path)
}

fn run(job: Job<'_>) -> Result<Vec<u8>, RenderError> {
    let words = job.command.join(" ");
    let Some((program, arguments)) = job.command.split_first() else {
        return Ok(Vec::new());
    };
    let start = |cause: std::io::Error| RenderError::Start {
        program: program.clone(),
        cause: io_words(&cause),
    };
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(job.folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(start)?;
    // Both pipes are read at once, or a full one would stop the command.
    let out = child
        .stdout
        .take()
        .map(|pipe| std::thread::spawn(|| all(pipe)));
    let err = child
        .stderr
        .take()
        .map(|pipe| std::thread::spawn(|| all(pipe)));
    let status = wait(&mut child).map_err(start)?;
    let read = |thread: Option<std::thread::JoinHandle<Vec<u8>>>| {
        thread.and_then(|t| t.join().ok()).unwrap_or_default()
    };
    let Some(status) = status else {
        return Err(RenderError::Slow { command: words });
    };
    let (out, err) = (read(out), read(err));
    if status.success() {
        return Ok(out);
    }
    let text = String::from_utf8_lossy(&err);
    let text = text.trim();
    let mut from = text.len().saturating_sub(MAX_WORDS);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    Err(RenderError::Failed {
        command: words,
        code: status
            .code()
            .map_or_else(String::new, |code| format!(" with exit code {code}")),
        words: text.get(from..).unwrap_or("").to_owned(),
    })
}

fn all(mut pipe: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    match pipe.read_to_end(&mut bytes) {
        // What arrived before the pipe broke tells more than nothing.
        Ok(_) | Err(_) => bytes,
    }
}

/// Waits for a command; `None` when it took too long and was stopped.
fn wait(child: &mut Child) -> std::io::Result<Option<std::process::ExitStatus>> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if started.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(PAUSE);
    }
}
