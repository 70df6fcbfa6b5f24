//! Sessions whose last day is over: they are not only refused, they and their devices go. A device that nobody signs in
//! on any longer would otherwise be rung for ever, and its name kept.

use crate::node::Node;
use klinke_storage::StorageError;

/// Ends what is over today; connections that are still there close as when a device is signed out. Gives how many.
///
/// # Errors
/// When the database can not be written.
pub async fn end(node: &Node) -> Result<usize, StorageError> {
    let mut ended = 0;
    loop {
        let gone = node.store.gate().end_expired(node.clock.now().day()).await?;
        if gone.is_empty() {
            return Ok(ended);
        }
        for device in &gone {
            node.exchange.device_signed_out(*device).await;
        }
        ended += gone.len();
    }
}
