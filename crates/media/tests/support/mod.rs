//! A browser's stand-in: a native peer that offers, connects over UDP or TCP, sends and counts.
//!
//! It sends sound all the time (as a browser with an open microphone would), and as a panel also picture, at the
//! rate it is asked for. Its downlink can be narrowed. Tests wait for what it has seen; nothing sleeps.

use std::net::SocketAddr;
use std::time::{Duration, Instant};
use str0m::bwe::BweKind;
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::{Codec, FormatParams};
use str0m::media::{Direction, Frequency, MediaKind, Mid, Pt};
use str0m::net::{Protocol, Receive, TcpType, Transmit};
use str0m::rtp::RtpWrite;
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::{mpsc, watch};

/// Longer than anything here takes on a busy machine; reached only by a failing test.
const PATIENCE: Duration = Duration::from_secs(60);
const AUDIO_EVERY: Duration = Duration::from_millis(20);
const VIDEO_EVERY: Duration = Duration::from_millis(40);
/// Bits in a second a panel sends when nobody asks for less.
pub const FULL_RATE: u64 = 1_000_000;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Panel,
    App,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Via {
    Udp,
    Tcp,
}

/// Payload types of a peer: Opus, VP8, H.264.
#[derive(Clone, Copy)]
pub struct Numbers(pub u8, pub u8, pub u8);

/// What a peer has seen so far.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub connected: bool,
    pub closed: bool,
    pub audio: u64,
    /// Extended sequence number, timestamp, codec and first byte of each picture packet.
    pub video: Vec<VideoPacket>,
    /// Picture packets that were sent to this peer, also those that its link then lost.
    pub video_arrived: u64,
    pub keyframe_requests: u64,
    /// Bits in a second that the room last asked the panel to keep to.
    pub limit: Option<u64>,
    /// Sound packets this peer has sent.
    pub audio_sent: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoPacket {
    pub seq: u64,
    pub timestamp: u32,
    pub codec: Codec,
    pub mark: u8,
}

enum Order {
    /// Passes on at most so many bits in a second of what comes in.
    Narrow(Option<u64>),
    /// What the panel encodes with.
    Encode(Codec),
}

/// A peer that has made its offer.
pub struct Offering {
    rtc: Box<Rtc>,
    pending: SdpPendingOffer,
    pub sdp: String,
    link: Link,
    local: SocketAddr,
    server: SocketAddr,
    role: Role,
    audio: Mid,
    video: Mid,
    mark: u8,
    /// What it says, packet by packet and over and over; without any, its mark.
    pub says: Vec<Vec<u8>>,
}

/// A connected peer; it ends when dropped.
pub struct Peer {
    seen: watch::Receiver<Seen>,
    orders: mpsc::UnboundedSender<Order>,
}

enum Link {
    Udp(UdpSocket),
    Tcp(mpsc::Receiver<Vec<u8>>, OwnedWriteHalf),
}

#[expect(clippy::disallowed_methods, reason = "the shell of a sans-IO peer")]
fn now() -> Instant {
    Instant::now()
}

impl Offering {
    /// `mark` is the first byte of every payload this peer sends.
    pub async fn new(role: Role, via: Via, server: SocketAddr, numbers: Numbers, mark: u8) -> Self {
        let (link, local) = Link::open(via, server).await;
        let mut config = RtcConfig::new().set_rtp_mode(true).clear_codecs();
        let Numbers(opus, vp8, h264) = numbers;
        let codecs = config.codec_config();
        let stereo = FormatParams { use_inband_fec: Some(true), ..FormatParams::default() };
        codecs.add_config(opus.into(), None, Codec::Opus, Frequency::FORTY_EIGHT_KHZ, Some(2), stereo);
        let plain = FormatParams::default();
        let rtx = Some((vp8 + 1).into());
        codecs.add_config(vp8.into(), rtx, Codec::Vp8, Frequency::NINETY_KHZ, None, plain);
        codecs.add_h264(h264.into(), Some((h264 + 1).into()), true, 0x42_e0_1f);
        let mut rtc = Box::new(config.build(now()));

        let candidate = match via {
            Via::Udp => Candidate::builder().udp().host(local).build(),
            Via::Tcp => Candidate::builder().tcp().host(local).tcptype(TcpType::Active).build(),
        };
        rtc.add_local_candidate(candidate.unwrap());
        let picture = if role == Role::Panel { Direction::SendOnly } else { Direction::RecvOnly };
        let mut changes = rtc.sdp_api();
        let audio = changes.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        let video = changes.add_media(MediaKind::Video, picture, None, None, None);
        let (offer, pending) = changes.apply().unwrap();
        Self {
            rtc,
            pending,
            sdp: offer.to_sdp_string(),
            link,
            local,
            server,
            role,
            audio,
            video,
            mark,
            says: Vec::new(),
        }
    }

    /// Connects by the room's answer.
    pub fn connect(mut self, answer: &str) -> Peer {
        let answer = SdpAnswer::from_sdp_string(answer).expect("an answer in SDP");
        self.rtc.sdp_api().accept_answer(self.pending, answer).expect("an answer that fits");
        let (seen, watching) = watch::channel(Seen::default());
        let (orders, queue) = mpsc::unbounded_channel();
        let task = Task {
            codec: Codec::Vp8,
            rate: FULL_RATE,
            rtc: self.rtc,
            local: self.local,
            server: self.server,
            role: self.role,
            audio: self.audio,
            video: self.video,
            mark: self.mark,
            says: self.says,
            seen,
            audio_sent: 0,
            video_sent: 0,
            frames: 0,
            narrow: None,
            tokens: 0.0,
            refilled: now(),
        };
        tokio::spawn(task.run(self.link, queue));
        Peer { seen: watching, orders }
    }
}

impl Peer {
    /// Waits until it has seen this.
    pub async fn until(&self, what: &str, mut condition: impl FnMut(&Seen) -> bool) -> Seen {
        let mut seen = self.seen.clone();
        let waited = tokio::time::timeout(PATIENCE, seen.wait_for(|seen| condition(seen))).await;
        match waited {
            Ok(seen) => seen.expect("the peer is alive").clone(),
            Err(_) => panic!("never saw {what}: {:?}", Brief(&self.seen.borrow())),
        }
    }

    pub fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    pub fn narrow(&self, bits_per_second: Option<u64>) {
        self.orders.send(Order::Narrow(bits_per_second)).unwrap();
    }

    pub fn encode(&self, codec: Codec) {
        self.orders.send(Order::Encode(codec)).unwrap();
    }
}

/// Without the thousands of packets.
struct Brief<'a>(&'a Seen);

impl std::fmt::Debug for Brief<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Seen { video, .. } = self.0;
        write!(f, "{} pictures, {:?}", video.len(), Seen { video: Vec::new(), ..self.0.clone() })
    }
}

impl Link {
    async fn open(via: Via, server: SocketAddr) -> (Self, SocketAddr) {
        match via {
            Via::Udp => {
                let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
                let local = socket.local_addr().unwrap();
                (Self::Udp(socket), local)
            }
            Via::Tcp => {
                let stream = TcpStream::connect(server).await.unwrap();
                let local = stream.local_addr().unwrap();
                let (mut reading, writing) = stream.into_split();
                let (frames, queue) = mpsc::channel(1_000);
                tokio::spawn(async move {
                    while let Ok(length) = reading.read_u16().await {
                        let mut frame = vec![0; usize::from(length)];
                        if reading.read_exact(&mut frame).await.is_err() || frames.send(frame).await.is_err()
                        {
                            return;
                        }
                    }
                });
                (Self::Tcp(queue, writing), local)
            }
        }
    }

    async fn receive(&mut self) -> Option<Vec<u8>> {
        match self {
            Self::Udp(socket) => {
                let mut buffer = vec![0; 2_000];
                let (length, _) = socket.recv_from(&mut buffer).await.ok()?;
                buffer.truncate(length);
                Some(buffer)
            }
            Self::Tcp(queue, _) => queue.recv().await,
        }
    }

    async fn send(&mut self, datagram: &Transmit) {
        match self {
            Self::Udp(socket) => {
                let _ = socket.send_to(&datagram.contents, datagram.destination).await;
            }
            Self::Tcp(_, stream) => {
                let mut frame = u16::try_from(datagram.contents.len()).unwrap().to_be_bytes().to_vec();
                frame.extend_from_slice(&datagram.contents);
                let _ = stream.write_all(&frame).await;
            }
        }
    }

    fn protocol(&self) -> Protocol {
        match self {
            Self::Udp(_) => Protocol::Udp,
            Self::Tcp(..) => Protocol::Tcp,
        }
    }
}

struct Task {
    rtc: Box<Rtc>,
    local: SocketAddr,
    server: SocketAddr,
    role: Role,
    audio: Mid,
    video: Mid,
    mark: u8,
    says: Vec<Vec<u8>>,
    seen: watch::Sender<Seen>,
    codec: Codec,
    rate: u64,
    audio_sent: u64,
    video_sent: u64,
    frames: u32,
    narrow: Option<u64>,
    tokens: f64,
    refilled: Instant,
}

impl Task {
    async fn run(mut self, mut link: Link, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut audio_at = now();
        let mut video_at = now();
        loop {
            let wake_at = self.drain(&mut link).await.min(audio_at).min(video_at);
            tokio::select! {
                order = orders.recv() => match order {
                    None => return,
                    Some(Order::Narrow(rate)) => self.narrow = rate,
                    Some(Order::Encode(codec)) => self.codec = codec,
                },
                datagram = link.receive() => match datagram {
                    Some(datagram) => self.receive(&datagram, link.protocol()),
                    None => {
                        self.seen.send_modify(|seen| seen.closed = true);
                        return;
                    }
                },
                () = tokio::time::sleep_until(wake_at.into()) => {
                    self.rtc.handle_input(Input::Timeout(now())).unwrap();
                }
            }
            if now() >= audio_at {
                audio_at += AUDIO_EVERY;
                self.drain(&mut link).await;
                self.speak();
            }
            if now() >= video_at {
                video_at += VIDEO_EVERY;
                if self.role == Role::Panel {
                    self.film(&mut link).await;
                }
            }
        }
    }

    /// Sends what is ready; says when to come back.
    async fn drain(&mut self, link: &mut Link) -> Instant {
        loop {
            match self.rtc.poll_output().expect("a sound connection") {
                Output::Timeout(at) => return at,
                Output::Transmit(datagram) => link.send(&datagram).await,
                Output::Event(event) => self.note(event),
            }
        }
    }

    fn receive(&mut self, datagram: &[u8], protocol: Protocol) {
        let is_media = datagram.first().is_some_and(|byte| (128..192).contains(byte));
        // The second byte holds the payload type, in clear.
        let number = datagram.get(1).map(|byte| byte & 0x7f);
        if is_media && number == Some(*self.payload_type(Codec::Vp8)) {
            self.seen.send_modify(|seen| seen.video_arrived += 1);
        }
        if is_media && !self.passes(datagram.len()) {
            return;
        }
        if let Ok(datagram) = Receive::new(protocol, self.server, self.local, datagram) {
            self.rtc.handle_input(Input::Receive(now(), datagram)).expect("datagrams of the room are sound");
        }
    }

    /// A narrow link: what does not fit is lost.
    fn passes(&mut self, bytes: usize) -> bool {
        let Some(rate) = self.narrow else { return true };
        let burst = rate as f64 / 10.0;
        let elapsed = now() - self.refilled;
        self.refilled = now();
        self.tokens = (self.tokens + elapsed.as_secs_f64() * rate as f64).min(burst);
        let bits = bytes as f64 * 8.0;
        let fits = self.tokens >= bits;
        if fits {
            self.tokens -= bits;
        }
        fits
    }

    fn note(&mut self, event: Event) {
        let payload_codec = |rtc: &Rtc, pt: Pt| {
            rtc.codec_config().params().iter().find(|p| p.pt() == pt).map(|p| p.spec().codec)
        };
        match event {
            Event::Connected => self.seen.send_modify(|seen| seen.connected = true),
            Event::Closed => self.seen.send_modify(|seen| seen.closed = true),
            Event::KeyframeRequest(_) => self.seen.send_modify(|seen| seen.keyframe_requests += 1),
            Event::EgressBitrateEstimate(BweKind::Remb { estimate, .. }) => {
                self.rate = estimate.as_u64().min(FULL_RATE);
                self.seen.send_modify(|seen| seen.limit = Some(estimate.as_u64()));
            }
            Event::RtpPacket(packet) => {
                let codec =
                    payload_codec(&self.rtc, packet.header.payload_type).expect("an agreed payload type");
                let mark = packet.payload.first().copied().unwrap_or_default();
                self.seen.send_modify(|seen| match codec.is_audio() {
                    true => seen.audio += 1,
                    false => seen.video.push(VideoPacket {
                        seq: *packet.seq_no,
                        timestamp: packet.header.timestamp,
                        codec,
                        mark,
                    }),
                });
            }
            _ => {}
        }
    }

    fn payload_type(&self, codec: Codec) -> Pt {
        self.rtc.codec_config().params().iter().find(|p| p.spec().codec == codec).unwrap().pt()
    }

    fn speak(&mut self) {
        if !self.rtc.is_connected() {
            return;
        }
        let pt = self.payload_type(Codec::Opus);
        let timestamp = u32::try_from(self.audio_sent * 960).unwrap();
        let said = match self.says.len() {
            0 => vec![self.mark; 80],
            count => self.says[usize::try_from(self.audio_sent).unwrap() % count].clone(),
        };
        let write = RtpWrite::new(pt, self.audio_sent.into(), timestamp, now(), said);
        if let Some(stream) = self.rtc.direct_api().stream_tx_by_mid(self.audio, None) {
            stream.write_rtp(write);
            self.audio_sent += 1;
        }
        self.rtc.handle_input(Input::Timeout(now())).unwrap();
        self.seen.send_modify(|seen| seen.audio_sent = self.audio_sent);
    }

    /// One frame, in packets of a thousand bytes.
    async fn film(&mut self, link: &mut Link) {
        if !self.rtc.is_connected() {
            return;
        }
        let pt = self.payload_type(self.codec);
        let bytes = usize::try_from(self.rate / 25 / 8).unwrap().max(200);
        let packets = bytes.div_ceil(1_000);
        for index in 0..packets {
            self.drain(link).await;
            let size = (bytes - index * 1_000).min(1_000);
            let write =
                RtpWrite::new(pt, self.video_sent.into(), self.frames * 3_600, now(), vec![self.mark; size])
                    .marker(index + 1 == packets)
                    .nackable(true);
            if let Some(stream) = self.rtc.direct_api().stream_tx_by_mid(self.video, None) {
                stream.write_rtp(write);
                self.video_sent += 1;
            }
            self.rtc.handle_input(Input::Timeout(now())).unwrap();
        }
        self.frames += 1;
    }
}
