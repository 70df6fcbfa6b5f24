//! Ids are unique by chance only. Here a second property manager has the same ids for other things, and nothing of ours
//! may change by that: the test that notices a single forgotten tenant predicate.

use crate::alarms::{journal, raised};
use crate::database::{Db, on_both};
use crate::records;
use crate::town::{NOW, Town, hash, label, stamp, two_towns};
use klinke_access::decide::SiteMode;
use klinke_model::alarm::AlarmKind;
use klinke_model::door::{Controller, Door};
use klinke_model::intercom::{BellKind, Panel};
use klinke_model::people::{Device, Membership, Person, Role, RoleGrant};
use klinke_model::phone::PhoneLimits;
use klinke_model::policy::BuildingPolicy;
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::rule::Who;
use klinke_model::scope::{Principal, Scope};
use klinke_model::site::{Building, Entrance, Unit};
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use klinke_model::timetable::{Hours, HoursAre, Timetable, WallClock};
use klinke_storage::record::{
    ApiToken, AuditEntry, AuditPage, AuditProof, AuditQuery, BuildingCounts, ButtonsOrder, ButtonsPage,
    ButtonsQuery, Ghost, GivenRole, HomeState, HomesPage, HomesQuery, KeptSettings, KeysPage, Move,
    MovePreview, MoveState, MovesPage, MovesQuery, NamedRule, NewApiToken, NewDevice, NewMove, OpenablePage,
    OpenersPage, PanelDirectory, Part, PeopleOrder, PeoplePage, PeopleQuery, PersonRow, PolicySet, RingFacts,
    RoleChange, RuleMade, SeenBy, StoredFacts, UnitDoors, UnitMember, UnitsPage, UnitsQuery, Webhook,
    WebhookChange,
};
use klinke_storage::record::{BellChange, BellChanged, Household, MyBell, NewPicture, PictureSet};
use klinke_storage::record::{Guest, GuestHome, GuestMade, GuestsOf, GuestsPage};
use klinke_storage::record::{LimitsSet, NumberOf, Trunk, TrunkAdded, TrunkOrdered};

/// An alarm that our controller tells of, or theirs of the same id.
async fn make_alarm(db: &Db, ours: &Town, tenant: klinke_model::ids::TenantId) {
    let (alarms, news) = (db.store.alarms(), [raised(1, AlarmKind::Mains, None)]);
    let itself = Scope { tenant, ..ours.as_controller(ours.controller) };
    let taken = alarms.take_news(&itself, &stamp(1), ours.controller, journal(1), &news).await.unwrap();
    assert_eq!(taken.unwrap().new, 1);
    let wanted = Scope::system(tenant);
    assert!(alarms.set_alarm_mail(&wanted, &stamp(1), ours.house, tenant == ours.tenant).await.unwrap());
}

/// A house that became commercial and keeps records, one of them, and that somebody read it; with the ids of ours.
async fn make_records(db: &Db, ours: &Town, tenant: klinke_model::ids::TenantId) {
    let town = Town { tenant, ..*ours };
    let site = records::commercial_that_keeps(&db.store, &town, town.house).await;
    let record = records::opened(&site, town.front, town.kari, NOW);
    let kept = db.store.records().keep_record(&town.system(), &stamp(1), ours.fresh(96), record).await;
    assert!(kept.unwrap());
    let reading = klinke_storage::record::NewReading { id: ours.fresh(97), file: None };
    let admin = town.as_person(town.admin);
    let (store, stamp) = (db.store.records(), stamp(1));
    let query = klinke_storage::record::RecordsQuery::default();
    let read = store.read_records(&admin, &stamp, town.house, query, reading, 9).await;
    assert_eq!(read.unwrap().unwrap().records.len(), 1);
}

/// All that one principal can read of ours.
#[derive(Debug, PartialEq)]
struct View {
    buildings: Vec<Building>,
    building: Option<Building>,
    entrances: Vec<Entrance>,
    units: Vec<Unit>,
    persons: Vec<Option<Person>>,
    roles: Vec<Vec<RoleGrant>>,
    page: PeoplePage,
    found: PeoplePage,
    rows: Vec<Option<PersonRow>>,
    moves: MovesPage,
    moved: MovesPage,
    by_home: PeoplePage,
    units_page: UnitsPage,
    counted_entrances: Vec<(Entrance, u64)>,
    counts: Option<BuildingCounts>,
    one_move: Option<Move>,
    preview_move: Option<MovePreview>,
    given_roles: Vec<GivenRole>,
    tokens: Vec<ApiToken>,
    role_changes: Vec<RoleChange>,
    bound: Vec<bool>,
    unit_members: Vec<UnitMember>,
    devices: Vec<Vec<Device>>,
    panels: Vec<Panel>,
    panel: Option<Panel>,
    bells: Vec<klinke_model::intercom::Bell>,
    buttons: Vec<ButtonsPage>,
    button: Option<(klinke_model::ids::BuildingId, klinke_storage::record::Button)>,
    unlisted: Vec<klinke_storage::record::Unlisted>,
    directory: Option<PanelDirectory>,
    picture: Option<Vec<u8>>,
    ring_facts: Option<RingFacts>,
    doors: Vec<Door>,
    door: Option<Door>,
    controllers: Vec<Controller>,
    doors_of_controller: Option<(u64, Vec<Door>)>,
    controller_rights: Option<klinke_storage::record::ControllerRights>,
    openable: Vec<Vec<(Door, Label)>>,
    facts: Vec<Option<StoredFacts>>,
    schedules: Vec<Part<klinke_model::rule::NamedSchedule>>,
    schedule: Option<Part<klinke_model::rule::NamedSchedule>>,
    people_groups: Vec<Part<klinke_storage::record::NamedGroup>>,
    people_group: Option<Part<klinke_storage::record::NamedGroup>>,
    door_groups: Vec<Part<klinke_model::rule::DoorGroup>>,
    door_group: Option<Part<klinke_model::rule::DoorGroup>>,
    through: Vec<klinke_storage::record::RuleThrough>,
    rules: Vec<Part<NamedRule>>,
    rule: Option<Part<NamedRule>>,
    cards: klinke_storage::record::CardsPage,
    cards_of: Vec<Part<klinke_storage::record::CardRow>>,
    card: Option<Part<klinke_storage::record::CardRow>>,
    card_by_key: Option<Part<klinke_storage::record::CardRow>>,
    my_cards: Vec<klinke_storage::record::HeldCard>,
    card_house: Option<Vec<klinke_model::ids::PersonId>>,
    audit_entries: Vec<AuditEntry>,
    audit: Option<AuditProof>,
    audit_page: AuditPage,
    policy: Option<(u64, BuildingPolicy)>,
    homes_page: HomesPage,
    home_counts: Vec<(HomeState, u64)>,
    openers: Vec<Option<OpenersPage>>,
    doors_of: Vec<OpenablePage>,
    seen_by: Vec<SeenBy>,
    keys: KeysPage,
    ghosts: Vec<Ghost>,
    webhooks: Vec<Webhook>,
    alarms: klinke_storage::record::AlarmsPage,
    record_house: Option<klinke_storage::record::RecordHouse>,
    my_records: klinke_storage::record::RecordsPage,
    kept_of_me: Vec<klinke_storage::record::KeptOfMe>,
    readings: [klinke_storage::record::ReadingsPage; 2],
    who_uses: Vec<klinke_model::privacy::UsedBy>,
    webhook: Option<Webhook>,
    trunks: Vec<Trunk>,
    trunk: Option<Trunk>,
    phone_limits: Option<(u64, PhoneLimits)>,
    number: Option<NumberOf>,
    sip_devices: Vec<klinke_storage::record::SipDevice>,
    panels_seen: Vec<klinke_storage::record::SeenPanel>,
    panel_seen: Option<klinke_storage::record::SeenPanel>,
    bell_of_any_number: Option<klinke_model::ids::BellId>,
    sip_accounts: Vec<klinke_storage::record::SipAccount>,
    phones: Vec<klinke_storage::record::PhonesOfBuilding>,
    station_relays: Vec<(klinke_model::ids::DoorId, klinke_model::ids::PanelId)>,
    station_relay: Option<klinke_storage::record::StationRelay>,
    station_of: Option<klinke_model::ids::PanelId>,
    count_station_relays: u64,
    relays_of_station: Vec<klinke_storage::record::StationRelay>,
    places: Vec<(klinke_model::text::Label, klinke_model::contact::Language)>,
    my_bells: Vec<MyBell>,
    homes: Vec<Household>,
    guests: GuestsPage,
    my_guests: Vec<Guest>,
    guest: [Option<Guest>; 3],
    guest_homes: Vec<GuestHome>,
    by_code: [Option<klinke_storage::record::CodeHolder>; 3],
    once_at_doors: Vec<(klinke_model::ids::GuestId, u64)>,
    my_codes: Vec<klinke_storage::record::MyCode>,
    codes_of: Vec<klinke_storage::record::HeldCode>,
    wrong_codes: Option<u32>,
    parts: Parts,
}

/// What one would change.
#[derive(Debug, PartialEq)]
struct Parts {
    building: Option<Part<Building>>,
    entrance: Option<Part<Entrance>>,
    unit: Option<Part<UnitDoors>>,
    door: Option<Part<Door>>,
    settings: Option<Part<KeptSettings>>,
    mode: Option<SiteMode>,
    panel: Option<Part<Panel>>,
    controller: Option<Part<Controller>>,
}

impl Parts {
    async fn of(db: &Db, ours: &Town, scope: &Scope) -> Self {
        let parts = db.store.parts();
        Self {
            building: parts.building_part(scope, ours.house).await.unwrap(),
            entrance: parts.entrance_part(scope, ours.entrance).await.unwrap(),
            unit: parts.unit_part(scope, ours.unit).await.unwrap(),
            door: parts.door_part(scope, ours.front).await.unwrap(),
            settings: parts.door_settings(scope, ours.front).await.unwrap(),
            mode: db.store.sites().site_mode(scope, ours.house).await.unwrap(),
            panel: parts.panel_part(scope, ours.panel).await.unwrap(),
            controller: parts.controller_part(scope, ours.controller).await.unwrap(),
        }
    }
}

impl View {
    async fn of(db: &Db, ours: &Town, scope: &Scope) -> Self {
        let (sites, people, devices) = (db.store.sites(), db.store.people(), db.store.devices());
        let (intercom, doors, who) = (db.store.intercom(), db.store.doors(), db.store.who());
        let moves = |state| MovesQuery { state, limit: 50, ..MovesQuery::default() };
        let by_home = PeopleQuery {
            building: Some(ours.house),
            order: PeopleOrder::Home,
            limit: 50,
            ..PeopleQuery::default()
        };
        let units = UnitsQuery { limit: 50, ..UnitsQuery::default() };
        let mut view = Self {
            buildings: sites.buildings(scope).await.unwrap(),
            building: sites.building(scope, ours.house).await.unwrap(),
            entrances: sites.entrances(scope, ours.house).await.unwrap(),
            units: sites.units(scope, ours.house).await.unwrap(),
            persons: vec![],
            roles: vec![],
            page: people.page(scope, &PeopleQuery { limit: 50, ..PeopleQuery::default() }).await.unwrap(),
            found: people
                .page(
                    scope,
                    &PeopleQuery { limit: 50, text: "10 haugen".to_owned(), ..PeopleQuery::default() },
                )
                .await
                .unwrap(),
            rows: vec![],
            moves: db.store.moves().moves(scope, ours.house, &moves(MoveState::Scheduled)).await.unwrap(),
            moved: db.store.moves().moves(scope, ours.house, &moves(MoveState::Done)).await.unwrap(),
            by_home: people.page(scope, &by_home).await.unwrap(),
            units_page: sites.units_page(scope, ours.house, &units).await.unwrap(),
            counted_entrances: sites.counted_entrances(scope, ours.house).await.unwrap(),
            counts: sites.counts(scope, ours.house).await.unwrap(),
            one_move: db.store.moves().one_move(scope, ours.fresh(70)).await.unwrap(),
            preview_move: db.store.moves().preview_move(scope, ours.unit).await.unwrap(),
            given_roles: people.given_roles(scope).await.unwrap(),
            tokens: db.store.tokens().tokens(scope).await.unwrap(),
            role_changes: people.role_changes(scope, Timestamp::from_millis(0)).await.unwrap(),
            bound: vec![],
            unit_members: people.unit_members(scope, ours.house).await.unwrap(),
            devices: vec![],
            panels: intercom.panels(scope, ours.house).await.unwrap(),
            panel: intercom.panel(scope, ours.panel).await.unwrap(),
            bells: intercom.bells(scope, ours.house).await.unwrap(),
            buttons: vec![],
            button: intercom.button(scope, ours.family).await.unwrap(),
            unlisted: intercom.unlisted(scope, ours.lone).await.unwrap(),
            directory: intercom.directory(scope, ours.panel).await.unwrap(),
            picture: intercom.picture(scope, ours.fresh(65)).await.unwrap(),
            ring_facts: intercom.ring_facts(scope, ours.family).await.unwrap(),
            doors: doors.doors(scope, ours.house).await.unwrap(),
            door: doors.door(scope, ours.front).await.unwrap(),
            controllers: doors.controllers(scope, ours.house).await.unwrap(),
            doors_of_controller: doors.doors_of_controller(scope, ours.controller).await.unwrap(),
            controller_rights: {
                let itself = Scope { principal: Principal::Controller(ours.controller), ..*scope };
                doors.controller_rights(&itself, ours.controller).await.unwrap()
            },
            openable: vec![],
            facts: vec![],
            schedules: db.store.rules().schedules(scope, ours.house).await.unwrap(),
            schedule: db.store.rules().schedule(scope, ours.fresh(66)).await.unwrap(),
            guests: db.store.guests().guests(scope, ours.house, None, 50).await.unwrap(),
            my_guests: db.store.guests().my_guests(scope).await.unwrap(),
            guest: [
                db.store.guests().guest(scope, GuestsOf::House, ours.fresh(75)).await.unwrap(),
                db.store.guests().guest(scope, GuestsOf::Oneself, ours.fresh(76)).await.unwrap(),
                db.store.guests().guest_facts(scope, ours.fresh(76)).await.unwrap(),
            ],
            guest_homes: db.store.guests().guest_homes(scope).await.unwrap(),
            by_code: {
                let (codes, own) = (db.store.own_codes(), &crate::own_codes::choices(76).short[0]);
                [
                    codes.code_holder(scope, crate::guests::codes(76).short[0].hash).await.unwrap(),
                    codes.code_holder(scope, own.hash).await.unwrap(),
                    codes.code_holder(scope, own.duress).await.unwrap(),
                ]
            },
            once_at_doors: db.store.guests().once_at_doors(scope).await.unwrap(),
            my_codes: db.store.own_codes().my_codes(scope).await.unwrap(),
            codes_of: db.store.own_codes().codes_of(scope, ours.kari).await.unwrap(),
            wrong_codes: db.store.guests().wrong_codes(scope).await.unwrap(),
            people_groups: db.store.rules().people_groups(scope, ours.house).await.unwrap(),
            people_group: db.store.rules().people_group(scope, ours.fresh(58)).await.unwrap(),
            door_groups: db.store.rules().door_groups(scope, ours.house).await.unwrap(),
            door_group: db.store.rules().door_group(scope, ours.fresh(59)).await.unwrap(),
            through: db.store.rules().through(scope, ours.lone, ours.garage).await.unwrap(),
            rules: db.store.rules().rules(scope, ours.house).await.unwrap(),
            rule: db.store.rules().rule(scope, ours.fresh(67)).await.unwrap(),
            cards: db
                .store
                .cards()
                .cards(
                    scope,
                    ours.house,
                    &klinke_storage::record::CardsQuery {
                        limit: 50,
                        text: "10".to_owned(),
                        ..Default::default()
                    },
                )
                .await
                .unwrap(),
            cards_of: db.store.cards().cards_of(scope, ours.lone).await.unwrap(),
            card: db.store.cards().card(scope, ours.fresh(68)).await.unwrap(),
            card_by_key: db
                .store
                .cards()
                .card_by_key(scope, ours.house, &crate::cards::new_card(ours, 68, ours.lone).key)
                .await
                .unwrap(),
            my_cards: db.store.cards().my_cards(scope).await.unwrap(),
            card_house: db
                .store
                .cards()
                .card_house(scope, ours.house)
                .await
                .unwrap()
                .map(|house| house.cards.into_values().collect()),
            audit_entries: db
                .store
                .audit()
                .audit_entries(scope, AuditQuery { limit: 200, ..AuditQuery::default() })
                .await
                .unwrap(),
            policy: sites.policy(scope, ours.house).await.unwrap(),
            webhooks: db.store.webhooks().webhooks(scope).await.unwrap(),
            alarms: db.store.alarms().alarms_page(scope, ours.house, None, 9).await.unwrap(),
            record_house: db.store.records().record_house(&scope.at(NOW), ours.house).await.unwrap(),
            my_records: db.store.records().my_records(scope, None, 9).await.unwrap(),
            kept_of_me: db.store.records().kept_of_me(scope).await.unwrap(),
            readings: [
                db.store.records().readings(&scope.at(NOW), ours.house, None, 9).await.unwrap(),
                db.store.records().my_readings(scope, None, 9).await.unwrap(),
            ],
            who_uses: db.store.records().who_uses(scope, ours.controller).await.unwrap(),
            webhook: db.store.webhooks().webhook(scope, ours.fresh(60)).await.unwrap(),
            trunks: db.store.trunks().trunks(scope).await.unwrap(),
            trunk: db.store.trunks().trunk(scope, ours.fresh(61)).await.unwrap(),
            phone_limits: db.store.trunks().phone_limits(scope).await.unwrap(),
            number: db.store.phone_numbers().number(scope, ours.kari).await.unwrap(),
            sip_devices: db.store.sip_accounts().sip_devices(scope, ours.kari).await.unwrap(),
            panels_seen: intercom.panels_seen(scope, ours.house).await.unwrap(),
            bell_of_any_number: db.store.sip_accounts().bell_of_any_number(scope).await.unwrap(),
            panel_seen: intercom.panel_seen(scope, ours.panel).await.unwrap(),
            sip_accounts: db.store.sip_accounts().sip_accounts(scope, None, 50).await.unwrap(),
            phones: db.store.phone_numbers().phones_of_buildings(scope, None, 50).await.unwrap(),
            station_relays: db.store.doors().station_relays(scope, ours.house).await.unwrap(),
            station_relay: db.store.doors().station_relay(scope, ours.fresh(95)).await.unwrap(),
            station_of: db.store.doors().station_of(scope, ours.fresh(95)).await.unwrap(),
            count_station_relays: db.store.doors().count_station_relays(scope, ours.house).await.unwrap(),
            relays_of_station: db.store.doors().relays_of_station(scope, ours.panel).await.unwrap(),
            places: db.store.phone_numbers().places(scope).await.unwrap(),
            parts: Parts::of(db, ours, scope).await,
            audit: db.store.audit().verify_audit(scope).await.unwrap(),
            audit_page: db
                .store
                .audit()
                .audit_page(scope, AuditQuery { limit: 200, ..AuditQuery::default() })
                .await
                .unwrap(),
            my_bells: db.store.households().my_bells(scope).await.unwrap(),
            homes: db.store.households().mine(scope).await.unwrap(),
            homes_page: who
                .homes(
                    scope,
                    ours.house,
                    &HomesQuery { limit: 50, text: "haugen".to_owned(), ..HomesQuery::default() },
                )
                .await
                .unwrap(),
            home_counts: who.home_counts(scope, ours.house).await.unwrap(),
            openers: vec![],
            doors_of: vec![],
            seen_by: vec![],
            keys: who.keys(scope, ours.house, None, 50).await.unwrap(),
            ghosts: who.ghosts(scope, ours.house).await.unwrap(),
        };
        for door in [ours.front, ours.garage] {
            view.openers.push(who.openers(scope, door, None, 50).await.unwrap());
        }
        for order in [ButtonsOrder::Place, ButtonsOrder::Label, ButtonsOrder::Unit] {
            let query = ButtonsQuery { order, limit: 50, ..ButtonsQuery::default() };
            view.buttons.push(intercom.buttons(scope, ours.house, &query).await.unwrap());
        }
        for person in [ours.kari, ours.ola, ours.lone, ours.gone, ours.manager, ours.admin] {
            view.persons.push(people.person(scope, person).await.unwrap());
            view.rows.push(people.row(scope, person).await.unwrap());
            view.bound.push(people.is_bound(scope, person).await.unwrap());
            view.roles.push(people.roles(scope, person).await.unwrap());
            view.devices.push(devices.list(scope, person).await.unwrap());
            view.seen_by.push(db.store.households().seen_by(scope, person).await.unwrap());
            view.doors_of.push(who.doors_of(scope, person, None, 50).await.unwrap());
            view.openable.push(doors.openable(scope, person).await.unwrap());
            for door in [ours.front, ours.garage] {
                view.facts.push(doors.facts(scope, person, door).await.unwrap());
            }
        }
        view
    }
}

/// A rule with hours, of the same ids for everybody.
async fn make_rule(db: &Db, ours: &Town, scope: &Scope, person: klinke_model::ids::PersonId) {
    let hours = crate::rules::office_hours(ours, 66);
    assert!(db.store.rules().insert_schedule(scope, &stamp(1), hours.clone()).await.unwrap());
    let rule = crate::rules::rule(ours, 67, person, ours.garage);
    let people = crate::groups::cleaners(ours, 58, &[person]);
    assert_eq!(
        db.store.rules().insert_people_group(scope, &stamp(1), people.clone()).await.unwrap(),
        RuleMade::Done
    );
    let some = crate::groups::cellars(ours, 59, &[ours.garage]);
    assert_eq!(
        db.store.rules().insert_door_group(scope, &stamp(1), some.clone()).await.unwrap(),
        RuleMade::Done
    );
    let who = vec![Who::Person(person), Who::Unit(ours.neighbour_unit), Who::Group(people.id)];
    let doors = vec![klinke_model::rule::Which::Group(some.id)];
    let rule = klinke_model::rule::AccessRule { schedule: Some(hours.id), who, doors, ..rule };
    assert_eq!(db.store.rules().insert_rule(scope, &stamp(1), rule).await.unwrap(), RuleMade::Done);
}

/// A card of the same id for everybody.
async fn make_card(db: &Db, ours: &Town, scope: &Scope, person: klinke_model::ids::PersonId) {
    let new = crate::cards::new_card(ours, 68, person);
    let made = db.store.cards().insert_card(scope, &stamp(1), ours.house, new).await.unwrap();
    assert!(matches!(made, klinke_storage::record::CardMade::Done(_)), "{made:?}");
}

/// A guest of the administration and one of Kari's, and a code of her own, of the same ids for everybody.
async fn make_guests(db: &Db, ours: &Town, system: &Scope, kari: &Scope) {
    for (scope, number, unit) in [(system, 75, None), (kari, 76, Some(ours.unit)), (system, 77, None)] {
        let new = crate::guests::guest(ours, number, unit);
        let made = db.store.guests().insert_guest(scope, &stamp(1), new).await.unwrap();
        assert!(matches!(made, GuestMade::Done(_)), "{made:?}");
    }
    let choices = crate::own_codes::choices(76);
    let made = db.store.own_codes().renew_my_code(kari, ours.house, choices).await.unwrap();
    assert!(matches!(made, klinke_storage::record::MyCodeMade::Done(_)), "{made:?}");
}

/// A trunk of the same id, limits, and a number of Kari's.
async fn make_phones(db: &Db, ours: &Town, system: &Scope, calls: u16) {
    let added = db.store.trunks().add_trunk(system, &stamp(1), crate::phones::trunk(ours.fresh(61))).await;
    assert_eq!(added.unwrap(), TrunkAdded::Done);
    let limits = PhoneLimits { tenant_day: calls, ..PhoneLimits::default() };
    let set = db.store.trunks().set_phone_limits(system, &stamp(1), 0, limits).await.unwrap();
    assert_eq!(set, LimitsSet::Done(1));
    let number = crate::phones::number(calls.into());
    assert!(db.store.phone_numbers().vouch_number(system, &stamp(1), ours.kari, number).await.unwrap());
}

/// A SIP device of Kari's and a door station, of the same ids for everybody; their names can not be the same.
async fn make_stations(db: &Db, ours: &Town, system: &Scope, panel: klinke_model::ids::PanelId) {
    use klinke_storage::record::{NewSipAccount, SipAdded};
    let named = |account: NewSipAccount| NewSipAccount {
        name: format!("{}{}", account.name, system.tenant),
        ..account
    };
    let (device, account) = crate::sip_accounts::desk_phone(ours, 62, ours.kari);
    let accounts = db.store.sip_accounts();
    let added = accounts.add_sip_device(system, &stamp(1), device, named(account)).await.unwrap();
    assert_eq!(added, SipAdded::Done);
    let account = named(crate::sip_accounts::account(ours, 63));
    assert_eq!(accounts.set_sip_panel(system, &stamp(1), panel, account).await.unwrap(), SipAdded::Done);
    let any = accounts.set_any_number(system, &stamp(1), panel, Some(ours.family)).await.unwrap();
    assert_eq!(any, klinke_storage::record::AnyNumberSet::Done);
    // a door that it opens, told in a way of its own
    let (doors, door) = (db.store.doors(), ours.fresh(95));
    assert!(
        doors
            .insert_door(system, &stamp(1), crate::station_relays::undriven(ours, door), false)
            .await
            .unwrap()
    );
    let keys = if system.tenant == ours.tenant { "1*" } else { "2#" };
    let relay =
        klinke_storage::record::StationRelay { panel, ..crate::station_relays::by_keys(ours, door, keys) };
    let set = doors.set_station_relay(system, &stamp(1), relay).await.unwrap();
    assert_eq!(set, klinke_storage::record::RelaySet::Done);
}

fn picture(ours: &Town, content: &str) -> NewPicture {
    NewPicture { id: ours.fresh(65), content: Pii::new(content.as_bytes().to_vec()) }
}

/// Another property manager's house with our ids, where everything is the other way round. Panels, tokens and
/// certificates can not be the same: the gate knows each once.
async fn build_twin(db: &Db, ours: &Town, theirs: &Scope) {
    let (sites, people, devices) = (db.store.sites(), db.store.people(), db.store.devices());
    let (intercom, doors) = (db.store.intercom(), db.store.doors());
    let house = Building { name: label("Twin"), ..ours.the_house() };
    assert!(sites.insert_building(theirs, &stamp(1), house).await.unwrap());
    assert!(sites.set_mode(theirs, &stamp(1), ours.house, SiteMode::LockedDown).await.unwrap());
    let entrance = Entrance { id: ours.entrance, building: ours.house, name: label("Twin") };
    assert!(sites.insert_entrance(theirs, &stamp(1), entrance).await.unwrap());
    for id in [ours.unit, ours.neighbour_unit] {
        let unit = Unit { id, building: ours.house, entrance: ours.entrance, number: label("Twin") };
        assert!(sites.insert_units(theirs, &stamp(1), unit.building, &[unit], &[]).await.unwrap());
    }
    let webhook = crate::webhooks::new_webhook(ours.fresh(60), Some(ours.house));
    assert!(db.store.webhooks().add_webhook(theirs, &stamp(1), webhook).await.unwrap());
    let controller = Controller { id: ours.controller, building: ours.house, name: label("Twin") };
    assert!(doors.pair_controller(theirs, &stamp(1), controller, hash(77), &[]).await.unwrap());
    let twin = |door: Door| Door { name: label("Twin"), output: door.output + 7, ..door };
    make_alarm(db, ours, theirs.tenant).await;
    assert!(doors.insert_door(theirs, &stamp(1), twin(ours.the_front()), false).await.unwrap());
    assert!(doors.insert_door(theirs, &stamp(1), twin(ours.the_garage()), false).await.unwrap());
    let panel =
        Panel { id: ours.fresh(90), name: label("Twin"), doors: vec![ours.front], ..ours.the_panel() };
    assert!(intercom.pair_panel(theirs, &stamp(1), panel.clone(), None).await.unwrap());
    let everybody = [
        ours.kari,
        ours.ola,
        ours.lone,
        ours.gone,
        ours.manager,
        ours.admin,
        ours.office_admin,
        ours.unbound,
        ours.expired,
    ];
    for (number, person) in (80..).zip(everybody) {
        assert!(people.insert_person(theirs, ours.person(person, "Twin")).await.unwrap());
        let of_the_house = ours.role(person, Role::BuildingAdministrator, Some(ours.house));
        assert!(people.grant_role(theirs, &stamp(1), of_the_house).await.unwrap());
        assert!(people.grant_role(theirs, &stamp(1), ours.role(person, Role::Manager, None)).await.unwrap());
        assert!(people.accept_confidentiality(theirs, &stamp(1), person).await.unwrap());
        let new = NewDevice { token_hash: hash(number), ..ours.new_device(person, number) };
        assert!(devices.sign_in(theirs, new).await.unwrap());
        for unit in [ours.unit, ours.neighbour_unit] {
            let place = Membership { person, unit, owner: false };
            assert!(people.add_membership(theirs, place).await.unwrap());
        }
    }
    for unit in [ours.unit, ours.neighbour_unit] {
        assert!(doors.give_unit_door(theirs, unit, ours.front).await.unwrap());
        assert!(doors.give_unit_door(theirs, unit, ours.garage).await.unwrap());
    }
    make_rule(db, ours, theirs, ours.kari).await;
    make_card(db, ours, theirs, ours.kari).await;
    make_records(db, ours, theirs.tenant).await;
    let members = everybody.map(|person| ours.member(person, "Twin")).to_vec();
    let mut bell = ours.bell(ours.family, "Twin", BellKind::Family, members);
    bell.panel = panel.id;
    assert!(intercom.insert_bell(theirs, &stamp(1), bell, Some(0)).await.unwrap());
    let policy = BuildingPolicy { pictures: true, own_codes: true, ..BuildingPolicy::default() };
    let set = sites.set_policy(theirs, &stamp(1), ours.house, 0, policy).await.unwrap();
    assert_eq!(set, PolicySet::Done(1));
    let put = intercom.put_picture(theirs, &stamp(1), ours.family, picture(ours, "twin")).await.unwrap();
    assert_eq!(put, PictureSet::Done(ours.house));
    let their_kari = Scope { tenant: theirs.tenant, ..ours.as_person(ours.kari) };
    make_guests(db, ours, theirs, &their_kari).await;
    make_phones(db, ours, theirs, 50).await;
    make_stations(db, ours, theirs, panel.id).await;
    let night = Hours { days: vec![0], from: 0, until: 60 };
    let hours = Timetable { hours_are: HoursAre::Shown, rows: vec![night] };
    let change = BellChange {
        hidden: Some(true),
        hours: Some((hours, WallClock { weekday: 0, minute: 720 })),
        ..BellChange::default()
    };
    let changed = db.store.households().change_my_bell(&their_kari, ours.family, 2, change).await.unwrap();
    assert!(matches!(changed, BellChanged::Done(bell) if bell.hours_hide && bell.hidden));
    assert!(db.store.households().turn_hours(theirs, ours.family, false).await.unwrap());
}

/// The other property manager ends, moves and suspends all that has our ids.
async fn undo_twin(db: &Db, ours: &Town, theirs: &Scope) {
    let (trunks, numbers, trunk) = (db.store.trunks(), db.store.phone_numbers(), ours.fresh(61));
    assert!(matches!(
        trunks.order_trunks(theirs, &stamp(1), vec![trunk]).await.unwrap(),
        TrunkOrdered::Done(_)
    ));
    let set = klinke_storage::record::NewTrunk { enabled: false, ..crate::phones::trunk(trunk) };
    let off = klinke_storage::record::TrunkChange { version: 1, set, password: true };
    assert!(matches!(
        trunks.change_trunk(theirs, &stamp(1), off).await.unwrap(),
        klinke_storage::record::TrunkChanged::Done(_)
    ));
    assert!(trunks.note_test(theirs, &stamp(1), trunk).await.unwrap());
    assert!(trunks.remove_trunk(theirs, &stamp(1), trunk).await.unwrap());
    let kari = Scope { tenant: theirs.tenant, ..ours.as_person(ours.kari) };
    assert!(numbers.keep_my_number(&kari, crate::phones::number(9)).await.unwrap());
    assert!(numbers.remove_my_number(&kari).await.unwrap());
    assert!(numbers.vouch_number(theirs, &stamp(1), ours.kari, crate::phones::number(9)).await.unwrap());
    assert!(numbers.remove_number(theirs, &stamp(1), ours.kari).await.unwrap());
    let accounts = db.store.sip_accounts();
    assert!(accounts.remove_sip_device(theirs, &stamp(1), ours.kari, ours.fresh(62)).await.unwrap());
    let another = crate::sip_accounts::account(ours, 64);
    let set = accounts.set_sip_panel(theirs, &stamp(1), ours.fresh(90), another).await.unwrap();
    assert_eq!(set, klinke_storage::record::SipAdded::Done);
    assert!(db.store.doors().remove_station_relay(theirs, &stamp(1), ours.fresh(95)).await.unwrap());
    let guests = db.store.guests();
    assert!(guests.remove_guest(theirs, &stamp(1), GuestsOf::House, ours.fresh(75)).await.unwrap());
    let their_controller = Scope { principal: Principal::Controller(ours.controller), ..*theirs };
    assert!(guests.came_to_door(&their_controller, ours.fresh(77), 2).await.unwrap());
    assert!(db.store.own_codes().remove_code(theirs, &stamp(1), ours.house, ours.kari).await.unwrap());
    assert!(guests.take_once(theirs, ours.fresh(76)).await.unwrap());
    assert!(guests.came_once(theirs, ours.fresh(76)).await.unwrap());
    let manager = Scope { tenant: theirs.tenant, ..ours.as_person(ours.manager) };
    assert!(db.store.records().end_records(&manager, &stamp(1), ours.house).await.unwrap());
    let (people, doors) = (db.store.people(), db.store.doors());
    let block = klinke_storage::record::CardChange { blocked: Some(true), ..Default::default() };
    let blocked = db.store.cards().change_card(theirs, &stamp(1), ours.fresh(68), 1, block).await;
    assert!(matches!(blocked.unwrap(), klinke_storage::record::Edited::Done(_)));
    for (number, person) in (80..).zip([ours.kari, ours.ola, ours.lone]) {
        assert!(people.remove_membership(theirs, person, ours.unit).await.unwrap());
        assert!(people.set_active(theirs, person, false).await.unwrap());
        assert!(db.store.devices().sign_out(theirs, person, ours.fresh(number)).await.unwrap());
    }
    let off = WebhookChange { version: 1, enabled: Some(false), ..WebhookChange::default() };
    assert!(db.store.webhooks().change_webhook(theirs, &stamp(1), ours.fresh(60), off).await.is_ok());
    let out = vec![ours.gone, ours.manager];
    let new = NewMove {
        id: ours.fresh(70),
        unit: ours.unit,
        last_day: 1,
        ends_at: stamp(71).at,
        out,
        to: None,
        into: vec![],
    };
    assert!(db.store.moves().plan_move(theirs, &stamp(71), new).await.unwrap());
    assert!(db.store.moves().carry_out_move(theirs, &stamp(72), ours.fresh(70)).await.unwrap().is_some());
    assert!(doors.assign(theirs, ours.front, ours.controller, 40).await.unwrap());
    let set = db.store.sites().set_policy(theirs, &stamp(1), ours.house, 1, BuildingPolicy::default()).await;
    assert_eq!(set.unwrap(), PolicySet::Done(2));
    assert!(db.store.intercom().remove_bell(theirs, &stamp(1), ours.family).await.unwrap().is_some());
}

on_both! {
    async fn a_town_with_the_same_ids_changes_nothing_of_ours(db) {
        let (ours, theirs) = two_towns(&db).await;
        let principals = [
            ours.system(),
            ours.as_person(ours.manager),
            ours.as_person(ours.admin),
            ours.as_person(ours.office_admin),
            ours.as_person(ours.kari),
            ours.as_person(ours.lone),
            ours.as_person(ours.gone),
            ours.as_person(ours.caretaker),
            ours.as_person(ours.auditor),
            ours.as_person(ours.expired),
            ours.as_person(ours.unbound),
            ours.as_panel(ours.panel),
            ours.as_controller(ours.controller),
        ];
        let policy =
            BuildingPolicy { pictures: true, own_codes: true, duress_codes: true, ..BuildingPolicy::default() };
        db.store.sites().set_policy(&ours.system(), &stamp(65), ours.house, 0, policy).await.unwrap();
        let put = db.store.intercom().put_picture(&ours.system(), &stamp(65), ours.family, picture(&ours, "ours")).await;
        assert_eq!(put.unwrap(), PictureSet::Done(ours.house));
        let ends_at = stamp(70).at;
        let new = NewMove { id: ours.fresh(70), unit: ours.unit, last_day: 1, ends_at, out: vec![ours.ola], to: None, into: vec![] };
        assert!(db.store.moves().plan_move(&ours.system(), &stamp(70), new).await.unwrap());
        let token = crate::tokens::new_token(&ours, 95, Some(ours.house), &[Right::SeePeople]);
        let made = db.store.tokens().make_token(&ours.as_person(ours.manager), &stamp(71), token.clone()).await;
        assert!(made.unwrap());
        let issuer = ours.manager;
        let as_token = Scope { principal: Principal::Token { token: token.id, issuer }, ..principals[1] };
        let principals: Vec<_> = principals.into_iter().chain([as_token]).collect();
        let webhook = crate::webhooks::new_webhook(ours.fresh(60), Some(ours.house));
        assert!(db.store.webhooks().add_webhook(&ours.system(), &stamp(70), webhook).await.unwrap());
        make_alarm(&db, &ours, ours.tenant).await;
        make_rule(&db, &ours, &ours.system(), ours.lone).await;
        make_records(&db, &ours, ours.tenant).await;
        make_card(&db, &ours, &ours.system(), ours.lone).await;
        make_guests(&db, &ours, &ours.system(), &ours.as_person(ours.kari)).await;
        make_phones(&db, &ours, &ours.system(), 40).await;
        make_stations(&db, &ours, &ours.system(), ours.panel).await;
        let mut before = Vec::new();
        for scope in &principals {
            before.push(Box::pin(View::of(&db, &ours, scope)).await);
        }
        build_twin(&db, &ours, &theirs.system()).await;
        // theirs by the same id may more, in the building of the same id
        let rights = Right::OF_TOKENS.to_vec();
        let twin = NewApiToken { token_hash: hash(1), name: label("Twin"), rights, ..token };
        let manager = theirs.as_person(theirs.manager);
        assert!(db.store.tokens().make_token(&manager, &stamp(72), twin).await.unwrap());
        for (scope, before) in principals.iter().zip(&before) {
            assert!(Box::pin(View::of(&db, &ours, scope)).await == *before, "built beside us: {scope:?}");
        }
        undo_twin(&db, &ours, &theirs.system()).await;
        for (scope, before) in principals.iter().zip(&before) {
            assert!(Box::pin(View::of(&db, &ours, scope)).await == *before, "changed beside us: {scope:?}");
        }
    }
}
