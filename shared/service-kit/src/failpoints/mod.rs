//! Named points where a test or a demo can crash, pause or fail a service.
//!
//! Without the feature `failpoints`, [`hit`] is nothing and the routes do not exist.

use crate::config::BankConfig;

#[cfg(feature = "failpoints")]
mod registry;
#[cfg(feature = "failpoints")]
pub(crate) mod routes;

#[cfg(feature = "failpoints")]
pub use registry::{Action, Failpoint, clear, die, set};

/// A failpoint said: fail here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("failpoint {0}")]
pub struct Injected(pub &'static str);

impl From<Injected> for crate::Problem {
    fn from(injected: Injected) -> Self {
        Self::internal(injected)
    }
}

/// Why the failpoints of a configuration cannot be turned on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigureError {
    /// The list cannot be read.
    #[error("BANK_FAILPOINTS: {0:?} is not name=action[:count]")]
    Unreadable(String),
    /// This build has none.
    #[error("BANK_FAILPOINTS is set, but this build has no failpoints")]
    NotBuilt,
}

/// Turns on what the configuration lists: `after_begin=abort:1,before_done=pause`. Called by a
/// service's `main` before it serves.
///
/// # Errors
/// When the list cannot be read, or is not empty in a build without the feature: a test that
/// relies on a crash must not pass for want of one.
pub fn configure(bank: &BankConfig) -> Result<(), ConfigureError> {
    #[cfg(feature = "failpoints")]
    return registry::configure(&bank.failpoints);
    #[cfg(not(feature = "failpoints"))]
    if bank.failpoints.is_empty() {
        Ok(())
    } else {
        Err(ConfigureError::NotBuilt)
    }
}

/// The point `name` was reached. `abort` ends the process as SIGKILL does, `pause` waits until the
/// failpoint is cleared or changed.
///
/// # Errors
/// [`Injected`] when the failpoint says `fail`.
#[cfg(feature = "failpoints")]
pub async fn hit(name: &'static str) -> Result<(), Injected> {
    registry::hit(name).await
}

/// The point `name` was reached; nothing happens in this build.
///
/// # Errors
/// None.
#[cfg(not(feature = "failpoints"))]
#[inline]
#[expect(
    clippy::unused_async,
    reason = "the same signature as with the feature"
)]
pub async fn hit(_name: &'static str) -> Result<(), Injected> {
    Ok(())
}
