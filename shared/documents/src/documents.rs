//! The calls, whatever the store.

use crate::body::check_place;
#[cfg(feature = "mongodb")]
use crate::mongodb::MongoDb;
use crate::page::{Page, Query};
use crate::postgres::Postgres;
use crate::settings::{Settings, Store};
use crate::{Body, Document, Error, Filter, Update, check_body, task};

/// A document store. Clones are cheap and share its connections.
#[derive(Clone)]
pub struct Documents {
    store: Kind,
}

#[derive(Clone)]
enum Kind {
    Postgres(Postgres),
    #[cfg(feature = "mongodb")]
    MongoDb(MongoDb),
}

/// Calls the same method of whichever store it is.
macro_rules! of_store {
    ($self:ident, $store:ident => $call:expr) => {
        match $self.store.clone() {
            Kind::Postgres($store) => task::run(async move { $call.await }).await,
            #[cfg(feature = "mongodb")]
            Kind::MongoDb($store) => task::run(async move { $call.await }).await,
        }
    };
}

impl Documents {
    /// Connects, waiting up to 30 s for a store that is still starting, and brings a PostgreSQL
    /// database's schema up to date.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the URL is not one, or the program was built without the store's
    /// driver; [`Error::Unavailable`] when nobody answers.
    pub async fn connect(settings: &Settings) -> Result<Self, Error> {
        let store = match settings.store {
            Store::Postgres => Kind::Postgres(Postgres::connect(settings).await?),
            #[cfg(feature = "mongodb")]
            Store::MongoDb => Kind::MongoDb(MongoDb::connect(settings).await?),
            #[cfg(not(feature = "mongodb"))]
            Store::MongoDb => {
                return Err(Error::invalid(
                    "this program was built without MongoDB's driver",
                ));
            }
        };
        Ok(Self { store })
    }

    /// Which store it is: `postgresql` or `mongodb`.
    #[must_use]
    pub const fn store(&self) -> &'static str {
        match self.store {
            Kind::Postgres(_) => "postgresql",
            #[cfg(feature = "mongodb")]
            Kind::MongoDb(_) => "mongodb",
        }
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        of_store!(self, store => store.ping())
    }

    /// Writes a new document with version 1. Whether it did: `false` when there is one with this
    /// id already, which is left alone.
    ///
    /// # Errors
    /// See [`Error`]; `Unavailable` leaves open whether it was written.
    pub async fn insert(&self, collection: &str, id: &str, body: &Body) -> Result<bool, Error> {
        check_place(collection, Some(id))?;
        check_body(body)?;
        let (collection, id, body) = (collection.to_owned(), id.to_owned(), body.clone());
        of_store!(self, store => store.insert(&collection, &id, body))
    }

    /// Reads one document: the last state that is on disk.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, Error> {
        check_place(collection, Some(id))?;
        let (collection, id) = (collection.to_owned(), id.to_owned());
        of_store!(self, store => store.get(&collection, &id))
    }

    /// Reads a page of documents. Each is as it stood at some moment of the call; together they are
    /// no snapshot.
    ///
    /// # Errors
    /// See [`Error`]; `Invalid` also when the field sorted by holds an object or an array.
    pub async fn find(&self, collection: &str, query: &Query) -> Result<Page, Error> {
        check_place(collection, None)?;
        query.check()?;
        let (collection, query) = (collection.to_owned(), query.clone());
        of_store!(self, store => async {
            let found = store.find(&collection, &query).await?;
            query.page(found)
        })
    }

    /// How many documents the filter matches.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn count(&self, collection: &str, filter: &Filter) -> Result<u64, Error> {
        check_place(collection, None)?;
        filter.check()?;
        let (collection, filter) = (collection.to_owned(), filter.clone());
        of_store!(self, store => store.count(&collection, &filter))
    }

    /// Changes one document if it is there and the filter matches it at the moment of the change,
    /// and says what it is then. `None`: nothing was changed.
    ///
    /// # Errors
    /// See [`Error`]; `Unavailable` leaves open whether it was changed.
    pub async fn update(
        &self,
        collection: &str,
        id: &str,
        filter: &Filter,
        update: &Update,
    ) -> Result<Option<Document>, Error> {
        check_place(collection, Some(id))?;
        filter.check()?;
        update.check()?;
        let (collection, id) = (collection.to_owned(), id.to_owned());
        let (filter, update) = (filter.clone(), update.clone());
        of_store!(self, store => store.update(&collection, &id, &filter, &update))
    }

    /// Writes a document anew if it still has the version that was read, and says what it is then.
    /// `None`: somebody else has changed or deleted it.
    ///
    /// # Errors
    /// See [`Error`]; `Unavailable` leaves open whether it was written.
    pub async fn replace_if_version(
        &self,
        collection: &str,
        id: &str,
        version: i64,
        body: &Body,
    ) -> Result<Option<Document>, Error> {
        check_place(collection, Some(id))?;
        check_body(body)?;
        let (collection, id, body) = (collection.to_owned(), id.to_owned(), body.clone());
        of_store!(self, store => store.replace(&collection, &id, version, body))
    }

    /// Deletes one document if it is there and the filter matches it, and says what it was. `None`:
    /// nothing was deleted.
    ///
    /// # Errors
    /// See [`Error`]; `Unavailable` leaves open whether it was deleted.
    pub async fn delete(
        &self,
        collection: &str,
        id: &str,
        filter: &Filter,
    ) -> Result<Option<Document>, Error> {
        check_place(collection, Some(id))?;
        filter.check()?;
        let (collection, id, filter) = (collection.to_owned(), id.to_owned(), filter.clone());
        of_store!(self, store => store.delete(&collection, &id, &filter))
    }
}
