//! The trunks that phones are rung over: which of them, up to which limit, encrypted or not, and the call that tests one.

use crate::phone::{NUMBER, PAUSE, house, nothing_is_left, over, put, rung, stand, vouch};
use crate::support::house::House;
use crate::support::trunk::{Baresip, Sipp};
use crate::support::{PATIENCE, until};
use klinke_model::ids::{TenantId, TrunkId, v4};
use klinke_model::intercom::EndReason;
use klinke_model::phone::{E164, Phones, TrunkEncryption, TrunkWay};
use klinke_model::privacy::Pii;
use klinke_server::phones::Trunk;
use klinke_sip::agent::State;
use klinke_sip::dial::Limits;
use klinke_wire::panel::PanelCallState;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn the_second_trunk_is_tried_when_the_first_does_not_work() {
    let house = house(&["kari"], Phones::WithoutDevice, |_| {}).await;
    let (broken, works) = (Sipp::refuse("503 Service Unavailable"), Sipp::press(&[(PAUSE, '1')], 1));
    stand(&house, &[broken.port, works.port]).await;
    let (mut panel, call) = rung(&house).await;
    panel.connected().await;
    panel.hang_up(call).await;
    panel.ended(call).await;
    broken.verdict().await;
    works.verdict().await;
}

#[tokio::test]
async fn over_a_limit_nobody_is_rung() {
    let house = house(&["kari"], Phones::WithoutDevice, |_| {}).await;
    // it is there for the call that is not to come
    let sipp = Sipp::refuse_all("486 Busy Here", 3);
    over(&house, &sipp).await;
    let mut limits = house.manager.get("/api/v1/phone-limits").await.json();
    limits["limits"]["number_hour"] = json!(1);
    assert_eq!(put(&house, "/api/v1/phone-limits", limits).await, 200);
    let (mut panel, call) = rung(&house).await;
    assert_eq!(panel.ended(call).await, EndReason::Declined);
    let over = panel.ring(house.plan.bell("Dahl")).await.call;
    assert_eq!(panel.ended(over).await, EndReason::Unreachable);
    assert_eq!(sipp.invited(), 1);
}

#[tokio::test]
async fn numbers_that_may_not_be_rung_are_not() {
    let house = house(&["kari"], Phones::WithoutDevice, |_| {}).await;
    let sipp = Sipp::play("rings_on", 1);
    over(&house, &sipp).await;
    let mut panel = house.panel().await;
    for number in ["+4782900000", "+88101234567", "+19005551234", "21600000", "sip:kari@example.net"] {
        assert_eq!(vouch(&house, "kari", number).await, 422, "{number}");
    }
    // kept before the countries were other ones
    for number in ["+4782900000", "+88101234567", "+19005551234"] {
        let (scope, stamp, kari) = (house.scope(), house.node().stamp(), house.plan.person("kari"));
        let number = Pii::new(E164::new(number).unwrap());
        let numbers = house.node().store.phone_numbers();
        assert!(numbers.vouch_number(&scope, &stamp, kari, number.clone()).await.unwrap());
        let call = panel.ring(house.plan.bell("Dahl")).await;
        assert_eq!(
            call.state,
            PanelCallState::Ended { reason: EndReason::Unreachable },
            "{}",
            number.reveal().as_str()
        );
    }
    assert_eq!(sipp.invited(), 0);
}

#[tokio::test]
async fn a_property_managers_trunk_rings_for_nobody_else() {
    let house = house(&["kari"], Phones::Both, |_| {}).await;
    let (theirs, own) = (Sipp::play("rings_on", 1), Sipp::refuse("480 Temporarily Unavailable"));
    let neighbours = TenantId(v4([2; 16]));
    let trunk = Trunk {
        id: TrunkId(v4([2; 16])),
        host: "127.0.0.1".into(),
        port: theirs.port,
        way: TrunkWay::Udp,
        domain: None,
        caller: E164::new("+4721600001").unwrap(),
        registers: false,
        account: None,
        tones: false,
        encryption: TrunkEncryption::Off,
    };
    over(&house, &own).await;
    let phones = &house.node().phones;
    phones.stand(neighbours, vec![trunk], Limits::default()).await.unwrap();
    until("theirs", || phones.states(neighbours).iter().all(|(_, state)| *state == State::Ready)).await;
    let mut panel = house.panel().await;
    let call = panel.ring(house.plan.bell("Dahl")).await.call;
    assert_eq!(panel.ended(call).await, EndReason::Unreachable);
    assert_eq!((own.invited(), theirs.invited()), (1, 0));
}

/// The only trunk of the house, as the API tells of it.
async fn trunk(house: &House) -> Value {
    house.manager.get("/api/v1/trunks").await.json()["items"][0].clone()
}

async fn test_call(house: &House) -> String {
    format!("/api/v1/trunks/{}/test-call", trunk(house).await["id"].as_str().unwrap())
}

/// Looks at a test call until this is so.
async fn goes(house: &House, at: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let looking = async {
        loop {
            let now = house.manager.get(at).await.json();
            if is_so(&now) {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("never came: {what}"))
}

#[tokio::test]
async fn a_trunk_is_tested_by_a_call_that_shows_each_step() {
    let house = house(&[], Phones::Off, |_| {}).await;
    let mut phone = Baresip::start(NUMBER).await;
    stand(&house, &[phone.port]).await;
    let at = test_call(&house).await;
    assert_eq!(house.manager.get(&at).await.code(), "not_found");
    assert_eq!(trunk(&house).await["calls"], json!(0));
    // they have no number of their own
    assert_eq!(house.manager.post(&at, json!({})).await.json()["errors"][0]["pointer"], json!("/number"));
    let dear = house.manager.post(&at, json!({ "number": "+47 829 00 123" })).await;
    assert_eq!(dear.json()["errors"][0]["code"], json!("costs_extra"));
    let begun = house.manager.post(&at, json!({ "number": NUMBER })).await;
    assert_eq!(begun.status, 202, "{begun:?}");
    let id = begun.json()["id"].clone();
    phone.picked_up().await;
    let now = goes(&house, &at, "the answer", |now| now["answered"] == json!(true)).await;
    assert_eq!((&now["id"], &now["key"], &now["ended"]), (&id, &Value::Null, &Value::Null));
    assert_eq!(trunk(&house).await["calls"], json!(1));
    // keys in the first second do not count
    tokio::time::sleep(Duration::from_millis(PAUSE)).await;
    phone.press('5').await;
    let now = goes(&house, &at, "its end", |now| !now["ended"].is_null()).await;
    let wanted = json!({ "id": id, "rang": now["rang"], "answered": true, "encrypted": false, "one_way": false,
        "key": { "key": "5", "way": "event" }, "ended": "done" });
    assert_eq!(now, wanted);
    nothing_is_left(&house).await;
    assert_eq!(trunk(&house).await["calls"], json!(0));
    let audit = house.manager.get("/api/v1/audit").await.text;
    assert!(audit.contains("trunk.tested") && !audit.contains("21600000"), "{audit}");
}

#[tokio::test]
async fn a_test_call_says_how_its_key_came_and_what_the_trunk_answered() {
    let house = house(&[], Phones::Off, |_| {}).await;
    let sipp = Sipp::press(&[(PAUSE, '8')], 1);
    over(&house, &sipp).await;
    let at = test_call(&house).await;
    assert_eq!(house.manager.post(&at, json!({ "number": NUMBER })).await.status, 202);
    let now = goes(&house, &at, "its end", |now| !now["ended"].is_null()).await;
    assert_eq!(now["key"], json!({ "key": "8", "way": "info" }));
    assert_eq!((&now["rang"], &now["ended"]), (&json!(true), &json!("done")));
    sipp.verdict().await;
    for (status, why) in
        [("486 Busy Here", "busy"), ("404 Not Found", "no_such_number"), ("403 Forbidden", "refused")]
    {
        let house = crate::phone::house(&[], Phones::Off, |_| {}).await;
        // the first one would take it: a test goes over its trunk only
        // each new trunk has all of them looked at again
        let (refuses, other) = (Sipp::refuse(status), Sipp::play("rings_on", 4));
        stand(&house, &[other.port, refuses.port]).await;
        let second = house.manager.get("/api/v1/trunks").await.json()["items"][1]["id"].clone();
        let at = format!("/api/v1/trunks/{}/test-call", second.as_str().unwrap());
        assert_eq!(house.manager.post(&at, json!({ "number": NUMBER })).await.status, 202);
        let now = goes(&house, &at, "its end", |now| !now["ended"].is_null()).await;
        assert_eq!(now["ended"], json!(why));
        assert_eq!((refuses.invited(), other.invited()), (1, 0));
        refuses.verdict().await;
    }
}

#[tokio::test]
async fn a_test_call_is_its_administrators_own_counts_and_is_hung_up_when_it_is_given_up() {
    // read when the trunk is made to stand
    let house = house(&[], Phones::Off, |_| {}).await;
    let limits = json!({ "countries": [47], "number_hour": 1, "building_hour": 60, "tenant_day": 500 });
    assert_eq!(put(&house, "/api/v1/phone-limits", json!({ "version": 0, "limits": limits })).await, 200);
    let sipp = Sipp::play("rings_on", 1);
    over(&house, &sipp).await;
    let at = test_call(&house).await;
    assert_eq!(house.manager.post(&at, json!({ "number": NUMBER })).await.status, 202);
    goes(&house, &at, "ringing", |now| now["rang"] == json!(true)).await;
    let kari = house.phone("kari").await.browser;
    assert_eq!(kari.get(&at).await.code(), "forbidden");
    assert_eq!(kari.delete(&at).await.code(), "forbidden");
    assert_eq!(house.manager.delete(&at).await.status, 204);
    assert_eq!(goes(&house, &at, "its end", |now| !now["ended"].is_null()).await["ended"], json!("given_up"));
    nothing_is_left(&house).await;
    sipp.verdict().await;
    let again = house.manager.post(&at, json!({ "number": NUMBER })).await;
    assert_eq!((again.status.as_u16(), again.code()), (429, "called_too_often".to_owned()));
}

#[tokio::test]
async fn a_phone_that_nobody_hears_is_counted_once_and_without_a_name() {
    let house = house(&[], Phones::Off, |_| {}).await;
    // SIPp sends no sound at all
    let sipp = Sipp::press(&[(8_000, '1')], 1);
    over(&house, &sipp).await;
    let at = test_call(&house).await;
    assert_eq!(house.manager.post(&at, json!({ "number": NUMBER })).await.status, 202);
    goes(&house, &at, "silence", |now| now["one_way"] == json!(true)).await;
    goes(&house, &at, "its end", |now| !now["ended"].is_null()).await;
    let told = trunk(&house).await;
    assert_eq!((&told["one_way"], &told["calls"]), (&json!(1), &json!(0)), "{told}");
    sipp.verdict().await;
}

#[tokio::test]
async fn a_trunk_encrypts_its_sound_as_it_is_set_up_and_never_in_the_open() {
    let mut phone = Baresip::encrypts(NUMBER).await;
    let roots = phone.certificate.clone();
    let house = house(&[], Phones::Off, |config| config.phones.roots = Some(roots)).await;
    let settings = |encryption: &str, way: &str, port: u16| {
        json!({ "settings": { "name": "Encrypted", "host": "127.0.0.1", "port": port, "way": way, "caller": "+4721600001",
            "registers": false, "encryption": encryption, "enabled": true } })
    };
    for (encryption, way) in [("required", "udp"), ("offered", "tcp")] {
        let refused = house.manager.post("/api/v1/trunks", settings(encryption, way, phone.port)).await;
        let wrong = json!([{ "pointer": "/settings/encryption", "code": "needs_tls" }]);
        assert_eq!(refused.json()["errors"], wrong, "{encryption} over {way}");
    }
    for (encryption, ended, encrypted) in
        [("off", "no_common_media", Value::Null), ("required", "done", json!(true))]
    {
        let added = house.manager.post("/api/v1/trunks", settings(encryption, "tls", phone.port + 1)).await;
        assert_eq!(added.status, 201, "{added:?}");
        assert_eq!(added.json()["settings"]["encryption"], json!(encryption));
        let id = added.json()["id"].as_str().unwrap().to_owned();
        let states = || house.node().phones.states(house.plan.tenant);
        until("a trunk that answers", || {
            states().iter().any(|(known, state)| known.to_string() == id && *state == State::Ready)
        })
        .await;
        let at = format!("/api/v1/trunks/{id}/test-call");
        assert_eq!(house.manager.post(&at, json!({ "number": NUMBER })).await.status, 202);
        if encryption == "required" {
            goes(&house, &at, "the answer", |now| now["encrypted"] == json!(true)).await;
            // keys in the first second do not count
            tokio::time::sleep(Duration::from_millis(PAUSE)).await;
            phone.press('5').await;
        }
        let now = goes(&house, &at, "its end", |now| !now["ended"].is_null()).await;
        assert_eq!((&now["ended"], &now["encrypted"]), (&json!(ended), &encrypted), "{now}");
        assert_eq!(house.manager.delete(&format!("/api/v1/trunks/{id}")).await.status, 204);
        until("its end", || states().is_empty()).await;
    }
}
