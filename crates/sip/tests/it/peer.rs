//! SIPp as a trunk, and what every test with one needs.

use crate::baresip::free_ports;
use klinke_sip::agent::{Agent, Dial, Encryption, Event, HOPS, Leg, Settings, State, T1, Way};
use klinke_sip::dial::Countries;
use klinke_sip::digest::Account;
use klinke_sip::why::Why;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Longer than anything here takes, on a machine that is busy.
pub const BOUND: Duration = Duration::from_secs(30);

pub const OFFER: &str = "v=0\r\no=klinke 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 40000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n";

/// A port of UDP and TCP that nobody has.
pub fn free_port() -> u16 {
    free_ports(1)
}

/// One run of SIPp. Killed when the test is over.
pub struct Sipp {
    pub port: u16,
    pub folder: tempfile::TempDir,
    child: Child,
}

impl Sipp {
    /// Plays a scenario of `tests/sipp` `count` times: the look at whether the trunk is there is one of them.
    pub fn play(scenario: &str, count: u32) -> Self {
        let traced = ["-trace_logs", "-log_file", "log", "-trace_msg", "-message_file", "messages"];
        Self::start(&script(scenario), count, &traced)
    }

    /// The same, but SIPp notes nothing down.
    pub fn play_quietly(scenario: &str, count: u32) -> Self {
        Self::start(&script(scenario), count, &[])
    }

    /// One call is refused with this status. SIPp takes no status from outside of a scenario.
    pub fn refuse(status: &str) -> Self {
        let script = script("refuse").replace("486 Busy Here", status);
        Self::start(&script, 2, &["-trace_msg", "-message_file", "messages"])
    }

    /// SIPp from this port of its own, as the one that begins; `more` is what it is told on its command line.
    pub fn begin(scenario: &str, port: u16, more: &[&str]) -> Self {
        let traced = ["-trace_msg", "-message_file", "messages"];
        Self::start_on(&script(scenario), port, 1, &[&traced, more].concat())
    }

    /// The same with other texts in the scenario: each of these, and what takes its place.
    pub fn begin_with(scenario: &str, changes: &[(&str, &str)], port: u16, more: &[&str]) -> Self {
        let mut script = script(scenario);
        for (text, by) in changes {
            assert!(script.contains(text), "{text}");
            script = script.replace(text, by);
        }
        Self::start_on(&script, port, 1, &[&["-trace_msg", "-message_file", "messages"], more].concat())
    }

    fn start(script: &str, count: u32, more: &[&str]) -> Self {
        Self::start_on(script, free_port(), count, more)
    }

    fn start_on(script: &str, port: u16, count: u32, more: &[&str]) -> Self {
        let media = free_port();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("script.xml");
        std::fs::write(&file, script).unwrap();
        let child = Command::new("sipp")
            .arg("-sf")
            .arg(file)
            .args(["-i", "127.0.0.1", "-mi", "127.0.0.1", "-p", &port.to_string(), "-mp", &media.to_string()])
            .args(["-m", &count.to_string(), "-nostdin", "-trace_err", "-error_file", "errors"])
            .args(more)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("SIPp (Debian: sip-tester)");
        Self { port, folder, child }
    }

    /// Waits for its end, and whether every call went as its scenario says.
    pub async fn verdict(mut self) -> tempfile::TempDir {
        let status = timeout(BOUND, self.child.wait()).await;
        if !matches!(&status, Ok(Ok(status)) if status.success()) {
            let read = |name| std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
            panic!("SIPp: {status:?}\n{}\n{}", read("errors"), read("messages"));
        }
        self.folder
    }

    /// Waits until SIPp has noted this text so often among its messages.
    pub async fn wrote(&self, text: &str, times: usize) {
        let file = self.folder.path().join("messages");
        let noted = async {
            while std::fs::read_to_string(&file).unwrap_or_default().matches(text).count() < times {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(BOUND, noted).await.unwrap_or_else(|_| panic!("no {text}"));
    }

    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

fn script(scenario: &str) -> String {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/sipp/{scenario}.xml"));
    std::fs::read_to_string(file).unwrap()
}

pub fn trunk(port: u16) -> Settings {
    Settings {
        name: "trunk".into(),
        host: "127.0.0.1".into(),
        port,
        way: Way::Udp,
        bind: SocketAddr::from(([127, 0, 0, 1], 0)),
        domain: None,
        caller: "+4721600001".into(),
        registers: false,
        account: Some(Account { user: "klinke".into(), password: "right horse".into() }),
        encryption: Encryption::Off,
        t1: T1,
    }
}

pub fn dial() -> Dial {
    Dial {
        to: Countries::default().read("+47 21 60 00 00").unwrap(),
        offer: OFFER.into(),
        ring: BOUND,
        talk: BOUND,
        hops: HOPS,
        reoffer: Arc::new(|offer| {
            let hold = offer.is_some_and(|offer| offer.contains("a=sendonly"));
            Some(if hold { format!("{OFFER}a=recvonly\r\n") } else { OFFER.to_owned() })
        }),
        encrypted: None,
    }
}

/// Waits until the first trunk is in this state.
pub async fn until(agent: &Agent, wanted: impl Fn(&State) -> bool) -> State {
    let mut watch = agent.watch().remove(0);
    let state = timeout(BOUND, watch.wait_for(|state| wanted(state))).await;
    state.unwrap_or_else(|_| panic!("{:?}", agent.states())).unwrap().clone()
}

/// An agent whose only trunk is SIPp, and ready.
pub async fn ready(sipp: &Sipp) -> Agent {
    let agent = Agent::start(vec![trunk(sipp.port)]).unwrap();
    until(&agent, |state| *state == State::Ready).await;
    agent
}

pub async fn event(leg: &mut Leg) -> Event {
    timeout(BOUND, leg.event()).await.expect("an event in time").expect("an event")
}

/// All events up to the end, which is returned; whether it rang; nothing after it.
pub async fn end(leg: &mut Leg) -> Why {
    loop {
        if let Event::Ended(why) = event(leg).await {
            assert_eq!(leg.event().await, None);
            return why;
        }
    }
}

pub async fn answered(leg: &mut Leg) -> String {
    loop {
        match event(leg).await {
            Event::Ringing => {}
            Event::Answered { sdp } => return sdp,
            other => panic!("{other:?}"),
        }
    }
}

/// Nothing of any call is left.
pub async fn nothing_left(agent: &Agent) {
    let empty = async {
        while agent.dialogs() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(BOUND, empty).await.unwrap_or_else(|_| panic!("{} dialogs left", agent.dialogs()));
}
