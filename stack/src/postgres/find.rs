//! Where this machine keeps the PostgreSQL server programs. Distributions hide them from the PATH so
//! that several versions can live side by side.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, Result};

/// The oldest major version the services' migrations are written for.
pub const OLDEST_MAJOR: u32 = 14;

/// Folders that hold one folder per installed version, and what leads from there to the programs.
const VERSIONED: [(&str, &str); 8] = [
    ("/usr/lib/postgresql", "bin"),
    ("/usr/lib64/postgresql", "bin"),
    ("/usr/libexec", ""),
    ("/usr/local/opt", "bin"),
    ("/opt/homebrew/opt", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "bin"),
    ("/usr", "bin"),
];

const PLAIN: [&str; 5] = [
    "/usr/bin",
    "/usr/local/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/bin",
    "/usr/local/sbin",
];

/// One installed version of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// Holds `postgres` and `initdb`.
    pub folder: PathBuf,
    /// The major version, as in 15.
    pub major: u32,
}

impl Binaries {
    /// The first on the PATH, else what pg_config names, else the newest of the usual places. With
    /// `major`, only that version will do: a cluster can be run by no other.
    pub fn find(major: Option<u32>) -> Option<Self> {
        let fits = |found: &Self| match major {
            Some(wanted) => found.major == wanted,
            None => found.major >= OLDEST_MAJOR,
        };
        let path = env::var_os("PATH").unwrap_or_default();
        let mut usual: Vec<_> = usual_folders()
            .iter()
            .filter_map(|folder| Self::at(folder))
            .collect();
        usual.sort_by_key(|found| std::cmp::Reverse(found.major));
        env::split_paths(&path)
            .filter_map(|folder| Self::at(&folder))
            .chain(configured().as_deref().and_then(Self::at))
            .chain(usual)
            .find(fits)
    }

    /// A program of this version.
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn at(folder: &Path) -> Option<Self> {
        // The PATH may name a link; initdb looks for its files beside where it really is.
        let postgres = folder.join("postgres").canonicalize().ok()?;
        let folder = postgres.parent()?.to_path_buf();
        if !folder.join("initdb").is_file() {
            return None;
        }
        let output = Command::new(&postgres).arg("--version").output().ok()?;
        let major = major_of(&String::from_utf8_lossy(&output.stdout))?;
        Some(Self { folder, major })
    }

    /// An error that names the version when none was found.
    ///
    /// # Errors
    /// When this version is not installed.
    pub fn require(major: u32) -> Result<Self> {
        Self::find(Some(major)).ok_or_else(|| {
            Error::Refused(format!(
                "the data was made by PostgreSQL {major}, which is not installed any more; install it \
                 again, or give up the data with --fresh"
            ))
        })
    }
}

fn configured() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(text.trim()))
}

fn usual_folders() -> Vec<PathBuf> {
    let mut folders: Vec<_> = PLAIN.iter().map(PathBuf::from).collect();
    for (parent, below) in VERSIONED {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let names_a_version = name.starts_with("postgres")
                || name.starts_with("pgsql")
                || name.starts_with(|first: char| first.is_ascii_digit());
            if names_a_version {
                folders.push(entry.path().join(below));
            }
        }
    }
    folders
}

/// Reads `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, and `17beta1` too.
fn major_of(version: &str) -> Option<u32> {
    let number = version.split("(PostgreSQL) ").nth(1)?;
    let digits = number
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(number.len());
    number[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_every_vendors_words() {
        assert_eq!(
            major_of("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(major_of("postgres (PostgreSQL) 17beta1"), Some(17));
        assert_eq!(major_of("postgres (PostgreSQL) 16.2 (Homebrew)"), Some(16));
        assert_eq!(major_of("something else 3"), None);
    }
}
