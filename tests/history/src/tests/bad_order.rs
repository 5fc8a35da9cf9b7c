//! Reads, refusals and an order in time that cannot be, each with the reason it is rejected for.

use types::views::{EntryKind, Status};
use types::{Amount, Balance};

use super::bad::{fail, one_transfer, rejected};
use super::builder::{Run, account, legs, money, read, transaction, transfer};
use crate::format::{Entry, ItemResult, Reply, Request, What};
use crate::{Reason, check, read as read_file};

#[test]
fn a_balance_that_never_was() {
    let mut run = one_transfer();
    let mut seen = run.seen(1);
    seen.balance = money("97.5");
    run.call(2, (30, 40), read(1), What::Ok(Reply::Account(seen)));
    rejected(&run, Reason::NeverWas);
}

#[test]
fn a_write_that_was_read_and_then_lost() {
    let mut run = one_transfer();
    run.reads(2, (30, 40), 2);
    let entries = &mut run.history.entries;
    entries.retain(|one| one.transaction != transaction(1));
    run.account_mut(1).balance = money("100");
    run.account_mut(1).version = 1;
    run.account_mut(2).balance = money("100");
    run.account_mut(2).version = 1;
    rejected(&run, Reason::NeverWas);
    rejected(&run, Reason::PromiseBroken);
}

#[test]
fn a_client_that_reads_backwards() {
    let mut run = Run::new(&[1, 2]);
    let before = run.seen(1);
    run.commit(1, "k1", &legs(1, 2, "5"));
    run.call(1, (10, 90), transfer("k1", 1, 2, "5"), Run::silence());
    run.reads(2, (20, 30), 1);
    run.call(2, (40, 50), read(1), What::Ok(Reply::Account(before)));
    rejected(&run, Reason::WentBack);
}

#[test]
fn a_stale_read_after_a_confirmed_transfer() {
    let mut run = Run::new(&[1, 2]);
    let before = run.seen(1);
    run.transfers((10, 20), 1, 1, 2, "5");
    run.call(2, (30, 40), read(1), What::Ok(Reply::Account(before)));
    rejected(&run, Reason::Cycle);
    let verdict = check(&run.history);
    let told = verdict.findings().find(|one| one.reason == Reason::Cycle);
    let told = told.unwrap().detail;
    assert!(told.contains("(k1) was over when request"), "{told}");
    assert!(told.contains("is before"), "{told}");
}

#[test]
fn a_read_of_the_future() {
    let mut run = Run::new(&[1, 2]);
    run.commit(1, "k1", &legs(1, 2, "5"));
    run.reads(2, (10, 20), 1);
    run.call(1, (30, 40), transfer("k1", 1, 2, "5"), Run::silence());
    rejected(&run, Reason::Cycle);
}

#[test]
fn two_readers_who_see_two_orders() {
    // Nobody confirmed anything; the reads alone contradict each other.
    let mut run = Run::new(&[1, 2, 3]);
    let (old_1, old_3) = (run.seen(1), run.seen(3));
    run.commit(1, "k1", &legs(1, 2, "5"));
    run.commit(2, "k2", &legs(3, 2, "5"));
    run.call(1, (10, 20), transfer("k1", 1, 2, "5"), Run::silence());
    run.call(2, (10, 20), transfer("k2", 3, 2, "5"), Run::silence());
    let (new_1, new_3) = (run.seen(1), run.seen(3));
    let seen = |seen| What::Ok(Reply::Account(seen));
    run.call(3, (30, 31), read(1), seen(new_1));
    run.call(3, (32, 33), read(3), seen(old_3));
    run.call(4, (30, 31), read(3), seen(new_3));
    run.call(4, (32, 33), read(1), seen(old_1));
    rejected(&run, Reason::Cycle);
}

#[test]
fn versions_in_the_wrong_order_in_time() {
    let mut run = Run::new(&[1, 2]);
    run.commit(2, "k2", &legs(1, 2, "5"));
    run.transfers((10, 20), 1, 1, 2, "5");
    let reply = Reply::Transfer {
        transaction: transaction(2),
        settled: true,
    };
    run.call(1, (30, 40), transfer("k2", 1, 2, "5"), What::Ok(reply));
    rejected(&run, Reason::Cycle);
}

#[test]
fn refused_although_the_money_was_there() {
    let mut run = one_transfer();
    run.abort(2, "k2", "insufficient_funds", &legs(1, 2, "95"));
    run.call(
        1,
        (30, 40),
        transfer("k2", 1, 2, "95"),
        fail("insufficient_funds", Some(2)),
    );
    rejected(&run, Reason::MoneyWasThere);
}

#[test]
fn a_withdrawal_refused_although_the_money_was_there() {
    let mut run = one_transfer();
    let request = Request::Withdrawal {
        key: "out".to_owned(),
        account: account(2),
        amount: "105".parse::<Amount>().unwrap(),
    };
    run.call(1, (30, 40), request, fail("insufficient_funds", Some(3)));
    rejected(&run, Reason::MoneyWasThere);
}

#[test]
fn a_transfer_of_a_batch_refused_although_the_money_was_there() {
    let mut run = Run::new(&[1, 2]);
    let id = run.abort(1, "b", "insufficient_funds", &legs(1, 2, "100"));
    let request = Request::Batch {
        key: "b".to_owned(),
        linked: false,
        transfers: vec![legs(1, 2, "100")],
    };
    let refused = ItemResult {
        transaction: Some(id),
        status: Status::Aborted,
        code: Some("insufficient_funds".to_owned()),
    };
    run.call(1, (30, 40), request, What::Ok(Reply::Batch(vec![refused])));
    rejected(&run, Reason::MoneyWasThere);
}

#[test]
fn cash_that_nobody_asked_for() {
    let mut run = one_transfer();
    run.cash(2, "in", 1, "3");
    rejected(&run, Reason::NobodyAsked);
}

#[test]
fn an_entry_on_no_account() {
    let mut run = one_transfer();
    run.history.entries.push(Entry {
        account: account(77),
        version: 1,
        transaction: transaction(1),
        transfer_index: 0,
        step: 0,
        kind: EntryKind::Transfer,
        change: Balance::ZERO,
        balance_after: Balance::ZERO,
    });
    rejected(&run, Reason::NobodyAsked);
}

#[test]
fn a_start_that_is_no_longer_there() {
    let mut run = one_transfer();
    run.history.header.accounts[0].balance = money("101");
    rejected(&run, Reason::NeverWas);
}

#[test]
fn a_file_that_was_cut_off_or_answers_what_was_not_asked() {
    let run = one_transfer();
    let file = String::from_utf8(run.history.write(Vec::new()).unwrap()).unwrap();
    let lines: Vec<_> = file.lines().collect();
    let part = lines[..lines.len() - 1].join("\n");
    assert!(read_file(part.as_bytes()).is_err());
    let mut missing = lines.clone();
    missing.remove(3);
    assert!(read_file(missing.join("\n").as_bytes()).is_err());
    let mut unasked = run;
    let number = unasked.history.events[0].operation;
    unasked
        .history
        .events
        .retain(|one| !matches!(one.what, What::Invoke(_)));
    let file = unasked.history.write(Vec::new()).unwrap();
    let error = read_file(file.as_slice()).unwrap_err();
    assert!(error.to_string().contains(&number.to_string()), "{error}");
}
