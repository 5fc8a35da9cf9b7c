use types::views::{AccountStatus, Locking};
use types::{Currency, LegId};

use super::*;
use crate::account::samples::{account, accounts, customer, money};
use crate::branch::samples::{bank, content, leg, transfer};
use crate::participant::steps::operation::samples::{action, undoing};

const STEPS: [StepKind; 3] = [StepKind::Debit, StepKind::Credit, StepKind::Release];

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

/// How a debit and a credit of 100 fare on an account, before and after one another.
fn debit_and_credit(account: &AccountState) -> (Finding, Finding) {
    let only = accounts([account.clone()]);
    let debit = action(StepKind::Debit, content([leg(1, "-100", 0)]));
    let credit = action(StepKind::Credit, content([leg(1, "100", 0)]));
    (
        judge(&debit, None, &only, &bank()),
        judge(&credit, None, &only, &bank()),
    )
}

const DEBITED: Finding = Finding::Perform(PartState::Debited);
const CREDITED: Finding = Finding::Perform(PartState::Credited);

#[test]
fn each_reason_is_found() {
    let both = |code| (refused(code), refused(code));
    let system = |kind| {
        changed(1, "500", |account| {
            account.kind = kind;
            account.customer_id = None;
        })
    };
    let euro: Currency = "EUR".parse().expect("a currency");
    let with = |status| changed(1, "500", |account| account.status = status);
    for (account, findings) in [
        (account(1, "100"), (DEBITED, CREDITED)),
        (account(9, "500"), both(Code::AccountNotFound)),
        (system(AccountKind::Vault), both(Code::AccountNotFound)),
        (system(AccountKind::InTransit), both(Code::AccountNotFound)),
        (with(AccountStatus::Frozen), both(Code::AccountFrozen)),
        (with(AccountStatus::Closed), both(Code::AccountClosed)),
        (
            changed(1, "500", |account| account.currency = euro),
            both(Code::CurrencyMismatch),
        ),
        (
            account(1, "99.9999"),
            (refused(Code::InsufficientFunds), CREDITED),
        ),
        (
            account(1, "999999999999900"),
            (DEBITED, refused(Code::BalanceLimit)),
        ),
        (
            changed(1, "100", |account| {
                account.pending_credits = money("999999999999800");
            }),
            (DEBITED, refused(Code::BalanceLimit)),
        ),
    ] {
        assert_eq!(debit_and_credit(&account), findings, "{account:?}");
    }
}

#[test]
fn case_74_what_an_unfinished_saga_has_credited_is_not_there_to_be_debited() {
    for (balance, reserved, finding) in [
        ("150", "50", DEBITED),
        ("150", "50.0001", refused(Code::InsufficientFunds)),
        ("100", "100", refused(Code::InsufficientFunds)),
    ] {
        let account = changed(1, balance, |account| {
            account.reserved_credits = money(reserved);
        });
        assert_eq!(debit_and_credit(&account).0, finding, "{account:?}");
    }
}

#[test]
fn case_116_an_exclusive_lock_is_not_waited_for_and_a_definite_reason_wins() {
    let busy = not_now(Code::AccountLocked);
    assert_eq!(debit_and_credit(&locked(1, "500")), (busy, busy));
    // Whether the money is there will be known when the lock is gone.
    assert_eq!(debit_and_credit(&locked(1, "0")), (busy, busy));
    let frozen = changed(1, "500", |account| {
        *account = locked(1, "500");
        account.status = AccountStatus::Frozen;
    });
    let frozen = debit_and_credit(&frozen);
    assert_eq!(frozen.0, refused(Code::AccountFrozen));
    assert_eq!(frozen.0, frozen.1);
}

#[test]
fn a_step_looks_at_the_accounts_that_it_moves_money_on() {
    let there = accounts([account(1, "5")]);
    let wish = transfer(1, 2, "5");
    let debit = action(StepKind::Debit, wish.clone());
    assert_eq!(judge(&debit, None, &there, &bank()), DEBITED);
    let credit = action(StepKind::Credit, wish.clone());
    let part = Some(PartState::Debited);
    let unknown = judge(&credit, part, &there, &bank());
    assert_eq!(unknown, refused(Code::AccountNotFound));
    let there = accounts([account(2, "0")]);
    assert_eq!(judge(&credit, part, &there, &bank()), CREDITED);
}

#[test]
fn only_a_debit_asks_whose_the_account_is() {
    let mut wish = content([leg(1, "-5", 0)]);
    wish.debits_owned_by = Some(customer(2));
    let there = accounts([account(1, "5")]);
    let debit = action(StepKind::Debit, wish.clone());
    let foreign = judge(&debit, None, &there, &bank());
    assert_eq!(foreign, refused(Code::AccountNotFound));
    wish.debits_owned_by = Some(customer(1));
    let debit = action(StepKind::Debit, wish);
    assert_eq!(judge(&debit, None, &there, &bank()), DEBITED);
    let mut gift = content([leg(1, "5", 0)]);
    gift.debits_owned_by = Some(customer(2));
    let credit = action(StepKind::Credit, gift);
    assert_eq!(judge(&credit, None, &there, &bank()), CREDITED);
}

#[test]
fn several_debits_of_one_account_are_judged_together() {
    let wish = content([leg(1, "-60", 0), leg(1, "-60", 1)]);
    let debit = action(StepKind::Debit, wish);
    let there = accounts([account(1, "100")]);
    let finding = judge(&debit, None, &there, &bank());
    assert_eq!(finding, refused(Code::InsufficientFunds));
}

#[test]
fn what_is_undone_or_released_asks_for_no_status_and_no_lock() {
    let wish = transfer(1, 2, "5");
    for status in [AccountStatus::Active, AccountStatus::Frozen] {
        let there = accounts([1, 2].map(|n| {
            let mut account = locked(n, "0");
            account.status = status;
            account
        }));
        for (operation, part, next) in [
            (
                undoing(StepKind::Debit, wish.clone()),
                PartState::Debited,
                PartState::Undone,
            ),
            (
                undoing(StepKind::Credit, wish.clone()),
                PartState::Credited,
                PartState::Debited,
            ),
            (
                action(StepKind::Release, wish.clone()),
                PartState::Credited,
                PartState::Released,
            ),
        ] {
            let finding = judge(&operation, Some(part), &there, &bank());
            assert_eq!(finding, Finding::Perform(next), "{operation:?}");
        }
    }
}

#[test]
fn a_refund_that_has_no_room_waits() {
    let refund = undoing(StepKind::Debit, content([leg(1, "-5", 0)]));
    let rich = accounts([account(1, "999999999999995")]);
    let part = Some(PartState::Debited);
    let finding = judge(&refund, part, &rich, &bank());
    assert_eq!(finding, not_now(Code::BalanceLimit));
    let poor = accounts([account(1, "999999999999994.9999")]);
    let finding = judge(&refund, part, &poor, &bank());
    assert_eq!(finding, Finding::Perform(PartState::Undone));
}

#[test]
fn an_action_that_comes_after_its_saga_was_given_up_is_refused() {
    let there = accounts([account(1, "5"), account(2, "5")]);
    for step in STEPS {
        let late = action(step, transfer(1, 2, "5"));
        let finding = judge(&late, Some(PartState::Undone), &there, &bank());
        assert_eq!(finding, refused(Code::OperationClosed), "{step:?}");
    }
}

#[test]
fn what_does_not_follow_from_the_part_is_a_contradiction() {
    let there = accounts([account(1, "5"), account(2, "5")]);
    let wish = transfer(1, 2, "5");
    for (operation, part) in [
        (
            action(StepKind::Debit, wish.clone()),
            Some(PartState::Debited),
        ),
        (action(StepKind::Credit, wish.clone()), None),
        (action(StepKind::Release, wish.clone()), None),
        (
            action(StepKind::Release, wish.clone()),
            Some(PartState::Debited),
        ),
        (
            undoing(StepKind::Debit, wish.clone()),
            Some(PartState::Credited),
        ),
        (
            undoing(StepKind::Credit, wish.clone()),
            Some(PartState::Released),
        ),
        (
            undoing(StepKind::Release, wish.clone()),
            Some(PartState::Released),
        ),
    ] {
        let finding = judge(&operation, part, &there, &bank());
        assert_eq!(finding, Finding::Contradiction, "{operation:?} {part:?}");
    }
}

#[test]
fn legs_that_do_not_balance_are_refused_and_never_undone() {
    let mut lopsided = transfer(1, 2, "5");
    lopsided.legs.pop();
    let there = accounts([account(1, "5")]);
    let debit = action(StepKind::Debit, lopsided.clone());
    let finding = judge(&debit, None, &there, &bank());
    assert_eq!(finding, refused(Code::UnbalancedLegs));
    let refund = undoing(StepKind::Debit, lopsided);
    let finding = judge(&refund, Some(PartState::Debited), &there, &bank());
    assert_eq!(finding, Finding::Contradiction);
}
