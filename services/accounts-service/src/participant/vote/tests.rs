use types::Currency;

use super::*;
use crate::account::samples::{account, accounts, customer, id, money};
use crate::branch::samples::{bank, content, leg, transfer};

fn refused(code: Code) -> Finding {
    Finding::Refused(code)
}

fn changed(n: u128, balance: &str, change: impl FnOnce(&mut AccountState)) -> AccountState {
    let mut account = account(n, balance);
    change(&mut account);
    account
}

fn locked(n: u128, balance: &str) -> AccountState {
    changed(n, balance, |account| {
        account.locking = Locking::Exclusive;
        account.transaction_lock = Some(LegId::generate());
    })
}

#[test]
fn each_reason_is_found() {
    let system = |kind| {
        changed(2, "0", |account| {
            account.kind = kind;
            account.customer_id = None;
        })
    };
    let euro: Currency = "EUR".parse().expect("a currency");
    let with = |status| changed(2, "0", |account| account.status = status);
    for (destination, finding) in [
        (account(2, "0"), Finding::Possible),
        (account(9, "0"), refused(Code::AccountNotFound)),
        (system(AccountKind::Vault), refused(Code::AccountNotFound)),
        (
            system(AccountKind::Clearing),
            refused(Code::AccountNotFound),
        ),
        (with(AccountStatus::Frozen), refused(Code::AccountFrozen)),
        (with(AccountStatus::Closed), refused(Code::AccountClosed)),
        (
            changed(2, "0", |account| account.currency = euro),
            refused(Code::CurrencyMismatch),
        ),
        (locked(2, "0"), Finding::Busy),
        (account(2, "999999999999899.9999"), Finding::Possible),
        (account(2, "999999999999900"), refused(Code::BalanceLimit)),
        (
            changed(2, "0", |account| {
                account.pending_credits = money("999999999999900");
            }),
            refused(Code::BalanceLimit),
        ),
    ] {
        let accounts = accounts([account(1, "100"), destination]);
        let seen = vote(&accounts, &transfer(1, 2, "100"), &bank());
        assert_eq!(seen, finding, "{accounts:?}");
    }
}

#[test]
fn a_debit_needs_what_is_available_and_nothing_else() {
    for (balance, debits, credits, reserved, limit, finding) in [
        ("100", "0", "0", "0", "0", Finding::Possible),
        (
            "99.9999",
            "0",
            "0",
            "0",
            "0",
            refused(Code::InsufficientFunds),
        ),
        (
            "100",
            "0.0001",
            "0",
            "0",
            "0",
            refused(Code::InsufficientFunds),
        ),
        // An announced credit is not money yet.
        (
            "50",
            "0",
            "1000",
            "0",
            "0",
            refused(Code::InsufficientFunds),
        ),
        ("150", "0", "0", "51", "0", refused(Code::InsufficientFunds)),
        ("0", "0", "0", "0", "100", Finding::Possible),
        ("-1", "0", "0", "0", "100", refused(Code::InsufficientFunds)),
    ] {
        let source = changed(1, balance, |account| {
            account.pending_debits = money(debits);
            account.pending_credits = money(credits);
            account.reserved_credits = money(reserved);
            account.overdraft_limit = money(limit);
        });
        let accounts = accounts([source, account(2, "0")]);
        let seen = vote(&accounts, &transfer(1, 2, "100"), &bank());
        assert_eq!(seen, finding, "{accounts:?}");
    }
}

#[test]
fn the_order_of_reasons_does_not_depend_on_the_order_of_accounts() {
    let frozen = |n| changed(n, "0", |account| account.status = AccountStatus::Frozen);
    for (one, two, finding) in [
        // Too little money at one account, the other is unknown, frozen or locked.
        (
            account(1, "0"),
            account(9, "0"),
            refused(Code::AccountNotFound),
        ),
        (account(1, "0"), frozen(2), refused(Code::AccountFrozen)),
        (
            account(1, "0"),
            locked(2, "0"),
            refused(Code::InsufficientFunds),
        ),
        // A locked account is not judged by its money.
        (locked(1, "0"), account(2, "0"), Finding::Busy),
        (locked(1, "0"), frozen(2), refused(Code::AccountFrozen)),
    ] {
        let accounts = accounts([one, two]);
        let seen = vote(&accounts, &transfer(1, 2, "100"), &bank());
        assert_eq!(seen, finding, "{accounts:?}");
    }
}

#[test]
fn another_customers_account_cannot_be_debited_but_credited() {
    let stranger = |n, balance| changed(n, balance, |a| a.customer_id = Some(customer(2)));
    let mut wish = transfer(1, 2, "10");
    wish.debits_owned_by = Some(customer(1));
    let own_to_other = accounts([account(1, "10"), stranger(2, "0")]);
    let other_to_own = accounts([stranger(1, "10"), account(2, "0")]);
    assert_eq!(vote(&own_to_other, &wish, &bank()), Finding::Possible);
    assert_eq!(
        vote(&other_to_own, &wish, &bank()),
        refused(Code::AccountNotFound)
    );
    // A debit hidden in a net credit of a linked batch is a debit.
    let mut netted = content([
        leg(1, "-1", 0),
        leg(2, "1", 0),
        leg(1, "2", 1),
        leg(2, "-2", 1),
    ]);
    netted.debits_owned_by = Some(customer(1));
    assert_eq!(
        vote(&own_to_other, &netted, &bank()),
        refused(Code::AccountNotFound)
    );
}

#[test]
fn a_linked_batch_is_voted_on_by_its_net() {
    // 1 has nothing, gets 30 from 2 and passes 30 on to 3.
    let wish = content([
        leg(2, "-30", 0),
        leg(1, "30", 0),
        leg(1, "-30", 1),
        leg(3, "30", 1),
    ]);
    let mut state = accounts([account(1, "0"), account(2, "30"), account(3, "0")]);
    assert_eq!(vote(&state, &wish, &bank()), Finding::Possible);
    hold(&mut state, TransactionId::generate(), &wish).expect("possible");
    assert_eq!(state[&id(1)], account(1, "0"));
    assert_eq!(state[&id(2)].pending_debits, money("30"));
    assert_eq!(state[&id(3)].pending_credits, money("30"));
}

#[test]
fn case_57_of_two_debits_of_100_from_150_one_is_possible() {
    let mut state = accounts([account(1, "150"), account(2, "0")]);
    let wish = transfer(1, 2, "100");
    assert_eq!(vote(&state, &wish, &bank()), Finding::Possible);
    hold(&mut state, TransactionId::generate(), &wish).expect("possible");
    assert_eq!(
        vote(&state, &wish, &bank()),
        refused(Code::InsufficientFunds)
    );
}

#[test]
fn an_exclusive_account_is_held_by_one_branch_at_a_time() {
    let exclusive = |n, balance| changed(n, balance, |a| a.locking = Locking::Exclusive);
    let mut state = accounts([exclusive(1, "150"), exclusive(2, "0")]);
    let (first, wish) = (TransactionId::generate(), transfer(1, 2, "10"));
    assert_eq!(vote(&state, &wish, &bank()), Finding::Possible);
    hold(&mut state, first, &wish).expect("possible");
    assert_eq!(
        state[&id(1)].transaction_lock,
        Some(LegId::derive(first, id(1)))
    );
    assert_ne!(
        state[&id(1)].transaction_lock,
        state[&id(2)].transaction_lock
    );
    assert_eq!(vote(&state, &wish, &bank()), Finding::Busy);
}
