//! Whole calls over UDP, with SIPp as the trunk. SIPp judges the wire, we judge what the house is told.

use crate::peer::*;
use klinke_sip::agent::{Agent, Event, State};
use klinke_sip::digest::Account;
use klinke_sip::why::Why;
use std::time::Duration;

#[tokio::test]
async fn a_phone_rings_answers_and_we_hang_up() {
    let sipp = Sipp::play("answer", 2);
    let agent = ready(&sipp).await;
    let mut leg = agent.call(dial());
    assert_eq!(event(&mut leg).await, Event::Ringing);
    assert!(answered(&mut leg).await.contains("m=audio"));
    leg.hang_up();
    assert_eq!(end(&mut leg).await, Why::WeHungUp);
    sipp.verdict().await;
    nothing_left(&agent).await;
}

#[tokio::test]
async fn a_phone_hangs_up() {
    let sipp = Sipp::play("hangs_up", 2);
    let agent = ready(&sipp).await;
    let mut leg = agent.call(dial());
    answered(&mut leg).await;
    assert_eq!(end(&mut leg).await, Why::TheyHungUp);
    sipp.verdict().await;
    nothing_left(&agent).await;
}

#[tokio::test]
async fn a_leg_that_is_dropped_is_hung_up() {
    let sipp = Sipp::play("answer", 2);
    let agent = ready(&sipp).await;
    let mut leg = agent.call(dial());
    answered(&mut leg).await;
    drop(leg);
    sipp.verdict().await;
    nothing_left(&agent).await;
}

#[tokio::test]
async fn a_call_ends_at_its_limit_by_our_bye() {
    let sipp = Sipp::play("answer", 2);
    let agent = ready(&sipp).await;
    let mut leg = agent.call(klinke_sip::agent::Dial { talk: Duration::from_millis(300), ..dial() });
    answered(&mut leg).await;
    assert_eq!(end(&mut leg).await, Why::Limit);
    sipp.verdict().await;
    nothing_left(&agent).await;
}

#[tokio::test]
async fn a_challenge_is_answered_and_the_trunk_checks_it() {
    let sipp = Sipp::play("challenge_401", 2);
    let agent = ready(&sipp).await;
    let mut leg = agent.call(dial());
    answered(&mut leg).await;
    leg.hang_up();
    assert_eq!(end(&mut leg).await, Why::WeHungUp);
    sipp.verdict().await;
    nothing_left(&agent).await;
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let sipp = Sipp::play("challenge_401", 2);
    let account = Some(Account { user: "klinke".into(), password: "wrong".into() });
    let settings = klinke_sip::agent::Settings { account, ..trunk(sipp.port) };
    let agent = Agent::start(vec![settings]).unwrap();
    until(&agent, |state| *state == State::Ready).await;
    let mut leg = agent.call(dial());
    assert_eq!(end(&mut leg).await, Why::Refused);
    nothing_left(&agent).await;
    sipp.verdict().await;
}

/// What SIPp can not check itself: Python's hashlib works the answer out anew.
#[tokio::test]
async fn a_proxys_challenge_and_the_stronger_of_two_are_answered_right() {
    for (scenario, algorithm, nonce, hash) in
        [("challenge_407", "MD5", "n-407", "md5"), ("challenge_sha256", "SHA-256", "n-sha", "sha256")]
    {
        let sipp = Sipp::play(scenario, 2);
        let agent = ready(&sipp).await;
        let mut leg = agent.call(dial());
        answered(&mut leg).await;
        leg.hang_up();
        assert_eq!(end(&mut leg).await, Why::WeHungUp);
        let folder = sipp.verdict().await;
        let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
        let answer = log.lines().find(|line| line.contains("Digest")).unwrap().trim();
        assert!(answer.contains(&format!("algorithm={algorithm}")) && answer.contains(nonce), "{answer}");
        let check = r#"
import hashlib, re, sys
v = dict((k, q or t) for k, q, t in re.findall(r'(\w+)=(?:"([^"]*)"|([^, ]+))', sys.argv[2]))
h = lambda s: hashlib.new(sys.argv[1], s.encode()).hexdigest()
ha1, ha2 = h("klinke:trunk.test:right horse"), h("INVITE:" + v["uri"])
right = h(":".join([ha1, v["nonce"], v["nc"], v["cnonce"], v["qop"], ha2]))
sys.exit(0 if v["response"] == right and v["uri"].startswith("sip:+4721600000@") else 1)"#;
        let python =
            std::process::Command::new("python3").args(["-c", check, hash, answer]).status().unwrap();
        assert!(python.success(), "{answer}");
        nothing_left(&agent).await;
    }
}

#[tokio::test]
async fn a_reliable_183_is_acknowledged_and_its_sdp_counts() {
    let sipp = Sipp::play("prack", 2);
    let agent = ready(&sipp).await;
    let mut leg = agent.call(dial());
    assert_eq!(event(&mut leg).await, Event::Ringing);
    assert!(answered(&mut leg).await.contains("m=audio"));
    leg.hang_up();
    assert_eq!(end(&mut leg).await, Why::WeHungUp);
    sipp.verdict().await;
    nothing_left(&agent).await;
}

#[tokio::test]
async fn a_reinvite_puts_us_on_hold() {
    let sipp = Sipp::play("reinvite", 2);
    let agent = ready(&sipp).await;
    let mut leg = agent.call(dial());
    answered(&mut leg).await;
    assert_eq!(end(&mut leg).await, Why::TheyHungUp);
    sipp.verdict().await;
    nothing_left(&agent).await;
}

#[tokio::test]
async fn info_goes_both_ways() {
    let sipp = Sipp::play("info", 2);
    let agent = ready(&sipp).await;
    let mut leg = agent.call(dial());
    answered(&mut leg).await;
    let Event::Info { kind, body } = event(&mut leg).await else { panic!("no INFO") };
    assert_eq!(kind, "application/dtmf-relay");
    assert!(String::from_utf8(body).unwrap().contains("Signal=5"));
    leg.info("application/dtmf-relay", b"Signal=8\r\nDuration=160\r\n".to_vec());
    // INFO goes out before the BYE
    leg.hang_up();
    assert_eq!(end(&mut leg).await, Why::WeHungUp);
    sipp.verdict().await;
    nothing_left(&agent).await;
}

#[tokio::test]
async fn refusals_are_told_in_kinds() {
    for (status, why) in [
        ("486 Busy Here", Why::Busy),
        ("603 Decline", Why::Declined),
        ("480 Temporarily Unavailable", Why::NoAnswer),
        ("404 Not Found", Why::NoSuchNumber),
        ("302 Moved Temporarily", Why::Moved),
        ("488 Not Acceptable Here", Why::NoCommonMedia),
        ("503 Service Unavailable", Why::TrunkBusy),
        ("403 Forbidden", Why::Refused),
    ] {
        let sipp = Sipp::refuse(status);
        let agent = ready(&sipp).await;
        let mut leg = agent.call(dial());
        assert_eq!(end(&mut leg).await, why, "{status}");
        sipp.verdict().await;
        nothing_left(&agent).await;
    }
}

#[tokio::test]
async fn a_phone_that_nobody_takes_is_cancelled() {
    let sipp = Sipp::play("rings_on", 2);
    let agent = ready(&sipp).await;
    let mut leg = agent.call(klinke_sip::agent::Dial { ring: Duration::from_millis(300), ..dial() });
    assert_eq!(event(&mut leg).await, Event::Ringing);
    assert_eq!(end(&mut leg).await, Why::NoAnswer);
    sipp.verdict().await;
    nothing_left(&agent).await;
}

#[tokio::test]
async fn an_answer_that_crosses_our_cancel_is_hung_up() {
    let sipp = Sipp::play("cancel_crosses", 2);
    let agent = ready(&sipp).await;
    let mut leg = agent.call(dial());
    assert_eq!(event(&mut leg).await, Event::Ringing);
    leg.hang_up();
    assert_eq!(event(&mut leg).await, Event::Ended(Why::WeHungUp));
    sipp.verdict().await;
    nothing_left(&agent).await;
}

#[tokio::test]
async fn of_two_phones_that_answer_the_first_has_the_call() {
    let sipp = Sipp::play("forked", 2);
    let agent = ready(&sipp).await;
    let mut leg = agent.call(dial());
    answered(&mut leg).await;
    // the other one is hung up on; two dialogs are one leg
    let other_ended = sipp.wrote("BYE sip:", 1);
    other_ended.await;
    leg.hang_up();
    assert_eq!(end(&mut leg).await, Why::WeHungUp);
    sipp.verdict().await;
    nothing_left(&agent).await;
}

/// Round trips of a tenth, so that 64 of them are 3.2 s and not 32.
fn quick(port: u16) -> klinke_sip::agent::Settings {
    klinke_sip::agent::Settings { t1: Duration::from_millis(50), ..trunk(port) }
}

#[tokio::test]
async fn a_bye_that_nobody_answers_leaves_nothing() {
    let sipp = Sipp::play("loses_bye", 2);
    let agent = Agent::start(vec![quick(sipp.port)]).unwrap();
    until(&agent, |state| *state == State::Ready).await;
    let mut leg = agent.call(dial());
    answered(&mut leg).await;
    leg.hang_up();
    assert_eq!(end(&mut leg).await, Why::WeHungUp);
    assert_eq!(agent.dialogs(), 1);
    nothing_left(&agent).await;
    sipp.verdict().await;
}

#[tokio::test]
async fn answers_that_make_no_sense_end_the_call_well() {
    let sipp = Sipp::play("no_sdp", 2);
    let agent = ready(&sipp).await;
    let mut leg = agent.call(dial());
    assert_eq!(end(&mut leg).await, Why::Broken);
    sipp.verdict().await;
    nothing_left(&agent).await;

    // nobody says where they are: found where they were called
    let sipp = Sipp::play("no_contact", 2);
    let agent = ready(&sipp).await;
    let mut leg = agent.call(dial());
    answered(&mut leg).await;
    leg.hang_up();
    assert_eq!(end(&mut leg).await, Why::WeHungUp);
    sipp.verdict().await;
    nothing_left(&agent).await;
}

#[tokio::test]
async fn a_session_interval_that_is_too_short_is_made_longer() {
    let sipp = Sipp::play("small_interval", 2);
    let agent = ready(&sipp).await;
    let mut leg = agent.call(dial());
    answered(&mut leg).await;
    leg.hang_up();
    assert_eq!(end(&mut leg).await, Why::WeHungUp);
    sipp.verdict().await;
    nothing_left(&agent).await;
}

#[tokio::test]
async fn a_trunk_that_vanishes_in_mid_call_leaves_nothing() {
    let sipp = Sipp::play("answer", 2);
    let agent = Agent::start(vec![quick(sipp.port)]).unwrap();
    until(&agent, |state| *state == State::Ready).await;
    let mut leg = agent.call(klinke_sip::agent::Dial { talk: Duration::from_millis(500), ..dial() });
    answered(&mut leg).await;
    sipp.kill().await;
    assert_eq!(end(&mut leg).await, Why::Limit);
    nothing_left(&agent).await;
    // and the next call says so
    let mut leg = agent.call(dial());
    assert_eq!(end(&mut leg).await, Why::Unreachable);
    nothing_left(&agent).await;
}

#[tokio::test]
async fn the_next_trunk_calls_when_the_first_is_silent_or_refuses() {
    let vanishes = Sipp::play("answer", 2);
    let refuses = Sipp::refuse("503 Service Unavailable");
    let answers = Sipp::play("answer", 2);
    let agent = Agent::start(vec![quick(vanishes.port), quick(refuses.port), quick(answers.port)]).unwrap();
    for mut watch in agent.watch() {
        tokio::time::timeout(BOUND, watch.wait_for(|state| *state == State::Ready)).await.unwrap().unwrap();
    }
    vanishes.kill().await;
    let mut leg = agent.call(dial());
    assert_eq!(event(&mut leg).await, Event::Ringing);
    answered(&mut leg).await;
    leg.hang_up();
    assert_eq!(end(&mut leg).await, Why::WeHungUp);
    refuses.verdict().await;
    answers.verdict().await;
    nothing_left(&agent).await;
}

#[tokio::test]
async fn a_busy_phone_is_not_called_over_the_next_trunk() {
    let busy = Sipp::refuse("486 Busy Here");
    let other = Sipp::play("answer", 2);
    let agent = Agent::start(vec![trunk(busy.port), trunk(other.port)]).unwrap();
    for mut watch in agent.watch() {
        tokio::time::timeout(BOUND, watch.wait_for(|state| *state == State::Ready)).await.unwrap().unwrap();
    }
    let mut leg = agent.call(dial());
    assert_eq!(end(&mut leg).await, Why::Busy);
    busy.verdict().await;
    let seen = std::fs::read_to_string(other.folder.path().join("messages")).unwrap();
    assert!(!seen.contains("INVITE sip:"), "{seen}");
    nothing_left(&agent).await;
}

#[tokio::test]
async fn a_trunk_is_registered_with_and_left() {
    let sipp = Sipp::play("register", 1);
    let settings = klinke_sip::agent::Settings { registers: true, ..trunk(sipp.port) };
    let agent = Agent::start(vec![settings]).unwrap();
    until(&agent, |state| *state == State::Ready).await;
    agent.stop().await;
    sipp.verdict().await;
}

#[tokio::test]
async fn a_registrar_that_refuses_is_told_with_its_words() {
    let sipp = Sipp::play("register", 1);
    let account = Some(Account { user: "klinke".into(), password: "wrong".into() });
    let settings = klinke_sip::agent::Settings { registers: true, account, ..trunk(sipp.port) };
    let agent = Agent::start(vec![settings]).unwrap();
    let state = until(&agent, |state| matches!(state, State::Refused { .. })).await;
    assert_eq!(state, State::Refused { status: 403, words: "Wrong password".into() });
}
