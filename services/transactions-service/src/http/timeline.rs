//! `GET /transfers/{id}/timeline`.

use axum::extract::State;
use service_kit::Result;
use service_kit::auth::User;
use service_kit::extract::{Id, Json};
use types::views::{ProblemView, Status, Timeline, TimelineEvent, TimelineItem};
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
    Ok(Json(Timeline {
        transaction_id: id,
        items: items(&record),
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
