//! One call: who sees and hears what, when.

use crate::support::{Numbers, Offering, Peer, Role, Via};
use klinke_media::{Media, MediaConfig, MediaError, MediaEvent, PeerId, RoomId, Sound};
use str0m::format::Codec;
use tokio::sync::mpsc;
use uuid::Uuid;

pub const ROOM: RoomId = RoomId(Uuid::from_u128(1));
pub const ANNA: PeerId = PeerId(Uuid::from_u128(10));
pub const BEN: PeerId = PeerId(Uuid::from_u128(11));
/// First bytes of what each sends.
const PANEL_MARK: u8 = 1;
const RELOADED_MARK: u8 = 2;
const APP_MARK: u8 = 3;
const SEAT_MARK: u8 = 4;
/// Chromium's, and others, to prove that they are mapped.
const PANEL_NUMBERS: Numbers = Numbers(111, 96, 103);
const APP_NUMBERS: Numbers = Numbers(109, 120, 126);

pub struct Call {
    pub media: Media,
    pub events: mpsc::Receiver<MediaEvent>,
}

impl Call {
    pub async fn open() -> Self {
        let config = MediaConfig { listen: "127.0.0.1:0".parse().unwrap(), advertise: Vec::new(), shards: 2 };
        let (media, events) = Media::start(&config).unwrap();
        media.open_room(ROOM).await;
        Self { media, events }
    }

    pub async fn panel(&self, mark: u8) -> Peer {
        let offering =
            Offering::new(Role::Panel, Via::Udp, self.media.local_addr(), PANEL_NUMBERS, mark).await;
        let answer = self.media.publish(ROOM, offering.sdp.clone()).await.unwrap();
        offering.connect(&answer)
    }

    pub async fn app(&self, peer: PeerId, via: Via) -> Peer {
        let offering = Offering::new(Role::App, via, self.media.local_addr(), APP_NUMBERS, APP_MARK).await;
        let answer = self.media.subscribe(ROOM, peer, offering.sdp.clone()).await.unwrap();
        offering.connect(&answer)
    }
}

#[tokio::test]
async fn the_picture_comes_at_once_and_sound_only_with_the_bridge() {
    let call = Call::open().await;
    let panel = call.panel(PANEL_MARK).await;
    let anna = call.app(ANNA, Via::Udp).await;
    let ben = call.app(BEN, Via::Udp).await;

    anna.until("the picture", |seen| seen.video.len() >= 50).await;
    ben.until("the picture", |seen| seen.video.len() >= 50).await;
    panel.until("a request for a key frame", |seen| seen.keyframe_requests >= 1).await;
    for peer in [&panel, &anna, &ben] {
        let seen = peer.until("itself speak", |seen| seen.audio_sent >= 50).await;
        assert_eq!(seen.audio, 0, "nobody hears anything before the call is answered");
    }

    call.media.bridge(ROOM, ANNA).await;
    anna.until("sound of the panel", |seen| seen.audio >= 20).await;
    panel.until("sound of the app", |seen| seen.audio >= 20).await;
    assert_eq!(ben.seen().audio, 0, "the others hear nothing");
    assert!(panel.seen().video.is_empty());

    call.media.unbridge(ROOM, ANNA).await;
    call.media.load().await; // The shard has done the above by the time it answers this.
    let (before_panel, before_anna) = (panel.seen(), anna.seen());
    anna.until("itself speak on", |seen| seen.audio_sent >= before_anna.audio_sent + 50).await;
    anna.until("more picture", |seen| seen.video.len() >= before_anna.video.len() + 50).await;
    // What was on its way may still have come.
    assert!(panel.seen().audio <= before_panel.audio + 5, "the panel hears nobody any more");
    assert!(anna.seen().audio <= before_anna.audio + 5, "the app hears nothing any more");
}

/// What a phone leg says: a packet every 20 ms.
async fn says(media: &Media, peer: PeerId, from: u64, packets: u64) {
    for number in from..from + packets {
        let timestamp = u32::try_from(number * 960).unwrap();
        media.speak(ROOM, peer, Sound { seq: number, timestamp, payload: vec![SEAT_MARK; 40].into() }).await;
    }
}

#[tokio::test]
async fn a_phone_leg_hears_and_is_heard_while_it_is_bridged() {
    let mut call = Call::open().await;
    let panel = call.panel(PANEL_MARK).await;
    let mut heard = call.media.seat(ROOM, BEN).await.unwrap();
    panel.until("itself speak", |seen| seen.audio_sent >= 50).await;
    says(&call.media, BEN, 0, 30).await;
    call.media.load().await; // the shard has done the above by the time it answers this
    assert_eq!(panel.seen().audio, 0, "nobody hears anything before the call is answered");
    assert!(heard.try_recv().is_err(), "nor does the phone");

    call.media.bridge(ROOM, BEN).await;
    let first = heard.recv().await.unwrap();
    assert_eq!(&first.payload[..], [PANEL_MARK; 80]);
    let second = heard.recv().await.unwrap();
    assert_eq!((second.seq, second.timestamp), (first.seq + 1, first.timestamp + 960));
    says(&call.media, BEN, 30, 20).await;
    panel.until("sound of the phone", |seen| seen.audio == 20).await;

    // an app takes the call over
    let anna = call.app(ANNA, Via::Udp).await;
    call.media.bridge(ROOM, ANNA).await;
    anna.until("sound of the panel", |seen| seen.audio >= 20).await;
    call.media.load().await;
    while heard.try_recv().is_ok() {}
    panel.until("itself speak on", |seen| seen.audio >= 40).await;
    assert!(heard.try_recv().is_err(), "the phone hears nothing any more");

    call.media.leave(ROOM, BEN).await;
    assert_eq!(heard.recv().await, None, "its place is free");
    assert_eq!(
        call.media.seat(RoomId(Uuid::from_u128(99)), BEN).await.unwrap_err().to_string(),
        MediaError::NoSuchRoom.to_string()
    );
    while let Ok(event) = call.events.try_recv() {
        assert!(!matches!(event, MediaEvent::Lost { .. }), "{event:?}");
    }
}

#[tokio::test]
async fn a_reload_of_the_panel_continues_the_same_stream() {
    let call = Call::open().await;
    let panel = call.panel(PANEL_MARK).await;
    let anna = call.app(ANNA, Via::Udp).await;
    anna.until("the picture", |seen| seen.video.len() >= 30).await;

    drop(panel);
    let _reloaded = call.panel(RELOADED_MARK).await;
    let seen = anna
        .until("the new picture", |seen| seen.video.iter().filter(|p| p.mark == RELOADED_MARK).count() >= 30)
        .await;

    let mut packets = seen.video;
    packets.sort_by_key(|packet| packet.seq);
    for pair in packets.windows(2) {
        assert_eq!(pair[1].seq, pair[0].seq + 1, "no hole at the reload: {pair:?}");
        assert!(
            pair[1].timestamp.wrapping_sub(pair[0].timestamp) < 90_000 * 60,
            "time goes forward: {pair:?}"
        );
    }
}

#[tokio::test]
async fn a_watcher_that_connects_anew_replaces_itself_and_keeps_its_place() {
    let mut call = Call::open().await;
    let panel = call.panel(PANEL_MARK).await;
    let first = call.app(ANNA, Via::Udp).await;
    first.until("the picture", |seen| !seen.video.is_empty()).await;
    call.media.bridge(ROOM, ANNA).await;
    first.until("sound", |seen| seen.audio > 0).await;

    let second = call.app(ANNA, Via::Udp).await;
    second.until("the picture", |seen| seen.video.len() >= 30).await;
    second.until("sound without another bridge", |seen| seen.audio >= 10).await;
    first.until("the good-bye of the room", |seen| seen.closed).await;
    assert_eq!(call.media.load().await.connections, 2);
    let heard = panel.seen().audio;
    panel.until("sound of the second", |seen| seen.audio > heard + 10).await;

    // the panel and the first watcher connect at the same time
    let told: Vec<_> = std::iter::from_fn(|| call.events.try_recv().ok()).collect();
    let count =
        |peer| told.iter().filter(|event| **event == MediaEvent::Connected { room: ROOM, peer }).count();
    assert_eq!((count(None), count(Some(ANNA)), told.len()), (1, 2, 3), "{told:?}");
}

#[tokio::test]
async fn a_watcher_over_tcp_sees_and_hears() {
    let call = Call::open().await;
    let panel = call.panel(PANEL_MARK).await;
    let anna = call.app(ANNA, Via::Tcp).await;
    call.media.bridge(ROOM, ANNA).await;
    anna.until("the picture", |seen| seen.video.len() >= 50).await;
    anna.until("sound", |seen| seen.audio >= 20).await;
    panel.until("sound", |seen| seen.audio >= 20).await;
    call.media.close_room(ROOM).await;
    anna.until("the good-bye of the room", |seen| seen.closed).await;
}

#[tokio::test]
async fn both_codecs_pass_in_each_browsers_own_numbers() {
    let call = Call::open().await;
    let panel = call.panel(PANEL_MARK).await;
    let anna = call.app(ANNA, Via::Udp).await;
    anna.until("VP8", |seen| seen.video.iter().filter(|p| p.codec == Codec::Vp8).count() >= 20).await;
    panel.encode(Codec::H264);
    anna.until("H.264", |seen| seen.video.iter().filter(|p| p.codec == Codec::H264).count() >= 20).await;
}

#[tokio::test]
async fn the_picture_is_switched_off_and_on_for_one_peer() {
    let call = Call::open().await;
    let panel = call.panel(PANEL_MARK).await;
    let anna = call.app(ANNA, Via::Udp).await;
    let ben = call.app(BEN, Via::Udp).await;
    anna.until("the picture", |seen| seen.video.len() >= 20).await;

    call.media.set_video(ROOM, ANNA, false).await;
    call.media.load().await;
    let (before, asked) = (anna.seen().video.len(), panel.seen().keyframe_requests);
    let bens = ben.seen().video.len();
    ben.until("more picture", |seen| seen.video.len() >= bens + 50).await;
    assert!(anna.seen().video.len() <= before + 10, "no picture for who does not want it");

    call.media.set_video(ROOM, ANNA, true).await;
    let seen = anna.until("the picture again", |seen| seen.video.len() >= before + 50).await;
    panel.until("a request for a key frame", |seen| seen.keyframe_requests > asked).await;
    let mut numbers: Vec<_> = seen.video.iter().map(|packet| packet.seq).collect();
    numbers.sort_unstable();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "no hole where the picture was off");
}

#[tokio::test]
async fn offers_that_do_not_fit_are_refused() {
    let call = Call::open().await;
    let addr = call.media.local_addr();
    let panel = Offering::new(Role::Panel, Via::Udp, addr, PANEL_NUMBERS, PANEL_MARK).await.sdp;
    let app = Offering::new(Role::App, Via::Udp, addr, APP_NUMBERS, APP_MARK).await.sdp;
    let nowhere = RoomId(Uuid::from_u128(99));

    let long = format!("{app}{}", "a=x\r\n".repeat(10_000));
    for offer in [String::new(), "v=0".into(), "\0".repeat(100), long, panel.clone()] {
        let refused = call.media.subscribe(ROOM, ANNA, offer).await;
        assert!(matches!(refused, Err(MediaError::Offer(_))), "{refused:?}");
    }
    let refused = call.media.publish(ROOM, app.clone()).await;
    assert!(matches!(refused, Err(MediaError::Offer(_))), "an app's offer does not publish: {refused:?}");
    let refused = call.media.publish(nowhere, panel).await;
    assert!(matches!(refused, Err(MediaError::NoSuchRoom)), "{refused:?}");
    assert_eq!(call.media.load().await.connections, 0);
}

#[tokio::test]
async fn whose_fingerprint_was_swapped_on_the_way_never_connects_and_gets_nothing() {
    let call = Call::open().await;
    let _panel = call.panel(PANEL_MARK).await;
    let offering = Offering::new(Role::App, Via::Udp, call.media.local_addr(), APP_NUMBERS, APP_MARK).await;
    // Somebody between the app and the server puts their own certificate in place of the app's.
    let stranger = Offering::new(Role::App, Via::Udp, call.media.local_addr(), APP_NUMBERS, APP_MARK).await;
    let swapped: String = offering
        .sdp
        .lines()
        .map(|line| if line.starts_with("a=fingerprint:") { fingerprint(&stranger.sdp) } else { line })
        .flat_map(|line| [line, "\r\n"])
        .collect();
    assert_ne!(swapped.lines().collect::<Vec<_>>(), offering.sdp.lines().collect::<Vec<_>>());
    let answer = call.media.subscribe(ROOM, ANNA, swapped).await.unwrap();
    let victim = offering.connect(&answer);
    call.media.bridge(ROOM, ANNA).await;

    // By the time that somebody else, who began later, has seen so much, it would have seen something.
    let ben = call.app(BEN, Via::Udp).await;
    ben.until("the picture", |seen| seen.video.len() >= 100).await;
    let seen = victim.seen();
    assert_eq!((seen.video_arrived, seen.video.len(), seen.audio), (0, 0, 0));
    assert_eq!(seen.audio_sent, 0, "and it can send nothing");
}

fn fingerprint(sdp: &str) -> &str {
    sdp.lines().find(|line| line.starts_with("a=fingerprint:")).expect("a fingerprint")
}
