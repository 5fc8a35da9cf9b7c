//! The people of a development bank. Refused in production by the configuration.

use sqlx::PgPool;
use types::views::Role;
use types::{CustomerId, LoginId};
use uuid::{Uuid, uuid};

use crate::error::Error;
use crate::passwords;
use crate::store::{customers, logins};
use crate::username::Username;

/// The password of every seeded login.
pub const PASSWORD: &str = "banking-dev";

struct Customer {
    id: Uuid,
    name: &'static str,
    address: &'static str,
    email: &'static str,
    phone: &'static str,
}

const ALICE: Uuid = uuid!("550e8400-e29b-41d4-a716-446655440001");
const BOB: Uuid = uuid!("550e8400-e29b-41d4-a716-446655440002");
const CAROL: Uuid = uuid!("550e8400-e29b-41d4-a716-446655440003");

/// Whose account is paid into when something is bought at the cash desk. Nobody logs in as it.
const CASH_DESK: Uuid = uuid!("550e8400-e29b-41d4-a716-446655440009");

const CUSTOMERS: [Customer; 4] = [
    Customer {
        id: ALICE,
        name: "Alice Johnson",
        address: "1 Harbour Street, Springfield",
        email: "alice@example.com",
        phone: "+1 555 0101",
    },
    Customer {
        id: BOB,
        name: "Bob Smith",
        address: "22 Mill Lane, Springfield",
        email: "bob@example.com",
        phone: "+1 555 0102",
    },
    Customer {
        id: CAROL,
        name: "Carol Davis",
        address: "303 Orchard Road, Springfield",
        email: "carol@example.com",
        phone: "+1 555 0103",
    },
    Customer {
        id: CASH_DESK,
        name: "Cash desk",
        address: "The bank itself",
        email: "cash-desk@example.com",
        phone: "+1 555 0109",
    },
];

const LOGINS: [(&str, Role, Option<Uuid>); 6] = [
    ("alice-customer", Role::Customer, Some(ALICE)),
    ("bob-customer", Role::Customer, Some(BOB)),
    ("carol-customer", Role::Customer, Some(CAROL)),
    ("tom-teller", Role::Teller, None),
    ("ada-admin", Role::Admin, None),
    ("max-admin", Role::Admin, None),
];

/// Inserts what is not there yet; what is there stays as it is.
///
/// # Errors
/// When the database cannot be written.
pub async fn insert(pool: &PgPool) -> Result<(), Error> {
    for customer in CUSTOMERS {
        customers::insert_seed(
            pool,
            CustomerId::from_uuid(customer.id),
            [
                customer.name,
                customer.address,
                customer.email,
                customer.phone,
            ],
        )
        .await?;
    }
    for (username, role, customer) in LOGINS {
        let username = Username::parse(username)?;
        if logins::find(pool, &username).await?.is_some() {
            continue;
        }
        let hash = passwords::hash(PASSWORD.to_owned()).await?;
        let customer = customer.map(CustomerId::from_uuid);
        let login = logins::insert(pool, LoginId::generate(), &username, &hash, role, customer);
        match login.await {
            // Another replica seeds at the same time.
            Ok(_) | Err(Error::UsernameTaken) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
