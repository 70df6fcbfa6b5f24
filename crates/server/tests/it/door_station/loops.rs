//! A door station's call that comes back to us round an exchange that others wrote: it goes as far as it says, and no further.

use super::{account, account_of, nothing_is_left};
use crate::doorbells::change;
use crate::support::baresip::free_ports;
use crate::support::house::House;
use crate::support::proxy::Kamailio;
use crate::support::trunk::{Sipp, one_pair};
use crate::support::until;
use klinke_model::phone::Phones;
use klinke_server::config::{Config, Digests};
use klinke_server::stations::Way;
use klinke_server::stations::credentials::Credentials;
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr};

/// The code of a doorbell at the gate.
const BERG: &str = "5555";

pub async fn house(change: impl FnOnce(&mut Config)) -> (House, SocketAddr) {
    let house = House::with(|config| {
        config.stations.listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        config.stations.digests = Digests::Md5;
        (config.stations.first_port, config.stations.last_port) = (22_800, 22_999);
        change(config);
    })
    .await;
    let servers = house.node().stations.servers();
    let at = servers.iter().find(|(way, _)| *way == Way::Udp).unwrap().1;
    (house, at)
}

/// Kamailio in the place of all devices: who rings Kari rings at the gate next, who rings Nora at the entrance. It gives calls
/// other names (topoh), as an exchange does that makes calls of its own, and takes a hop off each.
fn exchange(
    port: u16,
    at: SocketAddr,
    kari: &Value,
    (gate, entrance): (&Credentials, &Credentials),
) -> Kamailio {
    let modules = ["sl", "tm", "pv", "maxfwd", "siputils", "textops", "xlog", "uac", "topoh"];
    let settings = r#"modparam("tm", "failure_reply_mode", 3)
modparam("topoh", "mask_callid", 1)
modparam("uac", "restore_mode", "none")
modparam("uac", "auth_realm_avp", "$avp(realm)")
modparam("uac", "auth_username_avp", "$avp(name)")
modparam("uac", "auth_password_avp", "$avp(password)")
failure_route[CHALLENGED] {
    if (t_check_status("401")) { uac_auth(); t_relay(); }
}
onreply_route { if ($rs >= 200 && is_method("INVITE")) { xlog("L_ERR", "is told $rs by $(hdr(Via)[0])\n"); } }"#;
    let goes = |number: &str, as_: &Credentials| {
        let Credentials { name, password } = as_;
        format!(r#"$ru = "sip:{number}@{at}"; $avp(name) = "{name}"; $avp(password) = "{password}";"#)
    };
    let route = format!(
        r#"
    if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) {{ t_relay(); }} exit; }}
    if (is_method("ACK")) {{ t_check_trans(); exit; }}
    xlog("L_ERR", "may go $hdr(Max-Forwards) by $(hdr(Via)[0])\n");
    if (!mf_process_maxfwd_header("70")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    $avp(realm) = "sip";
    if ($rU == "{kari}") {{ {to_gate} }} else {{ {to_entrance} }}
    t_on_failure("CHALLENGED");
    t_relay();"#,
        kari = kari["user_name"].as_str().unwrap(),
        to_gate = goes(BERG, gate),
        to_entrance = goes(super::DAHL, entrance),
    );
    Kamailio::start_on(port, &modules, settings, &route)
}

#[tokio::test]
async fn a_call_that_goes_round_through_us_ends_when_its_hops_are_used_up() {
    let (house, at) = house(|_| {}).await;
    let node = house.node();
    let (entrance, gate) = (account(&house).await, account_of(&house, house.plan.gate_panel.id).await);
    assert_eq!(change(&house, house.plan.gate_bell("Berg"), json!({ "dial_code": BERG })).await.status, 200);
    let (kari, nora) =
        (crate::desk_phone::give(&house, "kari").await, crate::desk_phone::give(&house, "nora").await);
    let (port, server) = (free_ports(1), at.to_string());
    for given in [&kari, &nora] {
        let text = |field: &str| given[field].as_str().unwrap().to_owned();
        Sipp::register_from(port, &server, &text("user_name"), &text("password")).await;
        crate::desk_phone::registered(&house, given, true).await;
    }
    for (panel, Credentials { name, password }) in
        [(house.plan.entrance_panel.id, &entrance), (house.plan.gate_panel.id, &gate)]
    {
        Sipp::register_from(port, &server, name, password).await;
        until("a registered door station", || node.stations.is_panel_registered(panel)).await;
    }
    let kamailio = exchange(port, at, &kari, (&gate, &entrance));
    // a second call of the station at the entrance would be told that it is busy: hops end it before that
    let station = (entrance.name.as_str(), entrance.password.as_str());
    Sipp::visitor(&server, station, super::DAHL, 4, "480").verdict().await;
    let log = kamailio.log();
    let told = |status: &str| kamailio.noted(&format!("is told {status} by")).len();
    // two challenges, the end of the round, and what that was for who rang for Kari
    assert_eq!((told("401"), told("483"), told("480"), told("486")), (2, 1, 1, 0), "{log}");
    let hops = kamailio.noted("may go ");
    let hops: Vec<&str> = hops.iter().filter_map(|hop| hop.split(' ').next()).collect();
    assert_eq!(hops, ["3", "1"], "{log}");
    nothing_is_left(&house).await;
}

#[tokio::test]
async fn an_ordinary_phone_that_is_rung_for_it_may_go_one_hop_less() {
    let (house, at) = house(|config| {
        config.phones.listen = Some(IpAddr::from([127, 0, 0, 1]));
        config.phones.trunk_hosts = vec!["127.0.0.1".into()];
        (config.phones.first_port, config.phones.last_port) = one_pair();
    })
    .await;
    crate::phone::know(&house, &["kari"], Phones::WithoutDevice).await;
    let trunk = Sipp::refuse("486 Busy Here");
    crate::phone::stand(&house, &[trunk.port]).await;
    let Credentials { name, password } = account(&house).await;
    let server = at.to_string();
    Sipp::register_from(free_ports(1), &server, &name, &password).await;
    Sipp::visitor(&server, (&name, &password), super::DAHL, 17, "603").verdict().await;
    let messages = trunk.messages();
    let invite = &messages[messages.find("INVITE sip:").unwrap()..];
    assert!(
        invite[..invite.find("\r\n\r\n").or(invite.find("\n\n")).unwrap()].contains("Max-Forwards: 16"),
        "{messages}"
    );
    trunk.verdict().await;
    nothing_is_left(&house).await;
}
