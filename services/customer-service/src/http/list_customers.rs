//! `GET /customers`

use axum::extract::State;
use serde::Deserialize;
use service_kit::auth::Teller;
use service_kit::database::spawned;
use service_kit::extract::{Json, Limit, Query};
use service_kit::{Problem, Result};
use types::views::{Customer, Page, ProblemView};
use types::{Code, CustomerId, Text};
use utoipa::IntoParams;

use crate::app::App;
use crate::error::Error;
use crate::store::customers;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {
    /// Part of a name, an address, an e-mail address, a telephone number or an id, in any case.
    #[param(value_type = Option<String>)]
    search: Option<Text<200>>,
    /// How many, at most 200; 50 unless said otherwise.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Limit,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Finds customers, in the order in which they were taken on.
#[utoipa::path(get, path = "/customers", tag = "customers", security(("bearer" = [])),
    params(Parameters), responses(
    (status = 200, body = Page<Customer>),
    (status = 403, description = "`forbidden`", body = ProblemView),
    (status = 422, description = "`invalid_parameter`", body = ProblemView)))]
pub(crate) async fn list_customers(
    _: Teller,
    State(app): State<App>,
    Query(parameters): Query<Parameters>,
) -> Result<Json<Page<Customer>>> {
    let limit = parameters.limit;
    let after = parameters.cursor.as_deref().map(read_cursor).transpose()?;
    let mut items = spawned::<_, Error>(async move {
        let search = parameters.search.as_ref().map(Text::as_str);
        customers::list(&app.pool, search, after, limit.one_more()).await
    })
    .await?;
    let more = items.len() > limit.get() as usize;
    items.truncate(limit.get() as usize);
    let last = items.last().filter(|_| more);
    let next_cursor = last.map(|customer| customer.customer_id.to_string());
    Ok(Json(Page { items, next_cursor }))
}

fn read_cursor(cursor: &str) -> Result<CustomerId> {
    cursor
        .parse()
        .map_err(|_| Problem::new(Code::InvalidParameter).detail("This cursor is none of ours."))
}
