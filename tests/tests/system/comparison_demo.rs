//! `banking-cli demo --two-phase-commit-vs-saga`: what it counts and measures.

use std::process::Stdio;

use serde_json::Value;
use tests::{ACCOUNTS, CUSTOMER, TRANSACTIONS, TestBank};
use tokio::process::Command;

/// Runs the demonstration; what it told, for programs.
async fn play(bank: &TestBank, data_dir: &str) -> Value {
    let temporary = std::env::temp_dir();
    let options = stack::Options::for_tests("unused");
    let mut command = Command::new(options.binaries.join("banking-cli"));
    command
        .args(["demo", "--two-phase-commit-vs-saga", "--output", "json"])
        .args(["--data-dir", data_dir])
        .env_clear()
        .env("HOME", &temporary)
        .env("BANKING_SESSION", temporary.join("none"))
        .env("BANKING_URL_CUSTOMER", bank.url(CUSTOMER))
        .env("BANKING_URL_ACCOUNTS", bank.url(ACCOUNTS))
        .env("BANKING_URL_TRANSACTIONS", bank.url(TRANSACTIONS))
        .kill_on_drop(true)
        .stdin(Stdio::null());
    let output = command.output().await.unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{error}"));
    assert!(output.status.success(), "{told:#}\n{error}");
    assert_eq!(told["ok"], true, "{told:#}");
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn two_phase_commit_is_never_seen_half_way_and_both_protocols_move_all_of_the_money() {
    let bank = TestBank::start_patient(|options| options).await;
    let told = play(&bank, "/nowhere").await;
    let watched = told["acts"][0]["numbers"].as_array().unwrap();
    assert_eq!(watched.len(), 2, "{told:#}");
    for (numbers, protocol) in watched.iter().zip(["2pc", "saga"]) {
        assert_eq!(numbers["protocol"], protocol);
        assert_eq!(numbers["outcomes"]["committed"], 60, "{numbers:#}");
        assert_eq!(numbers["arrived"], "60.00");
        assert!(numbers["reads"].as_u64() > Some(0), "{numbers:#}");
    }
    assert_eq!(watched[0]["halfway"], 0);
    assert_eq!(watched[0]["reserved"], 0);
    let left_out = told["acts"][1]["happened"][0].as_str().unwrap();
    assert!(left_out.starts_with("Left out."), "{left_out}");
    bank.settles().await;
    bank.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_leaves_a_hold_by_two_phase_commit_and_money_in_transit_by_saga() {
    let bank = TestBank::start_patient(|options| options).await;
    let data_dir = bank.bank.data().root().display().to_string();
    let told = {
        // Whoever supervises the bank starts again what has died.
        let supervisor = async {
            loop {
                bank.bank.wait_exit(TRANSACTIONS).await.unwrap();
                bank.restart(TRANSACTIONS).await;
            }
        };
        tokio::select! {
            told = play(&bank, &data_dir) => told,
            () = supervisor => unreachable!("it never ends"),
        }
    };
    let crashes = told["acts"][1]["numbers"].as_array().unwrap();
    let expected = [
        ("after_votes", "held at the first account, booked nowhere"),
        ("after_decide", "held at the first account, booked nowhere"),
        ("saga_before_log", "in transit, at neither account"),
        ("saga_after_log", "in transit, at neither account"),
    ];
    for (crash, (point, left)) in crashes.iter().zip(expected) {
        assert_eq!(
            (&crash["point"], &crash["left"]),
            (&point.into(), &left.into())
        );
        assert_eq!(crash["whole"], true, "{crash:#}");
    }
    assert_eq!(crashes.len(), 4, "{told:#}");
    bank.settles().await;
    bank.stop().await;
}
