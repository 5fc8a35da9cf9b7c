//! `banking-cli demo --crash`: somebody at a terminal chooses where it happens, and what.

use std::process::Stdio;

use tests::{ACCOUNTS, CUSTOMER, TRANSACTIONS, TestBank};

use crate::terminal::{ENTER, ESCAPE, Terminal};

fn environment(bank: &TestBank) -> Vec<(&'static str, String)> {
    let temporary = std::env::temp_dir().display().to_string();
    vec![
        ("HOME", temporary.clone()),
        ("BANKING_SESSION", format!("{temporary}/none")),
        ("BANKING_URL_CUSTOMER", bank.url(CUSTOMER)),
        ("BANKING_URL_ACCOUNTS", bank.url(ACCOUNTS)),
        ("BANKING_URL_TRANSACTIONS", bank.url(TRANSACTIONS)),
        (
            "BANK_DATA_DIR",
            bank.bank.data().root().display().to_string(),
        ),
    ]
}

fn program() -> std::path::PathBuf {
    let options = stack::Options::for_tests("unused");
    options.binaries.join("banking-cli")
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_terminal_a_point_and_what_happens_there_are_chosen_from_lists() {
    let bank = TestBank::start().await;
    let environment = environment(&bank);
    tokio::task::spawn_blocking(move || {
        let open = || Terminal::open(&program(), &["demo", "--crash"], &environment);
        let mut left = open();
        left.asks("Where is it to happen?");
        left.press(ESCAPE);
        assert_eq!(
            left.exit_code(),
            0,
            "it can be left without anything happening"
        );

        let mut terminal = open();
        terminal.asks("Where is it to happen?");
        terminal.shows("begun durably, no bank knows");
        terminal.answer("before_ack", "before_ack");
        terminal.shows("the acknowledgement is about to go");
        terminal.answer(ENTER, "What is to happen there?");
        for action in [
            "abort: the process ends",
            "pause: whoever",
            "fail: the step",
        ] {
            terminal.shows(action);
        }
        terminal.press(&format!("pause{ENTER}"));
        terminal.shows("committed everywhere");
        terminal.shows("no hold is left");
        assert_eq!(terminal.exit_code(), 0);
    })
    .await
    .unwrap();
    bank.settles().await;
    bank.stop().await;
}

/// Where a process waits or fails and nobody has to start it again.
#[tokio::test]
async fn points_of_both_sides_are_reached_and_everything_comes_out_right() {
    let bank = TestBank::start_with(|mut options| {
        options.banks = 2;
        options
    })
    .await;
    for (point, action) in [
        ("before_decide", "pause"),
        ("before_vote_reply", "fail"),
        ("before_apply_commit", "fail"),
        ("after_claim", "fail"),
        ("before_step_commit", "fail"),
        ("after_step_commit", "pause"),
        ("after_inquiry", "fail"),
        ("after_peer_tombstone", "pause"),
    ] {
        let mut command = tokio::process::Command::new(program());
        command
            .args(["demo", "--crash", "--point", point, "--action", action])
            .env_clear()
            .envs(environment(&bank))
            .stdin(Stdio::null());
        let output = command.output().await.unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.success(),
            "{point} {action}:\n{told}\n{error}"
        );
        assert!(
            told.contains("no hold is left"),
            "{point} {action}:\n{told}"
        );
    }
    bank.settles().await;
    bank.stop().await;
}
