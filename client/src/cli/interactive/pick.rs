//! Choosing a customer or an account.

use std::fmt;

use client::ListQuery;
use types::views::{Account, AccountStatus, Customer};
use types::{AccountId, CustomerId, ParticipantId};

use super::Desk;
use super::prompt::{self, Step};

/// An account as one line of 77 columns.
struct Line {
    account: Account,
    bank: ParticipantId,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Account {
            account_id,
            available_balance,
            currency,
            status,
            ..
        } = &self.account;
        let bank = &self.bank;
        write!(
            f,
            "{account_id} {available_balance:>14} {currency} {status:<6} {bank}"
        )
    }
}

enum Destination {
    Known(Box<Line>),
    ByNumber,
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(line) => line.fmt(f),
            Self::ByNumber => f.write_str("Another account, by its number"),
        }
    }
}

struct Person(Customer);

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name: String = self.0.name.as_str().chars().take(38).collect();
        write!(f, "{} {name}", self.0.customer_id)
    }
}

impl Desk {
    /// A customer, found by search.
    pub(super) async fn pick_customer(&mut self) -> Result<Customer, Step> {
        let search = prompt::optional("Customer's name, e-mail or number:", |typed| {
            if typed.is_empty() {
                Err(String::new())
            } else {
                Ok(typed.to_owned())
            }
        })?;
        let customers = self.context.bank.customers();
        if let Some(id) = search
            .as_ref()
            .and_then(|text| text.parse::<CustomerId>().ok())
        {
            return Ok(customers.show(id).await?.body);
        }
        let list = ListQuery {
            limit: Some(200),
            cursor: None,
        };
        let found = customers.list(search.as_deref(), &list).await?;
        if found.items.is_empty() {
            self.context.out.line("Nobody was found.\n")?;
            return Err(Step::Back);
        }
        let people = found.items.into_iter().map(Person).collect();
        prompt::choose("Customer:", people).map(|person| person.0)
    }

    /// An account: one's own, a customer's, or any by its number.
    pub(super) async fn pick_account(&mut self, question: &str) -> Result<Account, Step> {
        let customer = match self.context.customer() {
            Some(own) => own,
            None => {
                let how = prompt::choose(question, vec![Finding::Customer, Finding::Number])?;
                match how {
                    Finding::Number => return self.account_by_number().await,
                    Finding::Customer => self.pick_customer().await?.customer_id,
                }
            }
        };
        self.account_of(customer, question).await
    }

    /// An account money can go to, which may be anybody's.
    pub(super) async fn pick_destination(&mut self, question: &str) -> Result<AccountId, Step> {
        match self.context.customer() {
            None => Ok(self.pick_account(question).await?.account_id),
            Some(own) => {
                let lines = self.lines(own).await?;
                let known = lines
                    .into_iter()
                    .map(|line| Destination::Known(Box::new(line)));
                let choices = known.chain([Destination::ByNumber]).collect();
                match prompt::choose(question, choices)? {
                    Destination::Known(line) => Ok(line.account.account_id),
                    Destination::ByNumber => ask_number(),
                }
            }
        }
    }

    async fn account_of(&self, customer: CustomerId, question: &str) -> Result<Account, Step> {
        let lines = self.lines(customer).await?;
        if lines.is_empty() {
            self.context.out.line("There are no accounts.\n")?;
            return Err(Step::Back);
        }
        prompt::choose(question, lines).map(|line| line.account)
    }

    async fn account_by_number(&mut self) -> Result<Account, Step> {
        let id = ask_number()?;
        Ok(self.context.bank.account(id).await?.account)
    }

    /// The customer's accounts that are not closed.
    async fn lines(&self, customer: CustomerId) -> Result<Vec<Line>, Step> {
        let merged = self.context.bank.accounts_of(customer).await?;
        if let Some(error) = merged.missing.first() {
            self.context
                .out
                .line(&format!("Accounts may be missing: {error}."))?;
        }
        let open = merged
            .items
            .into_iter()
            .filter(|(account, _)| account.status != AccountStatus::Closed);
        Ok(open.map(|(account, bank)| Line { account, bank }).collect())
    }
}

enum Finding {
    Customer,
    Number,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Customer => "Find it by its customer",
            Self::Number => "Type its number",
        })
    }
}

fn ask_number() -> Result<AccountId, Step> {
    prompt::text(
        "Account number:",
        "36 characters; Esc goes back",
        prompt::parsed,
    )
}
