//! Whoever takes part in a transfer by saga is killed, at every write of the log and around every
//! commit of a step.

use tests::{ACCOUNTS, Failpoint, TRANSACTIONS};

use crate::sagas::Scene;

/// Writes of the log behind the beginning: debit done, credit done, release done; and where the
/// credit is refused: debit done, credit refused, debit undone. Where one of two banks refuses it,
/// what the other has of it is undone before.
const fn writes(banks: u16, is_refused: bool) -> usize {
    if is_refused && banks == 2 { 4 } else { 3 }
}

/// Kills the coordinator at every write of the log, and has it start again.
async fn killed_at_every_write(banks: u16, is_refused: bool) {
    let scene = Scene::usual(banks).await;
    if is_refused {
        scene.set_status("frozen").await;
    }
    let mut moved = 0;
    for n in 1..=writes(banks, is_refused) {
        for is_written in [false, true] {
            let key = format!("{banks}-{n}-{is_written}");
            let sent = scene.before_write(n, &key).await;
            if is_written {
                scene
                    .bank
                    .arm(TRANSACTIONS, "saga_after_log", Failpoint::Abort)
                    .await;
                scene.go_on().await;
                scene.bank.died(TRANSACTIONS).await;
            } else {
                scene.bank.kill(TRANSACTIONS).await;
            }
            drop(sent.await);
            scene.bank.restart(TRANSACTIONS).await;
            moved += if is_refused { 0 } else { 100 };
            scene.has_moved(moved).await;
            let again = scene.send(&key).await.await.unwrap().unwrap();
            assert!(again.replayed, "{key}");
            if is_refused {
                assert_eq!(again.code(), "account_frozen", "{key}");
            } else {
                assert_eq!(again.body["status"], "committed", "{key}: {}", again.body);
            }
        }
    }
    scene.has_moved(moved).await;
    scene.bank.stop().await;
}

#[tokio::test]
async fn case_63_a_transfer_goes_on_after_a_crash_at_any_write_of_its_log() {
    killed_at_every_write(1, false).await;
}

#[tokio::test]
async fn case_63_a_transfer_between_two_banks_goes_on_after_a_crash_at_any_write() {
    killed_at_every_write(2, false).await;
}

#[tokio::test]
async fn case_63_a_refund_goes_on_after_a_crash_at_any_write_of_its_log() {
    killed_at_every_write(1, true).await;
}

#[tokio::test]
async fn case_63_a_refund_between_two_banks_goes_on_after_a_crash_at_any_write() {
    killed_at_every_write(2, true).await;
}

#[tokio::test]
async fn case_63_before_and_after_its_beginning() {
    let scene = Scene::usual(1).await;
    let bank = &scene.bank;
    bank.arm(TRANSACTIONS, "before_begin", Failpoint::Abort)
        .await;
    assert!(scene.send("before").await.await.unwrap().is_err());
    bank.died(TRANSACTIONS).await;
    bank.restart(TRANSACTIONS).await;
    scene.has_moved(0).await;
    bank.arm(TRANSACTIONS, "after_begin", Failpoint::Abort)
        .await;
    assert!(scene.send("after").await.await.unwrap().is_err());
    bank.died(TRANSACTIONS).await;
    bank.restart(TRANSACTIONS).await;
    // What is begun is durable, and so is what it asks for.
    scene.has_moved(100).await;
    let again = scene.send("after").await.await.unwrap().unwrap();
    assert!(again.replayed);
    assert_eq!(again.body["status"], "committed");
    scene.bank.stop().await;
}

#[tokio::test]
async fn case_72_what_has_turned_back_never_goes_forward_again() {
    let scene = Scene::usual(2).await;
    let bank = &scene.bank;
    scene.set_status("frozen").await;
    let sent = scene.before_write(2, "back").await;
    bank.arm(TRANSACTIONS, "saga_after_log", Failpoint::Abort)
        .await;
    scene.go_on().await;
    bank.died(TRANSACTIONS).await;
    drop(sent.await);
    // It would be possible now, and it is too late.
    scene.set_status("active").await;
    bank.restart(TRANSACTIONS).await;
    scene.has_moved(0).await;
    assert_eq!(scene.saga().await["status"], "COMPENSATED");
    scene.bank.stop().await;
}

#[tokio::test]
async fn case_73_behind_the_pivot_it_only_goes_forward() {
    let scene = Scene::usual(2).await;
    let bank = &scene.bank;
    let sent = scene.before_write(2, "forward").await;
    bank.arm(TRANSACTIONS, "saga_after_log", Failpoint::Abort)
        .await;
    scene.go_on().await;
    bank.died(TRANSACTIONS).await;
    drop(sent.await);
    let (_, status) = bank.newest_transaction().await.unwrap();
    assert_eq!(
        status, "committed",
        "asking for the release is the decision"
    );
    // Nothing of this turns it back.
    scene.set_status("frozen").await;
    bank.kill(ACCOUNTS).await;
    bank.restart(TRANSACTIONS).await;
    bank.restart(ACCOUNTS).await;
    scene.has_moved(100).await;
    assert_eq!(scene.saga().await["status"], "COMMITTED");
    scene.bank.stop().await;
}

/// Kills the first bank around the commit of every step, and has it start again.
async fn bank_killed_at_every_step(banks: u16, is_refused: bool) {
    let scene = Scene::usual(banks).await;
    let bank = &scene.bank;
    if is_refused {
        scene.set_status("frozen").await;
    }
    let mut moved = 0;
    for n in 0..writes(banks, is_refused) {
        for point in ["before_step_commit", "after_step_commit"] {
            let key = format!("{banks}-{n}-{point}");
            let sent = if n == 0 {
                bank.arm(ACCOUNTS, point, Failpoint::Abort).await;
                scene.send(&key).await
            } else {
                let sent = scene.before_write(n, &key).await;
                bank.arm(ACCOUNTS, point, Failpoint::Abort).await;
                scene.go_on().await;
                sent
            };
            bank.died(ACCOUNTS).await;
            bank.restart(ACCOUNTS).await;
            drop(sent.await);
            moved += if is_refused { 0 } else { 100 };
            scene.has_moved(moved).await;
        }
    }
    scene.bank.stop().await;
}

#[tokio::test]
async fn case_65_a_bank_that_dies_around_any_step_does_it_once() {
    bank_killed_at_every_step(1, false).await;
}

#[tokio::test]
async fn case_65_one_of_two_banks_that_dies_around_any_step_does_it_once() {
    bank_killed_at_every_step(2, false).await;
}

#[tokio::test]
async fn case_66_a_bank_that_dies_around_a_refund_undoes_once() {
    bank_killed_at_every_step(1, true).await;
}

#[tokio::test]
async fn case_66_one_of_two_banks_that_dies_around_a_refund_undoes_once() {
    bank_killed_at_every_step(2, true).await;
}
