//! The coordinator dies half-way, by each protocol: what that leaves, and for how long.

use std::time::{Duration, Instant};

use client::{Error, FailpointAction};
use serde::Serialize;
use types::views::{Account, Locking, Protocol, Status, TransferRequest};
use types::{AccountId, Code};

use super::super::narrator::Narrator;
use super::super::process::{self, LocalBank};
use super::super::stage::{Stage, outcome, request};
use super::super::victim::Victim;
use super::words;
use crate::cli::args::Side;
use crate::cli::commands::{insist, own_key};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::table::{Cell, Table, Tone};

/// Until the process comes to the point, and until it is gone.
const TO_HAPPEN: Duration = Duration::from_secs(20);

/// After the fault is healed everything is terminal within this.
const TO_FINISH: Duration = Duration::from_secs(30);

/// Where it dies: before and after what decides, by each protocol.
const POINTS: [(Protocol, &str, &str); 4] = [
    (
        Protocol::TwoPhaseCommit,
        "after_votes",
        "promised, not decided",
    ),
    (
        Protocol::TwoPhaseCommit,
        "after_decide",
        "decided, nobody told",
    ),
    (Protocol::Saga, "saga_before_log", "debited, not written"),
    (Protocol::Saga, "saga_after_log", "written, not credited"),
];

pub async fn play(
    stage: &Stage,
    narrator: &mut Narrator,
    local: &LocalBank,
) -> Result<(), Failure> {
    narrator.act("Two-phase commit and saga: what a crash leaves")?;
    narrator.did(
        "A transfer of 100.00 from an account with 150.00, four times: the coordinator is killed half-way, \
         before and after two-phase commit's decision, and before and after the saga's first step \
         is in its log. The accounts are read at that moment, then it is started again.",
    )?;
    narrator.expected(
        "Two-phase commit leaves a hold: no balance has changed, and the money can neither be spent \
         nor released. A saga leaves it in transit: gone from the first account and not at the \
         second. Both are over once the coordinator is back.",
    )?;
    let admin = stage.admin().await?;
    let mut left = Vec::new();
    let mut result = Ok(());
    for (protocol, point, means) in POINTS {
        let strike = Strike {
            stage,
            admin: &admin,
            local,
            protocol,
            point,
            means,
        };
        match strike.play(narrator).await {
            Ok(Some(found)) => left.push(found),
            Ok(None) => {}
            Err(error) => {
                result = Err(error);
                break;
            }
        }
    }
    let ledgers = ledgers(&admin).await;
    admin.revoke().await;
    result?;
    if left.is_empty() {
        return narrator.happened("Left out: this bank is built without failpoints.");
    }
    narrator.show(drawn(&left))?;
    for found in &left {
        narrator.number(found)?;
    }
    narrator.why(
        "A promise that nobody may release alone is the price of two-phase commit, and what can be \
         seen half-way is the price of a saga. Neither can lose money: the hold is released or \
         booked by the decision, and what is in transit is credited or refunded by the saga's log.",
    )?;
    let right = left.len() == POINTS.len() && left.iter().all(Left::is_right) && ledgers?;
    narrator.verdict(
        right,
        "each ended one way at both accounts, nothing is held, reserved or in transit, and every \
         ledger check passes.",
    )
}

async fn ledgers(admin: &Context) -> Result<bool, Failure> {
    let mut sound = true;
    for bank in admin.bank.banks().await? {
        sound &= bank.ledger_check().await?.ok;
    }
    Ok(sound)
}

/// What one crash left, and what became of it.
#[derive(Debug, Serialize)]
struct Left {
    protocol: Protocol,
    point: &'static str,
    means: &'static str,
    /// As the accounts were when the process was killed.
    source_balance: String,
    source_held: String,
    destination_balance: String,
    left: &'static str,
    outcome: String,
    whole: bool,
    /// From the crash until the process answered again.
    down_ms: u128,
    /// From then until nothing of it was left.
    whole_after_ms: u128,
}

impl Left {
    const fn is_right(&self) -> bool {
        self.whole
    }
}

struct Strike<'a> {
    stage: &'a Stage,
    admin: &'a Context,
    local: &'a LocalBank,
    protocol: Protocol,
    point: &'static str,
    means: &'static str,
}

impl Strike<'_> {
    /// `None`: the bank has no failpoints.
    async fn play(&self, narrator: &mut Narrator) -> Result<Option<Left>, Failure> {
        let victim = Victim::on(Side::Coordinator, self.admin, self.stage).await?;
        let (name, pid) = victim.process(self.local)?;
        let source = self.stage.open("150.00", Locking::Escrow, 0).await?;
        let sink = self.stage.open("0", Locking::Escrow, 1).await?;
        match victim.arm(self.point, FailpointAction::Pause, 1).await {
            Err(error) if error.code() == Some(Code::NotFound) => return Ok(None),
            other => other?,
        }
        let (key, wish) = (own_key(), self.wish(source, sink));
        let (bank, sent, under) = (self.stage.teller.bank.clone(), wish.clone(), key.clone());
        let transfer =
            tokio::spawn(async move { bank.transactions().transfer(&sent, Some(&under)).await });
        // It waits where it is to die, so that nobody who starts it again is faster than we look.
        let pause = FailpointAction::Pause;
        if !victim.struck(self.point, pause, pid, TO_HAPPEN).await {
            victim.disarm(self.point).await;
            let words = format!("The process did not come to {}.", self.point);
            return Err(Failure::Refused(words));
        }
        let accounts = self.accounts(source, sink).await;
        let killed = Instant::now();
        process::kill(pid)?;
        process::gone(pid, TO_HAPPEN).await;
        victim.back_again(self.local, &name).await?;
        let (down, back) = (killed.elapsed(), Instant::now());
        // The client of that request hears nothing, or that its outcome is unknown.
        let _ = transfer.await;
        let (from, to) = accounts?;
        let service = self.stage.teller.bank.transactions();
        let answer = insist(&key, || service.transfer(&wish, Some(&key))).await;
        let outcome = outcome(&answer);
        let committed = self.ended(answer).await?;
        let whole = process::until(TO_FINISH, || async {
            let now = self.accounts(source, sink).await;
            now.is_ok_and(|(from, to)| is_whole(&from, &to, committed))
        })
        .await;
        let found = Left {
            protocol: self.protocol,
            point: self.point,
            means: self.means,
            source_balance: from.balance.to_string(),
            source_held: from.pending_debits.to_string(),
            destination_balance: to.balance.to_string(),
            left: left_behind(&from, &to),
            outcome,
            whole,
            down_ms: down.as_millis(),
            whole_after_ms: back.elapsed().as_millis(),
        };
        narrator.happened(&format!(
            "{} at {} ({}): {}. The answer to the client: {}; nothing of it was left {} after the \
             coordinator was back.",
            words(self.protocol),
            self.point,
            self.means,
            found.left,
            found.outcome,
            seconds(found.whole_after_ms),
        ))?;
        Ok(Some(found))
    }

    fn wish(&self, source: AccountId, sink: AccountId) -> TransferRequest {
        TransferRequest {
            protocol: Some(self.protocol),
            ..request(source, sink, "100.00", &format!("crash at {}", self.point))
        }
    }

    async fn accounts(
        &self,
        source: AccountId,
        sink: AccountId,
    ) -> Result<(Account, Account), Failure> {
        let (from, to) = (
            self.stage.account(source).await,
            self.stage.account(sink).await,
        );
        Ok((from?, to?))
    }

    /// Whether it committed, once that is certain.
    async fn ended(
        &self,
        answer: Result<client::Sent<types::views::TransferView>, Failure>,
    ) -> Result<bool, Failure> {
        match answer {
            Ok(sent) => Ok(sent.body.status == Status::Committed),
            Err(Failure::Bank(Error::Refused(_))) => Ok(false),
            Err(other) => Err(other),
        }
    }
}

/// Nothing is held or reserved, and the money is where the outcome says.
fn is_whole(from: &Account, to: &Account, committed: bool) -> bool {
    let balances = (from.balance.to_string(), to.balance.to_string());
    let right = if committed {
        ("50.00", "100.00")
    } else {
        ("150.00", "0.00")
    };
    let at_rest = |account: &Account| {
        account.pending_debits.is_zero()
            && account.pending_credits.is_zero()
            && account.available_balance == account.balance
    };
    (&*balances.0, &*balances.1) == right && at_rest(from) && at_rest(to)
}

fn left_behind(from: &Account, to: &Account) -> &'static str {
    let nothing = to.balance.is_zero();
    if !from.pending_debits.is_zero() {
        "held at the first account, booked nowhere"
    } else if from.balance.to_string() == "50.00" && nothing {
        "in transit, at neither account"
    } else if to.available_balance < to.balance {
        "at the second account, reserved"
    } else if nothing {
        "nothing"
    } else {
        "booked at both"
    }
}

fn drawn(left: &[Left]) -> Table {
    let mut table = Table::new("")
        .rigid("Protocol")
        .text("Dies")
        .number("First")
        .number("Held")
        .number("Second")
        .text("Outcome")
        .number("Down")
        .number("Then");
    for found in left {
        let tone = if found.is_right() {
            Tone::Good
        } else {
            Tone::Bad
        };
        table.row(vec![
            found.protocol.into(),
            found.means.into(),
            found.source_balance.clone().into(),
            found.source_held.clone().into(),
            found.destination_balance.clone().into(),
            found.outcome.clone().into(),
            seconds(found.down_ms).into(),
            Cell::toned(seconds(found.whole_after_ms), tone),
        ]);
    }
    table
}

fn seconds(milliseconds: u128) -> String {
    let tenths = milliseconds / 100;
    format!("{}.{} s", tenths / 10, tenths % 10)
}
