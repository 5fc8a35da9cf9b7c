//! Logging in as different people.

use std::fmt;

use super::Desk;
use super::prompt::{self, Step};
use crate::cli::commands::{self, SEEDED};
use crate::cli::render;

const HELP: &str = "Esc goes back";

const SEEDED_HELP: &str = "banking-dev in development; Esc goes back";

/// Whom to log in as.
enum Whom {
    Seeded(&'static str),
    Other,
}

impl fmt::Display for Whom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Seeded(name) => name,
            Self::Other => "Somebody else",
        })
    }
}

impl Desk {
    pub(super) async fn log_in(&mut self) -> Result<(), Step> {
        let development = !std::env::var("BANK_ENV").is_ok_and(|env| env == "production");
        let (username, help) = match development {
            true => {
                let seeded = SEEDED.into_iter().map(Whom::Seeded);
                let whom = prompt::choose("Log in as:", seeded.chain([Whom::Other]).collect())?;
                match whom {
                    Whom::Seeded(name) => (name.to_owned(), SEEDED_HELP),
                    Whom::Other => (ask_username()?, HELP),
                }
            }
            false => (ask_username()?, HELP),
        };
        let password = prompt::password(&format!("Password of {username}:"), help)?;
        let fresh = self.context.logged_in_as(&username, &password).await?;
        if self.own {
            self.context.revoke().await;
        }
        self.context = fresh;
        self.own = true;
        self.context
            .out
            .sheet(commands::whoami_record(&self.context)?)?;
        self.context.out.line("")?;
        Ok(())
    }

    /// Logs out and straight in again as somebody else. The session file keeps its session.
    pub(super) async fn log_out(&mut self) -> Result<(), Step> {
        let before = self.context.username().map(str::to_owned);
        self.log_in().await?;
        if before.as_deref() == self.context.username() {
            self.context.out.line("The same user as before.\n")?;
        }
        Ok(())
    }

    pub(super) async fn health(&mut self) -> Result<(), Step> {
        let services = commands::health_of_all(&self.context).await;
        self.context.out.sheet(render::services(&services))?;
        self.context.out.line("")?;
        Ok(())
    }
}

fn ask_username() -> Result<String, Step> {
    prompt::text("User name:", "Esc goes back", |typed| match typed {
        "" => Err("A user name, please.".to_owned()),
        name => Ok(name.to_owned()),
    })
}
