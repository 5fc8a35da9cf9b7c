//! A linked batch is one transaction: one branch, one vote on the net, one decision.

use two_phase::message::Outcome;
use types::Code;

use crate::bank::{ALICE, ALICE_1, BOB, BOB_1, Bank, bank_1, figures, no, part, yes};

#[tokio::test]
async fn holds_are_the_net_and_entries_are_the_legs() {
    let bank = Bank::start().await;
    let between = bank.open(BOB, "0", "exclusive").await;
    // 30 from Alice through an empty account to Bob, and 5 back from him.
    let wish = part(
        &bank_1(),
        &[
            (ALICE_1, "-30", 0),
            (&between, "30", 0),
            (&between, "-30", 1),
            (BOB_1, "30", 1),
            (BOB_1, "-5", 2),
            (ALICE_1, "5", 2),
        ],
    );
    assert_eq!(bank.prepare(&wish).await, yes());
    assert_eq!(
        bank.figures(ALICE_1).await,
        figures("1000.00", "25.00", "0.00", 1)
    );
    assert_eq!(
        bank.figures(&between).await,
        figures("0.00", "0.00", "0.00", 0)
    );
    assert_eq!(
        bank.figures(BOB_1).await,
        figures("750.00", "0.00", "25.00", 1)
    );
    bank.assert_sound().await;
    bank.decide(wish.transaction_id, Outcome::Commit).await;
    assert_eq!(
        bank.figures(ALICE_1).await,
        figures("975.00", "0.00", "0.00", 3)
    );
    assert_eq!(
        bank.figures(&between).await,
        figures("0.00", "0.00", "0.00", 2)
    );
    assert_eq!(
        bank.figures(BOB_1).await,
        figures("775.00", "0.00", "0.00", 3)
    );
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn a_batch_is_refused_as_a_whole_when_its_net_is_not_covered() {
    let bank = Bank::start().await;
    let poor = bank.open(ALICE, "10", "escrow").await;
    let legs = [
        (poor.as_str(), "-6", 0),
        (BOB_1, "6", 0),
        (poor.as_str(), "-6", 1),
        (BOB_1, "6", 1),
    ];
    let wish = part(&bank_1(), &legs);
    assert_eq!(bank.prepare(&wish).await, no(Code::InsufficientFunds));
    bank.assert_at_rest().await;
}
