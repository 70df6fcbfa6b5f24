//! A room with a desk phone that has a display.

use crate::call::{ANNA, BEN, Call, ROOM};
use crate::support::{Numbers, Offering, Role, Via};
use klinke_media::{MediaError, MediaEvent, Picture, RoomId, Sight, ViewerSeat};
use str0m::format::Codec;
use tokio::time::{Duration, timeout};
use uuid::Uuid;

const PANEL_MARK: u8 = 1;
const RELOADED_MARK: u8 = 2;
/// First bytes of frames of a door station.
const KEY: u8 = 0x65;
const NEXT_KEY: u8 = 0x25;
const DELTA: u8 = 0x41;
/// Longer than anything here takes on a busy machine; reached only by a failing test.
const PATIENCE: Duration = Duration::from_secs(60);

async fn next(seat: &mut ViewerSeat) -> Option<Sight> {
    timeout(PATIENCE, seat.next()).await.expect("something to see")
}

async fn sees(seat: &mut ViewerSeat, packets: usize) -> Vec<Sight> {
    let mut seen = Vec::new();
    while seen.len() < packets {
        seen.push(next(seat).await.expect("a room"));
    }
    seen
}

fn mark(sight: &Sight) -> u8 {
    sight.payload[0]
}

/// A packet of a door station: frame `n`, which is of one packet.
fn frame(n: u64, mark: u8) -> Picture {
    let timestamp = u32::try_from(n * 3_600).unwrap();
    Picture { seq: n, timestamp, marker: true, starts: mark != DELTA, payload: [mark, 7].into() }
}

#[tokio::test]
async fn it_sees_a_browser_s_h264_and_nothing_of_another_codec() {
    let call = Call::open().await;
    let panel = call.panel(PANEL_MARK).await;
    panel.until("the connection", |seen| seen.connected).await;
    let mut seat = call.media.look(ROOM, ANNA).await.unwrap();
    // nobody else looks: it is asked all the same
    panel.until("a wish for a key frame", |seen| seen.keyframe_requests >= 1).await;
    let ben = call.app(BEN, Via::Udp).await;
    ben.until("VP8", |seen| seen.video.len() >= 30).await;
    call.media.load().await; // the shard has done the above by the time it answers this
    assert_eq!(timeout(Duration::ZERO, seat.next()).await.ok(), None, "it sees nothing of it");
    panel.encode(Codec::H264);
    let seen = sees(&mut seat, 20).await;
    assert!(seen.iter().all(|sight| mark(sight) == PANEL_MARK && sight.stream == seen[0].stream));
    assert!(seen.windows(2).all(|two| two[1].seq == two[0].seq + 1), "as it came: {seen:?}");
    assert!(seen.iter().any(|sight| sight.marker));
    // a wish of its own goes to the panel
    let before = panel.seen().keyframe_requests;
    seat.wants_key_frame().await;
    panel.until("another wish", |seen| seen.keyframe_requests > before).await;

    // the page reloads: another stream
    let reloaded = call.panel(RELOADED_MARK).await;
    reloaded.encode(Codec::H264);
    let after = loop {
        let sight = next(&mut seat).await.expect("a room");
        if mark(&sight) == RELOADED_MARK {
            break sight;
        }
    };
    assert_ne!(after.stream, seen[0].stream);
}

#[tokio::test]
async fn who_lifts_late_sees_the_kept_key_frame_first_and_nothing_that_needs_more() {
    let call = Call::open().await;
    let camera = call.media.seat_panel(ROOM).await.unwrap();
    for (n, mark) in (1..).zip([KEY, DELTA, DELTA]) {
        camera.shows(frame(n, mark)).await;
    }
    let mut seat = call.media.look(ROOM, ANNA).await.unwrap();
    let kept = next(&mut seat).await.unwrap();
    assert_eq!((mark(&kept), kept.seq), (KEY, 1), "at once, though nothing comes");
    for (n, mark) in (4..).zip([DELTA, NEXT_KEY, DELTA]) {
        camera.shows(frame(n, mark)).await;
    }
    let seen = sees(&mut seat, 2).await;
    assert_eq!(seen.iter().map(mark).collect::<Vec<_>>(), [NEXT_KEY, DELTA]);
    assert!(seen.iter().all(|sight| sight.stream != kept.stream), "it does not continue the kept one");
}

#[tokio::test]
async fn who_lifts_right_after_the_key_frame_goes_on_with_what_comes() {
    let call = Call::open().await;
    let camera = call.media.seat_panel(ROOM).await.unwrap();
    camera.shows(frame(1, KEY)).await;
    let mut seat = call.media.look(ROOM, ANNA).await.unwrap();
    camera.shows(frame(2, DELTA)).await;
    let seen = sees(&mut seat, 2).await;
    assert_eq!(seen.iter().map(mark).collect::<Vec<_>>(), [KEY, DELTA]);
    assert_eq!(seen[0].stream, seen[1].stream);
}

#[tokio::test]
async fn an_app_that_can_not_show_what_the_panel_sends_is_told_of_and_when_it_can_again() {
    let mut call = Call::open().await;
    let _camera = call.media.seat_panel(ROOM).await.unwrap();
    let numbers = Numbers(109, 120, 126);
    let offering = Offering::new(Role::App, Via::Udp, call.media.local_addr(), numbers, 3).await;
    // as a browser whose H.264 has to fit into one packet a frame
    let offer = offering.sdp.replace("packetization-mode=1", "packetization-mode=0");
    assert_ne!(offer, offering.sdp);
    let answer = call.media.subscribe(ROOM, ANNA, offer).await.unwrap();
    let anna = offering.connect(&answer);
    let ben = call.app(BEN, Via::Udp).await;
    ben.until("the connection", |seen| seen.connected).await;
    anna.until("the connection", |seen| seen.connected).await;
    let shows = async |call: &mut Call| loop {
        match timeout(PATIENCE, call.events.recv()).await.expect("news").unwrap() {
            MediaEvent::Shows { peer, can, .. } => return (peer, can),
            MediaEvent::Quality { peer, .. } => assert_ne!(peer, ANNA, "who sees nothing has no quality"),
            _ => {}
        }
    };
    assert_eq!(shows(&mut call).await, (ANNA, false));
    // a browser sends what every browser can show; Ben, who could before, is not told
    let _panel = call.panel(PANEL_MARK).await;
    assert_eq!(shows(&mut call).await, (ANNA, true));
}

#[tokio::test]
async fn a_view_ends_with_its_peer_with_another_one_and_with_the_room() {
    let call = Call::open().await;
    let nowhere = RoomId(Uuid::from_u128(99));
    assert!(matches!(call.media.look(nowhere, ANNA).await, Err(MediaError::NoSuchRoom)));
    let mut first = call.media.look(ROOM, ANNA).await.unwrap();
    let mut second = call.media.look(ROOM, ANNA).await.unwrap();
    assert_eq!(next(&mut first).await, None, "another one is there");
    call.media.leave(ROOM, ANNA).await;
    assert_eq!(next(&mut second).await, None);
    let mut third = call.media.look(ROOM, ANNA).await.unwrap();
    call.media.close_room(ROOM).await;
    assert_eq!(next(&mut third).await, None);
}
