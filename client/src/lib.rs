//! A typed client of the bank: one method per route, one error type, money that is never a float.
//!
//! [`Bank`] is where to begin. It knows the services, and it merges the banks that
//! transactions-service names into one, so that a caller need not know which bank keeps an
//! account.
//!
//! ```no_run
//! # async fn example() -> Result<(), client::Error> {
//! use client::{Addresses, Bank, Credentials};
//! use types::views::Login;
//!
//! let bank = Bank::new(Addresses::local(0), Credentials::Nobody)?;
//! let login = Login { username: "alice-customer".into(), password: "banking-dev".into() };
//! let tokens = bank.customers().login(&login).await?;
//! let alice = bank.with_credentials(Credentials::Token(tokens.access_token));
//! println!("{:?}", alice.transactions().participants().await?);
//! # Ok(())
//! # }
//! ```

mod accounts;
mod addresses;
mod bank;
mod claims;
mod credentials;
mod customers;
mod demo_views;
mod endpoint;
mod error;
mod list;
mod orders;
mod transactions;

pub use accounts::AccountsService;
pub use addresses::{Addresses, InvalidAddress};
pub use bank::{Bank, Located, Merged, Place};
pub use claims::Claims;
pub use credentials::{Credentials, TokenFuture, TokenSource};
pub use customers::CustomerService;
pub use demo_views::{Failpoint, FailpointAction, FailpointState, UnsafeRun, UnsafeWithdrawal};
pub use endpoint::{Endpoint, Sent};
pub use error::Error;
pub use list::{ListQuery, TransferFilter};
pub use orders::OrdersService;
pub use transactions::TransactionsService;
