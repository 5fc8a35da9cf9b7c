use super::*;
use crate::account::samples::id;
use crate::branch::samples::{bank, content, leg, transfer};
use crate::participant::steps::operation::samples::{action, undoing};

/// Accounts by a word, so that expectations can be read.
fn word(account: AccountId) -> String {
    let usd = "USD".parse().expect("a currency");
    let peer = "bank-2".parse().expect("a participant");
    if account == SystemAccount::in_transit(&bank(), usd).account_id {
        "transit".to_owned()
    } else if account == SystemAccount::clearing(&bank(), &peer, usd).account_id {
        "clearing".to_owned()
    } else {
        let customers = (1..10).find(|n| id(*n) == account);
        customers.expect("an account of the test").to_string()
    }
}

fn booked(operation: &Operation) -> (Vec<String>, Vec<String>) {
    let booking = booking(operation, &bank()).expect("sums that fit");
    let sum = booking
        .postings
        .iter()
        .try_fold(Balance::ZERO, |sum, posting| sum.plus(posting.change));
    assert_eq!(sum, Some(Balance::ZERO), "every step sums to zero");
    let postings = booking.postings.iter().map(|posting| {
        let step = posting.step.expect("a step's entry");
        assert_eq!(step.step, operation.step);
        assert_eq!(step.is_undone, operation.undoes.is_some());
        format!(
            "{} {} {}",
            word(posting.account_id),
            posting.kind,
            posting.change
        )
    });
    let reserved = booking.reserved.iter();
    let reserved = reserved.map(|(account, change)| format!("{} {change}", word(*account)));
    (postings.collect(), reserved.collect())
}

#[test]
fn at_one_bank_the_money_goes_through_transit() {
    use StepKind::{Credit, Debit, Release};
    let wish = || transfer(1, 2, "5");
    for (operation, postings, reserved) in [
        (
            action(Debit, wish()),
            &["1 transfer -5.00", "transit transit 5.00"][..],
            &[][..],
        ),
        (
            action(Credit, wish()),
            &["2 transfer 5.00", "transit transit -5.00"],
            &["2 5.00"],
        ),
        (action(Release, wish()), &[], &["2 -5.00"]),
        (
            undoing(Credit, wish()),
            &["2 refund -5.00", "transit refund 5.00"],
            &["2 -5.00"],
        ),
        (
            undoing(Debit, wish()),
            &["1 refund 5.00", "transit refund -5.00"],
            &[],
        ),
    ] {
        let (found, held) = booked(&operation);
        assert_eq!(
            (&found[..], &held[..]),
            (
                &postings.iter().map(ToString::to_string).collect::<Vec<_>>()[..],
                &reserved.iter().map(ToString::to_string).collect::<Vec<_>>()[..],
            ),
            "{operation:?}"
        );
    }
}

#[test]
fn between_banks_the_credit_books_what_one_owes_the_other() {
    let sends = content([leg(1, "-5", 0)]);
    let (booked_there, reserved) = booked(&action(StepKind::Credit, sends.clone()));
    assert_eq!(
        booked_there,
        ["transit transit -5.00", "clearing clearing 5.00"]
    );
    assert!(reserved.is_empty());
    let (back, _) = booked(&undoing(StepKind::Credit, sends));
    assert_eq!(back, ["transit refund 5.00", "clearing refund -5.00"]);
    let receives = content([leg(2, "5", 0)]);
    let (booked_here, reserved) = booked(&action(StepKind::Credit, receives.clone()));
    assert_eq!(booked_here, ["2 transfer 5.00", "clearing clearing -5.00"]);
    assert_eq!(reserved, ["2 5.00"]);
    // A bank that only receives has nothing to debit, and it does no harm to ask.
    assert_eq!(booked(&action(StepKind::Debit, receives)), (vec![], vec![]));
}

#[test]
fn system_accounts_are_opened_for_the_first_who_books_on_them() {
    let opened = |operation: &Operation| {
        let accounts = system_accounts(operation, &bank()).into_iter();
        accounts.map(|account| account.purpose).collect::<Vec<_>>()
    };
    let sends = || content([leg(1, "-5", 0)]);
    assert_eq!(
        opened(&action(StepKind::Debit, sends())),
        ["in_transit:USD"]
    );
    assert_eq!(
        opened(&action(StepKind::Credit, sends())),
        ["in_transit:USD", "clearing:bank-2:USD"]
    );
    let receives = content([leg(2, "5", 0)]);
    assert_eq!(
        opened(&action(StepKind::Credit, receives)),
        ["clearing:bank-2:USD"]
    );
    assert!(opened(&undoing(StepKind::Credit, sends())).is_empty());
    assert!(opened(&action(StepKind::Release, sends())).is_empty());
}
