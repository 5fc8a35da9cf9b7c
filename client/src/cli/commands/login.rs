//! Logging in and out.

use std::io::IsTerminal;

use inquire::InquireError;
use serde::Serialize;
use types::views::{Login, Role};
use types::{CustomerId, Timestamp};

use crate::cli::context::{Context, Identity};
use crate::cli::failure::Failure;
use crate::cli::render;
use crate::cli::session::Session;
use crate::cli::table::Record;

/// Who is logged in, without any secret.
#[derive(Debug, Serialize)]
struct Whoami {
    username: String,
    role: Role,
    customer_id: Option<CustomerId>,
    expires_at: Option<Timestamp>,
}

pub async fn login(context: &Context, username: &str, role: Option<Role>) -> Result<(), Failure> {
    let password = password("BANKING_PASSWORD", &format!("Password of {username}:"))?;
    let login = Login {
        username: username.to_owned(),
        password,
    };
    let tokens = context.bank.customers().login(&login).await?;
    let session = Session::new(username, tokens);
    let found = session.role;
    let fresh = context.with_session(session.clone(), Some(context.store.clone()));
    if let Some(wanted) = role.filter(|wanted| *wanted != found) {
        fresh.revoke().await;
        return Err(Failure::Refused(format!(
            "{username} is a {found}, not a {wanted}. Nothing was remembered."
        )));
    }
    // The session this one replaces is of no more use to anybody.
    context.revoke().await;
    {
        let _lock = context.store.lock().await?;
        context.store.save(&session)?;
    }
    let whoami = describe(&fresh)?;
    fresh.out.show(&whoami, record(&whoami))?;
    let next = match found {
        Role::Customer => "accounts",
        Role::Teller => "customers list",
        Role::Admin => "admin ledger-check",
    };
    fresh
        .out
        .note(&format!("Logged in. Try: banking-cli {next}"));
    Ok(())
}

pub async fn logout(context: &Context) -> Result<(), Failure> {
    match &context.identity {
        Identity::Session(..) => {
            context.revoke().await;
            context.store.remove()?;
            let done = serde_json::json!({ "logged_out": context.username() });
            if context.out.is_json() {
                context.out.json(&done)?;
            }
            context.out.note("Logged out.");
            Ok(())
        }
        Identity::Token(..) => Err(Failure::Usage(
            "BANKING_TOKEN is set: unset it to log out.".into(),
        )),
        Identity::Nobody => context.require_login(),
    }
}

pub async fn whoami(context: &Context) -> Result<(), Failure> {
    // Renews a session that has expired, and finds out when it cannot be.
    context.access_token().await?;
    let mut whoami = describe(context)?;
    if let Identity::Session(source, _) = &context.identity {
        whoami.expires_at = Some(source.session().await.expires_at);
    }
    context.out.show(&whoami, record(&whoami))
}

fn describe(context: &Context) -> Result<Whoami, Failure> {
    context.require_login()?;
    Ok(Whoami {
        username: context.username().unwrap_or_default().to_owned(),
        role: context.role().unwrap_or(Role::Customer),
        customer_id: context.customer(),
        expires_at: match &context.identity {
            Identity::Session(_, session) => Some(session.expires_at),
            Identity::Token(_, claims) => claims.expires_at(),
            Identity::Nobody => None,
        },
    })
}

/// Who is logged in, for people.
pub fn whoami_record(context: &Context) -> Result<Record, Failure> {
    describe(context).map(|whoami| record(&whoami))
}

fn record(whoami: &Whoami) -> Record {
    Record::new()
        .field("Login", &whoami.username)
        .field("Role", whoami.role)
        .maybe("Customer", whoami.customer_id)
        .maybe("Token expires", whoami.expires_at.map(render::moment))
}

/// A password from `variable`, or from the person at the terminal.
pub fn password(variable: &str, question: &str) -> Result<String, Failure> {
    if let Some(password) = std::env::var(variable).ok().filter(|text| !text.is_empty()) {
        return Ok(password);
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage(format!(
            "There is no terminal to ask for the password on: set {variable}."
        )));
    }
    match ask_password(question, None) {
        Ok(password) => Ok(password),
        Err(InquireError::OperationCanceled | InquireError::OperationInterrupted) => {
            Err(Failure::Usage("No password was given.".into()))
        }
        Err(InquireError::NotTTY) => Err(Failure::Usage(format!(
            "There is no terminal to ask for the password on: set {variable}."
        ))),
        Err(error) => Err(Failure::Io(std::io::Error::other(error))),
    }
}

/// A password from the person at the terminal, who sees stars only.
pub fn ask_password(question: &str, help: Option<&str>) -> Result<String, InquireError> {
    tokio::task::block_in_place(|| {
        let mut prompt = inquire::Password::new(question)
            .without_confirmation()
            .with_display_mode(inquire::PasswordDisplayMode::Masked);
        prompt.help_message = help;
        prompt.prompt()
    })
}
