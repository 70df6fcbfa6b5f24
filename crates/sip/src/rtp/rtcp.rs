//! RTCP (RFC 3550 §6): what each side tells the other about how sound arrives.
//!
//! Ours are a sender's or receiver's report with a canonical name of chance, so they tell nothing about anybody. Theirs are
//! read within their bounds; of kinds that we do not know, only the length.

mod reception;

pub use reception::Reception;

use super::packet::MAX_DATAGRAM;
use klinke_model::time::Mono;

const SENDER: u8 = 200;
const RECEIVER: u8 = 201;
const DESCRIPTION: u8 = 202;
const BYE: u8 = 203;
/// Feedback about a picture (RFC 4585 §6.1), and two kinds of it: loss of the picture (§6.3.1), a key frame wanted
/// (RFC 5104 §4.3.1).
const FEEDBACK: u8 = 206;
const PLI: usize = 1;
const FIR: usize = 4;
/// The item of a description that names the source (RFC 3550 §6.5.1).
const CNAME: u8 = 1;

/// One part of a datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// From who sends sound.
    Sender {
        /// Whose.
        ssrc: u32,
        /// What was sent.
        sent: Sent,
        /// How sound arrives there.
        blocks: Vec<Block>,
    },
    /// From who only listens.
    Receiver {
        /// Whose.
        ssrc: u32,
        /// How sound arrives there.
        blocks: Vec<Block>,
    },
    /// Names of sources, read over.
    Description,
    /// These streams are over.
    Bye(Vec<u32>),
    /// Who sees these streams can not go on without a key frame.
    KeyFrame(Vec<u32>),
    /// Something else.
    Other(u8),
}

/// What a sender says it has sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// When the report was made, in the sender's time (NTP format, 32.32).
    pub ntp: u64,
    /// The same moment in the stream's timestamps.
    pub timestamp: u32,
    /// Packets.
    pub packets: u32,
    /// Bytes of payload.
    pub bytes: u32,
}

/// How a stream arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// Which stream.
    pub ssrc: u32,
    /// Lost since the last report, in 256ths.
    pub fraction_lost: u8,
    /// Lost since the beginning, −2²³ to 2²³ − 1 (duplicates count against it).
    pub lost: i32,
    /// The highest number that came, with its roll-overs above.
    pub highest: u32,
    /// Jitter, in ticks.
    pub jitter: u32,
    /// The middle of the last sender report's time; 0 without one.
    pub last_report: u32,
    /// How long ago that came, in 65,536ths of a second.
    pub since_report: u32,
}

/// Why bytes are not RTCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no RTCP")]
pub struct Malformed;

/// Reads a datagram: one report after the other.
///
/// # Errors
/// [`Malformed`], when one of them is not whole.
pub fn parse(bytes: &[u8]) -> Result<Vec<Report>, Malformed> {
    if bytes.is_empty() || bytes.len() > MAX_DATAGRAM {
        return Err(Malformed);
    }
    let (mut reports, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let (&[first, kind, l1, l2], after) = rest.split_first_chunk::<4>().ok_or(Malformed)?;
        let words = usize::from(u16::from_be_bytes([l1, l2]));
        let (body, after) = after.split_at_checked(words * 4).ok_or(Malformed)?;
        if first >> 6 != 2 {
            return Err(Malformed);
        }
        let count = usize::from(first & 0x1f);
        reports.push(report(kind, count, body).ok_or(Malformed)?);
        rest = after;
    }
    Ok(reports)
}

fn report(kind: u8, count: usize, body: &[u8]) -> Option<Report> {
    let mut words = Words(body);
    match kind {
        SENDER => {
            let ssrc = words.next()?;
            let ntp = u64::from(words.next()?) << 32 | u64::from(words.next()?);
            let sent = Sent { ntp, timestamp: words.next()?, packets: words.next()?, bytes: words.next()? };
            Some(Report::Sender { ssrc, sent, blocks: blocks(&mut words, count)? })
        }
        RECEIVER => {
            let ssrc = words.next()?;
            Some(Report::Receiver { ssrc, blocks: blocks(&mut words, count)? })
        }
        DESCRIPTION => Some(Report::Description),
        BYE => (0..count).map(|_| words.next()).collect::<Option<Vec<_>>>().map(Report::Bye),
        FEEDBACK if count == PLI => {
            let _whose = words.next()?;
            Some(Report::KeyFrame(vec![words.next()?]))
        }
        FEEDBACK if count == FIR => {
            let (_whose, _none) = (words.next()?, words.next()?);
            // each entry: the stream, and the number of the wish
            let entries = std::iter::from_fn(|| Some((words.next()?, words.next()?).0));
            // no more than a report has blocks
            Some(Report::KeyFrame(entries.take(31).collect()))
        }
        other => Some(Report::Other(other)),
    }
}

fn blocks(words: &mut Words<'_>, count: usize) -> Option<Vec<Block>> {
    let block = |_| {
        let ssrc = words.next()?;
        let losses = words.next()?;
        let [fraction_lost, ..] = losses.to_be_bytes();
        Some(Block {
            ssrc,
            fraction_lost,
            // 24 bits with their sign
            lost: (losses << 8).cast_signed() >> 8,
            highest: words.next()?,
            jitter: words.next()?,
            last_report: words.next()?,
            since_report: words.next()?,
        })
    };
    (0..count).map(block).collect()
}

/// Numbers of 32 bits, one after the other.
struct Words<'a>(&'a [u8]);

impl Words<'_> {
    fn next(&mut self) -> Option<u32> {
        let (word, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*word))
    }
}

/// Our report: of a sender when we sent anything, with how their stream arrives when there is one.
pub fn write(ssrc: u32, sent: Option<Sent>, block: Option<Block>, cname: &str) -> Vec<u8> {
    let mut body = ssrc.to_be_bytes().to_vec();
    if let Some(sent) = sent {
        body.extend_from_slice(&sent.ntp.to_be_bytes());
        for word in [sent.timestamp, sent.packets, sent.bytes] {
            body.extend_from_slice(&word.to_be_bytes());
        }
    }
    if let Some(block) = block {
        let lost = block.lost.clamp(-0x80_0000, 0x7f_ffff).cast_unsigned() & 0xff_ffff;
        let losses = u32::from(block.fraction_lost) << 24 | lost;
        for word in [block.ssrc, losses, block.highest, block.jitter, block.last_report, block.since_report] {
            body.extend_from_slice(&word.to_be_bytes());
        }
    }
    let kind = if sent.is_some() { SENDER } else { RECEIVER };
    let mut out = part(kind, u8::from(block.is_some()), &body);
    out.extend(part(DESCRIPTION, 1, &description(ssrc, cname)));
    out
}

/// A moment of this process as reports tell it (NTP format, 32.32).
pub fn ntp(now: Mono) -> u64 {
    let millis = now.as_millis();
    let fraction = (millis % 1_000) * (1 << 32) / 1_000;
    (millis / 1_000) << 32 | fraction
}

/// Our last report: the stream is over.
pub fn write_bye(ssrc: u32, sent: Option<Sent>, cname: &str) -> Vec<u8> {
    let mut out = write(ssrc, sent, None, cname);
    out.extend(part(BYE, 1, &ssrc.to_be_bytes()));
    out
}

fn description(ssrc: u32, cname: &str) -> Vec<u8> {
    let name: Vec<u8> = cname.bytes().take(255).collect();
    let mut body = ssrc.to_be_bytes().to_vec();
    // at most 255
    body.extend_from_slice(&[CNAME, name.len() as u8]);
    body.extend(name);
    // the end of the list, and on to a whole word
    body.push(0);
    body.resize(body.len().next_multiple_of(4), 0);
    body
}

fn part(kind: u8, count: u8, body: &[u8]) -> Vec<u8> {
    let words = u16::try_from(body.len() / 4).unwrap_or(0);
    let [high, low] = words.to_be_bytes();
    let mut out = vec![0x80 | count & 0x1f, kind, high, low];
    out.extend_from_slice(body);
    out
}

#[cfg(test)]
mod tests;
