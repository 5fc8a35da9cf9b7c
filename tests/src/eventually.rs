//! Waiting for what another process does.

use std::future::Future;
use std::time::{Duration, Instant};

/// After the last fault is healed everything is terminal within this (docs/faults.md).
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Asks again until the answer is `Some`, and gives it back.
///
/// # Panics
/// When it still is `None` after [`PATIENCE`]; `what` says what was waited for.
pub async fn eventually<T, F, Fut>(what: &str, mut ask: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within 30 s: {what}");
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}
