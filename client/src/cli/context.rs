//! What every command needs: the bank, who is asking, and where to write.

use std::sync::Arc;

use client::{Bank, Claims, Credentials};
use types::views::{Login, Refresh, Role};
use types::{CustomerId, Timestamp};

use super::args::Options;
use super::failure::Failure;
use super::output::Output;
use super::session::{Session, SessionSource, SessionStore};

/// Who is logged in, and how that is known.
#[derive(Clone)]
pub enum Identity {
    /// Nobody.
    Nobody,
    /// Whoever `BANKING_TOKEN` belongs to.
    Token(String, Claims),
    /// A login whose session renews itself.
    Session(Arc<SessionSource>, Box<Session>),
}

/// What every command needs.
#[derive(Clone)]
pub struct Context {
    pub out: Output,
    pub bank: Bank,
    pub store: SessionStore,
    pub identity: Identity,
}

impl Context {
    /// The context that options, environment and session file describe. Talks to nobody.
    pub fn new(options: &Options, out: Output) -> Result<Self, Failure> {
        let addresses = options.addresses()?;
        let file = options.session.clone().or_else(SessionStore::usual_file);
        let file = file.ok_or_else(|| {
            Failure::Usage("No place for the session file: set HOME or BANKING_SESSION.".into())
        })?;
        let store = SessionStore::new(file, addresses.customers());
        let bank = Bank::new(addresses, Credentials::Nobody)?;
        let context = Self {
            out,
            bank,
            store,
            identity: Identity::Nobody,
        };
        let token = options.token.as_ref().filter(|token| !token.is_empty());
        Ok(match token {
            Some(token) => {
                let claims = Claims::read(token).ok_or_else(|| {
                    Failure::NotLoggedIn("BANKING_TOKEN is not an access token.".into())
                })?;
                let bank = context
                    .bank
                    .with_credentials(Credentials::Token(token.clone()));
                let identity = Identity::Token(token.clone(), claims);
                Self {
                    bank,
                    identity,
                    ..context
                }
            }
            None => match context.store.load() {
                Some(session) => {
                    let store = Some(context.store.clone());
                    context.with_session(session, store)
                }
                None => context,
            },
        })
    }

    /// The same bank, seen by `session`; remembered in `store`, when there is one.
    pub fn with_session(&self, session: Session, store: Option<SessionStore>) -> Self {
        let anonymous = self.bank.with_credentials(Credentials::Nobody);
        let source = SessionSource::new(anonymous.customers().clone(), store, session.clone());
        let source = Arc::new(source);
        Self {
            bank: self
                .bank
                .with_credentials(Credentials::Source(source.clone())),
            identity: Identity::Session(source, Box::new(session)),
            ..self.clone()
        }
    }

    /// The same bank, seen by nobody.
    pub fn logged_out(&self) -> Self {
        Self {
            bank: self.bank.with_credentials(Credentials::Nobody),
            identity: Identity::Nobody,
            ..self.clone()
        }
    }

    /// Logs in without remembering it.
    pub async fn logged_in_as(&self, username: &str, password: &str) -> Result<Self, Failure> {
        let login = Login {
            username: username.to_owned(),
            password: password.to_owned(),
        };
        let tokens = self.bank.customers().login(&login).await?;
        Ok(self.with_session(Session::new(username, tokens), None))
    }

    /// Revokes the session's refresh token. Best effort: a login that is forgotten on this side
    /// expires by itself on the other.
    pub async fn revoke(&self) {
        if let Identity::Session(source, _) = &self.identity {
            let refresh_token = source.session().await.refresh_token;
            let _ = self
                .bank
                .customers()
                .logout(&Refresh { refresh_token })
                .await;
        }
    }

    pub const fn role(&self) -> Option<Role> {
        match &self.identity {
            Identity::Nobody => None,
            Identity::Token(_, claims) => Some(claims.role),
            Identity::Session(_, session) => Some(session.role),
        }
    }

    pub const fn customer(&self) -> Option<CustomerId> {
        match &self.identity {
            Identity::Nobody => None,
            Identity::Token(_, claims) => claims.customer_id,
            Identity::Session(_, session) => session.customer_id,
        }
    }

    /// The user name, or the login's id where only a token is known.
    pub fn username(&self) -> Option<&str> {
        match &self.identity {
            Identity::Nobody => None,
            Identity::Token(_, claims) => Some(&claims.sub),
            Identity::Session(_, session) => Some(&session.username),
        }
    }

    /// The access token in use and when it expires, renewed when it is about to.
    pub async fn access_token(&self) -> Result<(String, Option<Timestamp>), Failure> {
        self.require_login()?;
        match &self.identity {
            Identity::Session(source, _) => {
                use client::TokenSource;
                source.token().await?;
                let session = source.session().await;
                Ok((session.access_token, Some(session.expires_at)))
            }
            Identity::Token(token, claims) => Ok((token.clone(), claims.expires_at())),
            Identity::Nobody => Err(not_logged_in()),
        }
    }

    /// Ends with exit code 4 before anything is asked of the bank.
    pub fn require_login(&self) -> Result<(), Failure> {
        match self.identity {
            Identity::Nobody => Err(not_logged_in()),
            Identity::Token(..) | Identity::Session(..) => Ok(()),
        }
    }
}

fn not_logged_in() -> Failure {
    Failure::NotLoggedIn(
        "Not logged in. Try: banking-cli login -u alice-customer (or set BANKING_TOKEN).".into(),
    )
}
