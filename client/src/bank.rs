//! All services together, and all banks as one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join_all;
use tokio::sync::OnceCell;
use types::views::{Account, ParticipantView};
use types::{AccountId, Code, CustomerId, ParticipantId};

use crate::endpoint::connections;
use crate::{
    AccountsService, Addresses, Credentials, CustomerService, Endpoint, Error, InvalidAddress,
    ListQuery, OrdersService, TransactionsService,
};

/// The largest page the services give.
const PAGE: u32 = 200;

/// The bank as one caller sees it. Cheap to clone; clones share connections and what was learnt.
#[derive(Debug, Clone)]
pub struct Bank {
    addresses: Addresses,
    customers: CustomerService,
    transactions: TransactionsService,
    orders: OrdersService,
    banks: Arc<OnceCell<Vec<AccountsService>>>,
    /// Which bank keeps an account. An account never moves, so this is never wrong.
    homes: Arc<Mutex<HashMap<AccountId, ParticipantId>>>,
}

/// An account, and the bank that keeps it.
#[derive(Debug, Clone)]
pub struct Located {
    /// The account.
    pub account: Account,
    /// Its bank.
    pub bank: AccountsService,
}

/// How somebody names a bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// By its address.
    Url(String),
    /// By its name.
    Named(ParticipantId),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Url(url) => f.write_str(url),
            Self::Named(name) => name.fmt(f),
        }
    }
}

impl std::str::FromStr for Place {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        match text.parse() {
            Ok(name) => Ok(Self::Named(name)),
            Err(_) => crate::addresses::checked(text).map(Self::Url),
        }
    }
}

/// What the banks that answered have, and why the others are missing.
#[derive(Debug, Clone)]
pub struct Merged<T> {
    /// In the order of the banks.
    pub items: Vec<T>,
    /// One error per bank that did not answer: the items are not all there are.
    pub missing: Vec<Error>,
}

impl Bank {
    /// The bank at `addresses`. Connects to nothing yet.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when an address needs TLS and this machine has no certificates.
    pub fn new(addresses: Addresses, credentials: Credentials) -> Result<Self, Error> {
        let http = connections(addresses.any_secure()).map_err(|error| Error::Unreachable {
            service: "the bank".to_owned(),
            url: addresses.customers().to_owned(),
            reason: error.to_string(),
            maybe_delivered: false,
        })?;
        Ok(Self::over(http, addresses, credentials))
    }

    /// The same bank for another caller.
    #[must_use]
    pub fn with_credentials(&self, credentials: Credentials) -> Self {
        let http = self.customers.endpoint().http();
        Self::over(http, self.addresses.clone(), credentials)
    }

    fn over(http: reqwest::Client, addresses: Addresses, credentials: Credentials) -> Self {
        let customers = Endpoint::sharing(
            http.clone(),
            "customer-service",
            addresses.customers(),
            credentials.clone(),
        );
        let transactions = Endpoint::sharing(
            http.clone(),
            "transactions-service",
            addresses.transactions(),
            credentials.clone(),
        );
        let orders = Endpoint::sharing(http, "orders-service", addresses.orders(), credentials);
        Self {
            addresses,
            customers: CustomerService(customers),
            transactions: TransactionsService(transactions),
            orders: OrdersService(orders),
            banks: Arc::default(),
            homes: Arc::default(),
        }
    }

    /// Where the services are.
    #[must_use]
    pub const fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// customer-service.
    #[must_use]
    pub const fn customers(&self) -> &CustomerService {
        &self.customers
    }

    /// transactions-service.
    #[must_use]
    pub const fn transactions(&self) -> &TransactionsService {
        &self.transactions
    }

    /// orders-service.
    #[must_use]
    pub const fn orders(&self) -> &OrdersService {
        &self.orders
    }

    /// The first bank's accounts-service, whose address is configured and so is known even when
    /// transactions-service is down.
    #[must_use]
    pub fn first_bank(&self) -> AccountsService {
        let name = "bank-1"
            .to_owned()
            .try_into()
            .expect("a legal participant name");
        self.service_of(name, self.addresses.accounts().to_owned())
    }

    /// Every bank's accounts-service, asked of transactions-service once.
    ///
    /// # Errors
    /// As [`TransactionsService::participants`].
    pub async fn banks(&self) -> Result<&[AccountsService], Error> {
        let banks = self.banks.get_or_try_init(|| async {
            let mut views = self.transactions.participants().await?;
            views.sort_by(|a, b| a.participant_id.cmp(&b.participant_id));
            let services = views.into_iter().enumerate();
            Ok(services.map(|(n, view)| self.placed(n, view)).collect())
        });
        banks.await.map(Vec::as_slice)
    }

    /// The bank `name`.
    ///
    /// # Errors
    /// As [`Bank::banks`]; `None` when there is no such bank.
    pub async fn bank(&self, name: &ParticipantId) -> Result<Option<AccountsService>, Error> {
        let banks = self.banks().await?;
        Ok(banks.iter().find(|b| b.participant() == name).cloned())
    }

    /// The bank at `place`, found without the coordinator where that is possible: a URL, a bank of
    /// the configuration, or the first one. Only for another name is transactions-service asked.
    ///
    /// # Errors
    /// As [`Bank::banks`]; `None` when there is no such bank.
    pub async fn at(&self, place: &Place) -> Result<Option<AccountsService>, Error> {
        let name = match place {
            Place::Url(url) => {
                let unnamed = self.first_bank().participant;
                return Ok(Some(self.service_of(unnamed, url.clone())));
            }
            Place::Named(name) => name,
        };
        let first = self.first_bank();
        if let Some(url) = self.addresses.bank(name) {
            return Ok(Some(self.service_of(name.clone(), url.to_owned())));
        }
        if first.participant() == name {
            return Ok(Some(first));
        }
        self.bank(name).await
    }

    /// The first bank is where the caller's configuration says, because that is reachable from
    /// here; the coordinator may know it by a name that only means something inside its network.
    fn placed(&self, position: usize, view: ParticipantView) -> AccountsService {
        let url = match self.addresses.bank(&view.participant_id) {
            Some(url) => url.to_owned(),
            None if position == 0 => self.addresses.accounts().to_owned(),
            None => view.url,
        };
        self.service_of(view.participant_id, url)
    }

    fn service_of(&self, participant: ParticipantId, url: String) -> AccountsService {
        let endpoint = self.customers.endpoint();
        let name = format!("accounts-service ({participant})");
        AccountsService {
            endpoint: Endpoint::sharing(
                endpoint.http(),
                &name,
                &url,
                endpoint.credentials().clone(),
            ),
            participant,
        }
    }

    /// The account, wherever it is. Asks every bank the first time, later the right one.
    ///
    /// # Errors
    /// `account_not_found` only when every bank has said so; a bank that cannot be reached might
    /// be the one, so that is the error then.
    pub async fn account(&self, id: AccountId) -> Result<Located, Error> {
        let banks = self.banks().await?;
        let home = self.remembered(id);
        if let Some(bank) = home.and_then(|home| banks.iter().find(|b| *b.participant() == home)) {
            let account = bank.show(id).await?;
            let bank = bank.clone();
            return Ok(Located { account, bank });
        }
        let mut failure = None;
        for (bank, answer) in banks
            .iter()
            .zip(join_all(banks.iter().map(|b| b.show(id))).await)
        {
            match answer {
                Ok(account) => {
                    self.remember(id, bank.participant());
                    let bank = bank.clone();
                    return Ok(Located { account, bank });
                }
                Err(error) if is_absence(&error) => {
                    failure.get_or_insert(error);
                }
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(|| self.no_banks()))
    }

    /// The customer's accounts at all banks.
    ///
    /// # Errors
    /// When a bank refuses, or the list of banks cannot be had.
    pub async fn accounts_of(
        &self,
        customer: CustomerId,
    ) -> Result<Merged<(Account, ParticipantId)>, Error> {
        let banks = self.banks().await?;
        let lists = join_all(banks.iter().map(|bank| all_accounts(bank, customer))).await;
        let mut merged = Merged {
            items: Vec::new(),
            missing: Vec::new(),
        };
        for (bank, list) in banks.iter().zip(lists) {
            match list {
                Ok(accounts) => {
                    for account in accounts {
                        self.remember(account.account_id, bank.participant());
                        merged.items.push((account, bank.participant().clone()));
                    }
                }
                Err(refusal @ Error::Refused(_)) => return Err(refusal),
                Err(error) => merged.missing.push(error),
            }
        }
        Ok(merged)
    }

    fn remembered(&self, id: AccountId) -> Option<ParticipantId> {
        let homes = self.homes.lock().unwrap_or_else(PoisonError::into_inner);
        homes.get(&id).cloned()
    }

    fn remember(&self, id: AccountId, bank: &ParticipantId) {
        let mut homes = self.homes.lock().unwrap_or_else(PoisonError::into_inner);
        homes.insert(id, bank.clone());
    }

    fn no_banks(&self) -> Error {
        let endpoint = self.transactions.endpoint();
        Error::Unexpected {
            service: endpoint.service().to_owned(),
            url: endpoint.url().to_owned(),
            reason: "it names no bank at all".to_owned(),
        }
    }
}

fn is_absence(error: &Error) -> bool {
    matches!(error.code(), Some(Code::AccountNotFound | Code::NotFound))
}

async fn all_accounts(bank: &AccountsService, customer: CustomerId) -> Result<Vec<Account>, Error> {
    let mut list = ListQuery {
        limit: Some(PAGE),
        cursor: None,
    };
    let mut accounts = Vec::new();
    loop {
        let page = bank.of_customer(customer, &list).await?;
        accounts.extend(page.items);
        match page.next_cursor {
            Some(cursor) => list.cursor = Some(cursor),
            None => return Ok(accounts),
        }
    }
}
