//! `stack status`: what runs.

use std::process::ExitCode;

use stack::{
    Result,
    state::{Known, Owner, State, Status},
};

use crate::{Place, project::Project};

/// Runs the command; success when everything is up.
///
/// # Errors
/// When state.json is damaged.
pub fn run(place: &Place) -> Result<ExitCode> {
    let project = Project::find();
    let state = match project.existing(place)? {
        Some(data) => State::read(&data)?.map(|state| (state, Owner::read(&data))),
        None => None,
    };
    let Some((state, owner)) = state else {
        println!(
            "No bank was ever started in {}.",
            project.data_dir(place).display()
        );
        return Ok(ExitCode::FAILURE);
    };
    let known = owner?.map(|owner| owner.processes).unwrap_or_default();
    let mut all_up = true;
    for process in &state.processes {
        // The file may be older than a supervisor's violent end.
        let runs = known
            .iter()
            .any(|one| one.name == process.name && Known::runs(one));
        let up = process.status == Status::Running && runs;
        all_up &= up;
        let pid = process
            .pid
            .filter(|_| up)
            .map_or_else(|| "-".into(), |pid| pid.to_string());
        println!(
            "{:<24} {:<8} {pid:<9} {}",
            process.name,
            if up { "running" } else { "down" },
            process.url.as_deref().unwrap_or("-")
        );
    }
    Ok(if all_up {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
