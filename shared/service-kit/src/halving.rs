//! A list with one bad item: the others go on.

use crate::database::{self, Transient, retry_transient};

/// An error of work on a list, which may be one item's fault.
pub trait OfAnItem: Transient {
    /// Whether the cause lies in the data that were to be written or read, so that others of the
    /// same list may go on without the culprit.
    fn is_of_an_item(&self) -> bool;
}

impl OfAnItem for sqlx::Error {
    fn is_of_an_item(&self) -> bool {
        database::is_of_an_item(self)
    }
}

/// What became of a part of a list.
pub enum Part<R, E> {
    /// Its items have answers.
    Done(Vec<R>),
    /// It is a single item, and the database refuses it.
    Refused(E),
    /// The database did not answer, or not because of an item: nothing is known.
    Unknown(E),
}

/// Works on a list in one database transaction; where that fails because of an item, on its halves,
/// down to the item.
///
/// `work` is a whole database transaction on a part of the list. Deadlocks and serialization
/// failures are repeated. The parts come back in the order of the list, each with its length.
pub async fn halve<T, R, E, W, Fut>(items: &[T], work: W) -> Vec<(usize, Part<R, E>)>
where
    T: Clone,
    E: OfAnItem,
    W: Fn(Vec<T>) -> Fut,
    Fut: Future<Output = Result<Vec<R>, E>>,
{
    let mut parts = Vec::new();
    // A stack, the first half on top.
    let mut waiting = vec![items];
    while let Some(part) = waiting.pop() {
        if part.is_empty() {
            continue;
        }
        match retry_transient(|| work(part.to_vec())).await {
            Ok(answers) => parts.push((part.len(), Part::Done(answers))),
            Err(error) if !error.is_of_an_item() => {
                parts.push((part.len(), Part::Unknown(error)));
            }
            Err(error) if part.len() == 1 => parts.push((1, Part::Refused(error))),
            Err(error) => {
                tracing::warn!(event = "LIST_HALVED", items = part.len(), %error);
                let (first, second) = part.split_at(part.len() / 2);
                waiting.push(second);
                waiting.push(first);
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn case_109_one_bad_item_of_a_list_fails_alone_and_the_order_is_kept() {
        let items: Vec<u32> = (0..50).collect();
        let parts = halve(&items, |part: Vec<u32>| async move {
            if part.contains(&17) {
                Err(sqlx::Error::Decode("planted".into()))
            } else {
                Ok(part)
            }
        })
        .await;
        let mut seen = Vec::new();
        for (length, part) in parts {
            match part {
                Part::Done(answers) => seen.extend(answers),
                Part::Refused(_) => {
                    assert_eq!((length, seen.len()), (1, 17));
                    seen.push(17);
                }
                Part::Unknown(error) => panic!("{error}"),
            }
        }
        assert_eq!(seen, items);
    }

    #[tokio::test]
    async fn a_lost_connection_says_nothing_about_any_item() {
        let parts = halve(&[1, 2, 3], |_: Vec<u32>| async {
            Err::<Vec<u32>, _>(sqlx::Error::PoolTimedOut)
        })
        .await;
        assert!(matches!(parts[..], [(3, Part::Unknown(_))]));
    }
}
