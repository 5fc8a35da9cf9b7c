//! Crash points: every arrow of the protocol has a name.

use reqwest::Method;
use serde_json::{Value, json};

use crate::TestBank;

/// What happens at a named point.
#[derive(Debug, Clone, Copy)]
pub enum Failpoint {
    /// The process ends as by SIGKILL.
    Abort,
    /// Whoever comes there waits until it is cleared.
    Pause,
    /// Whoever comes there fails.
    Fail,
}

impl Failpoint {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Abort => "abort",
            Self::Pause => "pause",
            Self::Fail => "fail",
        }
    }
}

impl TestBank {
    /// Arms a point of a running service, for the next time it is reached.
    ///
    /// # Panics
    /// When the service does not know it.
    pub async fn arm(&self, service: &str, point: &str, action: Failpoint) {
        let body = json!({"action": action.as_str(), "count": 1});
        self.failpoint(Method::PUT, service, point, Some(&body))
            .await;
    }

    /// Arms a point for every time it is reached.
    ///
    /// # Panics
    /// When the service does not know it.
    pub async fn arm_always(&self, service: &str, point: &str, action: Failpoint) {
        let body = json!({"action": action.as_str()});
        self.failpoint(Method::PUT, service, point, Some(&body))
            .await;
    }

    /// Disarms a point, and lets whoever waits there go on.
    ///
    /// # Panics
    /// When the service does not answer.
    pub async fn disarm(&self, service: &str, point: &str) {
        self.failpoint(Method::DELETE, service, point, None).await;
    }

    async fn failpoint(&self, method: Method, service: &str, point: &str, body: Option<&Value>) {
        let admin = self.admin().await;
        let url = format!("{}/demo/failpoints/{point}", self.url(service));
        let answer = admin
            .send(method, &url, None, body)
            .await
            .expect("an answer");
        assert!(answer.status.is_success(), "{point}: {}", answer.body);
    }
}
