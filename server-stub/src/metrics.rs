//! What happened since the process began, as Prometheus reads it.

use std::{fmt, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::store::Store;

/// Upper ends of the time's classes, in seconds: a code takes a few milliseconds, a password tens.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0];

/// The media type of what [`Metrics::text`] writes.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Verified {
    via: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Messages {
    state: &'static str,
}

/// The counters. Clones count together.
#[derive(Clone)]
pub struct Metrics {
    verified: Family<Verified, Counter>,
    answered: Family<Answered, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let seconds: fn() -> Histogram = || Histogram::new(SECONDS);
        Self {
            verified: Family::default(),
            answered: Family::default(),
            seconds: Family::new_with_constructor(seconds),
        }
    }
}

impl Metrics {
    /// Counts what became of a code that came through a door; `None` where it was not decided.
    pub fn verified(&self, via: &'static str, accepted: Option<bool>) {
        let outcome = match accepted {
            Some(true) => "accepted",
            Some(false) => "refused",
            None => "failed",
        };
        self.verified.get_or_create(&Verified { via, outcome }).inc();
    }

    /// Counts an answer. The route is the pattern, never the path: that may name a user, and would have no end.
    pub fn answered(&self, method: &'static str, route: String, status: u16, took: Duration) {
        self.seconds.get_or_create(&Route { route: route.clone() }).observe(took.as_secs_f64());
        self.answered.get_or_create(&Answered { method, route, status }).inc();
    }

    /// Everything as text, with what the database says of the messages that wait.
    pub async fn text(&self, store: &Store) -> String {
        let (up, messages) = (Gauge::<i64>::default(), Family::<Messages, Gauge>::default());
        if let Ok(states) = store.outbox_states().await {
            up.set(1);
            for state in ["waiting", "sending", "failed"] {
                let count = states.iter().find(|(own, _)| own == state).map_or(0, |(_, count)| *count);
                messages.get_or_create(&Messages { state }).set(count);
            }
        }
        let mut registry = Registry::with_prefix("countersign");
        registry.register(
            "verifications",
            "Codes that were looked at, by the door they came through",
            self.verified.clone(),
        );
        registry.register("http_requests", "Answers by route and status", self.answered.clone());
        registry.register("http_request_duration_seconds", "How long answers took", self.seconds.clone());
        registry.register("database_up", "Whether the database answers", up);
        registry.register("outbox_messages", "Messages by how far they are", messages);
        let mut written = String::new();
        // Writing to a text does not fail.
        let _ = text::encode(&mut written, &registry);
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_falls_into_its_class() {
        let metrics = Metrics::default();
        metrics.answered("GET", "/healthz".to_owned(), 200, Duration::from_micros(2400));
        let mut registry = Registry::default();
        registry.register("seconds", "", metrics.seconds.clone());
        let mut written = String::new();
        text::encode(&mut written, &registry).unwrap();
        assert!(written.contains("seconds_bucket{le=\"0.001\",route=\"/healthz\"} 0"), "{written}");
        assert!(written.contains("seconds_bucket{le=\"0.0025\",route=\"/healthz\"} 1"), "{written}");
    }
}
