//! How each operation is asked for: what is in its address and its form, so that who may is answered well.

use super::rules::Row;
use super::town::{Place, Things, Town, Who};
use axum::http::Method;
use serde_json::{Value, json};

/// A request.
pub struct Asked {
    pub method: Method,
    pub path: String,
    pub body: Body,
}

/// What it carries.
pub enum Body {
    Nothing,
    Json(Value),
    File(&'static [u8]),
}

/// What a principal would ask of what a row names.
pub fn of(head: &str, row: Row, town: &Town) -> Asked {
    let (method, template) = head.split_once(' ').unwrap();
    // the address names one place, the form maybe another
    let (there, named) = match row {
        Row::Whole => (Place::A, Place::A),
        Row::In(place) => (place, place),
        Row::Naming(place) => (Place::A, place),
    };
    let (there, named) = (&town.places[&there], &town.places[&named]);
    let mut path = template.to_owned();
    // a guest of the resident's own, and one of the administration
    let guest = if template.contains("/me/") { "my_guest" } else { "guest" };
    path = path.replace("{guest}", &there[guest].to_string());
    let reading = if template.contains("/me/") { "my_reading" } else { "reading" };
    path = path.replace("{reading}", &there[reading].to_string());
    for (name, id) in there {
        path = path.replace(&format!("{{{name}}}"), &id.to_string());
    }
    // none of theirs: who may is told that there is none
    path = path.replace("{tenant}", &town.places[&Place::None]["building"].to_string());
    assert!(!path.contains('{'), "{head}: the towns have none of what the address names");
    if head.ends_with("/cards/import") {
        path = format!("{path}?name=Card&apply=true");
    }
    if head == "GET /api/v1/moves" {
        path = format!("{path}?building={}", there["building"]);
    }
    Asked { method: method.parse().unwrap(), path, body: form(head, there, named, town) }
}

fn form(head: &str, there: &Things, named: &Things, town: &Town) -> Body {
    let id = |name: &str| json!(named[name]);
    let in_a_month = "2026-12-20";
    let body = match head {
        "POST /api/v1/setup/claim" => crate::world::claim("0000-0000"),
        "POST /api/v1/session" => crate::world::sign_in(crate::world::MANAGER, crate::world::PASSWORD),
        "POST /api/v1/invitations/look" => json!({ "token": town.invitation }),
        "POST /api/v1/invitations/accept" => {
            json!({ "token": town.invitation, "password": "a password that is long", "device_name": "Phone" })
        }
        "POST /api/v1/guest/look" => json!({ "token": town.guest }),
        "POST /api/v1/guest/open" => {
            json!({ "token": town.guest, "door": id("door"), "request": id("door") })
        }
        "POST /api/v1/me/guests" | "POST /api/v1/buildings/{building}/guests" => {
            let ends_at = town.world.node().clock.now().as_millis() + 3_600_000;
            json!({ "unit": id("unit"), "name": "New", "doors": [id("door")], "ends_at": ends_at, "once": false })
        }
        "PATCH /api/v1/me/guests/{guest}" | "PATCH /api/v1/guests/{guest}" => {
            json!({ "version": 1, "name": "Changed" })
        }
        "POST /api/v1/me/guests/{guest}/mail" => json!({ "email": "guest@example.org", "language": "nb" }),
        "POST /api/v1/panel-pairings" => json!({ "public_key": PUBLIC_KEY }),
        "POST /api/v1/panel-pairings/{pairing}/ticket" => json!({ "ticket": "x".repeat(43) }),
        "POST /api/v1/confidentiality" => json!({ "version": 1 }),
        "POST /api/v1/roles" => {
            json!({ "building": there["building"], "person": id("person"), "role": "caretaker" })
        }
        "POST /api/v1/tokens" => {
            json!({ "name": "New", "rights": ["see_people"], "building": id("building"), "ends_at": 1_796_000_000_000_i64 })
        }
        "POST /api/v1/buildings" => {
            json!({ "name": "New", "address": "Street 2", "kind": "residential", "time_zone": "Europe/Oslo" })
        }
        "PATCH /api/v1/buildings/{building}"
        | "PATCH /api/v1/entrances/{entrance}"
        | "PATCH /api/v1/doors/{door}"
        | "PATCH /api/v1/panels/{panel}"
        | "PATCH /api/v1/controllers/{controller}" => json!({ "version": 1, "name": "Changed" }),
        "PATCH /api/v1/units/{unit}" => json!({ "version": 1, "number": "999" }),
        "PUT /api/v1/doors/{door}/settings" => {
            json!({ "version": 1, "settings": { "refuses_copyable": true, "first_person_in": false } })
        }
        "PUT /api/v1/doors/{door}/held" => json!({ "held": "blocked" }),
        "PUT /api/v1/doors/{door}/station-relay" => {
            json!({ "panel": id("panel"), "told": { "way": "keys", "keys": "1*" } })
        }
        "PUT /api/v1/panels/{panel}/door-station" => json!({ "any_number": null }),
        "PUT /api/v1/buildings/{building}/lock-down" => json!({ "locked_down": true }),
        "POST /api/v1/tenants" => {
            json!({ "name": "New", "manager_name": "New", "manager_email": "", "language": "nb" })
        }
        "PATCH /api/v1/tenants/{tenant}" => json!({ "version": 1, "name": "Changed" }),
        "PUT /api/v1/app-requirements" => json!({ "ios": "17", "android": "12" }),
        "PUT /api/v1/buildings/{building}/policy" => json!({ "version": 1, "policy": { "pictures": false } }),
        "POST /api/v1/buildings/{building}/entrances" => json!({ "name": "New" }),
        "POST /api/v1/buildings/{building}/units" => {
            json!({ "entrance": id("entrance"), "numbers": "901", "doors": [id("door")] })
        }
        "POST /api/v1/buildings/{building}/doors" => json!({ "name": "New", "everybody": true }),
        "POST /api/v1/buildings/{building}/panels" => {
            json!({ "code": "0000 0000", "name": "New", "entrance": id("entrance"), "doors": [id("door")] })
        }
        "POST /api/v1/buildings/{building}/door-stations" => {
            json!({ "name": "New", "entrance": id("entrance"), "doors": [id("door")] })
        }
        "POST /api/v1/buildings/{building}/controllers" => {
            json!({ "code": "0000 0000", "name": "New", "doors": [{ "door": id("door"), "output": 0 }] })
        }
        "POST /api/v1/buildings/{building}/bells" => {
            json!({ "panel": id("panel"), "unit": id("unit"), "label": "New", "kind": "family" })
        }
        "PUT /api/v1/buildings/{building}/bells" => json!({ "panel": id("panel"), "bells": [id("bell")] }),
        "PATCH /api/v1/bells/{bell}" => json!({ "version": 2, "label": "Changed" }),
        "POST /api/v1/bells/{bell}/moderation" => json!({ "version": 2, "verdict": "approve" }),
        "POST /api/v1/buildings/{building}/imports" => return Body::File(b"Name;Unit\nNewcomer;101\n"),
        "PATCH /api/v1/imports/{import}" => json!({ "leave_out": [0] }),
        "POST /api/v1/imports/{import}/apply" => json!({ "leave_out_errors": true }),
        "POST /api/v1/people" => json!({ "name": "New", "homes": [{ "unit": id("unit") }] }),
        "PATCH /api/v1/me" => json!({ "version": 1, "language": "sv" }),
        "PUT /api/v1/me/bells/{bell}/picture" | "PUT /api/v1/bells/{bell}/picture" => {
            return Body::File(PICTURE);
        }
        "PATCH /api/v1/me/bells/{bell}" => json!({ "version": 2, "label": "Changed" }),
        "POST /api/v1/me/household/{unit}/members" => json!({ "name": "New" }),
        "PUT /api/v1/me/household/{unit}/owner" => json!({ "person": id("person") }),
        "PATCH /api/v1/people/{person}" => json!({ "version": 1, "name": "Changed" }),
        "POST /api/v1/people/{person}/homes" => json!({ "unit": id("other_unit") }),
        "POST /api/v1/units/{unit}/moves" => json!({ "last_day": in_a_month, "out": [id("person")] }),
        "POST /api/v1/webhooks" => {
            let url = "https://127.9.9.9:9443/other";
            json!({ "building": there["building"], "url": url, "events": ["import.undone"] })
        }
        "PUT /api/v1/buildings/{building}/alarm-mail" => json!({ "mail": true }),
        "PUT /api/v1/buildings/{building}/records/policy" => {
            let purpose = "Thefts from the store room";
            json!({ "version": 0, "purpose": purpose, "days": 14, "told_on": "2020-01-01" })
        }
        "POST /api/v1/buildings/{building}/records/policy/confirm" => json!({ "version": 0 }),
        "POST /api/v1/buildings/{building}/schedules" => {
            json!({ "name": "New", "schedule": { "hours": [], "holidays": { "are": "closed" }, "exceptions": [] } })
        }
        "POST /api/v1/buildings/{building}/people-groups" => json!({ "name": "New", "members": [] }),
        "POST /api/v1/buildings/{building}/door-groups" => {
            json!({ "name": "New", "doors": [id("door")] })
        }
        "PATCH /api/v1/schedules/{schedule}"
        | "PATCH /api/v1/rules/{rule}"
        | "PATCH /api/v1/people-groups/{people_group}"
        | "PATCH /api/v1/door-groups/{door_group}" => {
            json!({ "version": 1, "name": "Changed" })
        }
        "POST /api/v1/buildings/{building}/rules" => {
            let who = json!([{ "who": "person", "id": id("person") }]);
            json!({ "name": "New", "who": who, "doors": [{ "which": "door", "id": id("door") }] })
        }
        "POST /api/v1/buildings/{building}/cards" => {
            json!({ "person": id("person"), "name": "New", "kind": "wiegand26", "number": "1-2" })
        }
        "POST /api/v1/buildings/{building}/card-readings" | "POST /api/v1/me/card-readings" => {
            json!({ "controller": id("controller"), "reader": 0 })
        }
        "POST /api/v1/me/cards" => {
            json!({ "unit": id("unit"), "name": "New", "kind": "wiegand26", "number": "1-3" })
        }
        "PATCH /api/v1/cards/{card}" | "PATCH /api/v1/me/cards/{card}" => {
            json!({ "version": 1, "blocked": true })
        }
        "POST /api/v1/buildings/{building}/cards/import" => {
            return Body::File(b"Unit;Name;Type;Number\n101;Resident;26;1-4\n");
        }
        "POST /api/v1/buildings/{building}/why" => json!({ "person": id("person"), "door": id("door") }),
        "PATCH /api/v1/webhooks/{webhook}" => json!({ "version": 1, "enabled": false }),
        "POST /api/v1/trunks" => json!({ "settings": trunk("New") }),
        "PUT /api/v1/trunks/{trunk}" => json!({ "version": 1, "settings": trunk("Changed") }),
        "POST /api/v1/trunks/order" => {
            // all that a property manager has: those of A and B are one's
            let [a, b] = [Place::A, Place::B].map(|place| town.places[&place]["trunk"]);
            let ours = [a, b].contains(&there["trunk"]);
            if ours { json!({ "trunks": [b, a] }) } else { json!({ "trunks": [there["trunk"]] }) }
        }
        "PUT /api/v1/phone-limits" => {
            let limits =
                json!({ "countries": [47], "number_hour": 6, "building_hour": 60, "tenant_day": 90 });
            json!({ "version": 0, "limits": limits })
        }
        "POST /api/v1/people/{person}/sip-devices" => json!({ "name": "Desk phone" }),
        "POST /api/v1/trunks/{trunk}/test-call"
        | "PUT /api/v1/people/{person}/phone-number"
        | "PUT /api/v1/me/phone-number" => {
            json!({ "number": "+47 915 00 199" })
        }
        _ => return Body::Nothing,
    };
    Body::Json(body)
}

/// How a trunk is set up.
fn trunk(name: &str) -> Value {
    json!({ "name": name, "host": "127.9.9.9", "way": "udp", "caller": "+4721600000", "registers": false, "enabled": true })
}

/// What a principal proves themselves with.
pub fn proof(who: Who, town: &Town) -> Vec<(&'static str, String)> {
    let session = || town.sessions[&who].clone();
    match who {
        Who::Anonymous => Vec::new(),
        Who::Panel => vec![("klinke-pairing-secret", town.secret.clone())],
        Who::Controller => {
            let certificate = town.world.node().authority.pem().replace('\n', " ");
            vec![("x-forwarded-client-cert", certificate.clone()), ("x-ssl-client-cert", certificate)]
        }
        token if Who::TOKENS.contains(&token) || token == Who::EndedToken => {
            vec![("authorization", format!("Bearer {}", session()))]
        }
        _ => vec![("cookie", format!("klinke={}", session()))],
    }
}

/// A picture of one point.
const PICTURE: &[u8] =
    b"\x89PNG\x0d\x0a\x1a\x0a\x00\x00\x00\x0dIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\
    \x90wS\xde\x00\x00\x00\x0cIDATx\xdac8!\x22\x02\x00\x02\x98\x00\xf1\x99\xb6t\xbc\x00\x00\x00\x00\
    IEND\xaeB`\x82";

/// A point on P-256.
const PUBLIC_KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==";
