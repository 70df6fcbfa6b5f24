//! A browser's stand-in: a native WebRTC peer that sends a panel's picture and sound, or counts what an app gets.

use crate::Result;
use crate::figures::now;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::format::Codec;
use str0m::media::{Direction, MediaKind, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::RtpWrite;
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};
use tokio::net::UdpSocket;
use tokio::sync::watch;

const AUDIO_EVERY: Duration = Duration::from_millis(20);
const AUDIO_BYTES: usize = 80;
const VIDEO_EVERY: Duration = Duration::from_millis(40);
/// Five of a thousand bytes, 25 times a second: 1 Mbit/s.
const PACKETS_A_FRAME: u32 = 5;
const PACKET_BYTES: usize = 1_000;
/// Longer than connecting takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// What connections of a kind have seen together.
pub struct Tally {
    packets: AtomicU64,
    connected: watch::Sender<u32>,
}

impl Default for Tally {
    fn default() -> Self {
        Self { packets: AtomicU64::new(0), connected: watch::Sender::new(0) }
    }
}

impl Tally {
    /// Packets of picture and sound received so far.
    pub fn packets(&self) -> u64 {
        self.packets.load(Ordering::Relaxed)
    }

    /// Waits until so many are connected.
    ///
    /// # Errors
    /// When they are not within [`PATIENCE`].
    pub async fn until_connected(&self, number: u32) -> Result<()> {
        let mut connected = self.connected.subscribe();
        let waited = tokio::time::timeout(PATIENCE, connected.wait_for(|now| *now >= number)).await;
        waited.map_err(|_| "a connection did not stand in time")??;
        Ok(())
    }
}

/// A connection that is not agreed yet.
pub struct Connection {
    rtc: Box<Rtc>,
    socket: UdpSocket,
    local: SocketAddr,
    tally: Arc<Tally>,
}

/// A connection whose offer is out.
pub struct Offering {
    connection: Connection,
    pending: SdpPendingOffer,
    sending: Option<Sending>,
    /// The offer.
    pub sdp: String,
    /// The picture's name in it.
    pub video: Mid,
}

impl Connection {
    /// A connection from this address.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn new(at: IpAddr, tally: &Arc<Tally>) -> Result<Self> {
        let socket = UdpSocket::bind((at, 0)).await?;
        let local = socket.local_addr()?;
        let config =
            RtcConfig::new().set_rtp_mode(true).clear_codecs().enable_opus(true, false).enable_vp8(true);
        let mut rtc = Box::new(config.build(now()));
        rtc.add_local_candidate(Candidate::host(local, "udp")?);
        Ok(Self { rtc, socket, local, tally: Arc::clone(tally) })
    }

    /// Offers what a panel sends.
    ///
    /// # Errors
    /// Never with these sections.
    pub fn offer_panel(self) -> Result<Offering> {
        self.offer(Direction::SendRecv, Direction::SendOnly, true)
    }

    /// Offers to take what an app takes.
    ///
    /// # Errors
    /// Never with these sections.
    pub fn offer_app(self) -> Result<Offering> {
        self.offer(Direction::SendRecv, Direction::RecvOnly, false)
    }

    fn offer(mut self, sound: Direction, picture: Direction, sends: bool) -> Result<Offering> {
        let mut changes = self.rtc.sdp_api();
        let audio = changes.add_media(MediaKind::Audio, sound, None, None, None);
        let video = changes.add_media(MediaKind::Video, picture, None, None, None);
        let (offer, pending) = changes.apply().ok_or("nothing to offer")?;
        let sending = sends.then(|| Sending::new(audio, video));
        Ok(Offering { connection: self, pending, sending, sdp: offer.to_sdp_string(), video })
    }

    /// Takes what the server offers, and starts; gives the answer.
    ///
    /// # Errors
    /// When the offer is not understood.
    pub fn accept(mut self, offer: &str) -> Result<String> {
        let answer = self.rtc.sdp_api().accept_offer(SdpOffer::from_sdp_string(offer)?)?;
        tokio::spawn(run(self, None));
        Ok(answer.to_sdp_string())
    }
}

impl Offering {
    /// Starts by the server's answer.
    ///
    /// # Errors
    /// When the answer does not fit.
    pub fn connect(mut self, answer: &str) -> Result<()> {
        let answer = SdpAnswer::from_sdp_string(answer)?;
        self.connection.rtc.sdp_api().accept_answer(self.pending, answer)?;
        tokio::spawn(run(self.connection, self.sending));
        Ok(())
    }
}

/// What a panel sends, and how far it is.
struct Sending {
    audio: Mid,
    video: Mid,
    audio_at: Instant,
    video_at: Instant,
    sounds: u32,
    frames: u32,
    key_frame: bool,
}

impl Sending {
    fn new(audio: Mid, video: Mid) -> Self {
        let now = now();
        Self { audio, video, audio_at: now, video_at: now, sounds: 0, frames: 0, key_frame: true }
    }
}

/// Keeps a connection going until the program ends.
async fn run(connection: Connection, mut sending: Option<Sending>) {
    let Connection { mut rtc, socket, local, tally } = connection;
    let mut buffer = [0; 2_000];
    while let Some(wake_at) = drain(&mut rtc, &socket, &tally, sending.as_mut()).await {
        let due = sending.as_ref().map(|sending| sending.audio_at.min(sending.video_at));
        let wake_at = due.map_or(wake_at, |due| due.min(wake_at));
        tokio::select! {
            received = socket.recv_from(&mut buffer) => {
                let Ok((length, from)) = received else { return };
                let datagram = Receive::new(Protocol::Udp, from, local, &buffer[..length]);
                if let Ok(datagram) = datagram && rtc.handle_input(Input::Receive(now(), datagram)).is_err() {
                    return;
                }
            }
            () = tokio::time::sleep_until(wake_at.into()) => {
                if rtc.handle_input(Input::Timeout(now())).is_err() {
                    return;
                }
            }
        }
        if let Some(sending) = &mut sending {
            speak(&mut rtc, sending);
            film(&mut rtc, &socket, &tally, sending).await;
        }
    }
}

/// Sends what is ready; says when to come back, or that the connection is over.
async fn drain(
    rtc: &mut Rtc,
    socket: &UdpSocket,
    tally: &Tally,
    mut sending: Option<&mut Sending>,
) -> Option<Instant> {
    loop {
        match rtc.poll_output().ok()? {
            Output::Timeout(at) => return rtc.is_alive().then_some(at),
            Output::Transmit(datagram) => {
                // lost, like on a full network
                let _ = socket.send_to(&datagram.contents, datagram.destination).await;
            }
            Output::Event(Event::Connected) => tally.connected.send_modify(|number| *number += 1),
            Output::Event(Event::RtpPacket(_)) => {
                tally.packets.fetch_add(1, Ordering::Relaxed);
            }
            Output::Event(Event::KeyframeRequest(_)) => {
                if let Some(sending) = sending.as_deref_mut() {
                    sending.key_frame = true;
                }
            }
            Output::Event(_) => {}
        }
    }
}

fn payload_type(rtc: &Rtc, codec: Codec) -> Option<Pt> {
    rtc.codec_config().params().iter().find(|p| p.spec().codec == codec).map(|p| p.pt())
}

fn write(rtc: &mut Rtc, mid: Mid, packet: RtpWrite) {
    if let Some(stream) = rtc.direct_api().stream_tx_by_mid(mid, None) {
        stream.write_rtp(packet);
    }
    // hands the packet on; an error shows at the next poll
    let _ = rtc.handle_input(Input::Timeout(now()));
}

fn speak(rtc: &mut Rtc, sending: &mut Sending) {
    let Some(pt) = payload_type(rtc, Codec::Opus).filter(|_| now() >= sending.audio_at) else { return };
    sending.audio_at += AUDIO_EVERY;
    if rtc.is_connected() {
        let number = u64::from(sending.sounds);
        let packet = RtpWrite::new(pt, number.into(), sending.sounds * 960, now(), vec![7; AUDIO_BYTES]);
        write(rtc, sending.audio, packet);
        sending.sounds += 1;
    }
}

/// One frame: VP8 on the outside (RFC 7741 payload descriptor, and whether it is a key frame).
async fn film(rtc: &mut Rtc, socket: &UdpSocket, tally: &Tally, sending: &mut Sending) {
    let Some(pt) = payload_type(rtc, Codec::Vp8).filter(|_| now() >= sending.video_at) else { return };
    sending.video_at += VIDEO_EVERY;
    if !rtc.is_connected() {
        return;
    }
    for index in 0..PACKETS_A_FRAME {
        let mut payload = vec![7; PACKET_BYTES];
        payload[0] = if index == 0 { 0x10 } else { 0x00 };
        payload[1] = u8::from(!sending.key_frame);
        let number = u64::from(sending.frames * PACKETS_A_FRAME + index);
        let packet = RtpWrite::new(pt, number.into(), sending.frames * 3_600, now(), payload)
            .marker(index + 1 == PACKETS_A_FRAME)
            .nackable(true);
        write(rtc, sending.video, packet);
        if drain(rtc, socket, tally, None).await.is_none() {
            return;
        }
    }
    sending.frames += 1;
    sending.key_frame = false;
}
