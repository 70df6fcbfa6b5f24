//! Calls that come back to us, go round or come two ways, by a proxy that others wrote (Kamailio): each ends in words, makes no
//! second call, and leaves the call beside it alone.

use crate::peer::*;
use crate::proxy::Kamailio;
use crate::station::{DEVICE, PASSWORD, no_calls, registered};
use klinke_sip::agent::{Agent, Event, Leg};
use klinke_sip::stations::{Accept, Accounts, Digests, House, Secret};
use klinke_sip::why::Why;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// A proxy that takes a hop off every request and then does this with an INVITE.
fn proxy(invite: &str) -> Kamailio {
    let modules = ["sl", "tm", "pv", "maxfwd", "siputils", "textops", "xlog"];
    let route = format!(
        r#"
    if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
    if (!mf_process_maxfwd_header("70")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    if (is_method("ACK")) {{ t_check_trans(); exit; }}
    {invite}
    t_relay();"#
    );
    let tells = r#"onreply_route { if ($rs >= 200) { xlog("L_ERR", "is told $rs\n"); } }"#;
    Kamailio::start(&modules, tells, &route)
}

/// A call beside, over a trunk that SIPp is: it goes on whatever happens elsewhere.
async fn good_call(sipp: &Sipp) -> (Agent, Leg) {
    let agent = ready(sipp).await;
    let mut leg = agent.call(dial());
    answered(&mut leg).await;
    (agent, leg)
}

async fn still_good(agent: &Agent, mut leg: Leg) {
    assert_eq!(agent.dialogs(), 1);
    leg.hang_up();
    // its own end is the first that is heard of it
    assert_eq!(event(&mut leg).await, Event::Ended(Why::WeHungUp));
    nothing_left(agent).await;
}

#[tokio::test]
async fn a_call_that_the_trunk_sends_back_to_us_ends_and_is_no_second_call() {
    let sipp = Sipp::play("answer", 2);
    let (beside, good) = good_call(&sipp).await;
    let kamailio = proxy(r#"$du = "sip:" + $si + ":" + $sp;"#);
    let agent = Agent::start(vec![trunk(kamailio.port)]).unwrap();
    until(&agent, |state| *state == klinke_sip::agent::State::Ready).await;
    for _ in 0..3 {
        let mut leg = agent.call(dial());
        assert_eq!(end(&mut leg).await, Why::Broken, "{}", kamailio.log());
        nothing_left(&agent).await;
    }
    assert_eq!(kamailio.log().matches("is told 482").count(), 3, "{}", kamailio.log());
    still_good(&beside, good).await;
    sipp.verdict().await;
}

#[tokio::test]
async fn a_call_that_goes_round_at_the_trunk_ends_when_its_hops_are_used_up() {
    let sipp = Sipp::play("answer", 2);
    let (beside, good) = good_call(&sipp).await;
    let kamailio = proxy(r#"$du = "sip:127.0.0.1:PORT";"#);
    let agent = Agent::start(vec![trunk(kamailio.port)]).unwrap();
    until(&agent, |state| *state == klinke_sip::agent::State::Ready).await;
    let mut leg = agent.call(dial());
    assert_eq!(end(&mut leg).await, Why::Broken, "{}", kamailio.log());
    assert!(kamailio.log().contains("is told 483"), "{}", kamailio.log());
    nothing_left(&agent).await;
    still_good(&beside, good).await;
    sipp.verdict().await;
}

/// A proxy that sends every call of a door station to both of these addresses of ours at once.
fn fork(one: SocketAddr, other: SocketAddr) -> Kamailio {
    let modules = ["sl", "tm", "pv", "corex", "siputils", "textops", "xlog"];
    let route = format!(
        r#"
    if (has_totag()) {{
        if ($sp != {port}) {{ $du = "sip:{one}"; }}
        t_relay();
        exit;
    }}
    if (is_method("ACK")) {{ t_check_trans(); exit; }}
    if (!is_present_hf("Authorization")) {{ t_set_auto_inv_100("0"); }}
    $ru = "sip:bell-3@{one}";
    $du = "sip:{one}";
    append_branch();
    $du = "sip:{other}";
    t_relay();"#,
        port = one.port()
    );
    let tells = r#"onreply_route { if ($rs >= 200 && is_method("INVITE")) { xlog("L_ERR", "is told $rs by $(hdr(Via)[0])\n"); } }"#;
    Kamailio::start(&modules, tells, &route)
}

#[tokio::test]
async fn a_call_that_comes_two_ways_is_one_call() {
    let settings = klinke_sip::stations::Settings {
        udp: Some(SocketAddr::from(([0, 0, 0, 0], 0))),
        digests: Digests::Md5,
        ..klinke_sip::stations::Settings::default()
    };
    let (house, mut incoming) = House::start(settings).await.unwrap();
    house.accounts(Accounts::from([(DEVICE.to_owned(), Secret::new(DEVICE, PASSWORD))])).await;
    let port = house.addresses().udp.unwrap().port();
    let at = |host| SocketAddr::from(([127, 0, 0, host], port));
    let kamailio = fork(at(1), at(2));
    let (own, here) = (free_port(), at(1).to_string());
    let account = ["-au", DEVICE, "-ap", PASSWORD];
    let register = [&[here.as_str(), "-s", DEVICE][..], &account].concat();
    Sipp::begin("register_device", own, &register).verdict().await;
    registered(&house, true).await;

    let (proxy, uri) = (format!("127.0.0.1:{}", kamailio.port), format!("bell-3@{here}"));
    let call = [&[proxy.as_str(), "-s", "bell-3", "-auth_uri", &uri][..], &account].concat();
    let sipp = Sipp::begin("door_station", own, &call);
    let mut call = timeout(BOUND, incoming.recv()).await.expect("a call in time").unwrap();
    assert!(call.is_only);
    call.ring();
    call.show(OFFER.into());
    let talk = Duration::from_secs(2);
    call.accept(Accept { sdp: OFFER.into(), talk, reoffer: Arc::new(|_| None) });
    assert_eq!(event_of(&mut call.leg).await, Event::Acknowledged);
    assert!(matches!(event_of(&mut call.leg).await, Event::Info { .. }));
    assert_eq!(event_of(&mut call.leg).await, Event::Ended(Why::Limit));
    assert!(incoming.try_recv().is_err(), "a second call");
    let told = |status: &str| kamailio.noted(&format!("is told {status} by")).len();
    assert_eq!((told("401"), told("482"), told("200")), (2, 1, 1), "{}", kamailio.log());
    sipp.verdict().await;
    no_calls(&house).await;
}

async fn event_of(leg: &mut klinke_sip::stations::Leg) -> Event {
    timeout(BOUND, leg.event()).await.expect("an event in time").expect("an event")
}
