//! The processes of the peer: a leader that is our child, and the workers that it starts.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use stack::leash::Leash;
use tokio::process::{Child, Command};

use super::folder;
use crate::failure::Failure;

/// They share a process group of their own, and dropping this kills it.
pub struct Processes {
    leader: Child,
    /// For when this program is killed: the workers end when their leader does.
    _leash: Leash,
}

impl Processes {
    /// Starts them on a free port of 127.0.0.1, which is given back.
    ///
    /// # Errors
    /// When there is no `node` or no port.
    pub fn start(database_url: &str, log: &Path) -> Result<(Self, u16), Failure> {
        let leash = Leash::new()?;
        let log = File::create(log)?;
        // Free now; somebody would have to be quick to take it before the peer does.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let leader = Command::new("node")
            .arg("main.js")
            .current_dir(folder())
            .env("PEER_PORT", port.to_string())
            .env("PEER_DATABASE_URL", database_url)
            .env("NODE_ENV", "production")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .map_err(Failure::of("node"))?;
        if let Some(pid) = leader.id() {
            leash.hold(pid);
        }
        let processes = Self {
            leader,
            _leash: leash,
        };
        Ok((processes, port))
    }

    /// How the leader ended; `None` while it runs.
    ///
    /// # Errors
    /// Those of asking.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>, Failure> {
        Ok(self.leader.try_wait()?)
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        // A leader that is not reaped still has its number, so this hits no stranger.
        let pid = self.leader.id().and_then(|pid| i32::try_from(pid).ok());
        if let Some(group) = pid.and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
