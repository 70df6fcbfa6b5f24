//! Who sees and changes what: every repository function × every principal. What is not in the table is refused, above
//! all whatever belongs to another property manager.
//!
//! A probe is one call on *our* town. It answers whether the principal got or changed something. Probes that change
//! make what they change themselves (as the service), so that every principal finds it as the first one did.

use crate::database::{Db, on_both};
use crate::town::{NOW, Town, hash, id, label, stamp, two_towns};
use klinke_access::decide::SiteMode;
use klinke_model::alarm::AlarmKind;
use klinke_model::door::{Door, DoorTimes};
use klinke_model::door_settings::{DoorHold, DoorSettings};
use klinke_model::intercom::{BellKind, Panel};
use klinke_model::people::{Membership, Role};
use klinke_model::privacy::{Commercial, Site};
use klinke_model::rights::Right;
use klinke_model::scope::{Principal, Scope};
use klinke_model::site::{Building, BuildingKind, Entrance, Tenant, Unit};
use klinke_model::timetable::{Hours, HoursAre, Timetable, WallClock};
use klinke_storage::record::{AnyNumberSet, RelaySet, SipAdded, SipOwner};
use klinke_storage::record::{AppRequirements, TenantChanged, TenantRow};
use klinke_storage::record::{
    AuditQuery, ButtonChanged, ButtonEdit, ButtonsOrder, ButtonsQuery, Changed, Deleted, Edited, HomesQuery,
    Look, MovesQuery, NewMove, PeopleOrder, PeopleQuery, PolicySet, Removed, Revoked, UnitDoors, UnitsQuery,
};
use klinke_storage::record::{BellChange, BellChanged, Joined, Left, NewMember, WayToMember};
use klinke_storage::record::{
    DueWebhook, House, ImportOutcome, ImportPlan, Tried, WebhookChange, WebhookChanged,
};
use klinke_storage::record::{GuestChange, GuestChanged, GuestMade, GuestsOf};
use klinke_storage::record::{LimitsSet, NewTrunk, TrunkAdded, TrunkChange, TrunkChanged, TrunkOrdered};
use klinke_storage::record::{NewPicture, PictureSet, RuleMade};
use klinke_storage::record::{NewReading, RecordAfter, RecordsQuery, RecordsSet};
use klinke_storage::{Result, Store};
use std::collections::BTreeSet;
use std::pin::Pin;

/// Who asks for something of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    System,
    Manager,
    /// Administers the house.
    Admin,
    /// Administers the other building.
    OfficeAdmin,
    /// Kari: the person that the probes ask about.
    Herself,
    /// A resident next door.
    Neighbour,
    /// Was a manager and lives with Kari, but is suspended.
    Suspended,
    /// Looks after the house.
    Caretaker,
    /// Reads about the house.
    Auditor,
    /// Was a manager until this moment.
    Expired,
    /// Administers the house, but did not accept confidentiality.
    Unbound,
    /// The panel that the probes ask about.
    Panel,
    /// Another panel of the same building.
    OtherPanel,
    /// The controller that the probes ask about.
    Controller,
    OtherController,
    /// The service, for another property manager.
    ForeignSystem,
    /// A manager of another property manager.
    ForeignManager,
    /// A foreign scope that names our manager, our Kari, our panel, our controller.
    ForeignAsManager,
    ForeignAsHerself,
    ForeignAsPanel,
    ForeignAsController,
    /// Our scope with a foreign manager's name.
    OursAsForeignManager,
}
use Who::*;

const EVERYBODY: [Who; 22] = [
    System,
    Manager,
    Admin,
    OfficeAdmin,
    Herself,
    Neighbour,
    Suspended,
    Caretaker,
    Auditor,
    Expired,
    Unbound,
    Panel,
    OtherPanel,
    Controller,
    OtherController,
    ForeignSystem,
    ForeignManager,
    ForeignAsManager,
    ForeignAsHerself,
    ForeignAsPanel,
    ForeignAsController,
    OursAsForeignManager,
];

impl Who {
    fn scope(self, ours: &Town, theirs: &Town) -> Scope {
        let foreign = |scope: Scope| Scope { tenant: theirs.tenant, ..scope };
        match self {
            System => ours.system(),
            Manager => ours.as_person(ours.manager),
            Admin => ours.as_person(ours.admin),
            OfficeAdmin => ours.as_person(ours.office_admin),
            Herself => ours.as_person(ours.kari),
            Neighbour => ours.as_person(ours.lone),
            Suspended => ours.as_person(ours.gone),
            Caretaker => ours.as_person(ours.caretaker),
            Auditor => ours.as_person(ours.auditor),
            Expired => ours.as_person(ours.expired),
            Unbound => ours.as_person(ours.unbound),
            Panel => ours.as_panel(ours.panel),
            OtherPanel => ours.as_panel(ours.garage_panel),
            Controller => ours.as_controller(ours.controller),
            OtherController => ours.as_controller(ours.spare),
            ForeignSystem => theirs.system(),
            ForeignManager => theirs.as_person(theirs.manager),
            ForeignAsManager => foreign(ours.as_person(ours.manager)),
            ForeignAsHerself => foreign(ours.as_person(ours.kari)),
            ForeignAsPanel => foreign(ours.as_panel(ours.panel)),
            ForeignAsController => foreign(ours.as_controller(ours.controller)),
            OursAsForeignManager => ours.as_person(theirs.manager),
        }
    }
}

/// What a probe works with. `n` is new in every run.
struct Run<'a> {
    store: &'a Store,
    ours: Town,
    scope: Scope,
    n: u64,
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<bool>> + 'a>>;
type Probe = (&'static str, &'static [Who], for<'a> fn(&'a Run<'a>) -> Answer<'a>);

macro_rules! probes {
    ($($name:ident [$($who:ident)*] |$run:ident| $body:expr;)+) => {
        &[$((stringify!($name), &[$($who),*], |$run| Box::pin(async move { $body }))),+]
    };
}

const PROBES: &[Probe] = probes! {
    // sites
    buildings [System Manager Admin Caretaker Auditor] |r| {
        let found = r.store.sites().buildings(&r.scope).await?;
        Ok(found.iter().any(|building| building.id == r.ours.house))
    };
    building [System Manager Admin Caretaker Auditor] |r| Ok(r.store.sites().building(&r.scope, r.ours.house).await?.is_some());
    entrances [System Manager Admin Caretaker Auditor] |r| Ok(!r.store.sites().entrances(&r.scope, r.ours.house).await?.is_empty());
    units [System Manager Admin Caretaker Auditor] |r| Ok(!r.store.sites().units(&r.scope, r.ours.house).await?.is_empty());
    units_page [System Manager Admin Caretaker Auditor] |r| {
        let query = UnitsQuery { limit: 200, ..UnitsQuery::default() };
        let page = r.store.sites().units_page(&r.scope, r.ours.house, &query).await?;
        let sees_people = r.store.people().may_in(&r.scope, Right::SeePeople, r.ours.house).await?;
        let counted = page.units.iter().any(|row| row.residents > 0 || row.devices > 0);
        assert_eq!(counted, sees_people, "how many live there is told to who may see people");
        Ok(!page.units.is_empty())
    };
    counted_entrances [System Manager Admin Caretaker Auditor] |r| {
        Ok(!r.store.sites().counted_entrances(&r.scope, r.ours.house).await?.is_empty())
    };
    counts [System Manager Admin Caretaker Auditor] |r| {
        let counts = r.store.sites().counts(&r.scope, r.ours.house).await?;
        let sees_people = r.store.people().may_in(&r.scope, Right::SeePeople, r.ours.house).await?;
        assert_eq!(counts.is_some_and(|counts| counts.people.is_some()), sees_people);
        Ok(counts.is_some())
    };
    insert_building [System Manager] |r| {
        let building = Building { id: r.id(), ..r.ours.the_house() };
        r.store.sites().insert_building(&r.scope, &stamp(1), building.clone()).await?;
        Ok(r.store.sites().building(&r.ours.system(), building.id).await?.is_some())
    };
    insert_entrance [System Manager Admin] |r| {
        let entrance = Entrance { id: r.id(), building: r.ours.house, name: label("B") };
        r.store.sites().insert_entrance(&r.scope, &stamp(1), entrance).await
    };
    insert_units [System Manager Admin] |r| {
        let unit = Unit {
            id: r.id(), building: r.ours.house, entrance: r.ours.entrance, number: label("901"),
        };
        r.store.sites().insert_units(&r.scope, &stamp(1), unit.building, &[unit], &[]).await
    };
    policy [System Manager Admin Caretaker Auditor] |r| {
        Ok(r.store.sites().policy(&r.scope, r.ours.house).await?.is_some())
    };
    set_policy [System Manager Admin] |r| {
        let (version, mut policy) = r.store.sites().policy(&r.ours.system(), r.ours.house).await?.unwrap();
        policy.pictures = !policy.pictures;
        let set = r.store.sites().set_policy(&r.scope, &stamp(r.n), r.ours.house, version, policy).await?;
        Ok(set == PolicySet::Done(version + 1))
    };
    set_mode [System Manager Admin] |r| {
        r.store.sites().set_mode(&r.scope, &stamp(r.n), r.ours.house, SiteMode::Normal).await
    };
    // who
    homes [System Manager Admin Auditor] |r| {
        let query = HomesQuery { limit: 9, ..HomesQuery::default() };
        Ok(!r.store.who().homes(&r.scope, r.ours.house, &query).await?.homes.is_empty())
    };
    home_counts [System Manager Admin Auditor] |r| {
        Ok(!r.store.who().home_counts(&r.scope, r.ours.house).await?.is_empty())
    };
    openers [System Manager Admin Auditor] |r| {
        Ok(r.store.who().openers(&r.scope, r.ours.front, None, 9).await?.is_some())
    };
    seen_by [System Manager Admin Auditor] |r| {
        Ok(!r.store.households().seen_by(&r.scope, r.ours.kari).await?.homes.is_empty())
    };
    doors_of [System Manager Admin Auditor] |r| {
        Ok(!r.store.who().doors_of(&r.scope, r.ours.kari, None, 9).await?.doors.is_empty())
    };
    keys [System Manager Admin Auditor] |r| {
        Ok(!r.store.who().keys(&r.scope, r.ours.house, None, 9).await?.holders.is_empty())
    };
    ghosts [System Manager Admin Auditor] |r| {
        let unit = Unit { id: r.id(), building: r.ours.house, entrance: r.ours.entrance, number: label("950") };
        let doors = [r.ours.front];
        r.store.sites().insert_units(&r.ours.system(), &stamp(1), r.ours.house, &[unit], &doors).await?;
        Ok(!r.store.who().ghosts(&r.scope, r.ours.house).await?.is_empty())
    };
    // people
    insert_person [System] |r| {
        let person = r.ours.person(r.id(), "New");
        r.store.people().insert_person(&r.scope, person.clone()).await?;
        Ok(r.store.people().person(&r.ours.system(), person.id).await?.is_some())
    };
    person [System Manager Admin Herself Auditor] |r| Ok(r.store.people().person(&r.scope, r.ours.kari).await?.is_some());
    set_active [System] |r| r.store.people().set_active(&r.scope, r.ours.kari, true).await;
    insert_account [System] |r| {
        let person = r.resident().await?;
        let account = r.ours.account(person, &format!("user{}", r.n));
        r.store.people().insert_account(&r.scope, account).await
    };
    add_membership [System] |r| {
        let person = r.person().await?;
        let place = Membership { person, unit: r.ours.unit, owner: false };
        r.store.people().add_membership(&r.scope, place).await
    };
    remove_membership [System] |r| {
        let person = r.resident().await?;
        r.store.people().remove_membership(&r.scope, person, r.ours.unit).await
    };
    roles [System Manager Admin] |r| Ok(!r.store.people().roles(&r.scope, r.ours.admin).await?.is_empty());
    given_roles [System Manager Admin] |r| {
        let given = r.store.people().given_roles(&r.scope).await?;
        Ok(given.iter().any(|given| given.person == r.ours.admin))
    };
    role_changes [System Manager Admin] |r| {
        let new = r.ours.role(r.person().await?, Role::BuildingAdministrator, Some(r.ours.house));
        r.store.people().grant_role(&r.ours.system(), &stamp(r.n), new).await?;
        let changes = r.store.people().role_changes(&r.scope, NOW).await?;
        Ok(changes.iter().any(|change| change.person == new.person))
    };
    grant_role [System Manager Admin] |r| {
        let new = r.ours.role(r.person().await?, Role::BuildingAdministrator, Some(r.ours.house));
        r.store.people().grant_role(&r.scope, &stamp(r.n), new).await
    };
    revoke_role [System Manager Admin] |r| {
        let new = r.ours.role(r.person().await?, Role::BuildingAdministrator, Some(r.ours.house));
        r.store.people().grant_role(&r.ours.system(), &stamp(r.n), new).await?;
        Ok(r.store.people().revoke_role(&r.scope, &stamp(r.n), new.id).await? == Revoked::Done)
    };
    accept_confidentiality [System Herself] |r| {
        r.store.people().accept_confidentiality(&r.scope, &stamp(r.n), r.ours.kari).await
    };
    is_bound [System Herself] |r| r.store.people().is_bound(&r.scope, r.ours.kari).await;
    may_somewhere [System Manager Admin OfficeAdmin Caretaker Auditor ForeignSystem ForeignManager] |r| {
        r.store.people().may_somewhere(&r.scope, Right::SeeBuilding).await
    };
    may_in [System Manager Admin Auditor] |r| {
        r.store.people().may_in(&r.scope, Right::SeePeople, r.ours.house).await
    };
    may_everywhere [System Manager ForeignSystem ForeignManager] |r| {
        r.store.people().may_everywhere(&r.scope, Right::SeeBuilding).await
    };
    page [System Manager Admin Auditor] |r| {
        let query = PeopleQuery { limit: 200, ..PeopleQuery::default() };
        let page = r.store.people().page(&r.scope, &query).await?;
        let by_name = page.people.iter().any(|row| row.person.id == r.ours.kari);
        let (building, order) = (Some(r.ours.house), PeopleOrder::Home);
        let query = PeopleQuery { building, order, limit: 200, ..PeopleQuery::default() };
        let page = r.store.people().page(&r.scope, &query).await?;
        let by_home = page.people.iter().any(|row| row.person.id == r.ours.kari);
        assert_eq!(by_home, by_name, "in one order more than in the other");
        Ok(by_name)
    };
    row [System Manager Admin Auditor] |r| Ok(r.store.people().row(&r.scope, r.ours.kari).await?.is_some());
    unit_members [System Manager Admin Auditor] |r| {
        Ok(!r.store.people().unit_members(&r.scope, r.ours.house).await?.is_empty())
    };
    // audit
    tokens [Manager Admin] |r| {
        r.token().await?;
        Ok(!r.store.tokens().tokens(&r.scope).await?.is_empty())
    };
    make_token [Manager Admin] |r| {
        let new = crate::tokens::new_token(&r.ours, r.n, Some(r.ours.house), &[Right::SeeBuilding]);
        r.store.tokens().make_token(&r.scope, &stamp(r.n), new).await
    };
    revoke_token [Manager Admin] |r| {
        let id = r.token().await?;
        r.store.tokens().revoke_token(&r.scope, &stamp(r.n), id).await
    };
    audit_entries [System Manager Admin Auditor] |r| {
        let query = AuditQuery { building: Some(r.ours.house), limit: 9, ..AuditQuery::default() };
        Ok(!r.store.audit().audit_entries(&r.scope, query).await?.is_empty())
    };
    audit_page [System Manager Admin Auditor] |r| {
        let query = AuditQuery { building: Some(r.ours.house), limit: 9, ..AuditQuery::default() };
        let page = r.store.audit().audit_page(&r.scope, query).await?;
        Ok(!page.entries.is_empty() && !page.names.is_empty())
    };
    sign_out_everywhere [System Manager Admin] |r| {
        let person = r.resident().await?;
        Ok(r.store.people().sign_out_everywhere(&r.scope, &stamp(r.n), person).await?.is_some())
    };
    delete_person [System Manager] |r| {
        let person = r.person().await?;
        let deleted = r.store.people().delete_person(&r.scope, &stamp(r.n), person).await?;
        Ok(deleted != Deleted::NotThere)
    };
    verify_audit [System Manager] |r| {
        let ours = r.store.audit().verify_audit(&r.ours.system()).await?;
        Ok(r.store.audit().verify_audit(&r.scope).await? == ours)
    };
    erase_from_audit [System] |r| {
        let person = r.person().await?;
        let new = r.ours.role(person, Role::BuildingAdministrator, Some(r.ours.house));
        r.store.people().grant_role(&r.ours.system(), &stamp(r.n), new).await?;
        Ok(r.store.audit().erase_from_audit(&r.scope, person).await? > 0)
    };
    add_person [System Manager Admin] |r| {
        let person = r.ours.person(r.id(), "New");
        r.store.people().add_person(&r.scope, &stamp(r.n), person, &[(r.ours.unit, false)]).await
    };
    change_person [System Manager Admin] |r| {
        let person = r.resident().await?;
        let seen = r.store.people().person(&r.ours.system(), person).await?.unwrap();
        Ok(r.store.people().change_person(&r.scope, &stamp(r.n), seen).await? != Changed::NotFound)
    };
    suspend_person [System Manager Admin] |r| {
        let person = r.resident().await?;
        Ok(r.store.people().suspend_person(&r.scope, &stamp(r.n), person, true).await?.is_some())
    };
    set_home [System Manager Admin] |r| {
        let home = Membership { person: r.person().await?, unit: r.ours.unit, owner: false };
        r.store.people().set_home(&r.scope, &stamp(r.n), home).await
    };
    take_home [System Manager Admin] |r| {
        let person = r.resident().await?;
        r.store.people().take_home(&r.scope, &stamp(r.n), person, r.ours.unit).await
    };
    // moves
    preview_move [System Manager Admin Auditor] |r| {
        Ok(r.store.moves().preview_move(&r.scope, r.ours.unit).await?.is_some())
    };
    plan_move [System Manager Admin] |r| {
        let new = r.new_move().await?;
        r.store.moves().plan_move(&r.scope, &stamp(r.n), new).await
    };
    moves [System Manager Admin Auditor] |r| {
        r.planned().await?;
        let query = MovesQuery { limit: 9, ..MovesQuery::default() };
        Ok(!r.store.moves().moves(&r.scope, r.ours.house, &query).await?.moves.is_empty())
    };
    one_move [System Manager Admin Auditor] |r| {
        let planned = r.planned().await?;
        Ok(r.store.moves().one_move(&r.scope, planned).await?.is_some())
    };
    cancel_move [System Manager Admin] |r| {
        let planned = r.planned().await?;
        r.store.moves().cancel_move(&r.scope, &stamp(r.n), planned).await
    };
    carry_out_move [System] |r| {
        let planned = r.planned().await?;
        Ok(r.store.moves().carry_out_move(&r.scope, &stamp(r.n), planned).await?.is_some())
    };
    // devices
    sign_in [System Herself] |r| r.store.devices().sign_in(&r.scope, r.ours.new_device(r.ours.kari, r.n)).await;
    list [System Herself] |r| Ok(!r.store.devices().list(&r.scope, r.ours.kari).await?.is_empty());
    sign_out [System Herself] |r| {
        let new = r.ours.new_device(r.ours.kari, r.n);
        let device = new.device.id;
        r.store.devices().sign_in(&r.ours.system(), new).await?;
        r.store.devices().sign_out(&r.scope, r.ours.kari, device).await
    };
    // intercom
    panels [System Manager Admin Caretaker Auditor] |r| Ok(!r.store.intercom().panels(&r.scope, r.ours.house).await?.is_empty());
    panels_seen [System Manager Admin Caretaker Auditor] |r| {
        Ok(!r.store.intercom().panels_seen(&r.scope, r.ours.house).await?.is_empty())
    };
    panel_seen [System Manager Admin Caretaker Auditor] |r| {
        Ok(r.store.intercom().panel_seen(&r.scope, r.ours.panel).await?.is_some())
    };
    panel [System Manager Admin Panel Caretaker Auditor] |r| Ok(r.store.intercom().panel(&r.scope, r.ours.panel).await?.is_some());
    pair_panel [System Manager Admin Caretaker] |r| {
        let panel = klinke_model::intercom::Panel { id: r.id(), ..r.ours.the_panel() };
        r.store.intercom().pair_panel(&r.scope, &stamp(r.n), panel, Some(vec![6])).await
    };
    set_panel_key [System Manager Admin Caretaker] |r| {
        r.store.intercom().set_panel_key(&r.scope, &stamp(r.n), r.ours.panel, vec![5]).await
    };
    bells [System Manager Admin Auditor] |r| Ok(!r.store.intercom().bells(&r.scope, r.ours.house).await?.is_empty());
    insert_bell [System Manager Admin] |r| {
        let bell = r.ours.bell(r.id(), "New", BellKind::Parallel, vec![r.ours.member(r.ours.kari, "K")]);
        r.store.intercom().insert_bell(&r.scope, &stamp(1), bell, Some(9)).await
    };
    remove_bell [System Manager Admin] |r| {
        let bell = r.ours.bell(r.id(), "New", BellKind::Parallel, vec![]);
        r.store.intercom().insert_bell(&r.ours.system(), &stamp(1), bell.clone(), None).await?;
        Ok(r.store.intercom().remove_bell(&r.scope, &stamp(r.n), bell.id).await?.is_some())
    };
    order_bells [System Manager Admin] |r| {
        let bells = r.store.intercom().bells(&r.ours.system(), r.ours.house).await?;
        let order: Vec<_> = bells.iter().filter(|bell| bell.panel == r.ours.panel).map(|bell| bell.id).collect();
        r.store.intercom().order_bells(&r.scope, &stamp(r.n), r.ours.panel, &order).await
    };
    buttons [System Manager Admin Auditor] |r| {
        let mut seen = Vec::new();
        for order in [ButtonsOrder::Place, ButtonsOrder::Label, ButtonsOrder::Unit] {
            let query = ButtonsQuery { order, limit: 200, ..ButtonsQuery::default() };
            seen.push(!r.store.intercom().buttons(&r.scope, r.ours.house, &query).await?.buttons.is_empty());
        }
        assert!(seen.windows(2).all(|two| two[0] == two[1]), "in one order more than in another");
        Ok(seen[0])
    };
    button [System Manager Admin Auditor] |r| Ok(r.store.intercom().button(&r.scope, r.ours.family).await?.is_some());
    change_bell [System Manager Admin] |r| {
        let Some((_, button)) = r.store.intercom().button(&r.ours.system(), r.ours.family).await? else { return Ok(false) };
        let edit = ButtonEdit {
            label: button.bell.label,
            alias: None,
            kind: button.bell.kind,
            members: button.bell.members,
            listing: button.listing,
            dial_code: Some(klinke_model::privacy::Pii::new(klinke_model::intercom::DialCode::new("4711").unwrap())),
            hidden: false,
        };
        let changed =
            r.store.intercom().change_bell(&r.scope, &stamp(r.n), r.ours.family, button.version, &edit, false).await?;
        Ok(changed == ButtonChanged::Done)
    };
    moderate_bell [System Manager Admin] |r| {
        let Some((_, button)) = r.store.intercom().button(&r.ours.system(), r.ours.family).await? else { return Ok(false) };
        let changed = r
            .store
            .intercom()
            .moderate_bell(&r.scope, &stamp(r.n), r.ours.family, button.version, &Look::Approve)
            .await?;
        Ok(changed == ButtonChanged::Done)
    };
    put_picture [System Manager Admin] |r| {
        r.picture().await?;
        let new = r.new_picture(700_000);
        let set = r.store.intercom().put_picture(&r.scope, &stamp(r.n), r.ours.parallel, new).await?;
        Ok(matches!(set, PictureSet::Done(_)))
    };
    picture [System Manager Admin Herself Panel Auditor] |r| {
        let picture = r.picture().await?;
        Ok(r.store.intercom().picture(&r.scope, picture).await?.is_some())
    };
    bell_by_code [Panel] |r| {
        let code = klinke_model::intercom::DialCode::new("4711").unwrap();
        Ok(r.store.intercom().bell_by_code(&r.scope, &code).await?.is_some())
    };
    unlisted [System] |r| {
        let person = r.reachable().await?;
        Ok(!r.store.intercom().unlisted(&r.scope, person).await?.is_empty())
    };
    list_by_itself [System] |r| {
        let (person, ids) = (r.reachable().await?, [r.ours.fresh(r.n + 100_000), r.ours.fresh(r.n + 200_000)]);
        Ok(!r.store.intercom().list_by_itself(&r.scope, &stamp(r.n), person, &ids).await?.is_empty())
    };
    directory [System Manager Admin Panel Auditor] |r| {
        Ok(r.store.intercom().directory(&r.scope, r.ours.panel).await?.is_some())
    };
    ring_facts [System Panel] |r| Ok(r.store.intercom().ring_facts(&r.scope, r.ours.family).await?.is_some());
    // one's own home
    my_bells [Herself] |r| {
        let mine = r.store.households().my_bells(&r.scope).await?;
        Ok(mine.iter().any(|bell| bell.unit == r.ours.unit))
    };
    change_my_bell [Herself] |r| {
        let households = r.store.households();
        let mine = households.my_bells(&r.ours.as_person(r.ours.kari)).await?;
        let family = mine.into_iter().find(|bell| bell.id == r.ours.family).unwrap();
        let change = BellChange { hidden: Some(!family.hidden), ..BellChange::default() };
        let done = households.change_my_bell(&r.scope, family.id, family.version, change).await?;
        Ok(matches!(done, BellChanged::Done(_) | BellChanged::Conflict(_)))
    };
    set_my_picture [Herself] |r| {
        r.picture().await?;
        let new = r.new_picture(700_000);
        let set = r.store.households().set_my_picture(&r.scope, r.ours.parallel, Some(new)).await?;
        Ok(matches!(set, PictureSet::Done(_)))
    };
    turn_hours [System] |r| {
        let households = r.store.households();
        let kari = r.ours.as_person(r.ours.kari);
        let mine = households.my_bells(&kari).await?;
        let family = mine.into_iter().find(|bell| bell.id == r.ours.family).unwrap();
        let night = Hours { days: vec![0], from: 0, until: 60 };
        let hours = Timetable { hours_are: HoursAre::Hidden, rows: vec![night] };
        let noon = WallClock { weekday: 0, minute: 720 };
        let change = BellChange { hours: Some((hours, noon)), ..BellChange::default() };
        households.change_my_bell(&kari, family.id, family.version, change).await?;
        households.turn_hours(&r.scope, r.ours.family, true).await
    };
    mine [Herself] |r| {
        let homes = r.store.households().mine(&r.scope).await?;
        Ok(homes.iter().any(|home| home.unit == r.ours.unit))
    };
    take_in [Herself] |r| {
        let new = r.new_member().await?;
        Ok(r.store.households().take_in(&r.scope, NOW, new).await? == Joined::Done)
    };
    invite_member [Herself] |r| {
        let (unit, person) = r.taken_in().await?;
        let way = WayToMember::Hand(hash(r.n + 1_000_000), at(9));
        Ok(r.store.households().invite_member(&r.scope, NOW, unit, person, way).await? == Joined::Done)
    };
    take_out [Herself] |r| {
        let (unit, person) = r.taken_in().await?;
        Ok(matches!(r.store.households().take_out(&r.scope, unit, person).await?, Left::Done { .. }))
    };
    give_button [Herself] |r| {
        let (unit, person) = r.taken_in().await?;
        let mut bell = r.ours.bell(r.ours.fresh(r.n + 500_000), "New", BellKind::Parallel, vec![]);
        bell.unit = unit;
        r.store.intercom().insert_bell(&r.ours.system(), &stamp(1), bell, None).await?;
        Ok(r.store.households().give_button(&r.scope, unit, person, &[r.id()]).await? == Joined::Done)
    };
    hand_on [Herself] |r| {
        let (unit, person) = r.taken_in().await?;
        let account = r.ours.account(person, &format!("member{}", r.n));
        r.store.people().insert_account(&r.ours.system(), account).await?;
        Ok(r.store.households().hand_on(&r.scope, unit, person).await? == Joined::Done)
    };
    // oneself
    my_account [Herself] |r| {
        let account = r.ours.account(r.ours.kari, "herself");
        r.store.people().insert_account(&r.ours.system(), account).await.ok();
        let found = r.store.people().my_account(&r.scope).await?;
        Ok(found.is_some_and(|(name, _)| name.reveal() == "herself"))
    };
    change_me [Herself] |r| {
        let people = r.store.people();
        let kari = people.person(&r.ours.system(), r.ours.kari).await?.unwrap();
        let done = people.change_me(&r.scope, kari.version, None, None, kari.language).await?;
        Ok(matches!(done, Changed::Done(person) | Changed::Conflict(person) if person.id == kari.id && person.name == kari.name))
    };
    sign_out_others [Herself] |r| {
        let device = r.ours.new_device(r.ours.kari, r.n);
        r.store.devices().sign_in(&r.ours.system(), device.clone()).await?;
        let gone = r.store.devices().sign_out_others(&r.scope).await?;
        Ok(gone.contains(&device.device.id))
    };
    // doors
    doors [System Manager Admin Caretaker Auditor] |r| Ok(!r.store.doors().doors(&r.scope, r.ours.house).await?.is_empty());
    door [System Manager Admin Caretaker Auditor] |r| Ok(r.store.doors().door(&r.scope, r.ours.front).await?.is_some());
    insert_door [System Manager Admin] |r| r.store.doors().insert_door(&r.scope, &stamp(1), r.door(), false).await;
    give_unit_door [System] |r| {
        r.store.doors().give_unit_door(&r.scope, r.ours.unit, r.ours.garage).await
    };
    assign [System] |r| {
        let door = r.door();
        r.store.doors().insert_door(&r.ours.system(), &stamp(1), door.clone(), false).await?;
        let output = u16::try_from(r.n).unwrap();
        r.store.doors().assign(&r.scope, door.id, r.ours.controller, output).await
    };
    controllers [System Manager Admin Caretaker Auditor] |r| {
        Ok(!r.store.doors().controllers(&r.scope, r.ours.house).await?.is_empty())
    };
    pair_controller [System Manager Admin Caretaker] |r| {
        let controller =
            klinke_model::door::Controller { id: r.id(), building: r.ours.house, name: label("New") };
        r.store.doors().pair_controller(&r.scope, &stamp(r.n), controller, hash(r.n), &[]).await
    };
    doors_of_controller [System Manager Admin Controller Caretaker Auditor] |r| {
        Ok(r.store.doors().doors_of_controller(&r.scope, r.ours.controller).await?.is_some())
    };
    controller_rights [Controller] |r| {
        Ok(r.store.doors().controller_rights(&r.scope, r.ours.controller).await?.is_some())
    };
    openable [System Herself] |r| Ok(!r.store.doors().openable(&r.scope, r.ours.kari).await?.is_empty());
    facts [System Herself] |r| {
        Ok(r.store.doors().facts(&r.scope, r.ours.kari, r.ours.front).await?.is_some())
    };
    // cards
    cards [System Manager Admin Auditor] |r| {
        r.card(r.ours.lone).await?;
        let query = klinke_storage::record::CardsQuery { limit: 200, ..Default::default() };
        Ok(!r.store.cards().cards(&r.scope, r.ours.house, &query).await?.cards.is_empty())
    };
    cards_of [System Manager Admin Auditor] |r| {
        r.card(r.ours.lone).await?;
        Ok(!r.store.cards().cards_of(&r.scope, r.ours.lone).await?.is_empty())
    };
    card [System Manager Admin Auditor] |r| {
        let made = r.card(r.ours.lone).await?;
        Ok(r.store.cards().card(&r.scope, made.id).await?.is_some())
    };
    card_by_key [System Manager Admin Auditor] |r| {
        let made = r.card(r.ours.lone).await?;
        Ok(r.store.cards().card_by_key(&r.scope, r.ours.house, &made.key).await?.is_some())
    };
    insert_card [System Manager Admin] |r| {
        let new = crate::cards::new_card(&r.ours, r.n, r.ours.lone);
        let made = r.store.cards().insert_card(&r.scope, &stamp(r.n), r.ours.house, new).await?;
        Ok(matches!(made, klinke_storage::record::CardMade::Done(_)))
    };
    change_card [System Manager Admin] |r| {
        let made = r.card(r.ours.lone).await?;
        let change = klinke_storage::record::CardChange { blocked: Some(true), ..Default::default() };
        let done = r.store.cards().change_card(&r.scope, &stamp(r.n), made.id, 1, change).await?;
        Ok(matches!(done, Edited::Done(_)))
    };
    remove_card [System Manager Admin] |r| {
        let made = r.card(r.ours.lone).await?;
        r.store.cards().remove_card(&r.scope, &stamp(r.n), made.id).await
    };
    my_cards [Herself] |r| {
        let made = r.card(r.ours.kari).await?;
        let mine = r.store.cards().my_cards(&r.scope).await?;
        Ok(mine.iter().any(|held| held.card.id == made.id))
    };
    add_my_card [Herself] |r| {
        let before = r.store.sites().policy(&r.ours.system(), r.ours.house).await?.unwrap();
        let policy = klinke_model::policy::BuildingPolicy { own_cards: true, ..before.1 };
        r.store.sites().set_policy(&r.ours.system(), &stamp(r.n), r.ours.house, before.0, policy).await?;
        let card = crate::cards::new_card(&r.ours, r.n, r.ours.kari);
        let new = klinke_storage::record::NewMyCard { unit: r.ours.unit, card };
        let made = r.store.cards().add_my_card(&r.scope, new).await?;
        for one in r.store.cards().cards_of(&r.ours.system(), r.ours.kari).await? {
            r.store.cards().remove_card(&r.ours.system(), &stamp(r.n), one.value.card.id).await?;
        }
        Ok(matches!(made, klinke_storage::record::MyCardMade::Done(_)))
    };
    change_my_card [Herself] |r| {
        let made = r.card(r.ours.kari).await?;
        let done = r.store.cards().change_my_card(&r.scope, made.id, 1, None, Some(true)).await?;
        Ok(matches!(done, klinke_storage::record::MyCardChanged::Done(_)))
    };
    card_house [System Manager Admin] |r| Ok(r.store.cards().card_house(&r.scope, r.ours.house).await?.is_some());
    import_cards [System Manager Admin] |r| {
        let new = crate::cards::new_card(&r.ours, r.n, r.ours.lone);
        let done = r.store.cards().import_cards(&r.scope, &stamp(r.n), r.ours.house, |_| vec![new.clone()]).await?;
        Ok(done == Some(1))
    };
    // rules
    schedules [System Manager Admin Caretaker Auditor] |r| {
        r.schedule().await?;
        Ok(!r.store.rules().schedules(&r.scope, r.ours.house).await?.is_empty())
    };
    schedule [System Manager Admin Caretaker Auditor] |r| {
        let made = r.schedule().await?;
        Ok(r.store.rules().schedule(&r.scope, made.id).await?.is_some())
    };
    insert_schedule [System Manager Admin] |r| {
        r.store.rules().insert_schedule(&r.scope, &stamp(r.n), crate::rules::office_hours(&r.ours, r.n)).await
    };
    change_schedule [System Manager Admin] |r| {
        let wanted = klinke_model::rule::NamedSchedule { name: label("Other"), ..r.schedule().await? };
        let done = r.store.rules().change_schedule(&r.scope, &stamp(r.n), 1, wanted).await?;
        Ok(matches!(done, Edited::Done(_)))
    };
    remove_schedule [System Manager Admin] |r| {
        let made = r.schedule().await?;
        Ok(r.store.rules().remove_schedule(&r.scope, &stamp(r.n), made.id).await? == Removed::Done)
    };
    rules [System Manager Admin Auditor] |r| {
        r.rule().await?;
        Ok(!r.store.rules().rules(&r.scope, r.ours.house).await?.is_empty())
    };
    rule [System Manager Admin Auditor] |r| {
        let made = r.rule().await?;
        Ok(r.store.rules().rule(&r.scope, made.id).await?.is_some())
    };
    insert_rule [System Manager Admin] |r| {
        let new = crate::rules::rule(&r.ours, r.n, r.ours.lone, r.ours.garage);
        Ok(r.store.rules().insert_rule(&r.scope, &stamp(r.n), new).await? == RuleMade::Done)
    };
    change_rule [System Manager Admin] |r| {
        let wanted = klinke_model::rule::AccessRule { name: label("Other"), ..r.rule().await? };
        let done = r.store.rules().change_rule(&r.scope, &stamp(r.n), 1, wanted).await?;
        Ok(matches!(done, Edited::Done(_)))
    };
    remove_rule [System Manager Admin] |r| {
        let made = r.rule().await?;
        r.store.rules().remove_rule(&r.scope, &stamp(r.n), made.id).await
    };
    // groups
    people_groups [System Manager Admin Auditor] |r| {
        r.people_group().await?;
        Ok(!r.store.rules().people_groups(&r.scope, r.ours.house).await?.is_empty())
    };
    people_group [System Manager Admin Auditor] |r| {
        let made = r.people_group().await?;
        Ok(r.store.rules().people_group(&r.scope, made.id).await?.is_some())
    };
    insert_people_group [System Manager Admin] |r| {
        let new = crate::groups::cleaners(&r.ours, r.n, &[r.ours.lone]);
        Ok(r.store.rules().insert_people_group(&r.scope, &stamp(r.n), new).await? == RuleMade::Done)
    };
    change_people_group [System Manager Admin] |r| {
        let wanted = klinke_model::rule::PeopleGroup { name: label("Other"), ..r.people_group().await? };
        let done = r.store.rules().change_people_group(&r.scope, &stamp(r.n), 1, wanted).await?;
        Ok(matches!(done, Edited::Done(_)))
    };
    remove_people_group [System Manager Admin] |r| {
        let made = r.people_group().await?;
        Ok(r.store.rules().remove_people_group(&r.scope, &stamp(r.n), made.id).await? == Removed::Done)
    };
    through [System Manager Admin Auditor] |r| {
        let group = r.people_group().await?;
        let who = vec![klinke_model::rule::Who::Group(group.id)];
        let new = crate::rules::rule(&r.ours, r.n, r.ours.ola, r.ours.garage);
        let new = klinke_model::rule::AccessRule { active: false, who, ..new };
        r.store.rules().insert_rule(&r.ours.system(), &stamp(1), new).await?;
        Ok(!r.store.rules().through(&r.scope, r.ours.ola, r.ours.garage).await?.is_empty())
    };
    door_groups [System Manager Admin Caretaker Auditor] |r| {
        r.door_group().await?;
        Ok(!r.store.rules().door_groups(&r.scope, r.ours.house).await?.is_empty())
    };
    door_group [System Manager Admin Caretaker Auditor] |r| {
        let made = r.door_group().await?;
        Ok(r.store.rules().door_group(&r.scope, made.id).await?.is_some())
    };
    insert_door_group [System Manager Admin] |r| {
        let new = crate::groups::cellars(&r.ours, r.n, &[r.ours.garage]);
        Ok(r.store.rules().insert_door_group(&r.scope, &stamp(r.n), new).await? == RuleMade::Done)
    };
    change_door_group [System Manager Admin] |r| {
        let wanted = klinke_model::rule::DoorGroup { name: label("Other"), ..r.door_group().await? };
        let done = r.store.rules().change_door_group(&r.scope, &stamp(r.n), 1, wanted).await?;
        Ok(matches!(done, Edited::Done(_)))
    };
    remove_door_group [System Manager Admin] |r| {
        let made = r.door_group().await?;
        Ok(r.store.rules().remove_door_group(&r.scope, &stamp(r.n), made.id).await? == Removed::Done)
    };
    // guests: of the administration for who changes people, of a resident for themself
    my_guests [Herself] |r| {
        let (_, own) = r.guests().await?;
        Ok(r.store.guests().my_guests(&r.scope).await?.iter().any(|guest| guest.id == own))
    };
    guests [System Manager Admin] |r| {
        let (house, _) = r.guests().await?;
        let page = r.store.guests().guests(&r.scope, r.ours.house, None, 1_000).await?;
        assert!(page.guests.iter().all(|guest| guest.host.is_none()), "residents' guests are theirs");
        Ok(page.guests.iter().any(|guest| guest.id == house))
    };
    guest [System Manager Admin Herself] |r| {
        let (house, own) = r.guests().await?;
        let (guests, of) = (r.store.guests(), [GuestsOf::House, GuestsOf::Oneself]);
        assert!(guests.guest(&r.scope, of[1], house).await?.is_none());
        assert!(guests.guest(&r.scope, of[0], own).await?.is_none());
        Ok(guests.guest(&r.scope, of[0], house).await?.is_some() || guests.guest(&r.scope, of[1], own).await?.is_some())
    };
    guest_homes [Herself] |r| {
        Ok(r.store.guests().guest_homes(&r.scope).await?.iter().any(|home| home.unit == r.ours.unit))
    };
    insert_guest [System Manager Admin Herself] |r| {
        let house = crate::guests::guest(&r.ours, r.n, None);
        let own = crate::guests::guest(&r.ours, r.n + 500_000, Some(r.ours.unit));
        let house = r.store.guests().insert_guest(&r.scope, &stamp(r.n), house).await?;
        let own = r.store.guests().insert_guest(&r.scope, &stamp(r.n), own).await?;
        Ok([house, own].iter().any(|made| matches!(made, GuestMade::Done(_))))
    };
    change_guest [System Manager Admin Herself] |r| {
        let (house, own) = r.guests().await?;
        let change = GuestChange { version: 1, name: Some(klinke_model::privacy::Pii::new(label("Other"))), ..GuestChange::default() };
        let guests = r.store.guests();
        let house = guests.change_guest(&r.scope, &stamp(r.n), GuestsOf::House, house, change.clone()).await?;
        let own = guests.change_guest(&r.scope, &stamp(r.n), GuestsOf::Oneself, own, change).await?;
        Ok([house, own].iter().any(|changed| matches!(changed, GuestChanged::Done(_))))
    };
    renew_guest [System Manager Admin Herself] |r| {
        let (house, own) = r.guests().await?;
        let (guests, codes) = (r.store.guests(), |n| crate::guests::codes(r.n * 10 + n));
        let house = guests.renew_guest(&r.scope, &stamp(r.n), GuestsOf::House, house, codes(1)).await?;
        let own = guests.renew_guest(&r.scope, &stamp(r.n), GuestsOf::Oneself, own, codes(2)).await?;
        Ok(house.is_some() || own.is_some())
    };
    remove_guest [System Manager Admin Herself] |r| {
        let (house, own) = r.guests().await?;
        let guests = r.store.guests();
        let house = guests.remove_guest(&r.scope, &stamp(r.n), GuestsOf::House, house).await?;
        Ok(house || guests.remove_guest(&r.scope, &stamp(r.n), GuestsOf::Oneself, own).await?)
    };
    ask_guest_mail [Herself] |r| {
        let (house, own) = r.guests().await?;
        let guests = r.store.guests();
        assert!(!guests.ask_guest_mail(&r.scope, NOW, house, crate::guests::to(), r.id()).await?);
        guests.ask_guest_mail(&r.scope, NOW, own, crate::guests::to(), r.id()).await
    };
    guest_facts [System] |r| {
        let (_, own) = r.guests().await?;
        Ok(r.store.guests().guest_facts(&r.scope, own).await?.is_some())
    };
    once_at_doors [Controller] |r| {
        let (_, own) = r.guests().await?;
        Ok(r.store.guests().once_at_doors(&r.scope).await?.contains(&(own, 2)))
    };
    came_to_door [Controller] |r| {
        let (_, own) = r.guests().await?;
        r.store.guests().came_to_door(&r.scope, own, 2).await
    };
    raise_at_panel [Panel] |r| {
        let alarms = r.store.alarms();
        let (at, front) = (stamp(r.n), r.ours.front);
        assert!(!alarms.raise_at_panel(&r.scope, &at, AlarmKind::Mains, front, r.id()).await?, "it lasts");
        alarms.raise_at_panel(&r.scope, &at, AlarmKind::Duress, front, r.id()).await
    };
    // codes of residents' own
    my_codes [Herself] |r| {
        r.own_code().await?;
        Ok(r.store.own_codes().my_codes(&r.scope).await?.iter().any(|code| code.number == Some(r.n)))
    };
    renew_my_code [Herself] |r| {
        r.own_code().await?;
        let choices = crate::own_codes::choices(r.n + 500_000);
        r.store.own_codes().renew_my_code(&r.scope, r.ours.house, choices).await?;
        Ok(r.kari_s_code().await? == Some(r.n + 500_000))
    };
    end_my_code [Herself] |r| {
        r.own_code().await?;
        r.store.own_codes().end_my_code(&r.scope, r.ours.house).await?;
        Ok(r.kari_s_code().await?.is_none())
    };
    codes_of [System Manager Admin Auditor] |r| {
        r.own_code().await?;
        Ok(!r.store.own_codes().codes_of(&r.scope, r.ours.kari).await?.is_empty())
    };
    remove_code [System Manager Admin] |r| {
        r.own_code().await?;
        r.store.own_codes().remove_code(&r.scope, &stamp(r.n), r.ours.house, r.ours.kari).await
    };
    code_holder [Panel OtherPanel] |r| {
        r.own_code().await?;
        let hash = crate::own_codes::choices(r.n).short[0].hash;
        Ok(r.store.own_codes().code_holder(&r.scope, hash).await?.is_some())
    };
    take_once [System] |r| {
        let (_, own) = r.guests().await?;
        r.store.guests().take_once(&r.scope, own).await
    };
    give_back_once [System] |r| {
        let (_, own) = r.guests().await?;
        assert!(r.store.guests().take_once(&r.ours.system(), own).await?);
        r.store.guests().give_back_once(&r.scope, own).await
    };
    came_once [System] |r| {
        let (_, own) = r.guests().await?;
        assert!(r.store.guests().take_once(&r.ours.system(), own).await?);
        r.store.guests().came_once(&r.scope, own).await
    };
    wrong_codes [Panel OtherPanel] |r| Ok(r.store.guests().wrong_codes(&r.scope).await?.is_some());
    keep_wrong_codes [Panel OtherPanel] |r| r.store.guests().keep_wrong_codes(&r.scope, 3).await;
    guest_mail [System] |r| {
        let own = r.mailed_guest().await?;
        Ok(r.store.guests().guest_mail(&r.scope, own).await?.is_some())
    };
    forget_guest_mail [System] |r| {
        let own = r.mailed_guest().await?;
        r.store.guests().forget_guest_mail(&r.scope, own, &crate::guests::to().0).await
    };
    // parts to change and remove
    building_part [System Manager Admin Caretaker Auditor] |r| {
        Ok(r.store.parts().building_part(&r.scope, r.ours.house).await?.is_some())
    };
    entrance_part [System Manager Admin Caretaker Auditor] |r| {
        Ok(r.store.parts().entrance_part(&r.scope, r.ours.entrance).await?.is_some())
    };
    unit_part [System Manager Admin Caretaker Auditor] |r| {
        Ok(r.store.parts().unit_part(&r.scope, r.ours.unit).await?.is_some())
    };
    door_part [System Manager Admin Caretaker Auditor] |r| {
        Ok(r.store.parts().door_part(&r.scope, r.ours.front).await?.is_some())
    };
    panel_part [System Manager Admin Caretaker Auditor] |r| {
        Ok(r.store.parts().panel_part(&r.scope, r.ours.panel).await?.is_some())
    };
    controller_part [System Manager Admin Caretaker Auditor] |r| {
        Ok(r.store.parts().controller_part(&r.scope, r.ours.controller).await?.is_some())
    };
    door_settings [System Manager Admin Caretaker Auditor] |r| {
        Ok(r.store.parts().door_settings(&r.scope, r.ours.front).await?.is_some())
    };
    change_door_settings [System Manager Admin] |r| {
        let door = r.door();
        r.store.doors().insert_door(&r.ours.system(), &stamp(1), door.clone(), false).await?;
        let wanted = DoorSettings { refuses_copyable: true, ..DoorSettings::default() };
        let done = r.store.parts().change_door_settings(&r.scope, &stamp(r.n), 1, door.id, wanted).await?;
        Ok(done != Edited::NotThere)
    };
    hold_door [System Manager Admin Caretaker] |r| {
        let door = r.door();
        r.store.doors().insert_door(&r.ours.system(), &stamp(1), door.clone(), false).await?;
        let held = Some(DoorHold::Blocked);
        Ok(r.store.parts().hold_door(&r.scope, &stamp(r.n), door.id, held).await?.is_some())
    };
    held_doors [Controller] |r| {
        let (system, parts) = (r.ours.system(), r.store.parts());
        parts.hold_door(&system, &stamp(1), r.ours.front, Some(DoorHold::Blocked)).await?;
        let held = parts.held_doors(&r.scope, r.ours.controller).await?;
        parts.hold_door(&system, &stamp(1), r.ours.front, None).await?;
        Ok(held == [(r.ours.front, DoorHold::Blocked)])
    };
    // doors that a door station opens by itself
    station_relays [System Manager Admin Caretaker Auditor] |r| {
        let door = r.relay().await?;
        let found = r.store.doors().station_relays(&r.scope, r.ours.house).await?;
        Ok(found.contains(&(door, r.ours.panel)))
    };
    count_station_relays [System Manager Admin Caretaker Auditor] |r| {
        r.relay().await?;
        Ok(r.store.doors().count_station_relays(&r.scope, r.ours.house).await? > 0)
    };
    station_of [System Manager Admin Caretaker Auditor] |r| {
        let door = r.relay().await?;
        Ok(r.store.doors().station_of(&r.scope, door).await? == Some(r.ours.panel))
    };
    station_relay [System Manager Admin Caretaker] |r| {
        let door = r.relay().await?;
        Ok(r.store.doors().station_relay(&r.scope, door).await?.is_some())
    };
    relays_of_station [System Manager Admin Caretaker] |r| {
        r.relay().await?;
        Ok(!r.store.doors().relays_of_station(&r.scope, r.ours.panel).await?.is_empty())
    };
    set_station_relay [System Manager Admin Caretaker] |r| {
        let door = r.relay().await?;
        let other = crate::station_relays::by_keys(&r.ours, door, "9");
        let set = r.store.doors().set_station_relay(&r.scope, &stamp(r.n), other.clone()).await?;
        let kept = r.store.doors().station_relay(&r.ours.system(), door).await?;
        assert_eq!(set == RelaySet::Done, kept == Some(other));
        Ok(set == RelaySet::Done)
    };
    remove_station_relay [System Manager Admin Caretaker] |r| {
        let door = r.relay().await?;
        r.store.doors().remove_station_relay(&r.scope, &stamp(r.n), door).await?;
        Ok(r.store.doors().station_relay(&r.ours.system(), door).await?.is_none())
    };
    take_news [Controller] |r| {
        let news = [crate::alarms::raised(r.n, AlarmKind::Mains, None)];
        let (alarms, stamp, journal) = (r.store.alarms(), stamp(r.n), crate::alarms::journal(r.n));
        Ok(alarms.take_news(&r.scope, &stamp, r.ours.controller, journal, &news).await?.is_some())
    };
    end_forgotten [Controller] |r| {
        r.alarm().await?;
        let (alarms, stamp, journal) = (r.store.alarms(), stamp(r.n), crate::alarms::journal(r.n));
        Ok(alarms.end_forgotten(&r.scope, &stamp, r.ours.controller, journal, r.n, &[]).await? == 1)
    };
    alarms_page [System Manager Admin Caretaker Auditor] |r| {
        r.alarm().await?;
        let page = r.store.alarms().alarms_page(&r.scope, r.ours.house, None, 9).await?;
        assert_eq!(page.alarms.is_empty(), page.standing == 0);
        Ok(!page.alarms.is_empty())
    };
    alarm [System Manager Admin Caretaker Auditor] |r| {
        Ok(r.store.alarms().alarm(&r.scope, r.alarm().await?).await?.is_some())
    };
    see_alarm [System Manager Admin Caretaker] |r| {
        Ok(r.store.alarms().see_alarm(&r.scope, &stamp(r.n), r.alarm().await?).await?.is_some())
    };
    set_alarm_mail [System Manager Admin] |r| {
        r.store.alarms().set_alarm_mail(&r.scope, &stamp(r.n), r.ours.house, r.n.is_multiple_of(2)).await
    };
    take_alarm_mail [System] |r| {
        let due = r.alarm_mail().await?;
        r.store.alarms().take_alarm_mail(&r.scope, &due, due.run_at).await
    };
    alarm_mail [System] |r| {
        let due = r.alarm_mail().await?;
        Ok(r.store.alarms().alarm_mail(&r.scope, &due).await?.is_some())
    };
    alarm_mailed [System] |r| {
        let due = r.alarm_mail().await?;
        let system = r.ours.system();
        let waits = r.store.alarms().alarm_mail(&system, &due).await?.unwrap().alarms;
        let all: Vec<_> = waits.iter().map(|alarm| alarm.id).collect();
        r.store.alarms().alarm_mailed(&r.scope, &due, &all).await?;
        let left = r.store.alarms().alarm_mail(&system, &due).await?.unwrap().alarms.is_empty();
        Ok(!all.is_empty() && left)
    };
    // records of use: of the house, which became commercial
    record_house [System Manager Admin Caretaker Auditor] |r| {
        Ok(r.store.records().record_house(&r.scope.at(NOW), r.ours.house).await?.is_some())
    };
    keep_records [Manager Admin] |r| {
        r.no_records().await?;
        let wish = crate::records::wish(14);
        let set = r.store.records().keep_records(&r.scope, &stamp(r.n), r.ours.house, 0, wish).await?;
        Ok(set != RecordsSet::NotThere)
    };
    confirm_records [Manager Admin] |r| {
        let version = r.asked_records().await?;
        let set = r.store.records().confirm_records(&r.scope, &stamp(r.n), r.ours.house, version).await?;
        Ok(set != RecordsSet::NotThere)
    };
    end_records [Manager Admin] |r| {
        r.kept_records().await?;
        r.store.records().end_records(&r.scope, &stamp(r.n), r.ours.house).await
    };
    site_that_keeps [System] |r| {
        r.kept_records().await?;
        Ok(r.store.records().site_that_keeps(&r.scope.at(NOW), r.ours.front).await?.is_some())
    };
    keep_record [System] |r| {
        let site = r.kept_records().await?;
        let record = crate::records::opened(&site, r.ours.front, r.ours.kari, NOW);
        r.store.records().keep_record(&r.scope, &stamp(r.n), r.id(), record).await
    };
    read_records [Manager Admin] |r| {
        r.record().await?;
        let (query, reading) = (RecordsQuery::default(), NewReading { id: r.id(), file: None });
        let page =
            r.store.records().read_records(&r.scope, &stamp(r.n), r.ours.house, query, reading, 9).await?;
        Ok(page.is_some_and(|page| !page.records.is_empty()))
    };
    read_on [Admin] |r| {
        r.record().await?;
        let (query, noted) = (RecordsQuery::default(), r.reading().await?);
        let after = RecordAfter { at: NOW.plus(crate::town::MONTH), id: id(1) };
        let page = r.store.records().read_on(&r.scope, r.ours.house, query, noted, after, 9).await?;
        Ok(page.is_some_and(|page| !page.records.is_empty()))
    };
    readings [System Manager Admin] |r| {
        r.record().await?;
        r.reading().await?;
        let page = r.store.records().readings(&r.scope.at(NOW), r.ours.house, None, 9).await?;
        Ok(!page.readings.is_empty())
    };
    my_records [Herself] |r| {
        r.record().await?;
        Ok(!r.store.records().my_records(&r.scope, None, 9).await?.records.is_empty())
    };
    // the neighbour has a door of the house by a rule
    kept_of_me [Herself Neighbour] |r| {
        r.record().await?;
        let rule = crate::rules::rule(&r.ours, r.n, r.ours.lone, r.ours.garage);
        r.store.rules().insert_rule(&r.ours.system(), &stamp(1), rule).await?;
        Ok(!r.store.records().kept_of_me(&r.scope).await?.is_empty())
    };
    my_readings [Herself] |r| {
        r.record().await?;
        let (records, admin, at) = (r.store.records(), r.ours.as_person(r.ours.admin), stamp(r.n));
        let about = RecordsQuery { person: Some(r.ours.kari), ..RecordsQuery::default() };
        let reading = NewReading { id: r.ours.fresh(r.n + 900_000), file: None };
        records.read_records(&admin, &at, r.ours.house, about, reading, 9).await?;
        let found = records.my_readings(&r.scope, None, 9).await?.readings;
        Ok(found.iter().any(|reading| reading.about.is_some()))
    };
    who_uses [Controller] |r| {
        r.kept_records().await?;
        r.guests().await?;
        Ok(!r.store.records().who_uses(&r.scope, r.ours.controller).await?.is_empty())
    };
    take_uses [Controller] |r| {
        r.kept_records().await?;
        let (entry, whose) = crate::records::told(r.n, r.ours.front, r.ours.kari, NOW);
        let (itself, journal) = (r.ours.controller, crate::alarms::journal(r.n));
        let taken =
            r.store.records().take_uses(&r.scope, &stamp(r.n), itself, journal, &[entry], &whose).await?;
        assert_ne!(taken, Some(0));
        Ok(taken.is_some())
    };
    site_mode [System Manager Admin Caretaker Auditor] |r| {
        Ok(r.store.sites().site_mode(&r.scope, r.ours.house).await?.is_some())
    };
    change_building [System Manager Admin] |r| {
        let name = label(&format!("House {}", r.n));
        let seen = r.store.parts().building_part(&r.ours.system(), r.ours.house).await?.unwrap();
        let wanted = Building { name, ..seen.value };
        let edited = r.store.parts().change_building(&r.scope, &stamp(r.n), seen.version, wanted).await?;
        Ok(edited != Edited::NotThere)
    };
    remove_building [System Manager] |r| {
        let building = Building { id: r.id(), ..r.ours.the_house() };
        r.store.sites().insert_building(&r.ours.system(), &stamp(1), building.clone()).await?;
        Ok(r.store.parts().remove_building(&r.scope, &stamp(r.n), building.id).await? != Removed::NotThere)
    };
    change_entrance [System Manager Admin] |r| {
        let wanted = Entrance { name: label("C"), ..r.entrance().await? };
        Ok(r.store.parts().change_entrance(&r.scope, &stamp(r.n), 1, wanted).await? != Edited::NotThere)
    };
    remove_entrance [System Manager Admin] |r| {
        let id = r.entrance().await?.id;
        Ok(r.store.parts().remove_entrance(&r.scope, &stamp(r.n), id).await? != Removed::NotThere)
    };
    change_unit [System Manager Admin] |r| {
        let wanted = UnitDoors { unit: r.unit().await?, doors: vec![r.ours.front] };
        Ok(r.store.parts().change_unit(&r.scope, &stamp(r.n), 1, wanted).await? != Edited::NotThere)
    };
    remove_unit [System Manager Admin] |r| {
        let id = r.unit().await?.id;
        Ok(r.store.parts().remove_unit(&r.scope, &stamp(r.n), id).await? != Removed::NotThere)
    };
    change_door [System Manager Admin] |r| {
        let door = r.door();
        r.store.doors().insert_door(&r.ours.system(), &stamp(1), door.clone(), false).await?;
        let wanted = Door { name: label("Side"), ..door };
        Ok(r.store.parts().change_door(&r.scope, &stamp(r.n), 1, wanted).await? != Edited::NotThere)
    };
    remove_door [System Manager Admin] |r| {
        let door = r.door();
        r.store.doors().insert_door(&r.ours.system(), &stamp(1), door.clone(), false).await?;
        Ok(r.store.parts().remove_door(&r.scope, &stamp(r.n), door.id).await? != Removed::NotThere)
    };
    change_panel [System Manager Admin Caretaker] |r| {
        let seen = r.store.parts().panel_part(&r.ours.system(), r.ours.panel).await?.unwrap();
        let wanted = klinke_model::intercom::Panel { name: label(&format!("Panel {}", r.n)), ..seen.value };
        let edited = r.store.parts().change_panel(&r.scope, &stamp(r.n), seen.version, wanted).await?;
        Ok(edited != Edited::NotThere)
    };
    remove_panel [System Manager Admin] |r| {
        let panel = klinke_model::intercom::Panel { id: r.id(), ..r.ours.the_panel() };
        r.store.intercom().pair_panel(&r.ours.system(), &stamp(1), panel.clone(), None).await?;
        Ok(r.store.parts().remove_panel(&r.scope, &stamp(r.n), panel.id).await? != Removed::NotThere)
    };
    change_controller [System Manager Admin Caretaker] |r| {
        let wanted = klinke_model::door::Controller { name: label("Loft"), ..r.controller().await? };
        Ok(r.store.parts().change_controller(&r.scope, &stamp(r.n), 1, wanted).await? != Edited::NotThere)
    };
    remove_controller [System Manager Admin Caretaker] |r| {
        let id = r.controller().await?.id;
        Ok(r.store.parts().remove_controller(&r.scope, &stamp(r.n), id).await? != Removed::NotThere)
    };
    // property managers
    tenants [System Manager ForeignSystem] |r| {
        Ok(r.store.tenants().tenants(&r.scope).await?.iter().any(|row| row.tenant.id == r.ours.tenant))
    };
    make_tenant [System Manager ForeignSystem] |r| {
        let new = crate::tenants::new_tenant(&r.ours, r.n);
        let id = new.tenant.id;
        r.store.tenants().make_tenant(&r.scope, &stamp(r.n), new).await?;
        Ok(!r.store.gate().is_suspended(id).await?)
    };
    change_tenant [System Manager ForeignSystem] |r| {
        let all = r.store.tenants().tenants(&r.ours.system()).await?;
        let seen = all.into_iter().find(|row| row.tenant.id == r.ours.tenant).unwrap();
        let name = label(&format!("Manager {}", r.n));
        let wanted = TenantRow { tenant: Tenant { name, ..seen.tenant.clone() }, ..seen };
        let changed = r.store.tenants().change_tenant(&r.scope, &stamp(r.n), wanted).await?;
        Ok(changed != TenantChanged::NotThere)
    };
    set_app_requirements [System Manager ForeignSystem] |r| {
        let wanted = AppRequirements { ios: format!("{}", r.n % 900), android: "11".to_owned() };
        r.store.tenants().set_app_requirements(&r.scope, &stamp(r.n), wanted.clone()).await?;
        Ok(r.store.gate().app_requirements().await? == wanted)
    };
    stopped [System] |r| Ok(r.store.tenants().stopped(&r.scope).await?.panels.contains(&r.ours.panel));
    // links to set a password
    way_in [System Manager Admin Auditor] |r| {
        Ok(r.store.invitations().way_in(&r.scope, r.ours.lone, at(0)).await?.is_some())
    };
    invite [System Manager Admin] |r| {
        r.store.invitations().invite(&r.scope, &stamp(r.n), r.ours.lone, r.id()).await
    };
    hand_over [System Manager Admin] |r| {
        r.store.invitations().hand_over(&r.scope, &stamp(r.n), r.ours.lone, hash(r.n), at(9)).await
    };
    withdraw [System Manager Admin] |r| {
        let person = r.resident().await?;
        r.store.invitations().hand_over(&r.ours.system(), &stamp(r.n), person, hash(r.n), at(9)).await?;
        r.store.invitations().withdraw(&r.scope, &stamp(r.n), person).await
    };
    addressee [System] |r| Ok(r.store.invitations().addressee(&r.scope, r.ours.lone).await?.is_some());
    sending [System] |r| r.store.invitations().sending(&r.scope, r.ours.lone, hash(r.n), at(9)).await;
    take [System] |r| {
        let job = r.job().await?;
        r.store.jobs().take(&r.scope, &job, at(1_000_000)).await
    };
    done [System] |r| {
        let job = r.job().await?;
        r.store.jobs().done(&r.scope, job.id, job.run_at).await
    };
    // addresses that are told of changes
    webhooks [System Manager Admin] |r| {
        let id = r.webhook().await?;
        Ok(r.store.webhooks().webhooks(&r.scope).await?.iter().any(|webhook| webhook.id == id))
    };
    webhook [System Manager Admin] |r| Ok(r.store.webhooks().webhook(&r.scope, r.webhook().await?).await?.is_some());
    add_webhook [System Manager Admin] |r| {
        let new = crate::webhooks::new_webhook(r.id(), Some(r.ours.house));
        r.store.webhooks().add_webhook(&r.scope, &stamp(r.n), new).await
    };
    change_webhook [System Manager Admin] |r| {
        let change = WebhookChange { version: 1, enabled: Some(false), ..WebhookChange::default() };
        let id = r.webhook().await?;
        let changed = r.store.webhooks().change_webhook(&r.scope, &stamp(r.n), id, change).await?;
        Ok(changed != WebhookChanged::NotFound)
    };
    rotate_webhook [System Manager Admin] |r| {
        let id = r.webhook().await?;
        Ok(r.store.webhooks().rotate_webhook(&r.scope, &stamp(r.n), id, at(9)).await?.is_some())
    };
    remove_webhook [System Manager Admin] |r| {
        let id = r.webhook().await?;
        r.store.webhooks().remove_webhook(&r.scope, &stamp(r.n), id).await
    };
    take_webhook [System] |r| {
        let due = DueWebhook { tenant: r.ours.tenant, id: r.message().await?, run_at: stamp(r.n).at };
        r.store.webhooks().take_webhook(&r.scope, &due, at(9)).await
    };
    next_message [System] |r| {
        let id = r.message().await?;
        Ok(r.store.webhooks().next_message(&r.scope, id).await?.is_some())
    };
    settle [System] |r| {
        let id = r.message().await?;
        let waiting = r.store.webhooks().next_message(&r.ours.system(), id).await?.unwrap();
        let until = stamp(r.n).at;
        r.store.webhooks().settle(&r.scope, &stamp(r.n), &waiting, until, Tried::Taken).await
    };
    // ordinary phones
    trunks [System Manager] |r| {
        let id = r.trunk().await?;
        Ok(r.store.trunks().trunks(&r.scope).await?.iter().any(|trunk| trunk.set.id == id))
    };
    trunk [System Manager] |r| Ok(r.store.trunks().trunk(&r.scope, r.trunk().await?).await?.is_some());
    add_trunk [System Manager] |r| {
        r.no_trunks().await?;
        let new = crate::phones::trunk(r.id());
        r.store.trunks().add_trunk(&r.scope, &stamp(r.n), new).await?;
        Ok(r.store.trunks().trunk(&r.ours.system(), r.id()).await?.is_some())
    };
    change_trunk [System Manager] |r| {
        let set = NewTrunk { enabled: false, ..crate::phones::trunk(r.trunk().await?) };
        let change = TrunkChange { version: 1, set, password: false };
        let changed = r.store.trunks().change_trunk(&r.scope, &stamp(r.n), change).await?;
        Ok(changed != TrunkChanged::NotFound)
    };
    remove_trunk [System Manager] |r| {
        let id = r.trunk().await?;
        r.store.trunks().remove_trunk(&r.scope, &stamp(r.n), id).await
    };
    note_test [System Manager] |r| {
        let id = r.trunk().await?;
        r.store.trunks().note_test(&r.scope, &stamp(r.n), id).await
    };
    order_trunks [System Manager] |r| {
        let id = r.trunk().await?;
        let ordered = r.store.trunks().order_trunks(&r.scope, &stamp(r.n), vec![id]).await?;
        Ok(matches!(ordered, TrunkOrdered::Done(_)))
    };
    phone_limits [System Manager] |r| {
        let calls = r.limits().await?;
        let found = r.store.trunks().phone_limits(&r.scope).await?;
        Ok(found.is_some_and(|(_, limits)| limits.tenant_day == calls))
    };
    set_phone_limits [System Manager] |r| {
        let before = r.limits().await?;
        let (version, mut limits) = r.store.trunks().phone_limits(&r.ours.system()).await?.unwrap();
        limits.tenant_day = if before == 7 { 8 } else { 7 };
        let set = r.store.trunks().set_phone_limits(&r.scope, &stamp(r.n), version, limits.clone()).await?;
        let (_, now) = r.store.trunks().phone_limits(&r.ours.system()).await?.unwrap();
        assert_eq!(now == limits, matches!(set, LimitsSet::Done(v) if v == version + 1));
        Ok(now == limits)
    };
    number [System Manager Admin Herself Auditor] |r| {
        r.number().await?;
        Ok(r.store.phone_numbers().number(&r.scope, r.ours.kari).await?.is_some())
    };
    vouch_number [System Manager Admin] |r| {
        let (person, number) = (r.resident().await?, crate::phones::number(7));
        r.store.phone_numbers().vouch_number(&r.scope, &stamp(r.n), person, number).await?;
        Ok(r.store.phone_numbers().number(&r.ours.system(), person).await?.is_some())
    };
    remove_number [System Manager Admin] |r| {
        r.number().await?;
        r.store.phone_numbers().remove_number(&r.scope, &stamp(r.n), r.ours.kari).await?;
        Ok(r.store.phone_numbers().number(&r.ours.system(), r.ours.kari).await?.is_none())
    };
    phones_of_buildings [System Manager Admin Auditor] |r| {
        r.number().await?;
        let found = r.store.phone_numbers().phones_of_buildings(&r.scope, None, 50).await?;
        Ok(found.iter().any(|house| house.building == r.ours.house && house.numbers > 0))
    };
    places [System] |r| {
        r.number().await?;
        Ok(!r.store.phone_numbers().places(&r.scope).await?.is_empty())
    };
    keep_my_number [Herself] |r| {
        r.number().await?;
        r.store.phone_numbers().keep_my_number(&r.scope, crate::phones::number(8)).await?;
        let found = r.store.phone_numbers().number(&r.ours.system(), r.ours.kari).await?;
        Ok(found.is_some_and(|found| found.number == crate::phones::number(8)))
    };
    remove_my_number [Herself] |r| {
        r.number().await?;
        r.store.phone_numbers().remove_my_number(&r.scope).await?;
        Ok(r.store.phone_numbers().number(&r.ours.system(), r.ours.kari).await?.is_none())
    };
    // devices that register over SIP
    sip_devices [System Manager Admin Herself Auditor] |r| {
        let device = r.sip_device(r.ours.kari).await?;
        let found = r.store.sip_accounts().sip_devices(&r.scope, r.ours.kari).await?;
        r.no_sip_device(r.ours.kari, device).await?;
        Ok(found.iter().any(|one| one.device.id == device))
    };
    add_sip_device [System Manager Admin] |r| {
        let person = r.resident().await?;
        let (device, account) = crate::sip_accounts::desk_phone(&r.ours, r.n, person);
        let added = r.store.sip_accounts().add_sip_device(&r.scope, &stamp(r.n), device, account).await?;
        let found = r.store.sip_accounts().sip_devices(&r.ours.system(), person).await?;
        assert_eq!(added == SipAdded::Done, found.len() == 1);
        Ok(!found.is_empty())
    };
    remove_sip_device [System Manager Admin] |r| {
        let person = r.resident().await?;
        let device = r.sip_device(person).await?;
        r.store.sip_accounts().remove_sip_device(&r.scope, &stamp(r.n), person, device).await?;
        Ok(r.store.sip_accounts().sip_devices(&r.ours.system(), person).await?.is_empty())
    };
    set_any_number [System Manager Admin Caretaker] |r| {
        let (panel, bell) = r.station_with_bell().await?;
        let accounts = r.store.sip_accounts();
        accounts.set_any_number(&r.ours.system(), &stamp(r.n), panel, None).await?;
        accounts.set_any_number(&r.scope, &stamp(r.n), panel, Some(bell)).await?;
        let seen = r.store.intercom().panel_seen(&r.ours.system(), panel).await?;
        Ok(seen.and_then(|seen| seen.any_number) == Some(bell))
    };
    bell_of_any_number [Panel] |r| {
        r.station_with_bell().await?;
        Ok(r.store.sip_accounts().bell_of_any_number(&r.scope).await?.is_some())
    };
    add_door_station [System Manager Admin Caretaker] |r| {
        let (panel, account) = crate::sip_accounts::door_station(&r.ours, r.n);
        r.store.sip_accounts().add_door_station(&r.scope, &stamp(r.n), panel, account).await
    };
    set_sip_panel [System Manager Admin Caretaker] |r| {
        r.sip_panel().await?;
        let account = crate::sip_accounts::account(&r.ours, r.n);
        let id = account.id;
        r.store.sip_accounts().set_sip_panel(&r.scope, &stamp(r.n), r.ours.panel, account).await?;
        Ok(r.store.gate().sip_logins().await?.iter().any(|login| login.id == id))
    };
    sip_accounts [System Manager Admin Caretaker Auditor] |r| {
        r.sip_panel().await?;
        let device = r.sip_device(r.ours.kari).await?;
        let found = r.store.sip_accounts().sip_accounts(&r.scope, None, 1_000).await?;
        r.no_sip_device(r.ours.kari, device).await?;
        let sees_people = r.store.people().may_in(&r.scope, Right::SeePeople, r.ours.house).await?;
        let devices = found.iter().any(|one| matches!(&one.owner, SipOwner::Device(found, _) if found.id == device));
        assert_eq!(devices, sees_people, "whose a device is, is told to who may see people");
        Ok(found.iter().any(|one| matches!(one.owner, SipOwner::Panel(id, _) if id == r.ours.panel)))
    };
    // lists of people
    insert_import [System Manager Admin] |r| {
        r.store.imports().insert_import(&r.scope, crate::imports::draft(&r.ours, r.id())).await
    };
    import [System Manager Admin] |r| {
        Ok(r.store.imports().import(&r.scope, r.import().await?, NOW).await?.is_some())
    };
    import_standing [System Manager Admin] |r| {
        Ok(r.store.imports().import_standing(&r.scope, r.import().await?, NOW).await?.is_some())
    };
    edit_import [System Manager Admin] |r| {
        let id = r.import().await?;
        let edited = r.store.imports().edit_import(&r.scope, id, NOW, |_| Some(String::new())).await?;
        Ok(edited != ImportOutcome::Absent)
    };
    discard_import [System Manager Admin] |r| {
        let discarded = r.store.imports().discard_import(&r.scope, r.import().await?, NOW).await?;
        Ok(discarded != ImportOutcome::Absent)
    };
    ask_import [System Manager Admin] |r| {
        let (id, stamp, wish) = (r.import().await?, stamp(r.n), crate::imports::APPLY);
        let asked = r.store.imports().ask_import(&r.scope, &stamp, id, wish, r.id()).await?;
        Ok(asked != ImportOutcome::Absent)
    };
    wished [System] |r| Ok(r.store.imports().wished(&r.scope, r.wished_import().await?).await?.is_some());
    give_up_import [System] |r| {
        let why = klinke_storage::record::ImportFailure::Interrupted;
        r.store.imports().give_up_import(&r.scope, r.wished_import().await?, why).await
    };
    house [System Manager Admin] |r| Ok(r.store.imports().house(&r.scope, r.ours.house).await?.is_some());
    apply_import [System Manager Admin] |r| {
        let (id, stamp) = (r.wished_import().await?, stamp(r.n));
        let nothing = |_: &House, _: String| Some(ImportPlan::default());
        let untold = &crate::imports::untold;
        let done = r.store.imports().apply_import(&r.scope, &stamp, id, at(9), nothing, untold).await?;
        Ok(done != ImportOutcome::Absent)
    };
    undo_import [System Manager Admin] |r| {
        let (id, stamp) = (r.import().await?, stamp(r.n));
        let undone = r.store.imports().undo_import(&r.scope, &stamp, id, &crate::imports::untold).await?;
        Ok(undone != ImportOutcome::Absent)
    };
};

fn at(millis: i64) -> klinke_model::time::Timestamp {
    klinke_model::time::Timestamp::from_millis(millis)
}

impl Run<'_> {
    /// A token of our manager for the house.
    async fn token(&self) -> Result<klinke_model::ids::ApiTokenId> {
        let new = crate::tokens::new_token(&self.ours, self.n, Some(self.ours.house), &[Right::Audit]);
        let (id, manager) = (new.id, self.ours.as_person(self.ours.manager));
        self.store.tokens().make_token(&manager, &stamp(self.n), new).await?;
        Ok(id)
    }

    /// A job of ours that waits.
    async fn job(&self) -> Result<klinke_storage::record::Job> {
        let person = self.resident().await?;
        self.store.invitations().invite(&self.ours.system(), &stamp(1), person, self.id()).await?;
        let then = NOW.plus(std::time::Duration::from_secs(9));
        let due = self.store.gate().due_jobs(klinke_storage::record::JobKind::Invite, then, 1_000).await?;
        Ok(due.into_iter().find(|job| job.subject == person.0).unwrap())
    }

    /// An address that is told of our house.
    async fn webhook(&self) -> Result<klinke_model::ids::WebhookId> {
        let new = crate::webhooks::new_webhook(self.id(), Some(self.ours.house));
        let id = new.id;
        self.store.webhooks().add_webhook(&self.ours.system(), &stamp(self.n), new).await?;
        Ok(id)
    }

    /// No trunk is in the way of another.
    async fn no_trunks(&self) -> Result<()> {
        for trunk in self.store.trunks().trunks(&self.ours.system()).await? {
            self.store.trunks().remove_trunk(&self.ours.system(), &stamp(self.n), trunk.set.id).await?;
        }
        Ok(())
    }

    /// The one trunk of ours.
    async fn trunk(&self) -> Result<klinke_model::ids::TrunkId> {
        self.no_trunks().await?;
        let new = crate::phones::trunk(self.id());
        let id = new.id;
        let added = self.store.trunks().add_trunk(&self.ours.system(), &stamp(self.n), new).await?;
        assert_eq!(added, TrunkAdded::Done);
        Ok(id)
    }

    /// Limits that are ours and not the default: how many calls a day.
    async fn limits(&self) -> Result<u16> {
        let (version, mut limits) = self.store.trunks().phone_limits(&self.ours.system()).await?.unwrap();
        limits.tenant_day = if limits.tenant_day == 5 { 6 } else { 5 };
        let calls = limits.tenant_day;
        self.store.trunks().set_phone_limits(&self.ours.system(), &stamp(self.n), version, limits).await?;
        Ok(calls)
    }

    /// A SIP device of somebody.
    async fn sip_device(&self, person: klinke_model::ids::PersonId) -> Result<klinke_model::ids::DeviceId> {
        let (device, account) = crate::sip_accounts::desk_phone(&self.ours, self.n, person);
        let (id, service) = (device.id, self.ours.system());
        let added =
            self.store.sip_accounts().add_sip_device(&service, &stamp(self.n), device, account).await?;
        assert_eq!(added, SipAdded::Done);
        Ok(id)
    }

    async fn no_sip_device(
        &self,
        person: klinke_model::ids::PersonId,
        device: klinke_model::ids::DeviceId,
    ) -> Result<()> {
        let service = self.ours.system();
        assert!(self.store.sip_accounts().remove_sip_device(&service, &stamp(self.n), person, device).await?);
        Ok(())
    }

    /// The panel of the probes is a door station.
    async fn sip_panel(&self) -> Result<()> {
        let account = crate::sip_accounts::account(&self.ours, self.n + 300_000);
        let (store, service) = (self.store.sip_accounts(), self.ours.system());
        let added = store.set_sip_panel(&service, &stamp(self.n), self.ours.panel, account).await?;
        assert_eq!(added, SipAdded::Done);
        Ok(())
    }

    /// The panel of the probes as a door station that rings a button with any number.
    async fn station_with_bell(&self) -> Result<(klinke_model::ids::PanelId, klinke_model::ids::BellId)> {
        self.sip_panel().await?;
        let members = vec![self.ours.member(self.ours.kari, "Kari")];
        let bell = self.ours.bell(self.id(), "Any number", BellKind::Family, members);
        let (id, panel, service) = (bell.id, bell.panel, self.ours.system());
        assert!(self.store.intercom().insert_bell(&service, &stamp(self.n), bell, None).await?);
        let set = self.store.sip_accounts().set_any_number(&service, &stamp(self.n), panel, Some(id)).await?;
        assert_eq!(set, AnyNumberSet::Done);
        Ok((panel, id))
    }

    /// A door that the panel of the probes opens, which is a door station.
    async fn relay(&self) -> Result<klinke_model::ids::DoorId> {
        self.sip_panel().await?;
        let (id, service) = (self.id(), self.ours.system());
        let door = crate::station_relays::undriven(&self.ours, id);
        assert!(self.store.doors().insert_door(&service, &stamp(1), door, false).await?);
        let relay = crate::station_relays::by_keys(&self.ours, id, "1*");
        let set = self.store.doors().set_station_relay(&service, &stamp(self.n), relay).await?;
        assert_eq!(set, RelaySet::Done);
        Ok(id)
    }

    /// A number of Kari's.
    async fn number(&self) -> Result<()> {
        let number = crate::phones::number(1);
        let numbers = self.store.phone_numbers();
        assert!(numbers.vouch_number(&self.ours.system(), &stamp(self.n), self.ours.kari, number).await?);
        Ok(())
    }

    /// One for which a message waits.
    async fn message(&self) -> Result<klinke_model::ids::WebhookId> {
        let (id, scope) = (self.webhook().await?, self.ours.system());
        let new = self.ours.person(self.id(), "New");
        self.store.people().add_person(&scope, &stamp(self.n), new, &[(self.ours.unit, false)]).await?;
        Ok(id)
    }

    /// A list of ours that is not applied.
    async fn import(&self) -> Result<klinke_model::ids::ImportId> {
        let draft = crate::imports::draft(&self.ours, self.id());
        let id = draft.id;
        self.store.imports().insert_import(&self.ours.system(), draft).await?;
        Ok(id)
    }

    /// One that somebody wishes to apply.
    async fn wished_import(&self) -> Result<klinke_model::ids::ImportId> {
        let (id, job) = (self.import().await?, self.id());
        let (system, wish) = (self.ours.system(), crate::imports::APPLY);
        self.store.imports().ask_import(&system, &stamp(self.n), id, wish, job).await?;
        Ok(id)
    }

    /// Somebody to take into a new home of ours, for which Kari decides as far as the policy leaves it to her.
    async fn new_member(&self) -> Result<NewMember> {
        let (ours, system) = (&self.ours, self.ours.system());
        let sites = self.store.sites();
        let unit = Unit { id: self.id(), building: ours.house, entrance: ours.entrance, number: label("N") };
        sites.insert_units(&system, &stamp(1), unit.building, std::slice::from_ref(&unit), &[]).await?;
        let place = Membership { person: ours.kari, unit: unit.id, owner: true };
        self.store.people().add_membership(&system, place).await?;
        let (version, mut policy) = sites.policy(&system, ours.house).await?.unwrap();
        policy.add_members = true;
        sites.set_policy(&system, &stamp(self.n), ours.house, version, policy).await?;
        let person = ours.person(self.id(), "New");
        Ok(NewMember { person, unit: unit.id, way: WayToMember::Hand(hash(self.n + 2_000_000), at(9)) })
    }

    /// Somebody whom Kari took into a new home of hers.
    async fn taken_in(&self) -> Result<(klinke_model::ids::UnitId, klinke_model::ids::PersonId)> {
        let new = self.new_member().await?;
        let (unit, person) = (new.unit, new.person.id);
        let kari = self.ours.as_person(self.ours.kari);
        assert_eq!(self.store.households().take_in(&kari, NOW, new).await?, Joined::Done);
        Ok((unit, person))
    }

    fn id<T: From<uuid::Uuid>>(&self) -> T {
        self.ours.fresh(self.n)
    }

    /// A new card of somebody in the house.
    async fn card(&self, person: klinke_model::ids::PersonId) -> Result<klinke_storage::record::NewCard> {
        let new = crate::cards::new_card(&self.ours, self.n, person);
        self.store.cards().insert_card(&self.ours.system(), &stamp(1), self.ours.house, new.clone()).await?;
        Ok(new)
    }

    /// A guest of the administration and one of Kari's, both of long ago, so that they stand in nobody's way.
    async fn guests(&self) -> Result<(klinke_model::ids::GuestId, klinke_model::ids::GuestId)> {
        let guests = self.store.guests();
        let house = crate::guests::guest(&self.ours, self.n, None);
        let own = crate::guests::guest(&self.ours, self.n + 500_000, Some(self.ours.unit));
        let ids = (house.id, own.id);
        let made = guests.insert_guest(&self.ours.system(), &stamp(self.n), house).await?;
        assert!(matches!(made, GuestMade::Done(_)), "{made:?}");
        let made = guests.insert_guest(&self.ours.as_person(self.ours.kari), &stamp(self.n), own).await?;
        assert!(matches!(made, GuestMade::Done(_)), "{made:?}");
        Ok(ids)
    }

    /// A code of Kari's own.
    async fn own_code(&self) -> Result<()> {
        crate::own_codes::policy(self.store, &self.ours, true, true).await;
        let kari = self.ours.as_person(self.ours.kari);
        let choices = crate::own_codes::choices(self.n);
        let made = self.store.own_codes().renew_my_code(&kari, self.ours.house, choices).await?;
        assert!(matches!(made, klinke_storage::record::MyCodeMade::Done(_)), "{made:?}");
        Ok(())
    }

    /// What the code of Kari's own is made with.
    async fn kari_s_code(&self) -> Result<Option<u64>> {
        let codes = self.store.own_codes().my_codes(&self.ours.as_person(self.ours.kari)).await?;
        Ok(codes.into_iter().find(|code| code.building == self.ours.house).and_then(|code| code.number))
    }

    /// A guest of Kari's whose mail waits.
    async fn mailed_guest(&self) -> Result<klinke_model::ids::GuestId> {
        let (_, own) = self.guests().await?;
        let kari = self.ours.as_person(self.ours.kari);
        assert!(self.store.guests().ask_guest_mail(&kari, NOW, own, crate::guests::to(), self.id()).await?);
        Ok(own)
    }

    /// A new schedule of the house.
    async fn schedule(&self) -> Result<klinke_model::rule::NamedSchedule> {
        let new = crate::rules::office_hours(&self.ours, self.n);
        self.store.rules().insert_schedule(&self.ours.system(), &stamp(1), new.clone()).await?;
        Ok(new)
    }

    /// A new group of people of the house.
    async fn people_group(&self) -> Result<klinke_model::rule::PeopleGroup> {
        let new = crate::groups::cleaners(&self.ours, self.n, &[self.ours.ola]);
        self.store.rules().insert_people_group(&self.ours.system(), &stamp(1), new.clone()).await?;
        Ok(new)
    }

    /// A new group of doors of the house.
    async fn door_group(&self) -> Result<klinke_model::rule::DoorGroup> {
        let new = crate::groups::cellars(&self.ours, self.n, &[self.ours.garage]);
        self.store.rules().insert_door_group(&self.ours.system(), &stamp(1), new.clone()).await?;
        Ok(new)
    }

    /// A new rule of the house, put aside so that it gives nothing to the other probes.
    async fn rule(&self) -> Result<klinke_model::rule::AccessRule> {
        let new = crate::rules::rule(&self.ours, self.n, self.ours.ola, self.ours.garage);
        let new = klinke_model::rule::AccessRule { active: false, name: label("Aside"), ..new };
        self.store.rules().insert_rule(&self.ours.system(), &stamp(1), new.clone()).await?;
        Ok(new)
    }

    /// A new person of ours.
    async fn person(&self) -> Result<klinke_model::ids::PersonId> {
        let person = self.ours.person(self.id(), "New");
        self.store.people().insert_person(&self.ours.system(), person.clone()).await?;
        Ok(person.id)
    }

    /// A new person of ours who lives with Kari.
    async fn resident(&self) -> Result<klinke_model::ids::PersonId> {
        let person = self.person().await?;
        let place = Membership { person, unit: self.ours.unit, owner: false };
        self.store.people().add_membership(&self.ours.system(), place).await?;
        Ok(person)
    }

    /// A picture that is to be put somewhere.
    fn new_picture(&self, number: u64) -> NewPicture {
        let content = klinke_model::privacy::Pii::new(b"a picture".to_vec());
        NewPicture { id: self.ours.fresh(self.n + number), content }
    }

    /// A picture on a button of ours, where pictures are allowed.
    async fn picture(&self) -> Result<klinke_model::ids::PictureId> {
        let (service, house) = (self.ours.system(), self.ours.house);
        let (version, mut policy) = self.store.sites().policy(&service, house).await?.unwrap();
        policy.pictures = true;
        self.store.sites().set_policy(&service, &stamp(self.n), house, version, policy).await?;
        let new = self.new_picture(600_000);
        let id = new.id;
        self.store.intercom().put_picture(&service, &stamp(self.n), self.ours.parallel, new).await?;
        Ok(id)
    }

    /// A new person of ours with a device, alone in a new home without a button.
    async fn reachable(&self) -> Result<klinke_model::ids::PersonId> {
        let person = self.person().await?;
        let (unit, number) = (self.ours.fresh(self.n + 300_000), label(&format!("N{}", self.n)));
        let home = Unit { id: unit, building: self.ours.house, entrance: self.ours.entrance, number };
        self.store
            .sites()
            .insert_units(&self.ours.system(), &stamp(1), self.ours.house, &[home], &[])
            .await?;
        let place = Membership { person, unit, owner: false };
        self.store.people().add_membership(&self.ours.system(), place).await?;
        self.store
            .devices()
            .sign_in(&self.ours.system(), self.ours.new_device(person, self.n + 400_000))
            .await?;
        Ok(person)
    }

    /// A move of a new person of ours who lives with Kari, due at once.
    async fn new_move(&self) -> Result<NewMove> {
        let (out, unit) = (vec![self.resident().await?], self.ours.unit);
        Ok(NewMove {
            id: self.id(),
            unit,
            last_day: 1,
            ends_at: stamp(self.n).at,
            out,
            to: None,
            into: vec![],
        })
    }

    async fn planned(&self) -> Result<klinke_model::ids::MoveId> {
        let new = self.new_move().await?;
        let id = new.id;
        self.store.moves().plan_move(&self.ours.system(), &stamp(self.n), new).await?;
        Ok(id)
    }

    /// An entrance of our house that nothing is at.
    async fn entrance(&self) -> Result<Entrance> {
        let entrance = Entrance { id: self.id(), building: self.ours.house, name: label("B") };
        self.store.sites().insert_entrance(&self.ours.system(), &stamp(1), entrance.clone()).await?;
        Ok(entrance)
    }

    /// A unit of our house where nobody lives.
    async fn unit(&self) -> Result<Unit> {
        let (building, entrance) = (self.ours.house, self.ours.entrance);
        let unit = Unit { id: self.id(), building, entrance, number: label("901") };
        self.store
            .sites()
            .insert_units(&self.ours.system(), &stamp(1), building, std::slice::from_ref(&unit), &[])
            .await?;
        Ok(unit)
    }

    /// A controller of our house that drives nothing.
    async fn controller(&self) -> Result<klinke_model::door::Controller> {
        let controller =
            klinke_model::door::Controller { id: self.id(), building: self.ours.house, name: label("New") };
        let certificate = hash(self.n + 1_000_000);
        self.store
            .doors()
            .pair_controller(&self.ours.system(), &stamp(1), controller.clone(), certificate, &[])
            .await?;
        Ok(controller)
    }

    /// An alarm of the house that nobody has seen.
    async fn alarm(&self) -> Result<klinke_model::ids::AlarmId> {
        let (store, itself) = (self.store.alarms(), self.ours.as_controller(self.ours.controller));
        let news = [crate::alarms::raised(self.n, AlarmKind::Mains, None)];
        // ended by the next one, whose journal is another
        let journal = crate::alarms::journal(self.n);
        store.take_news(&itself, &stamp(self.n), self.ours.controller, journal, &news).await?.unwrap();
        let page = store.alarms_page(&self.ours.system(), self.ours.house, None, 1).await?;
        Ok(page.alarms[0].id)
    }

    /// A commercial house that keeps no records of use.
    async fn no_records(&self) -> Result<()> {
        crate::records::becomes(self.store, &self.ours, self.ours.house, BuildingKind::Commercial).await;
        let manager = self.ours.as_person(self.ours.manager);
        assert!(self.store.records().end_records(&manager, &stamp(self.n), self.ours.house).await?);
        Ok(())
    }

    /// One whose manager asked for them; the version.
    async fn asked_records(&self) -> Result<u64> {
        self.no_records().await?;
        Ok(crate::records::asks(self.store, &self.ours, self.ours.house, crate::records::wish(14)).await)
    }

    /// One that keeps them.
    async fn kept_records(&self) -> Result<Site<Commercial>> {
        self.no_records().await?;
        Ok(crate::records::keeps(self.store, &self.ours, self.ours.house, crate::records::wish(14)).await)
    }

    /// That Kari opened the front door.
    async fn record(&self) -> Result<()> {
        let site = self.kept_records().await?;
        let record = crate::records::opened(&site, self.ours.front, self.ours.kari, NOW);
        let id = self.ours.fresh(self.n + 700_000);
        assert!(self.store.records().keep_record(&self.ours.system(), &stamp(1), id, record).await?);
        Ok(())
    }

    /// That the administrator read all of them.
    async fn reading(&self) -> Result<klinke_model::ids::RecordReadingId> {
        let reader = self.ours.as_person(self.ours.admin);
        let reading = NewReading { id: self.ours.fresh(self.n + 800_000), file: None };
        let (id, query, house) = (reading.id, RecordsQuery::default(), self.ours.house);
        let (records, stamp) = (self.store.records(), stamp(self.n));
        assert!(records.read_records(&reader, &stamp, house, query, reading, 9).await?.is_some());
        Ok(id)
    }

    /// A mail about alarms that is due.
    async fn alarm_mail(&self) -> Result<klinke_storage::record::DueAlarmMail> {
        self.store
            .alarms()
            .set_alarm_mail(&self.ours.system(), &stamp(self.n), self.ours.house, true)
            .await?;
        self.alarm().await?;
        let due = self
            .store
            .gate()
            .due_alarm_mails(klinke_model::time::Timestamp::from_millis(i64::MAX), 9)
            .await?;
        Ok(due[0])
    }

    fn door(&self) -> Door {
        let times = DoorTimes::default();
        Door { id: self.id(), controller: None, output: 0, times, ..self.ours.the_front() }
    }
}

/// Every probe of a quarter of the table as every principal; what differs from it. A town grows with each probe, and what it
/// is asked takes longer: each quarter has its own.
async fn differences(db: &Db, quarter: usize) -> Vec<String> {
    let (ours, theirs) = two_towns(db).await;
    let mut differences = Vec::new();
    let mut n = 1_000;
    let probes = PROBES.chunks(PROBES.len().div_ceil(4)).nth(quarter).unwrap();
    for (name, allowed, probe) in probes {
        for who in EVERYBODY {
            n += 1;
            let run = Run { store: &db.store, ours, scope: who.scope(&ours, &theirs), n };
            let got = probe(&run).await.unwrap_or_else(|error| panic!("{name} as {who:?}: {error}"));
            if got != allowed.contains(&who) {
                differences.push(format!("{name} as {who:?}: {}", if got { "allowed" } else { "refused" }));
            }
        }
    }
    differences
}

on_both! {
    async fn everybody_gets_what_the_first_quarter_of_the_table_says(db) {
        assert_eq!(differences(&db, 0).await, Vec::<String>::new());
    }

    async fn everybody_gets_what_the_second_quarter_of_the_table_says(db) {
        assert_eq!(differences(&db, 1).await, Vec::<String>::new());
    }

    async fn everybody_gets_what_the_third_quarter_of_the_table_says(db) {
        assert_eq!(differences(&db, 2).await, Vec::<String>::new());
    }

    async fn everybody_gets_what_the_last_quarter_of_the_table_says(db) {
        assert_eq!(differences(&db, 3).await, Vec::<String>::new());
    }

    async fn a_reference_to_another_property_managers_object_is_refused(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (scope, store) = (ours.system(), &db.store);
        let unit = Unit { id: ours.fresh(1), building: ours.house, entrance: theirs.entrance, number: label("1") };
        assert!(!store.sites().insert_units(&scope, &stamp(1), unit.building, &[unit], &[]).await.unwrap());
        let place = |person, unit| Membership { person, unit, owner: true };
        assert!(!store.people().add_membership(&scope, place(theirs.kari, ours.unit)).await.unwrap());
        for (person, building) in [(ours.kari, theirs.house), (theirs.kari, ours.house)] {
            let new = ours.role(person, Role::BuildingAdministrator, Some(building));
            assert!(!store.people().grant_role(&scope, &stamp(1), new).await.unwrap());
        }
        let admin = theirs.role(theirs.admin, Role::BuildingAdministrator, Some(theirs.house));
        assert_eq!(store.people().revoke_role(&scope, &stamp(1), admin.id).await.unwrap(), Revoked::NotThere);
        assert!(!store.people().insert_account(&scope, ours.account(theirs.kari, "new")).await.unwrap());
        assert!(!store.people().remove_membership(&scope, theirs.kari, ours.unit).await.unwrap());
        let panel = Panel { id: ours.fresh(2), doors: vec![theirs.front], ..ours.the_panel() };
        assert!(!store.intercom().pair_panel(&scope, &stamp(1), panel, None).await.unwrap());
        let members = vec![ours.member(theirs.kari, "Kari")];
        let bell = ours.bell(ours.fresh(3), "New", BellKind::Parallel, members);
        assert!(!store.intercom().insert_bell(&scope, &stamp(1), bell, Some(1)).await.unwrap());
        assert!(!store.doors().assign(&scope, ours.front, theirs.controller, 9).await.unwrap());
        assert!(!store.doors().give_unit_door(&scope, ours.unit, theirs.front).await.unwrap());
        assert!(!store.doors().give_unit_door(&scope, theirs.unit, ours.front).await.unwrap());
        assert!(!store.devices().sign_in(&scope, ours.new_device(theirs.kari, 1)).await.unwrap());
        assert!(!store.devices().sign_out(&scope, ours.kari, theirs.phone).await.unwrap());
        assert_eq!(store.doors().facts(&scope, theirs.kari, ours.front).await.unwrap(), None);
        assert_eq!(store.doors().facts(&scope, ours.kari, theirs.front).await.unwrap(), None);
    }
}

/// Every function that takes a scope is in the table: a new one must say who may call it.
#[test]
fn the_table_knows_every_repository_function() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/repo");
    let mut functions = BTreeSet::new();
    for file in [
        "sites",
        "people",
        "people_page",
        "people_change",
        "moves",
        "moves_page",
        "units_page",
        "buttons_page",
        "counts",
        "devices",
        "intercom",
        "doors",
        "station_bells",
        "station_relays",
        "controller_rights",
        "audit",
        "roles",
        "jobs",
        "invitations",
        "imports",
        "policy",
        "buttons",
        "households",
        "my_bells",
        "pictures",
        "me",
        "edit_sites",
        "edit_units",
        "edit_devices",
        "tenants",
        "people_end",
        "webhooks",
        "button_appears",
        "button_change",
        "rules",
        "schedules",
        "people_groups",
        "door_groups",
        "door_settings",
        "alarms",
        "alarm_mails",
        "who",
        "openers",
        "ghosts",
        "keys",
        "seen_by",
        "guests",
        "guest_homes",
        "guest_change",
        "guest_opening",
        "set_up",
        "tokens",
        "cards",
        "my_cards",
        "cards_import",
        "own_codes",
        "trunks",
        "phone_limits",
        "phone_numbers",
        "sip_accounts",
        "alarm_at_panel",
        "record_policy",
        "records",
        "record_readings",
        "record_uses",
    ] {
        let source = std::fs::read_to_string(folder.join(file).with_extension("rs")).unwrap();
        let methods = source.lines().filter_map(|line| line.strip_prefix("    pub async fn "));
        functions.extend(methods.filter_map(|line| line.split('(').next()).map(str::to_owned));
    }
    let probes: BTreeSet<_> = PROBES.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(functions, probes);
}

/// A principal that is none of the above: an id that nobody has.
#[tokio::test]
async fn an_unknown_person_gets_nothing() {
    let db = Db::sqlite().await;
    let (ours, _) = two_towns(&db).await;
    let nobody = Principal::Person { person: id(9), device: id(9) };
    let scope = Scope { tenant: ours.tenant, principal: nobody, at: NOW, view: None };
    assert_eq!(db.store.sites().buildings(&scope).await.unwrap(), []);
    assert_eq!(db.store.people().person(&scope, ours.kari).await.unwrap(), None);
}
