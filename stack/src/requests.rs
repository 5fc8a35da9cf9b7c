//! How another program asks the one that runs a bank to start a process: a file in the data directory
//! and a signal. The process has to be a child of the supervisor, or nobody would notice its end.

use std::{fs, path::PathBuf};

use stack::{Bank, Error, Result, data_dir::DataDir, topology::Environment};

fn folder(data: &DataDir) -> PathBuf {
    data.run().join("requests")
}

fn wish(data: &DataDir, name: &str) -> PathBuf {
    folder(data).join(name)
}

fn refusal(data: &DataDir, name: &str) -> PathBuf {
    folder(data).join(format!("{name}.refused"))
}

/// Leaves a request; the caller then signals the supervisor.
///
/// # Errors
/// Those of writing.
pub fn leave(data: &DataDir, name: &str) -> Result<()> {
    let folder = folder(data);
    fs::create_dir_all(&folder).map_err(Error::path("make", &folder))?;
    let _ = fs::remove_file(refusal(data, name));
    let wish = wish(data, name);
    fs::write(&wish, "").map_err(Error::path("write", &wish))
}

/// Whether the supervisor has dealt with it.
pub fn is_served(data: &DataDir, name: &str) -> bool {
    !wish(data, name).exists()
}

/// Why the supervisor did not do it, if it said so.
pub fn refused(data: &DataDir, name: &str) -> Option<String> {
    fs::read_to_string(refusal(data, name)).ok()
}

/// Does what was asked for.
pub fn serve(bank: &Bank) {
    for name in bank.names() {
        let wish = wish(bank.data(), &name);
        if !wish.exists() {
            continue;
        }
        if let Err(error) = bank.spawn(&name, &Environment::new()) {
            let _ = fs::write(refusal(bank.data(), &name), error.to_string());
        }
        // Gone only now: whoever waits looks at the outcome when it is.
        let _ = fs::remove_file(&wish);
    }
}
