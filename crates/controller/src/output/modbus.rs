//! A coil of a Modbus unit as a lock. What ends its releases without us is the installer's choice ([`Ending`]).

use super::remote::{Device, LOOK_EVERY};
use crate::hardware::Ending;
use crate::modbus::bus::Bus;
use crate::modbus::frame::{OFF, ON, Request};
use std::io;
use std::time::Duration;

/// Where Waveshare's relay boards take "flash on": this plus the coil; the value is the time in tenths of a second.
pub const WAVESHARE_FLASH: u16 = 0x0200;

/// The longest time that "flash on" takes, tenths of a second.
const LONGEST_FLASH: u128 = 0x7FFF;

/// One coil.
#[derive(Debug)]
pub struct Coil {
    bus: Bus,
    unit: u8,
    coil: u16,
    ending: Ending,
}

impl Coil {
    /// A coil on a line.
    pub const fn new(bus: Bus, unit: u8, coil: u16, ending: Ending) -> Self {
        Self { bus, unit, coil, ending }
    }

    async fn write(&self, coil: u16, value: u16) -> io::Result<()> {
        self.bus.ask(self.unit, Request::WriteCoil { coil, value }).await.map(drop)
    }
}

impl Device for Coil {
    async fn release(&mut self, lease: Duration) -> io::Result<()> {
        match self.ending {
            Ending::TimerRelay(_) | Ending::UnitWatchdog(_) => self.write(self.coil, ON).await,
            Ending::WaveshareFlash => {
                // a lease is never made longer
                let tenths = u16::try_from((lease.as_millis() / 100).clamp(1, LONGEST_FLASH)).unwrap_or(1);
                self.write(WAVESHARE_FLASH | self.coil, tenths).await
            }
        }
    }

    async fn lock(&mut self) -> io::Result<()> {
        self.write(self.coil, OFF).await
    }

    async fn is_released(&mut self) -> io::Result<bool> {
        let coils = self.bus.ask(self.unit, Request::ReadCoils { first: self.coil, count: 1 }).await?;
        Ok(coils.first() == Some(&true))
    }

    /// A unit with a watchdog hears of us three times in its time, so that it only acts when we are gone.
    fn look_every(&self) -> Duration {
        match self.ending {
            Ending::UnitWatchdog(after) => LOOK_EVERY.min(after / 3),
            Ending::TimerRelay(_) | Ending::WaveshareFlash => LOOK_EVERY,
        }
    }
}
