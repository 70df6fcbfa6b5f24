//! Many measured times as a few figures.

use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The moment, for measuring.
#[expect(clippy::disallowed_methods, reason = "this is the measurement")]
pub fn now() -> Instant {
    Instant::now()
}

/// Times in ms: how many, median, tail and longest.
pub fn times(mut all: Vec<Duration>) -> Value {
    all.sort();
    json!({
        "n": all.len(),
        "p50": quantile(&all, 0.5),
        "p99": quantile(&all, 0.99),
        "max": quantile(&all, 1.0),
    })
}

/// The smallest time that at least this share of all does not exceed (nearest rank), in ms; zero when there is none.
fn quantile(sorted: &[Duration], share: f64) -> f64 {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_nearest_rank() {
        let hundred = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(times(hundred), json!({ "n": 100, "p50": 50.0, "p99": 99.0, "max": 100.0 }));
        assert_eq!(times(Vec::new()), json!({ "n": 0, "p50": 0.0, "p99": 0.0, "max": 0.0 }));
    }
}
