//! A disk that can be filled: a small file system in memory. Only root can mount one.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PREFIX: &str = "bank-disk-";

/// Unmounted when dropped.
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// A disk of this size; `None`, and a line that says so, where it cannot be mounted. A PostgreSQL
    /// with four empty databases needs about 120 MB.
    ///
    /// # Panics
    /// When there is no folder for it.
    #[must_use]
    pub fn mount(megabytes: u32) -> Option<Self> {
        unmount_what_dead_tests_left();
        let folder = tempfile::Builder::new()
            .prefix(&format!("{PREFIX}{}-", std::process::id()))
            .tempdir()
            .expect("a folder")
            .keep();
        let mounted = quiet(
            Command::new("mount")
                .args(["-t", "tmpfs", "-o"])
                .arg(format!("size={megabytes}m,mode=0755"))
                .arg("tmpfs")
                .arg(&folder),
        );
        if !mounted {
            let _ = fs::remove_dir(&folder);
            println!("skipped: a small disk can be mounted by root only");
            return None;
        }
        // PostgreSQL runs as another user.
        let open = Permissions::from_mode(0o755);
        fs::set_permissions(&folder, open).expect("our own folder");
        Some(Self { folder })
    }

    /// Where it is mounted.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join("ballast")
    }

    /// Writes until nothing more fits.
    ///
    /// # Panics
    /// When the ballast cannot be made.
    pub fn fill(&self) {
        let mut ballast = File::options()
            .create(true)
            .append(true)
            .open(self.ballast())
            .expect("a file");
        for piece in [1 << 20, 4096] {
            let piece = vec![0; piece];
            while ballast.write_all(&piece).is_ok() {}
        }
    }

    /// Gives the space back.
    pub fn free(&self) {
        let _ = fs::remove_file(self.ballast());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        unmount(&self.folder);
    }
}

fn unmount(folder: &Path) {
    // Lazily: a process that is about to end may still stand in it.
    quiet(Command::new("umount").arg("-l").arg(folder));
    let _ = fs::remove_dir(folder);
}

/// A test that is killed drops nothing.
fn unmount_what_dead_tests_left() {
    let Ok(entries) = fs::read_dir(std::env::temp_dir()) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let owner = name.strip_prefix(PREFIX).and_then(|rest| {
            let (owner, _) = rest.split_once('-')?;
            owner.parse::<u32>().ok()
        });
        if owner.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            unmount(&entry.path());
        }
    }
}

fn quiet(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
