//! Has the steps of a transfer done at the banks.

use futures_util::future::join_all;
use saga::{Answer, Call};
use sqlx::PgPool;
use two_phase::steps::{StepAnswer, StepKind};

use super::definition::{Perform, Transfer, together};
use super::underway::Underway;
use crate::coordinator::alarm::raise_hazard;
use crate::coordinator::participants::Participants;

/// All banks, asked in lists.
pub(crate) struct Banks {
    pub(super) participants: Participants,
    pub(super) underway: Underway,
    pub(super) pool: PgPool,
}

impl Perform for Banks {
    /// Asks all banks of a step at once: none of them holds anything that another waits for.
    async fn perform(&self, step: StepKind, call: Call<Transfer>) -> Answer<Transfer> {
        let messages = call.state.messages(step, &call);
        let (banks, messages): (Vec<_>, Vec<_>) = messages.into_iter().unzip();
        let asked = banks
            .iter()
            .zip(messages)
            .map(|(bank, message)| self.participants.step(bank, message));
        let answers = join_all(asked).await;
        let id = call.saga_id.uuid().into();
        for (bank, answer) in banks.iter().zip(&answers) {
            // It may refuse an action before the decision, and nothing else.
            if let Some(StepAnswer::Refused { code }) = answer
                && (step == StepKind::Release || call.undoes.is_some())
            {
                let what = format!("saga_{}_refused", step.as_str());
                tracing::error!(event = "SAGA_STEP_REFUSED", saga_id = %call.saga_id, %code, what);
                if let Err(error) = raise_hazard(&self.pool, id, bank, &what, None).await {
                    tracing::warn!(event = "HAZARD_NOT_RECORDED", %error);
                }
            }
        }
        match together(&answers) {
            Answer::Refused(reason) | Answer::RefusedInPart(reason)
                if step == StepKind::Release =>
            {
                // It is decided: asked for until it is done, with a person called to help.
                Answer::Unknown(reason)
            }
            Answer::Done if step == StepKind::Release => {
                self.underway.settled(call.saga_id);
                Answer::Done
            }
            answer => answer,
        }
    }
}
