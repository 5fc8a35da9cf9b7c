//! transactions-service: how money moves.

use reqwest::Method;
use types::views::{
    Acknowledge, Acknowledged, AuditEntry, BatchRequest, BatchResults, Force, InDoubt, Page,
    ParticipantView, Reconcile, ReconciliationAccepted, ResolutionAccepted, SagaOrder, SagaStatus,
    SagaView, Status, Timeline, TransferRequest, TransferView,
};
use types::{IdempotencyKey, ParticipantId, ReconciliationId, ResolutionId, SagaId, TransactionId};

use crate::endpoint::Call;
use crate::{Endpoint, Error, Failpoint, FailpointState, ListQuery, Sent, TransferFilter};

/// Calls of transactions-service. Every method can fail as [`Error`] says.
#[derive(Debug, Clone)]
pub struct TransactionsService(pub(crate) Endpoint);

/// A proposal's number, as the route answers it.
#[derive(Debug, Clone, serde::Deserialize)]
struct Proposed {
    resolution_id: ResolutionId,
}

impl TransactionsService {
    /// The service itself: its address, health and readiness.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.0
    }

    /// `POST /transfers`. On success the transfer is durably committed; `settled` says whether
    /// every bank has acknowledged it. With a key, repeating is safe whatever happened before.
    ///
    /// # Errors
    /// A refusal that carries `transaction_id` is durable: nothing moved and nothing will.
    pub async fn transfer(
        &self,
        transfer: &TransferRequest,
        key: Option<&IdempotencyKey>,
    ) -> Result<Sent<TransferView>, Error> {
        self.0
            .send(Call::post("/transfers", transfer).key(key))
            .await
    }

    /// `POST /transfers/batch`.
    ///
    /// # Errors
    /// `linked_refused` when a linked batch was refused as a whole.
    pub async fn batch(
        &self,
        batch: &BatchRequest,
        key: Option<&IdempotencyKey>,
    ) -> Result<Sent<BatchResults>, Error> {
        self.0
            .send(Call::post("/transfers/batch", batch).key(key))
            .await
    }

    /// `GET /transfers/{id}`.
    ///
    /// # Errors
    /// `not_found`, also for a transfer the caller has no part in.
    pub async fn show(&self, id: TransactionId) -> Result<TransferView, Error> {
        self.0.call(Call::get(format!("/transfers/{id}"))).await
    }

    /// `GET /transfers/{id}/timeline`: everything that happened, oldest first.
    ///
    /// # Errors
    /// `not_found`, also for a transfer the caller has no part in.
    pub async fn timeline(&self, id: TransactionId) -> Result<Timeline, Error> {
        self.0
            .call(Call::get(format!("/transfers/{id}/timeline")))
            .await
    }

    /// `GET /transfers`: newest first.
    ///
    /// # Errors
    /// `forbidden` for another customer's account.
    pub async fn list(
        &self,
        filter: &TransferFilter,
        list: &ListQuery,
    ) -> Result<Page<TransferView>, Error> {
        let mut query = filter.pairs();
        query.extend(list.pairs());
        self.0.call(Call::get("/transfers").query(query)).await
    }

    /// `GET /participants`: the banks, and whether each answers.
    ///
    /// # Errors
    /// `unauthenticated` without a token.
    pub async fn participants(&self) -> Result<Vec<ParticipantView>, Error> {
        let page: Page<ParticipantView> = self.0.call(Call::get("/participants")).await?;
        Ok(page.items)
    }

    /// `GET /transactions/in-doubt`: what cannot finish by itself, with both sides' evidence; also
    /// what was `acknowledged`, if that is wanted.
    ///
    /// # Errors
    /// `forbidden` for anyone but an admin.
    pub async fn in_doubt(&self, acknowledged: bool) -> Result<Page<InDoubt>, Error> {
        let include = acknowledged.then(|| ("include", "acknowledged".to_owned()));
        let call = Call::get("/transactions/in-doubt").query(include.into_iter().collect());
        self.0.call(call).await
    }

    /// `GET /transactions/{id}/audit`: what operators did, as the coordinator has it.
    ///
    /// # Errors
    /// `forbidden` for anyone but an admin.
    pub async fn audit(&self, id: TransactionId) -> Result<Page<AuditEntry>, Error> {
        let call = Call::get(format!("/transactions/{id}/audit"));
        self.0.call(call).await
    }

    /// `POST /transactions/{id}/hazards/acknowledgements`: a hazard need not be shown any more.
    ///
    /// # Errors
    /// `forbidden` for anyone but an admin, `not_found` when nobody has it on record.
    pub async fn acknowledge(
        &self,
        id: TransactionId,
        wish: &Acknowledge,
    ) -> Result<Acknowledged, Error> {
        let path = format!("/transactions/{id}/hazards/acknowledgements");
        self.0.call(Call::post(path, wish)).await
    }

    /// `GET /sagas`: transfers by saga, newest first, with their steps and logs.
    ///
    /// # Errors
    /// `forbidden` for anyone but an admin.
    pub async fn sagas(
        &self,
        status: Option<SagaStatus>,
        list: &ListQuery,
    ) -> Result<Page<SagaView>, Error> {
        let mut query = list.pairs();
        query.extend(status.map(|status| ("status", status.to_string())));
        self.0.call(Call::get("/sagas").query(query)).await
    }

    /// `GET /sagas/{id}`: how it stands, and the log that led there.
    ///
    /// # Errors
    /// `forbidden` for anyone but an admin, `not_found`.
    pub async fn saga(&self, id: SagaId) -> Result<SagaView, Error> {
        self.0.call(Call::get(format!("/sagas/{id}"))).await
    }

    /// `POST /sagas/{id}/retry`: a stuck saga tries again.
    ///
    /// # Errors
    /// `forbidden` for anyone but an admin, `conflict` when it is not stuck.
    pub async fn retry_saga(&self, id: SagaId, order: &SagaOrder) -> Result<SagaView, Error> {
        let path = format!("/sagas/{id}/retry");
        self.0.call(Call::post(path, order)).await
    }

    /// `POST /sagas/{id}/skip`: a stuck saga leaves its step as it is, and goes on.
    ///
    /// # Errors
    /// `forbidden` for anyone but an admin, `conflict` when it is not stuck.
    pub async fn skip_saga(&self, id: SagaId, order: &SagaOrder) -> Result<SagaView, Error> {
        let path = format!("/sagas/{id}/skip");
        self.0.call(Call::post(path, order)).await
    }

    /// `POST /transactions/{id}/resolutions`: proposes an outcome; nothing happens until another
    /// admin confirms.
    ///
    /// # Errors
    /// `forbidden` for anyone but an admin, `conflict` when there is nothing to resolve.
    pub async fn resolve(&self, id: TransactionId, force: &Force) -> Result<ResolutionId, Error> {
        let call = Call::post(format!("/transactions/{id}/resolutions"), force);
        let proposed: Proposed = self.0.call(call).await?;
        Ok(proposed.resolution_id)
    }

    /// `POST /transactions/{id}/resolutions/{resolution_id}/confirmations`: carries it out.
    ///
    /// # Errors
    /// `forbidden` for the admin who proposed it; `evidence_changed`.
    pub async fn confirm(
        &self,
        id: TransactionId,
        resolution: ResolutionId,
    ) -> Result<ResolutionAccepted, Error> {
        let path = format!("/transactions/{id}/resolutions/{resolution}/confirmations");
        self.0.call(Call::new(Method::POST, path)).await
    }

    /// `POST /participants/{participant_id}/reconciliations`: proposes to accept what a database has
    /// lost; nothing happens until another admin confirms.
    ///
    /// # Errors
    /// `forbidden` for anyone but an admin, `conflict` when nothing is lost.
    pub async fn reconcile(
        &self,
        participant: &ParticipantId,
        request: &Reconcile,
    ) -> Result<ReconciliationAccepted, Error> {
        let path = format!("/participants/{participant}/reconciliations");
        self.0.call(Call::post(path, request)).await
    }

    /// `POST /participants/{participant_id}/reconciliations/{reconciliation_id}/confirmations`:
    /// carries it out.
    ///
    /// # Errors
    /// `forbidden` for the admin who proposed it; `evidence_changed`; `participant_unavailable`,
    /// after which the same admin may confirm again.
    pub async fn confirm_reconciliation(
        &self,
        participant: &ParticipantId,
        id: ReconciliationId,
    ) -> Result<ReconciliationAccepted, Error> {
        let path = format!("/participants/{participant}/reconciliations/{id}/confirmations");
        self.0.call(Call::new(Method::POST, path)).await
    }

    /// Waits until the transfer is no longer pending, asking every `every`, at most `times` times.
    ///
    /// # Errors
    /// As [`TransactionsService::show`].
    pub async fn follow(
        &self,
        id: TransactionId,
        every: std::time::Duration,
        times: u32,
    ) -> Result<TransferView, Error> {
        let mut transfer = self.show(id).await?;
        for _ in 0..times {
            if transfer.status != Status::Pending && transfer.settled {
                break;
            }
            tokio::time::sleep(every).await;
            transfer = self.show(id).await?;
        }
        Ok(transfer)
    }

    /// `PUT /demo/failpoints/{name}`. Development only.
    ///
    /// # Errors
    /// `forbidden` for anyone but an admin, `not_found` where failpoints are not built in.
    pub async fn set_failpoint(&self, name: &str, failpoint: &Failpoint) -> Result<(), Error> {
        let call = Call::new(Method::PUT, format!("/demo/failpoints/{name}")).json(failpoint);
        self.0.send_ignoring_body(call).await
    }

    /// `DELETE /demo/failpoints/{name}`. Development only.
    ///
    /// # Errors
    /// As [`TransactionsService::set_failpoint`].
    pub async fn clear_failpoint(&self, name: &str) -> Result<(), Error> {
        let call = Call::new(Method::DELETE, format!("/demo/failpoints/{name}"));
        self.0.send_ignoring_body(call).await
    }

    /// `GET /demo/failpoints/{name}`: what happens there, and who waits. Development only.
    ///
    /// # Errors
    /// As [`TransactionsService::set_failpoint`].
    pub async fn failpoint(&self, name: &str) -> Result<FailpointState, Error> {
        let call = Call::get(format!("/demo/failpoints/{name}"));
        self.0.call(call).await
    }
}
