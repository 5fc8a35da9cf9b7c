//! `run/state.json`: what is running, for tools and tests; and beside it, for ourselves, enough to
//! tell a process of ours from a stranger that was given its number later.

use std::{fs, io::ErrorKind, path::Path, process::Command};

use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    data_dir::{DataDir, replace_private},
};

/// What stands in `run/state.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The data directory, absolute.
    pub data_dir: String,
    /// PostgreSQL, if it is ours, and the services.
    pub processes: Vec<ProcessState>,
    /// One per database; several coordinators share one.
    pub databases: Vec<DatabaseState>,
}

/// One process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessState {
    /// `postgres`, `customer-service`, `accounts-service-2`, …
    pub name: String,
    /// `None` when it is down.
    pub pid: Option<u32>,
    /// Where it answers HTTP; `None` for PostgreSQL.
    pub url: Option<String>,
    /// Its log file.
    pub log: String,
    /// Whether it runs. A process stopped by a signal still does.
    pub status: Status,
}

/// Whether a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It has not ended.
    Running,
    /// It has ended, and nobody has started it again.
    Down,
}

/// One database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseState {
    /// The service that owns it.
    pub name: String,
    /// For tools: a superuser's, where the cluster is ours.
    pub database_url: String,
}

/// Who started what, so that a later program can stop it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Owner {
    /// The process that watches over the others.
    pub supervisor: Known,
    /// Whether it was started with `--detach`.
    pub detached: bool,
    /// Whether every service has been ready once.
    pub ready: bool,
    /// What it started.
    pub processes: Vec<Known>,
}

/// A process that can be recognised again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Its name in the bank.
    pub name: String,
    /// Its number.
    pub pid: u32,
    /// When that number was given to it, in whatever words the system uses.
    pub born: Option<String>,
}

impl Known {
    /// Notes a process while it is certainly the one that is meant.
    pub fn note(name: &str, pid: u32) -> Self {
        Self {
            name: name.to_owned(),
            pid,
            born: birth(pid),
        }
    }

    /// Whether it still runs: the number is in use, and by the same process.
    pub fn runs(&self) -> bool {
        self.born.is_some() && birth(self.pid) == self.born
    }
}

/// When the process with this number was started; `None` when there is none, or only its remains.
fn birth(pid: u32) -> Option<String> {
    if Path::new("/proc/self/stat").exists() {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name stands in parentheses and may itself hold some; the fields after it are numbered
        // from 3 (state), and 22 is the start time in clock ticks since boot.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?;
        let started = fields.nth(18)?;
        return (!matches!(state, "Z" | "X")).then(|| started.to_owned());
    }
    let output = Command::new("ps")
        .args(["-o", "lstart=", "-p", &pid.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

impl State {
    /// Reads what the last bank of this data directory left; `None` when there was none.
    ///
    /// # Errors
    /// When the file cannot be read or is not what we write.
    pub fn read(data: &DataDir) -> Result<Option<Self>> {
        read_json(&data.state_file())
    }

    /// Replaces the file in one step.
    ///
    /// # Errors
    /// Those of writing.
    pub fn write(&self, data: &DataDir) -> Result<()> {
        write_json(&data.state_file(), self)
    }

    /// The process with this name.
    pub fn process(&self, name: &str) -> Option<&ProcessState> {
        self.processes.iter().find(|process| process.name == name)
    }
}

impl Owner {
    fn file(data: &DataDir) -> std::path::PathBuf {
        data.run().join("owner.json")
    }

    /// Says that this process is about to start a bank here.
    ///
    /// # Errors
    /// Those of writing.
    pub fn announce(data: &DataDir, detached: bool) -> Result<()> {
        let supervisor = Known::note("stack", std::process::id());
        Self {
            supervisor,
            detached,
            ready: false,
            processes: Vec::new(),
        }
        .write(data)
    }

    /// Reads who started the last bank of this data directory.
    ///
    /// # Errors
    /// When the file cannot be read or is not what we write.
    pub fn read(data: &DataDir) -> Result<Option<Self>> {
        read_json(&Self::file(data))
    }

    /// Replaces the file in one step.
    ///
    /// # Errors
    /// Those of writing.
    pub fn write(&self, data: &DataDir) -> Result<()> {
        write_json(&Self::file(data), self)
    }

    /// Forgets it.
    pub fn remove(data: &DataDir) {
        let _ = fs::remove_file(Self::file(data));
    }
}

/// Reads a JSON file of ours; `None` when there is none.
///
/// # Errors
/// When it cannot be read or is not what we write.
pub fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Option<T>> {
    match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::path("read", path)(error)),
        Ok(text) => serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| Error::Refused(format!("{} is damaged: {error}", path.display()))),
    }
}

/// Replaces a JSON file in one step; only its owner can read it.
///
/// # Errors
/// Those of writing.
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    let text = serde_json::to_vec_pretty(value)
        .map_err(|error| Error::Refused(format!("cannot write {}: {error}", path.display())))?;
    replace_private(path, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_the_shape_of_the_contract() {
        let state = State {
            data_dir: "/d".into(),
            processes: vec![
                ProcessState {
                    name: "postgres".into(),
                    pid: Some(7),
                    url: None,
                    log: "/l".into(),
                    status: Status::Running,
                },
                ProcessState {
                    name: "customer-service".into(),
                    pid: None,
                    url: Some("u".into()),
                    log: "/l".into(),
                    status: Status::Down,
                },
            ],
            databases: vec![DatabaseState {
                name: "customer-service".into(),
                database_url: "p".into(),
            }],
        };
        let expected = serde_json::json!({
            "data_dir": "/d",
            "processes": [
                {"name": "postgres", "pid": 7, "url": null, "log": "/l", "status": "running"},
                {"name": "customer-service", "pid": null, "url": "u", "log": "/l", "status": "down"},
            ],
            "databases": [{"name": "customer-service", "database_url": "p"}],
        });
        assert_eq!(serde_json::to_value(state).unwrap(), expected);
    }

    #[test]
    fn a_process_is_recognised_and_its_successor_is_not() {
        let mut me = Known::note("me", std::process::id());
        assert!(me.runs());
        me.born = Some("another time".into());
        assert!(!me.runs());
        let mut child = Command::new("true").spawn().unwrap();
        let known = Known::note("child", child.id());
        child.wait().unwrap();
        assert!(!known.runs());
    }
}
