//! Reads what both sides know. Nothing is written, and who does not answer is left as unknown.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::Utc;
use futures_util::future::join_all;
use service_kit::Result;
use types::views::ResolutionAccepted;
use types::{ParticipantId, TransactionId};

use crate::app::App;
use crate::coordinator::evidence::Answer;
use crate::coordinator::in_flight::Live;
use crate::record::Record;
use crate::store::hazards::{self, HazardRow};
use crate::store::owners::{self, Owner};
use crate::store::{resolutions, transactions};

/// More than this is not a list for people any more.
const MOST: i64 = 200;

/// All that is known, for the transactions that are to be listed.
pub(crate) struct Gathered {
    pub(crate) ids: Vec<TransactionId>,
    pub(crate) records: HashMap<TransactionId, Record>,
    pub(crate) owners: HashMap<TransactionId, Owner>,
    pub(crate) hazards: HashMap<TransactionId, Vec<HazardRow>>,
    pub(crate) proposed: HashMap<TransactionId, Vec<ResolutionAccepted>>,
    pub(crate) answers: BTreeMap<ParticipantId, Answer>,
    /// What this process drives; asked before the rows were read.
    pub(crate) live: HashMap<TransactionId, Live>,
}

/// Everything that is open for too long or has a hazard, at the coordinator or at any bank;
/// `acknowledged`: also what was acknowledged.
pub(crate) async fn gather(app: &App, acknowledged: bool) -> Result<Gathered> {
    let after = app.coordination.timings.in_doubt_after;
    let older_than = Utc::now() - after;
    let open = transactions::in_doubt(app.pool(), older_than, acknowledged, MOST).await?;
    let rows = hazards::list(app.pool(), acknowledged).await?;
    let mut own: BTreeSet<TransactionId> = open.into_iter().collect();
    own.extend(rows.iter().map(|row| row.transaction_id));
    let asked: Vec<TransactionId> = own.iter().copied().collect();

    let participants = &app.coordination.participants;
    let mut answers = ask(app, |participant| {
        participants.facts(participant, &asked, Some(after), acknowledged)
    })
    .await;
    let listed = |answer: &Answer| -> Vec<TransactionId> {
        let items = answer.as_ref().map(|items| items.keys().copied());
        items.map(Iterator::collect).unwrap_or_default()
    };
    let discovered: BTreeSet<TransactionId> = answers.values().flat_map(listed).collect();
    let discovered: Vec<TransactionId> = discovered.difference(&own).copied().collect();
    if !discovered.is_empty() {
        let more = ask(app, |participant| {
            participants.facts(participant, &discovered, None, acknowledged)
        })
        .await;
        for (participant, more) in more {
            if let (Some(Ok(known)), Ok(more)) = (answers.get_mut(&participant), more) {
                known.extend(more);
            }
        }
    }
    own.extend(discovered);
    gathered(app, own.into_iter().collect(), answers, Some(acknowledged)).await
}

/// What both sides know of one transaction, whatever its age; without its hazards.
pub(crate) async fn gather_one(app: &App, id: TransactionId) -> Result<Gathered> {
    let participants = &app.coordination.participants;
    let asked = [id];
    let answers = ask(app, |participant| {
        participants.facts(participant, &asked, None, true)
    })
    .await;
    gathered(app, vec![id], answers, None).await
}

async fn ask<'a, F>(
    app: &'a App,
    question: impl Fn(&'a ParticipantId) -> F,
) -> BTreeMap<ParticipantId, Answer>
where
    F: Future<Output = Answer>,
{
    let names = app.coordination.participants.names();
    let questions = names.map(|participant| {
        let answer = question(participant);
        async move { (participant.clone(), answer.await) }
    });
    join_all(questions).await.into_iter().collect()
}

async fn gathered(
    app: &App,
    ids: Vec<TransactionId>,
    answers: BTreeMap<ParticipantId, Answer>,
    acknowledged: Option<bool>,
) -> Result<Gathered> {
    let live = app.coordination.in_flight.live(&ids);
    let records = transactions::read(app.pool(), &ids).await?;
    let owners = owners::of(app.pool(), &ids).await?;
    let mut proposed: HashMap<TransactionId, Vec<ResolutionAccepted>> = HashMap::new();
    for row in resolutions::of(app.pool(), &ids).await? {
        let of = proposed.entry(row.view.transaction_id);
        of.or_default().push(row.view);
    }
    let mut recorded: HashMap<TransactionId, Vec<HazardRow>> = HashMap::new();
    // Read after the transactions: one that is parked by then has its hazard on record.
    if let Some(acknowledged) = acknowledged {
        for row in hazards::list(app.pool(), acknowledged).await? {
            recorded.entry(row.transaction_id).or_default().push(row);
        }
    }
    Ok(Gathered {
        ids,
        records,
        owners,
        hazards: recorded,
        proposed,
        answers,
        live,
    })
}
