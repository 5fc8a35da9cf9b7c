//! Whether the services are up.

use client::Endpoint;
use futures_util::future::join_all;

use super::Listed;
use crate::cli::context::{Context, Identity};
use crate::cli::failure::Failure;
use crate::cli::render::{self, ServiceHealth};

pub async fn health(context: &Context) -> Result<(), Failure> {
    let services = all(context).await;
    let unwell: Vec<_> = services
        .iter()
        .filter(|service| !service.is_ready())
        .map(|service| service.service.clone())
        .collect();
    let table = render::services(&services);
    context.out.show(&Listed::whole(services), table)?;
    if unwell.is_empty() {
        return Ok(());
    }
    Err(Failure::Incomplete(format!(
        "Not ready: {}.",
        unwell.join(", ")
    )))
}

/// Every service's own word on itself. The list of banks needs a login; without one the first
/// bank, whose address is known, stands for all.
pub async fn all(context: &Context) -> Vec<ServiceHealth> {
    let bank = &context.bank;
    let known = match context.identity {
        Identity::Nobody => None,
        Identity::Token(..) | Identity::Session(..) => bank.banks().await.ok(),
    };
    let banks = match known {
        Some(banks) => banks.to_vec(),
        None => vec![bank.first_bank()],
    };
    let mut endpoints = vec![bank.customers().endpoint()];
    endpoints.extend(banks.iter().map(client::AccountsService::endpoint));
    endpoints.push(bank.transactions().endpoint());
    endpoints.push(bank.orders().endpoint());
    join_all(endpoints.into_iter().map(one)).await
}

async fn one(endpoint: &Endpoint) -> ServiceHealth {
    let health = endpoint.health().await;
    let readiness = match health {
        Ok(_) => Some(endpoint.ready().await),
        Err(_) => None,
    };
    let mut service = ServiceHealth {
        service: endpoint.service().to_owned(),
        url: endpoint.url().to_owned(),
        health: None,
        readiness: None,
        error: None,
    };
    match (health, readiness) {
        (Err(error), _) => service.error = Some(words(&error)),
        (Ok(health), readiness) => {
            service.health = Some(health);
            match readiness {
                Some(Ok(readiness)) => service.readiness = Some(readiness),
                Some(Err(error)) => service.error = Some(words(&error)),
                None => {}
            }
        }
    }
    service
}

/// Without the service's name and address, which stand beside it.
fn words(error: &client::Error) -> String {
    match error {
        client::Error::Unreachable { reason, url, .. } => format!("{reason} ({url})"),
        other => other.to_string(),
    }
}
