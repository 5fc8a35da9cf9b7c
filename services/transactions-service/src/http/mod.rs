//! The handlers, one file per endpoint. Which route leads to which is in `routes.rs`.

pub(crate) mod acknowledgements;
pub(crate) mod audit;
pub(crate) mod batch;
pub(crate) mod in_doubt;
pub(crate) mod inquiries;
pub(crate) mod internal_transfers;
pub(crate) mod participants;
pub(crate) mod reconciliations;
pub(crate) mod resolutions;
pub(crate) mod sagas;
pub(crate) mod timeline;
pub(crate) mod transfer;
pub(crate) mod transfers;
pub(crate) mod unfinished;

use service_kit::Problem;
use service_kit::auth::User;
use types::views::Role;
use types::{Code, TransactionId};

use crate::app::App;
use crate::record::Record;
use crate::requests::read_live;
use crate::store::transactions;

/// Reads a transfer for somebody who may see it. To everybody else it does not exist.
pub(crate) async fn visible(app: &App, user: &User, id: TransactionId) -> Result<Record, Problem> {
    let not_found = || Problem::new(Code::NotFound).detail(format!("There is no transfer {id}."));
    let mut records = read_live(app, &[id]).await?;
    let record = records.remove(&id).ok_or_else(not_found)?;
    if user.role == Role::Customer {
        let customer = user.customer_id.ok_or_else(not_found)?;
        if !transactions::is_party(app.pool(), id, customer).await? {
            return Err(not_found());
        }
    }
    Ok(record)
}
