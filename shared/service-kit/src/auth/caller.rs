//! Who is calling.

use types::views::Role;
use types::{CustomerId, LoginId, Timestamp};
use uuid::Uuid;

/// A person, proven by a user token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The login.
    pub login: LoginId,
    /// The customer behind it; none for tellers and admins.
    pub customer_id: Option<CustomerId>,
    /// What the person may do.
    pub role: Role,
    /// The token's own id.
    pub token_id: Uuid,
    /// When the token expires.
    pub expires_at: Timestamp,
}

impl User {
    /// A teller or an admin.
    #[must_use]
    pub fn is_staff(&self) -> bool {
        matches!(self.role, Role::Teller | Role::Admin)
    }

    /// Whether it is the customer.
    #[must_use]
    pub fn is_customer(&self, customer: CustomerId) -> bool {
        self.role == Role::Customer && self.customer_id == Some(customer)
    }

    /// Whether it may see what belongs to `customer`: its own, or anything as a teller or an admin.
    #[must_use]
    pub fn may_see(&self, customer: CustomerId) -> bool {
        self.is_staff() || self.is_customer(customer)
    }
}

/// Another service, proven by a service token with us as its audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceCaller {
    /// Its name, such as `transactions-service` or `bank-2`.
    pub name: String,
}

/// Whoever is calling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A person.
    User(User),
    /// A service.
    Service(ServiceCaller),
}
