//! Histories drawn from a sequential bank are accepted; with one relevant field changed they are not.

use proptest::prelude::*;
use types::views::Status;
use types::{Amount, Balance};

use super::builder::{Run, account, legs, money, read, transaction, transfer};
use crate::check;
use crate::format::{History, Reply, Request, What};

/// What a client does next: drawn numbers, which are cut down to what there is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) kind: u8,
    pub(super) client: u8,
    pub(super) from: u8,
    pub(super) to: u8,
    pub(super) amount: u8,
    /// How long before and after its effect the request is under way.
    pub(super) before: u8,
    pub(super) after: u8,
}

const ACCOUNTS: [u64; 5] = [1, 2, 3, 11, 12];
const CLIENTS: usize = 4;

/// Every step takes effect at one moment, in this order; the requests around them overlap.
pub(super) fn simulated(steps: &[Step]) -> Run {
    let mut run = Run::new(&ACCOUNTS);
    let mut free = [0; CLIENTS];
    let mut now = 1_000_u64;
    for (number, step) in (1..).zip(steps) {
        let client = usize::from(step.client) % CLIENTS;
        let invoked = now.saturating_sub(step.before.into()).max(free[client] + 1);
        now = now.max(invoked) + 10;
        let answered = now + 1 + u64::from(step.after);
        free[client] = answered;
        // Clients are told apart from those that were too impatient to hear an answer.
        let client = u32::try_from(client).unwrap();
        act(&mut run, number, *step, client, (invoked, answered));
    }
    run
}

fn act(run: &mut Run, number: u64, step: Step, client: u32, at: (u64, u64)) {
    let pick = |drawn: u8| ACCOUNTS[usize::from(drawn) % ACCOUNTS.len()];
    let (from, mut to) = (pick(step.from), pick(step.to));
    if from == to {
        to = if from == 1 { 2 } else { 1 };
    }
    let amount = (u32::from(step.amount) + 1).to_string();
    let enough = run.balance(from) >= money(&amount);
    let key = format!("k{number}");
    match step.kind % 8 {
        0 | 1 if enough => {
            let id = run.commit(number, &key, &legs(from, to, &amount));
            let reply = Reply::Transfer {
                transaction: id,
                settled: step.kind.is_multiple_of(2),
            };
            run.call(
                client,
                at,
                transfer(&key, from, to, &amount),
                What::Ok(reply),
            );
        }
        0 | 1 => {
            let why = "insufficient_funds";
            let id = run.abort(number, &key, why, &legs(from, to, &amount));
            let what = What::Fail {
                code: why.to_owned(),
                transaction: Some(id),
            };
            run.call(client, at, transfer(&key, from, to, &amount), what);
        }
        2 => {
            if enough {
                run.commit(number, &key, &legs(from, to, &amount));
            }
            run.call(
                client,
                at,
                transfer(&key, from, to, &amount),
                Run::silence(),
            );
        }
        3 => {
            let reply = run.cash(number, &key, from, &amount);
            let request = Request::Deposit {
                key,
                account: account(from),
                amount: amount.parse::<Amount>().unwrap(),
            };
            run.call(client, at, request, What::Ok(reply));
        }
        4 => {
            let bank = if from > 10 {
                &ACCOUNTS[3..]
            } else {
                &ACCOUNTS[..3]
            };
            run.lists(client, at, bank);
        }
        5 if !run.history.records.is_empty() => {
            let place = usize::from(step.amount) % run.history.records.len();
            let record = &run.history.records[place];
            let (transaction, status) = (record.transaction, record.status);
            let reply = Reply::Status {
                status,
                settled: true,
            };
            run.call(client, at, Request::Status { transaction }, What::Ok(reply));
        }
        _ => run.reads(client, at, from),
    }
}

/// A client's answer of one kind, if there is one; which, is drawn.
fn answer(history: &mut History, drawn: usize, wanted: fn(&Reply) -> bool) -> Option<&mut Reply> {
    let replies = history
        .events
        .iter_mut()
        .filter_map(|event| match &mut event.what {
            What::Ok(reply) if wanted(reply) => Some(reply),
            _ => None,
        });
    let mut replies: Vec<_> = replies.collect();
    let count = replies.len().max(1);
    (!replies.is_empty()).then(|| replies.swap_remove(drawn % count))
}

fn more(balance: Balance) -> Balance {
    balance.plus(money("0.01")).unwrap()
}

/// Changes one field so that the history becomes impossible; `None` where it has no such field.
fn corrupt(history: &mut History, kind: usize, drawn: usize) -> Option<&'static str> {
    let entries = history.entries.len();
    match kind % 14 {
        0 => {
            let reply = answer(history, drawn, |one| matches!(one, Reply::Account(_)))?;
            let Reply::Account(seen) = reply else {
                return None;
            };
            seen.balance = more(seen.balance);
            Some("a balance that was read")
        }
        1 => {
            let reply = answer(history, drawn, |one| matches!(one, Reply::Account(_)))?;
            let Reply::Account(seen) = reply else {
                return None;
            };
            seen.version += 1;
            Some("a version that was read")
        }
        2 => {
            history.entries.remove(drawn % entries);
            Some("an entry is missing")
        }
        3 => {
            let entry = &mut history.entries[drawn % entries];
            entry.change = more(entry.change);
            Some("the change of an entry")
        }
        4 => {
            let copy = history.entries[drawn % entries].clone();
            history.entries.push(copy);
            Some("an entry twice")
        }
        5 => {
            let place = history
                .events
                .iter()
                .position(|event| matches!(event.what, What::Ok(Reply::Transfer { .. })))?;
            let What::Ok(Reply::Transfer { transaction, .. }) = history.events[place].what else {
                return None;
            };
            history.events[place].what = What::Fail {
                code: "account_locked".to_owned(),
                transaction: Some(transaction),
            };
            Some("a confirmation becomes a refusal")
        }
        6 => {
            let count = history.records.len().max(1);
            let record = history.records.get_mut(drawn % count)?;
            record.status = match record.status {
                Status::Committed => Status::Aborted,
                _ => Status::Committed,
            };
            Some("the status of a record")
        }
        7 => {
            let reply = answer(history, drawn, |one| matches!(one, Reply::Transfer { .. }))?;
            let Reply::Transfer {
                transaction: id, ..
            } = reply
            else {
                return None;
            };
            *id = transaction(9_999_999);
            Some("the transaction of an answer")
        }
        8 => {
            let place = history
                .records
                .iter()
                .position(|one| one.status == Status::Committed)?;
            history.records.remove(place);
            Some("a record is missing")
        }
        9 => {
            let old = history
                .events
                .iter()
                .rev()
                .find_map(|event| match &event.what {
                    What::Ok(Reply::Account(seen)) if seen.version > 1 => Some(*seen),
                    _ => None,
                })?;
            let mut entries = history.entries.iter();
            let row =
                entries.find(|one| one.account == old.account && one.version == old.version - 1)?;
            let mut seen = old;
            (seen.version, seen.balance) = (row.version, row.balance_after);
            seen.available = row.balance_after;
            stale_read(history, seen);
            Some("an old balance after a newer one was read")
        }
        10 => {
            let reply = answer(history, drawn, |one| matches!(one, Reply::Status { .. }))?;
            let Reply::Status { status, .. } = reply else {
                return None;
            };
            *status = match status {
                Status::Committed => Status::Aborted,
                _ => Status::Committed,
            };
            Some("a status that was read")
        }
        11 => {
            let reply = answer(history, drawn, |one| matches!(one, Reply::Cash { .. }))?;
            let Reply::Cash { version, .. } = reply else {
                return None;
            };
            *version += 1;
            Some("the version of a receipt")
        }
        12 => {
            let count = history.accounts.len();
            let state = &mut history.accounts[drawn % count];
            state.balance = more(state.balance);
            Some("the balance of an account")
        }
        _ => {
            let reply = answer(history, drawn, |one| matches!(one, Reply::Accounts(_)))?;
            let Reply::Accounts(list) = reply else {
                return None;
            };
            list.pop();
            Some("an account is missing in a list")
        }
    }
}

fn stale_read(history: &mut History, seen: crate::format::Seen) {
    let end = history.events.last().map_or(0, |event| event.at);
    let number = 1_000_000;
    for (at, what) in [
        (end + 10, None),
        (end + 20, Some(What::Ok(Reply::Account(seen)))),
    ] {
        let place = super::builder::account_number(seen.account);
        history.events.push(crate::format::Event {
            at,
            client: 99,
            operation: number,
            what: what.unwrap_or_else(|| What::Invoke(read(place))),
        });
    }
}

fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = (any::<[u8; 7]>()).prop_map(|drawn| Step {
        kind: drawn[0],
        client: drawn[1],
        from: drawn[2],
        to: drawn[3],
        amount: drawn[4],
        before: drawn[5],
        after: drawn[6],
    });
    proptest::collection::vec(step, 1..most)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_a_sequential_bank_does_is_accepted(steps in steps(60)) {
        let run = simulated(&steps);
        let verdict = check(&run.history);
        prop_assert!(verdict.is_good(), "{verdict}");
    }

    #[test]
    fn one_changed_field_is_rejected(steps in steps(60), kind in 0..14_usize, drawn in any::<usize>()) {
        let mut history = simulated(&steps).history;
        if let Some(what) = corrupt(&mut history, kind, drawn) {
            prop_assert!(!check(&history).is_good(), "accepted: {what}");
        }
    }
}
