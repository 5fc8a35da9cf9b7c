//! `banking-cli demo ...`

use std::path::PathBuf;

use clap::Args;

use super::failpoints::{Failpoint, named};
use super::values::ActionChoice;

pub const AFTER_HELP: &str = "\
Every demo makes its own accounts, says what it does, what is to be expected
and what happened, and exits 1 when the safe way was not safe.

Examples:
  banking-cli demo --race-condition
  banking-cli demo --crash
  banking-cli demo --crash --point after_decide
  banking-cli demo --crash --point before_ack --action pause";

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
    /// The same transfers by two-phase commit and by saga, watched and killed
    #[arg(long)]
    pub two_phase_commit_vs_saga: bool,
    /// A process is killed in the middle of a transfer and started again
    #[arg(long)]
    pub crash: bool,
    /// An order that fails at every step, in every way
    #[arg(long)]
    pub saga_failure: bool,
    /// All of them but the last
    #[arg(long)]
    pub all: bool,
}

/// Which demonstrations to run, and how.
#[derive(Debug, Args)]
pub struct DemoArguments {
    #[command(flatten)]
    pub which: DemoSelection,
    /// For --crash: where it happens (`list` explains the choice); on a terminal you are asked
    #[arg(long, value_name = "POINT", value_parser = named)]
    pub point: Vec<Failpoint>,
    /// For --crash: what happens there [default: abort]
    #[arg(long, value_enum)]
    pub action: Option<ActionChoice>,
    /// Where processes are killed: the running bank's data directory [default: .data]
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

    pub const fn comparison(&self) -> bool {
        self.which.two_phase_commit_vs_saga || self.which.all
    }

    pub const fn crash(&self) -> bool {
        self.which.crash || self.which.all
    }

    pub const fn saga_failure(&self) -> bool {
        self.which.saga_failure
    }

    /// A crash was wished for by name, and not where.
    pub const fn asks_for_a_point(&self) -> bool {
        self.which.crash && self.point.is_empty()
    }
}
