//! Building the services, with cargo's own progress on the terminal.

use std::{env, fs, os::unix::fs::MetadataExt, path::Path, process::Command};

use stack::{Error, Result};

use crate::project::Project;

/// Built together, so that each dependency is compiled once, with one set of features.
const PACKAGES: [&str; 6] = [
    "stack",
    "customer-service",
    "accounts-service",
    "transactions-service",
    "orders-service",
    "client",
];

const FAILPOINTS: &str = "customer-service/failpoints,accounts-service/failpoints,\
     transactions-service/failpoints,orders-service/failpoints";

/// Builds what has changed.
///
/// # Errors
/// When cargo is missing or fails; it has said why.
pub fn everything(project: &Project) -> Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(project.root())
        .args(["build", "--locked"]);
    for package in PACKAGES {
        command.args(["-p", package]);
    }
    command.args(["--features", FAILPOINTS]);
    let status = command.status().map_err(Error::io(
        "cannot start cargo; is Rust installed (rustup.rs)?",
    ))?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Tool {
        program: "cargo build".into(),
        status,
        output: String::new(),
    })
}

/// Tells a program file from the one that replaces it.
pub fn version_of(program: &Path) -> Option<(u64, i64, i64)> {
    let file = fs::metadata(program).ok()?;
    Some((file.ino(), file.mtime(), file.mtime_nsec()))
}
