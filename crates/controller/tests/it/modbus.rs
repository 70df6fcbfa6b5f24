//! Coils and discrete inputs of units that pymodbus serves, over TCP and on a serial line.

use crate::peer::{Pair, Peer};
use crate::server::within;
use crate::wired::{Wired, free_port};
use klinke_controller::input::{Contact, InputEvent, Level};
use klinke_controller::output::{ANSWER_LIMIT, Board};
use klinke_model::door::DoorPosition;
use serde_json::{Value, json};
use std::io::ErrorKind;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

async fn unit(port: u16, on: &[u16]) -> Peer {
    Peer::start("modbus_unit.py", &json!({ "port": port, "unit": 1, "on": on })).await
}

fn is(coil: u16, on: bool) -> impl Fn(&Value) -> bool {
    move |line| line["coil"] == coil && line["is"] == on
}

fn contact(position: DoorPosition) -> InputEvent {
    InputEvent::Contact(Contact { output: 0, position })
}

/// Two outputs and three inputs, wherever `place` says.
fn hardware(place: &str) -> String {
    format!(
        r#"
        [[output]]
        number = 0
        lock = "fail_secure"
        on.{place}, unit = 1, coil = 3, ends_by = "waveshare_flash" }}
        [[output]]
        number = 1
        lock = "fail_safe"
        on.{place}, unit = 1, coil = 4, ends_by = "timer_relay", ends_after_ms = 2000 }}
        [[output]]
        number = 2
        lock = "fail_secure"
        on.{place}, unit = 1, coil = 9999, ends_by = "unit_watchdog", ends_after_ms = 3000 }}
        [[input]]
        is = "contact"
        output = 0
        on.{place}, unit = 1, input = 5, active = "off" }}
        [[input]]
        is = "exit_button"
        output = 0
        debounce_ms = 200
        on.{place}, unit = 1, input = 7, active = "on" }}
        [[input]]
        is = "tamper"
        on.{place}, unit = 1, input = 60, active = "off" }}
        "#
    )
}

/// All of it, on a line that stands.
async fn everything(place: &str, unit: &mut Peer) {
    let mut wired = Wired::start(&hardware(place));
    wired.settles(0).await;
    // the leaf is open and the housing too, because their wires are said to be closed circuits
    let first = [within(wired.inputs.recv()).await.unwrap(), within(wired.inputs.recv()).await.unwrap()];
    assert_eq!(first, [contact(DoorPosition::Open), InputEvent::Tamper { input: 2, level: Level::Active }]);
    assert_eq!(wired.board.position(0), DoorPosition::Open);

    // a release that nobody ends but the unit
    assert!(wired.does(|board| board.release(0, SECOND)).await);
    let released = Instant::now();
    unit.until(is(3, true)).await;
    unit.until(is(3, false)).await;
    let lasted = released.elapsed();
    // sooner than anybody looks at it
    assert!(lasted > SECOND / 2 && lasted < 4 * SECOND, "{lasted:?}");

    // a timer relay behind a coil: no lease is longer than its time
    assert_eq!(wired.board.longest(1), 2 * SECOND);
    assert!(wired.does(|board| board.release(1, 60 * SECOND)).await);
    unit.until(is(4, true)).await;
    assert!(wired.does(|board| board.lock(1)).await);
    unit.until(is(4, false)).await;

    // no such coil: an exception is a command that was not done
    assert!(!wired.does(|board| board.release(2, SECOND)).await);

    unit.order(&json!({ "input": 5, "is": true })).await;
    assert_eq!(within(wired.inputs.recv()).await, Some(contact(DoorPosition::Closed)));
    // how short a press may be is shown without a clock, in `input::debounce`
    unit.order(&json!({ "input": 7, "is": true })).await;
    assert_eq!(within(wired.inputs.recv()).await, Some(InputEvent::ExitButton { output: 0 }));
}

#[tokio::test]
async fn a_unit_over_tcp_releases_locks_and_tells() {
    let port = free_port();
    let mut unit = unit(port, &[]).await;
    everything(&format!(r#"modbus_tcp = {{ host = "127.0.0.1", port = {port}"#), &mut unit).await;
}

#[tokio::test]
async fn a_unit_on_a_serial_line_releases_locks_and_tells() {
    let line = Pair::open().await;
    let mut unit = Peer::start("modbus_unit.py", &json!({ "path": line.theirs(), "unit": 1 })).await;
    let place = format!(r#"modbus_rtu = {{ device = "{}", baud = 19200"#, line.ours().display());
    everything(&place, &mut unit).await;
}

#[tokio::test]
async fn a_unit_that_is_gone_holds_nobody_up_and_is_locked_when_it_is_back() {
    let (dead_port, live_port) = (free_port(), free_port());
    let mut dead = unit(dead_port, &[]).await;
    let mut live = unit(live_port, &[]).await;
    let output = |number: u16, port: u16| {
        format!(
            "[[output]]\nnumber = {number}\nlock = \"fail_secure\"\non.modbus_tcp = {{ host = \"127.0.0.1\", \
             port = {port}, unit = 1, coil = 0, ends_by = \"unit_watchdog\", ends_after_ms = 3000 }}\n"
        )
    };
    let contact_there = format!(
        "[[input]]\nis = \"contact\"\noutput = 0\non.modbus_tcp = {{ host = \"127.0.0.1\", port = {dead_port}, \
         unit = 1, input = 0, active = \"on\" }}\n"
    );
    let mut wired = Wired::start(&(output(0, dead_port) + &output(1, live_port) + &contact_there));
    wired.settles(0).await;
    wired.settles(1).await;
    assert_eq!(within(wired.inputs.recv()).await, Some(contact(DoorPosition::Closed)));
    assert!(wired.does(|board| board.release(0, 60 * SECOND)).await);
    dead.until(is(0, true)).await;
    dead.kill().await;
    assert_eq!(
        within(wired.inputs.recv()).await,
        Some(contact(DoorPosition::Unknown)),
        "not open, not closed"
    );
    assert_eq!(wired.board.position(0), DoorPosition::Unknown);

    let told = Instant::now();
    wired.board.release(0, 60 * SECOND).unwrap();
    assert!(wired.does(|board| board.release(1, SECOND)).await, "the other door opens meanwhile");
    live.until(is(0, true)).await;
    assert!(told.elapsed() < ANSWER_LIMIT, "{:?}", told.elapsed());
    assert!(!wired.does(|board| board.release(0, 60 * SECOND)).await);

    // it comes back released: the first and only thing it is told is to lock
    let mut back = unit(dead_port, &[0]).await;
    let first = back.until(|line| line["coil"] == 0).await;
    assert_eq!(first["is"], false);
    // and it is looked at three times in its watchdog's time, so that it knows we live
    let looked = Instant::now();
    for _ in 0..3 {
        back.until(|line| line["looked"] == true).await;
    }
    assert!(looked.elapsed() < 5 * SECOND);
    assert!(back.rest().await.iter().all(|line| line["looked"] == true), "no release is replayed");
}

/// A network that takes a command and gives no answer: what was given up is reset, so that nothing in a buffer can
/// arrive later.
#[tokio::test]
async fn a_release_that_is_given_up_leaves_nothing_on_its_way() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let place = format!(r#"modbus_tcp = {{ host = "127.0.0.1", port = {port}"#);
    let mut wired = Wired::start(&format!(
        "[[output]]\nnumber = 0\nlock = \"fail_secure\"\non.{place}, unit = 1, coil = 3, ends_by = \"waveshare_flash\" }}"
    ));
    let (mut stream, _) = within(listener.accept()).await.unwrap();
    let told = Instant::now();
    wired.board.release(0, SECOND).unwrap();
    assert!(!wired.does(|board| board.release(0, SECOND)).await);
    assert!(told.elapsed() < ANSWER_LIMIT + SECOND);
    let mut taken = Vec::new();
    let ended = within(stream.read_to_end(&mut taken)).await;
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::ConnectionReset);
}
