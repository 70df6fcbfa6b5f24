//! Has the accounts of the database be those that may register: at the start, after every change here, and once a minute for
//! what another server changed on the same database. And tells the calls of a person that a device of theirs has come.

use crate::node::Node;
use klinke_model::ids::{DeviceId, PersonId};
use klinke_storage::record::SipAccountOf;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// Keeps the accounts as they are in the database, for as long as the server runs.
pub async fn work(node: Arc<Node>) {
    if !node.stations.may_stand() {
        return;
    }
    let mut changed = node.stations.changes();
    let mut signed_out = node.exchange.signed_out.subscribe();
    loop {
        changed.mark_unchanged();
        signed_out.mark_unchanged();
        match node.store.gate().sip_logins().await {
            Ok(logins) => node.stations.refresh(logins),
            Err(error) => {
                tracing::error!(%error, "accounts of devices could not be read; they are tried again in a minute");
            }
        }
        let next = async {
            tokio::select! {
                _ = changed.changed() => {}
                _ = signed_out.changed() => {}
                () = tokio::time::sleep(MINUTE) => {}
            }
        };
        if node.stop.run_until_cancelled(next).await.is_none() {
            return;
        }
    }
}

/// Whoever registers while their home is rung joins the call.
pub async fn follow(node: Arc<Node>) {
    let Some(mut registered) = node.stations.registered() else { return };
    let mut before = Arc::<BTreeSet<String>>::default();
    loop {
        let now = Arc::clone(&registered.borrow_and_update());
        for name in now.difference(&before) {
            if let Some((device, person)) = device(&node, name) {
                node.exchange.device_back(device, person).await;
            }
        }
        before = now;
        // the house ends with the server
        if !matches!(node.stop.run_until_cancelled(registered.changed()).await, Some(Ok(()))) {
            return;
        }
    }
}

fn device(node: &Node, name: &str) -> Option<(DeviceId, PersonId)> {
    match node.stations.login(name)?.of {
        SipAccountOf::Device(device, person) => Some((device, person)),
        SipAccountOf::Panel(_) => None,
    }
}
