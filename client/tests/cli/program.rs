//! Running the program with a home of its own.

use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub const ACCOUNT: &str = "660e8400-e29b-41d4-a716-446655440001";
pub const OTHER: &str = "660e8400-e29b-41d4-a716-446655440003";

/// A port nobody listens on: reserved by the system for nothing.
pub const NOBODY: &str = "http://127.0.0.1:1";

/// A home folder, and where the bank is for those who live there.
pub struct Home {
    pub folder: TempDir,
    url: String,
}

/// What a run came to.
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Home {
    pub fn new(url: &str) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            url: url.to_owned(),
        }
    }

    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_banking-cli"));
        command
            .args(line.split_whitespace())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("BANKING_URL_CUSTOMER", &self.url)
            .env("BANKING_URL_ACCOUNTS", &self.url)
            .env("BANKING_URL_TRANSACTIONS", &self.url)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn run(&self, line: &str) -> Run {
        self.command(line).output().unwrap().into()
    }

    pub fn run_with(&self, line: &str, variable: &str, value: &str) -> Run {
        let mut command = self.command(line);
        command.env(variable, value).output().unwrap().into()
    }

    pub fn session_file(&self) -> std::path::PathBuf {
        let place = ".local/state/banking-cli/session.json";
        self.folder.path().join(place)
    }
}

impl Run {
    pub fn error(&self) -> Value {
        serde_json::from_str(&self.err).unwrap_or_else(|_| panic!("not JSON: {}", self.err))
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
