//! Named points where a test or a demo can crash, pause or fail a service.
//!
//! Without the feature `failpoints`, [`hit`] is nothing and the routes do not exist.

#[cfg(feature = "failpoints")]
mod registry;
#[cfg(feature = "failpoints")]
pub(crate) mod routes;

#[cfg(feature = "failpoints")]
pub use registry::{Action, Failpoint, clear, configure, set};

/// A failpoint said: fail here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("failpoint {0}")]
pub struct Injected(pub &'static str);

impl From<Injected> for crate::Problem {
    fn from(injected: Injected) -> Self {
        Self::internal(injected)
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
