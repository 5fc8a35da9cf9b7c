//! The process that runs a bank until it is told to stop.

use std::{io::Write, process::ExitCode, time::Duration};

use stack::{Bank, Options, Result, logs, topology::Environment};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    time::{interval, sleep},
};

use crate::{requests, restarts::Restarts};

const LOG_CHECK: Duration = Duration::from_secs(60);

/// What the supervisor listens to. Made before anything is started, so that no signal finds its
/// default action, which would be to leave everything running without us.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

fn listen(kind: SignalKind) -> Result<Signal> {
    signal(kind).map_err(stack::Error::io("cannot listen to signals"))
}

impl Signals {
    fn new() -> Result<Self> {
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    /// Returns when somebody wants us to end. The terminal going away means that only to a bank that
    /// belongs to it.
    async fn end(&mut self, detached: bool) {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return,
                _ = self.terminate.recv() => return,
                _ = self.hangup.recv() => if !detached { return },
            }
        }
    }
}

/// Starts the bank, says so, and runs it until a signal.
///
/// # Errors
/// When it does not start.
pub async fn run(
    mut options: Options,
    supervise: bool,
    started: impl FnOnce(&Bank),
) -> Result<ExitCode> {
    let mut signals = Signals::new()?;
    let mut asked = listen(SignalKind::user_defined1())?;
    let (exits, ended) = mpsc::unbounded_channel();
    let detached = options.detached;
    options.exits = Some(exits.clone());
    let bank = tokio::select! {
        // First: Ctrl-C may also hit a child that was just about to leave our process group.
        biased;
        () = signals.end(detached) => {
            say("Stopped before everything was up.");
            return Ok(ExitCode::from(130));
        }
        bank = Bank::start(options) => bank?,
    };
    started(&bank);
    let (due, restart) = mpsc::unbounded_channel();
    let mut tending = Tending {
        bank: &bank,
        restarts: supervise.then(Restarts::default),
        exits,
        due,
    };
    tending
        .run(&mut signals, &mut asked, ended, restart, detached)
        .await;
    say("Stopping; press Ctrl-C again to end everything at once.");
    tokio::select! {
        stopped = bank.stop() => stopped?,
        () = signals.end(detached) => {}
    }
    say("Stopped.");
    Ok(ExitCode::SUCCESS)
}

/// A bank that runs, and what is to become of those of its processes that end.
struct Tending<'a> {
    bank: &'a Bank,
    /// `None`: what ends stays down, so that a person can watch.
    restarts: Option<Restarts>,
    exits: UnboundedSender<String>,
    due: UnboundedSender<String>,
}

impl Tending<'_> {
    /// Returns at a signal to end.
    async fn run(
        &mut self,
        signals: &mut Signals,
        asked: &mut Signal,
        mut ended: UnboundedReceiver<String>,
        mut restart: UnboundedReceiver<String>,
        detached: bool,
    ) {
        let errors = self.bank.data().logs().join("error.log");
        let mut logs_due = interval(LOG_CHECK);
        loop {
            tokio::select! {
                () = signals.end(detached) => return,
                _ = asked.recv() => requests::serve(self.bank),
                _ = logs_due.tick() => logs::rotate_shared(&errors),
                Some(name) = ended.recv() => self.ended(name),
                Some(name) = restart.recv() => self.start(name),
            }
        }
    }

    fn ended(&mut self, name: String) {
        // Somebody may have started it again meanwhile.
        let Some(end) = self.bank.last_end(&name) else {
            return;
        };
        let Some(restarts) = &mut self.restarts else {
            say(&format!(
                "{name} ended ({}); start it again with: scripts/start --only {name}",
                end.status
            ));
            return;
        };
        let delay = restarts.delay(&name, end.age);
        say(&format!(
            "{name} ended ({}); starting it again in {delay:?}",
            end.status
        ));
        let due = self.due.clone();
        tokio::spawn(async move {
            sleep(delay).await;
            let _ = due.send(name);
        });
    }

    fn start(&self, name: String) {
        if self.bank.last_end(&name).is_none() {
            return;
        }
        if let Err(error) = self.bank.spawn(&name, &Environment::new()) {
            say(&format!("{name} could not be started: {error}"));
            let _ = self.exits.send(name);
        }
    }
}

/// Says something to whoever still listens; a reader that went away must not end a bank.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
