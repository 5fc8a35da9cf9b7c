//! Which store, and how it is reached.

use std::fmt;

/// Where the documents are. The URL may hold a password, so it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    pub(crate) store: Store,
    pub(crate) url: String,
    pub(crate) connections: u32,
    pub(crate) application_name: String,
}

/// The kinds of stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    Postgres,
    MongoDb,
}

impl Settings {
    /// A PostgreSQL database of its own: `postgres://…`. Its table is made by [`connect`].
    ///
    /// [`connect`]: crate::Documents::connect
    #[must_use]
    pub fn postgres(url: &str) -> Self {
        Self::new(Store::Postgres, url)
    }

    /// Whatever speaks MongoDB's protocol: `mongodb://…/DATABASE`; the database is `bank` where the
    /// URL names none.
    #[must_use]
    pub fn mongodb(url: &str) -> Self {
        Self::new(Store::MongoDb, url)
    }

    /// MongoDB where its URL is given (`MONGODB_URL`), otherwise PostgreSQL
    /// (`DOCUMENTS_DATABASE_URL`); `None` where neither is.
    #[must_use]
    pub fn choose(mongodb_url: Option<&str>, database_url: Option<&str>) -> Option<Self> {
        let mongodb = mongodb_url.filter(|url| !url.is_empty());
        let postgres = database_url.filter(|url| !url.is_empty());
        mongodb
            .map(Self::mongodb)
            .or_else(|| postgres.map(Self::postgres))
    }

    fn new(store: Store, url: &str) -> Self {
        Self {
            store,
            url: url.to_owned(),
            connections: 10,
            application_name: "documents".to_owned(),
        }
    }

    /// At most so many connections at once; 10 unless told.
    #[must_use]
    pub const fn connections(mut self, connections: u32) -> Self {
        self.connections = connections;
        self
    }

    /// What the store calls us in its lists.
    #[must_use]
    pub fn application_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.application_name);
        self
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("store", &self.store)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mongodb_is_taken_where_it_is_named() {
        let choose = Settings::choose;
        let mongodb = Some(Settings::mongodb("mongodb://m"));
        assert_eq!(choose(Some("mongodb://m"), Some("postgres://p")), mongodb);
        let postgres = Some(Settings::postgres("postgres://p"));
        assert_eq!(choose(Some(""), Some("postgres://p")), postgres);
        assert_eq!(choose(None, None), None);
    }

    #[test]
    fn a_password_is_not_shown() {
        let shown = format!("{:?}", Settings::mongodb("mongodb://u:secret@m"));
        assert!(!shown.contains("secret"), "{shown}");
    }
}
