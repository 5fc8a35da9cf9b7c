//! Access tokens out of a session, renewed without anyone noticing.

use client::{CustomerService, Error, TokenFuture, TokenSource};
use tokio::sync::Mutex;
use types::Code;
use types::views::{ProblemView, Refresh};

use super::{Session, SessionStore};

/// Renewed when it expires sooner than this: a call, its retries and a clock that is a little off
/// must fit in.
const MARGIN_SECONDS: i64 = 30;

/// A session that renews itself.
///
/// The race it is here to survive: two commands find the same token expired. The refresh token can
/// be spent once; whoever comes second would be taken for a thief. So a command renews only while
/// it holds the file's lock, and first looks whether another one has just done so.
pub struct SessionSource {
    customers: CustomerService,
    /// `None` for a login that is not remembered, such as one of interactive mode.
    store: Option<SessionStore>,
    session: Mutex<Session>,
}

impl SessionSource {
    /// `customers` needs no credentials: renewing needs the refresh token only.
    pub fn new(customers: CustomerService, store: Option<SessionStore>, session: Session) -> Self {
        Self {
            customers,
            store,
            session: Mutex::new(session),
        }
    }

    /// The session as it is now.
    pub async fn session(&self) -> Session {
        self.session.lock().await.clone()
    }

    async fn current(&self) -> Result<Option<String>, Error> {
        let mut session = self.session.lock().await;
        let left = session.seconds_left();
        if left < MARGIN_SECONDS {
            match self.renew(&mut session).await {
                Ok(()) => {}
                // The old one is good for a little longer, and customer-service may come back.
                Err(Error::Unreachable { .. }) if left > 0 => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Some(session.access_token.clone()))
    }

    async fn replacement(&self, refused: &str) -> Result<Option<String>, Error> {
        let mut session = self.session.lock().await;
        if session.access_token == refused {
            self.renew(&mut session).await?;
        }
        Ok(Some(session.access_token.clone()))
    }

    async fn renew(&self, session: &mut Session) -> Result<(), Error> {
        let Some(store) = &self.store else {
            return self.exchange(session).await;
        };
        // Without the lock (a read-only home, say) renewing is still better than giving up.
        let _lock = store.lock().await;
        if let Some(newer) = store.load() {
            let same_login = newer.username == session.username;
            if same_login && newer.access_token != session.access_token {
                *session = newer;
                if session.seconds_left() >= MARGIN_SECONDS {
                    return Ok(());
                }
            }
        }
        match self.exchange(session).await {
            Ok(()) => {
                // The session goes on in this process even when the disk is full.
                let _ = store.save(session);
                Ok(())
            }
            Err(error) => {
                if matches!(error, Error::Refused(_)) {
                    let _ = store.remove();
                }
                Err(error)
            }
        }
    }

    async fn exchange(&self, session: &mut Session) -> Result<(), Error> {
        let refresh = Refresh {
            refresh_token: session.refresh_token.clone(),
        };
        let tokens = self.customers.refresh(&refresh).await;
        let tokens = tokens.map_err(|error| match error {
            Error::Refused(problem) if problem.status == 401 => ended(*problem),
            other => other,
        })?;
        *session = Session::new(&session.username, tokens);
        Ok(())
    }
}

fn ended(problem: ProblemView) -> Error {
    Error::Refused(Box::new(ProblemView {
        code: Code::Unauthenticated,
        title: Code::Unauthenticated.title().to_owned(),
        detail: "the session has ended".to_owned(),
        ..problem
    }))
}

impl TokenSource for SessionSource {
    fn token(&self) -> TokenFuture<'_> {
        Box::pin(self.current())
    }

    fn instead_of<'a>(&'a self, refused: &'a str) -> TokenFuture<'a> {
        Box::pin(self.replacement(refused))
    }
}
