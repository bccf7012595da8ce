//! What a process costs. Input: a command; output: its user CPU time and peak memory, read from /proc.

use std::process::{Command, Stdio};
use std::time::Duration;

/// What one run of a command takes.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    /// User CPU.
    pub(crate) seconds: f64,
}

impl Cost {
    /// A cost that was measured elsewhere.
    pub(crate) fn of(seconds: f64) -> Self {
        Self { seconds }
    }
}

/// Runs a command to its end this many times; prints and returns what one run takes.
pub(crate) fn measure(name: &str, rounds: u32, command: &mut Command) -> Option<Cost> {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let before = children_user_seconds();
    let mut peak_kib = 0;
    for _ in 0..rounds {
        let Ok(mut child) = command.spawn() else {
            println!("  {name:18} not to be had here");
            return None;
        };
        let status = loop {
            peak_kib = peak_kib.max(peak_memory_kib(child.id()));
            match child.try_wait().unwrap() {
                Some(status) => break status,
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        };
        if !status.success() {
            println!("  {name:18} failed ({status})");
            return None;
        }
    }
    let seconds = (children_user_seconds() - before) / f64::from(rounds);
    println!(
        "  {name:18} {seconds:8.3} s user   {:7.0} MiB peak",
        as_f64(peak_kib) / 1024.0
    );
    Some(Cost { seconds })
}

/// User CPU seconds of this process so far.
pub(crate) fn own_user_seconds() -> f64 {
    stat(11)
}

/// User CPU seconds of children that ended.
fn children_user_seconds() -> f64 {
    stat(13)
}

/// A time in /proc/self/stat, in ticks of 1/100 s, by its place behind the name of the program.
fn stat(place: usize) -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    fields[place].parse::<f64>().unwrap() / 100.0
}

fn peak_memory_kib(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    peak.and_then(|l| l.trim().strip_suffix(" kB")?.parse().ok())
        .unwrap_or(0)
}

#[expect(clippy::cast_precision_loss, reason = "counts for a ratio")]
pub(crate) fn as_f64(n: usize) -> f64 {
    n as f64
}
