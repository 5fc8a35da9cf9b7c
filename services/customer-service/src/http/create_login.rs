//! `POST /customers/{id}/logins`

use axum::extract::State;
use axum::http::StatusCode;
use service_kit::auth::Teller;
use service_kit::database::spawned;
use service_kit::extract::{Id, Json};
use service_kit::{Problem, Result};
use types::views::{CreateLogin, LoginView, ProblemView, Role};
use types::{Code, CustomerId, LoginId};

use crate::app::App;
use crate::error::Error;
use crate::store::{customers, logins};
use crate::username::Username;

/// Gives a customer a login; only an admin can give one of another role.
#[utoipa::path(post, path = "/customers/{id}/logins", tag = "customers", security(("bearer" = [])),
    params(("id" = CustomerId, Path)), request_body = CreateLogin, responses(
    (status = 201, body = LoginView),
    (status = 403, description = "`forbidden`", body = ProblemView),
    (status = 404, description = "`not_found`", body = ProblemView),
    (status = 409, description = "`username_taken`", body = ProblemView),
    (status = 422, description = "`invalid_body`", body = ProblemView)))]
pub(crate) async fn create_login(
    Teller(teller): Teller,
    State(app): State<App>,
    Id(id): Id<CustomerId>,
    Json(login): Json<CreateLogin>,
) -> Result<(StatusCode, Json<LoginView>)> {
    if login.role != Role::Customer && teller.role != Role::Admin {
        return Err(Problem::new(Code::Forbidden)
            .detail("Only an admin can make logins of tellers and admins."));
    }
    let created = spawned(create(app, id, login)).await?;
    let (role, login_id) = (created.role, teller.login);
    tracing::info!(event = "LOGIN_CREATED", customer_id = %id, role = %role, login_id = %login_id);
    Ok((StatusCode::CREATED, Json(created)))
}

async fn create(
    app: App,
    id: CustomerId,
    login: CreateLogin,
) -> std::result::Result<LoginView, Error> {
    let username = Username::parse(&login.username)?;
    // Asked before the costly hash; the foreign key has the last word.
    if customers::find(&app.pool, id).await?.is_none() {
        return Err(Error::CustomerNotFound);
    }
    let hash = app.passwords.choose(login.password).await?;
    let login_id = LoginId::generate();
    logins::insert(&app.pool, login_id, &username, &hash, login.role, Some(id)).await
}
