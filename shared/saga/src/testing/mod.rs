//! Faults for any saga: what fails, gets lost, comes twice, comes late, and who dies at which write
//! of the log; and after each trial a check of the caller's own that the slate is clean.
//!
//! Implement [`Subject`] for the saga, with the performers it really has or ones in memory, and
//!
//! ```text
//! let report = Trials::new(subject).run().await;
//! println!("{report}");
//! report.assert_clean();
//! ```
//!
//! The trials are the same in every run; the random ones depend on [`Trials::seed`] alone.
//! `examples/order.rs` is a whole one.
//!
//! | tried, at every step where it makes sense | has to end as |
//! |---|---|
//! | nothing goes wrong; performed twice; request or answer lost; no time for it | committed |
//! | refused; never any time; requests or answers lost for ever | compensated; behind the pivot: stuck, then committed |
//! | the pivot's answers lost | asked for until known: committed |
//! | an action after its compensation | compensated |
//! | a compensation performed twice; failing, then working; late | compensated |
//! | a compensation that keeps failing | stuck, then compensated |
//! | each of these with a process that dies before or after each write of the log | the same |
//! | each of these with a process that sleeps there while another finishes, and then goes on | the same |
//! | a mixture | one of the two, and clean |

mod clock;
mod plan;
mod report;
mod script;
mod trial;
mod tripwire;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

pub use clock::SimulatedClock;
pub use report::Report;

use crate::clock::{Clock, RealClock};
use crate::definition::{Definition, State};
use crate::ids::SagaId;
use crate::machine::Status;
use crate::options::{Backoff, Options};

/// A saga to be tried, with the world that it acts upon.
pub trait Subject: Send + Sync + 'static {
    /// The saga's state.
    type State: State;
    /// What its steps change.
    type World: Send + Sync + 'static;

    /// A world in which nothing has happened yet. Each trial has its own.
    fn world(&self) -> impl Future<Output = Self::World> + Send;

    /// The saga over that world.
    fn definition(&self, world: &Arc<Self::World>) -> Definition<Self::State>;

    /// What the saga begins with; in a world without faults it commits.
    fn state(&self) -> Self::State;

    /// Looks at the world when everything is over. [`Status::Committed`]: every effect is there,
    /// once. [`Status::Compensated`]: it is as if nothing had happened.
    ///
    /// # Errors
    /// What is wrong, in words.
    fn check(
        &self,
        world: &Self::World,
        saga_id: SagaId,
        ended: Status,
    ) -> impl Future<Output = Result<(), String>> + Send;
}

/// How trials are run.
#[derive(Debug, Clone)]
struct Settings {
    real_time: bool,
    seed: u64,
    random: usize,
}

impl Settings {
    fn clock(&self) -> Arc<dyn Clock> {
        if self.real_time {
            Arc::new(RealClock)
        } else {
            Arc::new(SimulatedClock::patient())
        }
    }

    fn options(&self, options: Options) -> Options {
        if !self.real_time {
            return options;
        }
        Options {
            backoff: Backoff {
                first: Duration::ZERO,
                cap: Duration::ZERO,
            },
            ..options
        }
    }
}

/// The trials of one saga.
#[derive(Debug)]
pub struct Trials<T> {
    subject: T,
    settings: Settings,
}

impl<T: Subject> Trials<T> {
    /// All trials, 200 random ones among them, with simulated time.
    #[must_use]
    pub const fn new(subject: T) -> Self {
        let settings = Settings {
            real_time: false,
            seed: 1,
            random: 200,
        };
        Self { subject, settings }
    }

    /// For performers that take real time, such as a database: answers time out as in production,
    /// and attempts follow each other without a wait.
    #[must_use]
    pub const fn in_real_time(mut self) -> Self {
        self.settings.real_time = true;
        self
    }

    /// Other random trials.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// How many random trials.
    #[must_use]
    pub const fn random(mut self, trials: usize) -> Self {
        self.settings.random = trials;
        self
    }

    /// Runs them, one after the other.
    pub async fn run(&self) -> Report {
        let world = Arc::new(self.subject.world().await);
        let definition = self.subject.definition(&world);
        let shape = definition.shape();
        let mut report = Report::default();
        let bases =
            plan::without_crash(shape, definition.longest_retries(), &definition.undoable());
        for base in bases {
            let writes = self.try_one(&base, &mut report).await;
            for crashing in plan::with_crashes(&base, writes) {
                self.try_one(&crashing, &mut report).await;
            }
        }
        let mut numbers = plan::Numbers(self.settings.seed);
        for _ in 0..self.settings.random {
            self.try_one(&plan::random(shape, &mut numbers), &mut report)
                .await;
        }
        report
    }

    /// How many writes it took.
    async fn try_one(&self, trial: &trial::Trial, report: &mut Report) -> usize {
        let outcome = trial::run(&self.subject, trial, &self.settings).await;
        report.add(trial, &outcome);
        outcome.writes
    }
}
