//! The same transfers by two-phase commit and by saga, and what each shows and leaves.

mod crash;
mod watch;

use std::path::Path;

use types::views::Protocol;

use super::narrator::Narrator;
use super::process::LocalBank;
use super::stage::Stage;
use crate::cli::failure::Failure;

/// Both of them, in the order in which they are shown.
const PROTOCOLS: [Protocol; 2] = [Protocol::TwoPhaseCommit, Protocol::Saga];

const fn words(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::TwoPhaseCommit => "Two-phase commit",
        Protocol::Saga => "Saga",
    }
}

pub async fn play(
    stage: &Stage,
    narrator: &mut Narrator,
    data_dir: Option<&Path>,
) -> Result<(), Failure> {
    watch::play(stage, narrator).await?;
    match LocalBank::find(data_dir) {
        Ok(local) => crash::play(stage, narrator, &local).await,
        Err(Failure::Refused(reason)) => {
            narrator.act("Two-phase commit and saga: what a crash leaves")?;
            narrator.happened(&format!("Left out. {reason}"))
        }
        Err(other) => Err(other),
    }
}
