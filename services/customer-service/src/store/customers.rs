//! Table `customers`.

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use types::views::{ContactInfo, CreateCustomer, Customer, PatchCustomer};
use types::{CustomerId, Text};
use uuid::Uuid;

use crate::error::Error;

/// A customer and the version that its ETag shows.
#[derive(Debug, Clone)]
pub(crate) struct Versioned {
    pub(crate) customer: Customer,
    pub(crate) version: i64,
}

struct Row {
    customer_id: Uuid,
    name: String,
    address: String,
    email: Option<String>,
    phone: Option<String>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<Row> for Versioned {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        fn text<const MAX: usize>(id: Uuid, text: String) -> Result<Text<MAX>, Error> {
            Text::try_from(text).map_err(|error| Error::Corrupt(format!("customer {id}: {error}")))
        }
        let id = row.customer_id;
        let email = row.email.map(|email| text(id, email)).transpose()?;
        let phone = row.phone.map(|phone| text(id, phone)).transpose()?;
        Ok(Self {
            customer: Customer {
                customer_id: CustomerId::from_uuid(id),
                name: text(id, row.name)?,
                address: text(id, row.address)?,
                contact_info: ContactInfo { email, phone },
                created_at: row.created_at.into(),
                updated_at: row.updated_at.into(),
            },
            version: row.version,
        })
    }
}

/// Durable when it returns.
pub(crate) async fn insert(pool: &PgPool, customer: &CreateCustomer) -> Result<Versioned, Error> {
    let contact = &customer.contact_info;
    let row = sqlx::query_as!(
        Row,
        "INSERT INTO customers (customer_id, name, address, email, phone)
         VALUES ($1, $2, $3, $4, $5)
         RETURNING customer_id, name, address, email, phone, version, created_at, updated_at",
        CustomerId::generate().uuid(),
        customer.name.as_str(),
        customer.address.as_str(),
        contact.email.as_ref().map(Text::as_str),
        contact.phone.as_ref().map(Text::as_str),
    )
    .fetch_one(pool)
    .await?;
    row.try_into()
}

/// Inserts a customer of the seed data unless it is there; name, address, e-mail and telephone.
pub(crate) async fn insert_seed(
    pool: &PgPool,
    id: CustomerId,
    [name, address, email, phone]: [&str; 4],
) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO customers (customer_id, name, address, email, phone)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        id.uuid(),
        name,
        address,
        email,
        phone,
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub(crate) async fn find(pool: &PgPool, id: CustomerId) -> Result<Option<Versioned>, Error> {
    let row = sqlx::query_as!(
        Row,
        "SELECT customer_id, name, address, email, phone, version, created_at, updated_at
         FROM customers WHERE customer_id = $1",
        id.uuid(),
    )
    .fetch_optional(pool)
    .await?;
    row.map(Versioned::try_from).transpose()
}

/// Up to `limit` customers after `after`, in the order of their ids, whose name, address, e-mail,
/// telephone number or id contains `search`, in any case.
pub(crate) async fn list(
    pool: &PgPool,
    search: Option<&str>,
    after: Option<CustomerId>,
    limit: i64,
) -> Result<Vec<Customer>, Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT customer_id, name, address, email, phone, version, created_at, updated_at
         FROM customers
         WHERE ($1::uuid IS NULL OR customer_id > $1)
           AND ($2::text IS NULL
                OR concat_ws(E'\\n', name, address, email, phone, customer_id::text) ILIKE $2)
         ORDER BY customer_id
         LIMIT $3",
        after.map(CustomerId::uuid),
        search.map(contains),
        limit,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| Versioned::try_from(row).map(|versioned| versioned.customer))
        .collect()
}

/// A pattern for text that contains `search` as it is.
fn contains(search: &str) -> String {
    let mut pattern = String::from("%");
    for c in search.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// Changes what the patch names. With `expected`, only when the customer has one of these versions.
/// Durable when it returns.
///
/// # Errors
/// [`Error::CustomerNotFound`] and [`Error::Changed`].
pub(crate) async fn update(
    pool: &PgPool,
    id: CustomerId,
    patch: &PatchCustomer,
    expected: Option<&[i64]>,
) -> Result<Versioned, Error> {
    let contact = patch.contact_info.as_ref();
    let email = contact.and_then(|contact| contact.email.as_ref());
    let phone = contact.and_then(|contact| contact.phone.as_ref());
    let row = sqlx::query_as!(
        Row,
        "UPDATE customers
         SET name = coalesce($2, name),
             address = coalesce($3, address),
             email = CASE WHEN $4 THEN $5 ELSE email END,
             phone = CASE WHEN $4 THEN $6 ELSE phone END,
             version = version + 1,
             updated_at = now()
         WHERE customer_id = $1 AND ($7::bigint[] IS NULL OR version = ANY ($7))
         RETURNING customer_id, name, address, email, phone, version, created_at, updated_at",
        id.uuid(),
        patch.name.as_ref().map(Text::as_str),
        patch.address.as_ref().map(Text::as_str),
        contact.is_some(),
        email.map(Text::as_str),
        phone.map(Text::as_str),
        expected,
    )
    .fetch_optional(pool)
    .await?;
    match row {
        Some(row) => row.try_into(),
        None if find(pool, id).await?.is_some() => Err(Error::Changed),
        None => Err(Error::CustomerNotFound),
    }
}

#[cfg(test)]
mod tests {
    use super::contains;

    #[test]
    fn what_is_searched_for_is_no_pattern() {
        assert_eq!(contains("50%_\\"), "%50\\%\\_\\\\%");
    }
}
