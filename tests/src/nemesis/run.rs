//! One run from beginning to end.
//!
//! The races it survives: a fault is healed late because what it killed takes its time to come back,
//! so every fault has a task of its own and none waits for another; and the end comes while faults
//! are at work, so each of them is healed before anything is judged.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use history::{FORMAT, Header};
use tokio::sync::watch::{Receiver, Sender, channel};
use tokio::task::JoinSet;

use super::fault::{Fault, Kind};
use super::ground::Ground;
use super::load::Client;
use super::perform::Hands;
use super::recorder::Recorder;
use super::report::Report;
use super::schedule::{Planned, schedule};
use super::watch::Watch;
use super::world::World;
use super::{recovery, verdicts};

const PROGRESS: Duration = Duration::from_secs(5);

/// What a run is to be like.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What faults and load are drawn from.
    pub seed: u64,
    /// How long faults are made.
    pub length: Duration,
    /// Which kinds of faults.
    pub mix: Vec<Kind>,
    /// How many clients.
    pub clients: u32,
    /// How many accounts, over both banks.
    pub accounts: usize,
    /// At most so many requests; then the run ends early.
    pub requests: u64,
    /// Where the history goes.
    pub history: PathBuf,
    /// Whether the logs are kept although nothing was found.
    pub keep: bool,
    /// Whether it says on standard error how it goes.
    pub talk: bool,
}

/// Faults that are at work, and what they left behind.
#[derive(Default)]
struct Field {
    at_work: Mutex<Vec<Fault>>,
    /// Grows with each fault that begins.
    begun: AtomicUsize,
    made: Mutex<BTreeMap<Kind, u64>>,
    recoveries: Mutex<Vec<(String, Option<Duration>)>>,
}

/// Runs until its time is over, there were enough requests, or `interrupt` says so.
///
/// # Errors
/// When the history cannot be written.
///
/// # Panics
/// When the bank does not start.
pub async fn run(settings: Settings, interrupt: Receiver<bool>) -> io::Result<Report> {
    let say = |text: String| {
        if settings.talk {
            eprintln!("{text}");
        }
    };
    say("starting a bank of two banks and two coordinators".to_owned());
    let ground = Arc::new(Ground::prepare(settings.mix.clone()).await);
    let world = Arc::new(World::open(&ground.bank, settings.accounts).await);
    drop(ground.bank.admin().await);
    let planned = schedule(settings.seed, settings.length, &ground.mix);
    say(format!("seed {}: {} faults", settings.seed, planned.len()));
    let header = Header {
        format: FORMAT,
        seed: settings.seed,
        mix: words(&ground.mix),
        versions: [("bank".to_owned(), env!("CARGO_PKG_VERSION").to_owned())].into(),
        accounts: world.start.clone(),
    };
    let recorder = Recorder::new(&settings.history, &header, settings.requests)?;
    let recorder = Arc::new(recorder);
    let began = Instant::now();

    let (stop_load, load_stops) = channel(false);
    let mut clients = JoinSet::new();
    for number in 1..=settings.clients {
        let (world, recorder) = (Arc::clone(&world), Arc::clone(&recorder));
        let client = Client::new(number, settings.seed, world, recorder);
        clients.spawn(client.run(load_stops.clone()));
    }
    let watch = Arc::new(Watch::default());
    let watching = {
        let (watch, ground) = (Arc::clone(&watch), Arc::clone(&ground));
        tokio::spawn(async move { watch.run(&ground.bank).await })
    };
    let hands = Arc::new(Hands::new(Arc::clone(&ground)));
    let field = Arc::new(Field::default());
    let (stop_faults, faults_stop) = channel(false);
    let mut faults = JoinSet::new();
    for one in planned {
        let talk = settings.talk;
        let making = make(one, began, talk, Arc::clone(&hands), Arc::clone(&field));
        faults.spawn(making_until(making, faults_stop.clone()));
    }
    let interrupted = wait(&settings, began, &recorder, &field, &mut clients, interrupt).await;

    say("healing everything".to_owned());
    end(stop_faults);
    faults.join_all().await;
    let unfinished = std::mem::take(&mut *field.at_work.lock().expect("lock"));
    for fault in unfinished {
        hands.heal(fault).await;
    }
    ground.bank.network().heal();
    let lasted = began.elapsed();
    end(stop_load);
    clients.join_all().await;
    let at_rest = recovery::of_everything(&ground.bank).await;
    watching.abort();
    drop(watching.await);

    say("checking".to_owned());
    let mut report = Report {
        seed: settings.seed,
        mix: ground.mix.clone(),
        skipped: ground.skipped.clone(),
        interrupted,
        lasted,
        requests: recorder.count(),
        outcomes: recorder.outcomes(),
        faults: field.made.lock().expect("lock").clone(),
        recoveries: field.recoveries.lock().expect("lock").clone(),
        at_rest,
        live_checks: watch.seen().checks,
        checks: Vec::new(),
        verdict: None,
        history: settings.history.clone(),
        logs: None,
    };
    verdicts::reach(&mut report, &ground, &hands, &watch, &recorder).await?;
    if settings.keep || !report.is_good() {
        report.logs = verdicts::keep_logs(&ground, &settings.history).ok();
    }
    drop(hands);
    if let Ok(ground) = Arc::try_unwrap(ground) {
        ground.stop().await;
    }
    Ok(report)
}

fn words(mix: &[Kind]) -> String {
    let words: Vec<String> = mix.iter().map(Kind::to_string).collect();
    words.join(",")
}

/// Nobody may be left to hear it.
fn end(signal: Sender<bool>) {
    signal.send_replace(true);
}

/// Until the time is over, the clients have had enough, or somebody interrupts; says whether it was
/// the last.
async fn wait(
    settings: &Settings,
    began: Instant,
    recorder: &Recorder,
    field: &Field,
    clients: &mut JoinSet<()>,
    mut interrupt: Receiver<bool>,
) -> bool {
    let over = tokio::time::sleep(settings.length);
    tokio::pin!(over);
    let mut progress = tokio::time::interval(PROGRESS);
    loop {
        tokio::select! {
            () = &mut over => return false,
            interrupted = interrupt.wait_for(|now| *now) => return interrupted.is_ok(),
            Some(_) = clients.join_next() => if clients.is_empty() { return false },
            _ = progress.tick() => if settings.talk {
                let faults = field.at_work.lock().expect("lock");
                let faults: Vec<String> = faults.iter().map(Fault::to_string).collect();
                let now = began.elapsed().as_secs();
                eprintln!("{now:>5} s  {:>7} requests  {}", recorder.count(), faults.join("; "));
            }
        }
    }
}

/// A fault that is interrupted before its end stays on the list of those at work.
async fn making_until(making: impl Future<Output = ()>, mut stop: Receiver<bool>) {
    tokio::select! {
        () = making => {}
        _ = stop.wait_for(|now| *now) => {}
    }
}

/// One fault, at its time, for as long as it is to last; then how long the bank takes to recover.
async fn make(planned: Planned, began: Instant, talk: bool, hands: Arc<Hands>, field: Arc<Field>) {
    let Planned { at, lasts, fault } = planned;
    let begins = tokio::time::Instant::from_std(began + at);
    tokio::time::sleep_until(begins).await;
    if talk {
        let now = began.elapsed().as_millis();
        eprintln!("        {now:>6} ms: {fault}, for {} ms", lasts.as_millis());
    }
    field.begun.fetch_add(1, Ordering::SeqCst);
    *field
        .made
        .lock()
        .expect("lock")
        .entry(fault.kind())
        .or_default() += 1;
    field.at_work.lock().expect("lock").push(fault);
    hands.begin(fault).await;
    tokio::time::sleep_until(begins + lasts).await;
    hands.heal(fault).await;
    let is_alone = {
        let mut at_work = field.at_work.lock().expect("lock");
        at_work.retain(|other| *other != fault);
        at_work.is_empty()
    };
    if !is_alone {
        return;
    }
    // The last of several at a time is the one after which the bank can recover.
    let begun = field.begun.load(Ordering::SeqCst);
    let disturbed = || field.begun.load(Ordering::SeqCst) != begun;
    let took = recovery::of_what_is_open(&hands.ground.bank, disturbed).await;
    let mut recoveries = field.recoveries.lock().expect("lock");
    recoveries.push((fault.to_string(), took));
}
