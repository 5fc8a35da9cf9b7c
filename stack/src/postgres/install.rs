//! Stub.
use crate::Error;

/// What to do when there is no server.
pub fn missing() -> Error {
    Error::Refused("PostgreSQL is not installed".into())
}
