//! Passwords: argon2id (RFC 9106), off the threads that serve requests, a few at a time.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use tokio::sync::{Mutex, MutexGuard, Semaphore, SemaphorePermit};

use crate::error::Error;

/// The shortest password that may be chosen.
const SHORTEST: usize = 10;

/// The longest, in bytes; a bound and nothing else.
const LONGEST: usize = 256;

/// How many may wait per thread: about three seconds' worth.
const WAITING_PER_THREAD: usize = 64;

/// User names share this many locks; a power of two that divides a byte's range.
const NAME_LOCKS: usize = 64;

/// A password could not be hashed: out of memory, or out of random numbers.
#[derive(Debug, thiserror::Error)]
#[error("password hash: {0}")]
pub struct HashError(String);

/// Hashes and checks passwords, so many at a time.
pub struct Passwords {
    threads: Semaphore,
    /// How many may be waiting or working.
    admitted: Semaphore,
    /// Held while a login is tried under a name.
    names: [Mutex<()>; NAME_LOCKS],
    /// A hash of nobody's password, so that an unknown user takes as long as a wrong password.
    nobody: Arc<str>,
}

/// The right to hash one password now, until it is dropped.
pub(crate) struct Turn<'a> {
    _thread: SemaphorePermit<'a>,
    _name: Option<MutexGuard<'a, ()>>,
    _admitted: SemaphorePermit<'a>,
}

impl Passwords {
    /// Up to `threads` at a time; 0 means as many as there are cores.
    pub(crate) async fn new(threads: usize) -> Result<Self, HashError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if threads == 0 { cores } else { threads };
        Ok(Self {
            threads: Semaphore::new(threads),
            admitted: Semaphore::new(threads * (WAITING_PER_THREAD + 1)),
            names: std::array::from_fn(|_| Mutex::new(())),
            nobody: hash("nobody has this password".to_owned()).await?.into(),
        })
    }

    /// Waits for a turn to try a login under a name, given by its hash, behind those who came
    /// before.
    ///
    /// Nobody else has a turn under the name meanwhile. Without that, twenty attempts that come
    /// together would all see that none has failed yet, and all be let through.
    ///
    /// # Errors
    /// [`Error::Overloaded`] at once when too many wait already.
    pub(crate) async fn turn_for(&self, username_hash: &[u8]) -> Result<Turn<'_>, Error> {
        let first = username_hash.first().copied().unwrap_or_default();
        let lock = &self.names[usize::from(first) % NAME_LOCKS];
        self.admit(Some(lock)).await
    }

    async fn admit<'a>(&'a self, name: Option<&'a Mutex<()>>) -> Result<Turn<'a>, Error> {
        let admitted = self.admitted.try_acquire().map_err(|_| Error::Overloaded)?;
        let name = match name {
            Some(lock) => Some(lock.lock().await),
            None => None,
        };
        let thread = self
            .threads
            .acquire()
            .await
            .map_err(|_| Error::Overloaded)?;
        Ok(Turn {
            _thread: thread,
            _name: name,
            _admitted: admitted,
        })
    }

    /// Whether `password` is the one behind `stored`. Without a stored hash the answer is no, after
    /// the same work.
    pub(crate) async fn verify(
        &self,
        _turn: &Turn<'_>,
        password: String,
        stored: Option<String>,
    ) -> Result<bool, Error> {
        let known = stored.is_some();
        let stored: Arc<str> = stored.map_or_else(|| Arc::clone(&self.nobody), Into::into);
        let matches = blocking(move || {
            let stored = PasswordHash::new(&stored).map_err(|e| HashError(e.to_string()))?;
            Ok(Argon2::default()
                .verify_password(password.as_bytes(), &stored)
                .is_ok())
        })
        .await?;
        Ok(matches && known)
    }

    /// The hash of a password somebody chose.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is too short or too long, [`Error::Overloaded`] when too many wait.
    pub(crate) async fn choose(&self, password: String) -> Result<String, Error> {
        if password.chars().count() < SHORTEST || password.len() > LONGEST {
            return Err(Error::Invalid(
                "A password has at least 10 characters and at most 256 bytes.",
            ));
        }
        let _turn = self.admit(None).await?;
        Ok(hash(password).await?)
    }
}

/// Hashes a password with a new salt, in PHC string format.
///
/// # Errors
/// When there is no memory or no random number left.
pub async fn hash(password: String) -> Result<String, HashError> {
    blocking(move || {
        Argon2::default()
            .hash_password(password.as_bytes())
            .map(|hash| hash.to_string())
            .map_err(|error| HashError(error.to_string()))
    })
    .await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
) -> Result<T, HashError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(HashError(error.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn verify(passwords: &Passwords, password: &str, stored: Option<&str>) -> bool {
        let turn = passwords.turn_for(b"name").await.expect("a turn");
        let stored = stored.map(str::to_owned);
        let verified = passwords.verify(&turn, password.to_owned(), stored).await;
        verified.expect("it can be checked")
    }

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_is_right() {
        let passwords = Passwords::new(1).await.expect("passwords");
        let stored = hash("banking-dev".to_owned()).await.expect("a hash");
        assert!(stored.starts_with("$argon2id$v=19$"), "{stored}");
        assert!(verify(&passwords, "banking-dev", Some(&stored)).await);
        assert!(!verify(&passwords, "banking-Dev", Some(&stored)).await);
        assert!(!verify(&passwords, "nobody has this password", None).await);
    }

    #[tokio::test]
    async fn those_who_would_wait_too_long_are_told_at_once() {
        let passwords = Passwords::new(1).await.expect("passwords");
        let _all = passwords
            .admitted
            .try_acquire_many(u32::try_from(1 + WAITING_PER_THREAD).expect("small"))
            .expect("all of them");
        assert!(matches!(
            passwords.turn_for(b"name").await,
            Err(Error::Overloaded)
        ));
    }

    #[tokio::test]
    async fn a_short_password_cannot_be_chosen() {
        let passwords = Passwords::new(1).await.expect("passwords");
        for bad in ["short", &"x".repeat(257)] {
            let chosen = passwords.choose(bad.to_owned()).await;
            assert!(matches!(chosen, Err(Error::Invalid(_))), "{bad}");
        }
    }
}
