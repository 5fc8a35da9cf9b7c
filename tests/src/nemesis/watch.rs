//! Looking at the invariants while everything runs.
//!
//! The race it survives: a bank that is down, stopped or cut off cannot answer. It is asked again;
//! only an answer counts.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use types::views::LedgerCheck;

use super::world::BANKS;
use crate::bank::TestBank;

const EVERY: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(3);

/// What was found so far.
#[derive(Default)]
pub(super) struct Watch {
    seen: Mutex<Seen>,
}

/// The answers of the banks about their own ledgers.
#[derive(Default, Clone)]
pub(super) struct Seen {
    /// How often a bank answered.
    pub(super) checks: u64,
    /// By invariant, what broke it.
    pub(super) broken: BTreeMap<String, Vec<String>>,
    /// Every invariant that was looked at, with its title.
    pub(super) titles: BTreeMap<String, String>,
}

impl Watch {
    /// Looks at both banks every two seconds, until dropped.
    pub(super) async fn run(&self, bank: &TestBank) {
        loop {
            for (name, service) in BANKS {
                self.look(bank, name, service).await;
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Looks at one bank once; says whether it answered.
    pub(super) async fn look(&self, bank: &TestBank, name: &str, service: &str) -> bool {
        let admin = bank.admin().await;
        let url = format!("{}/ledger/check", bank.url(service));
        let asked = admin.send(reqwest::Method::GET, &url, None, None);
        let Ok(Ok(answer)) = tokio::time::timeout(PATIENCE, asked).await else {
            return false;
        };
        let Ok(check) = serde_json::from_value::<LedgerCheck>(answer.body) else {
            return false;
        };
        let mut seen = self.seen.lock().expect("lock");
        seen.checks += 1;
        for item in check.checks {
            if !item.ok {
                let found = format!("{name}: {}", item.found.join("; "));
                let all = seen.broken.entry(item.id.clone()).or_default();
                if all.len() < 10 && !all.contains(&found) {
                    all.push(found);
                }
            }
            seen.titles.insert(item.id, item.title);
        }
        true
    }

    /// What was seen so far.
    pub(super) fn seen(&self) -> Seen {
        self.seen.lock().expect("lock").clone()
    }
}
