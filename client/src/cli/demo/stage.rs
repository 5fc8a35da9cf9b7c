//! Who takes part in the demonstrations, and accounts of their own.
//!
//! The seeded customers are left alone: a demo customer owns the accounts, which are emptied and
//! closed when the curtain falls.

use std::sync::{Mutex, PoisonError};

use client::{AccountsService, ListQuery, Located, Sent};
use types::views::{
    Account, AccountStatus, Cash, ContactInfo, CreateCustomer, Locking, OpenAccount, PatchAccount,
    Protocol, TransferRequest, TransferView,
};
use types::{AccountId, Code, Currency, CustomerId, DecimalText, Text};

use crate::cli::commands::{DEVELOPMENT_PASSWORD, insist, own_key};
use crate::cli::context::Context;
use crate::cli::failure::Failure;

const TELLER: &str = "tom-teller";
const ADMIN: &str = "ada-admin";
const CUSTOMER: &str = "Demo Customer";

/// Actors and props.
pub struct Stage {
    pub teller: Context,
    customer: CustomerId,
    opened: Mutex<Vec<(AccountId, AccountsService)>>,
}

impl Stage {
    /// Logs in the teller and finds or makes the demo customer.
    pub async fn set(context: &Context) -> Result<Self, Failure> {
        let teller = log_in(context, TELLER).await?;
        let customer = demo_customer(&teller).await?;
        Ok(Self {
            teller,
            customer,
            opened: Mutex::default(),
        })
    }

    /// Whose the accounts are.
    pub const fn customer(&self) -> CustomerId {
        self.customer
    }

    /// Somebody who may do everything.
    pub async fn admin(&self) -> Result<Context, Failure> {
        log_in(&self.teller, ADMIN).await
    }

    pub async fn banks(&self) -> Result<&[AccountsService], Failure> {
        Ok(self.teller.bank.banks().await?)
    }

    /// Opens an account with `opening` on it at the `n`th bank, or the last there is.
    pub async fn open(
        &self,
        opening: &str,
        locking: Locking,
        n: usize,
    ) -> Result<AccountId, Failure> {
        let banks = self.banks().await?;
        let bank = banks.get(n).or(banks.last()).cloned();
        let bank = bank.ok_or_else(|| Failure::Refused("There is no bank.".into()))?;
        let zero = opening == "0";
        let request = OpenAccount {
            customer_id: self.customer,
            currency: usd(),
            opening_balance: (!zero).then(|| DecimalText::from(opening.to_owned())),
            locking: Some(locking),
            overdraft_limit: None,
        };
        let key = own_key();
        let account = insist(&key, || bank.open(&request, Some(&key))).await?;
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.push((account.account_id, bank));
        Ok(account.account_id)
    }

    pub async fn account(&self, id: AccountId) -> Result<Account, Failure> {
        let Located { account, .. } = self.teller.bank.account(id).await?;
        Ok(account)
    }

    /// One transfer under a key of its own, repeated while its outcome is unknown.
    pub async fn transfer(
        &self,
        from: AccountId,
        to: AccountId,
        amount: &str,
        description: &str,
    ) -> Result<Sent<TransferView>, Failure> {
        self.send(&request(from, to, amount, description)).await
    }

    /// One transfer by this protocol, as [`Stage::transfer`] in all else.
    pub async fn transfer_by(
        &self,
        protocol: Protocol,
        from: AccountId,
        to: AccountId,
        amount: &str,
        description: &str,
    ) -> Result<Sent<TransferView>, Failure> {
        let request = TransferRequest {
            protocol: Some(protocol),
            ..request(from, to, amount, description)
        };
        self.send(&request).await
    }

    async fn send(&self, request: &TransferRequest) -> Result<Sent<TransferView>, Failure> {
        let key = own_key();
        let service = self.teller.bank.transactions();
        insist(&key, || service.transfer(request, Some(&key))).await
    }

    /// Empties and closes what was opened. Best effort: an account that is left over belongs to
    /// the demo customer and bothers nobody.
    pub async fn clear(&self) {
        let opened = {
            let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *opened)
        };
        for (id, bank) in opened {
            let Ok(account) = bank.show(id).await else {
                continue;
            };
            if !account.available_balance.is_zero() {
                let cash = Cash {
                    amount: DecimalText::from(account.available_balance.to_string()),
                    description: Text::try_from("end of the demonstration".to_owned()).ok(),
                };
                let _ = bank.withdraw(id, &cash, Some(&own_key())).await;
            }
            let patch = PatchAccount {
                status: Some(AccountStatus::Closed),
                overdraft_limit: None,
            };
            let _ = bank.patch(id, &patch).await;
        }
        self.teller.revoke().await;
    }
}

/// A transfer between two accounts.
pub fn request(from: AccountId, to: AccountId, amount: &str, description: &str) -> TransferRequest {
    TransferRequest {
        source_account_id: Some(from),
        destination_account_id: Some(to),
        amount: Some(DecimalText::from(amount.to_owned())),
        legs: None,
        description: Text::try_from(description.to_owned()).ok(),
        protocol: None,
    }
}

/// What became of a transfer, in a word: `committed`, or the code of the refusal.
pub fn outcome(result: &Result<Sent<TransferView>, Failure>) -> String {
    match result {
        Ok(sent) => sent.body.status.to_string(),
        Err(Failure::Bank(error)) => error
            .code()
            .map_or_else(|| "unreachable".to_owned(), |code| code.to_string()),
        Err(_) => "unknown".to_owned(),
    }
}

fn usd() -> Currency {
    "USD".parse().expect("three letters")
}

async fn log_in(context: &Context, username: &str) -> Result<Context, Failure> {
    let login = context.logged_out();
    match login.logged_in_as(username, DEVELOPMENT_PASSWORD).await {
        Err(Failure::Bank(error)) if error.code() == Some(Code::InvalidCredentials) => {
            Err(Failure::Refused(format!(
                "The demonstrations need a development bank with its seed data: {username} cannot \
                 log in here."
            )))
        }
        other => other,
    }
}

async fn demo_customer(teller: &Context) -> Result<CustomerId, Failure> {
    let customers = teller.bank.customers();
    let found = customers
        .list(Some(CUSTOMER), &ListQuery::default())
        .await?;
    let known = found
        .items
        .into_iter()
        .find(|c| c.name.as_str() == CUSTOMER);
    if let Some(customer) = known {
        return Ok(customer.customer_id);
    }
    let text = |text: &str| Failure::Usage(format!("{text} cannot be a customer"));
    let customer = CreateCustomer {
        name: Text::try_from(CUSTOMER.to_owned()).map_err(|_| text(CUSTOMER))?,
        address: Text::try_from("1 Stage Door".to_owned()).map_err(|_| text(CUSTOMER))?,
        contact_info: ContactInfo {
            email: Text::try_from("demo@example.com".to_owned()).ok(),
            phone: None,
        },
    };
    Ok(customers.create(&customer).await?.customer_id)
}
