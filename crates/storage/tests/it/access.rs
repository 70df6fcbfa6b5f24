//! Who sees and changes what: every repository function × every principal. What is not in the table is refused, above
//! all whatever belongs to another property manager.
//!
//! A probe is one call on *our* town. It answers whether the principal got or changed something. Probes that change
//! make what they change themselves (as the service), so that every principal finds it as the first one did.

use crate::database::{Db, on_both};
use crate::town::{NOW, Town, hash, id, label, stamp, two_towns};
use klinke_access::decide::SiteMode;
use klinke_model::door::{Door, DoorTimes};
use klinke_model::intercom::{BellKind, Panel};
use klinke_model::people::{Membership, Role, RoleGrant};
use klinke_model::scope::{Principal, Scope};
use klinke_model::site::{Building, Entrance, Unit};
use klinke_storage::record::{AuditQuery, Changed, NewMove, PeopleQuery};
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

const EVERYBODY: [Who; 18] = [
    System,
    Manager,
    Admin,
    OfficeAdmin,
    Herself,
    Neighbour,
    Suspended,
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
    buildings [System Manager Admin] |r| {
        let found = r.store.sites().buildings(&r.scope).await?;
        Ok(found.iter().any(|building| building.id == r.ours.house))
    };
    building [System Manager Admin] |r| Ok(r.store.sites().building(&r.scope, r.ours.house).await?.is_some());
    entrances [System Manager Admin] |r| Ok(!r.store.sites().entrances(&r.scope, r.ours.house).await?.is_empty());
    units [System Manager Admin] |r| Ok(!r.store.sites().units(&r.scope, r.ours.house).await?.is_empty());
    insert_building [System Manager] |r| {
        let building = Building { id: r.id(), ..r.ours.the_house() };
        r.store.sites().insert_building(&r.scope, building.clone()).await?;
        Ok(r.store.sites().building(&r.ours.system(), building.id).await?.is_some())
    };
    insert_entrance [System Manager Admin] |r| {
        let entrance = Entrance { id: r.id(), building: r.ours.house, name: label("B") };
        r.store.sites().insert_entrance(&r.scope, entrance).await
    };
    insert_unit [System Manager Admin] |r| {
        let unit = Unit {
            id: r.id(), building: r.ours.house, entrance: r.ours.entrance, number: label("901"),
        };
        r.store.sites().insert_unit(&r.scope, unit).await
    };
    set_mode [System Manager Admin] |r| {
        r.store.sites().set_mode(&r.scope, &stamp(r.n), r.ours.house, SiteMode::Normal).await
    };
    // people
    insert_person [System Manager Admin OfficeAdmin] |r| {
        let person = r.ours.person(r.id(), "New");
        r.store.people().insert_person(&r.scope, person.clone()).await?;
        Ok(r.store.people().person(&r.ours.system(), person.id).await?.is_some())
    };
    person [System Manager Admin Herself] |r| Ok(r.store.people().person(&r.scope, r.ours.kari).await?.is_some());
    set_active [System Manager] |r| r.store.people().set_active(&r.scope, r.ours.kari, true).await;
    insert_account [System Manager] |r| {
        let person = r.resident().await?;
        let account = r.ours.account(person, &format!("user{}", r.n));
        r.store.people().insert_account(&r.scope, account).await
    };
    add_membership [System Manager Admin] |r| {
        let person = r.person().await?;
        let place = Membership { person, unit: r.ours.unit, owner: false };
        r.store.people().add_membership(&r.scope, place).await
    };
    remove_membership [System Manager Admin] |r| {
        let person = r.resident().await?;
        r.store.people().remove_membership(&r.scope, person, r.ours.unit).await
    };
    roles [System Manager Admin] |r| Ok(!r.store.people().roles(&r.scope, r.ours.admin).await?.is_empty());
    grant_role [System Manager] |r| {
        let grant = RoleGrant { role: Role::BuildingAdministrator, building: Some(r.ours.house) };
        let person = r.person().await?;
        r.store.people().grant_role(&r.scope, &stamp(r.n), person, grant).await
    };
    page [System Manager Admin] |r| {
        let query = PeopleQuery { limit: 200, ..PeopleQuery::default() };
        let page = r.store.people().page(&r.scope, &query).await?;
        Ok(page.people.iter().any(|row| row.person.id == r.ours.kari))
    };
    row [System Manager Admin] |r| Ok(r.store.people().row(&r.scope, r.ours.kari).await?.is_some());
    unit_members [System Manager Admin] |r| {
        Ok(!r.store.people().unit_members(&r.scope, r.ours.house).await?.is_empty())
    };
    // audit
    audit_entries [System Manager Admin] |r| {
        let query = AuditQuery { building: Some(r.ours.house), limit: 9, ..AuditQuery::default() };
        Ok(!r.store.audit().audit_entries(&r.scope, query).await?.is_empty())
    };
    verify_audit [System Manager] |r| {
        let ours = r.store.audit().verify_audit(&r.ours.system()).await?;
        Ok(r.store.audit().verify_audit(&r.scope).await? == ours)
    };
    erase_from_audit [System] |r| {
        let person = r.person().await?;
        let grant = RoleGrant { role: Role::BuildingAdministrator, building: Some(r.ours.house) };
        r.store.people().grant_role(&r.ours.system(), &stamp(r.n), person, grant).await?;
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
    preview_move [System Manager Admin] |r| {
        Ok(r.store.moves().preview_move(&r.scope, r.ours.unit).await?.is_some())
    };
    plan_move [System Manager Admin] |r| {
        let new = r.new_move().await?;
        r.store.moves().plan_move(&r.scope, &stamp(r.n), new).await
    };
    moves [System Manager Admin] |r| {
        r.planned().await?;
        Ok(!r.store.moves().moves(&r.scope, r.ours.house).await?.is_empty())
    };
    one_move [System Manager Admin] |r| {
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
    panels [System Manager Admin] |r| Ok(!r.store.intercom().panels(&r.scope, r.ours.house).await?.is_empty());
    panel [System Manager Admin Panel] |r| Ok(r.store.intercom().panel(&r.scope, r.ours.panel).await?.is_some());
    insert_panel [System Manager Admin] |r| {
        let panel = klinke_model::intercom::Panel { id: r.id(), ..r.ours.the_panel() };
        r.store.intercom().insert_panel(&r.scope, panel, None).await
    };
    set_panel_key [System Manager Admin] |r| {
        r.store.intercom().set_panel_key(&r.scope, r.ours.panel, vec![5]).await
    };
    bells [System Manager Admin] |r| Ok(!r.store.intercom().bells(&r.scope, r.ours.house).await?.is_empty());
    insert_bell [System Manager Admin] |r| {
        let bell = r.ours.bell(r.id(), "New", BellKind::Parallel, vec![r.ours.member(r.ours.kari, "K")]);
        r.store.intercom().insert_bell(&r.scope, bell, 9).await
    };
    directory [System Manager Admin Panel] |r| {
        Ok(r.store.intercom().directory(&r.scope, r.ours.panel).await?.is_some())
    };
    ring_facts [System Panel] |r| Ok(r.store.intercom().ring_facts(&r.scope, r.ours.family).await?.is_some());
    // doors
    doors [System Manager Admin] |r| Ok(!r.store.doors().doors(&r.scope, r.ours.house).await?.is_empty());
    door [System Manager Admin] |r| Ok(r.store.doors().door(&r.scope, r.ours.front).await?.is_some());
    insert_door [System Manager Admin] |r| r.store.doors().insert_door(&r.scope, r.door()).await;
    give_unit_door [System Manager Admin] |r| {
        r.store.doors().give_unit_door(&r.scope, r.ours.unit, r.ours.garage).await
    };
    assign [System Manager Admin] |r| {
        let door = r.door();
        r.store.doors().insert_door(&r.ours.system(), door.clone()).await?;
        let output = u16::try_from(r.n).unwrap();
        r.store.doors().assign(&r.scope, door.id, r.ours.controller, output).await
    };
    controllers [System Manager Admin] |r| {
        Ok(!r.store.doors().controllers(&r.scope, r.ours.house).await?.is_empty())
    };
    insert_controller [System Manager Admin] |r| {
        let controller =
            klinke_model::door::Controller { id: r.id(), building: r.ours.house, name: label("New") };
        r.store.doors().insert_controller(&r.scope, controller, hash(r.n), &[]).await
    };
    doors_of_controller [System Manager Admin Controller] |r| {
        Ok(r.store.doors().doors_of_controller(&r.scope, r.ours.controller).await?.is_some())
    };
    openable [System Herself] |r| Ok(!r.store.doors().openable(&r.scope, r.ours.kari).await?.is_empty());
    facts [System Herself] |r| {
        Ok(r.store.doors().facts(&r.scope, r.ours.kari, r.ours.front).await?.is_some())
    };
};

impl Run<'_> {
    fn id<T: From<uuid::Uuid>>(&self) -> T {
        self.ours.fresh(self.n)
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

    /// A move of a new person of ours who lives with Kari, due at once.
    async fn new_move(&self) -> Result<NewMove> {
        let (out, unit) = (vec![self.resident().await?], self.ours.unit);
        Ok(NewMove { id: self.id(), unit, last_day: 1, ends_at: stamp(self.n).at, out, into: vec![] })
    }

    async fn planned(&self) -> Result<klinke_model::ids::MoveId> {
        let new = self.new_move().await?;
        let id = new.id;
        self.store.moves().plan_move(&self.ours.system(), &stamp(self.n), new).await?;
        Ok(id)
    }

    fn door(&self) -> Door {
        let times = DoorTimes::default();
        Door { id: self.id(), controller: None, output: 0, times, ..self.ours.the_front() }
    }
}

/// Every probe as every principal; what differs from the table.
async fn differences(db: &Db) -> Vec<String> {
    let (ours, theirs) = two_towns(db).await;
    let mut differences = Vec::new();
    let mut n = 1_000;
    for (name, allowed, probe) in PROBES {
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
    async fn everybody_gets_what_the_table_says_and_a_stranger_nothing(db) {
        assert_eq!(differences(&db).await, Vec::<String>::new());
    }

    async fn a_reference_to_another_property_managers_object_is_refused(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (scope, store) = (ours.system(), &db.store);
        let unit = Unit { id: ours.fresh(1), building: ours.house, entrance: theirs.entrance, number: label("1") };
        assert!(!store.sites().insert_unit(&scope, unit).await.unwrap());
        let place = |person, unit| Membership { person, unit, owner: true };
        assert!(!store.people().add_membership(&scope, place(theirs.kari, ours.unit)).await.unwrap());
        let grant = |building| RoleGrant { role: Role::BuildingAdministrator, building: Some(building) };
        assert!(!store.people().grant_role(&scope, &stamp(1), ours.kari, grant(theirs.house)).await.unwrap());
        assert!(!store.people().grant_role(&scope, &stamp(1), theirs.kari, grant(ours.house)).await.unwrap());
        assert!(!store.people().insert_account(&scope, ours.account(theirs.kari, "new")).await.unwrap());
        assert!(!store.people().remove_membership(&scope, theirs.kari, ours.unit).await.unwrap());
        let panel = Panel { id: ours.fresh(2), doors: vec![theirs.front], ..ours.the_panel() };
        assert!(!store.intercom().insert_panel(&scope, panel, None).await.unwrap());
        let members = vec![ours.member(theirs.kari, "Kari")];
        let bell = ours.bell(ours.fresh(3), "New", BellKind::Parallel, members);
        assert!(!store.intercom().insert_bell(&scope, bell, 1).await.unwrap());
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
    for file in
        ["sites", "people", "people_page", "people_change", "moves", "devices", "intercom", "doors", "audit"]
    {
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
    let scope = Scope { tenant: ours.tenant, principal: nobody, at: NOW };
    assert_eq!(db.store.sites().buildings(&scope).await.unwrap(), []);
    assert_eq!(db.store.people().person(&scope, ours.kari).await.unwrap(), None);
}
