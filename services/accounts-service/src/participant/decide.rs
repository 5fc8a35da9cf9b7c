//! A list of decisions is carried out: one database transaction, then the acknowledgements.
//!
//! The race it survives: two COMMITs of one branch arrive together, or a COMMIT and an operator's
//! force. Each locks the branch's row before it looks at its state, so the second sees what the
//! first made of it and books nothing. Rows are locked branches first, then accounts, each in id
//! order, as in `prepare.rs`, so that lists never wait for each other in a circle.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use service_kit::failpoints;
use service_kit::halving::{Part, halve};
use sqlx::{PgConnection, PgPool};
use two_phase::message::{Acknowledgement, Hazard, Numbers, Outcome};
use two_phase::participant::on_decision;
use two_phase::planted::{Bug, is_planted};
use two_phase::{BranchState, Effect};
use types::views::AuditAction;
use types::{ParticipantId, TransactionId};

use super::alarm::{self, HazardKind};
use super::numbers::NotInStep;
use super::{Participant, is_forgotten};
use crate::branch::Content;
use crate::ledger::Book;
use crate::store::audit::{self, NewEntry};
use crate::store::branches::Transition;
use crate::store::hazards::NewHazard;
use crate::store::{StoreError, accounts, branches, entries};

type Item = (TransactionId, Outcome);

/// Carries out a list, each item by itself. One that cannot be carried out becomes a hazard.
pub(super) async fn decide_list(
    participant: &Participant,
    list: Vec<Item>,
    heard: Option<&Numbers>,
) -> Result<Vec<Option<Acknowledgement>>, NotInStep> {
    let mut answers = Vec::with_capacity(list.len());
    for (length, part) in halve(&list, |part| in_one_transaction(participant, heard, part)).await {
        match part {
            Part::Done(done) => answers.extend(done.into_iter().map(Some)),
            Part::Refused(error) => {
                let (id, _) = list[answers.len()];
                answers.push(cannot_apply(&participant.pool, id, &error).await);
            }
            Part::Unknown(StoreError::NotInStep(refused)) => return Err(refused),
            Part::Unknown(error) => {
                tracing::warn!(event = "DECISIONS_UNANSWERED", items = length, %error);
                answers.resize(answers.len() + length, None);
            }
        }
    }
    Ok(answers)
}

/// The database refuses what was promised: that is on record before it is said.
async fn cannot_apply(
    pool: &PgPool,
    id: TransactionId,
    error: &StoreError,
) -> Option<Acknowledgement> {
    let hazard = Hazard::CannotApply;
    let found = HazardKind::Decision(hazard).of(id, Some(error.to_string()));
    match alarm::raise(pool, vec![found]).await {
        Ok(()) => Some(Acknowledgement::Hazard { hazard }),
        Err(error) => {
            tracing::error!(event = "HAZARD_NOT_RECORDED", transaction_id = %id, %error);
            None
        }
    }
}

async fn in_one_transaction(
    participant: &Participant,
    heard: Option<&Numbers>,
    items: Vec<Item>,
) -> Result<Vec<Acknowledgement>, StoreError> {
    let own = &participant.own;
    let lane = participant.numbers.lane();
    let mut transaction = participant.pool.begin().await?;
    let raised = lane.raise(&mut transaction, heard).await?;
    let known = find(&mut transaction, &items).await?;
    let book = open_book(&mut transaction, own, &items, &known).await?;
    let mut work = Work::new(own, known, book);
    let answers: Vec<Acknowledgement> = items.iter().map(|item| work.decide(*item)).collect();

    let Work {
        book,
        transitions,
        hazards,
        moved,
        results,
        ..
    } = work;
    let (changed, lines) = book.close();
    if is_planted(Bug::LegsBookedApart) {
        accounts::update(&mut transaction, &changed[..changed.len().min(1)]).await?;
        transaction.commit().await?;
        transaction = participant.pool.begin().await?;
    }
    entries::append(&mut transaction, &lines).await?;
    accounts::update(&mut transaction, &changed).await?;
    let transitions: Vec<Transition> = transitions.into_values().collect();
    branches::set_states(&mut transaction, &transitions).await?;
    let recorded = alarm::record(&mut transaction, &hazards).await?;
    for (id, outcome, state) in results {
        let entry = NewEntry {
            outcome: Some(outcome),
            detail: Some(state.as_str()),
            ..NewEntry::of(AuditAction::Result, id)
        };
        audit::append(&mut transaction, own, &entry).await?;
    }
    failpoints::hit("before_apply_commit").await?;
    if is_planted(Bug::AcknowledgementBeforeCommit) {
        return Ok(answers);
    }
    transaction.commit().await?;
    lane.committed(raised);
    recorded.announce();
    for (transaction_id, event) in moved {
        tracing::info!(event, %transaction_id);
        metrics::counter!("bank_branches_finished_total", "event" => event).increment(1);
    }
    failpoints::hit("after_apply").await?;
    Ok(answers)
}

/// What is known of a branch, locked.
#[derive(Default)]
struct Known {
    state: Option<BranchState>,
    content: Option<Content>,
    /// The tombstone was written just now.
    is_new: bool,
}

/// Writes tombstones for aborts that came first, then locks and reads what was there before, in a
/// later statement.
async fn find(
    connection: &mut PgConnection,
    items: &[Item],
) -> Result<HashMap<TransactionId, Known>, StoreError> {
    let leaves_tombstone = matches!(on_decision(None, Outcome::Abort).effect, Effect::Tombstone);
    let tombstones: BTreeSet<TransactionId> = items
        .iter()
        .filter(|(id, outcome)| {
            leaves_tombstone && *outcome == Outcome::Abort && !is_forgotten(*id)
        })
        .map(|(id, _)| *id)
        .collect();
    let tombstones: Vec<TransactionId> = tombstones.into_iter().collect();
    let written = branches::insert_tombstones(connection, &tombstones).await?;
    let mut known: HashMap<TransactionId, Known> = written
        .into_iter()
        .map(|id| {
            let known = Known {
                is_new: true,
                ..Known::default()
            };
            (id, known)
        })
        .collect();
    let rest: Vec<TransactionId> = items
        .iter()
        .map(|(id, _)| *id)
        .filter(|id| !known.contains_key(id))
        .collect();
    for branch in branches::lock(connection, &rest).await? {
        let found = Known {
            state: Some(branch.state),
            content: branch.content,
            is_new: false,
        };
        known.insert(branch.transaction_id, found);
    }
    Ok(known)
}

/// Locks every account that these decisions touch, clearing accounts included.
async fn open_book(
    connection: &mut PgConnection,
    own: &ParticipantId,
    items: &[Item],
    known: &HashMap<TransactionId, Known>,
) -> Result<Book, StoreError> {
    let (mut touched, mut clearing) = (BTreeSet::new(), BTreeSet::new());
    for (id, outcome) in items {
        let Some(known) = known.get(id) else { continue };
        let Some(content) = &known.content else {
            continue;
        };
        let effect = on_decision(known.state, *outcome).effect;
        if matches!(effect, Effect::Apply | Effect::Release) {
            touched.extend(content.legs.iter().map(|leg| leg.account_id));
        }
        if effect == Effect::Apply {
            clearing.extend(
                content
                    .clearing(own)
                    .into_iter()
                    .map(|(account, _)| account),
            );
        }
    }
    touched.extend(clearing.iter().map(|account| account.account_id));
    accounts::open_system_accounts(connection, clearing).await?;
    Ok(Book::new(accounts::lock(connection, touched).await?))
}

/// Decisions being carried out on locked rows, in memory.
struct Work<'a> {
    own: &'a ParticipantId,
    known: HashMap<TransactionId, Known>,
    book: Book,
    transitions: BTreeMap<TransactionId, Transition>,
    hazards: Vec<NewHazard>,
    /// For the log.
    moved: Vec<(TransactionId, &'static str)>,
    /// Decisions that met a branch which had been forced, and what it is then.
    results: Vec<(TransactionId, Outcome, BranchState)>,
}

impl<'a> Work<'a> {
    const fn new(own: &'a ParticipantId, known: HashMap<TransactionId, Known>, book: Book) -> Self {
        Self {
            own,
            known,
            book,
            transitions: BTreeMap::new(),
            hazards: Vec::new(),
            moved: Vec::new(),
            results: Vec::new(),
        }
    }

    fn decide(&mut self, (id, outcome): Item) -> Acknowledgement {
        let known = self.known.entry(id).or_default();
        let step = on_decision(known.state, outcome);
        let content = known.content.as_ref();
        let done = match (step.effect, content) {
            (Effect::Nothing | Effect::Tombstone, _) => Ok(()),
            (Effect::Apply, Some(content)) => self.book.apply(id, content, self.own),
            (Effect::Release, Some(content)) => self.book.release(id, content),
            (Effect::Apply | Effect::Release, None) => Err(crate::ledger::CannotFinish::NoLegs),
        };
        if let Err(problem) = done {
            let hazard = Hazard::CannotApply;
            let found = HazardKind::Decision(hazard).of(id, Some(problem.to_string()));
            self.hazards.push(found);
            return Acknowledgement::Hazard { hazard };
        }
        match step.acknowledgement {
            Acknowledgement::Done => {}
            Acknowledgement::Mixed => self.hazards.push(HazardKind::Mixed.of(id, None)),
            Acknowledgement::Hazard { hazard } => {
                let state = known.state.map(|state| format!("the branch is {state}"));
                self.hazards
                    .push(HazardKind::Decision(hazard).of(id, state));
            }
        }
        if let (Some(before), Some(state)) = (known.state, step.next)
            && before.is_heuristic()
        {
            self.results.push((id, outcome, state));
        }
        let written = step.effect == Effect::Tombstone;
        if let Some(state) = step.next.filter(|next| known.state != Some(*next)) {
            // A tombstone was inserted as such, or is of an id that nobody writes about: then there
            // still is no branch, for a later item of the same list too.
            if !written {
                let transition = Transition {
                    transaction_id: id,
                    state,
                    reason: None,
                };
                self.transitions.insert(id, transition);
            }
            if !written || known.is_new {
                self.moved.push((id, event(state)));
                known.state = Some(state);
            }
        }
        step.acknowledgement
    }
}

const fn event(state: BranchState) -> &'static str {
    match state {
        BranchState::Committed => "BRANCH_COMMITTED",
        BranchState::HeuristicMixed => "BRANCH_MIXED",
        _ => "BRANCH_ABORTED",
    }
}
