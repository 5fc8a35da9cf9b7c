//! One connection that is kept open and asked one thing after the other.
//!
//! Clients share the machine with what they measure, so this one does as little as HTTP allows.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::failure::Failure;

/// An open connection to one service, with the token it sends.
pub struct Connection {
    host: String,
    authorization: String,
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    /// Connects to `http://HOST:PORT`.
    ///
    /// # Errors
    /// When nobody listens there.
    pub async fn open(url: &str, token: &str) -> Result<Self, Failure> {
        let host = url.trim_start_matches("http://").trim_end_matches('/');
        let sender = connect(host).await?;
        Ok(Self {
            host: host.to_owned(),
            authorization: format!("Bearer {token}"),
            sender,
        })
    }

    /// Sends JSON under an idempotency key and reads the answer to its end.
    ///
    /// # Errors
    /// When there is no answer; the connection is opened anew then.
    pub async fn post(
        &mut self,
        path: &str,
        key: &str,
        body: String,
    ) -> Result<(StatusCode, Bytes), Failure> {
        let request = Request::post(path)
            .header(header::HOST, &self.host)
            .header(header::AUTHORIZATION, &self.authorization)
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", key)
            .body(Full::new(Bytes::from(body)))
            .map_err(Failure::of("a request"))?;
        self.answered(request).await
    }

    /// Asks for something and reads the answer to its end.
    ///
    /// # Errors
    /// When there is no answer; the connection is opened anew then.
    pub async fn get(&mut self, path: &str) -> Result<(StatusCode, Bytes), Failure> {
        let request = Request::get(path)
            .header(header::HOST, &self.host)
            .header(header::AUTHORIZATION, &self.authorization)
            .body(Full::new(Bytes::new()))
            .map_err(Failure::of("a request"))?;
        self.answered(request).await
    }

    async fn answered(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, Bytes), Failure> {
        let answer = self.exchange(request).await;
        if answer.is_err() {
            self.sender = connect(&self.host).await?;
        }
        answer
    }

    async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, Bytes), Failure> {
        self.sender
            .ready()
            .await
            .map_err(Failure::of("connection"))?;
        let answer = self.sender.send_request(request).await;
        let answer = answer.map_err(Failure::of("request"))?;
        let status = answer.status();
        let body = answer.into_body().collect().await;
        Ok((status, body.map_err(Failure::of("answer"))?.to_bytes()))
    }
}

async fn connect(host: &str) -> Result<SendRequest<Full<Bytes>>, Failure> {
    let stream = TcpStream::connect(host)
        .await
        .map_err(Failure::of("connection"))?;
    stream
        .set_nodelay(true)
        .map_err(Failure::of("connection"))?;
    let (sender, connection) = handshake(TokioIo::new(stream))
        .await
        .map_err(Failure::of("connection"))?;
    tokio::spawn(connection);
    Ok(sender)
}
