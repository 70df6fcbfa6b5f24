use crate::driver::shard::Command;
use crate::{Media, MediaConfig, MediaError, MediaEvent, PeerId, RoomId};
use str0m::Rtc;
use str0m::media::{Direction, MediaKind};
use uuid::Uuid;

const FAILING: RoomId = RoomId(Uuid::from_u128(1));
const SOUND: RoomId = RoomId(Uuid::from_u128(2));
const PEER: PeerId = PeerId(Uuid::from_u128(3));

fn offer() -> String {
    let mut rtc = Rtc::new(super::now());
    let mut changes = rtc.sdp_api();
    changes.add_media(MediaKind::Video, Direction::RecvOnly, None, None, None);
    changes.apply().expect("an offer").0.to_sdp_string()
}

#[tokio::test]
async fn a_panic_ends_its_room_and_no_other() {
    let config = MediaConfig { listen: "127.0.0.1:0".parse().unwrap(), advertise: Vec::new(), shards: 1 };
    let (media, mut events) = Media::start(&config).unwrap();
    for room in [FAILING, SOUND] {
        media.open_room(room).await;
        media.subscribe(room, PEER, offer()).await.unwrap();
    }
    assert_eq!((media.load().await.rooms, media.load().await.connections), (2, 2));

    media.command(FAILING, Command::Panic(FAILING)).await;

    assert_eq!(events.recv().await, Some(MediaEvent::RoomFailed { room: FAILING }));
    assert_eq!((media.load().await.rooms, media.load().await.connections), (1, 1));
    let refused = media.subscribe(FAILING, PEER, offer()).await;
    assert!(matches!(refused, Err(MediaError::NoSuchRoom)), "{refused:?}");
    media.subscribe(SOUND, PEER, offer()).await.expect("the other room goes on");
}
