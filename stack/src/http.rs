//! The one request a starter of services makes: is it there, is it ready? Plain HTTP/1.1 to this
//! machine, so no client library is needed.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// No answer about readiness is longer, and none takes longer.
const LONGEST_ANSWER: u64 = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(2);

/// A status and a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, as it came.
    pub body: String,
}

/// Asks `GET path` of the service at 127.0.0.1:`port`.
///
/// # Errors
/// When nobody listens, or what answers within two seconds is not HTTP.
pub async fn get(port: u16, path: &str) -> io::Result<Answer> {
    tokio::time::timeout(PATIENCE, exchange(port, path))
        .await
        .unwrap_or_else(|_| {
            Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "no answer within 2 s",
            ))
        })
}

async fn exchange(port: u16, path: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut reply = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut reply).await?;
    parse(&String::from_utf8_lossy(&reply))
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "what answered is not HTTP"))
}

fn parse(reply: &str) -> Option<Answer> {
    let (head, body) = reply.split_once("\r\n\r\n")?;
    let status = head
        .strip_prefix("HTTP/1.")?
        .split(' ')
        .nth(1)?
        .parse()
        .ok()?;
    Some(Answer {
        status,
        body: body.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_body_are_read_and_other_protocols_refused() {
        let answer = parse("HTTP/1.1 503 Service Unavailable\r\nx: y\r\n\r\n{}").unwrap();
        assert_eq!(
            answer,
            Answer {
                status: 503,
                body: "{}".into()
            }
        );
        assert_eq!(parse("SSH-2.0-OpenSSH\r\n\r\n"), None);
        assert_eq!(parse(""), None);
    }
}
