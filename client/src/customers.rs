//! customer-service: who people are.

use reqwest::Method;
use reqwest::header::IF_MATCH;
use types::CustomerId;
use types::views::{
    CreateCustomer, CreateLogin, Customer, Login, LoginView, Page, PatchCustomer, Refresh,
    TokenPair,
};

use crate::endpoint::Call;
use crate::{Endpoint, Error, ListQuery, Sent};

/// Calls of customer-service. Every method can fail as [`Error`] says; what a route refuses, and
/// with which code, is in the service's OpenAPI document.
#[derive(Debug, Clone)]
pub struct CustomerService(pub(crate) Endpoint);

impl CustomerService {
    /// The service itself: its address, health and readiness.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.0
    }

    /// `POST /auth/login`.
    ///
    /// # Errors
    /// `invalid_credentials`, and `rate_limited` after too many failures.
    pub async fn login(&self, login: &Login) -> Result<TokenPair, Error> {
        self.0
            .call(Call::post("/auth/login", login).anonymous())
            .await
    }

    /// `POST /auth/refresh`: a new pair for the refresh token, which is then spent.
    ///
    /// # Errors
    /// `unauthenticated` when the token is spent, revoked or expired.
    pub async fn refresh(&self, refresh: &Refresh) -> Result<TokenPair, Error> {
        self.0
            .call(Call::post("/auth/refresh", refresh).anonymous())
            .await
    }

    /// `POST /auth/logout`: revokes the refresh token.
    ///
    /// # Errors
    /// As for any call.
    pub async fn logout(&self, refresh: &Refresh) -> Result<(), Error> {
        self.0
            .send_ignoring_body(Call::post("/auth/logout", refresh).anonymous())
            .await
    }

    /// `POST /auth/keys/rotate`: new tokens are signed with a new key from now on; those signed
    /// before stay valid until they expire. Answers what the service says about the new key.
    ///
    /// # Errors
    /// `forbidden` for anyone but an admin.
    pub async fn rotate_keys(&self) -> Result<serde_json::Value, Error> {
        self.0
            .call(Call::new(Method::POST, "/auth/keys/rotate"))
            .await
    }

    /// `POST /customers`.
    ///
    /// # Errors
    /// `forbidden` for customers, `invalid_body` for data that makes no sense.
    pub async fn create(&self, customer: &CreateCustomer) -> Result<Customer, Error> {
        self.0.call(Call::post("/customers", customer)).await
    }

    /// `GET /customers?search=`.
    ///
    /// # Errors
    /// `forbidden` for customers.
    pub async fn list(
        &self,
        search: Option<&str>,
        list: &ListQuery,
    ) -> Result<Page<Customer>, Error> {
        let mut query = list.pairs();
        query.extend(search.map(|search| ("search", search.to_owned())));
        self.0.call(Call::get("/customers").query(query)).await
    }

    /// `GET /customers/{id}`, with the `ETag` for [`CustomerService::patch`].
    ///
    /// # Errors
    /// `not_found`, also for a customer whom the caller may not know of.
    pub async fn show(&self, id: CustomerId) -> Result<Sent<Customer>, Error> {
        self.0.send(Call::get(format!("/customers/{id}"))).await
    }

    /// `PATCH /customers/{id}`: what is `None` stays. With `etag` only when nothing changed since.
    ///
    /// # Errors
    /// `precondition_failed` when somebody else changed it meanwhile.
    pub async fn patch(
        &self,
        id: CustomerId,
        patch: &PatchCustomer,
        etag: Option<&str>,
    ) -> Result<Customer, Error> {
        let mut call = Call::new(Method::PATCH, format!("/customers/{id}")).json(patch);
        if let Some(etag) = etag {
            call = call.header(IF_MATCH, etag);
        }
        self.0.call(call).await
    }

    /// `POST /customers/{id}/logins`.
    ///
    /// # Errors
    /// `username_taken`; `forbidden` when a teller makes anything but a customer's login.
    pub async fn create_login(
        &self,
        id: CustomerId,
        login: &CreateLogin,
    ) -> Result<LoginView, Error> {
        self.0
            .call(Call::post(format!("/customers/{id}/logins"), login))
            .await
    }
}
