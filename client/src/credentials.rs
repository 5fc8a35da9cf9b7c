//! Who a caller is, as far as the services are told.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::Error;

/// What a [`TokenSource`] answers with, some day.
pub type TokenFuture<'a> = Pin<Box<dyn Future<Output = Result<Option<String>, Error>> + Send + 'a>>;

/// Somewhere access tokens come from that can get new ones, such as a session with a refresh token.
pub trait TokenSource: Send + Sync {
    /// A token to send now; `None` when there is none.
    ///
    /// # Errors
    /// When a new one was needed and could not be had.
    fn token(&self) -> TokenFuture<'_>;

    /// A token to send instead of `refused`, which a service answered with 401; `None` when there
    /// is no better one.
    ///
    /// # Errors
    /// When a new one was needed and could not be had.
    fn instead_of<'a>(&'a self, refused: &'a str) -> TokenFuture<'a>;
}

/// How a caller proves who they are.
#[derive(Clone)]
pub enum Credentials {
    /// Not at all.
    Nobody,
    /// By one access token, for as long as it is valid.
    Token(String),
    /// By a source of tokens, asked before every call and again after a 401.
    Source(Arc<dyn TokenSource>),
}

impl Credentials {
    /// The token for a call that begins now.
    pub(crate) async fn token(&self) -> Result<Option<String>, Error> {
        match self {
            Self::Nobody => Ok(None),
            Self::Token(token) => Ok(Some(token.clone())),
            Self::Source(source) => source.token().await,
        }
    }

    /// Another token after `refused` brought a 401.
    pub(crate) async fn instead_of(&self, refused: &str) -> Result<Option<String>, Error> {
        match self {
            Self::Nobody | Self::Token(_) => Ok(None),
            Self::Source(source) => source.instead_of(refused).await,
        }
    }
}

impl fmt::Debug for Credentials {
    /// Without any secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nobody => "Nobody",
            Self::Token(_) => "Token(..)",
            Self::Source(_) => "Source(..)",
        })
    }
}
