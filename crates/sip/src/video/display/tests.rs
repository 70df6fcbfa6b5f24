use super::*;
use crate::rtp::port::Range;
use crate::video::Asking;
use klinke_model::time::Timestamp;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::timeout;

/// Longer than anything here takes on a busy machine; reached only by a failing test.
const PATIENCE: Duration = Duration::from_secs(30);

const SPS: &[u8] = &[0x67, 66, 0, 30, 0x80];
const PPS: &[u8] = &[0x68, 0x80];
const KEY: &[u8] = &[0x65, 1, 2, 3];
const DELTA: &[u8] = &[0x41, 4, 5, 6];

/// A clock that stands still until it is set.
#[derive(Default)]
struct Still(AtomicU64);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0)
    }

    fn mono(&self) -> Mono {
        Mono::default() + Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// A display, and where its packets and reports come to.
struct Wall {
    display: Display,
    clock: Arc<Still>,
    rtp: UdpSocket,
    rtcp: UdpSocket,
    next: u16,
}

impl Wall {
    async fn new() -> Self {
        Self::behind(None).await
    }

    /// The device is known to be on this machine.
    async fn behind(home: Option<IpAddr>) -> Self {
        let ours = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
        let (rtp, rtcp) = (ours().await.unwrap(), ours().await.unwrap());
        let video = Video {
            payload_type: 102,
            profile_level: None,
            packetization_mode: 1,
            parameter_sets: None,
            address: Ipv4Addr::LOCALHOST.into(),
            port: rtp.local_addr().unwrap().port(),
            rtcp_port: rtcp.local_addr().unwrap().port(),
            takes: true,
            keys: None,
        };
        let range = Range { first: 24_000, last: 24_999 };
        let ports = Ports::take(Ipv4Addr::LOCALHOST.into(), range).await.unwrap();
        let clock = Arc::new(Still::default());
        let display = Display::start(ports, &video, ("chance", home), clock.clone()).unwrap();
        Self { display, clock, rtp, rtcp, next: 65_530 }
    }

    /// Shows a frame of these packets, this many milliseconds after the beginning.
    async fn frame(&mut self, stream: u32, payloads: &[&[u8]], at: u32) -> bool {
        self.clock.0.store(at.into(), Ordering::Relaxed);
        let mut asks = false;
        for (n, payload) in payloads.iter().enumerate() {
            let marker = n + 1 == payloads.len();
            // each stream counts its time from elsewhere
            let timestamp = (at * 90).wrapping_add(stream << 28);
            asks |=
                self.display.show(Shown { stream, sequence: self.next, timestamp, marker, payload }).await;
            self.next = self.next.wrapping_add(1);
        }
        asks
    }

    async fn came(&self) -> (u16, u32, u32, Vec<u8>) {
        let mut buffer = [0; 2_000];
        let (length, _) =
            timeout(PATIENCE, self.rtp.recv_from(&mut buffer)).await.expect("a packet").unwrap();
        let packet = Packet::parse(&buffer[..length]).unwrap();
        assert_eq!(packet.payload_type, 102);
        (packet.sequence, packet.timestamp, packet.ssrc, packet.payload.to_vec())
    }
}

#[tokio::test]
async fn whatever_comes_goes_out_as_one_stream_that_begins_with_a_key_frame() {
    let mut wall = Wall::new().await;
    // nothing to begin with: a key frame is asked for, once a second
    assert!(wall.frame(1, &[DELTA], 0).await);
    assert!(!wall.frame(1, &[DELTA], 500).await);
    assert!(wall.frame(1, &[DELTA], 1_000).await);
    assert!(!wall.frame(1, &[SPS, PPS, KEY], 1_040).await);
    assert!(!wall.frame(1, &[DELTA], 1_080).await);
    // another stream, half a second later; what needs a frame of it that was not shown is not shown
    assert!(!wall.frame(2, &[DELTA], 1_540).await, "it was asked for a moment ago");
    wall.frame(2, &[SPS, PPS, KEY], 1_580).await;
    // the same one, after a pause
    wall.display.cut();
    assert!(wall.frame(2, &[DELTA], 2_000).await);
    wall.frame(2, &[SPS, PPS, KEY], 2_040).await;
    let mut seen = Vec::new();
    for _ in 0..10 {
        seen.push(wall.came().await);
    }
    let payloads: Vec<&[u8]> = seen.iter().map(|one| one.3.as_slice()).collect();
    assert_eq!(payloads, [SPS, PPS, KEY, DELTA, SPS, PPS, KEY, SPS, PPS, KEY]);
    let (first, began, ssrc, _) = seen[0].clone();
    assert!(seen.iter().all(|one| one.2 == ssrc));
    let numbers: Vec<u16> = seen.iter().map(|one| one.0.wrapping_sub(first)).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let times: Vec<u32> = seen.iter().map(|one| one.1.wrapping_sub(began) / 90).collect();
    assert_eq!(times, [0, 0, 0, 40, 540, 540, 540, 1_000, 1_000, 1_000]);
}

#[tokio::test]
async fn its_reports_say_which_moment_is_which_timestamp_and_belong_to_the_sound() {
    let mut wall = Wall::new().await;
    wall.frame(1, &[SPS, PPS, KEY], 7_500).await;
    wall.frame(1, &[DELTA], 7_540).await;
    wall.frame(1, &[DELTA], 12_500).await;
    let (_, began, ssrc, _) = wall.came().await;
    // with the first packet, then every five seconds
    for (seconds, packets, later) in [(7.5, 1, 0), (12.5, 5, 5_000 * 90)] {
        let mut buffer = [0; 2_000];
        let (length, _) =
            timeout(PATIENCE, wall.rtcp.recv_from(&mut buffer)).await.expect("a report").unwrap();
        let reports = rtcp::parse(&buffer[..length]).unwrap();
        let Some(Report::Sender { ssrc: whose, sent, .. }) = reports.first() else { panic!("{reports:?}") };
        assert_eq!((*whose, sent.packets), (ssrc, packets));
        assert_eq!(sent.timestamp.wrapping_sub(began), later);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "halves are whole there")]
        let ntp = (seconds * f64::from(1 << 16) * f64::from(1 << 16)) as u64;
        assert_eq!(sent.ntp, ntp);
        assert!(buffer[..length].windows(6).any(|name| name == b"chance"));
    }
}

/// What a display says by itself: a report without anything in it, or packets without anything in them.
fn signs_of_life() -> (Vec<u8>, Vec<Vec<u8>>) {
    let empty = |sequence| {
        let (csrc, payload): (&[u8], &[u8]) = (&[], &[]);
        let (payload_type, marker, timestamp, ssrc, extension) = (102, false, 0, 77, None);
        Packet { payload_type, marker, sequence, timestamp, ssrc, csrc, extension, payload }.write()
    };
    (rtcp::write(77, None, None, "display"), (1..4).map(empty).collect())
}

/// Where its picture comes, of these.
async fn reached(wall: &mut Wall, sockets: &[&UdpSocket]) -> usize {
    let at = wall.clock.0.load(Ordering::Relaxed) + 40;
    wall.frame(1, &[SPS, PPS, KEY], u32::try_from(at).unwrap()).await;
    let mut came = Vec::new();
    for (n, socket) in sockets.iter().enumerate() {
        let mut buffer = [0; 2_000];
        // what one machine sends to itself is there at once
        while let Ok(Ok((length, _))) =
            timeout(Duration::from_millis(100), socket.recv_from(&mut buffer)).await
        {
            if !is_rtcp(&buffer[..length]) {
                came.push(n);
            }
        }
    }
    came.dedup();
    assert_eq!(came.len(), 1, "{came:?}");
    came[0]
}

/// Lets the display read all that was sent to it.
async fn reads(wall: &mut Wall) {
    assert!(timeout(Duration::from_millis(200), wall.display.wish()).await.is_err());
}

#[tokio::test]
async fn behind_a_router_the_picture_goes_to_where_the_display_speaks_from() {
    let home = Ipv4Addr::new(127, 0, 0, 3);
    let (report, packets) = signs_of_life();
    for by_report in [true, false] {
        let mut wall = Wall::behind(Some(home.into())).await;
        let told = std::mem::replace(&mut wall.rtp, UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap());
        let ours = wall.display.rtp.local_addr().unwrap();
        let third = UdpSocket::bind((Ipv4Addr::new(127, 0, 0, 9), 0)).await.unwrap();
        let router = UdpSocket::bind((home, 0)).await.unwrap();
        let later = UdpSocket::bind((home, 0)).await.unwrap();
        let all = [&told, &third, &router, &later];
        // whoever is not where the device is says what they like
        for datagram in packets.iter().chain([&report]) {
            third.send_to(datagram, ours).await.unwrap();
        }
        // and where the device is, no report is one that is none, and no packet counts that is alone
        router.send_to(&[0x80, 201, 0, 9], ours).await.unwrap();
        router.send_to(&packets[0], ours).await.unwrap();
        reads(&mut wall).await;
        assert_eq!(reached(&mut wall, &all).await, 0);
        let signs = if by_report { std::slice::from_ref(&report) } else { &packets[..] };
        for datagram in signs {
            router.send_to(datagram, ours).await.unwrap();
        }
        reads(&mut wall).await;
        assert_eq!(reached(&mut wall, &all).await, 2, "by a report: {by_report}");
        // it is learnt once
        for datagram in packets.iter().chain([&report]) {
            later.send_to(datagram, ours).await.unwrap();
        }
        reads(&mut wall).await;
        assert_eq!(reached(&mut wall, &all).await, 2);
    }
}

#[tokio::test]
async fn a_display_that_speaks_from_where_it_says_stays_there() {
    let home = Ipv4Addr::new(127, 0, 0, 3);
    let mut wall = Wall::behind(Some(home.into())).await;
    let told = std::mem::replace(&mut wall.rtp, UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap());
    let ours = wall.display.rtp.local_addr().unwrap();
    let other = UdpSocket::bind((home, 0)).await.unwrap();
    let (report, packets) = signs_of_life();
    told.send_to(&report, ours).await.unwrap();
    reads(&mut wall).await;
    for datagram in packets.iter().chain([&report]) {
        other.send_to(datagram, ours).await.unwrap();
    }
    reads(&mut wall).await;
    assert_eq!(reached(&mut wall, &[&told, &other]).await, 0);
}

#[tokio::test]
async fn only_who_looks_can_want_a_key_frame() {
    let mut wall = Wall::new().await;
    wall.frame(1, &[SPS, PPS, KEY], 0).await;
    let (_, _, ssrc, _) = wall.came().await;
    let wish = |of: u32| {
        let mut asking = Asking::default();
        asking.want();
        asking.ask(9, of, Mono::default()).unwrap().rtcp
    };
    let ours = wall.display.rtp.local_addr().unwrap();
    let stranger = UdpSocket::bind((Ipv4Addr::new(127, 0, 0, 2), 0)).await.unwrap();
    stranger.send_to(&wish(ssrc), ours).await.unwrap();
    wall.rtp.send_to(&wish(ssrc.wrapping_add(1)), ours).await.unwrap();
    wall.rtp.send_to(b"no report", ours).await.unwrap();
    // sockets of one machine keep their order: all of it is read before the next
    assert!(timeout(Duration::from_millis(200), wall.display.wish()).await.is_err());
    for to in [ours, wall.display.rtcp.local_addr().unwrap()] {
        wall.rtcp.send_to(&wish(ssrc), to).await.unwrap();
        timeout(PATIENCE, wall.display.wish()).await.expect("a wish");
    }
}
