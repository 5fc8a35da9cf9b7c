//! What is judged at the end, when nothing disturbs the bank any more.

use std::fs;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ground::Ground;
use super::perform::Hands;
use super::recorder::Recorder;
use super::report::Report;
use super::watch::Watch;
use super::world::BANKS;
use super::{finals, recovery};
use crate::bank::{TRANSACTIONS, TestBank};

/// Fills in what the report says about invariants and the history, and finishes the history's file.
pub(super) async fn reach(
    report: &mut Report,
    ground: &Arc<Ground>,
    hands: &Hands,
    watch: &Watch,
    recorder: &Recorder,
) -> io::Result<()> {
    let bank = &ground.bank;
    ledgers(report, bank, watch).await;
    let agree = {
        let ground = Arc::clone(ground);
        // It says what it finds by a panic, as tests want it.
        tokio::spawn(async move { ground.bank.invariants_hold().await }).await
    };
    let contradicted = agree.err().map(|error| match error.try_into_panic() {
        Ok(panic) => panic
            .downcast_ref::<String>()
            .cloned()
            .unwrap_or_else(|| "it broke off".to_owned()),
        Err(error) => error.to_string(),
    });
    let title = "I5 branches and decisions agree at all banks, and clearing nets to zero";
    report
        .checks
        .push((title.to_owned(), contradicted.into_iter().collect()));
    let title = "no hazard: nobody's data contradict anybody's";
    report.checks.push((title.to_owned(), hazards(bank).await));
    let title = "no process ended by itself";
    report
        .checks
        .push((title.to_owned(), hands.ended_by_themselves()));

    match finals::read(bank).await {
        Ok(finals) => recorder.finish(finals)?,
        Err(error) => {
            let title = "the databases can be read at the end".to_owned();
            report.checks.push((title, vec![error.to_string()]));
            return Ok(());
        }
    }
    // From the file, as anybody will read it later.
    let file = fs::File::open(&report.history)?;
    match history::read(BufReader::new(file)) {
        Ok(history) => report.verdict = Some(history::check(&history)),
        Err(error) => {
            let title = "the history can be read back".to_owned();
            report.checks.push((title, vec![error.to_string()]));
        }
    }
    Ok(())
}

/// What the banks say about their own ledgers, while it ran and now.
async fn ledgers(report: &mut Report, bank: &TestBank, watch: &Watch) {
    for (name, service) in BANKS {
        let began = Instant::now();
        while !watch.look(bank, name, service).await {
            if began.elapsed() > recovery::LIMIT {
                let title = format!("{name} answers for its ledger");
                report.checks.push((title, vec!["no answer".to_owned()]));
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    let seen = watch.seen();
    for (id, title) in seen.titles {
        let found = seen.broken.get(&id).cloned().unwrap_or_default();
        report.checks.push((format!("{id} {title}"), found));
    }
}

async fn hazards(bank: &TestBank) -> Vec<String> {
    let mut found = Vec::new();
    let coordinator = sqlx::query_as(
        "SELECT transaction_id::text, participant || ': ' || hazard FROM hazards LIMIT 10",
    );
    let pool = bank.database(TRANSACTIONS).await;
    let rows: Result<Vec<(String, String)>, _> = coordinator.fetch_all(&pool).await;
    found.push((TRANSACTIONS, rows));
    for (_, service) in BANKS {
        let own = sqlx::query_as("SELECT transaction_id::text, kind FROM hazards LIMIT 10");
        let rows = own.fetch_all(&bank.database(service).await).await;
        found.push((service, rows));
    }
    found
        .into_iter()
        .flat_map(|(service, rows)| match rows {
            Ok(rows) => rows
                .into_iter()
                .map(|(id, what)| format!("{service}: {id} {what}"))
                .collect(),
            Err(error) => vec![format!("{service}: {error}")],
        })
        .collect()
}

/// Copies the logs to where they outlive the bank, beside the history.
pub(super) fn keep_logs(ground: &Ground, history: &Path) -> io::Result<PathBuf> {
    let folder = history.with_extension("logs");
    fs::create_dir_all(&folder)?;
    for (name, server) in &ground.servers {
        fs::copy(server.log(), folder.join(format!("postgres-of-{name}.log")))?;
    }
    for entry in fs::read_dir(ground.bank.bank.data().logs())? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), folder.join(entry.file_name()))?;
        }
    }
    Ok(folder)
}
