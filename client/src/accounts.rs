//! accounts-service: where money is. One of these per bank.

use reqwest::Method;
use reqwest::header::ACCEPT;
use types::views::{
    Account, AcknowledgeHere, Acknowledged, AuditEntry, BranchInDoubt, Cash, CashReceipt, Entry,
    ForceHere, LedgerCheck, OpenAccount, Page, PatchAccount, ResolutionAccepted,
};
use types::{AccountId, CustomerId, IdempotencyKey, ParticipantId, ResolutionId, TransactionId};

use crate::endpoint::Call;
use crate::{Endpoint, Error, Failpoint, FailpointState, ListQuery, UnsafeRun};

/// Calls of one bank's accounts-service. Every method can fail as [`Error`] says.
#[derive(Debug, Clone)]
pub struct AccountsService {
    pub(crate) endpoint: Endpoint,
    pub(crate) participant: ParticipantId,
}

impl AccountsService {
    /// The service itself: its address, health and readiness.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Which bank this is.
    #[must_use]
    pub const fn participant(&self) -> &ParticipantId {
        &self.participant
    }

    /// `POST /accounts`.
    ///
    /// # Errors
    /// `forbidden` for customers, `invalid_amount` for an opening balance that is none.
    pub async fn open(
        &self,
        account: &OpenAccount,
        key: Option<&IdempotencyKey>,
    ) -> Result<Account, Error> {
        self.endpoint
            .call(Call::post("/accounts", account).key(key))
            .await
    }

    /// `GET /accounts/{id}`.
    ///
    /// # Errors
    /// `account_not_found` when it is not at this bank or not the caller's to see.
    pub async fn show(&self, id: AccountId) -> Result<Account, Error> {
        self.endpoint
            .call(Call::get(format!("/accounts/{id}")))
            .await
    }

    /// `GET /accounts/customer/{customer_id}`: the customer's accounts at this bank.
    ///
    /// # Errors
    /// `forbidden` for another customer's.
    pub async fn of_customer(
        &self,
        customer: CustomerId,
        list: &ListQuery,
    ) -> Result<Page<Account>, Error> {
        let call = Call::get(format!("/accounts/customer/{customer}")).query(list.pairs());
        self.endpoint.call(call).await
    }

    /// `GET /accounts/{id}/entries`: the statement, newest first.
    ///
    /// # Errors
    /// `account_not_found` as for [`AccountsService::show`].
    pub async fn entries(&self, id: AccountId, list: &ListQuery) -> Result<Page<Entry>, Error> {
        let call = Call::get(format!("/accounts/{id}/entries")).query(list.pairs());
        self.endpoint.call(call).await
    }

    /// `GET /accounts/{id}/entries` with `Accept: text/csv`: the whole statement as a file.
    ///
    /// # Errors
    /// `account_not_found` as for [`AccountsService::show`].
    pub async fn entries_csv(&self, id: AccountId) -> Result<String, Error> {
        let call = Call::get(format!("/accounts/{id}/entries")).header(ACCEPT, "text/csv");
        self.endpoint.text(call).await
    }

    /// `PATCH /accounts/{id}`: status or overdraft limit.
    ///
    /// # Errors
    /// `account_not_empty` when it is to be closed and has money or holds.
    pub async fn patch(&self, id: AccountId, patch: &PatchAccount) -> Result<Account, Error> {
        let call = Call::new(Method::PATCH, format!("/accounts/{id}")).json(patch);
        self.endpoint.call(call).await
    }

    /// `POST /accounts/{id}/deposits`.
    ///
    /// # Errors
    /// `account_frozen`, `account_closed`, `balance_limit`, `invalid_amount`.
    pub async fn deposit(
        &self,
        id: AccountId,
        cash: &Cash,
        key: Option<&IdempotencyKey>,
    ) -> Result<CashReceipt, Error> {
        let call = Call::post(format!("/accounts/{id}/deposits"), cash).key(key);
        self.endpoint.call(call).await
    }

    /// `POST /accounts/{id}/withdrawals`.
    ///
    /// # Errors
    /// `insufficient_funds` when less is available, held money not counting.
    pub async fn withdraw(
        &self,
        id: AccountId,
        cash: &Cash,
        key: Option<&IdempotencyKey>,
    ) -> Result<CashReceipt, Error> {
        let call = Call::post(format!("/accounts/{id}/withdrawals"), cash).key(key);
        self.endpoint.call(call).await
    }

    /// `GET /ledger/check`: the bank examines its own books.
    ///
    /// # Errors
    /// `forbidden` for anyone but an admin.
    pub async fn ledger_check(&self) -> Result<LedgerCheck, Error> {
        self.endpoint.call(Call::get("/ledger/check")).await
    }

    /// `GET /branches/in-doubt`: what this bank knows by itself of branches in doubt; also what was
    /// `acknowledged`, if that is wanted.
    ///
    /// # Errors
    /// `forbidden` for anyone but an admin.
    pub async fn in_doubt(&self, acknowledged: bool) -> Result<Page<BranchInDoubt>, Error> {
        let include = acknowledged.then(|| ("include", "acknowledged".to_owned()));
        let call = Call::get("/branches/in-doubt").query(include.into_iter().collect());
        self.endpoint.call(call).await
    }

    /// `POST /branches/{id}/resolutions`: proposes an outcome directly here, because the coordinator
    /// is what is lost; nothing happens until another admin confirms.
    ///
    /// # Errors
    /// `forbidden` for anyone but an admin, `conflict` when there is nothing to resolve.
    pub async fn resolve(
        &self,
        id: TransactionId,
        wish: &ForceHere,
    ) -> Result<ResolutionAccepted, Error> {
        let call = Call::post(format!("/branches/{id}/resolutions"), wish);
        self.endpoint.call(call).await
    }

    /// `POST /branches/{id}/resolutions/{resolution_id}/confirmations`: carries it out.
    ///
    /// # Errors
    /// `forbidden` for the admin who proposed it; `evidence_changed`.
    pub async fn confirm(
        &self,
        id: TransactionId,
        resolution: ResolutionId,
    ) -> Result<ResolutionAccepted, Error> {
        let path = format!("/branches/{id}/resolutions/{resolution}/confirmations");
        self.endpoint.call(Call::new(Method::POST, path)).await
    }

    /// `GET /branches/{id}/audit`: what operators did, as this bank has it.
    ///
    /// # Errors
    /// `forbidden` for anyone but an admin.
    pub async fn audit(&self, id: TransactionId) -> Result<Page<AuditEntry>, Error> {
        let call = Call::get(format!("/branches/{id}/audit"));
        self.endpoint.call(call).await
    }

    /// `POST /branches/{id}/hazards/acknowledgements`: a hazard need not be shown any more here.
    ///
    /// # Errors
    /// `forbidden` for anyone but an admin, `not_found` when this bank has none of that name.
    pub async fn acknowledge(
        &self,
        id: TransactionId,
        wish: &AcknowledgeHere,
    ) -> Result<Acknowledged, Error> {
        let path = format!("/branches/{id}/hazards/acknowledgements");
        self.endpoint.call(Call::post(path, wish)).await
    }

    /// `POST /demo/unsafe-withdrawals`: the textbook race on a sandbox account of its own.
    /// Development only.
    ///
    /// # Errors
    /// `not_found` outside development.
    pub async fn unsafe_withdrawals(&self) -> Result<UnsafeRun, Error> {
        let empty = serde_json::Map::new();
        self.endpoint
            .call(Call::post("/demo/unsafe-withdrawals", &empty))
            .await
    }

    /// `PUT /demo/failpoints/{name}`. Development only.
    ///
    /// # Errors
    /// `forbidden` for anyone but an admin, `not_found` where failpoints are not built in.
    pub async fn set_failpoint(&self, name: &str, failpoint: &Failpoint) -> Result<(), Error> {
        let call = Call::new(Method::PUT, format!("/demo/failpoints/{name}")).json(failpoint);
        self.endpoint.send_ignoring_body(call).await
    }

    /// `DELETE /demo/failpoints/{name}`. Development only.
    ///
    /// # Errors
    /// As [`AccountsService::set_failpoint`].
    pub async fn clear_failpoint(&self, name: &str) -> Result<(), Error> {
        let call = Call::new(Method::DELETE, format!("/demo/failpoints/{name}"));
        self.endpoint.send_ignoring_body(call).await
    }

    /// `GET /demo/failpoints/{name}`: what happens there, and who waits. Development only.
    ///
    /// # Errors
    /// As [`AccountsService::set_failpoint`].
    pub async fn failpoint(&self, name: &str) -> Result<FailpointState, Error> {
        let call = Call::get(format!("/demo/failpoints/{name}"));
        self.endpoint.call(call).await
    }
}
