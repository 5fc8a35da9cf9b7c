//! Menus: everything with arrow keys.
//!
//! Every question can be left with Esc, which goes back to the menu before it; Ctrl-C leaves the
//! program. What the bank refuses is said in words and the menu comes back.

mod accounts;
mod customers;
mod history;
mod login;
mod menu;
mod money;
mod operations;
mod orders;
mod pick;
pub mod prompt;

use std::io::IsTerminal;

use super::context::{Context, Identity};
use super::failure::{Exit, Failure};
use super::table::Tone;
use menu::Choice;
use prompt::Step;

/// Whoever sits before the menus.
struct Desk {
    context: Context,
    /// The session is ours, not the session file's: it ends with us.
    own: bool,
}

/// Shows menus until the person leaves.
pub async fn run(context: Context) -> Result<(), Failure> {
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if !terminal {
        return Err(Failure::Usage(
            "Menus need a terminal. Every command works without one: banking-cli --help".into(),
        ));
    }
    if context.out.is_json() {
        return Err(Failure::Usage(
            "Menus are for people: --output table.".into(),
        ));
    }
    let mut desk = Desk {
        context,
        own: false,
    };
    desk.greet()?;
    let result = desk.serve().await;
    if desk.own {
        desk.context.revoke().await;
    }
    result
}

impl Desk {
    fn greet(&self) -> Result<(), Failure> {
        let out = &self.context.out;
        out.line(&out.painted("The bank", Tone::Plain))?;
        out.line("Arrow keys choose, Enter takes, Esc goes back, Ctrl-C leaves.\n")
    }

    async fn serve(&mut self) -> Result<(), Failure> {
        loop {
            let question = self.question();
            let choices = menu::main(self.context.role());
            let choice = match prompt::choose(&question, choices) {
                Ok(choice) => choice,
                Err(Step::Failed(failure)) => return Err(failure),
                Err(Step::Back | Step::Quit) => return Ok(()),
            };
            if choice == Choice::Leave {
                return Ok(());
            }
            match self.perform(choice).await {
                Ok(()) | Err(Step::Back) => {}
                Err(Step::Quit) => return Ok(()),
                Err(Step::Failed(failure)) if failure.is_broken_pipe() => return Ok(()),
                Err(Step::Failed(failure)) => self.complain(&failure)?,
            }
        }
    }

    fn question(&self) -> String {
        match (&self.context.identity, self.context.username()) {
            (Identity::Nobody, _) | (_, None) => "Nobody is logged in:".to_owned(),
            (_, Some(name)) => {
                let role = self.context.role().map(|role| format!(" ({role})"));
                format!("{name}{}:", role.unwrap_or_default())
            }
        }
    }

    async fn perform(&mut self, choice: Choice) -> Result<(), Step> {
        match choice {
            Choice::LogIn => self.log_in().await,
            Choice::LogOut => self.log_out().await,
            Choice::Health => self.health().await,
            Choice::MyAccounts => self.my_accounts().await,
            Choice::Profile => self.profile().await,
            Choice::Transfer => self.transfer().await,
            Choice::Deposit => self.cash(true).await,
            Choice::Withdraw => self.cash(false).await,
            Choice::History => self.history().await,
            Choice::Statement => self.statement().await,
            Choice::Products => self.products().await,
            Choice::Buy => self.buy().await,
            Choice::Orders => self.orders().await,
            Choice::CancelOrder => self.cancel_order().await,
            Choice::ChangeStock => self.change_stock().await,
            Choice::Open => self.open_account().await,
            Choice::Show => self.show_account().await,
            Choice::ChangeStatus => self.change_status().await,
            Choice::FindCustomer => self.find_customer().await,
            Choice::CreateCustomer => self.create_customer().await,
            Choice::CreateLogin => self.create_login().await,
            Choice::InDoubt => self.in_doubt().await,
            Choice::LedgerCheck => self.ledger_check().await,
            Choice::RotateKeys => self.rotate_keys().await,
            Choice::Demo(demo) => self.demonstrate(demo).await,
            Choice::Submenu(title, choices) => loop {
                let choice = prompt::choose(&format!("{title}:"), choices.to_vec())?;
                match Box::pin(self.perform(choice)).await {
                    Ok(()) | Err(Step::Back) => {}
                    Err(Step::Failed(failure)) if !failure.is_broken_pipe() => {
                        self.complain(&failure)?;
                    }
                    Err(step) => return Err(step),
                }
            },
            Choice::Leave => Err(Step::Quit),
        }
    }

    /// Says what went wrong. A session that has ended is forgotten, so that the menu offers to log
    /// in again.
    fn complain(&mut self, failure: &Failure) -> Result<(), Failure> {
        let out = &self.context.out;
        out.line(&out.painted(&failure.words(), Tone::Bad))?;
        out.line("")?;
        if failure.exit() == Exit::NotLoggedIn {
            self.context = self.context.logged_out();
            self.own = false;
        }
        Ok(())
    }
}
