//! From a client's wish to its reply: place the accounts, begin durably, wait, answer.

pub(crate) mod batch;
pub(crate) mod fingerprint;
pub(crate) mod internal;
pub(crate) mod placing;
pub(crate) mod reply;
pub(crate) mod single;

use std::collections::HashMap;

use service_kit::auth::User;
use types::views::Role;
use types::{CustomerId, IdempotencyKey, TransactionId};

use crate::app::App;
use crate::record::Record;
use crate::store::keys::KeyName;
use crate::store::transactions;

/// Who asks, and under which key.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// Whose accounts may be debited; `None` for those who serve any customer.
    pub(crate) debits_owned_by: Option<Owner>,
    /// What is begun, is begun once under it.
    pub(crate) name: KeyName,
    pub(crate) request_id: String,
}

/// A customer who may debit their own accounts only. One without a customer owns nothing.
pub(crate) type Owner = Option<CustomerId>;

impl Caller {
    /// The caller of this request.
    pub(crate) fn new(user: &User, key: IdempotencyKey) -> Self {
        Self {
            debits_owned_by: (user.role == Role::Customer).then_some(user.customer_id),
            name: KeyName::new(user.login, key),
            request_id: request_id(),
        }
    }

    pub(crate) fn key_name(&self) -> KeyName {
        self.name.clone()
    }

    /// Whether this caller may debit an account of this owner.
    pub(crate) fn may_debit(&self, owner: Option<CustomerId>) -> bool {
        match self.debits_owned_by {
            None => owner.is_some(),
            Some(own) => own.is_some() && own == owner,
        }
    }
}

/// The id of the request being served.
fn request_id() -> String {
    service_kit::context::current()
        .map(|context| context.request_id().to_owned())
        .unwrap_or_default()
}

/// Reads transactions as they stand, with what this process knows of them and is about to write.
pub(crate) async fn read_live(
    app: &App,
    ids: &[TransactionId],
) -> Result<HashMap<TransactionId, Record>, sqlx::Error> {
    let live = app.coordination.in_flight.live(ids);
    let mut records = transactions::read(app.pool(), ids).await?;
    for (id, live) in live {
        if let Some(record) = records.get_mut(&id) {
            record.complete(live);
        }
    }
    Ok(records)
}
