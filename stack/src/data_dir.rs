//! The folder a bank lives in: what is where, who may delete it, who holds it.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{ErrorKind, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::FlockOperation;

use crate::{Error, Result};

const MARKER: &str = ".bank-data";
const MARKER_TEXT: &str =
    "This folder holds the data of a bank and is deleted by `start --fresh`.\n";

/// What we make in a data directory, and all that `--fresh` ever deletes there.
const OURS: [&str; 5] = ["postgres", "run", "logs", "cluster.json", MARKER];

/// A data directory that carries our marker.
#[derive(Debug, Clone)]
pub struct DataDir {
    root: PathBuf,
    logs: PathBuf,
}

/// Held by the one process that runs the bank of a data directory; given back by the kernel when that
/// process is gone, however it went.
#[derive(Debug)]
pub struct Lock(File);

impl Drop for Lock {
    /// Closing the file would not do: a process that another thread is starting right now holds a
    /// copy of it until it has become its own program.
    fn drop(&mut self) {
        rustix::fs::flock(&self.0, FlockOperation::Unlock).ok();
    }
}

impl DataDir {
    /// Opens or makes the directory. Logs go to `logs`, or to a folder inside.
    ///
    /// # Errors
    /// When it cannot be made, or is somebody else's and holds files under the names we use.
    pub fn open(path: &Path, logs: Option<&Path>) -> Result<Self> {
        fs::create_dir_all(path).map_err(Error::path("make", path))?;
        let root = path.canonicalize().map_err(Error::path("find", path))?;
        let marker = root.join(MARKER);
        if !marker.exists() {
            if let Some(name) = OURS.iter().find(|name| root.join(name).exists()) {
                return Err(Error::Refused(format!(
                    "{} was not made by this program, but holds `{name}`; give another --data-dir",
                    root.display()
                )));
            }
            fs::write(&marker, MARKER_TEXT).map_err(Error::path("write", &marker))?;
        }
        let logs = logs.map_or_else(|| root.join("logs"), Path::to_path_buf);
        let opened = Self { root, logs };
        for folder in [opened.run(), opened.logs.clone()] {
            fs::create_dir_all(&folder).map_err(Error::path("make", &folder))?;
        }
        let private = Permissions::from_mode(0o700);
        fs::set_permissions(opened.run(), private)
            .map_err(Error::path("protect", &opened.run()))?;
        Ok(opened)
    }

    /// Whether a bank of ours was ever started in `path`.
    pub fn is_ours(path: &Path) -> bool {
        path.join(MARKER).is_file()
    }

    /// Whether [`erase`](Self::erase) would do it.
    ///
    /// # Errors
    /// When there are files but no marker, or the directory cannot be read.
    pub fn may_erase(path: &Path) -> Result<bool> {
        match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Ok(true) => Ok(false),
            Err(error) => Err(Error::path("read", path)(error)),
            Ok(false) if Self::is_ours(path) => Ok(true),
            Ok(false) => Err(Error::Refused(format!(
                "{} holds files and does not carry the marker `{MARKER}`, so it was not made by this \
                 program and is not deleted; give another --data-dir, or empty it yourself",
                path.display()
            ))),
        }
    }

    /// Deletes what we made in `path`, if it carries our marker. What others put there stays.
    ///
    /// # Errors
    /// When there are files but no marker, or something cannot be deleted.
    pub fn erase(path: &Path) -> Result<()> {
        if !Self::may_erase(path)? {
            return Ok(());
        }
        for name in OURS {
            let entry = path.join(name);
            let gone = match entry.symlink_metadata() {
                Ok(found) if found.is_dir() => fs::remove_dir_all(&entry),
                Ok(_) => fs::remove_file(&entry),
                Err(_) => Ok(()),
            };
            gone.map_err(Error::path("delete", &entry))?;
        }
        Ok(())
    }

    /// Takes the directory for this process; `None` when another process runs its bank.
    ///
    /// # Errors
    /// When the lock file cannot be opened.
    pub fn lock(&self) -> Result<Option<Lock>> {
        let path = self.run().join("lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(Error::path("open", &path))?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Lock(file))),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(Error::path("lock", &path)(error.into())),
        }
    }

    /// The directory itself, absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the services' logs go.
    pub fn logs(&self) -> &Path {
        &self.logs
    }

    /// Where everything about the running bank stands.
    pub fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// What is running, for tools and tests.
    pub fn state_file(&self) -> PathBuf {
        self.run().join("state.json")
    }

    /// Passwords, port and place of the private cluster.
    pub fn cluster_file(&self) -> PathBuf {
        self.root.join("cluster.json")
    }
}

/// Replaces `path` in one step by a file only its owner can read: a reader sees the old text or the
/// new one, never half of it.
///
/// # Errors
/// Those of writing and renaming.
pub fn replace_private(path: &Path, text: &[u8]) -> Result<()> {
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let write = || {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(text)?;
        fs::rename(&draft, path)
    };
    write().map_err(Error::path("write", path))
}

/// `bytes` random bytes from the system, as hexadecimal text.
///
/// # Errors
/// When the system has no random source.
pub fn random_hex(bytes: usize) -> Result<String> {
    use std::io::Read;

    let path = Path::new("/dev/urandom");
    let mut random = vec![0; bytes];
    File::open(path)
        .and_then(|mut file| file.read_exact(&mut random))
        .map_err(Error::path("read", path))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_marked_directory_is_erased_and_only_what_is_ours() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(root.join("thesis.txt"), "years of work").unwrap();
        assert!(DataDir::erase(root).is_err());
        DataDir::open(root, None).unwrap();
        fs::write(root.join("cluster.json"), "{}").unwrap();
        DataDir::erase(root).unwrap();
        assert!(root.join("thesis.txt").exists());
        assert!(!root.join("cluster.json").exists());
        assert!(
            DataDir::erase(root).is_err(),
            "the marker went with the rest"
        );
    }

    #[test]
    fn erasing_what_does_not_exist_or_is_empty_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        DataDir::erase(folder.path()).unwrap();
        DataDir::erase(&folder.path().join("nothing")).unwrap();
    }

    #[test]
    fn a_directory_of_another_program_is_not_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("postgres")).unwrap();
        assert!(DataDir::open(folder.path(), None).is_err());
    }

    #[test]
    fn a_directory_is_held_by_one_and_free_again_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path(), None).unwrap();
        let lock = data.lock().unwrap();
        assert!(lock.is_some());
        assert!(data.lock().unwrap().is_none());
        drop(lock);
        assert!(data.lock().unwrap().is_some());
    }

    #[test]
    fn private_files_are_replaced_whole_and_readable_by_the_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        replace_private(&path, b"one").unwrap();
        replace_private(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
