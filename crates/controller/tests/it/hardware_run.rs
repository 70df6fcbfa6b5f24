//! The real binary with a hardware file: a door on a coil, opened, and killed while it is open.

use crate::peer::Peer;
use crate::process::{Site, finished};
use crate::server::within;
use crate::wired::free_port;
use klinke_model::door::{DoorKind, DoorMode, DoorTimes};
use klinke_model::ids::{DoorId, OpeningId, v4};
use klinke_model::time::Mono;
use klinke_wire::controller::{
    ControllerEvent, ControllerRequest, Outcome, OutcomeRefusal, Wanted, WantedDoor,
};
use serde_json::json;

fn door() -> DoorId {
    DoorId(v4([0xd0; 16]))
}

#[tokio::test]
async fn a_door_on_a_coil_opens_when_the_coil_is_on_and_closes_though_the_program_is_killed() {
    let site = Site::new().await;
    site.pair().await;
    let port = free_port();
    let mut unit = Peer::start("modbus_unit.py", &json!({ "port": port, "unit": 1 })).await;
    let file = site.folder.path().join("hardware.toml");
    let text = format!(
        "[[output]]\nnumber = 0\nlock = \"fail_secure\"\non.modbus_tcp = {{ host = \"127.0.0.1\", port = {port}, \
         unit = 1, coil = 3, ends_by = \"waveshare_flash\" }}\n"
    );
    std::fs::write(&file, text).unwrap();
    let mut child = site.command("run", &["--hardware", file.to_str().unwrap()]).spawn().unwrap();
    let wanted = Wanted {
        revision: 1,
        doors: vec![WantedDoor {
            door: door(),
            output: 0,
            times: DoorTimes::default(),
            held: None,
            kind: DoorKind::Door,
        }],
    };
    let (mut peer, hello) = site.server.welcome(wanted).await;
    assert!(matches!(peer.receive().await, Some(ControllerRequest::Door { .. })));
    unit.until(|line| line["coil"] == 3 && line["is"] == false).await;

    let open = |id: u8, hold_ms| ControllerEvent::Open {
        boot: hello.boot,
        opening: OpeningId(v4([id; 16])),
        door: door(),
        hold_ms,
        not_after: Mono::from_millis(hello.mono + 5_000),
    };
    peer.send(&open(1, 3_000)).await;
    let Some(ControllerRequest::Outcome { outcome, .. }) = peer.receive().await else { panic!("no outcome") };
    let Outcome::Opened { for_ms } = outcome else { panic!("{outcome:?}") };
    assert!((1_000..=3_000).contains(&for_ms), "{for_ms}");
    let Some(ControllerRequest::Door { door: news, .. }) = peer.receive().await else { panic!("no news") };
    assert_eq!(news.state.mode, DoorMode::Accessed);
    unit.until(|line| line["coil"] == 3 && line["is"] == true).await;
    within(child.kill()).await.unwrap();
    unit.until(|line| line["coil"] == 3 && line["is"] == false).await;
}

#[tokio::test]
async fn a_door_whose_unit_is_gone_is_refused_and_never_shown_as_open() {
    let site = Site::new().await;
    site.pair().await;
    let file = site.folder.path().join("hardware.toml");
    let text = format!(
        "[[output]]\nnumber = 0\nlock = \"fail_secure\"\non.modbus_tcp = {{ host = \"127.0.0.1\", port = {}, unit = 1, \
         coil = 3, ends_by = \"waveshare_flash\" }}\n",
        free_port()
    );
    std::fs::write(&file, text).unwrap();
    let child = site.command("run", &["--hardware", file.to_str().unwrap()]).spawn().unwrap();
    let wanted = Wanted {
        revision: 1,
        doors: vec![WantedDoor {
            door: door(),
            output: 0,
            times: DoorTimes::default(),
            held: None,
            kind: DoorKind::Door,
        }],
    };
    let (mut peer, hello) = site.server.welcome(wanted).await;
    assert!(matches!(peer.receive().await, Some(ControllerRequest::Door { .. })));
    let opening = OpeningId(v4([1; 16]));
    let not_after = Mono::from_millis(hello.mono + 5_000);
    peer.send(&ControllerEvent::Open { boot: hello.boot, opening, door: door(), hold_ms: 3_000, not_after })
        .await;
    let Some(ControllerRequest::Outcome { outcome, .. }) = peer.receive().await else { panic!("no outcome") };
    assert_eq!(outcome, Outcome::Refused { reason: OutcomeRefusal::OutputFault });
    // asked to stop it stops, though the output cannot be told
    let pid = child.id().unwrap().to_string();
    assert!(tokio::process::Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    assert!(finished(child).await.status.success());
}

#[tokio::test]
async fn a_hardware_file_with_a_mistake_is_told_with_its_line_and_one_kind_of_lock_is_chosen() {
    let site = Site::new().await;
    site.pair().await;
    let file = site.folder.path().join("hardware.toml");
    let text = "\n[[output]]\nnumber = 0\nlock = \"fail_safe\"\non.gpio = { chip = \"/dev/gpiochip0\", line = 4, active = \"high\" }\n";
    std::fs::write(&file, text).unwrap();
    let path = file.to_str().unwrap();
    let output = finished(site.command("run", &["--hardware", path]).spawn().unwrap()).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("hardware.toml, line 2: output 0") && said.contains("timer relay"), "{said}");
    for options in [&["--hardware", path, "--simulated"][..], &[]] {
        let output = finished(site.command("run", options).spawn().unwrap()).await;
        assert_eq!(output.status.code(), Some(2), "{options:?}");
    }
}
