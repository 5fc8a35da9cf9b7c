//! Extractors that refuse what a route does not expect, with a problem document that says why.

mod json;
mod path;
mod query;

pub use json::Json;
pub(crate) use json::{BodyLimit, too_large};
pub use path::{Id, Path};
pub use query::{Limit, PageQuery, Query};
