//! Carries moves out when their last day is over.
//!
//! Woken by time and by every new plan. What is due is looked up each time, and each move is one transaction that
//! happens once, so a restart in the middle loses nothing and repeats nothing.

use crate::node::Node;
use crate::signalling::refresh::panels_changed;
use klinke_model::scope::Scope;
use std::sync::Arc;
use std::time::Duration;

/// The longest sleep: a machine that slept, or whose clock was set, is late by this at most.
const NAP: Duration = Duration::from_secs(60);

/// Carries out what is due, for as long as the server runs.
pub async fn carry_out_when_due(node: Arc<Node>) {
    loop {
        let wait = carry_out_due(&node).await;
        tokio::select! {
            () = node.stop.cancelled() => return,
            () = node.moves_changed.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Carries out everything that is due now; how long nothing will be.
pub async fn carry_out_due(node: &Arc<Node>) -> Duration {
    loop {
        let now = node.clock.now();
        let (tenant, id, ends_at) = match node.store.gate().next_move().await {
            Ok(Some(next)) => next,
            Ok(None) => return NAP,
            Err(error) => {
                tracing::error!(%error, "could not look up the next move");
                return NAP;
            }
        };
        if ends_at > now {
            let left = u64::try_from(ends_at.as_millis() - now.as_millis()).unwrap_or(u64::MAX);
            return NAP.min(Duration::from_millis(left));
        }
        let service = Scope::system(tenant);
        match node.store.moves().carry_out_move(&service, &node.stamp(), id).await {
            Ok(Some(carried)) => {
                if let Ok(Some(done)) = node.store.moves().one_move(&service, id).await {
                    panels_changed(node, tenant, done.building);
                }
                for device in carried.devices {
                    node.exchange.device_signed_out(device).await;
                }
            }
            // another server was faster, or it was taken back
            Ok(None) => {}
            Err(error) => {
                tracing::error!(%error, "could not carry out a move");
                return NAP;
            }
        }
    }
}
