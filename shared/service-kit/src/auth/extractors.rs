//! Permissions in the signature of a handler.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use types::Code;
use types::views::Role;

use super::{Caller, ServiceCaller, User, Verifier};
use crate::Problem;
use crate::rate_limit::RateLimit;
use crate::serve::{Limits, Peer};

fn forbidden(detail: &str) -> Problem {
    Problem::new(Code::Forbidden).detail(detail)
}

/// Whoever is calling. Counts the request against the caller's rate, or the address's when the
/// token is not valid; services that are known by name are not limited.
impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if let Some(caller) = parts.extensions.get::<Self>() {
            return Ok(caller.clone());
        }
        let verifier = parts
            .extensions
            .get::<Verifier>()
            .ok_or_else(|| Problem::internal("the verifier is not in the request"))?
            .clone();
        let limits: Option<RateLimitOf> = parts
            .extensions
            .get::<Limits>()
            .map(|limits| limits.requests.clone());
        let caller = match verifier.caller(&parts.headers).await {
            Ok(caller) => caller,
            Err(problem) => {
                if let (Some(limit), Some(Peer(address))) = (limits, parts.extensions.get()) {
                    limit.check(address.ip())?;
                }
                return Err(problem);
            }
        };
        if let (Some(limit), Self::User(user)) = (limits, &caller) {
            limit.check(user.login)?;
        }
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }
}

type RateLimitOf = std::sync::Arc<RateLimit>;

/// Lets any person in, and no service.
impl<S: Send + Sync> FromRequestParts<S> for User {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Caller::from_request_parts(parts, state).await? {
            Caller::User(user) => Ok(user),
            Caller::Service(_) => Err(forbidden("This is for people, not for services.")),
        }
    }
}

/// Lets tellers and admins in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Teller(pub User);

impl<S: Send + Sync> FromRequestParts<S> for Teller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let user = User::from_request_parts(parts, state).await?;
        if user.is_staff() {
            Ok(Self(user))
        } else {
            Err(forbidden("This is for tellers and admins."))
        }
    }
}

/// Lets admins in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin(pub User);

impl<S: Send + Sync> FromRequestParts<S> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let user = User::from_request_parts(parts, state).await?;
        if user.role == Role::Admin {
            Ok(Self(user))
        } else {
            Err(forbidden("This is for admins."))
        }
    }
}

/// Lets other services in, and nobody else. Which of them may do what is for the route to say.
impl<S: Send + Sync> FromRequestParts<S> for ServiceCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Caller::from_request_parts(parts, state).await? {
            Caller::Service(service) => Ok(service),
            Caller::User(_) => Err(forbidden("This is for services.")),
        }
    }
}
