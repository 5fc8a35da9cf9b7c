//! What goes wrong between a saga and its performers, call by call.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::answer::{Answer, Reason, Verdict};
use crate::definition::{Answering, Call, Definition, State};
use crate::ids::{Direction, OperationId};
use crate::options::Options;

/// One thing that can happen to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mishap {
    /// The performer refuses it for good, with no effect.
    Refused,
    /// The performer has no time for it, with no effect.
    NotNow,
    /// It never arrives.
    RequestLost,
    /// It is performed, and nobody hears of it.
    AnswerLost,
    /// It is performed twice.
    Twice,
    /// It arrives after everything else is over.
    Late,
}

/// A mishap at one step, for so many calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Index of the step.
    pub step: usize,
    /// Its action or its compensation.
    pub direction: Direction,
    /// What happens to it.
    pub mishap: Mishap,
    /// How many calls it happens to.
    pub times: u32,
}

impl Fault {
    /// For as long as nobody mends it.
    pub(super) const FOR_EVER: u32 = u32::MAX;
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, mishap, .. } = self;
        write!(f, "{} of step {step} {mishap:?}", self.direction.as_str())?;
        match self.times {
            Self::FOR_EVER => f.write_str(" for ever"),
            1 => f.write_str(" once"),
            times => write!(f, " {times} times"),
        }
    }
}

/// A call that is performed when everything else is over.
type Held<S> = Box<dyn FnOnce() -> Answering<S> + Send>;

struct Inner<S> {
    faults: Vec<Fault>,
    /// Operations that a performer may have heard of: it cannot refuse them any more.
    reached: HashSet<OperationId>,
    /// Operations that were refused for good; that is remembered.
    refused: HashSet<OperationId>,
    held: Vec<Held<S>>,
    calls: usize,
    violations: Vec<String>,
}

/// The faults of one trial. Comes between the saga and its performers.
pub(super) struct Script<S>(Arc<Mutex<Inner<S>>>);

impl<S> Clone for Script<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// A saga that has asked so often would go on for ever.
const ENDLESS: usize = 1_000;

const INJECTED: Reason = Reason::fixed("injected");

impl<S: State> Script<S> {
    pub(super) fn new(faults: Vec<Fault>) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            faults,
            reached: HashSet::new(),
            refused: HashSet::new(),
            held: Vec::new(),
            calls: 0,
            violations: Vec::new(),
        })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The definition with the script between it and its performers.
    pub(super) fn between(&self, definition: &Definition<S>, options: Options) -> Definition<S> {
        definition.intercept(options, |step, direction, effect| {
            let script = self.clone();
            Arc::new(move |call: Call<S>| {
                let effect = Arc::clone(&effect);
                let script = script.clone();
                let perform = move |call| effect(call);
                Box::pin(async move { script.call(step, direction, call, perform).await })
            })
        })
    }

    /// Everything works from now on.
    pub(super) fn heal(&self) {
        let mut inner = self.inner();
        inner.faults.clear();
        inner.refused.clear();
    }

    /// Performs what was held back.
    pub(super) async fn deliver_late(&self) {
        let held = std::mem::take(&mut self.inner().held);
        for perform in held {
            // Whatever it answers, nobody is waiting; the check of the world looks at its effect.
            drop(perform().await);
        }
    }

    /// What performers did that they must not.
    pub(super) fn violations(&self) -> Vec<String> {
        self.inner().violations.clone()
    }

    fn next_mishap(
        &self,
        step: usize,
        direction: Direction,
        operation: OperationId,
    ) -> Option<Mishap> {
        let mut inner = self.inner();
        inner.calls += 1;
        if inner.calls == ENDLESS {
            inner
                .violations
                .push(format!("no end after {ENDLESS} calls"));
            inner.faults.clear();
        }
        if inner.refused.contains(&operation) {
            return Some(Mishap::Refused);
        }
        let reached = inner.reached.contains(&operation);
        let fault = inner.faults.iter_mut().find(|fault| {
            (fault.step, fault.direction) == (step, direction)
                && fault.times > 0
                && !(reached && fault.mishap == Mishap::Refused)
        });
        let mishap = fault.map(|fault| {
            if fault.times != Fault::FOR_EVER {
                fault.times -= 1;
            }
            fault.mishap
        });
        match (mishap, direction) {
            (Some(Mishap::Refused), Direction::Action) => {
                inner.refused.insert(operation);
            }
            // A refused compensation is not remembered, or nobody could ever mend it.
            (Some(Mishap::Refused | Mishap::NotNow | Mishap::RequestLost), _) => {}
            (None | Some(Mishap::AnswerLost | Mishap::Twice | Mishap::Late), _) => {
                inner.reached.insert(operation);
            }
        }
        mishap
    }

    async fn call(
        &self,
        step: usize,
        direction: Direction,
        call: Call<S>,
        perform: impl Fn(Call<S>) -> Answering<S> + Send + 'static,
    ) -> Answer<S> {
        match self.next_mishap(step, direction, call.operation_id) {
            None => perform(call).await,
            Some(Mishap::Refused) => Answer::Refused(INJECTED),
            Some(Mishap::NotNow) => Answer::NotNow(INJECTED),
            Some(Mishap::RequestLost) => Answer::Unknown(INJECTED),
            Some(Mishap::AnswerLost) => {
                drop(perform(call).await);
                Answer::Unknown(INJECTED)
            }
            Some(Mishap::Twice) => {
                let (first, _) = perform(call.clone()).await.split();
                let again = perform(call).await;
                let (second, state) = again.split();
                let settled =
                    |verdict: &Verdict| matches!(verdict, Verdict::Done | Verdict::Refused(_));
                if settled(&first) && first != second {
                    let what = format!("{} of step {step}", direction.as_str());
                    let violation =
                        format!("{what} answered {first:?}, and {second:?} when repeated");
                    self.inner().violations.push(violation);
                }
                match (second, state) {
                    (Verdict::Done, None) => Answer::Done,
                    (Verdict::Done, Some(state)) => Answer::DoneWith(state),
                    (Verdict::Refused(reason), _) => Answer::Refused(reason),
                    (Verdict::RefusedInPart(reason), _) => Answer::RefusedInPart(reason),
                    (Verdict::NotNow(reason), _) => Answer::NotNow(reason),
                    (Verdict::Unknown(reason), _) => Answer::Unknown(reason),
                }
            }
            Some(Mishap::Late) => {
                let held: Held<S> = Box::new(move || perform(call));
                self.inner().held.push(held);
                Answer::Unknown(INJECTED)
            }
        }
    }
}
