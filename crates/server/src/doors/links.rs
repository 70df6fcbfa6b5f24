//! Which controllers are connected, and the way an open command takes to one and its outcome back.
//!
//! Invariants:
//! - a command is handed to the connection that is there *now*, for the boot it announced; it is never kept for
//!   later, so nothing opens when a link comes back;
//! - the deadline is reckoned from the newest clock reading the controller sent. A reading is older when it
//!   arrives than when it was taken, and [`UNCERTAINTY`] covers what two clocks disagree about, so the reckoned
//!   deadline is early, never late (a controller refuses a late one);
//! - everything here is in memory and forgets an opening when it ends.

use super::readings::{Ended, WINDOW};
use klinke_model::ids::{BootId, ControllerId, DoorId, OpeningId, ReadingId};
use klinke_model::time::Mono;
use klinke_wire::controller::{ControllerEvent, OPEN_LIFE_MS, Outcome};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How long after a command's death its outcome may still arrive.
const GRACE: Duration = Duration::from_millis(500);

/// How far ahead of the controller's clock its reckoned reading may be: both clocks are read in whole milliseconds
/// (1 ms), and clocks drift apart by up to 200 ppm between two readings, at most 15 s (3 ms); and some to spare.
const UNCERTAINTY: Duration = Duration::from_millis(10);

/// Commands that may wait for one controller; a door phone never has more in five seconds.
pub const QUEUE: usize = 64;

/// Why a command got no outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoOutcome {
    /// The controller is not connected, or its connection does not take commands.
    Offline,
    /// It did not say what became of the command while the command could live.
    Silent,
}

/// A command on its way.
#[derive(Debug)]
pub struct Sent {
    outcome: oneshot::Receiver<Outcome>,
    opening: OpeningId,
}

/// Connected controllers.
#[derive(Debug, Default)]
pub struct Links {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    links: HashMap<ControllerId, Link>,
    waiting: HashMap<OpeningId, oneshot::Sender<Outcome>>,
    next: u64,
}

#[derive(Debug)]
struct Link {
    /// Tells this connection from a newer one of the same controller.
    id: u64,
    queue: mpsc::Sender<Order>,
    boot: BootId,
    /// A reading of the controller's clock and ours when it arrived.
    clock: (Mono, Mono),
}

/// What a link is told to do.
#[derive(Debug)]
pub enum Order {
    /// Send this.
    Send(ControllerEvent),
    /// Read the wanted configuration again and send it if it changed.
    Reconcile,
    /// A newer connection of the same controller is here: end.
    Replaced,
}

impl Links {
    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        // a panic while the lock is held can leave no half state: every critical section is one map operation
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A controller said hello. A former connection of it is told to end.
    pub fn connect(
        &self,
        controller: ControllerId,
        boot: BootId,
        heard: Mono,
        now: Mono,
    ) -> (u64, mpsc::Receiver<Order>) {
        let (queue, orders) = mpsc::channel(QUEUE);
        let mut inner = self.lock();
        inner.next += 1;
        let id = inner.next;
        let former = inner.links.insert(controller, Link { id, queue, boot, clock: (heard, now) });
        drop(inner);
        if let Some(former) = former {
            // a full queue means that the former connection is dead; dropping its sender ends it as well
            drop(former.queue.try_send(Order::Replaced));
        }
        (id, orders)
    }

    /// A connection ended; a newer one of the same controller stays.
    /// Whether it was the newest.
    pub fn disconnect(&self, controller: ControllerId, id: u64) -> bool {
        let mut inner = self.lock();
        let is_newest = inner.links.get(&controller).is_some_and(|link| link.id == id);
        if is_newest {
            inner.links.remove(&controller);
        }
        is_newest
    }

    /// A controller was removed: its connection ends, and no command reaches it.
    pub fn removed(&self, controller: ControllerId) {
        // the queue goes with it, and the connection ends when it finds that
        self.lock().links.remove(&controller);
    }

    /// A controller sent a reading of its clock.
    pub fn heard(&self, controller: ControllerId, reading: Mono, now: Mono) {
        if let Some(link) = self.lock().links.get_mut(&controller) {
            link.clock = (reading, now);
        }
    }

    /// A controller said what became of a command. Late and foreign ones fall on the floor.
    pub fn outcome(&self, opening: OpeningId, outcome: Outcome) {
        if let Some(waiting) = self.lock().waiting.remove(&opening) {
            // the asker may have gone
            let _ = waiting.send(outcome);
        }
    }

    /// Asks the link to compare the wanted configuration with the one it sent last.
    pub fn reconcile(&self, controller: ControllerId) {
        if let Some(link) = self.lock().links.get(&controller) {
            // a full queue is served soon, and every link reconciles by timer too
            drop(link.queue.try_send(Order::Reconcile));
        }
    }

    /// Has a reader of a controller wait for a card, for [`WINDOW`] from now. `false` when it is not connected.
    pub fn enrol(&self, controller: ControllerId, reading: ReadingId, reader: u16, now: Mono) -> bool {
        let inner = self.lock();
        let Some(link) = inner.links.get(&controller) else { return false };
        let (read, at) = link.clock;
        let until = read + now.since(at) + (WINDOW - UNCERTAINTY);
        let wish = ControllerEvent::Enrol { boot: link.boot, reading, reader, until };
        link.queue.try_send(Order::Send(wish)).is_ok()
    }

    /// Nobody waits for these cards any more. A window that is not reached ends by itself.
    pub fn end_enrol(&self, ended: Ended) {
        let inner = self.lock();
        for (controller, reading) in ended {
            if let Some(link) = inner.links.get(&controller) {
                drop(link.queue.try_send(Order::Send(ControllerEvent::EndEnrol { reading })));
            }
        }
    }

    /// Sends an open command to a controller.
    ///
    /// # Errors
    /// [`NoOutcome::Offline`] when it is not connected.
    pub fn open(
        &self,
        controller: ControllerId,
        opening: OpeningId,
        door: DoorId,
        hold: Duration,
        now: Mono,
    ) -> Result<Sent, NoOutcome> {
        let mut inner = self.lock();
        let link = inner.links.get(&controller).ok_or(NoOutcome::Offline)?;
        let (reading, at) = link.clock;
        let command = ControllerEvent::Open {
            boot: link.boot,
            opening,
            door,
            hold_ms: u32::try_from(hold.as_millis()).unwrap_or(u32::MAX),
            not_after: reading + now.since(at) + (Duration::from_millis(OPEN_LIFE_MS) - UNCERTAINTY),
        };
        link.queue.try_send(Order::Send(command)).map_err(|_| NoOutcome::Offline)?;
        let (waiting, outcome) = oneshot::channel();
        inner.waiting.insert(opening, waiting);
        Ok(Sent { outcome, opening })
    }

    /// Waits for what became of a command, as long as it can live.
    ///
    /// # Errors
    /// [`NoOutcome::Silent`] when nothing was heard by then. The command is dead at the controller too.
    pub async fn await_outcome(&self, sent: Sent) -> Result<Outcome, NoOutcome> {
        let life = Duration::from_millis(OPEN_LIFE_MS) + GRACE;
        let outcome = tokio::time::timeout(life, sent.outcome).await;
        self.lock().waiting.remove(&sent.opening);
        match outcome {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(_)) | Err(_) => Err(NoOutcome::Silent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::ids;

    fn ms(ms: u64) -> Mono {
        Mono::from_millis(ms)
    }

    fn ids() -> (ControllerId, OpeningId, DoorId, BootId) {
        let id = |byte| ids::v4([byte; 16]);
        (ControllerId(id(1)), OpeningId(id(2)), DoorId(id(3)), BootId(id(4)))
    }

    #[tokio::test]
    async fn the_deadline_is_reckoned_on_the_controllers_clock() {
        let (controller, opening, door, boot) = ids();
        let links = Links::default();
        let (_, mut orders) = links.connect(controller, boot, ms(1_000_000), ms(50));
        let sent = links.open(controller, opening, door, Duration::from_secs(5), ms(250)).unwrap();
        let Some(Order::Send(ControllerEvent::Open { not_after, boot: to, hold_ms, .. })) =
            orders.recv().await
        else {
            panic!("no command");
        };
        assert_eq!((not_after, to, hold_ms), (ms(1_005_190), boot, 5_000));
        links.outcome(opening, Outcome::Opened { for_ms: 5_000 });
        links.outcome(opening, Outcome::Expired);
        assert_eq!(links.await_outcome(sent).await, Ok(Outcome::Opened { for_ms: 5_000 }));
    }

    #[tokio::test]
    async fn nothing_is_kept_for_a_controller_that_is_away() {
        let (controller, opening, door, boot) = ids();
        let links = Links::default();
        let hold = Duration::from_secs(5);
        assert_eq!(links.open(controller, opening, door, hold, ms(0)).unwrap_err(), NoOutcome::Offline);
        let (old, mut old_orders) = links.connect(controller, boot, ms(0), ms(0));
        let (new, mut orders) = links.connect(controller, boot, ms(0), ms(0));
        assert!(matches!(old_orders.recv().await, Some(Order::Replaced)));
        links.disconnect(controller, old);
        assert!(links.open(controller, opening, door, hold, ms(0)).is_ok(), "the newer connection is there");
        links.disconnect(controller, new);
        assert_eq!(links.open(controller, opening, door, hold, ms(0)).unwrap_err(), NoOutcome::Offline);
        assert!(matches!(orders.recv().await, Some(Order::Send(_))));
        assert!(orders.recv().await.is_none(), "nothing waits");
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_controller_ends_the_wait_after_the_commands_death() {
        let (controller, opening, door, boot) = ids();
        let links = Links::default();
        let (_, _orders) = links.connect(controller, boot, ms(0), ms(0));
        let sent = links.open(controller, opening, door, Duration::from_secs(5), ms(0)).unwrap();
        let begin = tokio::time::Instant::now();
        assert_eq!(links.await_outcome(sent).await, Err(NoOutcome::Silent));
        assert!(begin.elapsed() >= Duration::from_millis(OPEN_LIFE_MS));
        assert!(links.lock().waiting.is_empty());
    }
}
