//! Ledgers, records and answers that contradict each other, each with the reason it is rejected for.

use types::Amount;
use types::views::{EntryKind, Status};

use super::builder::{Run, account, leg, legs, money, read, transaction, transfer};
use crate::format::{KeyRecord, Reply, Request, What};
use crate::{Reason, check};

pub(super) fn rejected(run: &Run, reason: Reason) {
    let verdict = check(&run.history);
    assert!(verdict.count(reason) > 0, "expected {reason}:\n{verdict}");
}

/// A transfer of 5 from account 1 to 2 between 10 and 20, which is accepted as it is.
pub(super) fn one_transfer() -> Run {
    let mut run = Run::new(&[1, 2, 11]);
    run.transfers((10, 20), 1, 1, 2, "5");
    super::good::accepted(&run.history);
    run
}

pub(super) fn fail(code: &str, id: Option<u64>) -> What {
    What::Fail {
        code: code.to_owned(),
        transaction: id.map(transaction),
    }
}

#[test]
fn money_out_of_nothing() {
    let mut run = one_transfer();
    run.history.entries[0].change = money("-99");
    rejected(&run, Reason::DoesNotSumToZero);
}

#[test]
fn clearing_that_does_not_meet() {
    let mut run = Run::new(&[1, 11]);
    run.transfers((10, 20), 1, 1, 11, "5");
    // One bank books its counter-entry to its vault.
    let vault = account(9);
    let entry = run.history.entries.iter_mut();
    let entry = entry
        .rev()
        .find(|one| one.kind == EntryKind::Clearing && one.account == account(8));
    let entry = entry.unwrap();
    (entry.account, entry.version) = (vault, 2);
    entry.balance_after = money("-95");
    rejected(&run, Reason::DoesNotSumToZero);
}

#[test]
fn a_balance_that_is_not_the_sum_of_its_entries() {
    let mut run = one_transfer();
    run.account_mut(1).balance = money("96");
    rejected(&run, Reason::DoesNotAddUp);
}

#[test]
fn a_balance_below_the_limit() {
    let mut run = Run::new(&[1, 2]);
    run.transfers((10, 20), 1, 1, 2, "100.01");
    rejected(&run, Reason::BelowLimit);
}

#[test]
fn more_available_than_there_is() {
    let mut run = one_transfer();
    let mut seen = run.seen(1);
    seen.available = money("100");
    run.call(2, (30, 40), read(1), What::Ok(Reply::Account(seen)));
    rejected(&run, Reason::BelowLimit);
}

#[test]
fn a_hold_without_a_transfer() {
    let mut run = one_transfer();
    let mut seen = run.seen(1);
    seen.available = money("90");
    run.call(2, (30, 40), read(1), What::Ok(Reply::Account(seen)));
    rejected(&run, Reason::BelowLimit);
}

#[test]
fn an_entry_that_stands_twice() {
    let mut run = one_transfer();
    let copy = run.history.entries.last().unwrap().clone();
    run.history.entries.push(copy);
    rejected(&run, Reason::Twice);
}

#[test]
fn two_transactions_under_one_key() {
    let mut run = one_transfer();
    run.commit(2, "k1", &legs(1, 2, "5"));
    rejected(&run, Reason::Twice);
}

#[test]
fn one_key_at_two_services() {
    let mut run = one_transfer();
    run.history.keys.push(KeyRecord {
        service: "bank-1".to_owned(),
        key: "k1".to_owned(),
        transactions: vec![transaction(1)],
    });
    rejected(&run, Reason::Twice);
}

#[test]
fn a_version_that_is_missing() {
    let mut run = one_transfer();
    run.reads(2, (30, 40), 1);
    let entries = &mut run.history.entries;
    entries.retain(|one| !(one.account == account(1) && one.version == 1));
    rejected(&run, Reason::VersionGap);
}

#[test]
fn an_answer_that_was_changed_later() {
    let mut run = one_transfer();
    let aborted = Reply::Status {
        status: Status::Aborted,
        settled: true,
    };
    let request = Request::Status {
        transaction: transaction(1),
    };
    run.call(2, (30, 40), request, What::Ok(aborted));
    rejected(&run, Reason::StatusChanged);
}

#[test]
fn pending_after_it_was_committed() {
    let mut run = one_transfer();
    let pending = Reply::Status {
        status: Status::Pending,
        settled: false,
    };
    let request = Request::Status {
        transaction: transaction(1),
    };
    run.call(2, (30, 40), request, What::Ok(pending));
    rejected(&run, Reason::StatusChanged);
}

#[test]
fn two_answers_under_one_key() {
    let mut run = one_transfer();
    run.call(
        1,
        (30, 40),
        transfer("k1", 1, 2, "5"),
        fail("insufficient_funds", Some(1)),
    );
    rejected(&run, Reason::StatusChanged);
    rejected(&run, Reason::RefusalBooked);
}

#[test]
fn a_list_that_shows_one_half() {
    let mut run = Run::new(&[1, 2]);
    let mut before = run.seen(1);
    run.transfers((10, 50), 1, 1, 2, "5");
    before.available = money("95");
    let half = vec![before, run.seen(2)];
    let request = Request::List {
        bank: "bank-1".to_owned(),
    };
    run.call(2, (20, 30), request, What::Ok(Reply::Accounts(half)));
    rejected(&run, Reason::SplitList);
}

#[test]
fn a_transaction_that_never_ends() {
    let mut run = one_transfer();
    run.abort(2, "k2", "account_locked", &legs(1, 2, "5"));
    run.call(1, (30, 40), transfer("k2", 1, 2, "5"), Run::silence());
    let record = run.history.records.last_mut().unwrap();
    (record.status, record.reason) = (Status::Pending, None);
    rejected(&run, Reason::NotFinal);
}

#[test]
fn committed_and_not_booked() {
    let mut run = one_transfer();
    let reply = Reply::Transfer {
        transaction: transaction(7),
        settled: true,
    };
    run.call(1, (30, 40), transfer("k7", 1, 2, "5"), What::Ok(reply));
    rejected(&run, Reason::PromiseBroken);
}

#[test]
fn committed_and_booked_on_one_side_only() {
    let mut run = Run::new(&[1, 11]);
    run.transfers((10, 20), 1, 1, 11, "5");
    run.history
        .entries
        .retain(|one| one.transaction != transaction(1) || one.account != account(11));
    rejected(&run, Reason::PromiseBroken);
}

#[test]
fn cash_that_was_shown_another_balance() {
    let mut run = one_transfer();
    let Reply::Cash {
        transaction,
        version,
        ..
    } = run.cash(2, "in", 1, "3")
    else {
        unreachable!()
    };
    let request = Request::Deposit {
        key: "in".to_owned(),
        account: account(1),
        amount: "3".parse::<Amount>().unwrap(),
    };
    let reply = Reply::Cash {
        transaction,
        version,
        balance_after: money("103"),
    };
    run.call(1, (30, 40), request, What::Ok(reply));
    rejected(&run, Reason::PromiseBroken);
}

#[test]
fn refused_and_booked() {
    let mut run = Run::new(&[1, 2]);
    run.commit(1, "k1", &legs(1, 2, "5"));
    run.call(
        1,
        (10, 20),
        transfer("k1", 1, 2, "5"),
        fail("participant_unavailable", Some(1)),
    );
    rejected(&run, Reason::RefusalBooked);
}

#[test]
fn refused_before_it_began_and_booked() {
    let mut run = Run::new(&[1, 2]);
    run.commit(1, "k1", &legs(1, 2, "5"));
    run.call(
        1,
        (10, 20),
        transfer("k1", 1, 2, "5"),
        fail("overloaded", None),
    );
    rejected(&run, Reason::RefusalBooked);
}

#[test]
fn an_aborted_transaction_with_an_entry() {
    let mut run = Run::new(&[1, 2]);
    run.commit(1, "k1", &legs(1, 2, "5"));
    run.call(1, (10, 20), transfer("k1", 1, 2, "5"), Run::silence());
    let record = run.history.records.last_mut().unwrap();
    (record.status, record.reason) = (Status::Aborted, Some("account_locked".to_owned()));
    rejected(&run, Reason::RefusalBooked);
}

#[test]
fn a_saga_that_was_given_up_and_not_refunded() {
    let mut run = Run::new(&[1, 2]);
    let id = run.abort(1, "k1", "account_frozen", &legs(1, 2, "5"));
    for (number, kind, change) in [
        (1, EntryKind::Transfer, "-5"),
        (7, EntryKind::Transit, "5"),
        (1, EntryKind::Refund, "4"),
        (7, EntryKind::Refund, "-4"),
    ] {
        run.post(id, number, kind, money(change));
    }
    let request = transfer("k1", 1, 2, "5");
    run.call(1, (10, 20), request, fail("account_frozen", Some(1)));
    rejected(&run, Reason::RefusalBooked);
}

#[test]
fn a_transfer_that_nobody_asked_for() {
    let mut run = one_transfer();
    run.commit(2, "k2", &legs(1, 2, "5"));
    rejected(&run, Reason::NobodyAsked);
}

#[test]
fn an_entry_that_nobody_decided() {
    let mut run = one_transfer();
    run.commit(2, "k2", &legs(1, 2, "5"));
    run.call(1, (30, 40), transfer("k2", 1, 2, "5"), Run::silence());
    run.history.records.pop();
    rejected(&run, Reason::NobodyAsked);
}

#[test]
fn another_amount_than_was_asked_for() {
    let mut run = Run::new(&[1, 2]);
    run.commit(1, "k1", &legs(1, 2, "6"));
    run.call(1, (10, 20), transfer("k1", 1, 2, "5"), Run::silence());
    rejected(&run, Reason::NobodyAsked);
}

#[test]
fn a_leg_too_many() {
    let mut run = Run::new(&[1, 2, 3]);
    let id = run.commit(1, "k1", &[leg(1, "-5"), leg(2, "3"), leg(3, "2")]);
    run.history.records[0].legs = vec![(0, leg(1, "-5")), (0, leg(2, "3"))];
    run.call(1, (10, 20), transfer("k1", 1, 2, "5"), Run::silence());
    assert_eq!(id, transaction(1));
    rejected(&run, Reason::NobodyAsked);
}
