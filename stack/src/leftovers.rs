//! What a bank left running whose supervisor was killed.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::{
    Error, Result,
    bank::POSTGRES,
    data_dir::DataDir,
    state::{Known, Owner},
};

const PATIENCE: Duration = Duration::from_secs(12);

/// Ends the processes that the last supervisor of this data directory started and that still run.
/// The caller holds the data directory's lock, so that supervisor is gone.
///
/// # Errors
/// When one does not end, which only a process stuck in the kernel does not.
pub async fn end(data: &DataDir, progress: &(dyn Fn(&str) + Send + Sync)) -> Result<usize> {
    let Some(owner) = Owner::read(data)? else {
        return Ok(0);
    };
    let running: Vec<_> = owner.processes.into_iter().filter(Known::runs).collect();
    let (postgres, services): (Vec<_>, Vec<_>) = running
        .iter()
        .cloned()
        .partition(|process| process.name == POSTGRES);
    for process in &running {
        progress(&format!(
            "Stopping {} (pid {}), left by an earlier bank",
            process.name, process.pid
        ));
    }
    end_all(&services, Signal::TERM).await?;
    end_all(&postgres, Signal::INT).await?;
    Owner::remove(data);
    Ok(running.len())
}

/// Asks, waits, and in the end forces.
///
/// # Errors
/// When one survives even that for a while.
pub async fn end_all(processes: &[Known], signal: Signal) -> Result<()> {
    for attempt in [signal, Signal::KILL] {
        for process in processes.iter().filter(|process| process.runs()) {
            send(process, attempt);
            send(process, Signal::CONT);
        }
        let began = Instant::now();
        while processes.iter().any(Known::runs) {
            if began.elapsed() > PATIENCE {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
    match processes.iter().find(|process| process.runs()) {
        None => Ok(()),
        Some(stuck) => Err(Error::Refused(format!(
            "{} (pid {}) does not end",
            stuck.name, stuck.pid
        ))),
    }
}

/// Signals a process that was recognised a moment ago.
pub fn send(process: &Known, signal: Signal) {
    if let Some(pid) = i32::try_from(process.pid).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}
