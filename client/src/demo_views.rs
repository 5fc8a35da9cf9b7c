//! What the development-only `/demo` routes take and answer.

use serde::{Deserialize, Serialize};
use types::Balance;

/// `POST /demo/unsafe-withdrawals`: the textbook race, run once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnsafeRun {
    /// The sandbox account of this run.
    pub account_id: String,
    /// What it had.
    pub opening_balance: Balance,
    /// What each of the two concurrent withdrawals did.
    pub withdrawals: Vec<UnsafeWithdrawal>,
    /// What is written on the account now.
    pub final_balance: Balance,
    /// What would be right after the withdrawals that paid out.
    pub expected_balance: Balance,
    /// The two differ: more was paid out than was booked.
    pub money_lost: bool,
}

/// One of the two withdrawals.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnsafeWithdrawal {
    /// What was asked for.
    pub amount: Balance,
    /// The balance it read.
    pub read_balance: Balance,
    /// The balance it wrote; `null` when it refused.
    #[serde(default)]
    pub wrote_balance: Option<Balance>,
    /// It paid out.
    pub succeeded: bool,
}

/// What a process does when it comes past a failpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailpointAction {
    /// Dies at once, as if the power had gone.
    Abort,
    /// Waits until the failpoint is cleared.
    Pause,
    /// Treats the step as failed.
    Fail,
}

/// `PUT /demo/failpoints/{name}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Failpoint {
    /// What happens there.
    pub action: FailpointAction,
    /// How many times.
    pub count: u32,
}

/// `GET /demo/failpoints/{name}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FailpointState {
    /// What happens there; `null` when it is off, or has happened as often as it was to.
    pub action: Option<FailpointAction>,
    /// How often it was reached since the process started.
    pub hits: u64,
    /// How many wait there now.
    pub paused: u32,
}
