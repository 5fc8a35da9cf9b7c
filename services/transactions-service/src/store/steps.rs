//! The durable steps of the coordinator: begin, decide, finish. A list of all three kinds is one
//! database transaction, and where no saga begins in it one statement.
//!
//! Under load some transactions begin while others are decided and others are at their end. A forced
//! write and a round trip cost the same for one of them and for all.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::PgPool;
use two_phase::planted::{Bug, is_planted};

use super::begin::{BeginRequest, Begins, Begun, Owner};
use super::decisions::{Decided, Decisions, Ends, Finished, NewDecision};
use super::written::{Written, write};
use crate::coordinator::numbers::Touched;

/// One thing that is to become durable.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Begin(BeginRequest),
    Decide(NewDecision),
    Finish(Finished),
}

/// What became of it, durable.
#[derive(Debug, Clone)]
pub(crate) enum Stepped {
    Begun(Begun),
    Decided(Decided),
    Finished,
    /// It did not become durable, and why could not be found out.
    Unknown(String),
}

/// What a list tells besides its answers.
pub(crate) struct Told {
    /// What this database is now, where anything was begun.
    pub(crate) incarnation: Option<String>,
    /// The numbers of the list's lane.
    pub(crate) raised: BTreeMap<String, u64>,
}

/// Takes a list of steps in one database transaction.
///
/// Durable when it returns: for every `Fresh` request its key, its transactions (pending and owned by
/// `owner`, or aborted from the start) and their legs, for the others nothing; every decision that is
/// `Written`, and the numbers of this list's lane for each participant that decisions are about; the
/// ends.
///
/// # Errors
/// Any database error. After a lost connection what happened is unknown. A pending row whose
/// coordinator gives up is found by recovery; of a decision only repeating this tells, because
/// reading "pending" would prove nothing.
pub(crate) async fn take(
    pool: &PgPool,
    owner: Owner,
    steps: &[Arc<Step>],
    touched: &Touched,
) -> Result<(Vec<Stepped>, Told), sqlx::Error> {
    let (mut begins, mut decisions, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    for step in steps {
        match &**step {
            Step::Begin(request) => begins.push(request),
            Step::Decide(decision) => decisions.push(decision),
            Step::Finish(finished) => ends.push(finished),
        }
    }
    let (begins, ends) = (Begins::of(begins)?, Ends::of(&ends));
    let mut decisions = Decisions::of(decisions);
    if is_planted(Bug::DecisionIgnoresEpoch) {
        decisions.ignore_epochs(pool).await?;
    }
    let written = in_one_transaction(pool, owner, &begins, &decisions, &ends, touched).await?;
    let mut begun = begins.answers(&written).into_iter();
    // What was written stands, whether the rest can be looked up or not.
    let (mut decided, unknown) = match decisions.answers(pool, &written).await {
        Ok(decided) => (decided.into_iter(), String::new()),
        Err(error) => (Vec::new().into_iter(), error.to_string()),
    };
    let unknown = || Stepped::Unknown(unknown.clone());
    let stepped = steps.iter().map(|step| match &**step {
        Step::Begin(_) => begun.next().map_or_else(unknown, Stepped::Begun),
        Step::Decide(_) => decided.next().map_or_else(unknown, Stepped::Decided),
        Step::Finish(_) => Stepped::Finished,
    });
    let stepped = stepped.collect();
    let told = Told {
        incarnation: written.incarnation,
        raised: written.raised,
    };
    Ok((stepped, told))
}

async fn in_one_transaction(
    pool: &PgPool,
    owner: Owner,
    begins: &Begins<'_>,
    decisions: &Decisions<'_>,
    ends: &Ends,
    touched: &Touched,
) -> Result<Written, sqlx::Error> {
    let coordinator = owner.coordinator;
    if is_planted(Bug::KeyWrittenLater) {
        // A process that dies in between has begun what nobody can ask for again.
        let (rest, keys) = begins.columns.clone().keys_apart();
        let written = write(pool, coordinator, &rest, decisions, ends, touched).await?;
        service_kit::failpoints::hit("after_begin").await.ok();
        let (none, no_ends) = (Decisions::of(Vec::new()), Ends::of(&[]));
        write(pool, coordinator, &keys, &none, &no_ends, touched).await?;
        return Ok(written);
    }
    if !begins.have_sagas() {
        let columns = &begins.columns;
        return write(pool, coordinator, columns, decisions, ends, touched).await;
    }
    let mut database_transaction = pool.begin().await?;
    let written = write(
        &mut *database_transaction,
        coordinator,
        &begins.columns,
        decisions,
        ends,
        touched,
    )
    .await?;
    begins
        .write_sagas(&mut database_transaction, owner, &written)
        .await?;
    database_transaction.commit().await?;
    Ok(written)
}
