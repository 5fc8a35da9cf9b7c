//! The OpenAPI document: what every route has in common is added once, here.

use axum::http::StatusCode;
use types::views::ProblemView;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Content, Info, OpenApi, PathItem, Ref, RefOr, Response, Schema};
use utoipa::{PartialSchema, ToSchema};

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

/// Completes what the routes say of themselves: the service's name, how to log in, a description
/// for each reply (the format demands one), and that refusals are problem documents.
pub(super) fn complete(openapi: &mut OpenApi, name: &str, version: &str) {
    openapi.info = Info::new(name, version);
    let components = openapi.components.get_or_insert_default();
    components.add_security_scheme(
        "bearer",
        SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
    );
    let mut schemas: Vec<(String, RefOr<Schema>)> = Vec::new();
    ProblemView::schemas(&mut schemas);
    schemas.push((ProblemView::name().into_owned(), ProblemView::schema()));
    components.schemas.extend(schemas);
    for (path, item) in &mut openapi.paths.paths {
        for (method, operation) in operations(item) {
            // Handlers of different routes may have the same name, which is what it would be.
            operation.operation_id = Some(format!("{method}{}", slug(path)));
            describe(operation);
        }
    }
}

/// `/accounts/{account_id}/entries` as `_accounts_account_id_entries`.
fn slug(path: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    words.flat_map(|word| ["_", word]).collect()
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let PathItem {
        get,
        put,
        post,
        delete,
        patch,
        ..
    } = path;
    [
        ("get", get),
        ("put", put),
        ("post", post),
        ("delete", delete),
        ("patch", patch),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn describe(operation: &mut Operation) {
    let replies = &mut operation.responses.responses;
    for (status, reply) in replies.iter_mut() {
        if let RefOr::T(reply) = reply {
            if reply.description.is_empty() {
                reply.description = reason(status).to_owned();
            }
            name_problems(reply);
        }
    }
    replies
        .entry("default".to_owned())
        .or_insert_with(|| refusal().into());
}

fn reason(status: &str) -> &'static str {
    let status = status.parse::<StatusCode>().ok();
    status
        .and_then(|status| status.canonical_reason())
        .unwrap_or("The reply")
}

/// Problems are sent under a media type of their own.
fn name_problems(reply: &mut Response) {
    let problem = Some(RefOr::Ref(reference()));
    let is_problem = matches!(
        reply.content.get(JSON), Some(RefOr::T(content)) if content.schema == problem
    );
    if is_problem && let Some(content) = reply.content.shift_remove(JSON) {
        reply.content.insert(PROBLEM.to_owned(), content);
    }
}

fn reference() -> Ref {
    Ref::from_schema_name(ProblemView::name())
}

fn refusal() -> Response {
    let mut refusal = Response::new("A refusal or a failure; `code` says which");
    refusal
        .content
        .insert(PROBLEM.to_owned(), Content::new(Some(reference())).into());
    refusal
}
