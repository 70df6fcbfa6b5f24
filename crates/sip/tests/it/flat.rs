//! A thousand calls with sound in a row leave nothing: no dialog, no port, no task, no memory.

use crate::peer::*;
use klinke_model::time::SystemClock;
use klinke_sip::agent::{Dial, Encryption};
use klinke_sip::rtp::codec::Codec;
use klinke_sip::rtp::port::{Ports, Range, our_keys};
use klinke_sip::sdp::{self, Keys, Local};
use klinke_sip::why::Why;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// Two pairs of ports: one that stays is missed by the third call.
const RANGE: Range = Range { first: 21_800, last: 21_803 };
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// What this process holds, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_thousand_calls_leave_nothing() {
    let sipp = Sipp::play_quietly("answer", 1001);
    let agent = ready(&sipp).await;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let (mut early, idle) = (0, tasks());
    let clock = Arc::new(SystemClock::start());
    for call in 0..1000 {
        let ports = Ports::take(HERE, RANGE).await.unwrap();
        let address = SocketAddr::new(HERE, ports.port().unwrap());
        let local = Local { address, session: 1, version: 1, codecs: vec![Codec::Pcmu], crypto: None };
        let mut leg = agent.call(Dial { offer: sdp::offer(&local), ..dial() });
        let mut agreed = sdp::agreed(&local, answered(&mut leg).await.as_bytes()).unwrap();
        // every other one under keys, which SIPp does not know: what is held for them is what matters here
        let keys = || our_keys(Encryption::Required).unwrap().unwrap().lines()[2].clone();
        agreed.keys = (call % 2 == 0).then(|| Keys { ours: keys(), theirs: keys() });
        let (line, mut news) = ports.start(&agreed, false, clock.clone()).unwrap();
        line.answered().await;
        leg.hang_up();
        assert_eq!(end(&mut leg).await, Why::WeHungUp);
        line.end().await;
        while news.recv().await.is_some() {}
        // by then every buffer has its size
        if call == 300 {
            early = resident();
        }
    }
    nothing_left(&agent).await;
    assert_eq!(tasks(), idle);
    let late = resident();
    assert!(late < early + 4096, "{early} KiB after 300 calls, {late} KiB after 1000");
    sipp.verdict().await;
}
