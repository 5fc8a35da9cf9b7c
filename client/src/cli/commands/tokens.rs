//! Access tokens for other programs.

use client::Claims;
use serde::Serialize;
use types::Timestamp;
use types::views::{Login, Role};

use super::Listed;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::output::Sheet;
use crate::cli::render;

/// The logins of the development seed data.
pub const SEEDED: [&str; 6] = [
    "alice-customer",
    "bob-customer",
    "carol-customer",
    "tom-teller",
    "ada-admin",
    "max-admin",
];

/// The password all of them have. Public, and refused outside development.
pub const DEVELOPMENT_PASSWORD: &str = "banking-dev";

#[derive(Debug, Serialize)]
struct Shown {
    username: String,
    access_token: String,
    expires_at: Option<Timestamp>,
    claims: Claims,
}

#[derive(Debug, Serialize)]
struct Issued {
    username: &'static str,
    role: Role,
    access_token: String,
    expires_in: u64,
}

pub async fn tokens(context: &Context, all: bool) -> Result<(), Failure> {
    if all {
        return seeded(context).await;
    }
    let (access_token, expires_at) = context.access_token().await?;
    let claims = Claims::read(&access_token).ok_or_else(|| {
        Failure::NotLoggedIn("The session holds no access token. Log in again.".into())
    })?;
    let shown = Shown {
        username: context.username().unwrap_or_default().to_owned(),
        access_token,
        expires_at,
        claims,
    };
    let sheet = Sheet::All(vec![
        render::token(&shown.username, &shown.claims).into(),
        Sheet::Text(format!("export BANKING_TOKEN={}", shown.access_token)),
    ]);
    context.out.show(&shown, sheet)
}

async fn seeded(context: &Context) -> Result<(), Failure> {
    if std::env::var("BANK_ENV").is_ok_and(|env| env == "production") {
        return Err(Failure::Refused(
            "Development tokens are not made where BANK_ENV=production.".into(),
        ));
    }
    let mut issued = Vec::new();
    for username in SEEDED {
        let login = Login {
            username: username.to_owned(),
            password: DEVELOPMENT_PASSWORD.to_owned(),
        };
        let tokens = context.bank.customers().login(&login).await?;
        issued.push(Issued {
            username,
            role: tokens.role,
            access_token: tokens.access_token,
            expires_in: tokens.expires_in,
        });
    }
    let lines = issued.iter().map(|token| {
        let name = token.username.to_ascii_uppercase().replace('-', "_");
        format!("export {name}_TOKEN={}", token.access_token)
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let minutes = issued.first().map_or(0, |token| token.expires_in / 60);
    context
        .out
        .show(&Listed::whole(issued), Sheet::Text(text))?;
    context.out.note(&format!(
        "Valid for {minutes} minutes. To use one: BANKING_TOKEN=$ALICE_CUSTOMER_TOKEN banking-cli accounts"
    ));
    Ok(())
}
