//! Calls that come back to us or go round, by a proxy that others wrote (Kamailio): each ends in words, makes no
//! second call, and leaves the call beside it alone.

use crate::peer::*;
use crate::proxy::Kamailio;
use klinke_sip::agent::{Agent, Event, Leg};
use klinke_sip::why::Why;

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
