//! What was gathered, as the pure functions of `two_phase::console` take it and as people see it.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use two_phase::console::{self, Branch, Decision, Driver, Evidence, Known};
use two_phase::recovery::lease_is_over;
use two_phase::{BranchState, Phase};
use types::views::{
    BranchEvidence, BranchFacts, CoordinatorEvidence, DeliveryView, HazardAbout, InDoubt,
    TimelineEvent,
};
use types::{ParticipantId, Timestamp, TransactionId};
use uuid::Uuid;

use super::Gathered;
use super::names::canonical;
use crate::coordinator::Coordination;
use crate::coordinator::in_flight::Delivery;
use crate::record::Record;
use crate::store::owners::Owner;

/// Who is looking: driving and leases are told from its point of view.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Observer {
    coordinator_id: Uuid,
    lease_ms: i64,
    now: DateTime<Utc>,
}

impl Observer {
    pub(crate) fn of(coordination: &Coordination) -> Self {
        let lease = coordination.timings.lease.as_millis();
        Self {
            coordinator_id: coordination.coordinator_id,
            lease_ms: i64::try_from(lease).unwrap_or(i64::MAX),
            now: Utc::now(),
        }
    }

    fn driver(self, owner: Option<&Owner>, drives: bool) -> Driver {
        match owner {
            Some(owner) if owner.coordinator_id == self.coordinator_id && drives => Driver::Here,
            Some(owner)
                if owner.coordinator_id != self.coordinator_id && !self.lease_over(owner) =>
            {
                Driver::Elsewhere {
                    name: owner.name.clone().unwrap_or_else(|| "another".to_owned()),
                    remaining_ms: owner.remaining_ms,
                }
            }
            Some(_) | None => Driver::Nobody,
        }
    }

    const fn lease_over(self, owner: &Owner) -> bool {
        lease_is_over(owner.remaining_ms, self.lease_ms)
    }
}

/// Everything about one transaction, and what can be done about it. `None` for one that has ended
/// while it was being looked at.
pub(crate) fn describe(
    observer: Observer,
    gathered: &Gathered,
    id: TransactionId,
) -> Option<InDoubt> {
    let record = gathered.records.get(&id);
    let evidence = evidence(observer, gathered, id);
    let rows = gathered.hazards.get(&id).into_iter().flatten();
    let hazards: Vec<HazardAbout> = rows.map(|row| row.about.clone()).collect();
    let branches: Vec<BranchEvidence> = participants(gathered, id)
        .into_iter()
        .map(|participant| branch_view(gathered, id, participant))
        .collect();
    let open = record.is_some_and(|record| record.settled_at.is_none())
        || !hazards.is_empty()
        || branches.iter().any(|branch| {
            branch.state.as_deref() == Some(BranchState::Prepared.as_str())
                || !branch.recorded.is_empty()
        });
    if !open {
        return None;
    }
    let first_seen = hazards.iter().map(|about| about.hazard.seen_at).min();
    let prepared = branches
        .iter()
        .filter_map(|branch| branch.prepared_at)
        .min();
    let created_at = record
        .map(|record| Timestamp::from(record.created_at))
        .or(prepared)
        .or(first_seen)
        .unwrap_or_else(|| observer.now.into());
    Some(InDoubt {
        transaction_id: id,
        status: record.map(|record| record.status),
        phase: record.map(|record| record.phase.clone()),
        age_seconds: (observer.now - created_at.date_time()).num_seconds(),
        created_at,
        trying: console::trying(&evidence),
        branches,
        proposed: gathered.proposed.get(&id).cloned().unwrap_or_default(),
        coordinator: record.map(|record| row_view(observer, record, gathered.owners.get(&id))),
        hazards,
        choices: console::choices(&evidence),
    })
}

/// All that is known of one transaction, as plain data.
pub(crate) fn evidence(observer: Observer, gathered: &Gathered, id: TransactionId) -> Evidence {
    let decision = match gathered.records.get(&id) {
        None => Decision::NoRecord,
        Some(record) => Decision::Recorded {
            status: record.status,
            phase: phase(record),
            driver: observer.driver(gathered.owners.get(&id), gathered.live.contains_key(&id)),
        },
    };
    let branches = participants(gathered, id).into_iter();
    Evidence {
        decision,
        branches: branches
            .map(|participant| branch(observer, gathered, id, participant))
            .collect(),
    }
}

/// Everybody who takes part, by the coordinator's row or by their own: in global order.
fn participants(gathered: &Gathered, id: TransactionId) -> Vec<&ParticipantId> {
    let record = gathered.records.get(&id);
    let mut names: BTreeSet<&ParticipantId> = gathered.answers.keys().collect();
    names.retain(|name| {
        let knows = facts(gathered, id, name)
            .is_some_and(|facts| facts.state.is_some() || !facts.hazards.is_empty());
        record.is_none() || knows
    });
    names.extend(record.into_iter().flat_map(|record| &record.participants));
    names.into_iter().collect()
}

fn facts<'a>(
    gathered: &'a Gathered,
    id: TransactionId,
    participant: &ParticipantId,
) -> Option<&'a BranchFacts> {
    gathered.answers.get(participant)?.as_ref().ok()?.get(&id)
}

fn error(gathered: &Gathered, participant: &ParticipantId) -> Option<String> {
    match gathered.answers.get(participant) {
        Some(Ok(_)) => None,
        Some(Err(error)) => Some(error.clone()),
        None => Some("no such bank is configured here".to_owned()),
    }
}

fn branch(
    observer: Observer,
    gathered: &Gathered,
    id: TransactionId,
    participant: &ParticipantId,
) -> Branch {
    let facts = facts(gathered, id, participant);
    let known = match error(gathered, participant) {
        Some(error) => Known::Unreachable { error },
        None => Known::State(
            facts
                .and_then(|facts| facts.state.as_deref())
                .and_then(|text| text.parse().ok()),
        ),
    };
    let here = gathered.hazards.get(&id).into_iter().flatten();
    let here = here
        .filter(|row| row.about.participant == *participant && row.is_open())
        .map(|row| canonical(&row.about.hazard.hazard));
    let there = facts.into_iter().flat_map(|facts| &facts.hazards);
    let there = there
        .filter(|hazard| hazard.acknowledged_at.is_none())
        .map(|hazard| canonical(&hazard.hazard));
    let hazards: BTreeSet<String> = here.chain(there).collect();
    let delivery = delivery(gathered, id, participant).map(|view| console::Delivery {
        attempts: view.attempts,
        error: view.last_error,
        next_in_ms: view
            .next_try_at
            .map(|at| (at.date_time() - observer.now).num_milliseconds()),
    });
    Branch {
        participant: participant.clone(),
        known,
        delivery,
        hazards: hazards.into_iter().collect(),
    }
}

fn delivery(
    gathered: &Gathered,
    id: TransactionId,
    participant: &ParticipantId,
) -> Option<DeliveryView> {
    match gathered.live.get(&id)?.deliveries.get(participant)? {
        Delivery::Answered => None,
        Delivery::Unanswered {
            attempts,
            error,
            next_try_at,
        } => Some(DeliveryView {
            attempts: *attempts,
            last_error: error.clone(),
            next_try_at: Some((*next_try_at).into()),
        }),
    }
}

fn branch_view(
    gathered: &Gathered,
    id: TransactionId,
    participant: &ParticipantId,
) -> BranchEvidence {
    let facts = facts(gathered, id, participant);
    let error = error(gathered, participant);
    let own = gathered.hazards.get(&id).into_iter().flatten();
    let mut own = own.filter(|row| row.about.participant == *participant && row.is_open());
    BranchEvidence {
        participant: participant.clone(),
        reachable: error.is_none(),
        state: facts.and_then(|facts| facts.state.clone()),
        acknowledged: acknowledged(gathered, id, participant),
        hazard: own.next().map(|row| row.about.hazard.hazard.clone()),
        error,
        prepared_at: facts.and_then(|facts| facts.prepared_at),
        finished_at: facts.and_then(|facts| facts.finished_at),
        legs: facts.map(|facts| facts.legs.clone()).unwrap_or_default(),
        recorded: facts.map(|facts| facts.hazards.clone()).unwrap_or_default(),
        delivery: delivery(gathered, id, participant),
    }
}

/// Whether the coordinator has heard that the participant has carried out the decision.
fn acknowledged(gathered: &Gathered, id: TransactionId, participant: &ParticipantId) -> bool {
    let record = gathered.records.get(&id);
    let live = gathered.live.get(&id);
    let heard =
        live.is_some_and(|live| live.deliveries.get(participant) == Some(&Delivery::Answered));
    let written = record.is_some_and(|record| {
        record.settled_at.is_some()
            || record.timeline.iter().any(|moment| {
                moment.event == TimelineEvent::Acknowledged
                    && moment.participant.as_ref() == Some(participant)
            })
    });
    let mut hazards = gathered.hazards.get(&id).into_iter().flatten();
    let contradicted = hazards.any(|row| {
        row.about.participant == *participant
            && !canonical(&row.about.hazard.hazard).starts_with("heuristic_")
    });
    (heard || written) && !contradicted
}

fn row_view(observer: Observer, record: &Record, owner: Option<&Owner>) -> CoordinatorEvidence {
    CoordinatorEvidence {
        status: record.status,
        phase: record.phase.clone(),
        epoch: owner.map_or(0, |owner| owner.epoch),
        owner: owner.map_or_else(String::new, |owner| owner.coordinator_id.to_string()),
        owner_name: owner.and_then(|owner| owner.name.clone()),
        lease_until: owner.and_then(|owner| owner.lease_until).map(Into::into),
        lease_over: owner.is_none_or(|owner| observer.lease_over(owner)),
        decided_at: record.decided_at.map(Into::into),
        reason: record.reason,
        since: record.decided_at.unwrap_or(record.created_at).into(),
    }
}

fn phase(record: &Record) -> Phase {
    let all = [
        Phase::Preparing,
        Phase::Delivering,
        Phase::Done,
        Phase::Hazard,
    ];
    let found = all.into_iter().find(|phase| phase.as_str() == record.phase);
    // The schema allows no other; one that it comes to allow is nothing that ends by itself.
    found.unwrap_or(Phase::Hazard)
}
