//! Faults drawn from a seed, and the history that clients wrote down meanwhile (docs/nemesis.md).

use std::time::Duration;

use history::Reason;
use tests::nemesis::{Kind, Report, Settings, run};

/// In eight seconds one coordinator is killed while the other's link to a bank flaps.
const SHORT: u64 = 7;

/// A run of its own, with the history in a folder that goes with the test.
async fn nemesis(seed: u64, seconds: u64, mix: &[Kind], requests: u64) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        seed,
        length: Duration::from_secs(seconds),
        mix: mix.to_vec(),
        clients: 3,
        accounts: 8,
        requests,
        history: folder.path().join("history.jsonl"),
        keep: false,
        talk: false,
    };
    let (_never, interrupt) = tokio::sync::watch::channel(false);
    let report = run(settings, interrupt).await.unwrap();
    if let Some(logs) = &report.logs {
        let kept = folder.keep();
        println!("kept {} and {}", kept.display(), logs.display());
    }
    report
}

fn made(report: &Report) -> u64 {
    report.faults.values().sum()
}

#[tokio::test]
async fn a_few_drawn_faults_lose_nothing_and_the_history_fits() {
    let report = nemesis(SHORT, 8, &[Kind::Kill, Kind::Network], 300).await;
    assert!(report.is_good(), "{report}");
    assert!(made(&report) >= 2, "{report}");
    let verdict = report.verdict.unwrap();
    assert!(verdict.operations > 20 && verdict.entries > 20, "{verdict}");
    for reason in Reason::ALL {
        assert_eq!(verdict.count(*reason), 0, "{reason}");
    }
}

#[tokio::test]
#[ignore = "slow: 40 seconds of all kinds of faults, with servers, disks and clocks of their own"]
async fn all_kinds_of_drawn_faults_lose_nothing_and_the_history_fits() {
    let report = nemesis(20, 40, &Kind::ALL, 20_000).await;
    assert!(report.is_good(), "{report}");
    assert!(made(&report) >= 5, "{report}");
}
