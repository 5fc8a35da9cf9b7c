//! Table `logins`.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use types::views::{LoginView, Role};
use types::{CustomerId, LoginId};
use uuid::Uuid;

use crate::error::Error;
use crate::username::Username;

/// A login with its secret. Not `Debug`.
#[derive(Clone)]
pub(crate) struct StoredLogin {
    pub(crate) login_id: LoginId,
    pub(crate) password_hash: String,
    pub(crate) role: Role,
    pub(crate) customer_id: Option<CustomerId>,
}

/// A row that says who a login is.
pub(super) struct Row {
    pub(super) login_id: Uuid,
    pub(super) password_hash: String,
    pub(super) role: String,
    pub(super) customer_id: Option<Uuid>,
}

impl TryFrom<Row> for StoredLogin {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            login_id: LoginId::from_uuid(row.login_id),
            password_hash: row.password_hash,
            role: role(&row.role)?,
            customer_id: row.customer_id.map(CustomerId::from_uuid),
        })
    }
}

fn role(text: &str) -> Result<Role, Error> {
    [Role::Customer, Role::Teller, Role::Admin]
        .into_iter()
        .find(|role| role.as_str() == text)
        .ok_or_else(|| Error::Corrupt(format!("role {text}")))
}

pub(crate) async fn find(pool: &PgPool, username: &Username) -> Result<Option<StoredLogin>, Error> {
    let row = sqlx::query_as!(
        Row,
        "SELECT login_id, password_hash, role, customer_id FROM logins WHERE username = $1",
        username.as_str(),
    )
    .fetch_optional(pool)
    .await?;
    row.map(StoredLogin::try_from).transpose()
}

/// Durable when it returns.
///
/// # Errors
/// [`Error::UsernameTaken`]; [`Error::CustomerNotFound`] when there is no such customer.
pub(crate) async fn insert(
    pool: &PgPool,
    id: LoginId,
    username: &Username,
    password_hash: &str,
    role: Role,
    customer: Option<CustomerId>,
) -> Result<LoginView, Error> {
    let created_at: DateTime<Utc> = sqlx::query_scalar!(
        "INSERT INTO logins (login_id, username, password_hash, role, customer_id)
         VALUES ($1, $2, $3, $4, $5) RETURNING created_at",
        id.uuid(),
        username.as_str(),
        password_hash,
        role.as_str(),
        customer.map(CustomerId::uuid),
    )
    .fetch_one(pool)
    .await
    .map_err(|error| match constraint(&error) {
        Some("logins_username_unique") => Error::UsernameTaken,
        Some("logins_customer") => Error::CustomerNotFound,
        _ => Error::Database(error),
    })?;
    Ok(LoginView {
        login_id: id,
        username: username.as_str().to_owned(),
        role,
        customer_id: customer,
        created_at: created_at.into(),
    })
}

fn constraint(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error()?.constraint()
}
