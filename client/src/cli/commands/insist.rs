//! Repeating what moves money until its outcome is known.

use std::future::Future;
use std::time::Duration;

use client::Error;
use types::{Code, IdempotencyKey};
use uuid::Uuid;

use crate::cli::failure::Failure;

/// How long to wait before each repetition: 16 s in all, longer than a coordinator's lease, so a
/// coordinator that was killed and started again has finished the transfer by then.
const PAUSES: [Duration; 7] = [
    Duration::from_millis(250),
    Duration::from_millis(750),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(4),
    Duration::from_secs(4),
];

/// A key for a request whose caller gave none.
pub fn own_key() -> IdempotencyKey {
    IdempotencyKey::try_from(format!("cli-{}", Uuid::new_v4()))
        .expect("visible ASCII of legal length")
}

/// Sends under `key`, and again under the same key while nobody knows what became of it.
///
/// A first request that reached nobody is not repeated: nothing happened, and a person waits.
pub async fn insist<T, F>(key: &IdempotencyKey, mut send: impl FnMut() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut doubt = None;
    for pause in PAUSES {
        match send().await {
            Ok(reply) => return Ok(reply),
            Err(error) if error.leaves_outcome_unknown() => doubt = Some(error),
            Err(error) if error.code() == Some(Code::Overloaded) => doubt = Some(error),
            Err(Error::Unreachable { .. }) if doubt.is_some() => {}
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(pause).await;
    }
    match send().await {
        Ok(reply) => Ok(reply),
        Err(error) if error.code() == Some(Code::Overloaded) => Err(error.into()),
        Err(Error::Refused(problem)) if !in_doubt(problem.code) => {
            Err(Error::Refused(problem).into())
        }
        Err(error) => Err(Failure::Unknown(format!(
            "It is not known whether the money moved: {}. Repeat the same command with \
             --idempotency-key {}: it moves at most once.",
            doubt.unwrap_or(error),
            key.as_str(),
        ))),
    }
}

const fn in_doubt(code: Code) -> bool {
    matches!(
        code,
        Code::OutcomeUnknown | Code::RequestInProgress | Code::InternalError
    )
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn unreachable(maybe_delivered: bool) -> Error {
        Error::Unreachable {
            service: "transactions-service".into(),
            url: "http://127.0.0.1:1".into(),
            reason: "connection refused".into(),
            maybe_delivered,
        }
    }

    #[tokio::test]
    async fn what_reached_nobody_is_not_repeated() {
        let sent = Cell::new(0);
        let result: Result<(), _> = insist(&own_key(), || {
            sent.set(sent.get() + 1);
            async { Err(unreachable(false)) }
        })
        .await;
        assert!(result.is_err());
        assert_eq!(sent.get(), 1);
    }

    #[tokio::test]
    async fn a_lost_reply_is_asked_for_again() {
        let sent = Cell::new(0);
        let result = insist(&own_key(), || {
            sent.set(sent.get() + 1);
            let first = sent.get() == 1;
            async move { if first { Err(unreachable(true)) } else { Ok(7) } }
        })
        .await;
        assert!(result.is_ok_and(|answer| answer == 7));
        assert_eq!(sent.get(), 2);
    }
}
