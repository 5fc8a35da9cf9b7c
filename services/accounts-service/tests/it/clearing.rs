//! A bank that holds only some legs of a transfer books the difference with its peer, so that its
//! own ledger sums to zero, and so that all banks together do.

use two_phase::message::Outcome;

use crate::bank::{ALICE_1, BOB, Bank, Setup, bank_1, bank_2, figures, part, yes};

#[tokio::test]
async fn the_first_bank_and_another_settle_with_each_other() {
    let first = Bank::start().await;
    let second = Bank::with(Setup {
        participant: bank_2(),
        peers: "bank-1=http://127.0.0.1:9".to_owned(),
        ..Setup::default()
    })
    .await;
    let there = second.open(BOB, "0", "escrow").await;
    let here = part(&bank_1(), &[(ALICE_1, "-30", 0)]);
    let mut elsewhere = part(&bank_2(), &[(&there, "30", 0)]);
    elsewhere.transaction_id = here.transaction_id;
    for (bank, wish) in [(&first, &here), (&second, &elsewhere)] {
        assert_eq!(bank.prepare(wish).await, yes());
        bank.assert_sound().await;
        bank.decide(wish.transaction_id, Outcome::Commit).await;
        bank.assert_at_rest().await;
    }
    assert_eq!(
        second.figures(&there).await,
        figures("30.00", "0.00", "0.00", 1)
    );
    assert_eq!(clearing(&first, "clearing:bank-2:USD").await, 30);
    assert_eq!(clearing(&second, "clearing:bank-1:USD").await, -30);
}

#[tokio::test]
async fn many_transfers_between_two_banks_open_one_clearing_account() {
    let bank = Bank::start().await;
    let lists = (0..4).map(|_| {
        let participant = bank.participant.clone();
        tokio::spawn(async move {
            let list: Vec<_> = (0..10)
                .map(|n| {
                    let amount = if n % 2 == 0 { "-3" } else { "1" };
                    part(&bank_1(), &[(ALICE_1, amount, 0)])
                })
                .collect();
            let ids = list.iter().map(|wish| wish.transaction_id);
            let commits = ids.map(|id| (id, Outcome::Commit)).collect();
            assert_eq!(participant.prepare(list).await, [Some(yes()); 10]);
            participant.decide(commits).await;
        })
    });
    for list in lists.collect::<Vec<_>>() {
        list.await.expect("no panic");
    }
    assert_eq!(clearing(&bank, "clearing:bank-2:USD").await, 40);
    assert_eq!(
        bank.figures(ALICE_1).await,
        figures("960.00", "0.00", "0.00", 41)
    );
    bank.assert_at_rest().await;
}

async fn clearing(bank: &Bank, purpose: &str) -> i64 {
    let query = "SELECT balance::bigint FROM accounts WHERE kind = 'clearing' AND purpose = ";
    bank.count(&format!("{query}'{purpose}'")).await
}
