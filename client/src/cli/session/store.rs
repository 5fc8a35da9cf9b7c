//! The session file.
//!
//! One file holds a session per bank, named by the address of its customer-service, so that a
//! token is never sent to another bank than the one that issued it. Only its owner can read it; it
//! is replaced as a whole, so that a command that is killed leaves the old or the new one.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::Session;

/// A refresh takes one call; whoever holds the lock for longer is stuck.
const LOCK_ATTEMPTS: u32 = 500;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Where sessions are kept, and for which bank.
#[derive(Debug, Clone)]
pub struct SessionStore {
    file: PathBuf,
    bank: String,
}

#[derive(Default, Serialize, Deserialize)]
struct Contents {
    sessions: BTreeMap<String, Session>,
}

impl SessionStore {
    /// Sessions in `file`, of the bank whose customer-service is at `bank`.
    pub fn new(file: PathBuf, bank: &str) -> Self {
        Self {
            file,
            bank: bank.to_owned(),
        }
    }

    /// `$XDG_STATE_HOME/banking-cli/session.json`, under `$XDG_CONFIG_HOME` when only that is set,
    /// and under `~/.local/state` when neither is.
    pub fn usual_file() -> Option<PathBuf> {
        let directory = |name: &str| {
            let path = PathBuf::from(std::env::var_os(name)?);
            path.is_absolute().then_some(path)
        };
        let base = directory("XDG_STATE_HOME")
            .or_else(|| directory("XDG_CONFIG_HOME"))
            .or_else(|| Some(directory("HOME")?.join(".local/state")))?;
        Some(base.join("banking-cli/session.json"))
    }

    /// The session, when there is one. A file that makes no sense holds none.
    pub fn load(&self) -> Option<Session> {
        self.contents().sessions.remove(&self.bank)
    }

    pub fn save(&self, session: &Session) -> io::Result<()> {
        let mut contents = self.contents();
        contents.sessions.insert(self.bank.clone(), session.clone());
        self.replace(&contents)
    }

    pub fn remove(&self) -> io::Result<()> {
        let mut contents = self.contents();
        if contents.sessions.remove(&self.bank).is_some() {
            self.replace(&contents)?;
        }
        Ok(())
    }

    /// Keeps other commands from refreshing until the result is dropped: a refresh token can be
    /// spent once, and two commands that spend it at the same time would end the session.
    pub async fn lock(&self) -> io::Result<File> {
        let file = self.create(&self.file.with_extension("lock"))?;
        for _ in 0..LOCK_ATTEMPTS {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(file),
                Err(rustix::io::Errno::WOULDBLOCK) => tokio::time::sleep(LOCK_PAUSE).await,
                Err(error) => return Err(error.into()),
            }
        }
        Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "another banking-cli holds the session file",
        ))
    }

    fn contents(&self) -> Contents {
        let text = fs::read(&self.file).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    fn replace(&self, contents: &Contents) -> io::Result<()> {
        let name = format!("tmp-{}", std::process::id());
        let temporary = self.file.with_extension(name);
        // Whatever a killed process with our id left behind might have other permissions.
        let _ = fs::remove_file(&temporary);
        let mut file = self.create(&temporary)?;
        file.write_all(&serde_json::to_vec_pretty(contents)?)?;
        file.sync_all()?;
        fs::rename(&temporary, &self.file)
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        if let Some(directory) = path.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(directory)?;
        }
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use types::Timestamp;
    use types::views::Role;

    use super::*;

    fn session(name: &str) -> Session {
        Session {
            username: name.to_owned(),
            role: Role::Customer,
            customer_id: None,
            access_token: "access".to_owned(),
            refresh_token: "refresh".to_owned(),
            expires_at: Timestamp::now(),
        }
    }

    #[test]
    fn only_the_owner_can_read_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("deep/er/session.json");
        SessionStore::new(file.clone(), "http://a")
            .save(&session("alice"))
            .unwrap();
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let folder = fs::metadata(file.parent().unwrap()).unwrap();
        assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_session_belongs_to_one_bank() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("session.json");
        let here = SessionStore::new(file.clone(), "http://here");
        let there = SessionStore::new(file, "http://there");
        here.save(&session("alice")).unwrap();
        assert!(there.load().is_none());
        there.save(&session("bob")).unwrap();
        here.remove().unwrap();
        assert!(here.load().is_none());
        assert!(there.load().is_some_and(|s| s.username == "bob"));
    }

    #[test]
    fn a_file_that_makes_no_sense_holds_no_session() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("session.json");
        fs::write(&file, "{").unwrap();
        let store = SessionStore::new(file, "http://here");
        assert!(store.load().is_none());
        store.save(&session("alice")).unwrap();
        assert!(store.load().is_some());
    }
}
