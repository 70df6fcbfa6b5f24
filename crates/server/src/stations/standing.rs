//! Has the accounts of the database be those that may register: at the start, with every change here, and once a minute for
//! what another server changed on the same database. And tells the calls of a person that a device of theirs has come.

use crate::node::Node;
use crate::relays;
use klinke_storage::record::SipAccountOf;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// Keeps the accounts as they are in the database, for as long as the server runs.
pub async fn work(node: Arc<Node>) {
    if !node.stations.may_stand() {
        return;
    }
    let mut signed_out = node.exchange.signed_out.subscribe();
    loop {
        signed_out.mark_unchanged();
        look(&node).await;
        let next = async {
            tokio::select! {
                _ = signed_out.changed() => {}
                () = tokio::time::sleep(MINUTE) => {}
            }
        };
        if node.stop.run_until_cancelled(next).await.is_none() {
            return;
        }
    }
}

/// Reads the accounts. Those in the database may register when this is done, and nobody else: whoever is shown a new one can
/// type it in, and whose account is gone is out.
pub async fn look(node: &Node) {
    if !node.stations.may_stand() {
        return;
    }
    let _turn = node.stations.reading.lock().await;
    match node.store.gate().sip_logins().await {
        Ok(logins) => node.stations.refresh(logins).await,
        Err(error) => {
            tracing::error!(%error, "accounts of devices could not be read; they are tried again in a minute");
        }
    }
}

/// Whoever registers while their home is rung joins the call, and a panel is there while its door station is registered.
pub async fn follow(node: Arc<Node>) {
    let Some(mut registered) = node.stations.registered() else { return };
    let mut before = Arc::<BTreeSet<String>>::default();
    // by name: an account that is taken away is not known any more when its registration ends
    let mut panels = HashMap::new();
    loop {
        let now = Arc::clone(&registered.borrow_and_update());
        for name in before.difference(&now) {
            if let Some((tenant, panel)) = panels.remove(name) {
                node.presence.panel_leaves(panel);
                relays::look(&node, tenant, panel).await;
            }
        }
        for name in now.difference(&before) {
            match node.stations.login(name).map(|login| (login.tenant, login.of)) {
                Some((_, SipAccountOf::Device(device, person))) => {
                    node.exchange.device_back(device, person).await;
                }
                Some((tenant, SipAccountOf::Panel(panel))) => {
                    node.presence.panel_arrives(panel);
                    panels.insert(name.clone(), (tenant, panel));
                    relays::look(&node, tenant, panel).await;
                }
                None => {}
            }
        }
        before = now;
        // the house ends with the server
        if !matches!(node.stop.run_until_cancelled(registered.changed()).await, Some(Ok(()))) {
            return;
        }
    }
}
