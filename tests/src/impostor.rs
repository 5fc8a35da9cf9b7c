//! Something that stands where a bank should be and answers what no bank answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// One request, as it was read.
pub struct Asked {
    /// The method and the path.
    pub line: String,
    /// Its body.
    pub body: Vec<u8>,
    raw: Vec<u8>,
}

/// Makes up an answer.
pub type Say = dyn Fn(&Asked) -> Vec<u8> + Send + Sync;

/// How it answers.
pub enum Lie {
    /// With these bytes, and nobody else hears of the request.
    Instead(Box<Say>),
    /// With these bytes, after the true server has carried out the request.
    After(Vec<u8>),
    /// With the first half of the true server's answer.
    CutOff,
}

/// A server that lies. Dropping it ends it.
pub struct Impostor {
    address: String,
    lies: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Drop for Impostor {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A whole HTTP answer. `head` are further header lines, each ending with CRLF.
#[must_use]
pub fn http_answer(status: &str, head: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{head}\r\n{body}"
    )
    .into_bytes()
}

impl Impostor {
    /// Starts one before the true server at `host:port`.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start(server: &str, lie: Lie) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address").to_string();
        let lies = Arc::new(AtomicUsize::new(0));
        let (server, lie, told) = (server.to_owned(), Arc::new(lie), lies.clone());
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, lie, told) = (server.clone(), lie.clone(), told.clone());
                tokio::spawn(async move {
                    if serve(client, &server, &lie).await.is_ok() {
                        told.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        Self {
            address,
            lies,
            serving,
        }
    }

    /// `host:port`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// How many requests it has answered.
    #[must_use]
    pub fn lies(&self) -> usize {
        self.lies.load(Ordering::SeqCst)
    }
}

async fn serve(mut client: TcpStream, server: &str, lie: &Lie) -> std::io::Result<()> {
    let asked = read(&mut client).await?;
    let said = match lie {
        Lie::Instead(say) => say(&asked),
        Lie::After(said) => {
            pass_on(&asked, server).await?;
            said.clone()
        }
        Lie::CutOff => {
            let truth = pass_on(&asked, server).await?;
            truth[..truth.len() / 2].to_vec()
        }
    };
    client.write_all(&said).await?;
    client.shutdown().await
}

/// What the true server answers.
async fn pass_on(asked: &Asked, server: &str) -> std::io::Result<Vec<u8>> {
    let mut upstream = TcpStream::connect(server).await?;
    upstream.write_all(&asked.raw).await?;
    Ok(read(&mut upstream).await?.raw)
}

/// One message with its body, as its length says.
async fn read(stream: &mut TcpStream) -> std::io::Result<Asked> {
    let mut raw = Vec::new();
    let mut piece = [0; 4096];
    loop {
        if let Some(end) = raw.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&raw[..end]).into_owned();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                let named = name.eq_ignore_ascii_case("content-length");
                named.then(|| value.trim().parse::<usize>().ok())?
            });
            let whole = end + 4 + length.unwrap_or(0);
            if raw.len() >= whole {
                return Ok(Asked {
                    line: head.lines().next().unwrap_or_default().to_owned(),
                    body: raw[end + 4..whole].to_vec(),
                    raw,
                });
            }
        }
        match stream.read(&mut piece).await? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => raw.extend_from_slice(&piece[..count]),
        }
    }
}
