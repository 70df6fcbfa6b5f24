//! An input on a line of this machine, by the kernel's edge events.
//!
//! Not tested by machine: it needs a real line. `docs/installers.md` says how to check it by hand.

use super::debounce::Debounce;
use super::{Level, Tell, Turn};
use crate::hardware::{GpioInput, LineLevel, Pull};
use gpiocdev::Request;
use gpiocdev::line::{Bias, EdgeDetection, Value};
use klinke_model::time::Clock;
use std::io;
use std::sync::Arc;
use tokio::io::unix::AsyncFd;
use tokio::time::sleep;
use tracing::warn;

/// One line, held while this lives.
#[derive(Debug)]
pub struct InputLine(AsyncFd<Request>);

impl InputLine {
    /// Takes the line.
    ///
    /// # Errors
    /// When there is no such line, another program has it, or it tells no edges.
    pub fn open(wiring: &GpioInput) -> io::Result<Self> {
        let mut builder = Request::builder();
        builder.on_chip(&wiring.chip).with_consumer("klinke-door").with_line(wiring.line).as_input();
        match wiring.active {
            LineLevel::High => builder.as_active_high(),
            LineLevel::Low => builder.as_active_low(),
        };
        match wiring.pull {
            Pull::Outside => &mut builder,
            Pull::Up => builder.with_bias(Bias::PullUp),
            Pull::Down => builder.with_bias(Bias::PullDown),
        };
        let request = builder.with_edge_detection(EdgeDetection::BothEdges).request();
        Self::watched(request.map_err(io::Error::other)?)
    }

    #[expect(
        deprecated,
        reason = "its successor is unsafe; a request keeps its own descriptor for as long as it lives"
    )]
    fn watched(request: Request) -> io::Result<Self> {
        AsyncFd::new(request).map(Self)
    }

    /// Watches it until the doors are gone, or the line is.
    pub async fn watch(self, mut debounce: Debounce, mut turn: Turn, tell: Tell, clock: Arc<dyn Clock>) {
        loop {
            let raw = match self.level() {
                Ok(raw) => raw,
                Err(error) => {
                    warn!(%error, "a line of an input is lost");
                    tell.say(&mut turn, Level::Unknown).await;
                    return;
                }
            };
            let now = clock.mono();
            let level = debounce.handle(raw, now);
            if !tell.say(&mut turn, level).await {
                return;
            }
            let settles = async {
                match debounce.wakes_at() {
                    Some(at) => sleep(at.since(clock.mono())).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                ready = self.0.readable() => if let Ok(mut ready) = ready {
                    // edges only wake us: what counts is the level afterwards
                    while self.0.get_ref().has_edge_event().unwrap_or_default() {
                        if self.0.get_ref().read_edge_event().is_err() {
                            break;
                        }
                    }
                    ready.clear_ready();
                },
                () = settles => {}
            }
        }
    }

    fn level(&self) -> io::Result<Level> {
        match self.0.get_ref().lone_value().map_err(io::Error::other)? {
            Value::Active => Ok(Level::Active),
            Value::Inactive => Ok(Level::Quiet),
        }
    }
}
