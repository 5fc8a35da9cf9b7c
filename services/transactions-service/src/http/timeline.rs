//! `GET /transfers/{id}/timeline`.

use axum::extract::State;
use service_kit::Result;
use service_kit::auth::User;
use service_kit::extract::{Id, Json};
use two_phase::steps::StepKind;
use types::views::{
    ProblemView, Protocol, SagaLogView, Status, Timeline, TimelineEvent, TimelineItem,
};
use types::{Timestamp, TransactionId};

use crate::app::Shared;
use crate::http::visible;
use crate::record::{Moment, Record};

/// Everything that happened to one transfer, oldest first.
#[utoipa::path(
    get, path = "/transfers/{transaction_id}/timeline", tag = "transfers",
    security(("bearer" = [])),
    params(("transaction_id" = TransactionId, Path)),
    responses(
        (status = 200, description = "The timeline", body = Timeline),
        (status = 404, description = "No such transfer, or not the caller's", body = ProblemView),
    )
)]
pub(crate) async fn show(
    State(app): Shared,
    user: User,
    Id(id): Id<TransactionId>,
) -> Result<Json<Timeline>> {
    let record = visible(&app, &user, id).await?;
    let items = match record.protocol {
        Protocol::TwoPhaseCommit => items(&record),
        Protocol::Saga => {
            let names = app.coordination.sagas.names();
            let saga = saga_postgres::saga(app.pool(), &names, id.uuid().into()).await?;
            by_saga(&record, saga.map(|saga| saga.log).unwrap_or_default())
        }
    };
    Ok(Json(Timeline {
        transaction_id: id,
        items,
    }))
}

/// The moments that are kept, with those that the row's own columns tell.
fn items(record: &Record) -> Vec<TimelineItem> {
    let own = |at, event, detail: Option<String>| Moment {
        at,
        event,
        participant: None,
        detail,
    };
    let mut moments = vec![own(record.created_at, TimelineEvent::Initiated, None)];
    moments.extend(record.timeline.iter().cloned());
    if let Some(at) = record.decided_at {
        let (event, detail) = match record.status {
            Status::Aborted => (
                TimelineEvent::DecidedAbort,
                record.reason.map(|reason| reason.to_string()),
            ),
            Status::Committed | Status::Pending => (TimelineEvent::DecidedCommit, None),
        };
        moments.push(own(at, event, detail));
    }
    if let Some(at) = record.settled_at {
        moments.push(own(at, TimelineEvent::Settled, None));
    }
    // Stable: what happened in the same instant stays in the order it was noted.
    moments.sort_by_key(|moment| (moment.at, rank(moment.event)));
    moments
        .into_iter()
        .map(|moment| TimelineItem {
            at: Timestamp::from(moment.at),
            event: moment.event,
            participant: moment.participant,
            account_id: None,
            detail: moment.detail,
        })
        .collect()
}

/// The lines of the saga's log, with what the row's own columns tell at its place among them.
fn by_saga(record: &Record, log: Vec<SagaLogView>) -> Vec<TimelineItem> {
    let item = |at, event, detail| TimelineItem {
        at,
        event,
        participant: None,
        account_id: None,
        detail,
    };
    let decided = record.decided_at.map(|at| {
        let event = match record.status {
            Status::Aborted => TimelineEvent::DecidedAbort,
            Status::Committed | Status::Pending => TimelineEvent::DecidedCommit,
        };
        let reason = record.reason.map(|reason| reason.to_string());
        item(at.into(), event, reason)
    });
    let mut items = vec![item(
        record.created_at.into(),
        TimelineEvent::Initiated,
        None,
    )];
    let (mut is_told, mut is_over) = (false, false);
    for line in log {
        let event = match &*line.event {
            "ACTION_STARTED" => TimelineEvent::StepStarted,
            "ACTION_DONE" => TimelineEvent::StepDone,
            "ACTION_FAILED" => TimelineEvent::StepFailed,
            "COMPENSATION_STARTED" => TimelineEvent::CompensationStarted,
            "COMPENSATION_DONE" => TimelineEvent::CompensationDone,
            "STUCK" => TimelineEvent::Stuck,
            "TURNED_BACK" => {
                items.extend(decided.clone());
                is_told = true;
                continue;
            }
            ended => {
                is_over |= matches!(ended, "COMMITTED" | "COMPENSATED");
                continue;
            }
        };
        let is_release = line.step.as_deref() == Some(StepKind::Release.as_str());
        if event == TimelineEvent::StepStarted && is_release {
            items.extend(decided.clone());
            is_told = true;
        }
        let detail = match (line.step, line.detail) {
            (Some(step), Some(why)) => Some(format!("{step}: {why}")),
            (step, why) => step.or(why),
        };
        items.push(item(line.at, event, detail));
    }
    if !is_told {
        items.extend(decided);
    }
    if let Some(at) = record.settled_at.map(Timestamp::from) {
        // The end is known here, and about to be written.
        if !is_over {
            let release = StepKind::Release.as_str().to_owned();
            items.push(item(at, TimelineEvent::StepDone, Some(release)));
        }
        items.push(item(at, TimelineEvent::Settled, None));
    }
    // The log has its database's clock and the row has ours: nobody shall see time go back.
    let mut latest = Timestamp::from(record.created_at);
    for item in &mut items {
        latest = latest.max(item.at);
        item.at = latest;
    }
    items
}

/// What comes first of two things with the same time.
const fn rank(event: TimelineEvent) -> u8 {
    match event {
        TimelineEvent::Initiated => 0,
        TimelineEvent::PrepareSent => 1,
        TimelineEvent::VoteYes | TimelineEvent::VoteNo | TimelineEvent::VoteBusy => 2,
        TimelineEvent::DecidedCommit | TimelineEvent::DecidedAbort => 3,
        TimelineEvent::CommitSent | TimelineEvent::AbortSent => 4,
        TimelineEvent::Acknowledged => 5,
        _ => 6,
    }
}
