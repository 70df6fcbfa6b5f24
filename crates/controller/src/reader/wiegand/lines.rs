//! The two wires of a Wiegand reader on lines of this machine, by the kernel's edge events with the kernel's times.
//!
//! Not tested by machine: it needs real lines. `docs/installers.md` says how to check it by hand.

use super::{GAP_NS, Outcome, Wiegand, Wire};
use crate::reader::{OfflineReason, ReaderEvent, Reading};
use gpiocdev::Request;
use gpiocdev::line::{EdgeDetection, EventClock};
use std::io;
use std::path::Path;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;
use tokio::sync::mpsc;
use tracing::debug;

/// A burst of the longest format fits the kernel's memory many times over, however late we read it.
const EDGES_KEPT: u32 = 1_024;

/// Watches a reader's wires on a thread of its own until nobody listens. The wires rest high and are pulled low for
/// each bit; resistors outside pull them up.
///
/// # Errors
/// When there are no such lines, another program has them, or there is no thread to be had.
pub fn watch(
    reader: u16,
    chip: &Path,
    data0: u32,
    data1: u32,
    events: mpsc::Sender<ReaderEvent>,
) -> io::Result<JoinHandle<()>> {
    let request = Request::builder()
        .on_chip(chip)
        .with_consumer("klinke-door")
        .with_kernel_event_buffer_size(EDGES_KEPT)
        .with_lines(&[data0, data1])
        .as_input()
        .with_edge_detection(EdgeDetection::FallingEdge)
        .with_event_clock(EventClock::Monotonic)
        .request()
        .map_err(io::Error::other)?;
    Builder::new().name("wiegand".to_owned()).spawn(move || {
        let say = |what| events.blocking_send(ReaderEvent { reader, what }).is_ok();
        if !say(Reading::Online) {
            return;
        }
        let ended = listen(&request, data1, &say, || events.is_closed());
        debug!(?ended, "the wires of a reader are not watched any more");
        say(Reading::Offline(OfflineReason::LineLost));
    })
}

/// Reads edges until the lines are lost or nobody listens.
fn listen(
    request: &Request,
    data1: u32,
    say: &impl Fn(Reading) -> bool,
    is_over: impl Fn() -> bool,
) -> gpiocdev::Result<()> {
    let gap = Duration::from_nanos(GAP_NS);
    let (mut decoder, mut last_ns, mut last_number) = (Wiegand::default(), 0, None::<u32>);
    while !is_over() {
        let outcome = if request.wait_edge_event(gap)? {
            let edge = request.read_edge_event()?;
            // the kernel numbers edges: a missing number is a lost bit, and what is being read is nothing
            let is_next = last_number.is_none_or(|last| edge.seqno == last.wrapping_add(1));
            (last_number, last_ns) = (Some(edge.seqno), edge.timestamp_ns);
            let wire = if edge.offset == data1 { Wire::Data1 } else { Wire::Data0 };
            let outcome = decoder.edge(wire, edge.timestamp_ns);
            if !is_next {
                decoder.spoil();
            }
            outcome
        } else {
            // nothing came for a whole gap: what was being read is over
            decoder.settle(last_ns.saturating_add(GAP_NS))
        };
        let said = match outcome {
            Some(Outcome::Read(reading)) => say(reading),
            Some(Outcome::Refused(why)) => {
                debug!(?why, "a reader sent something that is no card and no key");
                true
            }
            None => true,
        };
        if !said {
            return Ok(());
        }
    }
    Ok(())
}
