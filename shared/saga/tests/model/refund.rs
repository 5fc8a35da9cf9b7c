//! A refund that overtakes its payment: the refund first closes the payment's key. The payment
//! takes its performer more than one database transaction, as a transfer does.

use saga::Reason;
use saga::barrier::{OnClose, Recorded, Standing, close};
use stateright::{Checker, HasDiscoveries, Model, Property};

#[derive(Debug, Clone)]
pub struct Refund {
    /// The mistake: what nobody knows needs no refund.
    leaves_it_open: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    payment: Standing,
    paid: u8,
    reversed: u8,
    /// Somebody was told that nothing is paid, and nothing will be.
    told: bool,
}

/// Messages stay for ever: both requests can be delivered at any time, any number of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Pays,
    Decides(bool),
    Refunds,
}

const NOTHING_PAID: &str = "once refunded, nothing is paid for ever";

impl Refund {
    pub const fn right() -> Self {
        Self {
            leaves_it_open: false,
        }
    }
}

impl Model for Refund {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            payment: Standing::Absent,
            paid: 0,
            reversed: 0,
            told: false,
        }]
    }

    fn actions(&self, _: &State, actions: &mut Vec<Action>) {
        actions.extend([
            Action::Pays,
            Action::Decides(true),
            Action::Decides(false),
            Action::Refunds,
        ]);
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Pays => {
                if state.payment == Standing::Absent {
                    state.payment = Standing::Underway;
                }
            }
            Action::Decides(commit) => {
                if state.payment == Standing::Underway {
                    state.paid += u8::from(commit);
                    let refused = Recorded::Refused {
                        reason: Reason::fixed("aborted"),
                    };
                    state.payment =
                        Standing::Settled(if commit { Recorded::Done } else { refused });
                }
            }
            Action::Refunds => match close(&state.payment) {
                OnClose::Close => {
                    if !self.leaves_it_open {
                        state.payment = Standing::Settled(Recorded::Closed);
                    }
                    state.told = true;
                }
                OnClose::Wait => {}
                // The refund is an operation of its own, behind its own barrier.
                OnClose::Reverse => {
                    state.reversed = 1;
                    state.told = true;
                }
                OnClose::Nothing => state.told = true,
            },
        }
        (state != *before).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NOTHING_PAID, |_, state: &State| {
                !state.told || state.paid == state.reversed
            }),
            Property::always("nothing is paid twice", |_, state: &State| state.paid <= 1),
            Property::eventually("the refund ends", |_, state: &State| state.told),
            Property::sometimes("it overtakes the payment", |_, state: &State| {
                state.payment == Standing::Settled(Recorded::Closed)
            }),
            Property::sometimes("it reverses the payment", |_, state: &State| {
                state.reversed == 1
            }),
        ]
    }
}

#[test]
fn a_refund_that_does_not_close_the_payment_is_seen() {
    let checker = Refund {
        leaves_it_open: true,
    }
    .checker()
    .finish_when(HasDiscoveries::AnyOf([NOTHING_PAID].into()))
    .spawn_bfs()
    .join();
    assert!(checker.discovery(NOTHING_PAID).is_some());
}
