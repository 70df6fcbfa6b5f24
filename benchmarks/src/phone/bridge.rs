//! CPU and memory of a bridged call, with 1, 20 and 100 at once: ours, rtpengine's, and of the bare codec.
//!
//! What each does beside coding: ours has a jitter buffer for both directions with concealment, sends by its own clock,
//! keeps the level, looks for a visitor's tones and sends reports. rtpengine codes a packet when it comes; it decodes and
//! encodes Opus at 48,000 samples a second and resamples, with libopus 1.3.1 of Debian by way of FFmpeg.

use super::lines;
use super::load::{Call, Counts, Load};
use super::rtpengine::Rtpengine;
use super::{bare, sound};
use crate::Result;
use crate::figures::now;
use crate::process::Process;
use serde_json::{Map, Value, json};
use std::time::Duration;
use tokio::process::Command;
use tokio::time::sleep;

/// Calls at once.
const CALLS: [usize; 3] = [1, 20, 100];
/// Until buffers have their size and rates are steady.
const WARM_UP: Duration = Duration::from_secs(3);
/// How long is measured.
const SPAN: Duration = Duration::from_secs(30);

/// The share of packets that must pass through ours: less is no bridge. A machine that is busy with something else loses some.
const LEAST: f64 = 0.4;
/// And through rtpengine, for which two cores have not enough with 100 calls: what it costs is told of a call whose packets pass.
const LEAST_OF_PEER: f64 = 0.05;

/// What bridges calls.
pub trait Bridge {
    /// The program that is measured.
    fn process(&self) -> &Process;
    /// Where the packets of so many calls are to be sent.
    async fn open(&mut self, calls: usize, load: &Load) -> Result<Vec<Call>>;
}

/// Our lines, before they are told how many there are.
struct Klinke(Process);

impl Bridge for Klinke {
    fn process(&self) -> &Process {
        &self.0
    }

    async fn open(&mut self, calls: usize, load: &Load) -> Result<Vec<Call>> {
        use tokio::io::AsyncWriteExt;
        let wish = serde_json::to_string(&(calls, load.sockets))?;
        self.0.input.write_all(format!("{wish}\n").as_bytes()).await?;
        Ok(serde_json::from_str(&self.0.line().await?)?)
    }
}

/// All sizes; `only` one of them, for `seconds`.
///
/// # Errors
/// When something is missing, or sound does not pass.
pub async fn measure(only: Option<usize>, seconds: Option<u64>) -> Result<Value> {
    let span = seconds.map_or(SPAN, Duration::from_secs);
    let mut figures = Map::new();
    for calls in CALLS.into_iter().filter(|calls| only.is_none_or(|only| only == *calls)) {
        let bare = tokio::task::spawn_blocking(move || bare::cost(calls)).await??;
        let mut ours = Command::new(std::env::current_exe()?);
        let ours = carry(Klinke(Process::start(ours.arg("phone-lines"))?), (calls, LEAST), span).await?;
        let rtpengine = carry(Rtpengine::start().await?, (calls, LEAST_OF_PEER), span).await?;
        let of_calls = json!({ "bare": bare, "klinke": ours, "rtpengine": rtpengine });
        figures.insert(calls.to_string(), of_calls);
    }
    Ok(figures.into())
}

async fn carry(mut bridge: impl Bridge, (calls, least): (usize, f64), span: Duration) -> Result<Value> {
    let mut load = Load::start().await?;
    let before = bridge.process().resident()?;
    let targets = bridge.open(calls, &load).await?;
    load.send(&targets).await?;
    sleep(WARM_UP).await;

    let (began, busy, came) = (now(), bridge.process().time_on_processor()?, load.counts().await?);
    sleep(span).await;
    let (busy, counts) = (bridge.process().time_on_processor()? - busy, load.counts().await?);
    let seconds = began.elapsed().as_secs_f64();
    let resident = bridge.process().resident()?;

    let expected = seconds * 50.0 * calls as f64;
    let of = |counter: fn(&Counts) -> u64| (counter(&counts) - counter(&came)) as f64;
    let (panel, phone) = (of(|counts| counts.panel), of(|counts| counts.phone));
    let loud = of(|counts| counts.phone_loud) / phone.max(1.0);
    let frames = sound::pcmu()?;
    let spoken = frames.iter().filter(|frame| sound::is_loud(frame)).count() as f64 / frames.len() as f64;
    let figures = json!({
        // of a call whose packets all pass: one that is too busy does less
        "cpu_percent_per_call": busy.as_secs_f64() / ((panel + phone) / 2.0 / 50.0) * 100.0,
        "kib_per_call": resident.saturating_sub(before) as f64 / calls as f64,
        "kib_at_rest": before,
        "arrived": { "panel": panel / expected, "phone": phone / expected },
        "loud": { "phone": loud, "spoken": spoken },
        "bytes_per_opus_packet": of(|counts| counts.panel_bytes) / panel.max(1.0),
    });
    if panel.min(phone) < expected * least || (loud - spoken).abs() > 0.15 {
        return Err(format!("sound does not pass: {figures}").into());
    }
    Ok(figures)
}

/// The process `klinke-bench phone-lines`: waits for how many lines and to whom, then bridges.
///
/// # Errors
/// When it is told nonsense or there are no ports.
pub async fn serve() -> Result<Value> {
    let mut wish = String::new();
    std::io::stdin().read_line(&mut wish)?;
    let (calls, load) = serde_json::from_str(&wish)?;
    lines::serve(calls, load).await
}
