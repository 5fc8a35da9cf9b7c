//! The performers: the barrier's decisions over a toy database.

use saga::barrier::{
    OnAction, OnCompensation, Recorded, after_action, after_compensation, on_action,
    on_compensation,
};
use saga::{Answer, Direction, Reason};

use crate::mistakes::Mistake;
use crate::scenario::Scenario;
use crate::state::{Finding, Message, State, StepIndex};

pub const R: Reason = Reason::fixed("because");

/// One database transaction of the performer's, and its answer.
pub fn perform(
    scenario: &Scenario,
    state: &mut State,
    step: StepIndex,
    direction: Direction,
    finding: Finding,
) {
    let rows = &mut state.performers[step];
    let found = match finding {
        Finding::Possible => Answer::<()>::Done,
        Finding::Refused => Answer::Refused(R),
        Finding::Locked => Answer::NotNow(R),
    };
    let answer = match direction {
        Direction::Action => match on_action(rows.action.as_ref()) {
            OnAction::Answer(answer) if scenario.mistake != Mistake::NoBarrier => answer,
            OnAction::Answer(_) | OnAction::Perform => {
                if let Some(recorded) = after_action(&found) {
                    rows.done += u8::from(recorded == Recorded::Done);
                    rows.action = Some(recorded);
                }
                found
            }
        },
        Direction::Compensation => {
            let decided = on_compensation(rows.compensation.as_ref(), rows.action.as_ref());
            let answer = match decided {
                OnCompensation::Undo => found,
                OnCompensation::Record
                | OnCompensation::CloseAndRecord
                | OnCompensation::Repeated => Answer::Done,
            };
            if let Some(recorded) = after_compensation(&answer) {
                rows.undone += u8::from(decided == OnCompensation::Undo);
                rows.compensation = Some(recorded);
                if decided == OnCompensation::CloseAndRecord
                    && scenario.mistake != Mistake::NoPoison
                {
                    rows.action = Some(Recorded::Closed);
                }
            }
            answer
        }
    };
    if matches!(answer, Answer::NotNow(_)) {
        state.network.consume(&Message::Request(step, direction));
    }
    // Twice is as bad as three times, and three times would be endless.
    rows.done = rows.done.min(2);
    state
        .network
        .send(Message::Answer(step, direction, answer.split().0));
}
