//! PREPARE meets every state a branch can be in, and every reason to refuse.

use serde_json::json;
use two_phase::message::Outcome;
use two_phase::{BranchState, Vote};
use types::views::Role;
use types::{Code, TransactionId};

use crate::bank::{
    ALICE, ALICE_1, BOB, BOB_1, Bank, CAROL_1, bank_1, figures, no, part, transfer, yes,
};

#[tokio::test]
async fn a_yes_is_a_durable_branch_with_holds_and_moves_no_money() {
    let bank = Bank::start().await;
    let wish = transfer(ALICE_1, BOB_1, "40");
    assert_eq!(bank.prepare(&wish).await, yes());
    assert_eq!(
        bank.state(wish.transaction_id).await,
        Some(BranchState::Prepared)
    );
    assert_eq!(
        bank.figures(ALICE_1).await,
        figures("1000.00", "40.00", "0.00", 1)
    );
    assert_eq!(
        bank.figures(BOB_1).await,
        figures("750.00", "0.00", "40.00", 1)
    );
    let shown = bank.alice().get(&format!("/accounts/{ALICE_1}")).await;
    assert_eq!(shown.text("available_balance"), "960.00");
    assert_eq!(shown.text("pending_change"), "-40.00");
    bank.assert_sound().await;
}

#[tokio::test]
async fn case_31_ten_prepares_at_once_make_one_branch() {
    let bank = Bank::start().await;
    let wish = transfer(ALICE_1, BOB_1, "40");
    let prepares = (0..10).map(|_| {
        let (participant, wish) = (bank.participant.clone(), wish.clone());
        tokio::spawn(async move { participant.prepare(vec![wish]).await })
    });
    for votes in prepares.collect::<Vec<_>>() {
        assert_eq!(votes.await.expect("no panic"), [Some(yes())]);
    }
    assert_eq!(bank.count("SELECT count(*) FROM branches").await, 1);
    assert_eq!(
        bank.figures(ALICE_1).await,
        figures("1000.00", "40.00", "0.00", 1)
    );
    bank.assert_sound().await;
}

#[tokio::test]
async fn ten_prepares_in_one_list_make_one_branch() {
    let bank = Bank::start().await;
    let wish = transfer(ALICE_1, BOB_1, "40");
    let mut other = transfer(ALICE_1, BOB_1, "41");
    other.transaction_id = wish.transaction_id;
    let mut list = vec![wish; 10];
    list.push(other);
    let votes = bank.participant.prepare(list).await;
    assert_eq!(votes[..10], [Some(yes()); 10]);
    assert_eq!(votes[10], Some(Vote::Contradiction));
    assert_eq!(
        bank.figures(ALICE_1).await,
        figures("1000.00", "40.00", "0.00", 1)
    );
}

#[tokio::test]
async fn case_32_a_prepare_after_the_abort_gets_no() {
    let bank = Bank::start().await;
    let wish = transfer(ALICE_1, BOB_1, "40");
    bank.decide(wish.transaction_id, Outcome::Abort).await;
    assert_eq!(bank.prepare(&wish).await, no(Code::AbortedByRecovery));
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn case_33_a_prepare_after_the_commit_has_no_effect() {
    let bank = Bank::start().await;
    let wish = transfer(ALICE_1, BOB_1, "40");
    bank.prepare(&wish).await;
    bank.decide(wish.transaction_id, Outcome::Commit).await;
    assert_eq!(bank.prepare(&wish).await, yes());
    assert_eq!(
        bank.figures(ALICE_1).await,
        figures("960.00", "0.00", "0.00", 2)
    );
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn case_34_a_prepare_older_than_its_tombstone_would_be_gets_no_and_leaves_nothing() {
    let bank = Bank::start().await;
    let eight_days_ago = chrono::Utc::now() - chrono::TimeDelta::days(8);
    let seconds = u64::try_from(eight_days_ago.timestamp()).expect("after 1970");
    let then = uuid::Timestamp::from_unix(uuid::NoContext, seconds, 0);
    let mut wish = transfer(ALICE_1, BOB_1, "40");
    wish.transaction_id = TransactionId::from_uuid(uuid::Uuid::new_v7(then));
    assert_eq!(bank.prepare(&wish).await, no(Code::AbortedByRecovery));
    let done = bank.decide(wish.transaction_id, Outcome::Abort).await;
    assert_eq!(done, two_phase::Acknowledgement::Done);
    assert_eq!(bank.count("SELECT count(*) FROM branches").await, 0);
}

#[tokio::test]
async fn case_35_a_prepare_with_another_amount_is_a_contradiction_and_an_alert() {
    let bank = Bank::start().await;
    let wish = transfer(ALICE_1, BOB_1, "40");
    bank.prepare(&wish).await;
    let mut other = transfer(ALICE_1, BOB_1, "41");
    other.transaction_id = wish.transaction_id;
    assert_eq!(bank.prepare(&other).await, Vote::Contradiction);
    assert_eq!(
        bank.figures(ALICE_1).await,
        figures("1000.00", "40.00", "0.00", 1)
    );
    let alerts = "SELECT count(*) FROM hazards
                  WHERE kind = 'prepare_contradiction' AND acknowledged_at IS NULL";
    assert_eq!(bank.count(alerts).await, 1);
}

#[tokio::test]
async fn a_refusal_is_durable_and_says_the_same_every_time() {
    let bank = Bank::start().await;
    let wish = transfer(CAROL_1, BOB_1, "150.01");
    assert_eq!(bank.prepare(&wish).await, no(Code::InsufficientFunds));
    // Even when there is money by now.
    let deposit = json!({"amount": "100"});
    let path = format!("/accounts/{CAROL_1}/deposits");
    assert_eq!(bank.teller().post(&path, &deposit).await.status, 201);
    assert_eq!(bank.prepare(&wish).await, no(Code::InsufficientFunds));
    assert_eq!(
        bank.state(wish.transaction_id).await,
        Some(BranchState::Refused)
    );
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn an_announced_credit_is_not_spent_before_it_is_booked() {
    let bank = Bank::start().await;
    let credit = transfer(ALICE_1, CAROL_1, "100");
    assert_eq!(bank.prepare(&credit).await, yes());
    let early = transfer(CAROL_1, BOB_1, "200");
    let votes = bank.participant.prepare(vec![early]).await;
    assert_eq!(votes, [Some(no(Code::InsufficientFunds))]);
    bank.decide(credit.transaction_id, Outcome::Commit).await;
    assert_eq!(
        bank.prepare(&transfer(CAROL_1, BOB_1, "200")).await,
        yes(),
        "now it is there"
    );
    bank.assert_sound().await;
}

#[tokio::test]
async fn an_account_that_is_busy_leaves_no_branch_and_the_same_prepare_succeeds_later() {
    let bank = Bank::start().await;
    let exclusive = bank.open(ALICE, "100", "exclusive").await;
    let (first, second) = (
        transfer(&exclusive, BOB_1, "10"),
        transfer(&exclusive, BOB_1, "20"),
    );
    // In one list and in two.
    let votes = bank
        .participant
        .prepare(vec![first.clone(), second.clone()])
        .await;
    assert_eq!(votes, [Some(yes()), Some(Vote::Busy)]);
    assert_eq!(bank.prepare(&second).await, Vote::Busy);
    assert_eq!(bank.state(second.transaction_id).await, None);
    let cash = json!({"amount": "1"});
    let locked = bank
        .teller()
        .post(&format!("/accounts/{exclusive}/deposits"), &cash)
        .await;
    assert_eq!(locked.refusal(), (409, "account_locked"));
    bank.assert_sound().await;
    bank.decide(first.transaction_id, Outcome::Abort).await;
    assert_eq!(bank.prepare(&second).await, yes());
    bank.decide(second.transaction_id, Outcome::Commit).await;
    assert_eq!(
        bank.figures(&exclusive).await,
        figures("80.00", "0.00", "0.00", 2)
    );
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn one_transaction_may_lock_two_exclusive_accounts() {
    let bank = Bank::start().await;
    let one = bank.open(ALICE, "100", "exclusive").await;
    let two = bank.open(BOB, "0", "exclusive").await;
    let wish = transfer(&one, &two, "10");
    assert_eq!(bank.prepare(&wish).await, yes());
    bank.assert_sound().await;
    bank.decide(wish.transaction_id, Outcome::Commit).await;
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn case_57_of_two_withdrawals_of_100_from_150_one_is_possible() {
    let bank = Bank::start().await;
    let wishes = [
        transfer(CAROL_1, BOB_1, "100"),
        transfer(CAROL_1, ALICE_1, "100"),
    ];
    let votes = wishes.iter().map(|wish| {
        let (participant, wish) = (bank.participant.clone(), wish.clone());
        tokio::spawn(async move { participant.prepare(vec![wish]).await[0] })
    });
    let mut seen = Vec::new();
    for vote in votes.collect::<Vec<_>>() {
        seen.push(vote.await.expect("no panic"));
    }
    seen.sort_by_key(|vote| *vote != Some(yes()));
    assert_eq!(seen, [Some(yes()), Some(no(Code::InsufficientFunds))]);
    bank.assert_sound().await;
}

#[tokio::test]
async fn case_60_one_no_in_a_list_of_fifty_leaves_the_others_alone() {
    let bank = Bank::start().await;
    let mut list: Vec<_> = (0..49).map(|_| transfer(ALICE_1, BOB_1, "1")).collect();
    list.insert(20, transfer(ALICE_1, BOB_1, "100000"));
    let votes = bank.participant.prepare(list.clone()).await;
    assert_eq!(votes[20], Some(no(Code::InsufficientFunds)));
    assert_eq!(votes.iter().filter(|v| **v == Some(yes())).count(), 49);
    let commits = list.iter().enumerate().filter(|(n, _)| *n != 20);
    let commits = commits.map(|(_, wish)| (wish.transaction_id, Outcome::Commit));
    bank.participant.decide(commits.collect()).await;
    assert_eq!(
        bank.figures(ALICE_1).await,
        figures("951.00", "0.00", "0.00", 50)
    );
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn case_103_a_credit_that_would_overflow_is_refused_at_the_vote() {
    let bank = Bank::start().await;
    let full = bank.open(BOB, "999999999999999.9999", "escrow").await;
    let wish = transfer(ALICE_1, &full, "0.0001");
    assert_eq!(bank.prepare(&wish).await, no(Code::BalanceLimit));
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn case_106_a_leg_on_a_system_account_is_refused() {
    let bank = Bank::start().await;
    let vault: uuid::Uuid =
        sqlx::query_scalar("SELECT account_id FROM accounts WHERE purpose = 'vault:USD'")
            .fetch_one(&bank.pool)
            .await
            .expect("a vault");
    for wish in [
        transfer(&vault.to_string(), ALICE_1, "10"),
        transfer(ALICE_1, &vault.to_string(), "10"),
    ] {
        assert_eq!(bank.prepare(&wish).await, no(Code::AccountNotFound));
    }
    bank.assert_at_rest().await;
}

#[tokio::test]
async fn every_reason_to_refuse_is_found_in_the_rows() {
    let bank = Bank::start().await;
    let teller = bank.teller();
    let frozen = bank.open(BOB, "5", "escrow").await;
    let closed = bank.open(BOB, "0", "escrow").await;
    for (id, status) in [(&frozen, "frozen"), (&closed, "closed")] {
        let reply = teller
            .patch(&format!("/accounts/{id}"), &json!({"status": status}))
            .await;
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    let euros = json!({"customer_id": BOB, "currency": "EUR"});
    let euros = teller.post("/accounts", &euros).await.text("account_id");
    let nobody = types::AccountId::generate().to_string();
    let mut foreign = transfer(BOB_1, ALICE_1, "1");
    foreign.debits_owned_by = Some(ALICE.parse().expect("a customer"));
    let mut own = transfer(ALICE_1, BOB_1, "1");
    own.debits_owned_by = Some(ALICE.parse().expect("a customer"));
    let mut lopsided = transfer(ALICE_1, BOB_1, "1");
    lopsided.legs.pop();
    for (wish, vote) in [
        (transfer(ALICE_1, &nobody, "1"), no(Code::AccountNotFound)),
        (foreign, no(Code::AccountNotFound)),
        (own, yes()),
        (transfer(ALICE_1, &frozen, "1"), no(Code::AccountFrozen)),
        (transfer(ALICE_1, &closed, "1"), no(Code::AccountClosed)),
        (transfer(ALICE_1, &euros, "1"), no(Code::CurrencyMismatch)),
        (
            transfer(CAROL_1, ALICE_1, "150.0001"),
            no(Code::InsufficientFunds),
        ),
        (lopsided, no(Code::UnbalancedLegs)),
        (
            part(&bank_1(), &[(ALICE_1, "-1", 0), (ALICE_1, "1", 0)]),
            no(Code::DuplicateAccount),
        ),
    ] {
        assert_eq!(bank.prepare(&wish).await, vote, "{wish:?}");
    }
    bank.assert_sound().await;
}

#[tokio::test]
async fn the_coordinator_finds_out_whose_an_account_is() {
    let bank = Bank::start().await;
    let vault: uuid::Uuid =
        sqlx::query_scalar("SELECT account_id FROM accounts WHERE purpose = 'vault:USD'")
            .fetch_one(&bank.pool)
            .await
            .expect("a vault");
    let nobody = types::AccountId::generate();
    let asked = json!({"participant": "bank-1", "items": [ALICE_1, nobody, vault]});
    let found = bank.coordinator().post("/internal/accounts", &asked).await;
    assert_eq!(
        found.body,
        json!({"participant": "bank-1", "items": [
            {"account_id": ALICE_1, "customer_id": ALICE, "currency": "USD"}]})
    );
    let teller = bank.user(Role::Teller, None);
    let refused = teller.post("/internal/accounts", &asked).await;
    assert_eq!(refused.refusal(), (403, "forbidden"));
}
