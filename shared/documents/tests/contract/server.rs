//! A server that speaks MongoDB's protocol: the program that `TEST_DOCUMENT_SERVER` names, as
//! `scripts/document-server --install` prints it.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

/// A running server. It ends with this value, or with this program.
pub struct Server {
    program: String,
    address: SocketAddr,
    leash: Option<Child>,
    data: TempDir,
}

/// Kills the server when its standard input ends, which it does whatever becomes of the tests.
const LEASH: &str = r#""$@" </dev/null & server=$!; read -r line; kill -9 $server; wait $server"#;

fn program() -> Option<String> {
    let program = std::env::var("TEST_DOCUMENT_SERVER").ok();
    if program.is_none() {
        let words = "\nskipped: TEST_DOCUMENT_SERVER is not set, so MongoDB's driver is not tested; \
            ./scripts/test sets it\n";
        // Past what a test's output is captured by: nobody looks at what passed.
        std::io::stderr().write_all(words.as_bytes()).ok();
    }
    program
}

impl Server {
    /// The one for all tests that do not kill it.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Server> = OnceLock::new();
        program().map(|program| SHARED.get_or_init(|| Self::run_at_a_free_port(program)))
    }

    /// One with an empty folder; `None`, said aloud, where there is no such program.
    pub fn start() -> Option<Self> {
        program().map(Self::run_at_a_free_port)
    }

    fn run_at_a_free_port(program: String) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let mut server = Self {
            program,
            address,
            leash: None,
            data: TempDir::new().expect("a folder"),
        };
        server.run();
        server
    }

    pub fn url(&self, database: &str) -> String {
        format!("mongodb://{}/{database}", self.address)
    }

    /// As a machine that loses power and comes back: what was acknowledged is on disk.
    pub fn kill_and_restart(&mut self) {
        self.kill();
        self.run();
    }

    fn run(&mut self) {
        let port = self.address.port().to_string();
        let leash = Command::new("sh")
            .args(["-c", LEASH, "sh", &self.program, "--host", "127.0.0.1"])
            .args(["--port", &port, "--sync-on-commit", "--cache-size", "64M"])
            .args(["--log-level", "ERROR", "--storage-path"])
            .arg(self.data.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.leash = Some(leash.expect("a shell"));
    }

    fn kill(&mut self) {
        if let Some(mut leash) = self.leash.take() {
            drop(leash.stdin.take());
            leash.wait().expect("it ends");
        }
        assert!(
            TcpStream::connect(self.address).is_err(),
            "it still answers"
        );
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
