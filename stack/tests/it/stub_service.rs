//! Stands in for every service: answers each request with 200, and does what `--migrate` and `--seed`
//! ask by noting it. Compiled by the tests with rustc alone.

use std::{
    env, fs,
    io::{Read, Write},
    net::TcpListener,
    path::Path,
};

fn main() {
    let program = env::args().next().unwrap();
    let program = Path::new(&program).file_name().unwrap().to_str().unwrap().to_owned();
    let prefix = program.split('-').next().unwrap().to_uppercase();
    let own = |name: &str| env::var(format!("{prefix}_{name}")).unwrap();
    let folder = env::var("BANK_LOG_DIR").unwrap();
    let url = own("DATABASE_URL");
    if let Some(step) = env::args().nth(1) {
        let database = url.rsplit('/').next().unwrap();
        fs::write(Path::new(&folder).join(format!("{database}{step}")), url.clone()).unwrap();
        return;
    }
    if env::var("STUB_FAILS").is_ok() || env::var("BANK_FAILS").is_ok() {
        eprintln!("the stub was told to fail");
        std::process::exit(7);
    }
    // A service refuses settings it does not know; this one belongs to the starter alone.
    assert!(env::var("BANK_DATA_DIR").is_err());
    let offset: u16 = env::var("BANK_PORT_OFFSET").unwrap().parse().unwrap();
    let port: u16 = own("PORT").parse().unwrap();
    let listener = TcpListener::bind(("127.0.0.1", port + offset)).unwrap();
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
    }
}
