//! `GET /transactions/in-doubt`: what cannot finish by itself, with the evidence of both sides.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use chrono::Utc;
use futures_util::future::join_all;
use service_kit::auth::Admin;
use service_kit::extract::Json;
use service_kit::{Problem, Result};
use two_phase::BranchState;
use types::views::{BranchEvidence, InDoubt, Page};
use types::{ParticipantId, Timestamp, TransactionId};

use crate::app::{App, Shared};
use crate::record::Record;
use crate::store::hazards::{self, HazardRow};
use crate::store::{resolutions, transactions};

/// More than this is not a list for people any more.
const MOST: i64 = 200;

/// Transactions that are open for too long, and contradictions that were seen.
#[utoipa::path(
    get, path = "/transactions/in-doubt", tag = "operations",
    security(("bearer" = [])),
    responses((status = 200, description = "All of them", body = Page<InDoubt>))
)]
pub(crate) async fn index(State(app): Shared, _admin: Admin) -> Result<Json<Page<InDoubt>>> {
    let older_than = Utc::now() - app.coordination.timings.in_doubt_after;
    let records = transactions::in_doubt(app.pool(), older_than, MOST).await?;
    let hazards = hazards::open(app.pool()).await?;
    let mut ids: BTreeSet<TransactionId> = records.iter().map(|r| r.transaction_id).collect();
    ids.extend(hazards.iter().map(|hazard| hazard.transaction_id));
    let ids: Vec<_> = ids.into_iter().collect();
    let known = transactions::read(app.pool(), &ids).await?;
    let evidence = evidence(&app, &ids).await;
    let mut proposed: BTreeMap<TransactionId, Vec<_>> = BTreeMap::new();
    for row in resolutions::of(app.pool(), &ids).await? {
        proposed
            .entry(row.view.transaction_id)
            .or_default()
            .push(row.view);
    }
    let items = ids
        .iter()
        .map(|id| InDoubt {
            proposed: proposed.remove(id).unwrap_or_default(),
            ..describe(*id, known.get(id), &hazards, &evidence)
        })
        .collect();
    Ok(Json(Page {
        items,
        next_cursor: None,
    }))
}

/// What each bank says about each of these; `None` where it did not answer.
type Evidence = Vec<(
    ParticipantId,
    Option<BTreeMap<TransactionId, Option<BranchState>>>,
)>;

async fn evidence(app: &App, ids: &[TransactionId]) -> Evidence {
    join_all(
        app.coordination
            .participants
            .names()
            .map(|participant| async move {
                let branches = app
                    .coordination
                    .participants
                    .branches(participant, ids)
                    .await;
                (participant.clone(), branches)
            }),
    )
    .await
}

fn describe(
    id: TransactionId,
    record: Option<&Record>,
    hazards: &[HazardRow],
    evidence: &Evidence,
) -> InDoubt {
    let of_this = |hazard: &&HazardRow| hazard.transaction_id == id;
    let first_seen = hazards
        .iter()
        .filter(of_this)
        .map(|hazard| hazard.seen_at)
        .min();
    let created_at = record
        .map(|r| r.created_at)
        .or(first_seen)
        .unwrap_or_else(Utc::now);
    let branches = evidence
        .iter()
        .filter_map(|(participant, answer)| {
            let takes_part = record.is_none_or(|r| r.participants.contains(participant));
            let state = answer
                .as_ref()
                .map(|states| states.get(&id).copied().flatten());
            let known = matches!(state, Some(Some(_)));
            (takes_part || known).then(|| BranchEvidence {
                participant: participant.clone(),
                reachable: answer.is_some(),
                state: state.flatten().map(|state| state.to_string()),
                acknowledged: record.is_some_and(|r| r.settled_at.is_some()),
                hazard: hazards
                    .iter()
                    .filter(of_this)
                    .find(|hazard| hazard.participant == participant.as_str())
                    .map(|hazard| hazard.hazard.clone()),
            })
        })
        .collect();
    InDoubt {
        transaction_id: id,
        status: record.map(|r| r.status),
        phase: record.map(|r| r.phase.clone()),
        age_seconds: (Utc::now() - created_at).num_seconds(),
        created_at: Timestamp::from(created_at),
        trying: trying(record).to_owned(),
        branches,
        proposed: Vec::new(),
    }
}

const fn trying(record: Option<&Record>) -> &'static str {
    match record {
        None => "nothing: the coordinator has no record of it",
        Some(record) => match record.phase.as_bytes() {
            b"hazard" => "nothing: decision and branch contradict each other",
            b"preparing" => "gathering votes, or waiting for the lease of its coordinator to end",
            _ => "delivering the decision until every bank has acknowledged it",
        },
    }
}

/// The state of one branch, as its bank says right now.
pub(crate) async fn branch_now(
    app: &App,
    participant: &ParticipantId,
    id: TransactionId,
) -> Result<Option<BranchState>> {
    app.coordination
        .participants
        .branches(participant, &[id])
        .await
        .map(|states| states.get(&id).copied().flatten())
        .ok_or_else(|| {
            Problem::new(types::Code::ParticipantUnavailable).detail(format!(
                "{participant} does not answer; without its evidence nothing is forced."
            ))
        })
}
