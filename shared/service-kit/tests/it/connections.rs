//! Slow, idle and cut-off connections, and shutting down.

use std::time::{Duration, Instant};

use service_kit::config::BankConfig;
use service_kit::failpoints::{self, Action};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::bank::{alone, http, send};

/// What comes back until the connection ends.
pub async fn exchange(address: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let (mut reading, mut writing) = stream.split();
    let mut reply = Vec::new();
    // A server that has seen enough may close while we still write.
    let writing = async { writing.write_all(request).await.ok() };
    let reading = async { reading.read_to_end(&mut reply).await.ok() };
    tokio::join!(writing, reading);
    String::from_utf8_lossy(&reply).into_owned()
}

fn address(url: &str) -> String {
    url.trim_start_matches("http://").to_owned()
}

#[tokio::test]
async fn whoever_sends_slowly_is_cut_off_within_ten_seconds_or_so() {
    let (_member, server) = alone(BankConfig::default()).await;
    let address = address(server.url());
    let started = Instant::now();
    let head = "POST /echo HTTP/1.1\r\nhost: x\r\n";
    let slow_body =
        format!("{head}content-type: application/json\r\ncontent-length: 20\r\n\r\n{{\"text\"");
    let (idle, head, body) = tokio::join!(
        exchange(&address, b""),
        exchange(&address, head.as_bytes()),
        exchange(&address, slow_body.as_bytes()),
    );
    assert!(started.elapsed() < Duration::from_secs(14));
    assert_eq!(idle, "");
    assert!(
        head.is_empty() || head.starts_with("HTTP/1.1 408"),
        "{head}"
    );
    assert!(body.starts_with("HTTP/1.1 408"), "{body}");
}

#[tokio::test]
async fn many_idle_connections_keep_nobody_out() {
    let (_member, server) = alone(BankConfig::default()).await;
    let address = address(server.url());
    let mut idle = Vec::new();
    for _ in 0..2_000 {
        idle.push(TcpStream::connect(&address).await.expect("a connection"));
    }
    let health = send(http().get(format!("{}/health", server.url()))).await;
    assert_eq!(health.status, 200);
}

#[tokio::test]
async fn a_request_in_flight_is_finished_before_the_service_stops() {
    let (_member, mut server) = alone(BankConfig::default()).await;
    let url = format!("{}/pause", server.url());
    failpoints::set("test_handler", Action::Pause, None);
    let in_flight = tokio::spawn(async move { http().get(url).send().await });
    while failpoints::set("test_handler", Action::Pause, None).paused == 0 {
        tokio::task::yield_now().await;
    }
    server.begin_to_stop();
    let address = address(server.url());
    while TcpStream::connect(&address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    failpoints::clear("test_handler");
    let reply = in_flight.await.expect("no panic").expect("a reply");
    assert_eq!(reply.text().await.expect("text"), "done");
    server.stop().await;
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let (_member, server) = alone(BankConfig::default()).await;
    let address: std::net::SocketAddr = address(server.url()).parse().expect("an address");
    let error = service_kit::serve::bind(address.ip(), address.port()).await;
    let words = error.expect_err("it is taken").to_string();
    assert!(
        words.contains(&address.to_string()) && words.contains("BANK_PORT_OFFSET"),
        "{words}"
    );
}

#[tokio::test]
async fn a_handler_goes_on_to_its_end_when_its_client_hangs_up() {
    let (_member, server) = alone(BankConfig::default()).await;
    let address = server.url().trim_start_matches("http://").to_owned();
    let [entered, go_on, ended, dropped] = &crate::bank::LINGER;
    let mut client = TcpStream::connect(&address).await.expect("a connection");
    client
        .write_all(b"GET /linger HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .expect("sent");
    entered.acquire().await.expect("open").forget();
    drop(client);
    // Long enough for the server to see that nobody is there any more.
    let noticed = tokio::time::timeout(Duration::from_millis(300), dropped.acquire()).await;
    assert!(noticed.is_err(), "the handler was dropped half-way");
    go_on.add_permits(1);
    ended.acquire().await.expect("open").forget();
}
