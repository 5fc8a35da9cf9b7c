//! A stand-in for customer-service, where the test is about what the client does with its answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// What was asked: method and path, the bearer token, and the body.
#[derive(Debug, Clone)]
pub struct Asked {
    pub line: String,
    pub bearer: Option<String>,
    pub body: String,
}

/// Answers every request by a rule until the test ends.
pub struct StandIn {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl StandIn {
    pub fn new(rule: impl Fn(&Asked) -> (u16, Value) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let request = read(&stream);
                let (status, body) = rule(&request);
                heard.lock().unwrap().push(request);
                answer(stream, status, &body);
            }
        });
        Self { url, asked }
    }

    pub fn asked(&self, line: &str) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .filter(|asked| asked.line == line)
            .cloned()
            .collect()
    }
}

fn read(stream: &TcpStream) -> Asked {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let (mut bearer, mut length) = (None, 0);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let Some((name, value)) = header.trim().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "authorization" => bearer = value.strip_prefix("Bearer ").map(str::to_owned),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let line = first.trim().trim_end_matches(" HTTP/1.1").to_owned();
    Asked {
        line,
        bearer,
        body: String::from_utf8(body).unwrap(),
    }
}

fn answer(mut stream: TcpStream, status: u16, body: &Value) {
    let body = body.to_string();
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n"
    );
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body.as_bytes());
}

/// A pair of tokens called `name`, valid for so many seconds.
pub fn tokens(name: &str, seconds: u64) -> Value {
    json!({
        "access_token": format!("access-{name}"), "refresh_token": format!("refresh-{name}"),
        "token_type": "Bearer", "expires_in": seconds, "role": "customer",
        "customer_id": "550e8400-e29b-41d4-a716-446655440001",
    })
}

pub fn problem(status: u16, code: &str) -> (u16, Value) {
    let body = json!({
        "type": "about:blank", "title": code, "status": status, "detail": "said so",
        "code": code, "request_id": "r",
    });
    (status, body)
}

pub fn profile() -> Value {
    json!({
        "customer_id": "550e8400-e29b-41d4-a716-446655440001", "name": "Alice Johnson",
        "address": "1 Main St", "contact_info": {"email": null, "phone": null},
        "created_at": "2026-01-31T12:00:00.000Z", "updated_at": "2026-01-31T12:00:00.000Z",
    })
}
