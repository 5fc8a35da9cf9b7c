//! The processes of a bank on this machine, as its state.json names them.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde::Deserialize;

use crate::cli::failure::Failure;

/// How often something outside our control is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// `run/state.json`, as far as it matters here.
#[derive(Debug, Clone, Deserialize)]
struct State {
    data_dir: PathBuf,
    processes: Vec<ProcessState>,
}

#[derive(Debug, Clone, Deserialize)]
struct ProcessState {
    name: String,
    pid: Option<i32>,
    url: Option<String>,
}

/// A bank on this machine.
#[derive(Debug, Clone)]
pub struct LocalBank {
    file: PathBuf,
    data_dir: PathBuf,
}

impl LocalBank {
    /// The bank in `data_dir`, or in `.data` here or above the program.
    pub fn find(data_dir: Option<&Path>) -> Result<Self, Failure> {
        let candidates = match data_dir {
            Some(directory) => vec![directory.to_path_buf()],
            None => usual_places(),
        };
        let file = |directory: &PathBuf| directory.join("run/state.json");
        let Some(found) = candidates.iter().map(file).find(|file| file.exists()) else {
            let looked = candidates.first().map(file).unwrap_or_default();
            return Err(Failure::Refused(format!(
                "This demonstration kills a process, so it needs a bank on this machine: there is \
                 no {}. Start one with ./scripts/start --detach, or say where it is with \
                 --data-dir.",
                looked.display()
            )));
        };
        let state = read(&found)?;
        Ok(Self {
            file: found,
            data_dir: state.data_dir,
        })
    }

    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The process id of the service at `url`, and the service's name; the id is `None` while it
    /// is down.
    pub fn process_at(&self, url: &str) -> Result<(String, Option<i32>), Failure> {
        let state = read(&self.file)?;
        let found = state.processes.into_iter().find(|process| {
            let same = |known: &String| known.trim_end_matches('/') == url;
            process.url.as_ref().is_some_and(same)
        });
        let process = found.ok_or_else(|| {
            Failure::Refused(format!(
                "The bank in {} has nothing at {url}: it is another bank than the one that is \
                 being asked.",
                self.data_dir.display()
            ))
        })?;
        Ok((process.name, process.pid))
    }
}

fn usual_places() -> Vec<PathBuf> {
    let mut places = vec![PathBuf::from(".data")];
    if let Ok(program) = std::env::current_exe() {
        places.extend(
            program
                .ancestors()
                .skip(1)
                .map(|folder| folder.join(".data")),
        );
    }
    places
}

fn read(file: &Path) -> Result<State, Failure> {
    let text = std::fs::read(file)?;
    serde_json::from_slice(&text)
        .map_err(|error| Failure::Refused(format!("{} makes no sense: {error}", file.display())))
}

/// Whether the process runs. One that has died and is only waiting to be buried does not.
pub fn runs(pid: i32) -> bool {
    if let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        let after_name = stat.rsplit_once(") ").map(|(_, rest)| rest);
        return !after_name.is_some_and(|rest| rest.starts_with(['Z', 'X']));
    }
    Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid).is_ok())
}

/// Stops a process, which is not dead then: no supervisor restarts it.
pub fn stop(pid: i32) -> Result<(), Failure> {
    signal(pid, Signal::STOP)
}

/// Kills a process, as if the power had gone.
pub fn kill(pid: i32) -> Result<(), Failure> {
    signal(pid, Signal::KILL)
}

/// Lets a stopped process go on.
pub fn go_on(pid: i32) -> Result<(), Failure> {
    signal(pid, Signal::CONT)
}

fn signal(pid: i32, signal: Signal) -> Result<(), Failure> {
    let pid = Pid::from_raw(pid);
    let pid = pid.ok_or_else(|| Failure::Refused("That is no process.".into()))?;
    kill_process(pid, signal).map_err(|error| Failure::Io(error.into()))
}

/// Waits until the process is gone, for at most `patience`.
pub async fn gone(pid: i32, patience: Duration) -> bool {
    until(patience, || std::future::ready(!runs(pid))).await
}

/// Looks until `is_so`, for at most `patience`.
pub async fn until<F>(patience: Duration, mut is_so: impl FnMut() -> F) -> bool
where
    F: Future<Output = bool>,
{
    let looking = async {
        while !is_so().await {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    tokio::time::timeout(patience, looking).await.is_ok()
}

/// Starts one service of the bank again, with the program that started it.
pub async fn start_again(bank: &LocalBank, service: &str) -> Result<String, Failure> {
    let typed = format!(
        "./scripts/start --only {service} --data-dir {}",
        bank.data_dir().display()
    );
    let program = std::env::current_exe().ok();
    let stack = program.and_then(|program| Some(program.parent()?.join("stack")));
    let Some(stack) = stack.filter(|stack| stack.exists()) else {
        return Err(Failure::Refused(format!("Start it again with: {typed}")));
    };
    let output = tokio::process::Command::new(stack)
        .args(["start", "--only", service, "--data-dir"])
        .arg(bank.data_dir())
        .stdin(Stdio::null())
        .output()
        .await?;
    if output.status.success() {
        return Ok(typed);
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let last = words.lines().last().unwrap_or("no reason given").to_owned();
    Err(Failure::Refused(format!(
        "Starting it again failed ({last}). By hand: {typed}"
    )))
}
