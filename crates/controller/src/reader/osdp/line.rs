//! The thin end: a machine of this module on a serial line, or on whatever answers like one.
//!
//! The line may go and come back (a USB adapter that is pulled out): the machine is told, and it is opened again.

use super::bus::{Bus, BusEvent, BusOrder};
use super::emulation::{Emulation, PanelEvent};
use super::{Input, Output};
use klinke_model::credential::CredentialKey;
use klinke_model::time::{Clock, Mono};
use serial2_tokio::SerialPort;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tracing::{info, warn};

/// A line that cannot be opened is tried again after this.
const REOPEN_AFTER: Duration = Duration::from_secs(1);

/// A line that does not take a frame for this long is lost.
const WRITE_LIMIT: Duration = Duration::from_secs(1);

/// What runs on a line: a [`Bus`] of readers, or an [`Emulation`] of one.
pub trait Machine: Send {
    /// What it tells.
    type Event: Send;
    /// What it is asked for.
    type Order: Send;
    /// One input.
    fn handle(&mut self, input: Input<'_>, now: Mono);
    /// One order.
    fn order(&mut self, order: Self::Order, now: Mono);
    /// What is to be done now.
    fn poll(&mut self) -> Output<Self::Event>;
}

impl Machine for Bus {
    type Event = BusEvent;
    type Order = BusOrder;

    fn handle(&mut self, input: Input<'_>, now: Mono) {
        Self::handle(self, input, now);
    }

    fn order(&mut self, order: BusOrder, now: Mono) {
        Self::order(self, order, now);
    }

    fn poll(&mut self) -> Output<BusEvent> {
        Self::poll(self)
    }
}

/// What an emulated reader is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmulationOrder {
    /// See [`Emulation::present`].
    Present(CredentialKey),
    /// See [`Emulation::withdraw`].
    Withdraw,
    /// See [`Emulation::open_install`].
    OpenInstall(Duration),
}

impl Machine for Emulation {
    type Event = PanelEvent;
    type Order = EmulationOrder;

    fn handle(&mut self, input: Input<'_>, now: Mono) {
        Self::handle(self, input, now);
    }

    fn order(&mut self, order: EmulationOrder, now: Mono) {
        match order {
            EmulationOrder::Present(card) => self.present(card, now),
            EmulationOrder::Withdraw => self.withdraw(),
            EmulationOrder::OpenInstall(length) => self.open_install(length, now),
        }
    }

    fn poll(&mut self) -> Output<PanelEvent> {
        Self::poll(self)
    }
}

/// One line and what runs on it.
pub struct Line<M: Machine> {
    /// The device file.
    pub path: PathBuf,
    /// Its speed in baud; 8 bits, no parity, one stop bit.
    pub baud: u32,
    /// What runs on it.
    pub machine: M,
    /// What it is asked for.
    pub orders: mpsc::Receiver<M::Order>,
    /// What it tells; readers wait while nobody takes it.
    pub events: mpsc::Sender<M::Event>,
    /// The machine's clocks.
    pub clock: Arc<dyn Clock>,
}

/// Why a line ended.
enum Ended {
    Lost(io::Error),
    /// Nobody is there any more to ask or to be told.
    Unwanted,
}

impl<M: Machine> Line<M> {
    /// Runs the machine on its line until nobody asks it for anything any more, opening the line again whenever it is
    /// lost.
    pub async fn run(mut self) {
        let mut is_known_lost = false;
        loop {
            let error = match SerialPort::open(&self.path, self.baud) {
                Ok(port) => {
                    info!(path = %self.path.display(), "line of readers opened");
                    is_known_lost = false;
                    self.machine.handle(Input::LineBack, self.clock.mono());
                    match self.serve(&port).await {
                        Ended::Lost(error) => error,
                        Ended::Unwanted => return,
                    }
                }
                Err(error) => error,
            };
            if !is_known_lost {
                warn!(path = %self.path.display(), %error, "line of readers lost; opening it until it is there");
                is_known_lost = true;
            }
            self.machine.handle(Input::LineLost, self.clock.mono());
            if self.wait_without_line().await.is_err() {
                return;
            }
        }
    }

    async fn serve(&mut self, port: &SerialPort) -> Ended {
        // what lies in the device from before belongs to no command of ours
        let _ = port.discard_buffers();
        let mut bytes = [0; 512];
        loop {
            let wake = match self.drain(Some(port)).await {
                Ok(wake) => wake,
                Err(ended) => return ended,
            };
            let wait = wake.since(self.clock.mono());
            tokio::select! {
                read = port.read(&mut bytes) => match read {
                    Ok(0) => return Ended::Lost(io::ErrorKind::UnexpectedEof.into()),
                    Ok(count) => {
                        let came = bytes.get(..count).unwrap_or_default();
                        self.machine.handle(Input::Bytes(came), self.clock.mono());
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Ended::Lost(error),
                },
                order = self.orders.recv() => match order {
                    Some(order) => self.machine.order(order, self.clock.mono()),
                    None => return Ended::Unwanted,
                },
                () = tokio::time::sleep(wait) => self.machine.handle(Input::Tick, self.clock.mono()),
            }
        }
    }

    /// Carries out what the machine wants; returns when it wants to be woken.
    async fn drain(&mut self, port: Option<&SerialPort>) -> Result<Mono, Ended> {
        loop {
            match (self.machine.poll(), port) {
                (Output::Write(bytes), Some(port)) => {
                    let written = tokio::time::timeout(WRITE_LIMIT, port.write_all(&bytes)).await;
                    written.unwrap_or_else(|late| Err(late.into())).map_err(Ended::Lost)?;
                }
                (Output::Write(_), None) => {}
                (Output::Event(event), _) => self.events.send(event).await.map_err(|_| Ended::Unwanted)?,
                (Output::Wait(wake), _) => return Ok(wake),
            }
        }
    }

    /// Answers orders for [`REOPEN_AFTER`] as a machine without a line does.
    async fn wait_without_line(&mut self) -> Result<(), Ended> {
        let reopen = tokio::time::sleep(REOPEN_AFTER);
        tokio::pin!(reopen);
        loop {
            self.drain(None).await?;
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(order) => self.machine.order(order, self.clock.mono()),
                    None => return Err(Ended::Unwanted),
                },
                () = &mut reopen => return Ok(()),
            }
        }
    }
}
