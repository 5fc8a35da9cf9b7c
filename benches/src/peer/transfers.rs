//! What is asked of the peer: the transfers that are asked of the bank.

use hyper::StatusCode;
use rand::Rng;
use rand::rngs::StdRng;
use serde::Deserialize;

use crate::load::{Count, Work};

/// Transfers of one cent between random accounts.
#[derive(Debug, Clone, Copy)]
pub struct PeerTransfers {
    /// They are numbered from one.
    pub accounts: u64,
}

impl Work for PeerTransfers {
    fn path(&self) -> &'static str {
        "/transfers"
    }

    fn body(&self, random: &mut StdRng) -> String {
        let source = random.gen_range(0..self.accounts);
        let destination = (source + random.gen_range(1..self.accounts)) % self.accounts;
        format!(
            r#"{{"source":{},"destination":{},"amount":"0.01"}}"#,
            source + 1,
            destination + 1
        )
    }

    fn count(&self, status: StatusCode, body: &[u8]) -> Count {
        #[derive(Deserialize)]
        struct Reply<'a> {
            status: &'a str,
        }
        let reply: Option<Reply<'_>> = serde_json::from_slice(body).ok();
        let done =
            status == StatusCode::CREATED && reply.is_some_and(|reply| reply.status == "committed");
        Count {
            done: u64::from(done),
            not_done: u64::from(!done),
        }
    }
}
