//! `stack with-postgres -- COMMAND`: a throw-away cluster for as long as a command runs.

use std::{env, fs, os::unix::process::ExitStatusExt, process::ExitCode};

use stack::{
    Error, Result, Signal,
    data_dir::{DataDir, random_hex},
    databases::{CLUSTER_VARIABLE, THROW_AWAY_VARIABLE},
    leash::Leash,
    postgres::{Cluster, Purpose},
    process::Process,
    topology::Environment,
};
use tokio::signal::unix::{SignalKind, signal};

use crate::checks;

/// Enough for many banks at once, each with several services.
const CONNECTIONS: u32 = 600;

/// Runs the command and passes on its exit code. A cluster that is given already is used.
///
/// # Errors
/// When the cluster or the command cannot be started.
pub async fn run(command: &[String]) -> Result<ExitCode> {
    if env::var_os(CLUSTER_VARIABLE).is_some_and(|url| !url.is_empty()) {
        return attend(command, None).await;
    }
    checks::postgres(false)?;
    let folder = env::temp_dir().join(format!("bank-tests-{}", random_hex(6)?));
    let data = DataDir::open(&folder, None)?;
    let served = serve(&data, command).await;
    let _ = Cluster::erase_outside(&data);
    let _ = fs::remove_dir_all(&folder);
    served
}

async fn serve(data: &DataDir, command: &[String]) -> Result<ExitCode> {
    let cluster = Cluster::open(data, Purpose::ThrowAway, CONNECTIONS, &|text| {
        eprintln!("{text}")
    })?;
    let leash = Leash::new().map_err(Error::io("cannot start a shell"))?;
    let log = data.logs().join("postgres.log");
    let server = cluster.spawn(&log, &Environment::new(), |_| {})?;
    leash.hold(server.pid());
    cluster.ready(&server, &log).await?;
    let done = attend(command, Some(&cluster.url("postgres"))).await;
    end(&server);
    done
}

/// Immediate shutdown: nobody will ever look at this data again.
fn end(server: &Process) {
    let _ = server.signal(Signal::QUIT);
    if server
        .wait_blocking(std::time::Duration::from_secs(10))
        .is_none()
    {
        let _ = server.signal(Signal::KILL);
    }
}

async fn attend(command: &[String], url: Option<&str>) -> Result<ExitCode> {
    let listen = |kind| signal(kind).map_err(Error::io("cannot listen to signals"));
    // Ctrl-C reaches the command from the terminal as well; we stay to clean up after it.
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let (program, arguments) = command
        .split_first()
        .ok_or_else(|| Error::Refused("no command".into()))?;
    let mut wanted = std::process::Command::new(program);
    wanted.args(arguments);
    if let Some(url) = url {
        wanted
            .env(CLUSTER_VARIABLE, url)
            .env(THROW_AWAY_VARIABLE, "1");
    }
    let child = wanted
        .spawn()
        .map_err(Error::io(format!("cannot start {program}")))?;
    let child =
        Process::watch(child, |_| {}).map_err(Error::io(format!("cannot watch {program}")))?;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status,
            _ = interrupt.recv() => {}
            _ = terminate.recv() => { let _ = child.signal(Signal::TERM); }
        }
    };
    // As a shell does: 128 and the number of the signal.
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(1);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}
