//! Services, and the token they are shown.

use client::Claims;
use serde::Serialize;
use types::views::{Health, Readiness};

use super::{moment, yes_no};
use crate::cli::table::{Cell, Record, Table, Tone};

/// What one service said about itself.
#[derive(Debug, Clone, Serialize)]
pub struct ServiceHealth {
    pub service: String,
    pub url: String,
    pub health: Option<Health>,
    pub readiness: Option<Readiness>,
    pub error: Option<String>,
}

impl ServiceHealth {
    pub fn is_ready(&self) -> bool {
        self.readiness.as_ref().is_some_and(|r| r.ready)
    }
}

pub fn services(services: &[ServiceHealth]) -> Table {
    let mut table = Table::new("No services.")
        .rigid("Service")
        .rigid("State")
        .number("Up")
        .rigid("Version")
        .text("Depends on");
    for service in services {
        let state = match (&service.health, service.is_ready()) {
            (None, _) => Cell::toned("down", Tone::Bad),
            (Some(_), ready) => yes_no(ready, "ready", "not ready"),
        };
        let health = service.health.as_ref();
        table.row(vec![
            (&service.service).into(),
            state,
            health
                .map(|h| uptime(h.uptime_seconds))
                .unwrap_or_default()
                .into(),
            health.map(|h| h.version.clone()).unwrap_or_default().into(),
            dependencies(service).into(),
        ]);
    }
    table
}

fn dependencies(service: &ServiceHealth) -> String {
    if let Some(error) = &service.error {
        return error.clone();
    }
    let readiness = service.readiness.iter().flat_map(|r| &r.dependencies);
    let lines = readiness.map(|item| match (&item.detail, item.ready) {
        (_, true) => format!("{}: ok", item.name),
        (Some(detail), false) => format!("{}: {detail}", item.name),
        (None, false) => format!("{}: missing", item.name),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn uptime(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

pub fn token(username: &str, claims: &Claims) -> Record {
    let left = claims.seconds_left();
    let expiry = if left < 0 {
        Cell::toned("expired", Tone::Bad)
    } else {
        format!("{} min {} s", left / 60, left % 60).into()
    };
    Record::new()
        .field("Login", username)
        .field("Role", claims.role)
        .maybe("Customer", claims.customer_id)
        .field("Subject", &claims.sub)
        .field("Issuer", &claims.iss)
        .field("Audience", audience(&claims.aud))
        .maybe("Token id", claims.jti.clone())
        .maybe("Expires", claims.expires_at().map(moment))
        .field("Left", expiry)
}

fn audience(audience: &serde_json::Value) -> String {
    match audience.as_str() {
        Some(text) => text.to_owned(),
        None => audience.to_string(),
    }
}
