//! Buttons: edited, moderated, dialled, in the building's order, and there by themselves.

use crate::database::on_both;
use crate::town::{Town, label, stamp, two_towns};
use klinke_model::ids::BellId;
use klinke_model::intercom::{BellKind, DialCode, Listing, Moderation};
use klinke_model::policy::{BuildingPolicy, ButtonOrder};
use klinke_model::privacy::Pii;
use klinke_storage::record::{BellChange, Button, ButtonChanged, ButtonEdit, Look, PanelDirectory};
use klinke_storage::{Intercom, StorageError};

fn edit(button: &Button) -> ButtonEdit {
    let button = button.clone();
    ButtonEdit {
        label: button.bell.label,
        alias: button.alias,
        kind: button.bell.kind,
        members: button.bell.members,
        listing: button.listing,
        dial_code: button.dial_code,
        hidden: button.hidden,
    }
}

fn code(text: &str) -> Option<Pii<DialCode>> {
    Some(Pii::new(DialCode::new(text).unwrap()))
}

async fn button(intercom: &Intercom<'_>, ours: &Town, bell: BellId) -> Button {
    intercom.button(&ours.system(), bell).await.unwrap().unwrap().1
}

async fn shown(intercom: &Intercom<'_>, ours: &Town) -> PanelDirectory {
    intercom.directory(&ours.as_panel(ours.panel), ours.panel).await.unwrap().unwrap()
}

fn texts(directory: &PanelDirectory) -> Vec<&str> {
    directory.bells.iter().map(|bell| bell.label.reveal().as_str()).collect()
}

on_both! {
    async fn an_administrator_changes_everything_of_a_button_at_once(db) {
        let (ours, _) = two_towns(&db).await;
        let (intercom, admin) = (db.store.intercom(), ours.as_person(ours.admin));
        let before = button(&intercom, &ours, ours.family).await;
        let revision = shown(&intercom, &ours).await.revision;
        let wanted = ButtonEdit {
            label: Pii::new(label("Nordmann")),
            alias: Some(Pii::new(label("Tannlege"))),
            kind: BellKind::Parallel,
            members: before.bell.members.iter().rev().cloned().collect(),
            listing: Listing::SearchOnly,
            ..edit(&before)
        };
        let change = async |version, edit: &ButtonEdit| {
            intercom.change_bell(&admin, &stamp(1), ours.family, version, edit, false).await.unwrap()
        };
        assert_eq!(change(before.version + 1, &wanted).await, ButtonChanged::Conflict);
        assert_eq!(button(&intercom, &ours, ours.family).await, before);
        assert_eq!(change(before.version, &wanted).await, ButtonChanged::Done);
        let after = button(&intercom, &ours, ours.family).await;
        assert_eq!((edit(&after), after.version), (wanted.clone(), before.version + 1));
        assert_eq!(change(before.version, &edit(&before)).await, ButtonChanged::Conflict);
        let directory = shown(&intercom, &ours).await;
        let there = directory.bells.iter().find(|bell| bell.bell == ours.family).unwrap();
        assert!(there.search_only && there.members.is_empty());
        assert_eq!(there.alias, wanted.alias);
        assert_ne!(directory.revision, revision);

        let alone = ButtonEdit { kind: BellKind::Individual, ..wanted.clone() };
        let refused = intercom.change_bell(&admin, &stamp(1), ours.family, 2, &alone, false).await;
        assert!(matches!(refused, Err(StorageError::Invalid(_))));
        // nobody who does not live there
        let stranger = ButtonEdit { members: vec![ours.member(ours.lone, "Lone")], ..wanted };
        assert_eq!(change(after.version, &stranger).await, ButtonChanged::NotThere);
        assert_eq!(button(&intercom, &ours, ours.family).await, after);
    }

    async fn the_same_button_on_all_panels_is_changed_in_one_go(db) {
        let (ours, _) = two_towns(&db).await;
        let (intercom, admin) = (db.store.intercom(), ours.as_person(ours.admin));
        let before = button(&intercom, &ours, ours.family).await;
        let mut there = before.bell.clone();
        (there.id, there.panel) = (ours.fresh(1), ours.garage_panel);
        assert!(intercom.insert_bell(&admin, &stamp(1), there.clone(), None).await.unwrap());
        let mut other = there.clone();
        (other.id, other.label) = (ours.fresh(2), Pii::new(label("Another")));
        assert!(intercom.insert_bell(&admin, &stamp(1), other.clone(), None).await.unwrap());
        let wanted = ButtonEdit { label: Pii::new(label("Everywhere")), dial_code: code("4711"), ..edit(&before) };
        let changed = intercom.change_bell(&admin, &stamp(1), ours.family, before.version, &wanted, true).await;
        assert_eq!(changed.unwrap(), ButtonChanged::Done);
        for bell in [ours.family, there.id] {
            assert_eq!(edit(&button(&intercom, &ours, bell).await), wanted);
        }
        assert_eq!(button(&intercom, &ours, other.id).await.bell.label, other.label);
    }

    async fn a_code_rings_one_button_of_one_panel_that_no_list_shows(db) {
        let (ours, theirs) = two_towns(&db).await;
        let (intercom, admin) = (db.store.intercom(), ours.as_person(ours.admin));
        let before = button(&intercom, &ours, ours.family).await;
        let dial = |digits: &str| DialCode::new(digits).unwrap();
        let wanted = ButtonEdit { listing: Listing::DialOnly, dial_code: code("4711"), ..edit(&before) };
        assert!(!shown(&intercom, &ours).await.dials);
        let nothing = ButtonEdit { dial_code: None, ..wanted.clone() };
        let refused = intercom.change_bell(&admin, &stamp(1), ours.family, 1, &nothing, false).await;
        assert!(matches!(refused, Err(StorageError::Invalid(_))));
        let change = async |bell, edit: &ButtonEdit| {
            let version = button(&intercom, &ours, bell).await.version;
            intercom.change_bell(&admin, &stamp(1), bell, version, edit, false).await.unwrap()
        };
        assert_eq!(change(ours.family, &wanted).await, ButtonChanged::Done);
        let directory = shown(&intercom, &ours).await;
        assert!(directory.dials && directory.bells.iter().all(|bell| bell.bell != ours.family));
        let at = async |scope, digits| intercom.bell_by_code(&scope, &dial(digits)).await.unwrap();
        assert_eq!(at(ours.as_panel(ours.panel), "4711").await, Some(ours.family));
        assert_eq!(at(ours.as_panel(ours.panel), "4712").await, None);
        assert_eq!(at(ours.as_panel(ours.garage_panel), "4711").await, None, "a code of another panel");
        assert_eq!(at(theirs.as_panel(theirs.panel), "4711").await, None);
        let rung = intercom.ring_facts(&ours.as_panel(ours.panel), ours.family).await.unwrap();
        assert!(rung.is_some());

        // one code, one button
        let also = ButtonEdit { dial_code: code("4711"), ..edit(&button(&intercom, &ours, ours.parallel).await) };
        assert_eq!(change(ours.parallel, &also).await, ButtonChanged::CodeTaken);
        // hidden is hidden
        assert_eq!(change(ours.family, &ButtonEdit { hidden: true, ..wanted }).await, ButtonChanged::Done);
        assert_eq!(at(ours.as_panel(ours.panel), "4711").await, None);
        assert!(!shown(&intercom, &ours).await.dials);
        assert_eq!(intercom.ring_facts(&ours.as_panel(ours.panel), ours.family).await.unwrap(), None);
    }

    async fn what_residents_wrote_is_approved_or_put_back_or_removed(db) {
        let (ours, _) = two_towns(&db).await;
        let (intercom, admin, kari) =
            (db.store.intercom(), ours.as_person(ours.admin), ours.as_person(ours.kari));
        let households = db.store.households();
        let first = button(&intercom, &ours, ours.individual).await.bell.label;
        let look = async |look: Look| {
            let version = button(&intercom, &ours, ours.individual).await.version;
            let done = intercom.moderate_bell(&admin, &stamp(1), ours.individual, version, &look).await.unwrap();
            assert_eq!(done, ButtonChanged::Done);
            button(&intercom, &ours, ours.individual).await
        };
        let write = async |text: &str| {
            let version = button(&intercom, &ours, ours.individual).await.version;
            let wish = BellChange { label: Some(Pii::new(label(text))), ..BellChange::default() };
            households.change_my_bell(&kari, ours.individual, version, wish).await.unwrap();
            button(&intercom, &ours, ours.individual).await
        };
        // at once, then looked at
        let written = write("Rude").await;
        assert_eq!((written.moderation, &written.before), (Moderation::Pending, &Some(first.clone())));
        assert!(texts(&shown(&intercom, &ours).await).contains(&"Rude"));
        let back = look(Look::PutBack).await;
        assert_eq!((back.bell.label, back.moderation, back.before), (first.clone(), Moderation::None, None));
        write("Kari").await;
        let approved = look(Look::Approve).await;
        assert_eq!((approved.bell.label, approved.moderation), (Pii::new(label("Kari")), Moderation::None));

        // first looked at
        let policy = BuildingPolicy { approve_first: true, ..BuildingPolicy::default() };
        db.store.sites().set_policy(&admin, &stamp(1), ours.house, 0, policy).await.unwrap();
        let waits = write("Waits").await;
        assert_eq!((waits.moderation, waits.asked), (Moderation::Pending, Some(Pii::new(label("Waits")))));
        assert!(!texts(&shown(&intercom, &ours).await).contains(&"Waits"));
        assert_eq!(look(Look::Approve).await.bell.label, Pii::new(label("Waits")));
        assert!(texts(&shown(&intercom, &ours).await).contains(&"Waits"));

        // taken off: nobody but an administrator brings it back
        let removed = look(Look::Remove(label("It insults a neighbour"))).await;
        assert_eq!(removed.moderation, Moderation::Removed);
        assert_eq!(removed.removed_reason, Some(label("It insults a neighbour")));
        assert!(!texts(&shown(&intercom, &ours).await).contains(&"Waits"));
        assert_eq!(write("Again").await, removed);
        let stale = intercom.moderate_bell(&admin, &stamp(1), ours.individual, 1, &Look::BringBack).await;
        assert_eq!(stale.unwrap(), ButtonChanged::Conflict);
        let brought = look(Look::BringBack).await;
        assert_eq!((brought.moderation, brought.removed_reason), (Moderation::None, None));
        assert!(texts(&shown(&intercom, &ours).await).contains(&"Waits"));
    }

    async fn the_policy_says_in_which_order_the_panel_shows(db) {
        let (ours, _) = two_towns(&db).await;
        let (intercom, sites, admin) = (db.store.intercom(), db.store.sites(), ours.as_person(ours.admin));
        for (number, text) in [(1, "Øst 10"), (2, "øst 2"), (3, "Andersson"), (4, "Åkesson")] {
            let bell = ours.bell(ours.fresh(number), text, BellKind::Parallel, vec![]);
            assert!(intercom.insert_bell(&admin, &stamp(1), bell, None).await.unwrap());
        }
        let placed = shown(&intercom, &ours).await;
        let by_text = BuildingPolicy { button_order: ButtonOrder::ByText, ..BuildingPolicy::default() };
        sites.set_policy(&admin, &stamp(1), ours.house, 0, by_text).await.unwrap();
        let sorted = shown(&intercom, &ours).await;
        let four: Vec<_> = texts(&sorted)
            .into_iter()
            .filter(|text| ["Øst 10", "øst 2", "Andersson", "Åkesson"].contains(text))
            .collect();
        // å comes last where the building stands
        assert_eq!(four, ["Andersson", "øst 2", "Øst 10", "Åkesson"]);
        assert_ne!(sorted.revision, placed.revision);
        let by_unit = BuildingPolicy { button_order: ButtonOrder::ByUnit, ..BuildingPolicy::default() };
        sites.set_policy(&admin, &stamp(1), ours.house, 1, by_unit).await.unwrap();
        // all of one unit: as they were placed
        assert_eq!(texts(&shown(&intercom, &ours).await), texts(&placed));
    }

    async fn quiet_hours_come_with_what_a_tap_needs(db) {
        let (ours, _) = two_towns(&db).await;
        let quiet = Some(klinke_model::policy::QuietHours { from: 1_320, until: 420 });
        let policy = BuildingPolicy { quiet_hours: quiet, ..BuildingPolicy::default() };
        let facts = async || {
            db.store.intercom().ring_facts(&ours.as_panel(ours.panel), ours.family).await.unwrap().unwrap().quiet_hours
        };
        assert_eq!(facts().await, None);
        db.store.sites().set_policy(&ours.system(), &stamp(1), ours.house, 0, policy).await.unwrap();
        assert_eq!(facts().await, quiet);
    }

    async fn a_home_without_a_button_gets_one_when_somebody_can_be_rung(db) {
        let (ours, _) = two_towns(&db).await;
        let (intercom, service) = (db.store.intercom(), ours.system());
        // kari has a device, but her home has buttons; lone has none of both
        assert_eq!(intercom.unlisted(&service, ours.kari).await.unwrap(), []);
        assert_eq!(intercom.unlisted(&service, ours.lone).await.unwrap(), []);
        assert!(db.store.devices().sign_in(&service, ours.new_device(ours.lone, 91)).await.unwrap());
        let missing = intercom.unlisted(&service, ours.lone).await.unwrap();
        assert!(missing.iter().any(|place| place.panel == ours.panel && place.unit == ours.neighbour_unit));
        let ids: Vec<BellId> = (1..=u64::try_from(missing.len()).unwrap()).map(|number| ours.fresh(number)).collect();

        let off = BuildingPolicy { button_by_itself: false, ..BuildingPolicy::default() };
        db.store.sites().set_policy(&service, &stamp(1), ours.house, 0, off).await.unwrap();
        assert_eq!(intercom.list_by_itself(&service, &stamp(1), ours.lone, &ids).await.unwrap(), []);
        db.store.sites().set_policy(&service, &stamp(1), ours.house, 1, BuildingPolicy::default()).await.unwrap();

        assert_eq!(intercom.list_by_itself(&service, &stamp(1), ours.lone, &ids).await.unwrap(), missing);
        let directory = shown(&intercom, &ours).await;
        let new = directory.bells.iter().find(|bell| ids.contains(&bell.bell)).unwrap();
        let person = db.store.people().person(&service, ours.lone).await.unwrap().unwrap();
        assert_eq!((Some(&new.label), new.kind), (person.name.as_ref(), BellKind::Individual));
        let facts = intercom.ring_facts(&service, new.bell).await.unwrap().unwrap();
        assert_eq!(facts.bell.members.iter().map(|member| member.person).collect::<Vec<_>>(), [ours.lone]);
        // once
        assert_eq!(intercom.list_by_itself(&service, &stamp(2), ours.lone, &ids).await.unwrap(), []);
    }
}
