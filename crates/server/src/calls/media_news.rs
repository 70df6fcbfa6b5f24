//! What the media rooms notice, brought to the calls they belong to. A room's id is its call's.

use super::driver::Message;
use crate::node::Node;
use klinke_media::MediaEvent;
use klinke_model::ids::{CallId, DeviceId};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Follows the rooms until the server stops. (The rooms would not end first: this holds them by the node.)
pub async fn follow(node: Arc<Node>, mut events: mpsc::Receiver<MediaEvent>) {
    while let Some(Some(event)) = node.stop.run_until_cancelled(events.recv()).await {
        let (room, message) = match event {
            // a lost panel offers again by itself: it needs no token
            MediaEvent::Connected { .. } | MediaEvent::Lost { peer: None, .. } => continue,
            MediaEvent::Lost { room, peer: Some(peer) } => (room, Message::MediaLost(DeviceId(peer.0))),
            MediaEvent::Quality { room, peer, quality } => {
                (room, Message::Quality(DeviceId(peer.0), quality))
            }
            MediaEvent::Shows { room, peer, can } => (room, Message::Shows(DeviceId(peer.0), can)),
            MediaEvent::RoomFailed { room } => {
                tracing::error!("a media room failed; its call ends");
                (room, Message::RoomFailed)
            }
        };
        node.exchange.tell(CallId(room.0), message).await;
    }
}
