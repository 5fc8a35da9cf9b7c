//! What may happen, however odd it looks.

use types::views::{EntryKind, Status};
use types::{Amount, Balance};

use super::bad::fail;
use super::builder::{Run, account, leg, legs, money, transfer};
use crate::format::{ItemResult, Leg, Reply, Request, Seen, What};
use crate::{History, check, read};

pub(super) fn accepted(history: &History) {
    let verdict = check(history);
    assert!(verdict.is_good(), "{verdict}");
}

#[test]
fn a_plain_history_is_accepted_and_survives_being_written_and_read() {
    let mut run = Run::new(&[1, 2, 11]);
    run.transfers((10, 20), 1, 1, 2, "5");
    run.transfers((30, 40), 2, 2, 11, "7.5");
    run.reads(2, (50, 60), 1);
    run.lists(2, (70, 80), &[1, 2]);
    accepted(&run.history);
    let file = run.history.write(Vec::new()).unwrap();
    assert_eq!(read(file.as_slice()).unwrap(), run.history);
}

#[test]
fn reads_that_overlap_a_transfer_may_see_either_side_of_it() {
    let mut run = Run::new(&[1, 2]);
    run.reads(2, (12, 50), 1);
    run.transfers((10, 60), 1, 1, 2, "5");
    run.reads(3, (11, 15), 1);
    accepted(&run.history);
}

#[test]
fn two_banks_may_show_a_transfer_at_different_times() {
    let mut run = Run::new(&[1, 11]);
    // The first bank has booked it, the second has not.
    let before = run.seen(11);
    run.transfers((10, 100), 1, 1, 11, "5");
    run.reads(2, (20, 30), 1);
    let old = What::Ok(Reply::Account(before));
    run.call(2, (40, 50), super::builder::read(11), old);
    accepted(&run.history);
}

#[test]
fn an_unknown_transfer_may_have_happened() {
    let mut run = Run::new(&[1, 2]);
    run.reads(2, (100, 110), 1);
    run.commit(1, "k", &legs(1, 2, "5"));
    run.call(1, (10, 20), transfer("k", 1, 2, "5"), Run::silence());
    // It takes effect long after its client gave up.
    run.reads(2, (120, 130), 1);
    accepted(&run.history);
}

#[test]
fn an_unknown_transfer_may_not_have_happened() {
    let mut run = Run::new(&[1, 2]);
    run.call(1, (10, 20), transfer("k", 1, 2, "5"), Run::silence());
    run.invoke(30, 2, transfer("k2", 1, 2, "5"));
    run.reads(1, (100, 110), 1);
    accepted(&run.history);
}

#[test]
fn a_repetition_under_the_same_key_is_one_transfer() {
    let mut run = Run::new(&[1, 2]);
    let id = run.commit(1, "k", &legs(1, 2, "5"));
    run.call(1, (10, 20), transfer("k", 1, 2, "5"), Run::silence());
    let done = Reply::Transfer {
        transaction: id,
        settled: true,
    };
    for at in [30, 50] {
        run.call(
            1,
            (at, at + 5),
            transfer("k", 1, 2, "5"),
            What::Ok(done.clone()),
        );
    }
    accepted(&run.history);
}

#[test]
fn a_refusal_fits_when_another_transfer_may_hold_the_money() {
    let mut run = Run::new(&[1, 2]);
    let held = run.abort(1, "held", "participant_unavailable", &legs(1, 2, "60"));
    let fail = |code: &str, id| What::Fail {
        code: code.to_owned(),
        transaction: Some(id),
    };
    run.call(
        1,
        (10, 100),
        transfer("held", 1, 2, "60"),
        fail("participant_unavailable", held),
    );
    let poor = run.abort(2, "poor", "insufficient_funds", &legs(1, 2, "50"));
    run.call(
        2,
        (120, 130),
        transfer("poor", 1, 2, "50"),
        fail("insufficient_funds", poor),
    );
    accepted(&run.history);
    // Somebody is told that the hold is gone: now it cannot have been the reason.
    let settled = Reply::Status {
        status: Status::Aborted,
        settled: true,
    };
    run.call(
        3,
        (105, 110),
        Request::Status { transaction: held },
        What::Ok(settled),
    );
    let verdict = check(&run.history);
    assert_eq!(verdict.count(crate::Reason::MoneyWasThere), 1, "{verdict}");
}

#[test]
fn a_reader_may_see_less_available_while_a_transfer_is_open() {
    let mut run = Run::new(&[1, 2]);
    let mut seen = run.seen(1);
    seen.available = money("40");
    run.call(
        2,
        (15, 16),
        super::builder::read(1),
        What::Ok(Reply::Account(seen)),
    );
    run.transfers((10, 20), 1, 1, 2, "60");
    accepted(&run.history);
}

#[test]
fn a_batch_has_a_fate_for_each_transfer() {
    let mut run = Run::new(&[1, 2]);
    let first = run.commit(1, "b", &legs(1, 2, "5"));
    let second = run.abort(2, "b", "insufficient_funds", &legs(1, 2, "500"));
    let result = |transaction, status, code: Option<&str>| ItemResult {
        transaction: Some(transaction),
        status,
        code: code.map(str::to_owned),
    };
    let request = Request::Batch {
        key: "b".to_owned(),
        linked: false,
        transfers: vec![legs(1, 2, "5"), legs(1, 2, "500")],
    };
    let results = vec![
        result(first, Status::Committed, None),
        result(second, Status::Aborted, Some("insufficient_funds")),
    ];
    run.call(1, (10, 20), request, What::Ok(Reply::Batch(results)));
    accepted(&run.history);
}

/// A linked batch between 10 and 20 under the key `b`, as transaction 1.
fn linked(run: &mut Run, transfers: &[Vec<Leg>]) {
    let id = run.commit(1, "b", &transfers.concat());
    let entries = run.history.entries.iter_mut();
    let entries = entries.filter(|one| one.transaction == id);
    for (place, entry) in entries.enumerate() {
        entry.transfer_index = u16::try_from(place / 2).unwrap();
    }
    for (place, leg) in run.history.records[0].legs.iter_mut().enumerate() {
        leg.0 = u16::try_from(place / 2).unwrap();
    }
    let one = ItemResult {
        transaction: Some(id),
        status: Status::Committed,
        code: None,
    };
    let request = Request::Batch {
        key: "b".to_owned(),
        linked: true,
        transfers: transfers.to_vec(),
    };
    let results = vec![one; transfers.len()];
    run.call(1, (10, 20), request, What::Ok(Reply::Batch(results)));
}

#[test]
fn a_linked_batch_is_one_transaction_with_indexed_legs() {
    let mut run = Run::new(&[1, 2, 3]);
    linked(&mut run, &[legs(1, 2, "5"), legs(2, 3, "4")]);
    run.lists(2, (30, 40), &[1, 2, 3]);
    accepted(&run.history);
}

#[test]
fn a_linked_batch_counts_by_its_net_however_low_the_account_is_between_its_legs() {
    let mut run = Run::new(&[1, 2, 3]);
    linked(&mut run, &[legs(1, 2, "150"), legs(3, 1, "80")]);
    accepted(&run.history);
    // But nobody may see it there.
    let row = &run.history.entries;
    let row = row
        .iter()
        .find(|one| one.account == account(1) && one.version == 2);
    let seen = Seen {
        account: account(1),
        balance: row.unwrap().balance_after,
        available: Balance::ZERO,
        version: 2,
    };
    let reply = What::Ok(Reply::Account(seen));
    run.call(2, (12, 14), super::builder::read(1), reply);
    let verdict = check(&run.history);
    assert!(verdict.count(crate::Reason::Cycle) > 0, "{verdict}");
}

#[test]
fn a_transfer_of_three_legs_at_two_banks_and_cash_are_accepted() {
    let mut run = Run::new(&[1, 2, 11]);
    let three = vec![leg(1, "-10"), leg(2, "4"), leg(11, "6")];
    let id = run.commit(1, "three", &three);
    let request = Request::Transfer {
        key: "three".to_owned(),
        protocol: "2pc".to_owned(),
        legs: three,
    };
    let reply = Reply::Transfer {
        transaction: id,
        settled: false,
    };
    run.call(1, (10, 20), request, What::Ok(reply));
    let amount: Amount = "3".parse().unwrap();
    let reply = run.cash(2, "in", 1, "3");
    let deposit = Request::Deposit {
        key: "in".to_owned(),
        account: account(1),
        amount,
    };
    run.call(1, (30, 40), deposit, What::Ok(reply));
    assert_ne!(run.balance(1), Balance::ZERO);
    accepted(&run.history);
}

#[test]
fn a_saga_that_was_given_up_has_booked_back_what_it_booked() {
    let mut run = Run::new(&[1, 2]);
    let id = run.abort(1, "k1", "account_frozen", &legs(1, 2, "5"));
    for (number, kind, change) in [
        (1, EntryKind::Transfer, "-5"),
        (7, EntryKind::Transit, "5"),
        (1, EntryKind::Refund, "5"),
        (7, EntryKind::Refund, "-5"),
    ] {
        run.post(id, number, kind, money(change));
    }
    let request = transfer("k1", 1, 2, "5");
    run.call(1, (10, 20), request, fail("account_frozen", Some(1)));
    accepted(&run.history);
}

#[test]
fn a_list_may_show_a_saga_between_two_of_its_steps() {
    let mut run = Run::new(&[1, 2]);
    let before = run.seen(2);
    run.transfers((10, 50), 1, 1, 2, "5");
    let between = vec![run.seen(1), before];
    let request = Request::List {
        bank: "bank-1".to_owned(),
    };
    run.call(2, (20, 30), request, What::Ok(Reply::Accounts(between)));
    // As one write it would be half of one.
    let verdict = check(&run.history);
    assert!(verdict.count(crate::Reason::SplitList) > 0, "{verdict}");
    for entry in &mut run.history.entries {
        entry.step = if entry.account == account(1) { 1 } else { 2 };
    }
    accepted(&run.history);
}
