//! A clock that can be set while processes run, by way of Debian's libfaketime. Only the wall clock:
//! durations are measured on the monotonic one, which no operator can set either.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

/// The clock of every process that was started with its [`environment`](Self::environment).
pub struct Clock {
    library: &'static Path,
    folder: TempDir,
}

impl Clock {
    /// A clock that is right so far; `None`, and a line that says so, where libfaketime is not
    /// installed and cannot be.
    ///
    /// # Panics
    /// When there is no folder for its file.
    #[must_use]
    pub fn find() -> Option<Self> {
        static LIBRARY: OnceLock<Option<PathBuf>> = OnceLock::new();
        let library = LIBRARY.get_or_init(|| library().or_else(install));
        let Some(library) = library else {
            println!("skipped: libfaketime is not here (Debian: apt-get install faketime)");
            return None;
        };
        let folder = tempfile::Builder::new()
            .prefix("bank-clock-")
            .tempdir()
            .expect("a folder");
        // PostgreSQL reads it as another user.
        let open = Permissions::from_mode(0o755);
        fs::set_permissions(folder.path(), open).expect("our own folder");
        let clock = Self { library, folder };
        clock.ahead(0);
        Some(clock)
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("offset")
    }

    /// What a process has to be started with, to live by this clock.
    #[must_use]
    pub fn environment(&self) -> BTreeMap<String, String> {
        let file = self.file().display().to_string();
        [
            ("LD_PRELOAD", self.library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", file),
            // Otherwise it notices a change within ten seconds.
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("NO_FAKE_STAT", "1".to_owned()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }

    /// Sets it this many seconds before (or, negative, behind) the true time.
    ///
    /// # Panics
    /// When its file cannot be written.
    pub fn ahead(&self, seconds: i64) {
        let draft = self.folder.path().join("draft");
        fs::write(&draft, format!("{seconds:+}s\n")).expect("our own folder");
        fs::set_permissions(&draft, Permissions::from_mode(0o644)).expect("our own file");
        // In one step: nobody reads half a number.
        fs::rename(&draft, self.file()).expect("our own folder");
    }
}

fn library() -> Option<PathBuf> {
    let multiarch = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    multiarch
        .map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.is_file())
}

/// As root on Debian, as `scripts/test` installs PostgreSQL.
fn install() -> Option<PathBuf> {
    let apt = |arguments: &[&str]| {
        Command::new("apt-get")
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
    };
    // Waits for another test that may be at it.
    let wanted = [
        "--yes",
        "--no-install-recommends",
        "--option=DPkg::Lock::Timeout=120",
        "install",
        "faketime",
    ];
    if !apt(&wanted).is_ok_and(|status| status.success()) {
        let _ = apt(&["update"]);
        let _ = apt(&wanted);
    }
    library()
}
