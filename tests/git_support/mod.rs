//! A git repository in a temporary folder, with neither home folder nor configuration of a user, and meshgov run in it.
#![allow(dead_code, reason = "every test binary uses its part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A repository that is gone when the value is.
pub(crate) struct Repo {
    folder: tempfile::TempDir,
    name: String,
}

/// What a run said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Repo {
    pub(crate) fn new() -> Self {
        let repo = Self {
            folder: tempfile::tempdir().unwrap(),
            name: "repo".into(),
        };
        std::fs::create_dir(repo.path()).unwrap();
        repo.git(&["init", "-q", "-b", "main"]);
        repo
    }

    /// A clone of depth 1 of one branch beside this repository.
    pub(crate) fn shallow_clone(&self, branch: &str) -> Self {
        let clone = Self {
            folder: tempfile::tempdir().unwrap(),
            name: "clone".into(),
        };
        let from = format!("file://{}", self.path().display());
        let to = clone.path().display().to_string();
        let arguments = ["clone", "-q", "--depth=1", "--branch", branch, &from, &to];
        let output = git_command(clone.folder.path()).args(arguments).output();
        assert_ok(&output.unwrap(), "clone");
        // As actions/checkout leaves it: every branch may be fetched.
        clone.git(&[
            "config",
            "remote.origin.fetch",
            "+refs/heads/*:refs/remotes/origin/*",
        ]);
        clone
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        std::fs::remove_file(self.path().join(path)).unwrap();
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = self.try_git(arguments);
        assert_ok(&output, &arguments.join(" "));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub(crate) fn try_git(&self, arguments: &[&str]) -> Output {
        git_command(&self.path()).args(arguments).output().unwrap()
    }

    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
    }

    /// `meshgov` in the repository.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        self.run_in("", arguments, &[])
    }

    /// `meshgov` in a folder of the repository, with variables of a hook.
    pub(crate) fn run_in(&self, folder: &str, arguments: &[&str], hook: &[(&str, &str)]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshgov"));
        command
            .current_dir(self.path().join(folder))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("MESHGOV_TODAY", "2026-11-27")
            .envs(hook.iter().copied())
            .args(arguments);
        said(&command.output().unwrap())
    }

    /// `path:line rule` of every finding of a run with these arguments, sorted, and the exit code.
    pub(crate) fn found(&self, arguments: &[&str]) -> (i32, Vec<String>) {
        let arguments = [&["check", "--format", "json"], arguments].concat();
        let said = self.run(&arguments);
        let json: serde_json::Value = serde_json::from_str(&said.out)
            .unwrap_or_else(|e| panic!("{e}: {}{}", said.out, said.err));
        let mut found: Vec<String> = json["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| {
                let path = f["path"].as_str().unwrap();
                let rule = f["rule"].as_str().unwrap();
                format!("{path}:{} {rule}", f["start"]["line"])
            })
            .collect();
        found.sort();
        (said.code, found)
    }
}

pub(crate) fn said(output: &Output) -> Said {
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout.clone()).unwrap(),
        err: String::from_utf8(output.stderr.clone()).unwrap(),
    }
}

pub(crate) fn git_command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "a")
        .env("GIT_AUTHOR_EMAIL", "a@example.invalid")
        .env("GIT_COMMITTER_NAME", "a")
        .env("GIT_COMMITTER_EMAIL", "a@example.invalid");
    command
}

fn assert_ok(output: &Output, what: &str) {
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {what}: {words}");
}

/// A Deployment with a literal credential on line 9: AIKEY001 fires there.
pub(crate) fn leaky(name: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: web}}\nspec:\n  template:\n    spec:\n      containers:\n        - name: app\n          env: [{{name: OPENAI_API_KEY, value: sk-demo-4f9c1a7e2b8d4c6fa0e3}}]\n"
    )
}

/// A ConfigMap that no rule minds.
pub(crate) fn harmless(name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: web}}\ndata: {{colour: {value}}}\n"
    )
}
