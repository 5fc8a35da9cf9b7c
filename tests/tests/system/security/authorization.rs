//! The matrix against a running bank, and the matrix against what the services say they have.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};
use service_kit::auth::Signer;
use tests::{ACCOUNTS, ACCOUNTS_2, Actor, CUSTOMER, ORDERS, TRANSACTIONS, TestBank, answer};
use uuid::Uuid;

use super::matrix::{CALLERS, MATRIX};
use crate::{orders, seed};

const ALICE: &str = "550e8400-e29b-41d4-a716-446655440001";

/// The name a service goes by in tokens.
fn audience(service: &str) -> &str {
    if service == ACCOUNTS {
        "bank-1"
    } else {
        service
    }
}

/// Everybody in [`CALLERS`], for one service: service tokens are for one audience.
struct Callers {
    people: Vec<Actor>,
    services: Vec<Signer>,
    stranger: String,
}

impl Callers {
    async fn gather(bank: &TestBank) -> Self {
        let people = vec![
            bank.anonymous(),
            bank.alice().await,
            bank.actor("carol-customer").await,
            bank.teller().await,
            bank.admin().await,
        ];
        let mut services = Vec::new();
        for (database, name) in [
            (TRANSACTIONS, TRANSACTIONS),
            (ACCOUNTS_2, "bank-2"),
            (CUSTOMER, CUSTOMER),
        ] {
            let signer = Signer::new(bank.database(database).await, name).await;
            services.push(signer.expect("its key"));
        }
        let admin = people[4].token().expect("a token");
        let stranger = super::tokens::resigned(admin, &[9; 32]);
        Self {
            people,
            services,
            stranger,
        }
    }

    fn at(&self, service: &str) -> Vec<Actor> {
        let nobody = &self.people[0];
        let tokens = self.services.iter().map(|signer| {
            let token = signer.sign_service_token(audience(service));
            nobody.with_token(&token.expect("a token"))
        });
        let stranger = nobody.with_token(&self.stranger);
        let people = self.people.iter().cloned();
        people.chain(tokens).chain([stranger]).collect()
    }
}

/// A path or body with ids in the places of their names.
fn filled(template: &str, transaction: &str, order: &str) -> String {
    let fresh = Uuid::now_v7().to_string();
    let mut text = template.to_owned();
    for (name, value) in [
        ("{id}", ALICE),
        ("{customer_id}", ALICE),
        ("{account_id}", seed::ALICE),
        ("{transaction_id}", transaction),
        ("{resolution_id}", &fresh),
        ("{saga_id}", &fresh),
        ("{participant_id}", "bank-1"),
        ("{reconciliation_id}", &fresh),
        ("{product_id}", orders::COIN),
        ("{order_id}", order),
        ("$COIN", orders::COIN),
        ("{name}", "nowhere"),
        ("$UNIQUE", &format!("u-{}", Uuid::new_v4().simple())),
        ("$ROLE", "teller"),
        ("$ALICES_ACCOUNT", seed::ALICE),
        ("$BOBS_ACCOUNT", seed::BOB),
        ("$ALICE", ALICE),
        ("$NEW_ID", &fresh),
        ("$OTHER_ID", &Uuid::now_v7().to_string()),
    ] {
        text = text.replace(name, value);
    }
    assert!(
        !text.contains('$'),
        "nothing is known of a name in {template}"
    );
    text
}

#[tokio::test]
async fn every_route_lets_in_whom_it_should_and_nobody_else() {
    let bank = TestBank::start_with(|mut options| {
        options.banks = 2;
        options.orders = true;
        options
    })
    .await;
    let callers = Callers::gather(&bank).await;
    let done = callers.people[1]
        .transfer(seed::ALICE, seed::BOB, "5", "seen")
        .await
        .unwrap()
        .expect(201);
    let transaction = done["transaction_id"].as_str().unwrap();
    let bought = orders::buy_one(&bank, &callers.people[1]).await;
    let order = bought["order_id"].as_str().unwrap();
    let mut wrong = Vec::new();
    for (service, method, path, body, expected) in MATRIX {
        let url = format!("{}{}", bank.url(service), filled(path, transaction, order));
        for ((caller, who), status) in callers.at(service).iter().zip(CALLERS).zip(expected) {
            let mut request = caller.request(method.parse().unwrap(), &url);
            if !body.is_empty() {
                let body: Value = serde_json::from_str(&filled(body, transaction, order)).unwrap();
                request = request.json(&body);
            }
            let reply = answer(request).await.unwrap();
            if reply.status.as_u16() != *status {
                wrong.push(format!(
                    "{service} {method} {path} as {who}: {} and not {status}: {}",
                    reply.status, reply.body
                ));
            }
            if reply.status == 401 && !reply.header("www-authenticate").starts_with("Bearer") {
                wrong.push(format!(
                    "{service} {method} {path}: 401 without a challenge"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    bank.settles().await;
    bank.stop().await;
}

#[tokio::test]
async fn a_batch_of_transfers_from_another_customers_account_moves_nothing() {
    let bank = TestBank::start().await;
    let carol = bank.actor("carol-customer").await;
    let theft = json!({"source_account_id": seed::ALICE, "destination_account_id": seed::CAROL,
        "amount": "1"});
    for linked in [false, true] {
        let key = format!("theft-{linked}");
        let reply = carol
            .batch(std::slice::from_ref(&theft), linked, &key)
            .await
            .unwrap();
        let result = &reply.body["results"][0];
        assert_eq!(result["code"], "account_not_found", "{}", reply.body);
        assert_eq!(result["status"], "aborted");
    }
    let account = bank.teller().await;
    let account = account
        .get_accounts(&format!("/accounts/{}", seed::ALICE))
        .await
        .expect(200);
    assert_eq!(account["balance"], "1000.00");
    assert_eq!(account["pending_debits"], "0.00", "and no hold");
    bank.settles().await;
    bank.stop().await;
}

/// The documents are written by the router itself, and the tidy test refuses routes that are added
/// past it: what is not in a document cannot be reached.
#[tokio::test]
async fn no_route_is_missing_in_the_matrix_and_none_of_it_is_gone() {
    let bank = TestBank::start_with_orders().await;
    let nobody = bank.anonymous();
    let mut documented = BTreeSet::new();
    let mut guarded: BTreeMap<(String, String, String), bool> = BTreeMap::new();
    for service in [CUSTOMER, ACCOUNTS, TRANSACTIONS, ORDERS] {
        let url = format!("{}/openapi.json", bank.url(service));
        let document = nobody.send(Method::GET, &url, None, None).await.unwrap();
        let document = document.expect(200);
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let route = (service.to_owned(), method.to_uppercase(), path.clone());
                guarded.insert(route.clone(), operation["security"].is_array());
                documented.insert(route);
            }
        }
    }
    let tested: BTreeSet<_> = MATRIX
        .iter()
        .map(|(service, method, path, ..)| {
            (
                (*service).to_owned(),
                (*method).to_owned(),
                (*path).to_owned(),
            )
        })
        .collect();
    let missing: Vec<_> = documented.difference(&tested).collect();
    assert!(missing.is_empty(), "in no row of the matrix: {missing:#?}");
    let gone: Vec<_> = tested.difference(&documented).collect();
    assert!(gone.is_empty(), "in the matrix and nowhere else: {gone:#?}");

    // A route that needs a token says so in the document, and no other does.
    for (service, method, path, _, expected) in MATRIX {
        let route = (
            (*service).to_owned(),
            (*method).to_owned(),
            (*path).to_owned(),
        );
        // A refresh token stands in the body, and a bad one is 401 too.
        let needs_a_token = expected[0] == 401 && *path != "/auth/refresh";
        assert_eq!(
            guarded[&route], needs_a_token,
            "{method} {path} of {service}"
        );
    }
    bank.stop().await;
}
