//! `stack start --only NAME` and `stack restart NAME`: one process of a running bank.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use sqlx::{Connection, PgConnection};
use stack::{
    Error, Result, Signal,
    bank::{self, POSTGRES},
    data_dir::DataDir,
    http, leftovers,
    state::{Known, Owner, ProcessState, State, Status},
};
use tokio::time::sleep;

use crate::{
    Place,
    project::{Project, full_name},
    requests,
};

const POLL: Duration = Duration::from_millis(50);
const UP: Duration = Duration::from_secs(15);
/// How long what is left of a killed PostgreSQL may keep a new one from starting.
const REMAINS: Duration = Duration::from_secs(10);
const READY: Duration = Duration::from_secs(30);

/// Starts a process that is down.
///
/// # Errors
/// When no bank runs there, it has no such process, or that does not come up.
pub async fn run(place: &Place, name: &str) -> Result<ExitCode> {
    let (data, owner, name) = find(place, name)?;
    if let Some(running) =
        process(&data, &name)?.filter(|process| process.status == Status::Running)
    {
        println!(
            "{name} already runs (pid {}).",
            running.pid.unwrap_or_default()
        );
        return Ok(ExitCode::SUCCESS);
    }
    begin(&data, &owner, &name).await
}

/// Ends a process and starts it again.
///
/// # Errors
/// As [`run`].
pub async fn restart(place: &Place, name: &str) -> Result<ExitCode> {
    let (data, owner, name) = find(place, name)?;
    if let Some(known) = owner
        .processes
        .iter()
        .find(|known| known.name == name && known.runs())
    {
        let signal = if name == POSTGRES {
            Signal::INT
        } else {
            Signal::TERM
        };
        leftovers::end_all(std::slice::from_ref(known), signal).await?;
        let began = Instant::now();
        // The supervisor has to have seen it, or it would refuse to start a second one.
        while process(&data, &name)?.is_some_and(|process| process.pid == Some(known.pid)) {
            if began.elapsed() > UP {
                return Err(Error::Refused(format!(
                    "nobody notices that {name} has ended"
                )));
            }
            sleep(POLL).await;
        }
    }
    begin(&data, &owner, &name).await
}

fn find(place: &Place, name: &str) -> Result<(DataDir, Owner, String)> {
    let project = Project::find();
    let name = full_name(name);
    let closed = || {
        let path = project.data_dir(place);
        Error::Refused(format!(
            "no bank runs in {}; start one with scripts/start",
            path.display()
        ))
    };
    let data = project.existing(place)?.ok_or_else(closed)?;
    let owner = Owner::read(&data)?
        .filter(|owner| owner.supervisor.runs())
        .ok_or_else(closed)?;
    let state = State::read(&data)?.ok_or_else(closed)?;
    if state.process(&name).is_none() {
        let names: Vec<_> = state
            .processes
            .into_iter()
            .map(|process| process.name)
            .collect();
        return Err(Error::Unknown(name, names.join(", ")));
    }
    Ok((data, owner, name))
}

fn process(data: &DataDir, name: &str) -> Result<Option<ProcessState>> {
    Ok(State::read(data)?.and_then(|state| state.process(name).cloned()))
}

async fn begin(data: &DataDir, owner: &Owner, name: &str) -> Result<ExitCode> {
    let began = Instant::now();
    loop {
        let started = ask(data, owner, name).await?;
        let up = match started {
            Some(process) => {
                ready(data, &process, &Known::note(name, process.pid.unwrap_or(0))).await
            }
            None => Err(ended(data, name)),
        };
        match up {
            Ok(()) => break,
            // What a killed server left holds its shared memory for a moment.
            Err(_) if name == POSTGRES && began.elapsed() < REMAINS => sleep(POLL).await,
            Err(error) => return Err(error),
        }
    }
    let pid = process(data, name)?.and_then(|process| process.pid);
    println!("{name} runs again (pid {}).", pid.unwrap_or_default());
    Ok(ExitCode::SUCCESS)
}

/// Has the supervisor start it; what state.json says of it afterwards, if it runs.
async fn ask(data: &DataDir, owner: &Owner, name: &str) -> Result<Option<ProcessState>> {
    requests::leave(data, name)?;
    leftovers::send(&owner.supervisor, Signal::USR1);
    let began = Instant::now();
    while !requests::is_served(data, name) {
        if began.elapsed() > UP || !owner.supervisor.runs() {
            return Err(Error::Refused(format!(
                "the process that runs this bank (pid {}) does not answer",
                owner.supervisor.pid
            )));
        }
        sleep(POLL).await;
    }
    match requests::refused(data, name) {
        Some(reason) => Err(Error::Refused(reason)),
        None => Ok(process(data, name)?.filter(|process| process.pid.is_some())),
    }
}

fn ended(data: &DataDir, name: &str) -> Error {
    let said = match name {
        POSTGRES => data.logs().join("postgres.log"),
        _ => data.run().join(format!("{name}.stderr")),
    };
    let words = bank::tail(&said);
    Error::Refused(format!(
        "{name} ended at once; its last words:\n{words}\nMore in {}",
        data.logs().display()
    ))
}

async fn ready(data: &DataDir, started: &ProcessState, known: &Known) -> Result<()> {
    let port = started
        .url
        .as_deref()
        .and_then(|url| url.rsplit(':').next()?.parse::<u16>().ok());
    let began = Instant::now();
    loop {
        if !known.runs() {
            return Err(ended(data, &known.name));
        }
        let answer = match port {
            Some(port) => match http::get(port, "/ready").await {
                Ok(answer) if answer.status == 200 => return Ok(()),
                Ok(answer) => answer.body,
                Err(error) => error.to_string(),
            },
            None => match connects(data).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            },
        };
        if began.elapsed() > READY {
            let (name, seconds) = (known.name.clone(), READY.as_secs());
            return Err(Error::NotReady {
                name,
                seconds,
                answer,
            });
        }
        sleep(POLL).await;
    }
}

async fn connects(data: &DataDir) -> std::result::Result<(), String> {
    let state = State::read(data)
        .map_err(|error| error.to_string())?
        .unwrap_or_default();
    let Some(database) = state.databases.first() else {
        return Ok(());
    };
    let connection = PgConnection::connect(&database.database_url)
        .await
        .map_err(|error| error.to_string())?;
    let _ = connection.close().await;
    Ok(())
}
