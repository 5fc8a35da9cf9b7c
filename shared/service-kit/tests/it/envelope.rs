//! What happens around every request.

use serde_json::json;
use service_kit::config::BankConfig;
use types::views::Role;

use crate::bank::{alone, get, http, metrics, role_claims, send};

#[tokio::test]
async fn every_error_is_a_problem_document() {
    let (_member, server) = alone(BankConfig::default()).await;
    let url = |path: &str| format!("{}{path}", server.url());
    let json = |body: String| {
        http()
            .post(url("/echo"))
            .header("content-type", "application/json")
            .body(body)
    };
    let table = [
        (http().get(url("/nowhere")), 404, "not_found"),
        (http().delete(url("/echo")), 405, "method_not_allowed"),
        (json("{".into()), 400, "malformed_json"),
        (json("{\"text\":1}".into()), 422, "invalid_body"),
        (
            json(format!("{{\"text\":\"{}\"}}", "x".repeat(10_000_000))),
            413,
            "payload_too_large",
        ),
        (
            http().post(url("/echo")).body("text=1"),
            415,
            "unsupported_media_type",
        ),
        (http().get(url("/panic")), 500, "internal_error"),
        (http().get(url("/user")), 401, "unauthenticated"),
    ];
    for (request, status, code) in table {
        let reply = send(request).await;
        assert_eq!(
            (reply.status, reply.code()),
            (status, code),
            "{}",
            reply.body
        );
        assert_eq!(reply.headers["content-type"], "application/problem+json");
        assert_eq!(reply.body["status"], status);
        for member in ["type", "title", "detail"] {
            assert!(reply.body[member].is_string(), "{member} of {code}");
        }
        assert_eq!(
            reply.body["request_id"],
            reply.headers["x-request-id"].to_str().expect("text")
        );
        assert_eq!(reply.headers["x-service-name"], "customer-service");
        assert!(!reply.body.to_string().contains("secret inside"));
    }
}

#[tokio::test]
async fn a_chunked_body_is_limited_too() {
    let (_member, server) = alone(BankConfig::default()).await;
    let chunk = vec![b' '; 64 * 1024];
    let chunks = (0..40).map(move |_| Ok::<_, std::io::Error>(chunk.clone()));
    let body = axum::body::Body::from_stream(futures_util::stream::iter(chunks));
    let mut body = std::pin::pin!(body);
    let mut sent: Vec<u8> = Vec::new();
    while let Some(Ok(frame)) = http_body_util::BodyExt::frame(&mut body).await {
        let data = frame.into_data().expect("data");
        sent.extend(
            format!("{:x}\r\n", data.len())
                .bytes()
                .chain(data)
                .chain(*b"\r\n"),
        );
    }
    let address = server.url().trim_start_matches("http://").to_owned();
    let reply = crate::connections::exchange(
        &address,
        &[
            b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
            &sent[..],
        ]
        .concat(),
    )
    .await;
    assert!(
        reply.starts_with("HTTP/1.1 413"),
        "{}",
        &reply[..reply.len().min(80)]
    );
}

#[tokio::test]
async fn request_id_and_trace_are_taken_over_where_they_are_well_formed() {
    let (_member, server) = alone(BankConfig::default()).await;
    let url = format!("{}/context", server.url());
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let given = http()
        .get(&url)
        .header("x-request-id", "order-17")
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let reply = send(given).await;
    assert_eq!(
        reply.body,
        json!({"request_id": "order-17", "trace_id": trace})
    );
    assert_eq!(reply.headers["x-request-id"], "order-17");

    let odd = send(http().get(&url).header("x-request-id", "a b \"c\"")).await;
    assert_eq!(odd.body["request_id"].as_str().map(str::len), Some(36));
}

#[tokio::test]
async fn a_caller_who_hurries_is_slowed_down_and_others_are_not() {
    let bank = BankConfig {
        requests_per_second: 5,
        ..BankConfig::default()
    };
    let (member, server) = alone(bank).await;
    let sign = || {
        member
            .signer
            .sign(&role_claims(Role::Customer))
            .expect("a token")
    };
    let (alice, bob) = (sign(), sign());
    let user = format!("{}/user", server.url());
    let mut refused = None;
    for _ in 0..50 {
        let reply = get(user.clone(), &alice).await;
        if reply.status != 200 {
            refused = Some(reply);
            break;
        }
    }
    let refused = refused.expect("one of fifty is refused");
    assert_eq!((refused.status, refused.code()), (429, "rate_limited"));
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(get(user.clone(), &bob).await.status, 200);

    // A forged address is no way round the limit of those without a token.
    let mut statuses = Vec::new();
    for n in 0..30 {
        let forged = http()
            .get(&user)
            .header("x-forwarded-for", format!("10.0.0.{n}"));
        statuses.push(send(forged).await.status);
    }
    assert!(statuses.contains(&429), "{statuses:?}");
    let health = send(http().get(format!("{}/health", server.url()))).await;
    assert_eq!(health.status, 200);
}

#[tokio::test]
async fn no_other_origin_is_let_in() {
    let (_member, server) = alone(BankConfig::default()).await;
    let url = format!("{}/health", server.url());
    let foreign = send(http().get(&url).header("origin", "https://evil.example")).await;
    assert!(!foreign.headers.contains_key("access-control-allow-origin"));
    let preflight = http()
        .request(reqwest::Method::OPTIONS, &url)
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "POST");
    let preflight = send(preflight).await;
    assert_eq!(preflight.status, 405);
    assert!(
        !preflight
            .headers
            .contains_key("access-control-allow-origin")
    );
}

#[tokio::test]
async fn requests_are_counted_by_route_and_not_by_what_strangers_type() {
    let (_member, server) = alone(BankConfig::default()).await;
    for n in 0..3 {
        send(http().get(format!("{}/nowhere/{n}", server.url()))).await;
    }
    send(http().get(format!("{}/health", server.url()))).await;
    let metrics = metrics(&server).await;
    assert!(metrics.keys().all(|name| !name.contains("nowhere")));
    let health = r#"http_requests_total{method="GET",path="/health",status="200"}"#;
    assert!(metrics.contains_key(health));
    let seconds = r#"http_request_duration_seconds_count{method="GET",path="unmatched"}"#;
    assert!(metrics.contains_key(seconds));
    assert_eq!(metrics["bank_interventions_open"], "0");
}

#[tokio::test]
async fn every_reply_of_a_keyed_route_carries_its_key() {
    let (member, server) = alone(BankConfig::default()).await;
    let signed = member.signer.sign(&role_claims(Role::Customer));
    let token = signed.expect("a token");
    let post = |body: &str| {
        http()
            .post(format!("{}/keyed", server.url()))
            .header("content-type", "application/json")
            .body(body.to_owned())
    };
    let large = format!("{{\"text\":\"{}\"}}", "x".repeat(2_000_000));
    let table = [
        (post("{\"text\":\"a\"}").bearer_auth(&token), 200),
        (post("{\"text\":\"a\"}"), 401),
        (post("{\"text\":1}").bearer_auth(&token), 422),
        (post("{").bearer_auth(&token), 400),
        (post(&large).bearer_auth(&token), 413),
    ];
    for (request, status) in table {
        let again = request.try_clone().expect("a body in memory");
        let reply = send(request.header("idempotency-key", "k-1")).await;
        assert_eq!(reply.status, status, "{}", reply.body);
        assert_eq!(reply.headers["idempotency-key"], "k-1", "{status}");
        let made = send(again).await;
        let key = made.headers["idempotency-key"].to_str().expect("text");
        assert_eq!(key.len(), 36, "{status}: a key is made: {key}");
        if status == 200 {
            assert_eq!(reply.body["key"], "k-1");
            assert_eq!(made.body["key"], key, "the handler has the same one");
        }
    }
    let unusable = "k".repeat(300);
    let unusable = post("{\"text\":\"a\"}")
        .bearer_auth(&token)
        .header("idempotency-key", unusable);
    let refused = send(unusable).await;
    assert_eq!(
        (refused.status, refused.code()),
        (400, "invalid_idempotency_key")
    );
    let other = send(
        http()
            .get(format!("{}/user", server.url()))
            .bearer_auth(&token),
    )
    .await;
    assert!(!other.headers.contains_key("idempotency-key"));
}

#[tokio::test]
async fn a_batch_may_be_longer_than_a_single_thing() {
    let (_member, server) = alone(BankConfig::default()).await;
    let body = json!({"text": "x".repeat(3 * 1024 * 1024)});
    for (path, status) in [("/echo/batch", 200), ("/echo", 413)] {
        let post = http().post(format!("{}{path}", server.url()));
        let reply = send(post.json(&body)).await;
        assert_eq!(reply.status, status, "{path}: {}", reply.body);
    }
}

#[tokio::test]
async fn the_documentation_says_of_every_reply_what_it_is() {
    let (_member, server) = alone(BankConfig::default()).await;
    let openapi = send(http().get(format!("{}/openapi.json", server.url()))).await;
    let paths = openapi.body["paths"].as_object().expect("paths");
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().expect("operations") {
            let replies = operation["responses"].as_object().expect("responses");
            for (status, reply) in replies {
                // The format demands it, and validators refuse a document without.
                assert!(reply["description"].is_string(), "{method} {path} {status}");
            }
            let refusal = &replies["default"]["content"]["application/problem+json"];
            assert_eq!(
                refusal["schema"]["$ref"], "#/components/schemas/ProblemView",
                "{method} {path}"
            );
        }
    }
    assert!(openapi.body["components"]["schemas"]["ProblemView"].is_object());
}

#[tokio::test]
async fn the_documentation_is_served_from_here() {
    let (_member, server) = alone(BankConfig::default()).await;
    let openapi = send(http().get(format!("{}/openapi.json", server.url()))).await;
    assert_eq!(openapi.body["info"]["title"], "customer-service");
    assert!(openapi.body["paths"]["/echo"]["post"].is_object());
    assert!(openapi.body["components"]["securitySchemes"]["bearer"].is_object());
    let docs = http().get(format!("{}/docs/", server.url())).send().await;
    let page = docs.expect("a reply").text().await.expect("text");
    assert!(
        page.contains("swagger") && !page.contains("https://"),
        "{page}"
    );
}
