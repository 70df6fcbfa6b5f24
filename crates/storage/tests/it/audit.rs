//! What administrators changed.

use crate::database::{Db, on_both};
use crate::town::{NOW, Town, stamp, two_towns};
use klinke_access::decide::SiteMode;
use klinke_model::people::Role;
use klinke_storage::record::{AuditContent, AuditEntry, AuditProof, AuditQuery, Deleted};
use sea_orm::ConnectionTrait;
use tokio::task::JoinSet;

const ALL: AuditQuery = AuditQuery {
    building: None,
    person: None,
    action: None,
    from: None,
    until: None,
    before: None,
    limit: 200,
};

async fn entries(db: &Db, town: &Town, query: AuditQuery) -> Vec<AuditEntry> {
    db.store.audit().audit_entries(&town.system(), query).await.unwrap()
}

async fn proof(db: &Db, town: &Town) -> AuditProof {
    db.store.audit().verify_audit(&town.system()).await.unwrap().unwrap()
}

/// The manager switches the house's emergency on and off, `count` times.
async fn change(db: &Db, town: &Town, count: u64) {
    for n in 0..count {
        let mode = if n % 2 == 0 { SiteMode::LockedDown } else { SiteMode::Normal };
        let manager = town.as_person(town.manager);
        assert!(db.store.sites().set_mode(&manager, &stamp(n), town.house, mode).await.unwrap());
    }
}

async fn tamper(db: &Db, sql: &str) {
    let connection = db.connection().await;
    connection.execute_unprepared(sql).await.unwrap();
    connection.close().await.unwrap();
}

fn tenant(town: &Town, db: &Db) -> String {
    let id = town.tenant.0;
    if db.url.starts_with("sqlite") { format!("x'{}'", id.simple()) } else { format!("'{id}'") }
}

on_both! {
    async fn a_change_tells_who_by_which_role_and_what_was(db) {
        let (ours, _) = two_towns(&db).await;
        change(&db, &ours, 1).await;
        let newest = entries(&db, &ours, AuditQuery { limit: 1, ..ALL }).await;
        let [entry] = newest.as_slice() else { panic!("{newest:?}") };
        assert_eq!((entry.at, entry.building, entry.action.as_str()), (NOW, Some(ours.house), "building.mode_changed"));
        let content = entry.content.clone().unwrap().into_inner();
        let mode = |mode| Some(serde_json::json!({ "mode": mode }));
        assert_eq!(content, AuditContent {
            actor: Some(ours.manager),
            token: None,
            role: "manager".to_owned(),
            before: mode("normal"),
            after: mode("locked_down"),
        });
    }

    async fn entries_are_found_by_building_and_person_and_come_in_pages(db) {
        let (ours, _) = two_towns(&db).await;
        change(&db, &ours, 3).await;
        let all = entries(&db, &ours, ALL).await;
        assert!(all.is_sorted_by_key(|entry| std::cmp::Reverse(entry.seq)) && all.len() > 4);
        let page = entries(&db, &ours, AuditQuery { before: Some(all[1].seq), limit: 2, ..ALL }).await;
        assert_eq!(page, all[2..4]);
        let of_admin = entries(&db, &ours, AuditQuery { person: Some(ours.admin), ..ALL }).await;
        assert!(of_admin.iter().all(|entry| entry.persons.contains(&ours.admin)) && !of_admin.is_empty());
        let of_office = entries(&db, &ours, AuditQuery { building: Some(ours.office), ..ALL }).await;
        assert!(of_office.iter().all(|entry| entry.building == Some(ours.office)) && !of_office.is_empty());
        let admin = db.store.audit().audit_entries(&ours.as_person(ours.admin), ALL).await.unwrap();
        assert!(admin.iter().all(|entry| entry.building == Some(ours.house)) && !admin.is_empty());
    }

    async fn entries_are_found_by_what_happened_and_when(db) {
        let (ours, _) = two_towns(&db).await;
        change(&db, &ours, 2).await;
        let modes = entries(&db, &ours, AuditQuery { action: Some("building.mode".to_owned()), ..ALL }).await;
        assert_eq!(modes.len(), 2);
        let buildings = entries(&db, &ours, AuditQuery { action: Some("building".to_owned()), ..ALL }).await;
        assert!(buildings.len() > 2 && buildings.iter().all(|entry| entry.action.starts_with("building.")));
        let (before, after) = (NOW, klinke_model::time::Timestamp::from_millis(NOW.as_millis() + 1));
        let since = async |from, until| entries(&db, &ours, AuditQuery { from, until, ..ALL }).await.len();
        assert_eq!(since(Some(after), None).await, 0);
        let (earlier, then) = (since(None, Some(before)).await, since(Some(before), Some(after)).await);
        assert!(earlier > 0 && then > 2);
        assert_eq!(earlier + then, since(None, None).await);
    }

    async fn names_are_those_of_now_for_who_may_see_them(db) {
        let (ours, _) = two_towns(&db).await;
        let (store, manager) = (&db.store, ours.as_person(ours.manager));
        let home = |owner| klinke_model::people::Membership { person: ours.kari, unit: ours.unit, owner };
        for owner in [true, false] {
            assert!(store.people().set_home(&manager, &stamp(5), home(owner)).await.unwrap());
        }
        let query = AuditQuery { person: Some(ours.kari), action: Some("home".to_owned()), limit: 1, ..ALL };
        let named = async |who| {
            let page = store.audit().audit_page(&who, query.clone()).await.unwrap();
            let mut names: Vec<_> = page.names.into_iter().map(|name| (name.id, name.name.into_inner().to_string())).collect();
            names.sort();
            names
        };
        let seen = named(ours.system()).await;
        let ids: std::collections::BTreeSet<_> = seen.iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, [ours.kari.0, ours.manager.0, ours.unit.0, ours.house.0].into());
        assert!(seen.iter().any(|(_, name)| name == "Kari Haugen"), "{seen:?}");
        assert_eq!(named(ours.as_person(ours.admin)).await, seen, "who audits the house");
        assert_eq!(named(ours.as_person(ours.office_admin)).await, []);
    }

    async fn a_person_is_deleted_with_what_the_audit_says_and_the_chain_holds(db) {
        let (ours, _) = two_towns(&db).await;
        let (store, scope, manager) = (&db.store, ours.system(), ours.as_person(ours.manager));
        let (people, new) = (store.people(), ours.person(ours.fresh(20), "Slettmeg"));
        assert!(people.add_person(&manager, &stamp(1), new.clone(), &[(ours.unit, false)]).await.unwrap());
        assert!(people.insert_account(&scope, ours.account(new.id, "slettmeg")).await.unwrap());
        assert!(store.devices().sign_in(&scope, ours.new_device(new.id, 80)).await.unwrap());
        let said = entries(&db, &ours, AuditQuery { person: Some(new.id), ..ALL }).await;
        assert!(format!("{:?}", said[0].content.as_ref().unwrap().reveal()).contains("Slettmeg"));

        let delete = async |who| people.delete_person(&who, &stamp(2), new.id).await.unwrap();
        assert_eq!(delete(manager).await, Deleted::StillHere, "lives here");
        let mona = people.delete_person(&scope, &stamp(2), ours.manager).await.unwrap();
        assert_eq!(mona, Deleted::StillHere, "has a role");
        assert_eq!(people.delete_person(&manager, &stamp(2), ours.manager).await.unwrap(), Deleted::NotThere, "oneself");
        assert!(people.take_home(&manager, &stamp(3), new.id, ours.unit).await.unwrap());
        assert_eq!(delete(ours.as_person(ours.admin)).await, Deleted::NotThere, "a manager does it");
        let devices = vec![ours.new_device(new.id, 80).device.id];
        assert_eq!(delete(manager).await, Deleted::Done(devices));
        assert_eq!(delete(manager).await, Deleted::NotThere);

        assert_eq!(people.person(&scope, new.id).await.unwrap(), None);
        assert_eq!(store.gate().account("slettmeg").await.unwrap(), None);
        assert_eq!(entries(&db, &ours, AuditQuery { person: Some(new.id), ..ALL }).await, []);
        let all = store.audit().audit_page(&scope, ALL).await.unwrap();
        let erased: Vec<_> = all.entries.iter().filter(|entry| entry.content.is_none()).map(|entry| entry.action.as_str()).collect();
        assert_eq!(erased, ["home.taken", "person.added"]);
        assert_eq!(all.entries[0].action, "person.deleted");
        let connection = db.connection().await;
        for table in ["person", "person_word", "account", "device", "audit_person"] {
            let column = if table == "person" { "id" } else { "person" };
            let backend = connection.get_database_backend();
            let id = if db.url.starts_with("sqlite") { format!("x'{}'", new.id.0.simple()) } else { format!("'{}'", new.id) };
            let sql = format!("SELECT 1 AS there FROM {table} WHERE {column} = {id}");
            let left = connection.query_all_raw(sea_orm::Statement::from_string(backend, sql)).await.unwrap();
            assert!(left.is_empty(), "{table}");
        }
        connection.close().await.unwrap();
        let proof = proof(&db, &ours).await;
        assert_eq!((proof.first_bad, proof.erased), (None, 2));
    }

    async fn pairing_is_told_with_what_was_given(db) {
        let (ours, _) = two_towns(&db).await;
        let (store, caretaker) = (&db.store, ours.as_person(ours.caretaker));
        let panel = klinke_model::intercom::Panel { id: ours.fresh(30), ..ours.the_panel() };
        assert!(store.intercom().pair_panel(&caretaker, &stamp(1), panel, Some(vec![1])).await.unwrap());
        let name = klinke_model::text::Label::new("Cellar").unwrap();
        let controller = klinke_model::door::Controller { id: ours.fresh(31), building: ours.house, name };
        let certificate = crate::town::hash(31);
        let drives = [(ours.garage, 7)];
        assert!(store.doors().pair_controller(&caretaker, &stamp(2), controller, certificate, &drives).await.unwrap());
        let newest = entries(&db, &ours, AuditQuery { limit: 2, ..ALL }).await;
        let told = |entry: &AuditEntry| {
            let content = entry.content.clone().unwrap().into_inner();
            (entry.action.clone(), content.role, content.after.unwrap())
        };
        let (action, role, after) = told(&newest[0]);
        assert_eq!((action.as_str(), role.as_str()), ("controller.paired", "caretaker"));
        assert_eq!(after["doors"], serde_json::json!([{ "door": ours.garage, "output": 7 }]));
        assert_eq!(told(&newest[1]).0, "panel.paired");
    }

    async fn signing_out_everywhere_ends_every_device_and_says_not_how_many(db) {
        let (ours, _) = two_towns(&db).await;
        let (store, admin) = (&db.store, ours.as_person(ours.admin));
        let done = store.people().sign_out_everywhere(&admin, &stamp(1), ours.kari).await.unwrap().unwrap();
        assert!(done.devices.len() > 1, "her phone and the hallway");
        assert_eq!(store.devices().list(&ours.system(), ours.kari).await.unwrap(), []);
        let newest = entries(&db, &ours, AuditQuery { limit: 1, ..ALL }).await;
        let after = newest[0].content.as_ref().unwrap().reveal().after.clone();
        assert_eq!((newest[0].action.as_str(), after), ("person.signed_out", Some(serde_json::json!({ "person": ours.kari }))));
    }

    async fn a_list_of_people_names_them_and_keeps_its_figures_when_one_is_erased(db) {
        let (ours, _) = two_towns(&db).await;
        let (store, scope, id) = (&db.store, ours.system(), ours.fresh(1));
        assert!(store.imports().insert_import(&scope, crate::imports::draft(&ours, id)).await.unwrap());
        let many: Vec<_> = (0..2_500).map(|n| ours.fresh::<klinke_model::ids::PersonId>(1_000 + n)).collect();
        let decide = |_: &klinke_storage::record::House, _: &str| {
            let person = |id: &klinke_model::ids::PersonId| (*id, ours.person(*id, "New").into());
            let people = many.iter().map(person).collect();
            Some((klinke_storage::record::ImportPlan { people, ..Default::default() }, String::new()))
        };
        let ends = klinke_model::time::Timestamp::from_millis(NOW.as_millis() + 1_000);
        store.imports().apply_import(&scope, &stamp(2), id, ends, decide).await.unwrap();
        for person in [many[0], many[2_499]] {
            let found = entries(&db, &ours, AuditQuery { person: Some(person), ..ALL }).await;
            assert_eq!(found.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(), ["import.applied"]);
        }
        store.audit().erase_from_audit(&scope, many[0]).await.unwrap();
        let newest = entries(&db, &ours, AuditQuery { limit: 1, ..ALL }).await;
        assert_eq!(newest[0].content.as_ref().unwrap().reveal().after.as_ref().unwrap()["people"], 2_500);
        assert_eq!(entries(&db, &ours, AuditQuery { person: Some(many[0]), ..ALL }).await, []);
    }

    async fn a_chain_that_nobody_touched_verifies_and_its_head_moves(db) {
        let (ours, theirs) = two_towns(&db).await;
        let before = proof(&db, &ours).await;
        assert_eq!((before.first_bad, before.erased), (None, 0));
        change(&db, &ours, 2).await;
        let after = proof(&db, &ours).await;
        assert_eq!((after.first_bad, after.entries), (None, before.entries + 2));
        assert_ne!(after.head, before.head);
        assert_ne!(after.head, proof(&db, &theirs).await.head);
    }

    async fn what_was_tampered_with_is_found(db) {
        for (what, sql, bad) in [
            ("flipped content", "UPDATE audit SET content = replace(content, 'normal', 'abnorma') WHERE seq = @2 AND tenant = @t", 2),
            ("another action", "UPDATE audit SET action = 'nothing.happened' WHERE seq = @2 AND tenant = @t", 2),
            ("another moment", "UPDATE audit SET at = at + 1 WHERE seq = @2 AND tenant = @t", 2),
            ("another building", "UPDATE audit SET building = NULL WHERE seq = @2 AND tenant = @t", 2),
            ("half erased", "UPDATE audit SET content = NULL WHERE seq = @2 AND tenant = @t", 2),
            ("dropped", "DELETE FROM audit WHERE seq = @2 AND tenant = @t", 2),
            ("dropped the first", "DELETE FROM audit WHERE seq = 1 AND tenant = @t", 1),
            ("cut out", "DELETE FROM audit WHERE seq BETWEEN @2 AND @3 AND tenant = @t", 2),
            ("dropped and closed up", "DELETE FROM audit WHERE seq = @2 AND tenant = @t;
                UPDATE audit SET seq = @2 WHERE seq = @3 AND tenant = @t", 2),
            ("reordered", "UPDATE audit SET seq = 9999 WHERE seq = @2 AND tenant = @t;
                UPDATE audit SET seq = @2 WHERE seq = @3 AND tenant = @t;
                UPDATE audit SET seq = @3 WHERE seq = 9999 AND tenant = @t", 2),
        ] {
            let db = if db.folder.is_some() { Db::sqlite().await } else { Db::postgres().await };
            let (ours, theirs) = two_towns(&db).await;
            let start = proof(&db, &ours).await.entries;
            change(&db, &ours, 4).await;
            let first = start + 2;
            let sql = sql
                .replace("@t", &tenant(&ours, &db))
                .replace("@2", &first.to_string())
                .replace("@3", &(first + 1).to_string());
            tamper(&db, &sql).await;
            let expected = if bad == 1 { 1 } else { first };
            assert_eq!(proof(&db, &ours).await.first_bad, Some(expected), "{what}");
            assert_eq!(proof(&db, &theirs).await.first_bad, None, "{what}: the neighbour's chain");
        }
    }

    async fn erased_content_is_gone_and_the_chain_still_verifies(db) {
        let (ours, theirs) = two_towns(&db).await;
        let new = ours.role(ours.lone, Role::BuildingAdministrator, Some(ours.house));
        assert!(db.store.people().grant_role(&ours.system(), &stamp(7), new).await.unwrap());
        change(&db, &ours, 2).await;
        let before = proof(&db, &ours).await;
        assert_eq!(db.store.audit().erase_from_audit(&theirs.system(), ours.lone).await.unwrap(), 0);
        assert_eq!(db.store.audit().erase_from_audit(&ours.system(), ours.lone).await.unwrap(), 1);
        assert_eq!(proof(&db, &ours).await, AuditProof { erased: 1, ..before });
        assert_eq!(entries(&db, &ours, AuditQuery { person: Some(ours.lone), ..ALL }).await, []);
        let erased: Vec<_> =
            entries(&db, &ours, ALL).await.into_iter().filter(|entry| entry.content.is_none()).collect();
        assert!(matches!(erased.as_slice(), [one] if one.action == "role.given" && one.persons.is_empty()));
    }

    async fn many_administrators_at_once_make_one_chain(db) {
        let (ours, _) = two_towns(&db).await;
        let start = proof(&db, &ours).await.entries;
        let mut writers = JoinSet::new();
        for n in 0..8 {
            let store = db.store.clone();
            writers.spawn(async move {
                for _ in 0..4 {
                    let manager = ours.as_person(ours.manager);
                    store.sites().set_mode(&manager, &stamp(n), ours.house, SiteMode::Normal).await.unwrap();
                }
            });
        }
        writers.join_all().await;
        let proof = proof(&db, &ours).await;
        assert_eq!((proof.entries, proof.first_bad), (start + 32, None));
    }
}
