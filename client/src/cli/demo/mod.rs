//! Demonstrations against the running bank: real calls, real kills, and a verdict that is computed.

mod bench;
mod choose;
mod compare;
mod concurrent;
mod crash;
mod narrator;
mod picture;
mod process;
mod protocol;
mod race;
mod saga_failure;
mod stage;
mod stress;
mod victim;
mod words;

use std::io::IsTerminal;

pub use bench::bench;
pub use choose::choose;
use client::FailpointAction;
use narrator::Narrator;
use stage::Stage;

use super::args::{DemoArguments, Failpoint};
use super::context::Context;
use super::failure::Failure;
use super::interactive::prompt::Step;

/// One demonstration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demo {
    Race,
    Concurrent,
    Protocol,
    Comparison,
    Crash,
    SagaFailure,
}

/// Runs what was asked for, all of it even when one fails.
///
/// # Errors
/// Exit code 1 when a safe way was not safe.
pub async fn run(context: &Context, arguments: &DemoArguments) -> Result<(), Failure> {
    let wanted = [
        (arguments.race_condition(), Demo::Race),
        (arguments.concurrent(), Demo::Concurrent),
        (arguments.two_phase_commit(), Demo::Protocol),
        (arguments.comparison(), Demo::Comparison),
        (arguments.crash(), Demo::Crash),
        (arguments.saga_failure(), Demo::SagaFailure),
    ];
    let demos = wanted.into_iter().filter(|(wanted, _)| *wanted);
    let demos: Vec<_> = demos.map(|(_, demo)| demo).collect();
    let (mut points, mut action) = (arguments.point.clone(), arguments.action.map(Into::into));
    if arguments.asks_for_a_point() && is_terminal(context) {
        match choose(action) {
            Ok((point, chosen)) => (points, action) = (vec![point], Some(chosen)),
            Err(Step::Back | Step::Quit) => return Ok(()),
            Err(Step::Failed(failure)) => return Err(failure),
        }
    }
    let action = action.unwrap_or(FailpointAction::Abort);
    let crash = crash::Plan::new(arguments.data_dir.clone(), &points, action);
    perform(context, &demos, &crash).await
}

/// Runs the demonstrations from a menu.
pub async fn run_one(
    context: &Context,
    demo: Demo,
    crash: Option<(Failpoint, FailpointAction)>,
) -> Result<(), Failure> {
    let data_dir = std::env::var_os("BANK_DATA_DIR").map(Into::into);
    let points: Vec<_> = crash.into_iter().map(|(point, _)| point).collect();
    let action = crash.map_or(FailpointAction::Abort, |(_, action)| action);
    perform(
        context,
        &[demo],
        &crash::Plan::new(data_dir, &points, action),
    )
    .await
}

/// Somebody sits there and reads what we write.
fn is_terminal(context: &Context) -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal() && !context.out.is_json()
}

async fn perform(context: &Context, demos: &[Demo], crash: &crash::Plan) -> Result<(), Failure> {
    let mut narrator = Narrator::new(context.out.clone());
    let stage = Stage::set(context).await?;
    let mut failure = None;
    for demo in demos {
        let played = match demo {
            Demo::Race => race::play(&stage, &mut narrator).await,
            Demo::Concurrent => concurrent::play(&stage, &mut narrator).await,
            Demo::Protocol => protocol::play(&stage, &mut narrator).await,
            Demo::Comparison => compare::play(&stage, &mut narrator, crash.data_dir()).await,
            Demo::Crash => crash::play(&stage, &mut narrator, crash).await,
            Demo::SagaFailure => saga_failure::play(&stage, &mut narrator, crash.data_dir()).await,
        };
        if let Err(error) = played {
            if error.is_broken_pipe() {
                stage.clear().await;
                return Err(error);
            }
            narrator.broke_off(&error);
            failure.get_or_insert(error);
        }
    }
    stage.clear().await;
    let failed = narrator.finish()?;
    match failure {
        Some(error) => Err(error),
        None if failed.is_empty() => Ok(()),
        None => Err(Failure::Refused(format!(
            "Not as it has to be: {}.",
            failed.join("; ")
        ))),
    }
}
