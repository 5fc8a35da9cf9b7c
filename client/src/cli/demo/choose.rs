//! Which crash is to be shown: somebody at a terminal is asked.

use client::FailpointAction;

use super::words;
use crate::cli::args::{FAILPOINTS, Failpoint};
use crate::cli::interactive::prompt::{self, Step};

struct Action(FailpointAction);

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(words::action(self.0))
    }
}

/// Asks where it is to happen, and, unless that is known, what.
pub fn choose(action: Option<FailpointAction>) -> Result<(Failpoint, FailpointAction), Step> {
    let point = prompt::choose("Where is it to happen?", FAILPOINTS.to_vec())?;
    if let Some(action) = action {
        return Ok((point, action));
    }
    let actions = [
        FailpointAction::Abort,
        FailpointAction::Pause,
        FailpointAction::Fail,
    ];
    let actions = actions.map(Action).into_iter().collect();
    let Action(action) = prompt::choose("What is to happen there?", actions)?;
    Ok((point, action))
}
