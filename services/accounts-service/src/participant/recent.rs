//! What was promised a moment ago is still in memory when its decision comes.
//!
//! The race it survives: somebody else changes a branch or an account in between. What is remembered
//! is believed only by a list without locks (`unlocked.rs`), whose statement compares every branch
//! and every account it changes with what it was thought to be, and writes nothing when one of them
//! is not. So this spares reading, and decides nothing. A vote never rests on it: a refusal changes
//! no account, and nothing would be compared.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use two_phase::message::Vote;
use two_phase::messages::Answer;
use types::{AccountId, TransactionId};

use super::messages::Item;
use crate::account::AccountState;
use crate::branch::Content;

/// Shared by all lists of a participant. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Recent(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    branches: Latest<TransactionId, Arc<Content>>,
    accounts: Latest<AccountId, Marked>,
}

/// An account with the mark of the row it was read from, or written to.
pub(super) type Marked = (AccountState, String);

/// What is remembered of what a list is about.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    /// Branches that were prepared.
    pub(super) branches: HashMap<TransactionId, Content>,
    /// Accounts as they were left.
    pub(super) accounts: HashMap<AccountId, Marked>,
}

impl Remembered {
    pub(super) fn is_nothing(&self) -> bool {
        self.branches.is_empty() && self.accounts.is_empty()
    }
}

impl Recent {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is remembered of the decisions in this list. It is forgotten here: decided branches are
    /// asked about no more, and accounts will have another mark.
    pub(super) fn take(&self, items: &[Item]) -> Remembered {
        let wanted: HashSet<AccountId> = items.iter().flat_map(voted_on).collect();
        let mut remembered = Remembered::default();
        let mut inner = self.inner();
        for item in items {
            let Item::Decide(id, _) = item else { continue };
            let Some(content) = inner.branches.take(id) else {
                continue;
            };
            for leg in &content.legs {
                let account = leg.account_id;
                if !wanted.contains(&account)
                    && let Some(state) = inner.accounts.take(&account)
                {
                    remembered.accounts.insert(account, state);
                }
            }
            let content = Arc::unwrap_or_clone(content);
            remembered.branches.insert(*id, content);
        }
        remembered
    }

    /// Forgets everything: this database may be another one than what is remembered was written to, and
    /// its marks may come again.
    pub(super) fn forget(&self) {
        *self.inner() = Inner::default();
    }

    /// Remembers the branches that are prepared now.
    pub(super) fn promised(&self, items: Vec<Item>, answers: &[Option<Answer>]) {
        let mut inner = self.inner();
        for (item, answer) in items.into_iter().zip(answers) {
            if let (Item::Prepare(id, content), Some(Answer::Vote(Vote::Yes))) = (item, answer) {
                inner.branches.keep(id, content);
            }
        }
    }

    /// Remembers accounts as they stand now, in rows of this mark.
    pub(super) fn written(&self, accounts: Vec<AccountState>, mark: &str) {
        let mut inner = self.inner();
        for account in accounts {
            let id = account.account_id;
            inner.accounts.keep(id, (account, mark.to_owned()));
        }
    }
}

fn voted_on(item: &Item) -> impl Iterator<Item = AccountId> {
    let legs = match item {
        Item::Prepare(_, content) => content.legs.as_slice(),
        Item::Decide(..) => &[],
    };
    legs.iter().map(|leg| leg.account_id)
}

/// The latest so many things that were kept, and at most twice as many.
#[derive(Debug)]
struct Latest<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

/// Some megabytes, and more than are prepared at a time by anything but long batches.
const YOUNG: usize = 4_096;

impl<K, V> Default for Latest<K, V> {
    fn default() -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
        }
    }
}

impl<K: Eq + Hash, V> Latest<K, V> {
    fn keep(&mut self, key: K, value: V) {
        if self.young.len() >= YOUNG {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&key);
        self.young.insert(key, value);
    }

    fn take(&mut self, key: &K) -> Option<V> {
        self.young.remove(key).or_else(|| self.old.remove(key))
    }
}

#[cfg(test)]
mod tests {
    use two_phase::message::Outcome;

    use super::*;
    use crate::account::samples::{account, id};
    use crate::branch::samples::{content, leg, transfer};

    fn prepare(content: Content) -> Item {
        Item::Prepare(TransactionId::generate(), Arc::new(content))
    }

    fn remembering(promised: &Item) -> Recent {
        let recent = Recent::default();
        recent.promised(vec![promised.clone()], &[Some(Answer::Vote(Vote::Yes))]);
        recent.written(vec![account(1, "0"), account(2, "0")], "7");
        recent
    }

    #[test]
    fn an_account_that_is_voted_on_is_read_whatever_is_remembered_of_it() {
        let promised = prepare(transfer(1, 2, "1"));
        let recent = remembering(&promised);
        let decided = Item::Decide(promised.id(), Outcome::Commit);
        let list = [decided, prepare(content([leg(1, "1", 0)]))];
        let remembered = recent.take(&list);
        assert!(remembered.branches.contains_key(&promised.id()));
        let accounts: Vec<_> = remembered.accounts.into_keys().collect();
        assert_eq!(accounts, [id(2)]);
        assert!(recent.take(&list).is_nothing(), "it is forgotten");
    }

    #[test]
    fn nothing_is_remembered_of_what_may_be_another_database() {
        let promised = prepare(transfer(1, 2, "1"));
        let recent = remembering(&promised);
        recent.forget();
        let decided = Item::Decide(promised.id(), Outcome::Commit);
        assert!(recent.take(&[decided]).is_nothing());
    }

    #[test]
    fn what_was_kept_lately_is_found_once_and_the_rest_is_forgotten() {
        let mut latest = Latest::default();
        for number in 0..3 * YOUNG {
            latest.keep(number, number);
        }
        assert!(latest.young.len() + latest.old.len() <= 2 * YOUNG);
        assert_eq!(latest.take(&0), None);
        assert_eq!(latest.take(&(2 * YOUNG)), Some(2 * YOUNG));
        assert_eq!(latest.take(&(2 * YOUNG)), None);
    }

    #[test]
    fn what_is_kept_again_is_found_as_it_was_left_last() {
        let mut latest = Latest::default();
        latest.keep(7, "first");
        (100..100 + YOUNG).for_each(|number| latest.keep(number, "other"));
        latest.keep(7, "last");
        assert_eq!(latest.take(&7), Some("last"));
        assert_eq!(latest.take(&7), None);
    }
}
