//! What no bridge gets around: libopus decodes the panel's packets at 8,000 samples a second and encodes the phone's frames.
//! With the settings of our codec and the same sound, one pair of coders for each call, in turn.

use super::{FRAME_US, sound};
use crate::Result;
use crate::figures::now;
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

/// Frames of all calls together that are counted in a tight loop.
const FRAMES: usize = 10_000;
/// How long the same is done by the clock.
const PACED: Duration = Duration::from_secs(5);

/// One call's coders.
struct Coders {
    decoder: opus::Decoder,
    encoder: opus::Encoder,
    /// Where in the sound it is.
    at: usize,
}

impl Coders {
    fn new(at: usize) -> Result<Self> {
        let mut encoder = opus::Encoder::new(8_000, opus::Channels::Mono, opus::Application::Voip)?;
        encoder.set_bitrate(opus::Bitrate::Bits(24_000))?;
        encoder.set_inband_fec(true)?;
        encoder.set_packet_loss_perc(10)?;
        Ok(Self { decoder: opus::Decoder::new(8_000, opus::Channels::Mono)?, encoder, at })
    }

    fn frame(&mut self, packets: &[Vec<u8>], frames: &[Vec<i16>]) -> Result<()> {
        let (mut samples, mut packet) = ([0_i16; 960], [0_u8; 400]);
        let at = self.at % sound::FRAMES;
        self.at += 1;
        self.decoder.decode(&packets[at], &mut samples, false)?;
        self.encoder.encode(&frames[at], &mut packet)?;
        Ok(())
    }
}

/// The processor time of so many calls' coders: in a tight loop, and woken up for every frame.
///
/// # Errors
/// When libopus refuses.
pub fn cost(calls: usize) -> Result<Value> {
    let (packets, frames) = (sound::opus()?, sound::phone_frames());
    let mut coders = (0..calls).map(|call| Coders::new(call * 37)).collect::<Result<Vec<_>>>()?;
    // until every buffer is there
    for n in 0..calls * 20 {
        coders[n % calls].frame(&packets, &frames)?;
    }
    let before = of_this_thread()?;
    for n in 0..FRAMES {
        coders[n % calls].frame(&packets, &frames)?;
    }
    let tight = (of_this_thread()? - before) / FRAMES as f64;

    let (began, before) = (now(), of_this_thread()?);
    let step = Duration::from_millis(20) / u32::try_from(calls)?;
    let paces = (0_u32..).map(|n| step * n).take_while(|due| *due < PACED);
    let mut done = 0;
    for due in paces {
        std::thread::sleep(due.saturating_sub(began.elapsed()));
        coders[done % calls].frame(&packets, &frames)?;
        done += 1;
    }
    let paced = (of_this_thread()? - before) / done as f64;
    Ok(json!({
        "us_per_frame": tight,
        "cpu_percent_per_call": tight / FRAME_US * 100.0,
        "paced_cpu_percent_per_call": paced / FRAME_US * 100.0,
    }))
}

/// Processor time of this thread, microseconds.
fn of_this_thread() -> Result<f64> {
    let stat = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = stat.split(' ').next().unwrap_or_default().parse()?;
    Ok(nanoseconds / 1e3)
}
