//! Tokens: who is calling, and proving who we are.
//!
//! Users carry tokens of `customer-service`; services sign their own with their own keys, for one
//! audience each. A route says whom it lets in by the extractor in its signature: [`User`],
//! [`Teller`], [`Admin`] or [`ServiceCaller`].

mod caller;
mod claims;
mod extractors;
mod issuer;
mod keys;
mod revocations;
mod signer;
mod token;
mod verified;
mod verifier;

pub use caller::{Caller, ServiceCaller, User};
pub use claims::UserClaims;
pub use extractors::{Admin, Teller};
pub use issuer::{Issuer, IssuerKind, KeySource};
pub use keys::{JwkView, JwksView};
pub use revocations::{RevocationView, RevocationsView};
pub use signer::{Signer, SignerError};
pub use verifier::Verifier;

/// The audience of every user token.
pub const USER_AUDIENCE: &str = "bank";

/// The issuer of every user token.
pub const USER_ISSUER: &str = "customer-service";

/// The `typ` of an access token (RFC 9068).
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// The tables that every service's migrations must contain.
///
/// `signing_keys` holds the service's own keys, shared by its replicas: one is active, the others
/// are still published until every token signed with them has expired. `key_cache` holds the last
/// keys of the issuers it trusts, so that it goes on while they are down.
pub const TABLES_SQL: &str = include_str!("tables.sql");
