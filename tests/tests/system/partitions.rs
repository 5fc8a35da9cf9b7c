//! Processes that are alive and cannot reach each other.

use tests::{
    ACCOUNTS, ACCOUNTS_2, DATABASE, Failpoint, Flow, SECOND_COORDINATOR, TRANSACTIONS, eventually,
};

use crate::pair::Pair;
use crate::seed::ALICE;

/// A bank that has asked in vain twice more than before has had its chance to do something rash.
async fn asks_in_vain(pair: &Pair, bank: &str) {
    let before = pair.bank.logged(bank, "INQUIRY_UNANSWERED");
    eventually("it has asked in vain", || async {
        (pair.bank.logged(bank, "INQUIRY_UNANSWERED") >= before + 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn case_44_a_partition_before_the_votes_aborts() {
    let pair = Pair::start(|options| options).await;
    pair.bank.network().isolate(ACCOUNTS_2);
    let refused = pair.send("100", "cut").await.unwrap().unwrap();
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (503, "participant_unavailable")
    );
    let id = refused.transaction_id().to_owned();
    pair.branch_is(ACCOUNTS, &id, "ABORTED").await;
    assert_eq!(pair.bank.branch(ACCOUNTS_2, &id).await, None);
    pair.bank.network().heal();
    pair.bank.settles().await;
    assert!(!pair.committed("cut", "100").await);
    pair.has_moved(1).await;
    pair.bank.stop().await;
}

#[tokio::test]
async fn case_45_a_partition_after_the_promise_blocks_until_it_is_healed_and_commits() {
    // Nor may it hear of the decision by asking before it is cut off.
    let pair = Pair::start(|options| options.setting("ACCOUNTS_IN_DOUBT_AFTER_MS", 5_000)).await;
    let bank = &pair.bank;
    bank.arm(TRANSACTIONS, "after_decide", Failpoint::Pause)
        .await;
    let sent = pair.send("100", "cut");
    bank.waits_at(TRANSACTIONS, "after_decide").await;
    let id = pair.prepared().await;
    bank.network().isolate(ACCOUNTS_2);
    bank.disarm(TRANSACTIONS, "after_decide").await;
    let late = sent.await.unwrap().unwrap().expect(202);
    assert_eq!(late["status"], "committed");
    asks_in_vain(&pair, ACCOUNTS_2).await;
    let (first, second) = pair.branches(&id).await;
    assert_eq!(first.as_deref(), Some("COMMITTED"));
    assert_eq!(
        second.as_deref(),
        Some("PREPARED"),
        "it never decides alone"
    );
    let teller = bank.second_teller().await;
    let path = format!("/accounts/{}", pair.there);
    let held = teller.get_accounts(&path).await.expect(200);
    assert_eq!(held["pending_credits"], "100.00");
    bank.network().heal();
    bank.settles().await;
    assert!(pair.committed("cut", "100").await);
    pair.has_moved(101).await;
    pair.bank.stop().await;
}

#[tokio::test]
async fn case_45_a_partition_after_the_promise_blocks_until_it_is_healed_and_aborts() {
    let pair = Pair::start(|options| options).await;
    let bank = &pair.bank;
    bank.arm(TRANSACTIONS, "before_decide", Failpoint::Pause)
        .await;
    let sent = pair.send("100", "cut");
    bank.waits_at(TRANSACTIONS, "before_decide").await;
    let id = pair.prepared().await;
    bank.network().isolate(ACCOUNTS_2);
    bank.kill(TRANSACTIONS).await;
    assert!(sent.await.unwrap().is_err());
    bank.restart(TRANSACTIONS).await;
    pair.branch_is(ACCOUNTS, &id, "ABORTED").await;
    asks_in_vain(&pair, ACCOUNTS_2).await;
    let blocked = bank.branch(ACCOUNTS_2, &id).await;
    assert_eq!(
        blocked.as_deref(),
        Some("PREPARED"),
        "it never decides alone"
    );
    bank.network().heal();
    bank.settles().await;
    assert!(!pair.committed("cut", "100").await);
    pair.has_moved(1).await;
    pair.bank.stop().await;
}

#[tokio::test]
async fn case_46_every_loss_in_one_direction_ends_the_same_everywhere() {
    let pair = Pair::start(|options| options).await;
    let bank = &pair.bank;
    let ends: Vec<(String, String)> = bank
        .network()
        .between_services()
        .map(|(from, to, _)| (from.to_owned(), to.to_owned()))
        .collect();
    assert_eq!(ends.len(), 6, "{ends:?}");
    let mut moved = 1;
    for (from, to) in &ends {
        for there in [true, false] {
            let link = bank.network().link(from, to);
            let lost = link.lost();
            let inquires = from != TRANSACTIONS;
            if inquires {
                // Decided, and nobody is told: the banks ask.
                bank.arm(TRANSACTIONS, "after_decide", Failpoint::Pause)
                    .await;
            }
            if to.starts_with(ACCOUNTS) && inquires {
                // Peers are asked when no coordinator can be reached.
                bank.network().link(from, TRANSACTIONS).cut();
            }
            if there {
                link.there(Flow::Lose);
            } else {
                link.back(Flow::Lose);
            }
            let key = format!("{from}-{to}-{there}");
            let sent = pair.send("1", &key);
            eventually("something is lost", || async {
                (link.lost() > lost).then_some(())
            })
            .await;
            if inquires {
                bank.disarm(TRANSACTIONS, "after_decide").await;
            }
            let answer = sent.await.unwrap().unwrap();
            bank.network().heal();
            bank.settles().await;
            let committed = pair.committed(&key, "1").await;
            assert!(
                committed || answer.body["status"] != "committed",
                "{key}: {}",
                answer.body
            );
            moved += u32::from(committed);
        }
    }
    pair.has_moved(moved).await;
    pair.bank.stop().await;
}

#[tokio::test]
async fn case_47_a_coordinator_that_is_cut_off_from_its_database_decides_nothing() {
    let pair = Pair::start(|options| options).await;
    let bank = &pair.bank;
    bank.arm(TRANSACTIONS, "before_decide", Failpoint::Pause)
        .await;
    let sent = pair.send("100", "cut");
    bank.waits_at(TRANSACTIONS, "before_decide").await;
    let id = pair.prepared().await;
    let link = bank.network().link(TRANSACTIONS, DATABASE);
    link.cut();
    bank.disarm(TRANSACTIONS, "before_decide").await;
    let unknown = sent.await.unwrap().unwrap();
    assert_eq!(
        (unknown.status.as_u16(), unknown.code()),
        (503, "outcome_unknown")
    );
    let (newest, status) = bank.newest_transaction().await.unwrap();
    assert_eq!((newest.as_str(), status.as_str()), (id.as_str(), "pending"));
    assert_eq!(pair.prepared().await, id, "nobody was told anything");
    link.heal();
    bank.settles().await;
    assert!(!pair.committed("cut", "100").await, "recovery aborts it");
    pair.has_moved(1).await;
    pair.bank.stop().await;
}

#[tokio::test]
async fn case_47_meanwhile_another_coordinator_decides_and_the_first_obeys() {
    let pair = Pair::start(|mut options| {
        options.coordinators = 2;
        options
    })
    .await;
    let bank = &pair.bank;
    bank.arm(TRANSACTIONS, "before_decide", Failpoint::Pause)
        .await;
    let sent = pair.send("100", "cut");
    bank.waits_at(TRANSACTIONS, "before_decide").await;
    let id = pair.prepared().await;
    let link = bank.network().link(TRANSACTIONS, DATABASE);
    link.cut();
    pair.branch_is(ACCOUNTS, &id, "ABORTED").await;
    bank.disarm(TRANSACTIONS, "before_decide").await;
    let answer = sent.await.unwrap().unwrap();
    assert_ne!(answer.body["status"], "committed", "{}", answer.body);
    link.heal();
    bank.settles().await;
    let second = bank.url(SECOND_COORDINATOR);
    let again = pair.alice.at(None, Some(&second));
    let again = again.transfer(ALICE, &pair.there, "100", "cut").await;
    assert_eq!(again.unwrap().code(), "aborted_by_recovery");
    pair.has_moved(1).await;
    pair.bank.stop().await;
}

#[tokio::test]
async fn case_51_a_peer_that_accepts_and_never_answers_is_given_up_in_time() {
    let pair = Pair::start(|options| options).await;
    let bank = &pair.bank;
    let link = bank.network().link(TRANSACTIONS, ACCOUNTS_2);
    link.both(Flow::Hold);
    let refused = pair.send("100", "silent").await.unwrap().unwrap();
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (503, "participant_unavailable")
    );
    let id = refused.transaction_id().to_owned();
    pair.branch_is(ACCOUNTS, &id, "ABORTED").await;
    // What was held arrives now: a PREPARE, and an ABORT, in any order.
    link.heal();
    bank.settles().await;
    pair.branch_is(ACCOUNTS_2, &id, "ABORTED").await;
    assert!(!pair.committed("silent", "100").await);
    pair.has_moved(1).await;
    pair.bank.stop().await;
}

#[tokio::test]
async fn case_26_a_participant_that_is_stopped_past_the_deadline_is_too_late_with_its_promise() {
    let pair = Pair::start(|options| options).await;
    let bank = &pair.bank;
    bank.arm(ACCOUNTS_2, "before_vote_reply", Failpoint::Pause)
        .await;
    let sent = pair.send("100", "late");
    bank.waits_at(ACCOUNTS_2, "before_vote_reply").await;
    let id = pair.prepared().await;
    bank.bank.kill(ACCOUNTS_2, stack::Signal::STOP).unwrap();
    let refused = sent.await.unwrap().unwrap();
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (503, "participant_unavailable")
    );
    pair.branch_is(ACCOUNTS, &id, "ABORTED").await;
    let stopped = bank.branch(ACCOUNTS_2, &id).await;
    assert_eq!(stopped.as_deref(), Some("PREPARED"));
    bank.bank.kill(ACCOUNTS_2, stack::Signal::CONT).unwrap();
    bank.disarm(ACCOUNTS_2, "before_vote_reply").await;
    bank.settles().await;
    pair.branch_is(ACCOUNTS_2, &id, "ABORTED").await;
    assert!(
        !pair.committed("late", "100").await,
        "the late YES is ignored"
    );
    pair.has_moved(1).await;
    pair.bank.stop().await;
}
