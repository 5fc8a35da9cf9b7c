//! PostgreSQL refuses to run as root. As root, it runs as another user, and its files lie where that
//! user can reach them.

use std::{
    fs,
    os::unix::{fs::chown, process::CommandExt},
    path::Path,
    process::{Command, Stdio},
};

use crate::{Error, Result};

/// A user with no rights of its own here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unprivileged {
    uid: u32,
    gid: u32,
}

impl Unprivileged {
    /// Who the server runs as: `None` for ourselves, when we are not root.
    ///
    /// # Errors
    /// When we are root and this machine has neither a user `postgres` nor `nobody`.
    pub fn needed() -> Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        ["postgres", "nobody"].iter().find_map(|name| find(&users, name)).map(Some).ok_or_else(|| {
            Error::Refused(
                "PostgreSQL does not run as root, and this machine has neither a user `postgres` nor \
                 `nobody` to run it as; start the bank as an ordinary user"
                    .into(),
            )
        })
    }

    /// Makes `command` run as this user. The standard library drops the supplementary groups of root
    /// together with its user id.
    pub fn apply(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    /// Gives a file or folder to this user.
    ///
    /// # Errors
    /// Those of chown.
    pub fn own(self, path: &Path) -> Result<()> {
        chown(path, Some(self.uid), Some(self.gid)).map_err(Error::path("give away", path))
    }

    /// Whether this user can get to `folder` and write there, which a folder above it may forbid.
    pub fn reaches(self, folder: &Path) -> bool {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", "cd \"$1\" && test -w ."])
            .arg("sh")
            .arg(folder)
            .current_dir("/");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.apply(&mut command);
        command.status().is_ok_and(|status| status.success())
    }
}

/// Reads `name:password:uid:gid:…`. Some systems write the ids of `nobody` as -2.
fn find(users: &str, name: &str) -> Option<Unprivileged> {
    let line = users
        .lines()
        .find(|line| line.split(':').next() == Some(name))?;
    let mut ids = line
        .split(':')
        .skip(2)
        .map(|id| id.parse::<i64>().ok().map(|id| id as u32));
    let (uid, gid) = (ids.next()??, ids.next()??);
    (uid != 0).then_some(Unprivileged { uid, gid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_their_whole_name_and_never_root() {
        let users = "root:x:0:0::/root:/bin/sh\npostgresql:x:5:5::/:/\npostgres:x:112:120::/:/\n\
                     nobody:*:-2:-2::/:/\nevil:x:0:7::/:/\n";
        assert_eq!(
            find(users, "postgres"),
            Some(Unprivileged { uid: 112, gid: 120 })
        );
        assert_eq!(
            find(users, "nobody"),
            Some(Unprivileged {
                uid: u32::MAX - 1,
                gid: u32::MAX - 1
            })
        );
        assert_eq!(find(users, "evil"), None);
        assert_eq!(find(users, "daemon"), None);
    }
}
