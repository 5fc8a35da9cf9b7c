//! Crash points: every arrow of the protocol has a name.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{TestBank, eventually};

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

    /// Waits until somebody waits at a point that was armed with [`Failpoint::Pause`].
    ///
    /// # Panics
    /// When nobody comes there.
    pub async fn waits_at(&self, service: &str, point: &str) {
        let admin = self.admin().await;
        let url = format!("{}/demo/failpoints/{point}", self.url(service));
        let what = format!("{service} comes to {point}");
        eventually(&what, || async {
            let answer = admin.send(Method::GET, &url, None, None).await.ok()?;
            (answer.body["paused"].as_u64()? > 0).then_some(())
        })
        .await;
    }

    /// The value of a metric of a service: what follows `name` on the first line that begins so.
    pub async fn metric(&self, service: &str, name: &str) -> Option<String> {
        let url = self.url(service) + "/metrics";
        let text = reqwest::get(url).await.ok()?.text().await.ok()?;
        let found = text.lines().find_map(|line| line.strip_prefix(name))?;
        Some(found.trim().to_owned())
    }

    /// Waits until a service calls for a person.
    ///
    /// # Panics
    /// When it does not.
    pub async fn alarm(&self, service: &str) {
        eventually(&format!("{service} raises an alarm"), || async {
            let open = self.metric(service, "bank_interventions_open ").await?;
            (open.parse::<f64>().ok()? > 0.0).then_some(())
        })
        .await;
    }

    /// How many lines with this event a process has logged.
    ///
    /// # Panics
    /// When there is no such process.
    #[must_use]
    pub fn logged(&self, service: &str, event: &str) -> usize {
        let log = self.bank.process(service).expect("a process").log;
        let text = std::fs::read_to_string(log).unwrap_or_default();
        text.lines().filter(|line| line.contains(event)).count()
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
