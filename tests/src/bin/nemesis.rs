//! Does everything to a bank that can go wrong, while clients use it, and says whether anybody lost
//! a cent: `nemesis --minutes 10 --seed 42`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Parser;
use tests::nemesis::{Kind, Settings, run};
use tokio::signal::unix::{SignalKind, signal};

/// Makes faults at a bank under load and checks that no money is lost, made or promised twice.
///
/// It starts a bank of its own (two banks, two coordinators, a PostgreSQL for each), clients that
/// use it, and faults drawn from the seed: the same seed, minutes and mix give the same faults at
/// the same times. Meanwhile the ledgers are checked; at the end everything is healed, must be at
/// rest within 30 seconds, and the whole history of requests and answers is checked against the
/// ledgers. Exit 0: nothing was found. Exit 1: something is wrong, and the report says what; the
/// history and the logs are kept. Ctrl-C ends it early, with a report of what there was.
///
/// The services' programs must be built: cargo build --workspace
#[derive(Parser)]
#[command(name = "nemesis")]
struct Arguments {
    /// How long faults are made. At most 40: a login lasts no longer.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=40))]
    minutes: u64,
    /// What faults and load are drawn from; drawn by chance and printed when not given.
    #[arg(long)]
    seed: Option<u64>,
    /// Which faults: `all`, or some of kill,stop,network,postgres,disk,clock. `disk` needs root,
    /// `clock` libfaketime; where they cannot be made they are left out, and the report says so.
    #[arg(long, default_value = "all")]
    mix: Mix,
    /// How many clients use the bank at the same time.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=200))]
    clients: u32,
    /// How many accounts there are, over both banks; one at each is in every third request.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(6..=300))]
    accounts: u16,
    /// Ends early after so many requests.
    #[arg(long, default_value_t = 200_000)]
    requests: u64,
    /// Where the history goes; `check-history` checks it again.
    #[arg(long, default_value = "target/nemesis/history.jsonl")]
    history: PathBuf,
    /// Keeps the logs also when nothing was found.
    #[arg(long)]
    keep: bool,
}

#[derive(Clone)]
struct Mix(Vec<Kind>);

impl FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self(Kind::ALL.to_vec()));
        }
        let kinds: Result<Vec<Kind>, String> = text.split(',').map(str::parse).collect();
        let mut kinds = kinds?;
        kinds.sort_unstable();
        kinds.dedup();
        Ok(Self(kinds))
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let seed = arguments.seed.unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        u64::from(now.unwrap_or_default().subsec_nanos())
    });
    let (interrupt, interrupted) = tokio::sync::watch::channel(false);
    tokio::spawn(async move {
        let (Ok(mut first), Ok(mut second)) = (
            signal(SignalKind::interrupt()),
            signal(SignalKind::terminate()),
        ) else {
            return;
        };
        for hurry in [false, true] {
            tokio::select! {
                _ = first.recv() => {}
                _ = second.recv() => {}
            }
            if hurry {
                // What was started ends with us: it is on a leash.
                std::process::exit(130);
            }
            eprintln!("ending; once more ends it at once");
            interrupt.send_replace(true);
        }
    });
    let settings = Settings {
        seed,
        length: Duration::from_secs(arguments.minutes * 60),
        mix: arguments.mix.0,
        clients: arguments.clients,
        accounts: arguments.accounts.into(),
        requests: arguments.requests,
        history: arguments.history,
        keep: arguments.keep,
        talk: true,
    };
    match run(settings, interrupted).await {
        Ok(report) => {
            print!("{report}");
            if report.is_good() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("the history cannot be written: {error}");
            ExitCode::FAILURE
        }
    }
}
