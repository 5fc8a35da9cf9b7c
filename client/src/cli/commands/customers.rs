//! Customers and their logins.

use client::ListQuery;
use types::Code;
use types::views::{ContactInfo, CreateCustomer, CreateLogin, PatchCustomer};

use super::{Listed, login};
use crate::cli::args::CustomersCommand;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::render;

/// The largest page the service gives.
const PAGE: u32 = 200;

pub async fn profile(context: &Context) -> Result<(), Failure> {
    context.require_login()?;
    let customer = context.customer().ok_or_else(|| {
        let login = context.username().unwrap_or("This login");
        Failure::Refused(format!("{login} belongs to the bank and has no profile."))
    })?;
    let customer = context.bank.customers().show(customer).await?.body;
    context.out.show(&customer, render::customer(&customer))
}

pub async fn execute(context: &Context, command: CustomersCommand) -> Result<(), Failure> {
    context.require_login()?;
    let customers = context.bank.customers();
    match command {
        CustomersCommand::List { search, limit } => list(context, search.as_deref(), limit).await,
        CustomersCommand::Show { customer } => {
            let customer = customers.show(customer).await?.body;
            context.out.show(&customer, render::customer(&customer))
        }
        CustomersCommand::Create(new) => {
            let customer = customers
                .create(&CreateCustomer {
                    name: new.name,
                    address: new.address,
                    contact_info: ContactInfo {
                        email: new.email,
                        phone: new.phone,
                    },
                })
                .await?;
            context.out.show(&customer, render::customer(&customer))?;
            context.out.note(&format!(
                "Created. Open an account with:\n  banking-cli accounts open --customer {}",
                customer.customer_id
            ));
            Ok(())
        }
        CustomersCommand::Update {
            customer,
            name,
            address,
            email,
            phone,
        } => {
            let before = customers.show(customer).await?;
            let contact = before.body.contact_info;
            let changes_contact = email.is_some() || phone.is_some();
            let patch = PatchCustomer {
                name,
                address,
                // The contact is replaced as a whole: what was not named is sent as it was read.
                contact_info: changes_contact.then_some(ContactInfo {
                    email: email.or(contact.email),
                    phone: phone.or(contact.phone),
                }),
            };
            let etag = before.etag.as_deref();
            let changed = customers.patch(customer, &patch, etag).await?;
            context.out.show(&changed, render::customer(&changed))
        }
        CustomersCommand::AddLogin {
            customer,
            username,
            role,
        } => {
            let question = format!("Password for {username} (at least 10 characters):");
            let password = login::password("BANKING_NEW_PASSWORD", &question)?;
            let request = CreateLogin {
                username,
                password,
                role: role.into(),
            };
            let login = customers.create_login(customer, &request).await?;
            context.out.show(&login, render::login(&login))
        }
    }
}

async fn list(context: &Context, search: Option<&str>, limit: u32) -> Result<(), Failure> {
    let mut listed = Listed::whole(Vec::new());
    let mut left = limit;
    while left > 0 {
        let query = ListQuery {
            limit: Some(left.min(PAGE)),
            cursor: listed.next_cursor.take(),
        };
        let page = context.bank.customers().list(search, &query).await;
        let page = page.map_err(explain_forbidden)?;
        left = left.saturating_sub(u32::try_from(page.items.len()).unwrap_or(left));
        listed.items.extend(page.items);
        listed.next_cursor = page.next_cursor;
        if listed.next_cursor.is_none() {
            break;
        }
    }
    let table = render::customers(&listed.items);
    context.out.show(&listed, table)?;
    if listed.next_cursor.is_some() {
        context.out.note("There are more: --limit or --search.");
    }
    Ok(())
}

fn explain_forbidden(error: client::Error) -> Failure {
    match error {
        client::Error::Refused(mut problem) if problem.code == Code::Forbidden => {
            problem.detail = "Only tellers and admins see other customers.".to_owned();
            client::Error::Refused(problem).into()
        }
        other => other.into(),
    }
}
