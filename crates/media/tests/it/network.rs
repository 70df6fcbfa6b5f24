//! What the network does to a call: narrow links, strangers, rooms that come and go.

use crate::call::{ANNA, BEN, Call, ROOM};
use crate::support::{FULL_RATE, Numbers, Offering, Role, Via};
use klinke_media::{Load, MediaEvent, Quality, RoomId};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use uuid::Uuid;

impl Call {
    async fn quality(&mut self) -> (klinke_media::PeerId, Quality) {
        let patience = Duration::from_secs(60);
        tokio::time::timeout(patience, async {
            loop {
                if let MediaEvent::Quality { peer, quality, .. } = self.events.recv().await.unwrap() {
                    return (peer, quality);
                }
            }
        })
        .await
        .expect("a change of quality")
    }
}

#[tokio::test]
async fn a_slower_peer_lowers_the_rate_for_all() {
    let mut call = Call::open().await;
    let panel = call.panel(1).await;
    let anna = call.app(ANNA, Via::Udp).await;
    let ben = call.app(BEN, Via::Udp).await;
    for peer in [&anna, &ben] {
        peer.until("the picture", |seen| seen.video.len() >= 100).await;
    }

    anna.narrow(Some(450_000));
    while call.quality().await != (ANNA, Quality::Reduced) {}
    panel.until("a lower limit", |seen| seen.limit.is_some_and(|limit| limit < 600_000)).await;

    anna.narrow(None);
    while call.quality().await != (ANNA, Quality::Good) {}
    panel.until("a higher limit", |seen| seen.limit.is_some_and(|limit| limit >= 700_000)).await;
}

#[tokio::test]
async fn a_peer_without_room_for_the_picture_keeps_its_sound_and_gets_the_picture_back() {
    let mut call = Call::open().await;
    let panel = call.panel(1).await;
    let anna = call.app(ANNA, Via::Udp).await;
    let ben = call.app(BEN, Via::Udp).await;
    call.media.bridge(ROOM, ANNA).await;
    for peer in [&anna, &ben] {
        peer.until("the picture", |seen| seen.video.len() >= 100).await;
    }

    anna.narrow(Some(110_000));
    while call.quality().await != (ANNA, Quality::AudioOnly) {}
    panel.until("the full rate for the other", |seen| seen.limit.is_some_and(|l| l >= FULL_RATE / 2)).await;
    let (annas, bens) = (anna.seen(), ben.seen());
    anna.until("sound go on", |seen| seen.audio >= annas.audio + 100).await;
    ben.until("its picture go on", |seen| seen.video.len() >= bens.video.len() + 100).await;
    // What was on its way may still have come.
    assert!(anna.seen().video_arrived <= annas.video_arrived + 5, "no picture where there is no room");

    anna.narrow(None);
    let asked = panel.seen().keyframe_requests;
    while call.quality().await != (ANNA, Quality::Good) {}
    let before = anna.seen().video.len();
    anna.until("the picture again", |seen| seen.video.len() >= before + 50).await;
    panel.until("a request for a key frame", |seen| seen.keyframe_requests > asked).await;
}

#[tokio::test]
async fn garbage_from_strangers_leaves_the_call_alive() {
    let call = Call::open().await;
    let panel = call.panel(1).await;
    let anna = call.app(ANNA, Via::Udp).await;
    anna.until("the picture", |seen| seen.video.len() >= 20).await;

    let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for round in 0..20_000_u32 {
        let mut bytes: Vec<u8> =
            (0..round % 1_600).map(|at| (round.wrapping_mul(2_654_435_761) >> (at % 24)) as u8).collect();
        // Half of it looks like one of the protocols on the port: STUN, DTLS, RTP, RTCP.
        if let Some(first) = bytes.first_mut().filter(|_| round % 2 == 0) {
            *first = [0, 22, 128, 129][round as usize / 2 % 4];
        }
        let _ = stranger.send_to(&bytes, call.media.local_addr()).await;
    }

    let before = anna.seen().video.len();
    anna.until("the picture go on", |seen| seen.video.len() >= before + 50).await;
    call.media.bridge(ROOM, ANNA).await;
    panel.until("sound", |seen| seen.audio >= 10).await;
    assert_eq!(call.media.load().await, Load { rooms: 1, connections: 2, addresses: 2, viewers: 0 });
}

#[tokio::test]
async fn a_stranger_on_tcp_is_shown_out() {
    let call = Call::open().await;
    let addr = call.media.local_addr();
    // A web browser, a frame that is too long, and one that is for nobody.
    for greeting in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff, 0xff, 0, 1], &[0, 4, 128, 96, 0, 1]] {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(greeting).await.unwrap();
        let mut answer = Vec::new();
        // Closed, politely or not, without a word.
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.is_empty());
    }
    let mut silent = TcpStream::connect(addr).await.unwrap();
    assert_eq!(silent.read(&mut [0]).await.unwrap_or_default(), 0, "who says nothing goes after a while");
}

#[tokio::test]
async fn a_password_is_needed_to_take_a_place() {
    let call = Call::open().await;
    let offering =
        Offering::new(Role::App, Via::Udp, call.media.local_addr(), Numbers(111, 96, 103), 9).await;
    let answer = call.media.subscribe(ROOM, BEN, offering.sdp.clone()).await.unwrap();
    let password = answer.lines().find_map(|line| line.strip_prefix("a=ice-pwd:")).unwrap();
    let forged = answer.replace(password, &"0".repeat(password.len()));
    let stranger = offering.connect(&forged);
    // Two seconds of picture, in which the stranger knocks several times.
    let anna = call.app(ANNA, Via::Udp).await;
    let _panel = call.panel(1).await;
    anna.until("the picture", |seen| seen.video.len() >= 250).await;
    assert!(!stranger.seen().connected);
    assert_eq!(call.media.load().await, Load { rooms: 1, connections: 3, addresses: 2, viewers: 0 });
}

#[tokio::test]
async fn rooms_that_come_and_go_leave_nothing_behind() {
    let call = Call::open().await;
    let addr = call.media.local_addr();
    let panel = Offering::new(Role::Panel, Via::Udp, addr, Numbers(111, 96, 103), 1).await.sdp;
    let app = Offering::new(Role::App, Via::Udp, addr, Numbers(111, 96, 103), 1).await.sdp;
    for number in 100..200 {
        let room = RoomId(Uuid::from_u128(number));
        call.media.open_room(room).await;
        call.media.publish(room, panel.clone()).await.unwrap();
        call.media.subscribe(room, ANNA, app.clone()).await.unwrap();
        call.media.subscribe(room, BEN, app.clone()).await.unwrap();
        call.media.leave(room, BEN).await;
        call.media.close_room(room).await;
    }
    let anna = call.app(ANNA, Via::Udp).await;
    let _panel = call.panel(1).await;
    anna.until("the picture", |seen| !seen.video.is_empty()).await;
    assert_eq!(call.media.load().await, Load { rooms: 1, connections: 2, addresses: 2, viewers: 0 });
    call.media.close_room(ROOM).await;
    assert_eq!(call.media.load().await, Load::default());
}
