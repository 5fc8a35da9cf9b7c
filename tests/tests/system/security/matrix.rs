//! Who may call what: every route of every service, every kind of caller.

use tests::{ACCOUNTS, CUSTOMER, ORDERS, TRANSACTIONS};

/// Each kind of caller, in the order of the columns. Alice owns what is asked for; Carol is another
/// customer; the bank is `bank-2`, a peer of the accounts-service that is asked; the stranger's
/// token is signed with a key that nobody knows.
pub(super) const CALLERS: [&str; 9] = [
    "nobody",
    "alice",
    "carol",
    "teller",
    "admin",
    "coordinator",
    "bank",
    "customer-service",
    "stranger",
];

/// Service, method, path as the document has it, body, and the status each caller gets. `$NAME` in
/// a body stands for the id of that name; see `authorization.rs`.
pub(super) type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    [u16; 9],
);

/// Anybody at all: these say nothing about anybody.
const OPEN: [u16; 9] = [200; 9];

const MESSAGES: &str = r#"{"participant": "bank-1", "prepare": [], "commit": [], "abort": []}"#;
const LIST: &str = r#"{"participant": "bank-1", "items": []}"#;
const LOGIN: &str = r#"{"username": "$UNIQUE", "password": "a-good-password", "role": "$ROLE"}"#;
const CUSTOMER_LOGIN: &str =
    r#"{"username": "$UNIQUE", "password": "a-good-password", "role": "customer"}"#;
const NOBODY_S: &str = r#"{"refresh_token": "none"}"#;
const SOMEBODY: &str = r#"{"name": "New", "address": "1 Long Road",
    "contact_info": {"email": "new@example.com", "phone": null}}"#;
const TRANSFER: &str = r#"{"source_account_id": "$ALICES_ACCOUNT",
    "destination_account_id": "$BOBS_ACCOUNT", "amount": "1"}"#;
const BATCH: &str = r#"{"transfers": [{"source_account_id": "$ALICES_ACCOUNT",
    "destination_account_id": "$BOBS_ACCOUNT", "amount": "1"}]}"#;
const RESOLUTION: &str = r#"{"participant": "bank-1", "outcome": "abort", "reason": "a test"}"#;
const FORCE: &str = r#"{"participant": "bank-1", "transaction_id": "$NEW_ID",
    "outcome": "abort", "expected_state": "PREPARED", "resolution_id": "$NEW_ID",
    "proposed_by": "$NEW_ID", "confirmed_by": "$OTHER_ID", "reason": "a test"}"#;
const RESOLUTION_HERE: &str = r#"{"outcome": "abort", "reason": "a test"}"#;
const ORDER: &str = r#"{"reason": "a test"}"#;
const ACKNOWLEDGE: &str =
    r#"{"participant": "bank-1", "hazard": "heuristic_mixed", "reason": "a test"}"#;
const ACKNOWLEDGE_HERE: &str = r#"{"hazard": "heuristic_mixed", "reason": "a test"}"#;
const ACKNOWLEDGED: &str = r#"{"participant": "bank-1", "transaction_id": "$NEW_ID",
    "hazard": "heuristic_mixed", "reason": "a test", "actor": "$OTHER_ID"}"#;
const EVIDENCE: &str = r#"{"participant": "bank-1", "items": [], "in_doubt_for_ms": 0,
    "acknowledged": true}"#;
const INQUIRY: &str = r#"{"participant": "bank-2", "items": []}"#;
const COMPARISON: &str = r#"{"participant": "bank-1", "database_id": "$NEW_ID",
    "incarnation": "a test", "own": [], "seen": []}"#;
/// One operator is not two, so even the coordinator is refused.
const RECONCILIATION: &str = r#"{"reconciliation_id": "$NEW_ID", "comparison":
    {"participant": "bank-1", "database_id": "$NEW_ID", "incarnation": "a test", "own": [],
    "seen": []}, "proposed_by": "$OTHER_ID", "confirmed_by": "$OTHER_ID", "reason": "a test"}"#;
const PAYMENT: &str = r#"{"idempotency_key": "$NEW_ID", "on_behalf_of": "$ALICE",
    "source_account_id": "$ALICES_ACCOUNT", "destination_account_id": "$BOBS_ACCOUNT",
    "amount": "1"}"#;
const CLOSING: &str = r#"{"idempotency_key": "$NEW_ID"}"#;
const REASON: &str = r#"{"reason": "a test"}"#;
const FAILPOINT: &str = r#"{"action": "fail", "count": 1}"#;
const ACCOUNT: &str = r#"{"customer_id": "$ALICE", "currency": "USD"}"#;
const PRODUCT: &str = r#"{"name": "A coin", "price": "1.00", "currency": "USD"}"#;
const PURCHASE: &str = r#"{"account_id": "$ALICES_ACCOUNT",
    "items": [{"product_id": "$COIN", "quantity": 1}]}"#;
const CASH: &str = r#"{"amount": "1"}"#;

#[rustfmt::skip]
pub(super) const MATRIX: &[Row] = &[
    //                                                                                          nobody alice carol teller admin coord. bank  cust. stranger
    (CUSTOMER, "GET",    "/health", "",                                                         OPEN),
    (CUSTOMER, "GET",    "/ready", "",                                                          OPEN),
    (CUSTOMER, "GET",    "/metrics", "",                                                        OPEN),
    (CUSTOMER, "GET",    "/.well-known/jwks.json", "",                                          OPEN),
    (CUSTOMER, "GET",    "/auth/revocations", "",                                               OPEN),
    (CUSTOMER, "POST",   "/auth/login", r#"{"username": "bob-customer", "password": "banking-dev"}"#, OPEN),
    (CUSTOMER, "POST",   "/auth/refresh", NOBODY_S,                                             [401; 9]),
    (CUSTOMER, "POST",   "/auth/logout", NOBODY_S,                                              [204; 9]),
    (CUSTOMER, "POST",   "/auth/keys/rotate", "",                                               [401, 403, 403, 403, 200, 401, 401, 401, 401]),
    (CUSTOMER, "POST",   "/customers", SOMEBODY,                                                [401, 403, 403, 201, 201, 401, 401, 401, 401]),
    (CUSTOMER, "GET",    "/customers", "",                                                      [401, 403, 403, 200, 200, 401, 401, 401, 401]),
    (CUSTOMER, "GET",    "/customers/{id}", "",                                                 [401, 200, 404, 200, 200, 401, 401, 401, 401]),
    (CUSTOMER, "PATCH",  "/customers/{id}", "{}",                                               [401, 200, 404, 200, 200, 401, 401, 401, 401]),
    (CUSTOMER, "POST",   "/customers/{id}/logins", CUSTOMER_LOGIN,                              [401, 403, 403, 201, 201, 401, 401, 401, 401]),
    (CUSTOMER, "POST",   "/customers/{id}/logins", LOGIN,                                       [401, 403, 403, 403, 201, 401, 401, 401, 401]),
    (CUSTOMER, "PUT",    "/demo/failpoints/{name}", FAILPOINT,                                  [401, 403, 403, 403, 200, 401, 401, 401, 401]),
    (CUSTOMER, "GET",    "/demo/failpoints/{name}", "",                                         [401, 403, 403, 403, 200, 401, 401, 401, 401]),
    (CUSTOMER, "DELETE", "/demo/failpoints/{name}", "",                                         [401, 403, 403, 403, 204, 401, 401, 401, 401]),

    (ACCOUNTS, "GET",    "/health", "",                                                         OPEN),
    (ACCOUNTS, "GET",    "/ready", "",                                                          OPEN),
    (ACCOUNTS, "GET",    "/metrics", "",                                                        OPEN),
    (ACCOUNTS, "GET",    "/.well-known/jwks.json", "",                                          OPEN),
    (ACCOUNTS, "POST",   "/accounts", ACCOUNT,                                                  [401, 403, 403, 201, 201, 403, 403, 401, 401]),
    (ACCOUNTS, "GET",    "/accounts/{account_id}", "",                                          [401, 200, 404, 200, 200, 403, 403, 401, 401]),
    (ACCOUNTS, "PATCH",  "/accounts/{account_id}", "{}",                                        [401, 403, 403, 200, 200, 403, 403, 401, 401]),
    (ACCOUNTS, "GET",    "/accounts/customer/{customer_id}", "",                                [401, 200, 403, 200, 200, 403, 403, 401, 401]),
    (ACCOUNTS, "GET",    "/accounts/{account_id}/entries", "",                                  [401, 200, 404, 200, 200, 403, 403, 401, 401]),
    (ACCOUNTS, "POST",   "/accounts/{account_id}/deposits", CASH,                               [401, 403, 403, 201, 201, 403, 403, 401, 401]),
    (ACCOUNTS, "POST",   "/accounts/{account_id}/withdrawals", CASH,                            [401, 403, 403, 201, 201, 403, 403, 401, 401]),
    (ACCOUNTS, "GET",    "/ledger/check", "",                                                   [401, 403, 403, 403, 200, 403, 403, 401, 401]),
    (ACCOUNTS, "POST",   "/internal/messages", MESSAGES,                                        [401, 403, 403, 403, 403, 200, 403, 401, 401]),
    (ACCOUNTS, "POST",   "/internal/prepare", LIST,                                             [401, 403, 403, 403, 403, 200, 403, 401, 401]),
    (ACCOUNTS, "POST",   "/internal/commit", LIST,                                              [401, 403, 403, 403, 403, 200, 403, 401, 401]),
    (ACCOUNTS, "POST",   "/internal/abort", LIST,                                               [401, 403, 403, 403, 403, 200, 403, 401, 401]),
    (ACCOUNTS, "POST",   "/internal/steps", LIST,                                               [401, 403, 403, 403, 403, 200, 403, 401, 401]),
    (ACCOUNTS, "POST",   "/internal/branches", LIST,                                            [401, 403, 403, 403, 403, 200, 403, 401, 401]),
    (ACCOUNTS, "POST",   "/internal/numbers", COMPARISON,                                       [401, 403, 403, 403, 403, 200, 403, 401, 401]),
    (ACCOUNTS, "POST",   "/internal/numbers/reconciliations", RECONCILIATION,                   [401, 403, 403, 403, 403, 403, 403, 401, 401]),
    (ACCOUNTS, "POST",   "/internal/accounts", LIST,                                            [401, 403, 403, 403, 403, 200, 403, 401, 401]),
    (ACCOUNTS, "POST",   "/internal/branches/terminate", LIST,                                  [401, 403, 403, 403, 403, 403, 200, 401, 401]),
    (ACCOUNTS, "POST",   "/internal/branches/force", FORCE,                                     [401, 403, 403, 403, 403, 409, 403, 401, 401]),
    (ACCOUNTS, "GET",   "/branches/in-doubt", "",                                                   [401, 403, 403, 403, 200, 403, 403, 401, 401]),
    (ACCOUNTS, "GET",   "/branches/{transaction_id}/audit", "",                                     [401, 403, 403, 403, 200, 403, 403, 401, 401]),
    (ACCOUNTS, "POST",  "/branches/{transaction_id}/resolutions", RESOLUTION_HERE,                  [401, 403, 403, 403, 409, 403, 403, 401, 401]),
    (ACCOUNTS, "POST",  "/branches/{transaction_id}/resolutions/{resolution_id}/confirmations", "", [401, 403, 403, 403, 404, 403, 403, 401, 401]),
    (ACCOUNTS, "POST",  "/branches/{transaction_id}/hazards/acknowledgements", ACKNOWLEDGE_HERE,    [401, 403, 403, 403, 404, 403, 403, 401, 401]),
    (ACCOUNTS, "POST",  "/internal/branches/evidence", EVIDENCE,                                    [401, 403, 403, 403, 403, 200, 403, 401, 401]),
    (ACCOUNTS, "POST",  "/internal/hazards/acknowledgements", ACKNOWLEDGED,                         [401, 403, 403, 403, 403, 404, 403, 401, 401]),
    (ACCOUNTS, "POST",   "/demo/unsafe-withdrawals", "{}",                                      [401, 201, 201, 201, 201, 403, 403, 401, 401]),
    (ACCOUNTS, "PUT",    "/demo/failpoints/{name}", FAILPOINT,                                  [401, 403, 403, 403, 200, 403, 403, 401, 401]),
    (ACCOUNTS, "GET",    "/demo/failpoints/{name}", "",                                         [401, 403, 403, 403, 200, 403, 403, 401, 401]),
    (ACCOUNTS, "DELETE", "/demo/failpoints/{name}", "",                                         [401, 403, 403, 403, 204, 403, 403, 401, 401]),

    (TRANSACTIONS, "GET",    "/health", "",                                                     OPEN),
    (TRANSACTIONS, "GET",    "/ready", "",                                                      OPEN),
    (TRANSACTIONS, "GET",    "/metrics", "",                                                    OPEN),
    (TRANSACTIONS, "GET",    "/.well-known/jwks.json", "",                                      OPEN),
    (TRANSACTIONS, "POST",   "/transfers", TRANSFER,                                            [401, 201, 404, 201, 201, 401, 403, 401, 401]),
    (TRANSACTIONS, "GET",    "/transfers", "",                                                  [401, 200, 200, 200, 200, 401, 403, 401, 401]),
    (TRANSACTIONS, "POST",   "/transfers/batch", BATCH,                                         [401, 200, 200, 200, 200, 401, 403, 401, 401]),
    (TRANSACTIONS, "GET",    "/transfers/{transaction_id}", "",                                 [401, 200, 404, 200, 200, 401, 403, 401, 401]),
    (TRANSACTIONS, "GET",    "/transfers/status/{transaction_id}", "",                          [401, 200, 404, 200, 200, 401, 403, 401, 401]),
    (TRANSACTIONS, "GET",    "/transfers/{transaction_id}/timeline", "",                        [401, 200, 404, 200, 200, 401, 403, 401, 401]),
    (TRANSACTIONS, "GET",    "/participants", "",                                               [401, 200, 200, 200, 200, 401, 403, 401, 401]),
    (TRANSACTIONS, "POST",   "/participants/{participant_id}/reconciliations", REASON,          [401, 403, 403, 403, 409, 401, 403, 401, 401]),
    (TRANSACTIONS, "POST",   "/participants/{participant_id}/reconciliations/{reconciliation_id}/confirmations", "", [401, 403, 403, 403, 404, 401, 403, 401, 401]),
    (TRANSACTIONS, "GET",    "/transactions/in-doubt", "",                                      [401, 403, 403, 403, 200, 401, 403, 401, 401]),
    (TRANSACTIONS, "POST",   "/transactions/{transaction_id}/resolutions", RESOLUTION,          [401, 403, 403, 403, 409, 401, 403, 401, 401]),
    (TRANSACTIONS, "POST",   "/transactions/{transaction_id}/resolutions/{resolution_id}/confirmations", "", [401, 403, 403, 403, 404, 401, 403, 401, 401]),
    (TRANSACTIONS, "GET",   "/transactions/{transaction_id}/audit", "",                             [401, 403, 403, 403, 200, 401, 403, 401, 401]),
    (TRANSACTIONS, "POST",  "/transactions/{transaction_id}/hazards/acknowledgements", ACKNOWLEDGE, [401, 403, 403, 403, 404, 401, 403, 401, 401]),
    (TRANSACTIONS, "GET",  "/sagas", "",                                                        [401, 403, 403, 403, 200, 401, 403, 401, 401]),
    (TRANSACTIONS, "GET",  "/sagas/{saga_id}", "",                                              [401, 403, 403, 403, 404, 401, 403, 401, 401]),
    (TRANSACTIONS, "POST", "/sagas/{saga_id}/retry", ORDER,                                     [401, 403, 403, 403, 404, 401, 403, 401, 401]),
    (TRANSACTIONS, "POST", "/sagas/{saga_id}/skip", ORDER,                                      [401, 403, 403, 403, 404, 401, 403, 401, 401]),
    (TRANSACTIONS, "POST",   "/internal/inquiries", INQUIRY,                                    [401, 403, 403, 403, 403, 401, 200, 401, 401]),
    (TRANSACTIONS, "POST",   "/internal/unfinished", INQUIRY,                                   [401, 403, 403, 403, 403, 401, 200, 401, 401]),
    (TRANSACTIONS, "POST",   "/internal/transfers", PAYMENT,                                    [401, 403, 403, 403, 403, 401, 403, 401, 401]),
    (TRANSACTIONS, "POST",   "/internal/transfers/close", CLOSING,                              [401, 403, 403, 403, 403, 401, 403, 401, 401]),
    (TRANSACTIONS, "PUT",    "/demo/failpoints/{name}", FAILPOINT,                              [401, 403, 403, 403, 200, 401, 403, 401, 401]),
    (TRANSACTIONS, "GET",    "/demo/failpoints/{name}", "",                                     [401, 403, 403, 403, 200, 401, 403, 401, 401]),
    (TRANSACTIONS, "DELETE", "/demo/failpoints/{name}", "",                                     [401, 403, 403, 403, 204, 401, 403, 401, 401]),

    (ORDERS, "GET",    "/health", "",                                                           OPEN),
    (ORDERS, "GET",    "/ready", "",                                                            OPEN),
    (ORDERS, "GET",    "/metrics", "",                                                          OPEN),
    (ORDERS, "GET",    "/.well-known/jwks.json", "",                                            OPEN),
    (ORDERS, "GET",    "/products", "",                                                         [401, 200, 200, 200, 200, 401, 401, 401, 401]),
    (ORDERS, "POST",   "/products", PRODUCT,                                                    [401, 403, 403, 201, 201, 401, 401, 401, 401]),
    (ORDERS, "PATCH",  "/products/{product_id}/stock", r#"{"delta": 1}"#,                       [401, 403, 403, 200, 200, 401, 401, 401, 401]),
    (ORDERS, "POST",   "/orders", PURCHASE,                                                      [401, 201, 422, 201, 201, 401, 401, 401, 401]),
    (ORDERS, "GET",    "/orders", "",                                                           [401, 200, 200, 200, 200, 401, 401, 401, 401]),
    (ORDERS, "GET",    "/orders/{order_id}", "",                                                [401, 200, 404, 200, 200, 401, 401, 401, 401]),
    (ORDERS, "GET",    "/orders/{order_id}/saga", "",                                           [401, 200, 404, 200, 200, 401, 401, 401, 401]),
    (ORDERS, "POST",   "/orders/{order_id}/cancel", "",                                         [401, 200, 404, 200, 200, 401, 401, 401, 401]),
    (ORDERS, "GET",    "/sagas", "",                                                            [401, 403, 403, 403, 200, 401, 401, 401, 401]),
    (ORDERS, "GET",    "/sagas/{saga_id}", "",                                                  [401, 403, 403, 403, 404, 401, 401, 401, 401]),
    (ORDERS, "POST",   "/sagas/{saga_id}/retry", REASON,                                        [401, 403, 403, 403, 404, 401, 401, 401, 401]),
    (ORDERS, "POST",   "/sagas/{saga_id}/skip", REASON,                                         [401, 403, 403, 403, 404, 401, 401, 401, 401]),
    (ORDERS, "PUT",    "/demo/failpoints/{name}", FAILPOINT,                                    [401, 403, 403, 403, 200, 401, 401, 401, 401]),
    (ORDERS, "GET",    "/demo/failpoints/{name}", "",                                           [401, 403, 403, 403, 200, 401, 401, 401, 401]),
    (ORDERS, "DELETE", "/demo/failpoints/{name}", "",                                           [401, 403, 403, 403, 204, 401, 401, 401, 401]),
];
