//! `stack stop`: ends the background bank of one data directory, and nothing else.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use stack::{Error, Result, Signal, data_dir::DataDir, leftovers, state::Owner};
use tokio::time::sleep;

use crate::{Place, project::Project};

const POLL: Duration = Duration::from_millis(25);
/// Coordinators, then the other services, then PostgreSQL, each with its own patience.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between taking a data directory and saying who took it, a bank needs milliseconds.
const ANNOUNCEMENT: Duration = Duration::from_secs(5);

/// Runs the command.
///
/// # Errors
/// When the bank belongs to a terminal, or does not end.
pub async fn run(place: &Place) -> Result<ExitCode> {
    let project = Project::find();
    let Some(data) = project.existing(place)? else {
        println!(
            "No bank was ever started in {}.",
            project.data_dir(place).display()
        );
        return Ok(ExitCode::SUCCESS);
    };
    if let Some(_lock) = data.lock()? {
        let ended = leftovers::end(&data, &|text: &str| println!("{text}")).await?;
        if ended == 0 {
            println!("No bank runs in {}.", data.root().display());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let owner = owner(&data).await?;
    if !owner.detached {
        return Err(Error::Refused(format!(
            "the bank in {} runs at a terminal (pid {}): press Ctrl-C there",
            data.root().display(),
            owner.supervisor.pid
        )));
    }
    println!("Stopping the bank in {}", data.root().display());
    leftovers::send(&owner.supervisor, Signal::TERM);
    // It may have been stopped by a signal, and would not hear this one.
    leftovers::send(&owner.supervisor, Signal::CONT);
    let began = Instant::now();
    while owner.supervisor.runs() {
        if began.elapsed() > PATIENCE {
            let pid = owner.supervisor.pid;
            return Err(Error::Refused(format!(
                "it does not end; kill -9 {pid} and run this again"
            )));
        }
        sleep(POLL).await;
    }
    if let Some(_lock) = data.lock()? {
        leftovers::end(&data, &|text: &str| println!("{text}")).await?;
    }
    println!("Stopped.");
    Ok(ExitCode::SUCCESS)
}

async fn owner(data: &DataDir) -> Result<Owner> {
    let began = Instant::now();
    loop {
        if let Some(owner) = Owner::read(data)?.filter(|owner| owner.supervisor.runs()) {
            return Ok(owner);
        }
        if began.elapsed() > ANNOUNCEMENT {
            return Err(Error::Refused(format!(
                "something holds {}, and does not say what it is",
                data.root().display()
            )));
        }
        sleep(POLL).await;
    }
}
