//! Customers and logins.

use types::views::{Customer, LoginView};

use super::moment;
use crate::cli::table::{Record, Table};

pub fn customers(customers: &[Customer]) -> Table {
    let mut table = Table::new("No customers.")
        .rigid("Customer")
        .text("Name")
        .text("E-mail");
    for customer in customers {
        let email = customer.contact_info.email.as_ref();
        table.row(vec![
            customer.customer_id.into(),
            (&customer.name).into(),
            email.map(ToString::to_string).unwrap_or_default().into(),
        ]);
    }
    table
}

pub fn customer(customer: &Customer) -> Record {
    Record::new()
        .field("Customer", customer.customer_id)
        .field("Name", &customer.name)
        .field("Address", &customer.address)
        .maybe("E-mail", customer.contact_info.email.as_ref())
        .maybe("Phone", customer.contact_info.phone.as_ref())
        .field("Since", moment(customer.created_at))
        .field("Last change", moment(customer.updated_at))
}

pub fn login(login: &LoginView) -> Record {
    Record::new()
        .field("Login", login.login_id)
        .field("User name", &login.username)
        .field("Role", login.role)
        .maybe("Customer", login.customer_id)
        .field("Since", moment(login.created_at))
}
