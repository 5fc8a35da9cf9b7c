//! The race it survives: a caller who hangs up while the store is working. Dropped half-way, a
//! driver may put a connection back that still waits for an answer, or an open transaction. So the
//! work runs in a task of its own, which is never dropped half-way, and only the waiting ends.

use std::future::Future;
use std::time::Duration;

use tracing::Instrument;

use crate::Error;

/// How long a caller waits for one call. Longer than the stores' own limits, which say more.
const LONGEST: Duration = Duration::from_secs(10);

/// Runs one call to a store.
pub(crate) async fn run<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let task = tokio::spawn(work.in_current_span());
    match tokio::time::timeout(LONGEST, task).await {
        Ok(Ok(result)) => result,
        Ok(Err(error)) => Err(Error::unavailable(&error)),
        Err(_) => Err(Error::Unavailable("no answer within 10 s".to_owned())),
    }
}

/// Asks until the store answers, for up to 30 s: a bank and its stores start at the same time.
pub(crate) async fn wait_until_up<F>(ask: impl Fn() -> F) -> Result<(), Error>
where
    F: Future<Output = Result<(), Error>>,
{
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        match ask().await {
            Err(Error::Unavailable(why)) if tokio::time::Instant::now() < deadline => {
                tracing::warn!(event = "DOCUMENTS_UNAVAILABLE", error = %why);
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
            result => return result,
        }
    }
}
