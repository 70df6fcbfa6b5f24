//! A lock over a bus or a network: one task a lock, so that none waits for another.
//!
//! ```text
//!   told Release ──▶ the device says yes: done ─────────────▶ released until the lease ends, or told Lock
//!                └─▶ it fails or is late: not done ──┐
//!   told Lock ────▶ it says yes: done                ▼
//!             └───▶ it fails ────────────────▶ unsettled: told to lock every second until it says yes
//!   looked at: it does not answer ───────────▶ unsettled
//!              it is released without a lease ▶ told to lock
//! ```
//!
//! - Only the newest command counts: what was not begun when another came is never done.
//! - A release is sent only within [`ANSWER_LIMIT`] of its command, with what is left of its lease; it is never
//!   repeated. A device that was lost is told to lock when it is back, and nothing else.

use super::{ANSWER_LIMIT, OutputEvent, Ticket};
use std::future::Future;
use std::io;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tracing::{info, warn};

/// How often a device is told again to lock that has not said that it did.
pub const RETRY: Duration = Duration::from_secs(1);

/// How often a device is looked at that asks for nothing else.
pub const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A device that moves one lock. A future that is dropped leaves nothing behind that could be done later.
pub trait Device: Send + 'static {
    /// Releases for `lease` from now. When this has returned `Ok`, the device ends it by itself.
    fn release(&mut self, lease: Duration) -> impl Future<Output = io::Result<()>> + Send;
    /// Locks. When this has returned `Ok` it is locked.
    fn lock(&mut self) -> impl Future<Output = io::Result<()>> + Send;
    /// Whether it is released now.
    fn is_released(&mut self) -> impl Future<Output = io::Result<bool>> + Send;
    /// How often it must be looked at.
    fn look_every(&self) -> Duration {
        LOOK_EVERY
    }
}

/// What a lock is told.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// Which command this is.
    pub ticket: Ticket,
    /// When it was given.
    pub given: Instant,
    /// Release until `given` plus this; lock without.
    pub lease: Option<Duration>,
}

/// Drives one lock until the board is gone. Ends without a word to the device: the doors have told it to lock.
pub async fn drive(
    mut device: impl Device,
    output: u16,
    mut commands: watch::Receiver<Option<Command>>,
    events: mpsc::Sender<OutputEvent>,
) {
    let mut lock = Lock { output, leased_until: None, is_settled: false, is_lost: false };
    let mut look_at = Instant::now();
    loop {
        let newest = tokio::select! {
            biased;
            changed = commands.changed() => match changed {
                Ok(()) => *commands.borrow_and_update(),
                Err(_) => return,
            },
            () = sleep_until(look_at) => None,
        };
        match newest {
            Some(command) => {
                let is_done = lock.obey(&mut device, command).await;
                let event = OutputEvent { output, ticket: command.ticket, is_done };
                if events.send(event).await.is_err() {
                    return;
                }
            }
            None => lock.look(&mut device).await,
        }
        let every = if lock.is_settled { device.look_every() } else { device.look_every().min(RETRY) };
        look_at = Instant::now() + every;
    }
}

/// What is known of the lock.
struct Lock {
    output: u16,
    leased_until: Option<Instant>,
    /// Whether it did the last thing it was told.
    is_settled: bool,
    is_lost: bool,
}

impl Lock {
    async fn obey(&mut self, device: &mut impl Device, command: Command) -> bool {
        let done = match command.lease {
            None => self.lock(device).await,
            Some(lease) => self.release(device, command.given, lease).await,
        };
        self.heard(&done);
        done.is_ok()
    }

    async fn lock(&mut self, device: &mut impl Device) -> io::Result<()> {
        self.leased_until = None;
        let done = timeout(ANSWER_LIMIT, device.lock()).await.unwrap_or_else(|_| Err(late()));
        self.is_settled = done.is_ok();
        done
    }

    async fn release(&mut self, device: &mut impl Device, given: Instant, lease: Duration) -> io::Result<()> {
        let left = (given + lease).saturating_duration_since(Instant::now());
        if given.elapsed() >= ANSWER_LIMIT || left.is_zero() {
            return Err(late());
        }
        // until it has said yes it may have done anything
        self.is_settled = false;
        timeout_at(given + ANSWER_LIMIT, device.release(left)).await.unwrap_or_else(|_| Err(late()))?;
        (self.leased_until, self.is_settled) = (Some(given + lease), true);
        Ok(())
    }

    async fn look(&mut self, device: &mut impl Device) {
        let seen = if self.is_settled {
            timeout(ANSWER_LIMIT, device.is_released()).await.unwrap_or_else(|_| Err(late()))
        } else {
            self.lock(device).await.map(|()| false)
        };
        self.heard(&seen);
        match seen {
            Ok(true) if self.leased_until.is_none_or(|until| until <= Instant::now()) => {
                warn!(output = self.output, "an output was released by somebody else; locking it");
                let locked = self.lock(device).await;
                self.heard(&locked);
            }
            Ok(_) => {}
            // it may have been without power, and come back as it likes
            Err(_) => self.is_settled = false,
        }
    }

    /// Tells the log once when a device is lost, and once when it is back.
    fn heard<T>(&mut self, answer: &io::Result<T>) {
        match answer {
            Err(error) if !self.is_lost => {
                warn!(output = self.output, %error, "an output is lost; locking it as soon as it is back");
            }
            Ok(_) if self.is_lost => info!(output = self.output, "an output is back"),
            _ => {}
        }
        self.is_lost = answer.is_err();
    }
}

fn late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "no answer in time")
}

#[cfg(test)]
mod tests;
