//! Customers and their logins.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::views::Role;
use crate::{CustomerId, LoginId, Text, Timestamp};

/// How to reach a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactInfo {
    /// An e-mail address.
    #[schema(value_type = Option<String>)]
    pub email: Option<Text<254>>,
    /// A telephone number.
    #[schema(value_type = Option<String>)]
    pub phone: Option<Text<40>>,
}

/// A customer as everyone entitled sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Customer {
    /// Who.
    pub customer_id: CustomerId,
    /// Full name.
    #[schema(value_type = String)]
    pub name: Text<200>,
    /// Postal address.
    #[schema(value_type = String)]
    pub address: Text<500>,
    /// How to reach them.
    pub contact_info: ContactInfo,
    /// Since when.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
}

/// `POST /customers`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateCustomer {
    /// Full name.
    #[schema(value_type = String)]
    pub name: Text<200>,
    /// Postal address.
    #[schema(value_type = String)]
    pub address: Text<500>,
    /// How to reach them.
    pub contact_info: ContactInfo,
}

/// `PATCH /customers/{id}`: what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PatchCustomer {
    /// Full name.
    #[schema(value_type = Option<String>)]
    pub name: Option<Text<200>>,
    /// Postal address.
    #[schema(value_type = Option<String>)]
    pub address: Option<Text<500>>,
    /// How to reach them.
    pub contact_info: Option<ContactInfo>,
}

/// `POST /customers/{id}/logins`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateLogin {
    /// Unique over the bank; lower-case letters, digits, `-`, `_` and `.`.
    pub username: String,
    /// At least 10 characters.
    pub password: String,
    /// What it may do.
    pub role: Role,
}

/// A login, without its secret.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LoginView {
    /// Which login.
    pub login_id: LoginId,
    /// Its user name.
    pub username: String,
    /// What it may do.
    pub role: Role,
    /// Whose it is.
    pub customer_id: Option<CustomerId>,
    /// Since when.
    pub created_at: Timestamp,
}
