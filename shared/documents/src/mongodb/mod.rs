//! Documents in whatever speaks MongoDB's protocol.
//!
//! The race it survives: two changes of one document at once. Filter and update go to the server in
//! one `findAndModify`, which changes one document as a whole; a document's version is a field that
//! every change increments.

mod convert;
mod filter;

use std::future::Future;
use std::time::Duration;

use ::mongodb::bson::{Bson, Document as BsonDocument, doc};
use ::mongodb::error::{Error as DriverError, ErrorKind, WriteFailure};
use ::mongodb::options::{
    Acknowledgment, ClientOptions, ReadConcern, ReturnDocument, WriteConcern,
};
use ::mongodb::{Client, Collection, Database};

use crate::page::Query;
use crate::settings::Settings;
use crate::task::wait_until_up;
use crate::{Body, Change, Document, Error, Filter, Update};

/// Where [`Document::version`] is kept.
const VERSION: &str = "_version";

/// The database where the URL names none.
const DATABASE: &str = "bank";

/// Shorter than a caller waits. What is given up here lets go of its connection, which is closed.
const LONGEST: Duration = Duration::from_secs(8);

/// Codes by which a server says that a command makes no sense, or has no meaning for the document
/// it met: bad value, failed to parse, unauthorized, type mismatch, authentication failed, path not
/// viable, conflicting operators, `$` in a name, empty name, document too large.
const SENSELESS: [i32; 10] = [2, 9, 13, 14, 18, 28, 40, 52, 56, 10_334];

const DUPLICATE_KEY: i32 = 11_000;

/// A database of documents.
#[derive(Clone)]
pub(crate) struct MongoDb {
    database: Database,
}

impl MongoDb {
    /// Waits for the server.
    pub(crate) async fn connect(settings: &Settings) -> Result<Self, Error> {
        let mut options = ClientOptions::parse(&settings.url)
            .await
            .map_err(|error| Error::invalid(format!("the document server's URL: {error}")))?;
        options.app_name = Some(settings.application_name.clone());
        options.max_pool_size = Some(settings.connections);
        options.connect_timeout = Some(Duration::from_secs(2));
        options.server_selection_timeout = Some(Duration::from_secs(3));
        // The driver would repeat a change whose answer was lost, and rely on the server to know it
        // again. One that forgets that when it is killed does it twice; so we are told instead.
        options.retry_writes = Some(false);
        // What is answered survives the loss of a server, whatever the URL says, and nothing is
        // read that would not.
        options.write_concern = Some(
            WriteConcern::builder()
                .w(Acknowledgment::Majority)
                .journal(true)
                .w_timeout(Duration::from_secs(5))
                .build(),
        );
        options.read_concern = Some(ReadConcern::majority());
        let name = options.default_database.clone();
        let client = Client::with_options(options)
            .map_err(|error| Error::invalid(format!("the document server's URL: {error}")))?;
        let store = Self {
            database: client.database(name.as_deref().unwrap_or(DATABASE)),
        };
        wait_until_up(|| store.ping()).await?;
        Ok(store)
    }

    fn collection(&self, name: &str) -> Collection<BsonDocument> {
        self.database.collection(name)
    }

    pub(crate) async fn ping(&self) -> Result<(), Error> {
        asked(self.database.run_command(doc! {"ping": 1}).into_future())
            .await
            .map(drop)
    }

    /// Durable when it returns: the document, if it says so.
    pub(crate) async fn insert(
        &self,
        collection: &str,
        id: &str,
        body: Body,
    ) -> Result<bool, Error> {
        let document = convert::stored(id, 1, body)?;
        let collection = self.collection(collection);
        match within(collection.insert_one(document).into_future()).await? {
            Ok(_) => Ok(true),
            Err(error) if code(&error) == Some(DUPLICATE_KEY) => Ok(false),
            Err(error) => Err(failed(&error)),
        }
    }

    pub(crate) async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, Error> {
        let collection = self.collection(collection);
        let found = asked(collection.find_one(doc! {"_id": id}).into_future()).await?;
        found.map(convert::read).transpose()
    }

    /// One more than the query's limit, where there are so many.
    pub(crate) async fn find(
        &self,
        collection: &str,
        query: &Query,
    ) -> Result<Vec<Document>, Error> {
        let collection = self.collection(collection);
        let found = collection
            .find(filter::of_page(query))
            .sort(filter::order(query))
            .limit(i64::from(query.limit) + 1);
        asked(async move {
            let mut cursor = found.await?;
            let mut documents = Vec::new();
            while cursor.advance().await? {
                documents.push(cursor.deserialize_current()?);
            }
            Ok(documents)
        })
        .await?
        .into_iter()
        .map(convert::read)
        .collect()
    }

    pub(crate) async fn count(&self, collection: &str, filter: &Filter) -> Result<u64, Error> {
        let collection = self.collection(collection);
        asked(
            collection
                .count_documents(filter::document(filter))
                .into_future(),
        )
        .await
    }

    /// Durable when it returns: the changed document, if there is one.
    pub(crate) async fn update(
        &self,
        collection: &str,
        id: &str,
        filter: &Filter,
        update: &Update,
    ) -> Result<Option<Document>, Error> {
        let collection = self.collection(collection);
        let change = collection
            .find_one_and_update(one(id, filter), changes(update)?)
            .return_document(ReturnDocument::After);
        let after = asked(change.into_future()).await?;
        after.map(convert::read).transpose()
    }

    /// Durable when it returns: the new document, if there is one.
    pub(crate) async fn replace(
        &self,
        collection: &str,
        id: &str,
        version: i64,
        body: Body,
    ) -> Result<Option<Document>, Error> {
        let Some(next) = version.checked_add(1) else {
            return Ok(None);
        };
        let new = convert::stored(id, next, body)?;
        let collection = self.collection(collection);
        let change = collection
            .find_one_and_replace(doc! {"_id": id, VERSION: version}, new)
            .return_document(ReturnDocument::After);
        let after = asked(change.into_future()).await?;
        after.map(convert::read).transpose()
    }

    /// Durable when it returns: that the document is gone, if it says what it was.
    pub(crate) async fn delete(
        &self,
        collection: &str,
        id: &str,
        filter: &Filter,
    ) -> Result<Option<Document>, Error> {
        let collection = self.collection(collection);
        let deletion = collection.find_one_and_delete(one(id, filter));
        let before = asked(deletion.into_future()).await?;
        before.map(convert::read).transpose()
    }
}

/// This document, if the filter matches it.
fn one(id: &str, filter: &Filter) -> BsonDocument {
    doc! {"_id": id, "$and": [filter::document(filter)]}
}

fn changes(update: &Update) -> Result<BsonDocument, Error> {
    let mut set = BsonDocument::new();
    let mut increment = doc! {VERSION: 1_i64};
    let mut unset = BsonDocument::new();
    for (path, change) in update.changes() {
        match change {
            Change::Set(value) => drop(set.insert(path.as_str(), convert::bson(value.clone())?)),
            Change::Increment(by) => drop(increment.insert(path.as_str(), *by)),
            Change::Unset => drop(unset.insert(path.as_str(), "")),
        }
    }
    let mut changes = doc! {"$inc": increment};
    // MongoDB before 5.0 refuses an operator without fields.
    for (operator, fields) in [("$set", set), ("$unset", unset)] {
        if !fields.is_empty() {
            changes.insert(operator, Bson::Document(fields));
        }
    }
    Ok(changes)
}

type Driven<T> = Result<T, DriverError>;

/// Waits for the server, but not for ever.
async fn within<T>(work: impl Future<Output = Driven<T>>) -> Result<Driven<T>, Error> {
    tokio::time::timeout(LONGEST, work)
        .await
        .map_err(|_| Error::Unavailable("no answer within 8 s".to_owned()))
}

async fn asked<T>(work: impl Future<Output = Driven<T>>) -> Result<T, Error> {
    within(work).await?.map_err(|error| failed(&error))
}

fn code(error: &DriverError) -> Option<i32> {
    match &*error.kind {
        ErrorKind::Command(refused) => Some(refused.code),
        ErrorKind::Write(WriteFailure::WriteError(refused)) => Some(refused.code),
        _ => None,
    }
}

/// What the server refuses for what it is has not happened. Of everything else nothing is known.
fn failed(error: &DriverError) -> Error {
    let refused = code(error).is_some_and(|code| SENSELESS.contains(&code));
    match &*error.kind {
        _ if refused => Error::invalid(error.to_string()),
        ErrorKind::Authentication { .. } | ErrorKind::InvalidArgument { .. } => {
            Error::invalid(error.to_string())
        }
        _ => Error::unavailable(error),
    }
}
