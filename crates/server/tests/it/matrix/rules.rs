//! What the file must say, derived a second way: from the right that each operation asks for.
//!
//! The table is short so that it can be read beside the list of roles; the derivation knows the roles' rights from
//! `klinke_model::rights` alone.

use super::file::Answers;
use super::town::{Place, Who};
use klinke_model::rights::Right;
use klinke_model::rights::Right::*;

/// A line of an operation: where what it asks about stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Row {
    /// It asks about nothing in particular.
    Whole,
    /// What its address (or the form's building) names is there.
    In(Place),
    /// The address names something in A, the form something there.
    Naming(Place),
}

const NAMED: [Place; 3] = [Place::B, Place::Other, Place::None];

impl Row {
    pub fn name(self) -> String {
        match self {
            Self::Whole => "-".to_owned(),
            Self::In(place) => place.name(),
            Self::Naming(place) => format!("A names {}", place.name()),
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        let places = Place::ALL.map(Self::In).into_iter().chain(NAMED.map(Self::Naming));
        places.chain([Self::Whole]).find(|row| row.name() == text)
    }
}

/// Who may.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// Everybody alike, signed in or not.
    Anybody,
    /// Whoever is signed in.
    SignedIn,
    /// Whoever has the right in any building. Everybody else learns that they lack it.
    Somewhere(Right),
    /// Whoever has it in every building.
    Everywhere(Right),
    /// Whoever has it in every building, over what is their property manager's.
    Belonging(Right),
    /// Whoever has it in the building; who sees the building learns that they lack it, others that there is none.
    In(Right),
    /// Whoever has the second right over it; who has the first learns that they lack it, others that there is none.
    Seen(Right, Right),
    /// Whoever has it over it; for others there is none.
    Hidden(Right),
    /// Whoever has the right in any building; what the form names is a field that is wrong unless they have it there.
    Form(Right),
    /// These; others are forbidden it.
    Only(&'static [Who]),
    /// What belongs to one of them; for others there is none.
    Own(Who),
    /// What is in a home in A of one of these; for others there is none.
    Home(&'static [Who]),
    /// Whoever has it over it, and these in A; for others there is none.
    Shown(Right, &'static [Who]),
}

use Rule::{
    Anybody, Belonging, Everywhere, Form, Hidden, Home, In, Only, Own, Seen, Shown, SignedIn, Somewhere,
};

/// An operation.
pub struct Operation {
    /// Method and path.
    pub head: &'static str,
    pub rule: Rule,
    /// What is answered to who may.
    pub done: &'static str,
    /// What is answered to who may, when the form names what they may not, or what is in another building.
    pub naming: Option<Naming>,
}

/// A form that names something.
pub struct Naming {
    /// What they are told.
    pub code: &'static str,
    /// What is in another building may be named by who has this right there.
    pub across: Option<Right>,
}

const fn op(head: &'static str, rule: Rule) -> Operation {
    Operation { head, rule, done: "ok", naming: None }
}

impl Operation {
    const fn done(mut self, code: &'static str) -> Self {
        self.done = code;
        self
    }

    const fn naming(mut self, code: &'static str) -> Self {
        self.naming = Some(Naming { code, across: None });
        self
    }

    const fn across(mut self, code: &'static str, right: Right) -> Self {
        self.naming = Some(Naming { code, across: Some(right) });
        self
    }

    /// Its lines.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = match self.rule {
            Anybody | SignedIn | Somewhere(_) | Everywhere(_) | Only(_) => vec![Row::Whole],
            Belonging(_) | In(_) | Seen(..) | Hidden(_) | Form(_) | Own(_) | Home(_) | Shown(..) => {
                Place::ALL.map(Row::In).to_vec()
            }
        };
        if self.naming.is_some() {
            rows.extend(NAMED.map(Row::Naming));
        }
        rows
    }

    /// What the file must say.
    pub fn expected(&self, row: Row) -> Answers {
        Who::ALL.into_iter().map(|who| (who, self.answer(row, who).to_owned())).collect()
    }

    fn answer(&self, row: Row, who: Who) -> &'static str {
        let place = match row {
            Row::In(place) => place,
            Row::Whole | Row::Naming(_) => Place::A,
        };
        if matches!(self.rule, Own(Who::Panel)) {
            return if who == Who::Panel && place == Place::A { self.done } else { "not_found" };
        }
        if !matches!(self.rule, Anybody) && !who.signed_in() {
            return "not_signed_in";
        }
        if Who::TOKENS.contains(&who) && !matches!(self.rule, Anybody) && !is_open_to_tokens(self.head) {
            return "not_for_tokens";
        }
        // whose only roles ask for confidentiality first is told so wherever nothing is hidden by it
        let lacks = if who == Who::Unbound { "confidentiality_required" } else { "forbidden" };
        let absent = if who == Who::Unbound { "confidentiality_required" } else { "not_found" };
        let done = match (&self.naming, row) {
            (Some(naming), Row::Naming(named)) => match naming.across {
                Some(right) if has(who, right, named) => self.done,
                _ => naming.code,
            },
            _ => self.done,
        };
        match self.rule {
            Anybody | SignedIn => done,
            Somewhere(right) if Place::ALL.iter().any(|place| has(who, right, *place)) => done,
            Everywhere(right) if everywhere(who, right) => done,
            Belonging(right) if everywhere(who, right) && has(who, right, place) => done,
            Belonging(right) if everywhere(who, right) => "not_found",
            Somewhere(_) | Everywhere(_) | Belonging(_) => lacks,
            In(right) if has(who, right, place) => done,
            In(_) if has(who, SeeBuilding, place) => "forbidden",
            In(_) => absent,
            Seen(_, right) if has(who, right, place) => done,
            Seen(see, _) if has(who, see, place) => "forbidden",
            Hidden(right) if has(who, right, place) => done,
            Seen(..) | Hidden(_) => "not_found",
            Form(right) if has(who, right, place) => done,
            Form(right) if Place::ALL.iter().any(|place| has(who, right, *place)) => "invalid",
            Form(_) => lacks,
            Only(those) if those.contains(&who) => done,
            Only(_) => "forbidden",
            Own(owner) if owner == who && place == Place::A => done,
            Own(_) => "not_found",
            Home(those) if those.contains(&who) && place == Place::A => done,
            Home(_) => "not_found",
            Shown(right, those) if has(who, right, place) || those.contains(&who) && place == Place::A => {
                done
            }
            Shown(..) => "not_found",
        }
    }
}

/// Whether the document lets other programs in.
pub fn is_open_to_tokens(head: &str) -> bool {
    let Some(operation) = documented(head) else { return false };
    let schemes = operation["security"].as_array().into_iter().flatten();
    schemes.into_iter().any(|scheme| scheme.get("token").is_some())
}

/// What the document says of an operation; nothing of a WebSocket.
pub fn documented(head: &str) -> Option<&'static serde_json::Value> {
    let (method, path) = head.split_once(' ')?;
    crate::world::operation(&method.parse().ok()?, path)
}

/// Where no other program is ever let in: what gives access, and what is somebody's own.
pub const FOR_PEOPLE: [&str; 11] = [
    "/api/v1/session",
    "/api/v1/roles",
    "/api/v1/tokens",
    "/api/v1/trunks",
    "/api/v1/phone-limits",
    "/api/v1/confidentiality",
    "/api/v1/me/",
    "/api/v1/setup",
    "/api/v1/invitations/",
    "/api/v1/guest/",
    "/api/v1/guests/",
];

/// Whether somebody has a right over what stands there.
pub fn has(who: Who, right: Right, place: Place) -> bool {
    let Some((role, only)) = who.role() else { return false };
    let there = match who {
        Who::Neighbour => place == Place::Other,
        _ => only.map_or(matches!(place, Place::A | Place::B), |only| only == place),
    };
    let given = !Who::TOKENS.contains(&who) || Right::OF_TOKENS.contains(&right);
    there && given && role.allows(right)
}

fn everywhere(who: Who, right: Right) -> bool {
    who.role().is_some_and(|(_, only)| only.is_none())
        && Place::ALL.iter().any(|place| has(who, right, *place))
}

/// Who has a role that asks for confidentiality.
const ASKED: &[Who] = &[Who::Auditor, Who::Admin, Who::Manager, Who::Neighbour, Who::Unbound];

/// Every operation, and the two WebSockets.
pub const OPERATIONS: &[Operation] = &[
    op("GET /healthz", Anybody),
    op("GET /readyz", Anybody),
    op("GET /metrics", Anybody),
    op("GET /api/openapi.json", Anybody),
    op("GET /api/v1/setup", Anybody),
    op("POST /api/v1/setup/claim", Anybody).done("already_claimed"),
    op("POST /api/v1/session", Anybody),
    op("POST /api/v1/invitations/look", Anybody),
    op("POST /api/v1/invitations/accept", Anybody),
    op("POST /api/v1/guest/look", Anybody),
    op("POST /api/v1/guest/open", Anybody),
    op("POST /api/v1/panel-pairings", Anybody),
    op("GET /api/v1/panel-pairings/{pairing}", Own(Who::Panel)),
    op("POST /api/v1/panel-pairings/{pairing}/ticket", Own(Who::Panel)).done("unknown_ticket"),
    op("GET /api/v1/panel/socket", Anybody),
    op("GET /api/v1/app/socket", SignedIn),
    op("GET /api/v1/session", SignedIn),
    op("DELETE /api/v1/session", SignedIn),
    op("GET /api/v1/me/devices", SignedIn),
    op("DELETE /api/v1/me/devices/{device}", Own(Who::Resident)),
    op("DELETE /api/v1/me/devices", SignedIn),
    op("GET /api/v1/me", SignedIn),
    op("PATCH /api/v1/me", SignedIn),
    op("GET /api/v1/me/data", SignedIn),
    op("GET /api/v1/me/bells", SignedIn),
    op("GET /api/v1/me/household", SignedIn),
    op("GET /api/v1/me/cards", SignedIn),
    op("GET /api/v1/me/readers", SignedIn),
    op("POST /api/v1/me/card-readings", Home(&[])),
    op("GET /api/v1/me/card-readings/{reading}", Own(Who::Resident)),
    op("DELETE /api/v1/me/card-readings/{reading}", Own(Who::Resident)),
    op("POST /api/v1/me/cards", Home(&[Who::Resident, Who::Owner])).done("decided_by_administrator"),
    op("PATCH /api/v1/me/cards/{card}", Home(&[Who::Resident, Who::Owner])),
    op("GET /api/v1/me/codes", SignedIn),
    op("GET /api/v1/me/phone-number", SignedIn),
    // without the password nothing begins
    op("PUT /api/v1/me/phone-number", SignedIn).done("invalid"),
    op("DELETE /api/v1/me/phone-number", SignedIn),
    op("DELETE /api/v1/me/phone-number/waiting", SignedIn),
    op("GET /api/v1/me/records", SignedIn),
    op("GET /api/v1/me/records/readings", SignedIn),
    op("POST /api/v1/me/codes/{building}", Home(&[Who::Resident, Who::Owner])),
    op("DELETE /api/v1/me/codes/{building}", Own(Who::Resident)),
    op("GET /api/v1/me/guests", SignedIn),
    op("POST /api/v1/me/guests", Home(&[Who::Resident, Who::Owner])),
    op("PATCH /api/v1/me/guests/{guest}", Own(Who::Resident)),
    op("DELETE /api/v1/me/guests/{guest}", Own(Who::Resident)),
    op("POST /api/v1/me/guests/{guest}/link", Own(Who::Resident)),
    // without a mail server as far as one comes
    op("POST /api/v1/me/guests/{guest}/mail", Own(Who::Resident)).done("no_mail"),
    op("GET /api/v1/buildings/{building}/guests", In(ChangePeople)),
    op("POST /api/v1/buildings/{building}/guests", In(ChangePeople)).naming("invalid"),
    op("PATCH /api/v1/guests/{guest}", Hidden(ChangePeople)),
    op("DELETE /api/v1/guests/{guest}", Hidden(ChangePeople)),
    op("POST /api/v1/guests/{guest}/link", Hidden(ChangePeople)),
    op("PATCH /api/v1/me/bells/{bell}", Home(&[Who::Resident, Who::Owner])),
    op("PUT /api/v1/me/bells/{bell}/picture", Home(&[Who::Resident, Who::Owner])),
    op("DELETE /api/v1/me/bells/{bell}/picture", Home(&[Who::Resident, Who::Owner])),
    op("POST /api/v1/me/household/{unit}/members", Home(&[Who::Owner])).done("decided_by_administrator"),
    op("DELETE /api/v1/me/household/{unit}/members/{person}", Home(&[Who::Owner]))
        .done("decided_by_administrator"),
    op("POST /api/v1/me/household/{unit}/members/{person}/invitation", Home(&[])),
    op("PUT /api/v1/me/household/{unit}/members/{person}/button", Home(&[Who::Owner])),
    op("PUT /api/v1/me/household/{unit}/owner", Home(&[Who::Owner])).done("no_password"),
    op("GET /api/v1/confidentiality", SignedIn),
    op("POST /api/v1/confidentiality", Only(ASKED)),
    op("GET /api/v1/roles", Somewhere(Roles)),
    op("GET /api/v1/roles/changes", Somewhere(Roles)),
    op("POST /api/v1/roles", In(Roles)).across("not_found", SeePeople),
    op("DELETE /api/v1/roles/{role}", Hidden(Roles)),
    op("GET /api/v1/tokens", Somewhere(Roles)),
    op("POST /api/v1/tokens", In(Roles)),
    op("DELETE /api/v1/tokens/{token}", Hidden(Roles)),
    op("GET /api/v1/audit", Somewhere(Audit)),
    op("GET /api/v1/audit.csv", Somewhere(Audit)),
    op("GET /api/v1/audit/proof", Everywhere(Audit)),
    op("GET /api/v1/webhooks", Somewhere(ChangeBuilding)),
    op("POST /api/v1/webhooks", In(ChangeBuilding)),
    op("PATCH /api/v1/webhooks/{webhook}", Hidden(ChangeBuilding)),
    op("DELETE /api/v1/webhooks/{webhook}", Hidden(ChangeBuilding)),
    op("POST /api/v1/webhooks/{webhook}/secret", Hidden(ChangeBuilding)),
    op("POST /api/v1/webhooks/{webhook}/test", Hidden(ChangeBuilding)),
    op("GET /api/v1/trunks", Everywhere(ChangeBuilding)),
    op("POST /api/v1/trunks", Everywhere(ChangeBuilding)),
    op("PUT /api/v1/trunks/{trunk}", Belonging(ChangeBuilding)),
    op("DELETE /api/v1/trunks/{trunk}", Belonging(ChangeBuilding)),
    op("POST /api/v1/trunks/order", Belonging(ChangeBuilding)),
    // over a trunk that stands nowhere there is no call
    op("POST /api/v1/trunks/{trunk}/test-call", Belonging(ChangeBuilding)).done("no_trunk"),
    op("GET /api/v1/trunks/{trunk}/test-call", Belonging(ChangeBuilding)).done("not_found"),
    op("DELETE /api/v1/trunks/{trunk}/test-call", Belonging(ChangeBuilding)),
    op("GET /api/v1/phone-limits", Everywhere(ChangeBuilding)),
    op("PUT /api/v1/phone-limits", Everywhere(ChangeBuilding)),
    op("GET /api/v1/phone-numbers", Somewhere(SeePeople)),
    op("GET /api/v1/people/{person}/phone-number", Hidden(SeePeople)),
    op("PUT /api/v1/people/{person}/phone-number", Seen(SeePeople, ChangePeople)),
    op("DELETE /api/v1/people/{person}/phone-number", Seen(SeePeople, ChangePeople)),
    op("GET /api/v1/people/{person}/sip-devices", Hidden(SeePeople)),
    op("POST /api/v1/people/{person}/sip-devices", Seen(SeePeople, ChangePeople)),
    op("DELETE /api/v1/people/{person}/sip-devices/{sip_device}", Seen(SeePeople, ChangePeople)),
    op("GET /api/v1/sip-accounts", Somewhere(SeeBuilding)),
    op("GET /api/v1/controller-pairing", Somewhere(Devices)),
    op("GET /api/v1/buildings", Somewhere(SeeBuilding)),
    op("POST /api/v1/buildings", Everywhere(ChangeBuilding)),
    op("GET /api/v1/buildings/{building}", In(SeeBuilding)),
    op("PATCH /api/v1/buildings/{building}", In(ChangeBuilding)),
    // without its name nothing is removed
    op("DELETE /api/v1/buildings/{building}", In(ChangeBuilding)).done("invalid"),
    op("GET /api/v1/entrances/{entrance}", Hidden(SeeBuilding)),
    op("PATCH /api/v1/entrances/{entrance}", Seen(SeeBuilding, ChangeBuilding)),
    op("DELETE /api/v1/entrances/{entrance}", Seen(SeeBuilding, ChangeBuilding)).done("in_use"),
    op("GET /api/v1/units/{unit}", Hidden(SeeBuilding)),
    op("PATCH /api/v1/units/{unit}", Seen(SeeBuilding, ChangeBuilding)),
    op("DELETE /api/v1/units/{unit}", Seen(SeeBuilding, ChangeBuilding)).done("in_use"),
    op("GET /api/v1/doors/{door}", Hidden(SeeBuilding)),
    op("PATCH /api/v1/doors/{door}", Seen(SeeBuilding, ChangeBuilding)),
    op("DELETE /api/v1/doors/{door}", Seen(SeeBuilding, ChangeBuilding)),
    op("GET /api/v1/buildings/{building}/alarms", In(SeeBuilding)),
    op("PUT /api/v1/buildings/{building}/alarm-mail", In(ChangeBuilding)),
    op("POST /api/v1/alarms/{alarm}/seen", Seen(SeeBuilding, Devices)),
    // the town is residential: there is nothing to switch on or to read
    op("GET /api/v1/buildings/{building}/records/policy", In(SeeBuilding)),
    op("PUT /api/v1/buildings/{building}/records/policy", In(ChangeBuilding)).done("not_commercial"),
    op("POST /api/v1/buildings/{building}/records/policy/confirm", In(ChangeBuilding)).done("conflict"),
    op("DELETE /api/v1/buildings/{building}/records/policy", In(ChangeBuilding)),
    op("GET /api/v1/buildings/{building}/records", In(ReadRecords)),
    op("GET /api/v1/buildings/{building}/records/readings", In(ReadRecords)),
    // nobody takes a file without saying what for
    op("GET /api/v1/buildings/{building}/records.csv", In(ReadRecords)).done("invalid"),
    op("GET /api/v1/doors/{door}/settings", Hidden(SeeBuilding)),
    op("PUT /api/v1/doors/{door}/settings", Seen(SeeBuilding, ChangeBuilding)),
    op("PUT /api/v1/doors/{door}/held", Seen(SeeBuilding, Devices)),
    // the panel of the form is a screen, and no door station opens the door
    op("GET /api/v1/doors/{door}/station-relay", Seen(SeeBuilding, Devices)),
    op("PUT /api/v1/doors/{door}/station-relay", Seen(SeeBuilding, Devices)).done("invalid"),
    op("DELETE /api/v1/doors/{door}/station-relay", Seen(SeeBuilding, Devices)).done("not_found"),
    // nobody says which station is meant
    op("GET /api/v1/doors/{door}/station-relay/certificate", Seen(SeeBuilding, Devices)).done("malformed"),
    op("GET /api/v1/buildings/{building}/lock-down", In(SeeBuilding)),
    op("PUT /api/v1/buildings/{building}/lock-down", In(ChangeBuilding)),
    op("GET /api/v1/panels/{panel}", Hidden(SeeBuilding)),
    op("PATCH /api/v1/panels/{panel}", Seen(SeeBuilding, Devices)),
    op("DELETE /api/v1/panels/{panel}", Seen(SeeBuilding, ChangeBuilding)),
    op("POST /api/v1/panels/{panel}/door-station", Seen(SeeBuilding, Devices)).done("paired"),
    op("PUT /api/v1/panels/{panel}/door-station", Seen(SeeBuilding, Devices)).done("not_found"),
    op("GET /api/v1/controllers/{controller}", Hidden(SeeBuilding)),
    op("PATCH /api/v1/controllers/{controller}", Seen(SeeBuilding, Devices)),
    op("DELETE /api/v1/controllers/{controller}", Seen(SeeBuilding, Devices)),
    op("GET /api/v1/tenants", Everywhere(Tenants)),
    op("POST /api/v1/tenants", Everywhere(Tenants)),
    op("PATCH /api/v1/tenants/{tenant}", Everywhere(Tenants)).done("not_found"),
    op("GET /api/v1/app-requirements", Anybody),
    op("PUT /api/v1/app-requirements", Everywhere(Tenants)),
    op("GET /api/v1/buildings/{building}/checklist", In(SeeBuilding)),
    op("GET /api/v1/buildings/{building}/policy", In(SeeBuilding)),
    op("PUT /api/v1/buildings/{building}/policy", In(ChangeBuilding)),
    op("GET /api/v1/buildings/{building}/entrances", In(SeeBuilding)),
    op("POST /api/v1/buildings/{building}/entrances", In(ChangeBuilding)),
    op("GET /api/v1/buildings/{building}/units", In(SeeBuilding)),
    op("POST /api/v1/buildings/{building}/units", In(ChangeBuilding)).naming("invalid"),
    op("GET /api/v1/buildings/{building}/doors", In(SeeBuilding)),
    op("POST /api/v1/buildings/{building}/doors", In(ChangeBuilding)),
    op("GET /api/v1/buildings/{building}/schedules", In(SeeBuilding)),
    op("POST /api/v1/buildings/{building}/schedules", In(ChangeBuilding)),
    op("PATCH /api/v1/schedules/{schedule}", Seen(SeeBuilding, ChangeBuilding)),
    op("DELETE /api/v1/schedules/{schedule}", Seen(SeeBuilding, ChangeBuilding)),
    op("GET /api/v1/schedules/{schedule}/week", Hidden(SeeBuilding)),
    op("GET /api/v1/buildings/{building}/rules", In(SeePeople)),
    op("POST /api/v1/buildings/{building}/rules", In(ChangeBuilding)).naming("invalid"),
    op("PATCH /api/v1/rules/{rule}", Seen(SeePeople, ChangeBuilding)),
    op("DELETE /api/v1/rules/{rule}", Seen(SeePeople, ChangeBuilding)),
    op("GET /api/v1/buildings/{building}/readers", In(ChangePeople)),
    op("POST /api/v1/buildings/{building}/card-readings", In(ChangePeople))
        .done("reader_offline")
        .naming("invalid"),
    op("GET /api/v1/card-readings/{reading}", Own(Who::Admin)),
    op("DELETE /api/v1/card-readings/{reading}", Own(Who::Admin)),
    op("GET /api/v1/buildings/{building}/people-groups", In(SeePeople)),
    op("POST /api/v1/buildings/{building}/people-groups", In(ChangeBuilding)),
    op("PATCH /api/v1/people-groups/{people_group}", Seen(SeePeople, ChangeBuilding)),
    op("DELETE /api/v1/people-groups/{people_group}", Seen(SeePeople, ChangeBuilding)),
    op("GET /api/v1/buildings/{building}/door-groups", In(SeeBuilding)),
    op("POST /api/v1/buildings/{building}/door-groups", In(ChangeBuilding)).naming("invalid"),
    op("PATCH /api/v1/door-groups/{door_group}", Seen(SeeBuilding, ChangeBuilding)),
    op("DELETE /api/v1/door-groups/{door_group}", Seen(SeeBuilding, ChangeBuilding)),
    op("GET /api/v1/buildings/{building}/cards", In(SeePeople)),
    op("POST /api/v1/buildings/{building}/cards", In(ChangePeople)).naming("invalid"),
    op("POST /api/v1/buildings/{building}/cards/import", In(ChangePeople)),
    op("PATCH /api/v1/cards/{card}", Seen(SeePeople, ChangePeople)),
    op("DELETE /api/v1/cards/{card}", Seen(SeePeople, ChangePeople)),
    op("GET /api/v1/people/{person}/cards", Hidden(SeePeople)),
    op("GET /api/v1/people/{person}/codes", Hidden(SeePeople)),
    op("DELETE /api/v1/people/{person}/codes/{building}", Hidden(ChangePeople)),
    op("POST /api/v1/buildings/{building}/why", In(SeePeople)).naming("invalid"),
    op("GET /api/v1/buildings/{building}/panels", In(SeeBuilding)),
    op("POST /api/v1/buildings/{building}/door-stations", In(Devices)).naming("invalid"),
    op("POST /api/v1/buildings/{building}/panels", In(Devices)).done("unknown_code").naming("invalid"),
    op("GET /api/v1/buildings/{building}/controllers", In(SeeBuilding)),
    op("POST /api/v1/buildings/{building}/controllers", In(Devices)).done("unknown_code").naming("invalid"),
    op("GET /api/v1/buildings/{building}/bells", In(SeePeople)),
    op("GET /api/v1/buildings/{building}/who", In(SeePeople)),
    op("GET /api/v1/buildings/{building}/who/counts", In(SeePeople)),
    op("GET /api/v1/buildings/{building}/keys", In(SeePeople)),
    op("GET /api/v1/buildings/{building}/ghosts", In(SeePeople)),
    op("POST /api/v1/buildings/{building}/bells", In(ChangeBuilding)).naming("invalid"),
    op("PUT /api/v1/buildings/{building}/bells", In(ChangeBuilding)).naming("not_found"),
    op("DELETE /api/v1/bells/{bell}", Hidden(ChangeBuilding)),
    op("PATCH /api/v1/bells/{bell}", Seen(SeePeople, ChangeBuilding)),
    op("POST /api/v1/bells/{bell}/moderation", Seen(SeePeople, ChangeBuilding)),
    op("PUT /api/v1/bells/{bell}/picture", Seen(SeePeople, ChangeBuilding)),
    op("GET /api/v1/pictures/{picture}", Shown(SeePeople, &[Who::Resident, Who::Owner])),
    op("GET /api/v1/panels/{panel}/directory", Hidden(SeePeople)),
    op("POST /api/v1/buildings/{building}/imports", In(ChangePeople)),
    op("GET /api/v1/imports/{import}", Hidden(ChangePeople)),
    op("PATCH /api/v1/imports/{import}", Hidden(ChangePeople)),
    op("DELETE /api/v1/imports/{import}", Hidden(ChangePeople)),
    op("POST /api/v1/imports/{import}/apply", Hidden(ChangePeople)),
    op("POST /api/v1/imports/{import}/undo", Hidden(ChangePeople)).done("import_not_applied"),
    op("GET /api/v1/imports/{import}/errors.csv", Hidden(ChangePeople)),
    op("GET /api/v1/imports/{import}/progress", Hidden(ChangePeople)),
    op("GET /api/v1/people", Somewhere(SeePeople)),
    op("GET /api/v1/people.csv", Somewhere(SeePeople)),
    op("POST /api/v1/people", Form(ChangePeople)),
    op("GET /api/v1/people/{person}", Hidden(SeePeople)),
    op("GET /api/v1/people/{person}/doors", Hidden(SeePeople)),
    op("GET /api/v1/people/{person}/app", Hidden(SeePeople)),
    op("GET /api/v1/doors/{door}/who", Hidden(SeePeople)),
    op("PATCH /api/v1/people/{person}", Seen(SeePeople, ChangePeople)),
    op("DELETE /api/v1/people/{person}", Seen(SeePeople, ChangePeople)).done("still_here"),
    op("DELETE /api/v1/people/{person}/sessions", Seen(SeePeople, ChangePeople)),
    op("PUT /api/v1/people/{person}/suspension", Seen(SeePeople, ChangePeople)),
    op("DELETE /api/v1/people/{person}/suspension", Seen(SeePeople, ChangePeople)),
    op("POST /api/v1/people/{person}/homes", Seen(SeePeople, ChangePeople)).across("invalid", ChangePeople),
    op("DELETE /api/v1/people/{person}/homes/{unit}", Hidden(ChangePeople)),
    op("GET /api/v1/people/{person}/invitation", Hidden(SeePeople)),
    op("POST /api/v1/people/{person}/invitation", Seen(SeePeople, ChangePeople)),
    op("DELETE /api/v1/people/{person}/invitation", Hidden(ChangePeople)),
    op("GET /api/v1/moves", In(SeePeople)),
    op("GET /api/v1/moves/{move}", Hidden(SeePeople)),
    op("DELETE /api/v1/moves/{move}", Seen(SeePeople, ChangePeople)),
    op("GET /api/v1/units/{unit}/move-out", Hidden(SeePeople)),
    op("POST /api/v1/units/{unit}/moves", Seen(SeePeople, ChangePeople)).naming("invalid"),
];
