//! What the signalling tests stand on: a house with doors, panels, phones and a door controller, all real.

pub mod app;
#[path = "../../../../sip/tests/it/baresip.rs"]
pub mod baresip;
pub mod desk_phone;
pub mod door;
pub mod house;
pub mod panel;
pub mod process;
#[path = "../../../../sip/tests/it/proxy.rs"]
#[expect(dead_code, reason = "here its port is always one that devices registered from")]
pub mod proxy;
pub mod socket;
pub mod trunk;

use std::time::Duration;

/// How long anything may take before a test gives up. Generous: it ends a test that fails, it never times one.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until something that no message tells of is so.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let looking = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, looking).await.is_ok(), "never came: {what}");
}
