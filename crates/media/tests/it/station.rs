//! A room whose panel is a door station.

use crate::call::{ANNA, BEN, Call, ROOM};
use crate::support::{Peer, Via};
use klinke_media::{ForStation, MediaError, PanelSeat, Picture, RoomId, Sound};
use str0m::format::Codec;
use tokio::time::{Duration, timeout};
use uuid::Uuid;

/// First bytes of frames: a key frame, another one, and one that needs those before it.
const KEY: u8 = 0x65;
const NEXT_KEY: u8 = 0x25;
const DELTA: u8 = 0x41;
const VOICE: u8 = 9;

/// What the station sends: frames of three packets.
struct Camera {
    seat: PanelSeat,
    seq: u64,
    timestamp: u32,
}

impl Camera {
    async fn at(call: &Call) -> Self {
        Self { seat: call.media.seat_panel(ROOM).await.unwrap(), seq: 70_000, timestamp: 5 }
    }

    async fn frame(&mut self, mark: u8) {
        self.timestamp += 3_600;
        for n in 0..3 {
            let picture = Picture {
                seq: self.seq,
                timestamp: self.timestamp,
                marker: n == 2,
                starts: n == 0 && mark != DELTA,
                payload: [mark, n, 7].into(),
            };
            self.seat.shows(picture).await;
            self.seq += 1;
        }
    }

    /// The next wish for a key frame.
    async fn asked(&mut self) {
        let asked = async { while self.seat.next().await != Some(ForStation::KeyFrame) {} };
        timeout(Duration::from_secs(30), asked).await.expect("a wish for a key frame");
    }
}

fn marks(peer: &Peer) -> Vec<u8> {
    let mut video = peer.seen().video;
    assert!(video.iter().all(|packet| packet.codec == Codec::H264));
    video.sort_by_key(|packet| packet.seq);
    assert!(video.windows(2).all(|two| two[1].seq == two[0].seq + 1), "no hole: {video:?}");
    video.iter().map(|packet| packet.mark).collect()
}

#[tokio::test]
async fn nobody_is_shown_a_frame_without_the_one_that_it_needs_and_who_comes_late_is_shown_the_last() {
    let call = Call::open().await;
    let mut camera = Camera::at(&call).await;
    let anna = call.app(ANNA, Via::Udp).await;
    anna.until("the connection", |seen| seen.connected).await;
    camera.asked().await;
    camera.frame(DELTA).await;
    camera.frame(KEY).await;
    camera.frame(DELTA).await;
    anna.until("two frames", |seen| seen.video.len() >= 6).await;
    assert_eq!(marks(&anna), [KEY, KEY, KEY, DELTA, DELTA, DELTA]);

    // late: the kept frame at once, though the camera shows nothing more
    let ben = call.app(BEN, Via::Udp).await;
    ben.until("the kept frame", |seen| seen.video.len() >= 3).await;
    camera.asked().await;
    // what needs a frame that was not shown to them is not shown
    camera.frame(DELTA).await;
    camera.frame(NEXT_KEY).await;
    camera.frame(DELTA).await;
    ben.until("what moves", |seen| seen.video.len() >= 9).await;
    assert_eq!(marks(&ben), [KEY, KEY, KEY, NEXT_KEY, NEXT_KEY, NEXT_KEY, DELTA, DELTA, DELTA]);
    let times: Vec<u32> = ben.seen().video.iter().map(|packet| packet.timestamp).collect();
    assert!(times.windows(2).all(|two| two[1].wrapping_sub(two[0]) < 90_000 * 60), "{times:?}");
    anna.until("all of it", |seen| seen.video.len() >= 15).await;
    assert_eq!(marks(&anna)[6..], [[DELTA; 3], [NEXT_KEY; 3], [DELTA; 3]].concat());
}

#[tokio::test]
async fn who_comes_right_after_the_key_frame_goes_on_with_what_comes() {
    let call = Call::open().await;
    let mut camera = Camera::at(&call).await;
    camera.frame(KEY).await;
    let anna = call.app(ANNA, Via::Udp).await;
    anna.until("the kept frame", |seen| seen.video.len() >= 3).await;
    camera.frame(DELTA).await;
    anna.until("what moves", |seen| seen.video.len() >= 6).await;
    assert_eq!(marks(&anna), [KEY, KEY, KEY, DELTA, DELTA, DELTA]);
}

#[tokio::test]
async fn who_looks_again_is_shown_the_last_key_frame_first() {
    let call = Call::open().await;
    let mut camera = Camera::at(&call).await;
    let anna = call.app(ANNA, Via::Udp).await;
    anna.until("the connection", |seen| seen.connected).await;
    camera.frame(KEY).await;
    anna.until("the picture", |seen| seen.video.len() >= 3).await;
    call.media.set_video(ROOM, ANNA, false).await;
    camera.frame(NEXT_KEY).await;
    camera.frame(DELTA).await;
    call.media.set_video(ROOM, ANNA, true).await;
    anna.until("the kept frame", |seen| seen.video.len() >= 6).await;
    camera.frame(DELTA).await;
    camera.frame(KEY).await;
    anna.until("what moves", |seen| seen.video.len() >= 9).await;
    assert_eq!(marks(&anna), [[KEY; 3], [NEXT_KEY; 3], [KEY; 3]].concat());
}

#[tokio::test]
async fn a_door_station_hears_and_is_heard_by_who_is_bridged() {
    let call = Call::open().await;
    let mut seat = call.media.seat_panel(ROOM).await.unwrap();
    let (anna, ben) = (call.app(ANNA, Via::Udp).await, call.app(BEN, Via::Udp).await);
    let speaks = async |from: u32, packets: u32| {
        for n in from..from + packets {
            let payload = vec![VOICE; 40].into();
            seat.speaks(Sound { seq: u64::from(n), timestamp: n * 960, payload }).await;
        }
    };
    anna.until("itself speak", |seen| seen.audio_sent >= 20).await;
    ben.until("the connection", |seen| seen.connected).await;
    speaks(0, 20).await;
    call.media.load().await; // the shard has done the above by the time it answers this
    call.media.bridge(ROOM, ANNA).await;
    speaks(20, 10).await;
    let seen = anna.until("sound", |seen| seen.audio >= 10).await;
    assert_eq!((seen.audio, ben.seen().audio), (10, 0), "nothing from before, and nobody else");
    let heard = async {
        loop {
            match seat.next().await.expect("the seat is kept") {
                ForStation::Sound(sound) => return sound,
                ForStation::KeyFrame => {}
            }
        }
    };
    let sound = timeout(Duration::from_secs(30), heard).await.expect("sound of the app");
    assert_eq!(sound.payload.len(), 80);
}

#[tokio::test]
async fn one_panel_is_in_a_room() {
    let call = Call::open().await;
    let mut first = Camera::at(&call).await;
    let second = Camera::at(&call).await;
    assert_eq!(first.seat.next().await, None, "another station is there");
    let anna = call.app(ANNA, Via::Udp).await;
    anna.until("the connection", |seen| seen.connected).await;
    first.frame(KEY).await;
    let panel = call.panel(1).await;
    anna.until("the browser's picture", |seen| seen.video.len() >= 10).await;
    let shown = anna.seen().video;
    assert!(shown.iter().all(|packet| packet.mark == 1), "nothing of who was replaced: {shown:?}");
    drop((panel, second));
    let nowhere = RoomId(Uuid::from_u128(99));
    assert!(matches!(call.media.seat_panel(nowhere).await, Err(MediaError::NoSuchRoom)));
}
