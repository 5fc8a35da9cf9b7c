//! A process dies, waits or fails in the middle of a transfer, and everything comes out right.

use std::path::{Path, PathBuf};
use std::time::Duration;

use client::{Error, FailpointAction, Sent};
use tokio::task::JoinHandle;
use types::views::{Locking, Status, TransferView};
use types::{AccountId, Code};

use super::narrator::Narrator;
use super::process::{self, LocalBank};
use super::stage::{Stage, outcome, request};
use super::victim::Victim;
use super::words;
use crate::cli::args::{FAILPOINTS, Failpoint, Side};
use crate::cli::commands::{insist, own_key};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::render;

/// Until it happens: a branch asks after 3 s, and gives up on a stopped coordinator after 2 s more.
const TO_HAPPEN: Duration = Duration::from_secs(20);

/// A bank asks about a branch after 3 s; then it has something to tell.
const TO_BE_IN_DOUBT: Duration = Duration::from_secs(5);

/// After the fault is healed everything is terminal within this.
const TO_FINISH_POLLS: u32 = 60;
const TO_FINISH_PAUSE: Duration = Duration::from_millis(500);

/// What happens where, and where the bank is.
pub struct Plan {
    data_dir: Option<PathBuf>,
    points: Vec<Failpoint>,
    action: FailpointAction,
}

impl Plan {
    /// At `points`, or before and after the decision, which is where the outcome turns.
    pub fn new(data_dir: Option<PathBuf>, points: &[Failpoint], action: FailpointAction) -> Self {
        let turning = ["after_votes", "after_decide"];
        let points = if points.is_empty() {
            let both = FAILPOINTS
                .iter()
                .filter(|point| turning.contains(&point.name));
            both.copied().collect()
        } else {
            points.to_vec()
        };
        Self {
            data_dir,
            points,
            action,
        }
    }
}

impl Plan {
    /// Where the bank is, if that was said.
    pub fn data_dir(&self) -> Option<&Path> {
        self.data_dir.as_deref()
    }
}

pub async fn play(stage: &Stage, narrator: &mut Narrator, plan: &Plan) -> Result<(), Failure> {
    let local = LocalBank::find(plan.data_dir.as_deref())?;
    let admin = stage.admin().await?;
    let mut result = Ok(());
    for point in &plan.points {
        let act = Act {
            stage,
            admin: &admin,
            local: &local,
            point: *point,
            action: plan.action,
        };
        result = act.play(narrator).await;
        if result.is_err() {
            break;
        }
    }
    admin.revoke().await;
    result
}

type Reply = Result<Sent<TransferView>, Error>;

struct Act<'a> {
    stage: &'a Stage,
    admin: &'a Context,
    local: &'a LocalBank,
    point: Failpoint,
    action: FailpointAction,
}

impl Act<'_> {
    async fn play(&self, narrator: &mut Narrator) -> Result<(), Failure> {
        let (point, action) = (self.point, self.action);
        narrator.act(&words::title(point, action))?;
        let victim = Victim::on(point.side, self.admin, self.stage).await?;
        let (name, pid) = victim.process(self.local)?;
        let source = self.stage.open("150.00", Locking::Escrow, 0).await?;
        let sink = self.stage.open("0", Locking::Escrow, 1).await?;
        narrator.did(&words::order(point, action, &name, pid))?;
        narrator.expected(words::expectation(point, action))?;

        let key = own_key();
        let wish = types::views::TransferRequest {
            protocol: point.by_saga.then_some(types::views::Protocol::Saga),
            ..request(source, sink, "100.00", &format!("crash at {}", point.name))
        };
        let struck = self
            .strike(narrator, &victim, pid, source, &wish, &key)
            .await;
        let seen = match &struck {
            Ok((_, true)) => self.look(narrator, source, sink).await,
            Ok((_, false)) | Err(_) => Ok(false),
        };
        // Whatever came of it: nothing may blow up later in somebody else's transfer.
        let healed = self.heal(narrator, &victim, &name).await;
        let (transfer, happened) = struck?;
        let held = seen?;
        healed?;
        let answer = transfer.await.map_err(std::io::Error::other)?;
        if !happened {
            return narrator.verdict(false, "it did not happen, so nothing was shown.");
        }
        narrator.happened(&match &answer {
            Ok(sent) => format!("The client's answer: {}.", sent.body.status),
            Err(error) => format!("The client's answer: {}", words::said(error)),
        })?;
        self.end(narrator, &wish, &key, (source, sink), held).await
    }

    /// Arms the points, sends the transfer, and waits until it happens. Whether it did.
    async fn strike(
        &self,
        narrator: &mut Narrator,
        victim: &Victim,
        pid: i32,
        source: AccountId,
        wish: &types::views::TransferRequest,
        key: &types::IdempotencyKey,
    ) -> Result<(JoinHandle<Reply>, bool), Failure> {
        let Failpoint {
            name, beforehand, ..
        } = self.point;
        if let Some((side, earlier, action)) = beforehand {
            let other = Victim::on(side, self.admin, self.stage).await?;
            // A pause that is to last, and a failure that is to be repeated, until we clear it.
            let count = match action {
                FailpointAction::Fail if side == Side::OtherBank => u32::MAX,
                _ => 1,
            };
            other.arm(earlier, action, count).await?;
            let detail = words::beforehand(side, earlier, action);
            narrator.did(&detail)?;
        }
        victim.arm(name, self.action, 1).await?;
        let (bank, sent, under) = (self.stage.teller.bank.clone(), wish.clone(), key.clone());
        let transfer =
            tokio::spawn(async move { bank.transactions().transfer(&sent, Some(&under)).await });
        if self.point.stops_coordinator {
            let promised = || async {
                let account = self.stage.account(source).await;
                account.is_ok_and(|account| !account.pending_debits.is_zero())
            };
            process::until(TO_HAPPEN, promised).await;
            let coordinator = Victim::on(Side::Coordinator, self.admin, self.stage).await?;
            let (name, pid) = coordinator.process(self.local)?;
            process::stop(pid)?;
            narrator.did(&format!(
                "The first bank has promised: now {name} is stopped (SIGSTOP), so that the banks \
                 have only each other."
            ))?;
        }
        let happened = victim.struck(name, self.action, pid, TO_HAPPEN).await;
        narrator.happened(&words::struck(self.action, name, pid, happened))?;
        Ok((transfer, happened))
    }

    /// What each side knows while the transfer stands still. Whether money is held.
    async fn look(
        &self,
        narrator: &mut Narrator,
        source: AccountId,
        sink: AccountId,
    ) -> Result<bool, Failure> {
        let (from, to) = (
            self.stage.account(source).await.ok(),
            self.stage.account(sink).await.ok(),
        );
        narrator.happened(&words::standing(from.as_ref(), to.as_ref()))?;
        let held = from
            .as_ref()
            .is_some_and(|account| !account.pending_debits.is_zero());
        if held {
            self.in_doubt(narrator, source).await?;
        }
        Ok(held)
    }

    /// What the bank of the source knows by itself, once it has begun to ask.
    async fn in_doubt(&self, narrator: &Narrator, source: AccountId) -> Result<(), Failure> {
        let banks = self.admin.bank.banks().await?;
        let Some(bank) = banks.first() else {
            return Ok(());
        };
        let listed = || async {
            let page = bank.in_doubt(false).await.ok()?;
            let mut items = page.items.into_iter();
            items.find(|item| item.legs.iter().any(|leg| leg.account_id == source))
        };
        let asked = || async {
            let item = listed().await;
            item.is_some_and(|item| item.coordinator != words::NOT_ASKED)
        };
        if process::until(TO_BE_IN_DOUBT, asked).await
            && let Some(item) = listed().await
        {
            let at = bank.participant().to_string();
            narrator.show(render::in_doubt_at(&[item], &at))?;
        }
        Ok(())
    }

    /// Starts again what died, lets go on what waits, and disarms everything.
    async fn heal(
        &self,
        narrator: &mut Narrator,
        victim: &Victim,
        name: &str,
    ) -> Result<(), Failure> {
        if self.point.stops_coordinator {
            let coordinator = Victim::on(Side::Coordinator, self.admin, self.stage).await?;
            let (_, pid) = coordinator.process(self.local)?;
            process::go_on(pid)?;
        }
        let running = matches!(self.local.process_at(victim.endpoint().url()), Ok((_, Some(pid))) if process::runs(pid))
            && victim.endpoint().health().await.is_ok();
        if running {
            victim.disarm(self.point.name).await;
            if self.action == FailpointAction::Pause {
                narrator.did(&format!("{name} may go on."))?;
            }
        } else {
            self.back_again(narrator, victim, name).await?;
        }
        if let Some((side, earlier, _)) = self.point.beforehand {
            let other = Victim::on(side, self.admin, self.stage).await?;
            other.disarm(earlier).await;
        }
        Ok(())
    }

    async fn back_again(
        &self,
        narrator: &mut Narrator,
        victim: &Victim,
        name: &str,
    ) -> Result<(), Failure> {
        match victim.back_again(self.local, name).await? {
            None => narrator.happened(&format!("{name} was started again by its supervisor.")),
            Some(typed) => narrator.did(&format!("Started again: {typed}")),
        }
    }

    async fn end(
        &self,
        narrator: &mut Narrator,
        wish: &types::views::TransferRequest,
        key: &types::IdempotencyKey,
        accounts: (AccountId, AccountId),
        held: bool,
    ) -> Result<(), Failure> {
        let service = self.stage.teller.bank.transactions();
        let again = insist(key, || service.transfer(wish, Some(key))).await;
        let word = outcome(&again);
        let id = match &again {
            Ok(sent) => Some(sent.body.transaction_id),
            Err(Failure::Bank(Error::Refused(problem))) => problem.transaction_id,
            Err(_) => None,
        };
        narrator.did("The same request again, under the same idempotency key.")?;
        narrator.happened(&format!("The answer: {word}."))?;
        let Some(id) = id else {
            let words = again.err().map(|failure| failure.words());
            let words = words.unwrap_or(word);
            return narrator.verdict(false, &format!("the transfer did not end. {words}"));
        };
        let ended = service.follow(id, TO_FINISH_PAUSE, TO_FINISH_POLLS).await?;
        narrator.show(render::timeline(&service.timeline(id).await?))?;
        let committed = ended.status == Status::Committed;
        narrator.why(if self.point.by_saga {
            words::why_saga(committed)
        } else {
            words::why(self.point.side, committed, held)
        })?;
        self.judge(narrator, ended.status, accounts).await
    }

    async fn judge(
        &self,
        narrator: &mut Narrator,
        status: Status,
        (source, sink): (AccountId, AccountId),
    ) -> Result<(), Failure> {
        let (from, to) = (
            self.stage.account(source).await?,
            self.stage.account(sink).await?,
        );
        let committed = status == Status::Committed;
        let right = if committed {
            ("50.00", "100.00")
        } else {
            ("150.00", "0.00")
        };
        let balances = (from.balance.to_string(), to.balance.to_string());
        let released = from.pending_debits.is_zero() && to.pending_credits.is_zero();
        let mut ledgers = true;
        for bank in self.admin.bank.banks().await? {
            match bank.ledger_check().await {
                Ok(check) => ledgers &= check.ok,
                Err(error) if error.code() == Some(Code::Forbidden) => ledgers = false,
                Err(error) => return Err(error.into()),
            }
        }
        let expected = self.point.commits_after(self.action);
        let ok = status != Status::Pending
            && expected.is_none_or(|commits| commits == committed)
            && released
            && ledgers
            && (balances.0.as_str(), balances.1.as_str()) == right;
        let ledger = if ledgers {
            "every ledger check passes"
        } else {
            "a ledger check fails"
        };
        let holds = if released {
            "no hold is left"
        } else {
            "a hold is left"
        };
        narrator.verdict(
            ok,
            &format!(
                "{status} everywhere; balances {} and {}; {holds}; {ledger}.",
                balances.0, balances.1
            ),
        )
    }
}
