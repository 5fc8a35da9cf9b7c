//! Looking before leaping: what a start needs from this machine, and what to do where it is missing.

use std::{
    fs,
    io::{IsTerminal, Write},
    path::Path,
    process::Command,
};

use stack::{
    Error, Options, Result,
    ports::is_free,
    postgres::{
        Binaries,
        install::{self, Manager, on_path},
    },
    topology::Topology,
};

/// A cluster, its write-ahead log and some days of logs.
const DATA_SPACE: u64 = 1 << 30;
/// What a debug build of everything takes.
const BUILD_SPACE: u64 = 5 << 30;

/// The linkers rustc asks for, in the order of likelihood.
const LINKERS: [&str; 3] = ["cc", "gcc", "clang"];

/// Checks everything but PostgreSQL.
///
/// # Errors
/// What is missing, and what to do.
pub fn machine(options: &Options, topology: &Topology, builds: bool) -> Result<()> {
    ports(options, topology)?;
    space(&options.data_dir, DATA_SPACE, "the data")?;
    if builds {
        if LINKERS.iter().all(|linker| on_path(linker).is_none()) {
            return Err(Error::Refused(
                "building needs a C linker, and there is no `cc`: install one (Debian, Ubuntu: \
                 apt-get install gcc libc6-dev; Fedora: dnf install gcc; macOS: xcode-select --install)"
                    .into(),
            ));
        }
        if !options.binaries.join("transactions-service").exists() {
            space(&options.binaries, BUILD_SPACE, "a first build")?;
        }
    }
    Ok(())
}

/// Finds PostgreSQL's server programs, or installs them where that is allowed.
///
/// # Errors
/// When there are none and none may be installed, with what to do.
pub fn postgres(yes: bool) -> Result<()> {
    if Binaries::find(None).is_some() {
        return Ok(());
    }
    let manager = Manager::find()
        .filter(|manager| manager.may_install())
        .ok_or_else(install::missing)?;
    if !yes && !consents(manager)? {
        return Err(install::missing());
    }
    eprintln!("  Installing PostgreSQL (the programs only, no server for the whole system)");
    manager.install()?;
    Binaries::find(None)
        .map(|_| ())
        .ok_or_else(install::missing)
}

/// Asks on a terminal. Root without a terminal is a machine being set up: that is a yes.
fn consents(manager: Manager) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Ok(rustix::process::geteuid().is_root());
    }
    print!(
        "PostgreSQL is not installed. Install it now ({})? [Y/n] ",
        manager.advice()
    );
    let _ = std::io::stdout().flush();
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(Error::io("cannot read the answer"))?;
    Ok(matches!(
        answer.trim().to_lowercase().as_str(),
        "" | "y" | "yes"
    ))
}

fn ports(options: &Options, topology: &Topology) -> Result<()> {
    let services = topology.services(&options.data_dir)?;
    let taken: Vec<_> = services
        .iter()
        .filter(|service| !is_free(service.port))
        .collect();
    if taken.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = taken
        .iter()
        .map(|service| {
            let holder = holder(service.port).unwrap_or_else(|| "a process of another user".into());
            format!(
                "  port {} for {} is held by {holder}",
                service.port, service.name
            )
        })
        .collect();
    let advice = match free_offset(topology) {
        Some(offset) => format!(
            "end it, or shift all ports: BANK_PORT_OFFSET={offset} is free (and needs a --data-dir of its \
             own where another bank runs in this one)"
        ),
        None => "end it".into(),
    };
    Err(Error::Refused(format!(
        "some ports are taken:\n{}\n{advice}",
        lines.join("\n")
    )))
}

fn free_offset(topology: &Topology) -> Option<u16> {
    (1..200)
        .map(|step| topology.port_offset.saturating_add(step * 100))
        .find(|offset| {
            let shifted = Topology {
                port_offset: *offset,
                ..topology.clone()
            };
            shifted
                .services(Path::new("/"))
                .is_ok_and(|services| services.iter().all(|service| is_free(service.port)))
        })
}

/// Who listens on a port, as in `python3 server.py (pid 42)`.
fn holder(port: u16) -> Option<String> {
    let pid = from_proc(port).or_else(|| from_lsof(port))?;
    let name = fs::read_to_string(format!("/proc/{pid}/cmdline"))
        .map(|line| line.replace('\0', " ").trim().to_owned())
        .ok()
        .filter(|line| !line.is_empty())
        .or_else(|| {
            let output = Command::new("ps")
                .args(["-o", "command=", "-p", &pid.to_string()])
                .output()
                .ok()?;
            Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        })
        .unwrap_or_default();
    let short: String = name.chars().take(80).collect();
    Some(format!("{short} (pid {pid})"))
}

fn from_proc(port: u16) -> Option<u32> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .find_map(|table| listening_inode(&table, port))?;
    let wanted = format!("socket:[{inode}]");
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let Ok(pid) = process.file_name().to_string_lossy().parse() else {
            continue;
        };
        let open = fs::read_dir(process.path().join("fd"))
            .into_iter()
            .flatten()
            .flatten();
        if open
            .filter_map(|file| fs::read_link(file.path()).ok())
            .any(|link| link.as_os_str() == wanted.as_str())
        {
            return Some(pid);
        }
    }
    None
}

/// Reads the kernel's table: `sl local_address rem_address st … inode`, where state 0A is listening and
/// the address ends with the port in hexadecimal.
fn listening_inode(table: &str, port: u16) -> Option<String> {
    let suffix = format!(":{port:04X}");
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let listens = fields.get(1)?.ends_with(&suffix) && *fields.get(3)? == "0A";
        listens
            .then(|| fields.get(9).map(|inode| (*inode).to_owned()))
            .flatten()
    })
}

fn from_lsof(port: u16) -> Option<u32> {
    let place = format!("-iTCP:{port}");
    let output = Command::new("lsof")
        .args(["-nP", "-t", "-sTCP:LISTEN", &place])
        .output()
        .ok()?;
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .next()?
        .trim()
        .parse()
        .ok()
}

fn space(folder: &Path, wanted: u64, purpose: &str) -> Result<()> {
    // What does not exist yet will be made on the disk of what is above it.
    let Some(existing) = folder.ancestors().find(|folder| folder.exists()) else {
        return Ok(());
    };
    let Ok(disk) = rustix::fs::statvfs(existing) else {
        return Ok(());
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free >= wanted {
        return Ok(());
    }
    Err(Error::Refused(format!(
        "{} MB are free where {} is, and {purpose} may need {} MB: free some space, or move it (--data-dir \
         for the data, CARGO_TARGET_DIR for the build)",
        free >> 20,
        existing.display(),
        wanted >> 20
    )))
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    #[test]
    fn the_holder_of_a_port_is_named() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let holder = holder(listener.local_addr().unwrap().port()).unwrap();
        assert!(
            holder.contains(&format!("(pid {})", std::process::id())),
            "{holder}"
        );
    }

    #[test]
    fn only_a_listening_socket_counts() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                     0: 0100007F:0BB9 0100007F:9999 01 00000000:00000000 00:00000000 00000000 0 0 77 1\n\
                     1: 0100007F:0BB9 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 88 1\n";
        assert_eq!(listening_inode(table, 3001).as_deref(), Some("88"));
        assert_eq!(listening_inode(table, 3002), None);
    }

    #[test]
    fn a_full_disk_is_noticed_before_it_matters() {
        assert!(space(Path::new("/"), u64::MAX, "everything").is_err());
        assert!(space(Path::new("/does/not/exist"), 1, "nothing").is_ok());
    }
}
