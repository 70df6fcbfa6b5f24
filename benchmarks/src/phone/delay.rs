//! What the bridge adds to the delay from mouth to ear. A chirp is spoken on one side and found on the other by
//! cross-correlation, both ways at once through one line with real sockets and its clock.
//!
//! ```text
//!   mouth: a packet leaves when its sound has been spoken ──▶ line ──▶ ear: a packet is played when it comes
//!   whole  =  codec (found by coding the same sound without a bridge)
//!           + jitter (what a buffer like the line's waits for packets that come like these)
//!           + bridge (all the rest)
//! ```

use super::sound::{PANEL_FRAME, PHONE_FRAME, browser};
use super::{Codec, HERE};
use crate::Result;
use crate::figures::{now, times};
use klinke_model::time::{Clock, SystemClock};
use klinke_sip::rtp::codec::{Decoder, Encoder};
use klinke_sip::rtp::jitter::JitterBuffer;
use klinke_sip::rtp::packet::{Packet, is_rtcp};
use klinke_sip::rtp::port::{Line, News};
use serde_json::{Value, json};
use std::f64::consts::TAU;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Lines at once: each is spoken to at another moment of its clock.
const LINES: u32 = 8;
/// Frames that are spoken on either side of each.
const FRAMES: usize = 350;
/// Samples at 8,000 a second between two chirps, with no common measure with a frame: they begin anywhere in one.
const BETWEEN: usize = 3_203;
/// Where the first one begins: by then the line has its delay.
const FIRST: usize = 8_000;
/// How long one is, in the same samples.
const CHIRP: usize = 320;
/// How much later it is looked for at most, in the same samples.
const LATEST: usize = 2_400;
/// How alike the chirp and what is found must be; 1 is the same.
const ALIKE: f64 = 0.6;

/// A packet at the mouth or at the ear.
struct Frame {
    at: Instant,
    /// At 8,000 samples a second.
    samples: Vec<i16>,
    /// What the jitter buffer waits, where that is known.
    waits: Duration,
}

/// The parts of the delays of many chirps.
#[derive(Default)]
struct Parts {
    whole: Vec<Duration>,
    waits: Vec<Duration>,
    bridge: Vec<Duration>,
}

impl Parts {
    /// Those of every chirp that was spoken.
    fn add(&mut self, spoken: &[Frame], heard: &[Frame], codec: Duration) -> Result<()> {
        for begin in begins() {
            let mouth = spoken.get(begin / PHONE_FRAME).ok_or("a chirp that was not spoken")?;
            let spoken_at = mouth.at + of_samples(begin % PHONE_FRAME);
            let delay = find(heard, spoken_at)?.saturating_duration_since(spoken_at);
            self.whole.push(delay);
            self.waits.push(mouth.waits);
            self.bridge.push(delay.saturating_sub(codec).saturating_sub(mouth.waits));
        }
        Ok(())
    }

    fn figures(self, codec: Duration) -> Value {
        json!({
            "whole_ms": times(self.whole),
            "jitter_ms": times(self.waits),
            "codec_ms": codec.as_secs_f64() * 1e3,
            "bridge_ms": times(self.bridge),
        })
    }
}

/// One run.
///
/// # Errors
/// When a chirp is not found again.
pub async fn measure() -> Result<Value> {
    let clock = Arc::new(SystemClock::start());
    let (out, back) = (codec_to_phone()?, codec_to_panel()?);
    let phases = (0..LINES).map(|line| Duration::from_millis(20) / LINES * line);
    let lines: Vec<_> = phases.map(|phase| tokio::spawn(converse(clock.clone(), phase))).collect();
    let (mut to_phone, mut to_panel) = (Parts::default(), Parts::default());
    for line in lines {
        let said = line.await??;
        to_phone.add(&said.at_panel, &said.heard_at_phone, out)?;
        to_panel.add(&said.at_phone, &said.heard_at_panel, back)?;
    }
    Ok(json!({ "to_phone": to_phone.figures(out), "to_panel": to_panel.figures(back) }))
}

/// All that was spoken and heard on both sides of a line.
struct Said {
    at_panel: Vec<Frame>,
    heard_at_phone: Vec<Frame>,
    at_phone: Vec<Frame>,
    heard_at_panel: Vec<Frame>,
}

/// Speaks and listens on both sides of one line, so much later than the others.
async fn converse(clock: Arc<SystemClock>, phase: Duration) -> Result<Said> {
    let phone = Arc::new(UdpSocket::bind((HERE, 0))?);
    let (port, line, mut news) = super::line(phone.local_addr()?, &clock).await?;
    let is_over = Arc::new(AtomicBool::new(false));
    let ear = std::thread::spawn({
        let (phone, is_over) = (phone.clone(), is_over.clone());
        move || hear(&phone, &is_over)
    });
    let began = now() + phase;
    let panel = std::thread::spawn({
        let clock = clock.clone();
        move || speak_at_panel(&line, &clock, began)
    });
    let mouth = std::thread::spawn(move || speak_at_phone(&phone, port, &clock, began));
    let mut decoder = Decoder::new(Codec::Opus, 8_000)?;
    let mut heard_at_panel = Vec::new();
    // the line is dropped when the panel has said all
    while let Some(news) = news.recv().await {
        if let News::ForPanel(sound) = news {
            let at = now();
            heard_at_panel.push(Frame { at, samples: decoder.decode(&sound.payload), waits: Duration::ZERO });
        }
    }
    is_over.store(true, Ordering::Relaxed);
    let ended = "a thread ended early";
    let at_panel = panel.join().map_err(|_| ended)??;
    let at_phone = mouth.join().map_err(|_| ended)??;
    Ok(Said { at_panel, heard_at_phone: ear.join().map_err(|_| ended)??, at_phone, heard_at_panel })
}

/// When the chirp that was spoken then begins at the ear.
fn find(heard: &[Frame], spoken_at: Instant) -> Result<Instant> {
    let first = heard.iter().position(|frame| frame.at + of_samples(frame.samples.len()) > spoken_at);
    let frames = heard.get(first.ok_or("nothing is heard after a chirp")?..).unwrap_or_default();
    let samples: Vec<i16> =
        frames.iter().flat_map(|frame| &frame.samples).copied().take(LATEST + CHIRP).collect();
    let (at, alike) = best(&samples);
    if alike < ALIKE {
        return Err(format!("a chirp is not heard: {alike:.2} alike").into());
    }
    let mut rest = at;
    for frame in frames {
        if rest < frame.samples.len() {
            return Ok(frame.at + of_samples(rest));
        }
        rest -= frame.samples.len();
    }
    Err("a chirp after the end".into())
}

/// Where these samples are most like the chirp, and how much.
fn best(samples: &[i16]) -> (usize, f64) {
    let chirp: Vec<f64> = (0..CHIRP).map(|n| chirp(n as f64)).collect();
    let energy: f64 = chirp.iter().map(|sample| sample * sample).sum();
    let alike = samples.windows(CHIRP).map(|window| {
        let (mut same, mut own) = (0.0, 1.0);
        for (&heard, chirp) in window.iter().zip(&chirp) {
            same += f64::from(heard) * chirp;
            own += f64::from(heard) * f64::from(heard);
        }
        same / (own * energy).sqrt()
    });
    alike.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0))
}

/// Where chirps begin, in samples of 8,000 a second; the last are left out, so that each is heard to its end.
fn begins() -> impl Iterator<Item = usize> {
    (FIRST..FRAMES * PHONE_FRAME - 2 * LATEST).step_by(BETWEEN)
}

/// A chirp at this place of its own, counted in samples of 8,000 a second: 400 to 2,400 Hz, soft at both ends.
fn chirp(at: f64) -> f64 {
    let length = CHIRP as f64;
    if !(0.0..length).contains(&at) {
        return 0.0;
    }
    let t = at / 8_000.0;
    let sweep = 2_000.0 / (length / 8_000.0);
    (TAU * (400.0 * t + sweep * t * t / 2.0)).sin() * (TAU / 2.0 * at / length).sin().powi(2) * 9_000.0
}

/// What is spoken, `per` samples for one of 8,000 a second: the same moments, whatever the rate.
fn spoken(per: usize, from: usize, count: usize) -> Vec<i16> {
    (from..from + count)
        .map(|n| {
            let at = n as f64 / per as f64;
            let begin = (at as usize).checked_sub(FIRST).map(|since| FIRST + since / BETWEEN * BETWEEN);
            let chirp = begin
                .filter(|_| at < (FRAMES * PHONE_FRAME) as f64)
                .map_or(0.0, |begin| chirp(at - begin as f64));
            chirp as i16
        })
        .collect()
}

fn of_samples(count: usize) -> Duration {
    Duration::from_nanos(count as u64 * 125_000)
}

/// Sleeps until frame `n` has been spoken.
fn pace(began: Instant, n: usize) {
    let due = began + Duration::from_millis(20 * n as u64);
    std::thread::sleep(due.saturating_duration_since(now()));
}

fn speak_at_panel(line: &Line, clock: &SystemClock, began: Instant) -> Result<Vec<Frame>> {
    let mut encoder = browser()?;
    let mut buffer = JitterBuffer::new(48_000);
    let mut frames = Vec::with_capacity(FRAMES);
    for n in 0..FRAMES {
        let payload = encoder.encode_vec(&spoken(6, n * PANEL_FRAME, PANEL_FRAME), 1_200)?;
        let packet = packet(111, n, 960, &payload);
        pace(began, n);
        let at = now();
        line.from_panel(packet.write());
        frames.push(Frame { at, samples: Vec::new(), waits: waits(&mut buffer, &packet, 960, clock) });
    }
    Ok(frames)
}

fn speak_at_phone(
    socket: &UdpSocket,
    to: SocketAddr,
    clock: &SystemClock,
    began: Instant,
) -> Result<Vec<Frame>> {
    let mut encoder = Encoder::new(Codec::Pcmu, 8_000)?;
    let mut buffer = JitterBuffer::new(8_000);
    let mut frames = Vec::with_capacity(FRAMES);
    for n in 0..FRAMES {
        let payload = encoder.encode(&spoken(1, n * PHONE_FRAME, PHONE_FRAME));
        let packet = packet(0, n, 160, &payload);
        pace(began, n);
        let at = now();
        socket.send_to(&packet.write(), to)?;
        frames.push(Frame { at, samples: Vec::new(), waits: waits(&mut buffer, &packet, 160, clock) });
    }
    Ok(frames)
}

/// What a jitter buffer waits that has seen the packets up to this one.
fn waits(buffer: &mut JitterBuffer, packet: &Packet<'_>, ticks: u32, clock: &SystemClock) -> Duration {
    let now = clock.mono();
    buffer.push(packet, ticks, now);
    buffer.next(0, now);
    buffer.target()
}

fn packet(payload_type: u8, n: usize, ticks: u32, payload: &[u8]) -> Packet<'_> {
    Packet {
        payload_type,
        marker: n == 0,
        sequence: n as u16,
        timestamp: n as u32 * ticks,
        ssrc: 1,
        csrc: &[],
        extension: None,
        payload,
    }
}

/// All that comes to the phone.
fn hear(socket: &UdpSocket, is_over: &AtomicBool) -> Result<Vec<Frame>> {
    socket.set_read_timeout(Some(Duration::from_millis(100)))?;
    let mut decoder = Decoder::new(Codec::Pcmu, 8_000)?;
    let (mut buffer, mut frames) = ([0; 1_500], Vec::new());
    while !is_over.load(Ordering::Relaxed) {
        let Ok((length, _)) = socket.recv_from(&mut buffer) else { continue };
        let at = now();
        let datagram = &buffer[..length];
        if !is_rtcp(datagram)
            && let Ok(packet) = Packet::parse(datagram)
        {
            frames.push(Frame { at, samples: decoder.decode(packet.payload), waits: Duration::ZERO });
        }
    }
    Ok(frames)
}

/// What Opus itself delays a panel's sound, decoded at the phone's rate.
fn codec_to_phone() -> Result<Duration> {
    let (mut encoder, mut decoder) = (browser()?, Decoder::new(Codec::Opus, 8_000)?);
    coded(|n| {
        let payload = encoder.encode_vec(&spoken(6, n * PANEL_FRAME, PANEL_FRAME), 1_200)?;
        Ok(decoder.decode(&payload))
    })
}

/// What Opus itself delays a phone's sound, as it is decoded here.
fn codec_to_panel() -> Result<Duration> {
    let (mut encoder, mut decoder) = (Encoder::new(Codec::Opus, 8_000)?, Decoder::new(Codec::Opus, 8_000)?);
    coded(|n| {
        let payload = encoder.encode(&spoken(1, n * PHONE_FRAME, PHONE_FRAME));
        Ok(decoder.decode(&payload))
    })
}

/// How much later the first chirp is after coding frame by frame, in no time.
fn coded(mut frame: impl FnMut(usize) -> Result<Vec<i16>>) -> Result<Duration> {
    let mut samples = Vec::new();
    for n in 0..FIRST.div_ceil(PHONE_FRAME) + 20 {
        samples.extend(frame(n)?);
    }
    let (at, alike) = best(samples.get(FIRST..).unwrap_or_default());
    if alike < ALIKE {
        return Err(format!("a chirp does not pass the codec: {alike:.2} alike").into());
    }
    Ok(of_samples(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of 20 ms that come every 20 ms, of this sound from so many samples before its begin.
    fn heard(late: usize, began: Instant) -> Vec<Frame> {
        let mut sound = vec![0; late];
        sound.extend(spoken(1, 0, FRAMES * PHONE_FRAME));
        let frames = sound.chunks(PHONE_FRAME).enumerate();
        frames
            .map(|(n, samples)| Frame {
                at: began + Duration::from_millis(20 * n as u64),
                samples: samples.to_vec(),
                waits: Duration::ZERO,
            })
            .collect()
    }

    #[test]
    fn a_delay_is_found_to_the_sample() {
        let began = now();
        let spoken = heard(0, began);
        for late in [0, 1, 159, 160, 400, 1_234] {
            let mut parts = Parts::default();
            parts.add(&spoken, &heard(late, began), Duration::ZERO).unwrap();
            assert!(parts.whole.len() >= 10);
            for found in parts.bridge {
                assert!(
                    found.abs_diff(of_samples(late)) <= of_samples(1),
                    "{found:?} and not {late} samples"
                );
            }
        }
        let silence: Vec<Frame> =
            heard(0, began).into_iter().map(|frame| Frame { samples: vec![0; 160], ..frame }).collect();
        assert!(Parts::default().add(&spoken, &silence, Duration::ZERO).is_err());
    }
}
