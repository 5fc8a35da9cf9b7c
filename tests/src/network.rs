//! A bank whose processes reach each other and their databases only through links of the test.

use std::collections::BTreeMap;
use std::sync::Arc;

use stack::options::Ports;
use stack::topology::{Kind, Service, Topology};
use stack::{DatabaseRoute, Options, PortLease};

use crate::proxy::{Flow, Proxy};
use crate::{ACCOUNTS, TRANSACTIONS, TestBank};

/// The other end of a link from a service to its database.
pub const DATABASE: &str = "database";

/// All links of one bank, each by its two ends: from [`TRANSACTIONS`] to [`ACCOUNTS`], say.
#[derive(Clone, Default)]
pub struct Network {
    links: BTreeMap<(String, String), Proxy>,
}

impl Network {
    /// Puts links between the processes of a bank that is about to start.
    ///
    /// # Panics
    /// When there are no ports.
    pub(crate) fn between(mut options: Options) -> (Self, Options) {
        let lease =
            PortLease::take(options.banks, options.coordinators, options.orders).expect("ports");
        let topology = Topology {
            banks: options.banks,
            coordinators: options.coordinators,
            orders: options.orders,
            port_offset: lease.offset(),
            settings: options.settings.clone(),
        };
        let services = topology.services(&options.data_dir).expect("services");
        options.ports = Ports::Leased(Arc::new(lease));
        let mut network = Self::default();
        for service in &services {
            network.add(&service.name, DATABASE, None);
            for (_, name) in &service.beside {
                network.add(name, DATABASE, None);
            }
            options = network.settings(service, &services, options);
        }
        let links = network.links.clone();
        options.database_route = Some(DatabaseRoute::new(move |process, server| {
            let link = &links[&(process.to_owned(), DATABASE.to_owned())];
            link.lead_to(server);
            link.port()
        }));
        (network, options)
    }

    fn add(&mut self, from: &str, to: &str, server: Option<&str>) -> &Proxy {
        let ends = (from.to_owned(), to.to_owned());
        self.links
            .entry(ends)
            .or_insert_with(|| Proxy::start(server))
    }

    /// Tells one service the links instead of the addresses of the others.
    fn settings(&mut self, service: &Service, all: &[Service], options: Options) -> Options {
        let mut url = |other: &Service| {
            let server = format!("127.0.0.1:{}", other.port);
            self.add(&service.name, &other.name, Some(&server)).url()
        };
        let mut of_kind = |kind: Kind| -> Vec<(u16, String)> {
            let others = all.iter().filter(|other| other.kind == kind);
            others
                .filter(|other| other.name != service.name)
                .map(|other| (other.number, url(other)))
                .collect()
        };
        let named = |banks: Vec<(u16, String)>| -> String {
            let banks: Vec<_> = banks
                .into_iter()
                .map(|(number, url)| format!("bank-{number}={url}"))
                .collect();
            banks.join(",")
        };
        let name = &service.name;
        match service.kind {
            Kind::Customer => options,
            Kind::Accounts => {
                let coordinators: Vec<_> = of_kind(Kind::Transactions)
                    .into_iter()
                    .map(|(_, url)| url)
                    .collect();
                options
                    .setting_for(name, "ACCOUNTS_COORDINATOR_URLS", coordinators.join(","))
                    .setting_for(name, "ACCOUNTS_PEERS", named(of_kind(Kind::Accounts)))
            }
            Kind::Transactions => options.setting_for(
                name,
                "TRANSACTIONS_PARTICIPANTS",
                named(of_kind(Kind::Accounts)),
            ),
            Kind::Orders => {
                let coordinators: Vec<_> = of_kind(Kind::Transactions)
                    .into_iter()
                    .map(|(_, url)| url)
                    .collect();
                options.setting_for(name, "ORDERS_TRANSACTIONS_URLS", coordinators.join(","))
            }
        }
    }

    /// The link by which `from` reaches `to`, a process or [`DATABASE`].
    ///
    /// # Panics
    /// When these two do not talk.
    #[must_use]
    pub fn link(&self, from: &str, to: &str) -> &Proxy {
        let ends = (from.to_owned(), to.to_owned());
        let link = self.links.get(&ends);
        link.unwrap_or_else(|| panic!("{from} does not talk to {to}"))
    }

    /// All links, with their ends.
    pub fn links(&self) -> impl Iterator<Item = (&str, &str, &Proxy)> {
        let links = self.links.iter();
        links.map(|((from, to), link)| (from.as_str(), to.as_str(), link))
    }

    /// The links between processes that move money: coordinators and banks, in both directions.
    pub fn between_services(&self) -> impl Iterator<Item = (&str, &str, &Proxy)> {
        let moves_money = |name: &str| name.starts_with(ACCOUNTS) || name.starts_with(TRANSACTIONS);
        self.links()
            .filter(move |(from, to, _)| moves_money(from) && moves_money(to))
    }

    /// Cuts a process off from all others; it keeps its database.
    pub fn isolate(&self, name: &str) {
        self.between_services()
            .filter(|(from, to, _)| *from == name || *to == name)
            .for_each(|(_, _, link)| link.cut());
    }

    /// Nothing that others say reaches this process any more, nor their answers; what it says
    /// reaches them. With `false` the other way round.
    pub fn deaf(&self, name: &str, deaf: bool) {
        for (from, to, link) in self.between_services() {
            match (from == name, to == name) {
                (true, _) if deaf => link.back(Flow::Lose),
                (true, _) => link.there(Flow::Lose),
                (_, true) if deaf => link.there(Flow::Lose),
                (_, true) => link.back(Flow::Lose),
                _ => {}
            }
        }
    }

    /// All is well everywhere.
    pub fn heal(&self) {
        self.links.values().for_each(Proxy::heal);
    }
}

impl TestBank {
    /// A bank whose processes reach each other and their databases only through the links of
    /// [`network`](Self::network). Clients and the test itself reach them directly.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_with_proxies(change: impl FnOnce(Options) -> Options) -> Self {
        let mut network = None;
        let mut bank = Self::start_with(|options| {
            let (links, options) = Network::between(change(options));
            network = Some(links);
            options
        })
        .await;
        bank.network = network;
        bank
    }

    /// The links of a bank that was started with some.
    ///
    /// # Panics
    /// When it was not.
    #[must_use]
    pub fn network(&self) -> &Network {
        self.network.as_ref().expect("started with proxies")
    }
}
