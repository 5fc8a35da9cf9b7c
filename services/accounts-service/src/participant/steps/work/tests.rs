use two_phase::steps::StepKind;

use super::*;
use crate::account::SystemAccount;
use crate::account::samples::{account, account as account_sample, accounts, id, usd};
use crate::account::{AccountKind, AccountState, Accounts};
use crate::branch::samples::{bank, transfer};
use crate::participant::steps::operation::samples::{action, undoing};

const DONE: StepAnswer = StepAnswer::Done;

fn refused(code: Code) -> StepAnswer {
    StepAnswer::Refused { code }
}

fn system(account: &SystemAccount) -> AccountState {
    AccountState {
        account_id: account.account_id,
        kind: AccountKind::InTransit,
        customer_id: None,
        ..account_sample(9, "0")
    }
}

fn two_accounts() -> Accounts {
    let transit = SystemAccount::in_transit(&bank(), usd());
    accounts([account(1, "10"), account(2, "0"), system(&transit)])
}

/// Performs these on two accounts, all in one list, and says what was answered and what stands.
fn perform(operations: &[Operation], forgotten: bool) -> (Vec<StepAnswer>, Written) {
    let own = bank();
    let old = operations.iter().map(|operation| operation.transaction_id);
    let old = old.filter(|_| forgotten).collect();
    let book = Book::new(two_accounts());
    let mut work = Work::new(&own, book, HashMap::new(), HashMap::new(), old);
    let answers = operations.iter().map(|one| work.perform(one)).collect();
    (answers, work.finish())
}

/// Balance and reservation of an account, and how many entries it has.
fn figures(written: &Written, n: u128) -> (String, String, i64) {
    let account = written.book.account(id(n)).expect("the account");
    (
        account.balance.to_string(),
        account.reserved_credits.to_string(),
        account.version,
    )
}

fn stands(balance: &str, reserved: &str, version: i64) -> (String, String, i64) {
    (balance.to_owned(), reserved.to_owned(), version)
}

#[test]
fn case_65_each_action_twice_has_one_effect() {
    let wish = || transfer(1, 2, "4");
    let list: Vec<_> = [StepKind::Debit, StepKind::Credit, StepKind::Release]
        .into_iter()
        .flat_map(|step| [action(step, wish()), action(step, wish())])
        .collect();
    let (answers, written) = perform(&list, false);
    assert_eq!(answers, [DONE; 6]);
    assert_eq!(figures(&written, 1), stands("6.00", "0.00", 1));
    assert_eq!(figures(&written, 2), stands("4.00", "0.00", 1));
    assert!(written.hazards.is_empty());
}

#[test]
fn case_66_each_compensation_twice_has_one_effect() {
    let wish = || transfer(1, 2, "4");
    let forth = [StepKind::Debit, StepKind::Credit].map(|step| action(step, wish()));
    let back = [StepKind::Credit, StepKind::Debit].map(|step| undoing(step, wish()));
    let twice = back.iter().flat_map(|one| [one.clone(), one.clone()]);
    let list: Vec<_> = forth.into_iter().chain(twice).collect();
    let (answers, written) = perform(&list, false);
    assert_eq!(answers, [DONE; 6]);
    assert_eq!(figures(&written, 1), stands("10.00", "0.00", 2));
    assert_eq!(figures(&written, 2), stands("0.00", "0.00", 2));
    assert!(written.hazards.is_empty());
}

#[test]
fn case_69_and_70_a_compensation_that_comes_first_keeps_the_late_action_out() {
    for step in [StepKind::Debit, StepKind::Credit] {
        let wish = || transfer(1, 2, "4");
        let late = [
            undoing(step, wish()),
            action(step, wish()),
            action(step, wish()),
        ];
        let (answers, written) = perform(&late, false);
        let too_late = refused(Code::OperationClosed);
        assert_eq!(answers, [DONE, too_late, too_late]);
        assert_eq!(figures(&written, 1), stands("10.00", "0.00", 0));
        assert_eq!(written.recorded[&late[1].id], Recorded::Closed);
        assert_eq!(written.recorded[&late[0].id], Recorded::Done);
        assert!(written.hazards.is_empty());
    }
}

#[test]
fn a_refusal_is_remembered_and_its_compensation_has_nothing_to_undo() {
    let wish = || transfer(1, 2, "11");
    let debit = || action(StepKind::Debit, wish());
    let list = [debit(), debit(), undoing(StepKind::Debit, wish()), debit()];
    let (answers, written) = perform(&list, false);
    let poor = refused(Code::InsufficientFunds);
    assert_eq!(answers, [poor, poor, DONE, poor]);
    assert_eq!(figures(&written, 1), stands("10.00", "0.00", 0));
    assert!(written.parts.is_empty());
}

#[test]
fn a_passing_failure_leaves_nothing_behind() {
    let debit = action(StepKind::Debit, transfer(1, 2, "4"));
    let own = bank();
    let mut locked = two_accounts();
    if let Some(account) = locked.get_mut(&id(1)) {
        account.locking = types::views::Locking::Exclusive;
        account.transaction_lock = Some(types::LegId::generate());
    }
    let nothing = (HashMap::new(), HashMap::new());
    let mut work = Work::new(
        &own,
        Book::new(locked),
        nothing.0,
        nothing.1,
        BTreeSet::new(),
    );
    let busy = StepAnswer::NotNow {
        code: Code::AccountLocked,
    };
    assert_eq!(work.perform(&debit), busy);
    let written = work.finish();
    assert!(written.recorded.is_empty() && written.parts.is_empty());
    assert!(written.hazards.is_empty());
}

#[test]
fn other_content_under_the_same_saga_is_a_contradiction_and_an_alarm() {
    let first = action(StepKind::Debit, transfer(1, 2, "4"));
    let other = action(StepKind::Debit, transfer(1, 2, "5"));
    let (answers, written) = perform(&[first, other], false);
    assert_eq!(answers, [DONE, CONTRADICTED]);
    assert_eq!(written.hazards[0].kind, "step_contradiction");
    assert_eq!(figures(&written, 1), stands("6.00", "0.00", 1));
}

#[test]
fn a_release_of_what_was_never_credited_is_an_alarm_and_not_recorded() {
    let release = action(StepKind::Release, transfer(1, 2, "4"));
    let (answers, written) = perform(&[release], false);
    assert_eq!(answers, [CONTRADICTED]);
    assert_eq!(written.hazards.len(), 1);
    assert!(written.recorded.is_empty());
}

#[test]
fn nobody_can_close_a_release() {
    let (answers, written) = perform(&[undoing(StepKind::Release, transfer(1, 2, "4"))], false);
    assert_eq!(answers, [CONTRADICTED]);
    assert!(written.recorded.is_empty());
}

#[test]
fn about_a_saga_that_may_have_been_deleted_nobody_writes_anything() {
    let wish = || transfer(1, 2, "4");
    let (debit, refund) = (
        action(StepKind::Debit, wish()),
        undoing(StepKind::Debit, wish()),
    );
    let (answers, written) = perform(&[debit, refund], true);
    assert_eq!(answers, [refused(Code::OperationClosed), DONE]);
    assert!(written.recorded.is_empty() && written.parts.is_empty());
    assert!(written.hazards.is_empty());
}
