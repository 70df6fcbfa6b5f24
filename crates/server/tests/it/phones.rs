//! Ordinary phones as they are set up: trunks whose passwords never come out again, numbers that are somebody's, limits.

use crate::world::{self, Browser, MANAGER, PASSWORD, RESIDENT, World};
use klinke_model::ids::{PersonId, TenantId, v4};
use klinke_model::phone::TrunkWay;
use klinke_server::app::phone_limits;
use klinke_server::app::trunks::for_calls;
use serde_json::{Value, json};

/// A password that nothing else contains.
const HUSH: &str = "canary-trunk-hush-77";

fn settings() -> Value {
    json!({ "name": "Telephone company", "host": "a.sip.example", "way": "tls", "caller": "0047 21 60 00 00",
        "registers": true, "account": "klinke", "enabled": true })
}

fn with(changes: &Value) -> Value {
    let mut settings = settings();
    for (field, value) in changes.as_object().unwrap() {
        settings[field] = value.clone();
    }
    settings
}

async fn tenant(world: &World) -> TenantId {
    world.node().store.gate().account(MANAGER).await.unwrap().unwrap().tenant
}

/// What is wrong with a form: pointer and code.
fn wrong(answer: &world::Answer) -> Vec<(String, String)> {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let errors = answer.json()["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|error| (word(&error["pointer"]), word(&error["code"]))).collect()
}

async fn resident(world: &World) -> Browser {
    let browser = world.browser();
    let signed_in = browser.post("/api/v1/session", world::sign_in(RESIDENT, PASSWORD)).await;
    assert_eq!(signed_in.status, 201, "{signed_in:?}");
    browser
}

#[tokio::test]
async fn a_trunk_s_password_goes_in_and_comes_out_only_where_calls_are_made() {
    let (world, manager) = World::claimed().await;
    let (node, tenant) = (world.node(), tenant(&world).await);
    let mut told = node.trunks_changed.subscribe();
    let mut is_told = || {
        let changed = told.has_changed().unwrap();
        told.mark_unchanged();
        changed
    };
    let none = manager.get("/api/v1/trunks").await.json();
    assert_eq!(none, json!({ "items": [], "hosts": ["127.9.9.9", "*.sip.example"], "most": 8 }));
    assert!(!is_told());
    let made = manager.post("/api/v1/trunks", json!({ "settings": settings(), "password": HUSH })).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert!(is_told());
    let mut shown = settings();
    (shown["caller"], shown["port"]) = (json!("+4721600000"), json!(5061));
    (shown["keys"], shown["encryption"]) = (json!("rfc4733"), json!("off"));
    let trunk = made.json();
    assert_eq!(
        (&trunk["settings"], &trunk["has_password"], &trunk["version"]),
        (&shown, &json!(true), &json!(1))
    );
    let at = format!("/api/v1/trunks/{}", trunk["id"].as_str().unwrap());

    let found = for_calls(node, tenant).await.unwrap();
    let [one] = found.as_slice() else { panic!("{found:?}") };
    let account = one.account.as_ref().unwrap();
    assert_eq!((account.user.as_str(), account.password.as_str(), one.port), ("klinke", HUSH, 5061));
    assert!(!format!("{one:?}").contains(HUSH));
    assert_eq!(node.store.gate().trunk_tenants().await.unwrap(), [tenant]);

    // not named: it stays; null: it is gone
    let keeps = json!({ "version": 1, "settings": with(&json!({ "host": "b.sip.example", "way": "udp", "keys": "tones" })) });
    let changed = manager.put(&at, keeps.clone()).await;
    assert_eq!(
        (changed.status.as_u16(), &changed.json()["has_password"]),
        (200, &json!(true)),
        "{changed:?}"
    );
    let found = for_calls(node, tenant).await.unwrap();
    assert_eq!((found[0].way, found[0].tones, found[0].port), (TrunkWay::Udp, true, 5060));
    assert_eq!(found[0].account.as_ref().unwrap().password, HUSH);
    let late = manager.put(&at, keeps).await;
    assert_eq!((late.code(), &late.json()["current"]["version"]), ("conflict".to_owned(), &json!(2)));
    let takes = json!({ "version": 2, "settings": settings(), "password": null });
    assert_eq!(manager.put(&at, takes).await.json()["has_password"], json!(false));
    assert_eq!(for_calls(node, tenant).await.unwrap()[0].account.as_ref().unwrap().password, "");
    let sets = json!({ "version": 3, "settings": settings(), "password": HUSH });
    assert_eq!(manager.put(&at, sets).await.status, 200);

    // no answer, no entry and no file has it
    let mut texts = vec![manager.get("/api/v1/trunks").await.text, manager.get("/api/v1/audit").await.text];
    assert!(texts[1].contains("trunk.changed") && texts[1].contains("password_changed"));
    texts.extend([made.text, changed.text, late.text]);
    for file in std::fs::read_dir(world.folder.path()).unwrap() {
        texts.push(String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap()).into_owned());
    }
    assert!(texts.iter().any(|text| text.contains("Telephone company")), "the database was read");
    assert!(texts.iter().all(|text| !text.contains(HUSH)));

    // switched off, it is nobody's to call by
    let off = json!({ "version": 4, "settings": with(&json!({ "enabled": false })) });
    assert_eq!(manager.put(&at, off).await.status, 200);
    assert_eq!(for_calls(node, tenant).await.unwrap().len(), 0);
    assert!(is_told());
    assert_eq!(manager.delete(&at).await.status, 204);
    assert!(is_told());
    assert_eq!(manager.delete(&at).await.status, 404);
}

#[tokio::test]
async fn what_can_not_be_a_trunk_is_refused_with_the_reason() {
    let (world, manager) = World::claimed().await;
    let code = |code: &str| code.to_owned();
    for (changes, field, why) in [
        (json!({ "host": "sip.example.com" }), "host", "host_not_allowed"),
        (json!({ "host": "sip.example" }), "host", "host_not_allowed"),
        (json!({ "host": "127.0.0.1" }), "host", "host_not_allowed"),
        (json!({ "host": "0x7f.9.9.8" }), "host", "host_not_allowed"),
        (json!({ "host": "a.sip.example:25" }), "host", "not_an_address"),
        (json!({ "host": "a b" }), "host", "not_an_address"),
        (json!({ "domain": "a/b" }), "domain", "not_an_address"),
        (json!({ "port": 25 }), "port", "out_of_range"),
        (json!({ "caller": "21600000" }), "caller", "not_a_phone"),
        (json!({ "name": " " }), "name", "empty"),
        (json!({ "account": "a\"b" }), "account", "control"),
        (json!({ "account": "a\r\nb" }), "account", "control"),
        (json!({ "account": "" }), "account", "required"),
    ] {
        let answer = manager.post("/api/v1/trunks", json!({ "settings": with(&changes) })).await;
        assert_eq!(wrong(&answer), [(format!("/settings/{field}"), code(why))], "{changes}");
    }
    for (password, why) in
        [(String::new(), "empty"), ("a\nb".into(), "control"), ("x".repeat(129), "too_long")]
    {
        let answer =
            manager.post("/api/v1/trunks", json!({ "settings": settings(), "password": password })).await;
        assert_eq!(wrong(&answer), [(code("/password"), code(why))]);
    }
    // as the operator wrote it, however it is spelled here
    for host in ["A.SIP.example", "127.9.9.9", "0x7f.9.9.9"] {
        let answer =
            manager.post("/api/v1/trunks", json!({ "settings": with(&json!({ "host": host })) })).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    for _ in 3..8 {
        assert_eq!(manager.post("/api/v1/trunks", json!({ "settings": settings() })).await.status, 201);
    }
    let ninth = manager.post("/api/v1/trunks", json!({ "settings": settings() })).await;
    assert_eq!(ninth.code(), "too_many_trunks");
    let listed = manager.get("/api/v1/trunks").await.json();
    let mut ids: Vec<Value> =
        listed["items"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    ids.reverse();
    let turned = manager.post("/api/v1/trunks/order", json!({ "trunks": ids })).await.json();
    let order: Vec<Value> = turned["items"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    assert_eq!(order, ids);
    assert_eq!(manager.post("/api/v1/trunks/order", json!({ "trunks": ids[1..] })).await.code(), "not_found");
    let calls = for_calls(world.node(), tenant(&world).await).await.unwrap();
    assert_eq!(json!(calls.iter().map(|trunk| trunk.id).collect::<Vec<_>>()), json!(ids));
}

#[tokio::test]
async fn limits_say_what_a_day_can_cost_and_which_numbers_are_taken() {
    let (world, manager) = World::claimed().await;
    world.town().await;
    let at = "/api/v1/phone-limits";
    let limits = json!({ "countries": [47, 46, 45, 358, 354], "number_hour": 6, "building_hour": 60, "tenant_day": 500 });
    // 500 calls of 120 s
    assert_eq!(manager.get(at).await.json(), json!({ "version": 0, "limits": limits, "minutes_day": 1_000 }));
    let number = format!("/api/v1/people/{}/phone-number", PersonId(v4([7; 16])));
    for (typed, why) in [
        ("21600000", "not_a_phone"),
        ("call me", "not_a_phone"),
        ("+44 20 7946 0000", "country_not_allowed"),
        ("+870 773 111 111", "country_not_allowed"),
        ("+47 820 12 345", "costs_extra"),
        ("+46 900 123 45", "costs_extra"),
    ] {
        let answer = manager.put(&number, json!({ "number": typed })).await;
        assert_eq!(wrong(&answer), [("/number".to_owned(), why.to_owned())], "{typed}");
    }
    assert_eq!(manager.get(&number).await.json(), json!({}));
    let wanted = |countries: Value| json!({ "version": 0, "limits": { "countries": countries, "number_hour": 2, "building_hour": 20, "tenant_day": 30 } });
    // a beginning of others would let in more than one country
    let prefix = manager.put(at, wanted(json!([47, 35, 870]))).await;
    let not = |at: u8| (format!("/limits/countries/{at}"), "not_a_country".to_owned());
    assert_eq!(wrong(&prefix), [not(1), not(2)]);
    let none = manager.put(at, wanted(json!([]))).await;
    assert_eq!(wrong(&none), [("/limits/countries".to_owned(), "out_of_range".to_owned())]);
    let mut told = world.node().trunks_changed.subscribe();
    let set = manager.put(at, wanted(json!([44]))).await.json();
    assert_eq!((&set["version"], &set["minutes_day"]), (&json!(1), &json!(60)));
    assert!(told.has_changed().unwrap());
    told.mark_unchanged();
    assert_eq!(manager.put(at, wanted(json!([45]))).await.code(), "conflict");
    assert!(!told.has_changed().unwrap());
    assert_eq!(manager.put(&number, json!({ "number": "+44 20 7946 0000" })).await.status, 200);
    let norwegian = manager.put(&number, json!({ "number": "+47 915 00 123" })).await;
    assert_eq!(wrong(&norwegian)[0].1, "country_not_allowed");
    let scope = klinke_model::scope::Scope::system(tenant(&world).await);
    let (_, kept) = world.node().store.trunks().phone_limits(&scope).await.unwrap().unwrap();
    assert!(phone_limits::countries(&kept).read("+442079460000").is_ok());
}

#[tokio::test]
async fn an_administrator_vouches_and_the_audit_does_not_say_for_what() {
    let (world, manager) = World::claimed().await;
    world.town().await;
    let person = PersonId(v4([7; 16]));
    let at = format!("/api/v1/people/{person}/phone-number");
    let vouched = manager.put(&at, json!({ "number": "0047 915-00-123" })).await;
    let myself = world.node().store.gate().account(MANAGER).await.unwrap().unwrap().person;
    let shown = json!({ "number": "+4791500123", "verified": "vouched", "by": myself });
    assert_eq!((vouched.status.as_u16(), vouched.json()), (200, shown.clone()));
    assert_eq!(manager.get(&at).await.json(), shown);
    // how many there are in a building is told without the numbers
    let houses = manager.get("/api/v1/phone-numbers").await;
    let counts: Vec<_> =
        houses.json()["items"].as_array().unwrap().iter().map(|house| house["numbers"].clone()).collect();
    assert!(counts.contains(&json!(1)) && !houses.text.contains("91500"), "{}", houses.text);
    let mine = format!("/api/v1/people/{myself}/phone-number");
    assert_eq!(manager.put(&mine, json!({ "number": "+4791500124" })).await.code(), "forbidden");
    let browser = resident(&world).await;
    let own = browser.get("/api/v1/me/phone-number").await.json();
    assert_eq!(
        own,
        json!({ "number": "+4791500123", "verified": "vouched", "can_confirm": false, "calls_from": [] })
    );
    assert_eq!(browser.get("/api/v1/me/data").await.json()["phone_number"], json!("+4791500123"));
    assert_eq!(manager.delete(&at).await.status, 204);
    assert_eq!(manager.delete(&at).await.code(), "not_found");
    let audit = manager.get("/api/v1/audit").await.text;
    assert!(audit.contains("number.vouched") && audit.contains("number.removed"));
    assert!(!audit.contains("91500123"));
}

#[tokio::test]
async fn a_call_is_offered_only_where_one_can_be_made() {
    let (world, manager) = World::claimed().await;
    world.town().await;
    let browser = resident(&world).await;
    let at = "/api/v1/me/phone-number";
    let wish = json!({ "number": "+47 915 00 123", "password": PASSWORD });
    let bare = browser.put(at, json!({ "number": "+47 915 00 123" })).await;
    assert_eq!(wrong(&bare), [("/password".to_owned(), "required".to_owned())]);
    let other = browser.put(at, json!({ "number": "+47 915 00 123", "password": "not this one" })).await;
    assert_eq!(other.code(), "wrong_password");
    let dear = browser.put(at, json!({ "number": "+47 829 00 123", "password": PASSWORD })).await;
    assert_eq!(wrong(&dear), [("/number".to_owned(), "costs_extra".to_owned())]);
    assert_eq!(browser.put(at, wish.clone()).await.code(), "no_trunk");
    // one is set up, and this server has no address for it: nothing would ring
    assert_eq!(manager.post("/api/v1/trunks", json!({ "settings": settings() })).await.status, 201);
    assert_eq!(browser.put(at, wish).await.code(), "no_trunk");
    assert_eq!(browser.get(at).await.json(), json!({ "can_confirm": false, "calls_from": [] }));
}
