//! A performer in memory, with a barrier.

use std::collections::BTreeMap;
use std::convert::Infallible;

use tokio::sync::Mutex;

use crate::answer::Answer;
use crate::barrier::{BarrierStore, Recorded, Request, pass};
use crate::ids::OperationId;

/// Data that steps change, and the barrier before it. What is performed at once is performed one
/// after the other, each in a transaction of its own.
#[derive(Debug, Default)]
pub struct MemoryPerformer<W>(Mutex<(W, Rows)>);

#[derive(Debug, Clone, Default)]
struct Rows(BTreeMap<OperationId, Option<Recorded>>);

impl BarrierStore for Rows {
    type Error = Infallible;

    async fn enter(&mut self, operation: OperationId) -> Result<Option<Recorded>, Infallible> {
        Ok(self.0.entry(operation).or_default().clone())
    }

    async fn record(
        &mut self,
        operation: OperationId,
        outcome: Recorded,
    ) -> Result<(), Infallible> {
        self.0.insert(operation, Some(outcome));
        Ok(())
    }
}

impl<W: Clone + Send> MemoryPerformer<W> {
    /// A performer whose data is `world`.
    #[must_use]
    pub fn new(world: W) -> Self {
        Self(Mutex::new((world, Rows::default())))
    }

    /// Performs `effect` if the barrier lets it.
    pub async fn perform<S>(
        &self,
        request: impl Into<Request> + Send,
        effect: impl FnOnce(&mut W) -> Answer<()> + Send,
    ) -> Answer<S> {
        let mut tables = self.0.lock().await;
        let (mut world, mut rows) = tables.clone();
        let change = || std::future::ready(effect(&mut world));
        let Ok(passed) = pass(&mut rows, request.into(), change).await;
        if passed.commit {
            *tables = (world, rows);
        }
        passed.answer.carry()
    }

    /// The data as it stands.
    pub async fn world(&self) -> W {
        self.0.lock().await.0.clone()
    }
}
