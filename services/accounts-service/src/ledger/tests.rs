use super::*;
use crate::account::SystemAccount;
use crate::account::samples::{account, accounts, id, money, usd};
use crate::branch::samples::{bank, content, leg, transfer};
use crate::participant::vote::hold;

/// Accounts on which `content` was prepared.
fn prepared(
    list: impl IntoIterator<Item = AccountState>,
    transaction: TransactionId,
    content: &Content,
) -> Book {
    let mut accounts = accounts(list);
    hold(&mut accounts, transaction, content).expect("possible");
    Book::new(accounts)
}

fn sum(entries: &[NewEntry]) -> Balance {
    let mut changes = entries.iter().map(|entry| entry.change);
    changes
        .try_fold(Balance::ZERO, |sum, change| sum.plus(change))
        .expect("a sum")
}

#[test]
fn a_transfer_becomes_two_entries_that_cancel() {
    let (transaction, wish) = (TransactionId::generate(), transfer(1, 2, "30"));
    let mut book = prepared([account(1, "100"), account(2, "5")], transaction, &wish);
    book.apply(transaction, &wish, &bank()).expect("applied");
    let (changed, entries) = book.close();
    assert_eq!(changed[0].balance, money("70"));
    assert_eq!(changed[0].pending_debits, Balance::ZERO);
    assert_eq!(changed[1].balance, money("35"));
    assert_eq!(changed[1].version, 1);
    assert_eq!(sum(&entries), Balance::ZERO);
    assert_eq!(entries[0].balance_after, money("70"));
    assert_eq!(entries[0].description.as_deref(), Some("rent"));
}

#[test]
fn a_release_changes_no_balance_and_no_version() {
    let (transaction, wish) = (TransactionId::generate(), transfer(1, 2, "30"));
    let untouched = [account(1, "100"), account(2, "5")];
    let mut book = prepared(untouched.clone(), transaction, &wish);
    book.release(transaction, &wish).expect("released");
    assert_eq!(book.close(), (untouched.to_vec(), vec![]));
}

#[test]
fn versions_of_a_linked_batch_follow_each_other_without_gaps() {
    let wish = content([
        leg(1, "-10", 0),
        leg(1, "-20", 1),
        leg(2, "10", 0),
        leg(2, "20", 1),
    ]);
    let transaction = TransactionId::generate();
    let mut book = prepared([account(1, "30"), account(2, "0")], transaction, &wish);
    book.apply(transaction, &wish, &bank()).expect("applied");
    let (_, entries) = book.close();
    let lines: Vec<_> = entries
        .iter()
        .map(|e| (e.account_id, e.version, e.balance_after))
        .collect();
    assert_eq!(
        lines,
        [
            (id(1), 1, money("20")),
            (id(1), 2, money("0")),
            (id(2), 1, money("10")),
            (id(2), 2, money("30")),
        ]
    );
}

#[test]
fn a_part_of_a_transfer_gets_its_counter_entry_in_clearing() {
    let (transaction, wish) = (TransactionId::generate(), content([leg(1, "-30", 0)]));
    let peer = "bank-2".parse().expect("a participant");
    let clearing = SystemAccount::clearing(&bank(), &peer, usd());
    let mut state = account(0, "0");
    state.account_id = clearing.account_id;
    let mut book = prepared([account(1, "30"), state], transaction, &wish);
    book.apply(transaction, &wish, &bank()).expect("applied");
    let (_, entries) = book.close();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[1].kind, EntryKind::Clearing);
    assert_eq!(entries[1].change, money("30"));
    assert_eq!(sum(&entries), Balance::ZERO);
}

#[test]
fn a_branch_that_cannot_be_finished_leaves_no_trace() {
    let (transaction, wish) = (TransactionId::generate(), transfer(1, 2, "30"));
    let fresh = || prepared([account(1, "100"), account(2, "5")], transaction, &wish);

    let mut without_hold = fresh();
    without_hold
        .accounts
        .get_mut(&id(2))
        .expect("there")
        .pending_credits = Balance::ZERO;
    let mut without_account = fresh();
    without_account.accounts.remove(&id(2));
    let mut without_lock = fresh();
    without_lock
        .accounts
        .get_mut(&id(2))
        .expect("there")
        .locking = Locking::Exclusive;

    for (mut book, problem) in [
        (without_hold, CannotFinish::HoldMissing(id(2))),
        (without_account, CannotFinish::AccountMissing(id(2))),
        (without_lock, CannotFinish::LockMissing(id(2))),
    ] {
        assert_eq!(book.apply(transaction, &wish, &bank()), Err(problem));
        assert_eq!(book.release(transaction, &wish), Err(problem));
        assert_eq!(book.close(), (vec![], vec![]));
    }
}

#[test]
fn case_62_any_subset_of_prepared_debits_may_commit() {
    let mut state = accounts([account(1, "20"), account(2, "0")]);
    let branches: Vec<_> = (0..20).map(|_| TransactionId::generate()).collect();
    let wish = transfer(1, 2, "1");
    for branch in &branches {
        hold(&mut state, *branch, &wish).expect("possible");
    }
    for subset in [0_u32, 1, 0b1010_1010, 0xF_FFFF, 0x5_5555, 0xF_0000] {
        let mut book = Book::new(state.clone());
        for (n, branch) in branches.iter().enumerate() {
            if subset >> n & 1 == 1 {
                book.apply(*branch, &wish, &bank()).expect("applied");
            } else {
                book.release(*branch, &wish).expect("released");
            }
            let account = book.account(id(1)).expect("there");
            assert!(account.covers(Balance::ZERO), "{account:?}");
        }
    }
}
