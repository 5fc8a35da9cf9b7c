//! A peer beside the bank: the same transfer as a durable workflow of DBOS, over HTTP as at the bank,
//! in the same PostgreSQL instance. Its own code stands in `benches/peers/dbos`.

mod database;
mod processes;
mod transfers;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use crate::failure::Failure;
use database::Database;
use processes::Processes;

pub use transfers::PeerTransfers;

/// What is said when it is not there.
pub const NOT_INSTALLED: &str =
    "The peer is not installed and is left out; benches/peers/install installs it.";

/// How long it may take until it is ready; its first worker makes the tables of DBOS.
const PATIENCE: Duration = Duration::from_secs(60);

/// A peer that runs. Dropping it kills its processes.
pub struct Peer {
    pub url: String,
    pub accounts: u64,
    /// What it says about itself: its version, its processes, its connections.
    pub about: Value,
    processes: Processes,
    database: Database,
}

impl Peer {
    /// Whether there are a `node` and the packages.
    pub async fn is_installed() -> bool {
        let mut node = Command::new("node");
        node.arg("--version").stdout(Stdio::null());
        let runs = node.status().await.is_ok_and(|status| status.success());
        let packages = folder().join("node_modules/@dbos-inc/dbos-sdk/package.json");
        runs && packages.is_file()
    }

    /// Makes its database in the instance of `server_url`, starts it and waits until it is ready.
    /// What it prints goes to a file in `logs`.
    ///
    /// # Errors
    /// When it does not start, or any database error.
    pub async fn start(server_url: &str, accounts: u64, logs: &Path) -> Result<Self, Failure> {
        let database = Database::make(server_url, accounts).await?;
        let log = logs.join("peer.log");
        let (processes, port) = Processes::start(&database.url, &log)?;
        let mut peer = Self {
            url: format!("http://127.0.0.1:{port}"),
            accounts,
            about: Value::Null,
            processes,
            database,
        };
        let ready = tokio::time::timeout(PATIENCE, peer.ready()).await;
        let about = ready.unwrap_or_else(|_| Err(Failure::new("it is not ready")));
        peer.about = about.map_err(|failure| {
            let said = fs::read_to_string(&log).unwrap_or_default();
            Failure::new(format!("the peer: {failure}; it said: {said}"))
        })?;
        Ok(peer)
    }

    /// Asks its health route until that is content.
    async fn ready(&mut self) -> Result<Value, Failure> {
        let client = reqwest::Client::new();
        let health = format!("{}/health", self.url);
        loop {
            if let Some(status) = self.processes.ended()? {
                return Err(Failure::new(format!("it ended: {status}")));
            }
            match client.get(&health).send().await {
                Ok(answer) if answer.status().is_success() => return Ok(answer.json().await?),
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Whether every workflow is done and the money is what it was.
    ///
    /// # Errors
    /// When anything is wrong: a benchmark of wrong answers is worth nothing.
    pub async fn conserves(&self) -> Result<(), Failure> {
        self.database.conserves().await
    }
}

/// Where its code is, and after the installation its packages.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/dbos")
}
