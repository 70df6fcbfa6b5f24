//! Logs to standard error, counters for Prometheus.
//!
//! What may be said there is decided where it is said: see [`crate::http::access_log`], and `Pii` and `Secret`,
//! which print redacted.

use crate::config::{Log, LogFormat};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;
use tracing_subscriber::EnvFilter;

/// Begins to log. Only the first call of a process counts.
pub fn start(log: &Log) {
    let filter = EnvFilter::try_new(&log.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let _ = match log.format {
        LogFormat::Json => lines.json().try_init(),
        LogFormat::Pretty => lines.try_init(),
    };
}

/// The counters of this process. `metrics` has one recorder a process, so this is the one thing that is shared
/// by several servers in it (in tests).
pub fn metrics() -> &'static PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        // Somebody else's recorder stays; then this page is empty, and nothing else is wrong.
        let _ = metrics::set_global_recorder(recorder);
        handle
    })
}
