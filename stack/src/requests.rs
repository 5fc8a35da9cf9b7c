//! How another program asks the one that runs a bank to start a process: a file in the data directory
//! and a signal. The process has to be a child of the supervisor, or nobody would notice its end.

use std::{fs, path::PathBuf};

use serde::{Deserialize, Serialize};
use stack::{
    Bank, Error, Result,
    data_dir::DataDir,
    state::{read_json, write_json},
    topology::Environment,
};

/// Start this process, with these settings beside the usual ones.
#[derive(Debug, Serialize, Deserialize)]
pub struct Request {
    name: String,
    settings: Environment,
}

fn folder(data: &DataDir) -> PathBuf {
    data.run().join("requests")
}

fn refusal(data: &DataDir, name: &str) -> PathBuf {
    folder(data).join(format!("{name}.refused"))
}

/// Leaves a request; the caller then signals the supervisor.
///
/// # Errors
/// Those of writing.
pub fn leave(data: &DataDir, name: &str, settings: Environment) -> Result<()> {
    let folder = folder(data);
    fs::create_dir_all(&folder).map_err(Error::path("make", &folder))?;
    let _ = fs::remove_file(refusal(data, name));
    let request = Request {
        name: name.to_owned(),
        settings,
    };
    write_json(&folder.join(format!("{name}.json")), &request)
}

/// Why the supervisor did not do it, if it said so.
pub fn refused(data: &DataDir, name: &str) -> Option<String> {
    fs::read_to_string(refusal(data, name)).ok()
}

/// Does what was asked for.
pub fn serve(bank: &Bank) {
    for entry in fs::read_dir(folder(bank.data()))
        .into_iter()
        .flatten()
        .flatten()
    {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let request = read_json::<Request>(&path);
        let _ = fs::remove_file(&path);
        let Ok(Some(request)) = request else { continue };
        if let Err(error) = bank.spawn(&request.name, &request.settings) {
            let _ = fs::write(refusal(bank.data(), &request.name), error.to_string());
        }
    }
}
