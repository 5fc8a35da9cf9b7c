//! Failures that a request asked for, to see what becomes of an order. In development only.
//!
//! A step comes by three points: before its effect, half-way, and after it. What is answered there
//! is true: before the effect a failing step has refused, later nobody can know.

use saga::{Answer, Reason};
use sqlx::PgPool;
use types::views::{Failure, FailureKind, FailureWhen, OrderStep};
use types::{Code, OrderId};

use crate::store::failures;

/// What a step says that was made to fail.
pub const INJECTED: Reason = Reason::fixed(Code::InjectedFailure.as_str());

/// The points of one attempt at one step.
#[derive(Debug, Clone)]
pub struct Points {
    pool: PgPool,
    order_id: OrderId,
    failure: Option<Failure>,
}

impl Points {
    /// The points of this attempt at this step. A step that is asked for until somebody knows fails
    /// at the first attempt only, or its order would never end.
    #[must_use]
    pub fn of(
        pool: &PgPool,
        order_id: OrderId,
        failure: Option<Failure>,
        step: OrderStep,
        attempt: u32,
    ) -> Self {
        let once = step == OrderStep::Confirm;
        Self {
            pool: pool.clone(),
            order_id,
            failure: failure
                .filter(|failure| failure.step == step)
                .filter(|failure| !once || attempt == 1 || is_refusal(failure)),
        }
    }

    /// Whether the step is to fail at this point.
    #[must_use]
    pub fn fails(&self, when: FailureWhen) -> bool {
        self.failure.is_some_and(|failure| failure.when == when)
    }

    /// Comes by a point: `Some` is to be answered instead of going on.
    pub async fn at<S>(&self, when: FailureWhen) -> Option<Answer<S>> {
        let failure = self.failure.filter(|failure| failure.when == when)?;
        match failure.kind {
            FailureKind::Error if when == FailureWhen::Before => Some(Answer::Refused(INJECTED)),
            FailureKind::Error => Some(Answer::Unknown(INJECTED)),
            // The executor stops waiting; until then nobody hears anything.
            FailureKind::Timeout => std::future::pending().await,
            FailureKind::Crash => match failures::first(&self.pool, self.order_id).await {
                Ok(true) => die(),
                Ok(false) => None,
                Err(_) => Some(Answer::Unknown(INJECTED)),
            },
        }
    }
}

/// The step says that it failed before it did anything.
fn is_refusal(failure: &Failure) -> bool {
    failure.when == FailureWhen::Before && failure.kind == FailureKind::Error
}

/// Ends the process as SIGKILL does.
#[cfg(feature = "failpoints")]
fn die() -> ! {
    service_kit::failpoints::die()
}

/// Ends the process: a build without failpoints has no gentler way to crash.
#[cfg(not(feature = "failpoints"))]
fn die() -> ! {
    std::process::abort()
}
