//! One controller's connection, from its hello to its end.
//!
//! The link is a reconciler too: it sends the wanted configuration in `welcome`, and again whenever it is woken
//! or a minute has passed and the revision in the database is another one. Rights go the same way, by themselves
//! ([`super::rights`]): they are made beside the link and fetched part by part, so no command waits for them.

use super::links::Order;
use super::news;
use super::rights::{self, Newest, Offer};
use crate::node::Node;
use crate::presence::{ControllerPresence, RightsThere};
use klinke_model::ids::{BootId, ControllerId, DoorId};
use klinke_model::scope::{Principal, Scope};
use klinke_model::time::Mono;
use klinke_wire::controller::{
    ControllerEvent, ControllerRequest, DoorReport, HEARTBEAT_MS, Held, Wanted, WantedDoor,
};
use klinke_wire::frame;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Notify, mpsc};

/// Three missed heartbeats make the link lost.
const SILENCE: Duration = Duration::from_millis(3 * HEARTBEAT_MS);
/// How often a link compares without being woken.
const RECONCILE: Duration = Duration::from_secs(60);

/// So many readers of a controller are known; a board with more is none of ours.
const MOST_READERS: usize = 256;

/// Why a link ended.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Io(#[from] std::io::Error),
    /// The controller sent something that is no frame.
    #[error("the controller sent {0}")]
    Frame(#[from] frame::FrameError),
    /// The controller said nothing for three heartbeats.
    #[error("the controller fell silent")]
    Silent,
    /// The first message was not what it has to be.
    #[error("the first message was not a hello")]
    NoHello,
    /// The database failed.
    #[error(transparent)]
    Storage(#[from] klinke_storage::StorageError),
}

/// A stream that speaks frames.
#[derive(Debug)]
pub struct Framed<S> {
    stream: S,
    buffer: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Framed<S> {
    /// Wraps a stream.
    pub const fn new(stream: S) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    /// The next message; `None` when the peer closed. Cancel-safe: what was read is kept.
    ///
    /// # Errors
    /// When the connection broke or the bytes are no frame.
    pub async fn next(&mut self) -> Result<Option<ControllerRequest>, LinkError> {
        loop {
            if let Some(message) = frame::decode(&mut self.buffer)? {
                return Ok(Some(message));
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// Sends a message.
    ///
    /// # Errors
    /// When the connection broke.
    pub async fn send(&mut self, event: &ControllerEvent) -> Result<(), LinkError> {
        self.stream.write_all(&frame::encode(event)?).await?;
        self.stream.flush().await?;
        Ok(())
    }
}

/// Carries one controller's link to its end. `scope` was found by its certificate.
///
/// # Errors
/// Says why it ended when the controller did not close it.
pub async fn carry<S>(
    node: &Arc<Node>,
    scope: Scope,
    controller: ControllerId,
    mut framed: Framed<S>,
) -> Result<(), LinkError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let hello = tokio::time::timeout(SILENCE, framed.next()).await.map_err(|_| LinkError::Silent)??;
    let Some(ControllerRequest::Hello {
        protocol,
        boot,
        mono,
        version,
        doors,
        rights,
        wired,
        readers,
        standing,
        ..
    }) = hello
    else {
        return Err(LinkError::NoHello);
    };
    if protocol < klinke_wire::CONTROLLER {
        let reason =
            format!("this server speaks protocol {}; update the controller", klinke_wire::CONTROLLER);
        return framed.send(&ControllerEvent::Refused { reason }).await;
    }
    debug_assert_eq!(scope.principal, Principal::Controller(controller));
    if let Some(standing) = &standing {
        Box::pin(news::end_forgotten(node, &scope, controller, standing)).await?;
    }
    let presence = ControllerPresence {
        version,
        arrived: node.clock.now(),
        wired,
        readers: readers.into_iter().take(MOST_READERS).collect(),
        rights: rights.map(|held| RightsThere {
            revision: held.revision,
            issued: held.issued,
            confirmed: None,
        }),
    };
    let link = Connected::begin(node, scope, controller, boot, mono, presence);
    link.run(framed, doors, rights).await
}

struct Connected<'n> {
    node: &'n Arc<Node>,
    scope: Scope,
    controller: ControllerId,
    id: u64,
    orders: mpsc::Receiver<Order>,
    sent: Option<u64>,
    doors: HashSet<DoorId>,
    /// Rights that the controller does not hold yet.
    offer: Option<Offer>,
    newest: Arc<Newest>,
}

impl<'n> Connected<'n> {
    fn begin(
        node: &'n Arc<Node>,
        scope: Scope,
        controller: ControllerId,
        boot: BootId,
        mono: Mono,
        presence: ControllerPresence,
    ) -> Self {
        let (id, orders) = node.links.connect(controller, boot, mono, node.clock.mono());
        // a controller forgets its windows with its link
        node.readings.link_lost(controller, node.clock.mono());
        node.presence.controller_arrives(controller, presence);
        let (doors, newest) = (HashSet::new(), Arc::default());
        Self { node, scope, controller, id, orders, sent: None, doors, offer: None, newest }
    }

    async fn run<S>(
        mut self,
        mut framed: Framed<S>,
        reports: Vec<DoorReport>,
        held: Option<Held>,
    ) -> Result<(), LinkError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let wanted = self.wanted().await?;
        self.sent = Some(wanted.revision);
        self.doors = wanted.doors.iter().map(|door| door.door).collect();
        let welcome = ControllerEvent::Welcome {
            protocol: klinke_wire::CONTROLLER,
            controller: self.controller,
            wanted,
            time: self.node.clock.now(),
        };
        framed.send(&welcome).await?;
        for report in reports {
            self.door(report);
        }
        let mut reconcile = tokio::time::interval(RECONCILE);
        let (wake, (offered, mut offers), node, scope) =
            (Notify::new(), mpsc::channel(1), self.node, self.scope);
        let newest = Arc::clone(&self.newest);
        let following = rights::follow(node, &scope, self.controller, held, &wake, &newest, offered);
        tokio::pin!(following);
        loop {
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(Order::Send(event)) => framed.send(&event).await?,
                    Some(Order::Reconcile) => {
                        wake.notify_one();
                        self.reconcile(&mut framed).await?;
                    }
                    Some(Order::Replaced) | None => return Ok(()),
                },
                request = tokio::time::timeout(SILENCE, framed.next()) => {
                    match request.map_err(|_| LinkError::Silent)?? {
                        Some(request) => self.hear(request, &mut framed).await?,
                        None => return Ok(()),
                    }
                }
                () = &mut following => {}
                Some(offer) = offers.recv() => {
                    framed.send(&offer.event()).await?;
                    self.offer = Some(offer);
                }
                _ = reconcile.tick() => self.reconcile(&mut framed).await?,
                () = self.node.stop.cancelled() => return Ok(()),
            }
        }
    }

    async fn hear<S>(&mut self, request: ControllerRequest, framed: &mut Framed<S>) -> Result<(), LinkError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let heard = |mono| self.node.links.heard(self.controller, mono, self.node.clock.mono());
        match request {
            ControllerRequest::Heartbeat { mono } => {
                heard(mono);
                let (time, newest) = (self.node.clock.now(), self.newest.get());
                framed.send(&ControllerEvent::Alive { time, newest }).await?;
                if let Some(newest) = newest {
                    self.node.presence.controller_confirmed(self.controller, newest, time);
                }
            }
            ControllerRequest::Outcome { mono, opening, outcome } => {
                heard(mono);
                self.node.links.outcome(opening, outcome);
            }
            ControllerRequest::Door { mono, door } => {
                heard(mono);
                self.door(door);
            }
            ControllerRequest::Applied { .. } => {}
            ControllerRequest::Enrolled { reading, key } => {
                // told to nobody when nobody waits for it any more
                self.node.readings.read(self.controller, reading, key, self.node.clock.mono());
            }
            ControllerRequest::EnrolRefused { reading, reason } => {
                tracing::info!(controller = %self.controller, ?reason, "a reader does not wait for a card");
                self.node.readings.refused(self.controller, reading, self.node.clock.mono());
            }
            ControllerRequest::Fetch { of, from } => {
                framed.send(&rights::fetched(self.offer.as_ref(), of, from)).await?;
            }
            // it will not ask for them again
            ControllerRequest::Holds { revision } => {
                if let Some(offer) = self.offer.take_if(|offer| offer.revision() == revision) {
                    let there = RightsThere { revision, issued: offer.issued(), confirmed: None };
                    self.node.presence.controller_holds(self.controller, there);
                }
            }
            ControllerRequest::Used { credentials } => {
                rights::count_used(self.node, &self.scope, self.controller, &credentials).await?;
                framed.send(&ControllerEvent::NotedUsed { credentials }).await?;
            }
            ControllerRequest::News { journal, entries } => {
                // boxed: it would make every link's future as big as its transaction
                let taken = Box::pin(news::take(self.node, &self.scope, self.controller, journal, &entries));
                if let Some(noted) = taken.await? {
                    framed.send(&noted).await?;
                }
            }
            ControllerRequest::Hello { .. } | ControllerRequest::Pair { .. } => {
                return Err(LinkError::NoHello);
            }
        }
        Ok(())
    }

    /// A controller speaks for its own doors only.
    fn door(&self, report: DoorReport) {
        if self.doors.contains(&report.door) {
            self.node.presence.door_reported(report.door, report.state);
            self.node.exchange.door_changed(report.door);
        }
    }

    async fn wanted(&self) -> Result<Wanted, LinkError> {
        let stored = self.node.store.doors().doors_of_controller(&self.scope, self.controller).await?;
        // a controller that was removed meanwhile drives nothing
        let (revision, doors) = stored.unwrap_or_default();
        let held = self.node.store.parts().held_doors(&self.scope, self.controller).await?;
        let held = |door| held.iter().find(|(other, _)| *other == door).map(|(_, held)| *held);
        let doors = doors
            .into_iter()
            .map(|door| WantedDoor {
                door: door.id,
                output: door.output,
                times: door.times,
                held: held(door.id),
                kind: door.kind,
            })
            .collect();
        Ok(Wanted { revision, doors })
    }

    async fn reconcile<S>(&mut self, framed: &mut Framed<S>) -> Result<(), LinkError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let wanted = self.wanted().await?;
        if self.sent != Some(wanted.revision) {
            self.sent = Some(wanted.revision);
            self.doors = wanted.doors.iter().map(|door| door.door).collect();
            framed.send(&ControllerEvent::Configure { wanted }).await?;
        }
        Ok(())
    }
}

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        if self.node.links.disconnect(self.controller, self.id) {
            self.node.readings.link_lost(self.controller, self.node.clock.mono());
        }
        let doors: Vec<DoorId> = self.doors.iter().copied().collect();
        self.node.presence.controller_leaves(self.controller, &doors, self.node.clock.now());
        for door in doors {
            self.node.exchange.door_changed(door);
        }
    }
}
