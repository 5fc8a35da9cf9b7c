//! Getting PostgreSQL from the distribution, where we may: as root, and never with a server that runs
//! for the whole system.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{Error, Result};

/// Debian's setting that keeps a freshly installed server from making and starting a cluster.
const DEBIAN_SETTINGS: &str = "/etc/postgresql-common/createcluster.conf";

/// A package manager, and how it installs the server programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manager {
    program: &'static str,
    /// Run one after the other; the first may fail (an index that cannot be refreshed may do).
    refresh: &'static [&'static str],
    install: &'static [&'static str],
    /// What a person types.
    advice: &'static str,
    needs_root: bool,
}

const MANAGERS: [Manager; 6] = [
    Manager {
        program: "apt-get",
        refresh: &["--quiet", "update"],
        install: &[
            "--quiet",
            "--yes",
            "--no-install-recommends",
            "--option=Dpkg::Use-Pty=0",
            "install",
            "postgresql",
        ],
        advice: "sudo apt-get install postgresql",
        needs_root: true,
    },
    Manager {
        program: "dnf",
        refresh: &[],
        install: &["install", "--assumeyes", "postgresql-server"],
        advice: "sudo dnf install postgresql-server",
        needs_root: true,
    },
    Manager {
        program: "apk",
        refresh: &[],
        install: &["add", "postgresql"],
        advice: "apk add postgresql",
        needs_root: true,
    },
    Manager {
        program: "zypper",
        refresh: &[],
        install: &["--non-interactive", "install", "postgresql-server"],
        advice: "sudo zypper install postgresql-server",
        needs_root: true,
    },
    Manager {
        program: "pacman",
        refresh: &[],
        install: &["-S", "--noconfirm", "--needed", "postgresql"],
        advice: "sudo pacman -S postgresql",
        needs_root: true,
    },
    Manager {
        program: "brew",
        refresh: &[],
        install: &["install", "postgresql@17"],
        advice: "brew install postgresql@17",
        needs_root: false,
    },
];

impl Manager {
    /// The package manager of this machine.
    pub fn find() -> Option<Self> {
        MANAGERS
            .into_iter()
            .find(|manager| on_path(manager.program).is_some())
    }

    /// Whether this user may install with it. We never ask for more rights than we have.
    pub fn may_install(self) -> bool {
        // Homebrew refuses root as firmly as the others require it.
        rustix::process::geteuid().is_root() == self.needs_root
    }

    /// What a person would type.
    pub fn advice(self) -> &'static str {
        self.advice
    }

    /// Installs the server programs, with the package manager's own output shown.
    ///
    /// # Errors
    /// When it fails.
    pub fn install(self) -> Result<()> {
        if !self.refresh.is_empty() && self.run(self.refresh).is_err() {
            eprintln!(
                "{} {} failed; trying with what is known",
                self.program,
                self.refresh.join(" ")
            );
        }
        if self.program != "apt-get" {
            return self.run(self.install);
        }
        self.run(&[
            "--quiet",
            "--yes",
            "--no-install-recommends",
            "--option=Dpkg::Use-Pty=0",
            "install",
            "postgresql-common",
        ])?;
        let path = Path::new(DEBIAN_SETTINGS);
        let before = fs::read_to_string(path).unwrap_or_default();
        let without = format!("{before}\ncreate_main_cluster = false\n");
        fs::write(path, without).map_err(Error::path("write", path))?;
        let installed = self.run(self.install);
        // What the administrator of this machine installs later is theirs to decide.
        fs::write(path, before).map_err(Error::path("restore", path))?;
        installed
    }

    fn run(self, arguments: &[&str]) -> Result<()> {
        let status = Command::new(self.program)
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null())
            // Our own output is what the bank has to say when it is open.
            .stdout(std::io::stderr())
            .status()
            .map_err(Error::io(format!("cannot start {}", self.program)))?;
        if status.success() {
            return Ok(());
        }
        let program = format!("{} {}", self.program, arguments.join(" "));
        Err(Error::Tool {
            program,
            status,
            output: String::new(),
        })
    }
}

/// What to do when there is no server and none may be installed.
pub fn missing() -> Error {
    let how = match Manager::find() {
        Some(manager) => format!("install it with\n\n    {}\n", manager.advice),
        None => "install version 14 or newer with your system's package manager".into(),
    };
    let debian = if Path::new("/etc/debian_version").exists() {
        "\nTo keep Debian from also starting a server for the whole system, first do\n\n    \
         sudo apt-get install postgresql-common\n    \
         echo 'create_main_cluster = false' | sudo tee -a /etc/postgresql-common/createcluster.conf\n"
    } else {
        ""
    };
    Error::Refused(format!(
        "PostgreSQL's server programs (postgres, initdb) were not found on the PATH or in the usual \
         places; {how}{debian}\nor give databases of your own: CUSTOMER_DATABASE_URL, \
         ACCOUNTS_DATABASE_URL and TRANSACTIONS_DATABASE_URL"
    ))
}

/// Where the PATH leads for this program.
pub fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}
