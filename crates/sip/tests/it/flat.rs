//! A thousand calls in a row leave nothing: no dialog, no task, no memory.

use crate::peer::*;
use klinke_sip::why::Why;

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
    for call in 0..1000 {
        let mut leg = agent.call(dial());
        answered(&mut leg).await;
        leg.hang_up();
        assert_eq!(end(&mut leg).await, Why::WeHungUp);
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
