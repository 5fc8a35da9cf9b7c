//! `banking-cli demo ...`

use std::path::PathBuf;

use clap::Args;

pub const AFTER_HELP: &str = "\
Every demo makes its own accounts, says what it does, what is to be expected
and what happened, and exits 1 when the safe way was not safe.

Examples:
  banking-cli demo --race-condition
  banking-cli demo --crash --point after_decide";

/// Which demonstrations to run.
#[derive(Debug, Args)]
#[group(id = "which", required = true, multiple = true)]
pub struct DemoSelection {
    /// Two withdrawals of 100 from 150, the unsafe way and the safe way
    #[arg(long)]
    pub race_condition: bool,
    /// Many transfers at once, in both locking modes
    #[arg(long)]
    pub concurrent: bool,
    /// One transfer told message by message
    #[arg(long)]
    pub two_phase_commit: bool,
    /// The coordinator is killed in the middle of a transfer and started again
    #[arg(long)]
    pub crash: bool,
    /// All of them
    #[arg(long)]
    pub all: bool,
}

/// Which demonstrations to run, and how.
#[derive(Debug, Args)]
pub struct DemoArguments {
    #[command(flatten)]
    pub which: DemoSelection,
    /// For --crash: where the coordinator dies (`list` explains the choice)
    #[arg(long, value_name = "POINT", value_parser = point)]
    pub point: Vec<Failpoint>,
    /// For --crash: the running bank's data directory [default: .data]
    #[arg(long, env = "BANK_DATA_DIR", value_name = "DIR", hide_env = true)]
    pub data_dir: Option<PathBuf>,
}

impl DemoArguments {
    pub const fn race_condition(&self) -> bool {
        self.which.race_condition || self.which.all
    }

    pub const fn concurrent(&self) -> bool {
        self.which.concurrent || self.which.all
    }

    pub const fn two_phase_commit(&self) -> bool {
        self.which.two_phase_commit || self.which.all
    }

    pub const fn crash(&self) -> bool {
        self.which.crash || self.which.all
    }
}

/// A place in the coordinator where it can be made to die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failpoint {
    pub name: &'static str,
    pub means: &'static str,
    /// What must be true in the end; `None` where either outcome is right.
    pub commits: Option<bool>,
}

/// The coordinator's failpoints in the order in which a transfer passes them.
pub const FAILPOINTS: [Failpoint; 9] = [
    Failpoint {
        name: "after_begin",
        means: "the begin row is durable, no bank has heard of it",
        commits: Some(false),
    },
    Failpoint {
        name: "before_prepare_send",
        means: "the first PREPARE is about to be sent",
        commits: Some(false),
    },
    Failpoint {
        name: "after_votes",
        means: "every bank has promised, nothing is decided",
        commits: Some(false),
    },
    Failpoint {
        name: "before_decide",
        means: "the decision is about to be written",
        commits: Some(false),
    },
    Failpoint {
        name: "after_decide",
        means: "the decision is durable, no bank has been told",
        commits: Some(true),
    },
    Failpoint {
        name: "before_decision_send",
        means: "the first COMMIT is about to be sent",
        commits: Some(true),
    },
    Failpoint {
        name: "after_acks",
        means: "every bank has applied it, that is not written down",
        commits: Some(true),
    },
    Failpoint {
        name: "before_done",
        means: "done is about to be written",
        commits: Some(true),
    },
    Failpoint {
        name: "before_client_reply",
        means: "all is done, the client has not been told",
        commits: Some(true),
    },
];

fn point(text: &str) -> Result<Failpoint, String> {
    let found = FAILPOINTS.iter().find(|point| point.name == text);
    found.copied().ok_or_else(|| {
        let list = FAILPOINTS.map(|point| format!("  {:<21} {}", point.name, point.means));
        format!("the points are\n{}", list.join("\n"))
    })
}
