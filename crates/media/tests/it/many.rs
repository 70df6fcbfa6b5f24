//! Rooms that come and go: a server that runs for years has had millions of them, and keeps nothing of any.

use crate::call::{ANNA, BEN};
use crate::support::{Numbers, Offering, Role, Via};
use klinke_media::{Media, MediaConfig, RoomId};
use std::fs;
use uuid::Uuid;

const CYCLES: u128 = 10_000;
/// Until then the allocator, the tables and the threads have grown to their size.
const WARM: u128 = 2_000;
/// What a room may leave, on average: less than any leg, buffer or table of one. A leg alone holds tens of kilobytes.
const LEFT_PER_ROOM: u64 = 1_024;

/// Memory of this process that is really there, in bytes.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1_024
}

#[tokio::test]
async fn ten_thousand_rooms_with_two_who_negotiated_leave_no_memory_behind() {
    let config = MediaConfig { listen: "127.0.0.1:0".parse().unwrap(), advertise: Vec::new(), shards: 1 };
    let (media, mut events) = Media::start(&config).unwrap();
    tokio::spawn(async move { while events.recv().await.is_some() {} });
    let at = media.local_addr();
    let panel = Offering::new(Role::Panel, Via::Udp, at, Numbers(111, 96, 103), 1).await;
    let app = Offering::new(Role::App, Via::Udp, at, Numbers(109, 120, 126), 2).await;

    let mut warm = 0;
    for cycle in 0..CYCLES {
        let room = RoomId(Uuid::from_u128(1_000 + cycle));
        media.open_room(room).await;
        let (shown, seen) = tokio::join!(
            media.publish(room, panel.sdp.clone()),
            media.subscribe(room, if cycle % 2 == 0 { ANNA } else { BEN }, app.sdp.clone()),
        );
        assert!(shown.is_ok() && seen.is_ok());
        media.close_room(room).await;
        if cycle + 1 == WARM {
            media.load().await;
            warm = resident();
        }
    }
    let load = media.load().await;
    assert_eq!((load.rooms, load.connections), (0, 0));
    let grown = resident().saturating_sub(warm);
    let rooms = u64::try_from(CYCLES - WARM).unwrap();
    assert!(grown / rooms < LEFT_PER_ROOM, "{rooms} rooms left {grown} bytes behind");
}
