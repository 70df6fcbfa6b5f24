//! Kamailio as the trunk: it checks digests of SHA-256 itself, which SIPp does not.

use crate::peer::*;
use crate::proxy::Kamailio;
use klinke_sip::agent::{Agent, Event, Settings, State};
use klinke_sip::digest::Account;
use klinke_sip::why::Why;

/// Takes registrations, and tells whoever may call that the phone is busy: both only with the right password.
fn start(algorithm: &str) -> Kamailio {
    let modules = ["sl", "pv", "auth", "textops", "siputils", "usrloc", "registrar"];
    let settings = format!(
        r#"modparam("auth", "algorithm", "{algorithm}")
modparam("auth", "nonce_count", 1)
modparam("auth", "qop", "auth")"#
    );
    let route = r#"
    if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }
    if (is_method("REGISTER")) {
        if (!pv_www_authenticate("trunk.test", "right horse", "0")) { www_challenge("trunk.test", "1"); exit; }
        save("location");
        exit;
    }
    if (is_method("INVITE")) {
        if (!pv_proxy_authenticate("trunk.test", "right horse", "0")) { proxy_challenge("trunk.test", "1"); exit; }
        sl_send_reply("486", "Busy Here");
        exit;
    }"#;
    Kamailio::start(&modules, &settings, route)
}

fn with(port: u16, registers: bool, password: &str) -> Settings {
    let account = Some(Account { user: "klinke".into(), password: password.into() });
    Settings { registers, account, ..trunk(port) }
}

#[tokio::test]
async fn digests_of_sha_256_and_of_md5_are_right_for_who_calls_and_who_registers() {
    for algorithm in ["SHA-256", "MD5"] {
        let kamailio = start(algorithm);
        // a proxy's challenge: who may call is told that the phone is busy
        let agent = Agent::start(vec![with(kamailio.port, false, "right horse")]).unwrap();
        until(&agent, |state| *state == State::Ready).await;
        for _ in 0..2 {
            let mut leg = agent.call(dial());
            assert_eq!(end(&mut leg).await, Why::Busy, "{algorithm}: {}", kamailio.log());
        }
        nothing_left(&agent).await;
        agent.stop().await;
        // a registrar's: it stands, and is left
        let agent = Agent::start(vec![with(kamailio.port, true, "right horse")]).unwrap();
        until(&agent, |state| *state == State::Ready).await;
        agent.stop().await;
    }
}

#[tokio::test]
async fn a_password_that_is_wrong_is_refused_whatever_the_digest() {
    for algorithm in ["SHA-256", "MD5"] {
        let kamailio = start(algorithm);
        let agent = Agent::start(vec![with(kamailio.port, false, "wrong horse")]).unwrap();
        until(&agent, |state| *state == State::Ready).await;
        let mut leg = agent.call(dial());
        assert_eq!(event(&mut leg).await, Event::Ended(Why::Refused), "{algorithm}");
        agent.stop().await;
        let agent = Agent::start(vec![with(kamailio.port, true, "wrong horse")]).unwrap();
        let state = until(&agent, |state| matches!(state, State::Refused { .. })).await;
        assert!(matches!(&state, State::Refused { status: 401, .. }), "{state:?}");
        agent.stop().await;
    }
}
