//! Documents: JSON objects in collections, each changed by itself and as a whole.
//!
//! | call | what it promises |
//! |---|---|
//! | [`Documents::update`] | one document, changed if a filter matches it at that moment: of two at once, the second sees what the first has left |
//! | [`Documents::insert`] | of several with one id, exactly one |
//! | [`Documents::replace_if_version`] | only over the version that was read |
//! | [`Documents::find`] | pages in a fixed order, by a cursor that survives changes between them |
//!
//! What was changed is on disk when the call returns. There is no transaction over two documents:
//! whoever needs one runs a saga.
//!
//! Two stores keep these promises: PostgreSQL (one JSONB table, nothing else to install) and, with
//! the feature `mongodb`, whatever speaks its protocol. What a filter matches and what an update
//! does are pure functions here ([`Filter::matches`], [`Update::apply`]); the first store calls
//! them under the row's lock, the second has its own, and one suite of tests compares all three.
//!
//! Numbers are integers of 64 bits, exact in both. Amounts of money travel as text.

mod body;
mod documents;
mod error;
mod filter;
#[cfg(feature = "mongodb")]
mod mongodb;
mod page;
mod path;
mod postgres;
mod scalar;
mod settings;
mod task;
mod update;

pub use body::{Body, Document, body_of, check_body};
pub use documents::Documents;
pub use error::Error;
pub use filter::{Condition, Field, Filter, field};
pub use page::{Cursor, Direction, MOST_PER_PAGE, Page, Query, Sort};
pub use path::Path;
pub use scalar::Scalar;
pub use settings::Settings;
pub use update::{Change, Update};
