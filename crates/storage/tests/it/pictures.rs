//! Pictures on buttons: who puts them there, who sees them, and when they go.

use crate::database::{Db, on_both};
use crate::town::{Town, label, stamp, two_towns};
use klinke_model::ids::{BellId, PersonId, PictureId};
use klinke_model::intercom::{Listing, Moderation, Picture, PictureState};
use klinke_model::policy::{BuildingPolicy, DecidedBy};
use klinke_model::privacy::Pii;
use klinke_model::scope::Scope;
use klinke_storage::record::{
    AuditQuery, BellChange, BellChanged, Button, ButtonChanged, ButtonEdit, Look, NewPicture, PictureSet,
};

async fn allow(db: &Db, town: &Town, change: impl FnOnce(&mut BuildingPolicy)) {
    let (version, mut policy) = db.store.sites().policy(&town.system(), town.house).await.unwrap().unwrap();
    change(&mut policy);
    db.store.sites().set_policy(&town.system(), &stamp(9), town.house, version, policy).await.unwrap();
}

/// A town that allows pictures.
async fn pictured_town(db: &Db) -> Town {
    let (ours, _) = two_towns(db).await;
    allow(db, &ours, |policy| policy.pictures = true).await;
    ours
}

fn new(town: &Town, number: u64) -> NewPicture {
    let content = format!("the picture {number} of {}", town.tenant).into_bytes();
    NewPicture { id: town.fresh(number), content: Pii::new(content) }
}

async fn put(db: &Db, town: &Town, person: PersonId, bell: BellId, number: u64) -> PictureSet {
    let scope = town.as_person(person);
    db.store.households().set_my_picture(&scope, bell, Some(new(town, number))).await.unwrap()
}

async fn button(db: &Db, town: &Town, bell: BellId) -> Button {
    db.store.intercom().button(&town.system(), bell).await.unwrap().unwrap().1
}

/// What the panel shows on a button.
async fn shown(db: &Db, town: &Town, bell: BellId) -> Option<PictureId> {
    let directory = db.store.intercom().directory(&town.as_panel(town.panel), town.panel).await.unwrap();
    directory.unwrap().bells.iter().find(|one| one.bell == bell).and_then(|one| one.picture)
}

async fn seen(db: &Db, scope: &Scope, picture: PictureId) -> bool {
    db.store.intercom().picture(scope, picture).await.unwrap().is_some()
}

async fn look(db: &Db, town: &Town, bell: BellId, look: Look) -> Button {
    let version = button(db, town, bell).await.version;
    let admin = town.as_person(town.admin);
    let done = db.store.intercom().moderate_bell(&admin, &stamp(1), bell, version, &look).await.unwrap();
    assert_eq!(done, ButtonChanged::Done);
    button(db, town, bell).await
}

on_both! {
    async fn a_picture_is_there_only_where_the_policy_allows_pictures(db) {
        let (ours, _) = two_towns(&db).await;
        let refused = put(&db, &ours, ours.ola, ours.family, 1).await;
        assert_eq!(refused, PictureSet::Decided(DecidedBy::Administrator));
        let (intercom, admin) = (db.store.intercom(), ours.as_person(ours.admin));
        let refused = intercom.put_picture(&admin, &stamp(1), ours.family, new(&ours, 2)).await.unwrap();
        assert_eq!(refused, PictureSet::Decided(DecidedBy::Administrator));
        allow(&db, &ours, |policy| policy.pictures = true).await;
        let revision = intercom.directory(&admin, ours.panel).await.unwrap().unwrap().revision;
        assert_eq!(put(&db, &ours, ours.ola, ours.family, 3).await, PictureSet::Done(ours.house));
        assert_eq!(shown(&db, &ours, ours.family).await, Some(ours.fresh(3)));
        assert_ne!(intercom.directory(&admin, ours.panel).await.unwrap().unwrap().revision, revision);
        let content = intercom.picture(&ours.as_panel(ours.panel), ours.fresh(3)).await.unwrap();
        assert_eq!(content.as_ref(), Some(new(&ours, 3).content.reveal()));
        // switched off: none is told of, none is given out
        allow(&db, &ours, |policy| policy.pictures = false).await;
        assert_eq!(shown(&db, &ours, ours.family).await, None);
        assert_eq!(button(&db, &ours, ours.family).await.picture, None);
        for scope in [ours.as_panel(ours.panel), admin, ours.as_person(ours.ola), ours.system()] {
            assert!(!seen(&db, &scope, ours.fresh(3)).await, "{scope:?}");
        }
        // to have less is always allowed
        let away = db.store.households().set_my_picture(&ours.as_person(ours.ola), ours.family, None).await;
        assert_eq!(away.unwrap(), PictureSet::Done(ours.house));
        allow(&db, &ours, |policy| policy.pictures = true).await;
        assert_eq!(shown(&db, &ours, ours.family).await, None);
    }

    async fn a_picture_is_seen_by_the_panel_its_residents_and_who_sees_the_people(db) {
        let ours = pictured_town(&db).await;
        put(&db, &ours, ours.ola, ours.family, 1).await;
        let picture = ours.fresh(1);
        for person in [ours.kari, ours.ola, ours.admin, ours.manager, ours.auditor] {
            assert!(seen(&db, &ours.as_person(person), picture).await);
        }
        for person in [ours.lone, ours.gone, ours.caretaker, ours.office_admin, ours.expired, ours.unbound] {
            assert!(!seen(&db, &ours.as_person(person), picture).await);
        }
        assert!(seen(&db, &ours.as_panel(ours.panel), picture).await);
        assert!(!seen(&db, &ours.as_panel(ours.garage_panel), picture).await, "it is on another panel");
        assert!(!seen(&db, &ours.as_controller(ours.controller), picture).await);
        // what is not on the panel is not given to it
        let hide = |hidden| BellChange { hidden: Some(hidden), ..BellChange::default() };
        let change = async |hidden| {
            let (version, households) = (button(&db, &ours, ours.family).await.version, db.store.households());
            let scope = ours.as_person(ours.ola);
            let changed = households.change_my_bell(&scope, ours.family, version, hide(hidden)).await.unwrap();
            assert!(matches!(changed, BellChanged::Done(_)));
        };
        change(true).await;
        assert!(!seen(&db, &ours.as_panel(ours.panel), picture).await);
        change(false).await;
        assert!(seen(&db, &ours.as_panel(ours.panel), picture).await);
        let found = button(&db, &ours, ours.family).await;
        let edit = ButtonEdit {
            label: found.bell.label,
            alias: None,
            kind: found.bell.kind,
            members: found.bell.members,
            listing: Listing::DialOnly,
            dial_code: Some(Pii::new(klinke_model::intercom::DialCode::new("4711").unwrap())),
            hidden: false,
        };
        let admin = ours.as_person(ours.admin);
        let intercom = db.store.intercom();
        let changed = intercom.change_bell(&admin, &stamp(1), ours.family, found.version, &edit, false).await;
        assert_eq!(changed.unwrap(), ButtonChanged::Done);
        assert!(!seen(&db, &ours.as_panel(ours.panel), picture).await);
    }

    async fn a_picture_that_was_replaced_is_nobodys(db) {
        let ours = pictured_town(&db).await;
        put(&db, &ours, ours.ola, ours.family, 1).await;
        let version = button(&db, &ours, ours.family).await.version;
        put(&db, &ours, ours.kari, ours.family, 2).await;
        assert_eq!(button(&db, &ours, ours.family).await.version, version + 1);
        assert!(!seen(&db, &ours.system(), ours.fresh(1)).await);
        assert!(seen(&db, &ours.system(), ours.fresh(2)).await);
        // nobody puts one on a button that is not theirs
        assert_eq!(put(&db, &ours, ours.lone, ours.family, 3).await, PictureSet::NotThere);
        assert_eq!(put(&db, &ours, ours.ola, ours.individual, 3).await, PictureSet::NotThere);
        assert_eq!(put(&db, &ours, ours.gone, ours.family, 3).await, PictureSet::NotThere, "suspended");
        assert_eq!(shown(&db, &ours, ours.family).await, Some(ours.fresh(2)));
    }

    async fn a_picture_waits_where_an_administrator_looks_first(db) {
        let ours = pictured_town(&db).await;
        allow(&db, &ours, |policy| policy.approve_first = true).await;
        put(&db, &ours, ours.ola, ours.family, 1).await;
        let waits = button(&db, &ours, ours.family).await;
        assert_eq!(waits.picture, Some(Picture { id: ours.fresh(1), state: PictureState::Waits }));
        assert_eq!(waits.moderation, Moderation::Pending);
        assert_eq!(shown(&db, &ours, ours.family).await, None);
        assert!(!seen(&db, &ours.as_panel(ours.panel), ours.fresh(1)).await);
        assert!(seen(&db, &ours.as_person(ours.ola), ours.fresh(1)).await && seen(&db, &ours.as_person(ours.admin), ours.fresh(1)).await);
        let approved = look(&db, &ours, ours.family, Look::Approve).await;
        assert_eq!((approved.picture.unwrap().state, approved.moderation), (PictureState::Seen, Moderation::None));
        assert_eq!(shown(&db, &ours, ours.family).await, Some(ours.fresh(1)));
        // refused: it is gone, and so is a text that waits with it
        put(&db, &ours, ours.ola, ours.family, 2).await;
        let refused = look(&db, &ours, ours.family, Look::PutBack).await;
        assert_eq!((refused.picture, refused.moderation), (None, Moderation::None));
    }

    async fn a_new_picture_is_there_at_once_and_a_text_can_still_be_put_back(db) {
        let ours = pictured_town(&db).await;
        put(&db, &ours, ours.ola, ours.family, 1).await;
        let found = button(&db, &ours, ours.family).await;
        assert_eq!((found.picture.unwrap().state, found.moderation), (PictureState::New, Moderation::Pending));
        let first = found.bell.label;
        let wish = BellChange { label: Some(Pii::new(label("Rude"))), ..BellChange::default() };
        let changed = db.store.households().change_my_bell(&ours.as_person(ours.ola), ours.family, found.version, wish).await;
        assert!(matches!(changed.unwrap(), BellChanged::Done(_)));
        assert_eq!(button(&db, &ours, ours.family).await.before, Some(first.clone()));
        let back = look(&db, &ours, ours.family, Look::PutBack).await;
        assert_eq!((back.bell.label, back.picture), (first, None));
    }

    async fn an_administrator_takes_a_picture_away_and_says_why(db) {
        let ours = pictured_town(&db).await;
        put(&db, &ours, ours.ola, ours.family, 1).await;
        let taken = look(&db, &ours, ours.family, Look::TakePicture(label("It shows a neighbour"))).await;
        assert_eq!((taken.picture, taken.moderation), (None, Moderation::None));
        assert_eq!(shown(&db, &ours, ours.family).await, None);
        assert!(!seen(&db, &ours.system(), ours.fresh(1)).await, "it is gone for everybody");
        let mine = db.store.households().my_bells(&ours.as_person(ours.ola)).await.unwrap();
        let mine = mine.into_iter().find(|bell| bell.id == ours.family).unwrap();
        assert_eq!(mine.picture_reason, Some(label("It shows a neighbour")));
        // there is nothing left to take
        let (admin, again) = (ours.as_person(ours.admin), Look::TakePicture(label("Again")));
        let none = db.store.intercom().moderate_bell(&admin, &stamp(2), ours.family, taken.version, &again).await;
        assert_eq!(none.unwrap(), ButtonChanged::NotThere);
        // the next one waits, though the building asks for no approval; approved, the reason is over
        put(&db, &ours, ours.ola, ours.family, 2).await;
        assert_eq!(shown(&db, &ours, ours.family).await, None);
        let approved = look(&db, &ours, ours.family, Look::Approve).await;
        assert_eq!((approved.picture_reason, approved.picture.unwrap().state), (None, PictureState::Seen));
        put(&db, &ours, ours.ola, ours.family, 3).await;
        assert_eq!(shown(&db, &ours, ours.family).await, Some(ours.fresh(3)));
        // the audit says that, and why; the picture itself is not in it
        let query = AuditQuery { limit: 200, ..AuditQuery::default() };
        let told = format!("{:?}", db.store.audit().audit_entries(&ours.system(), query).await.unwrap());
        assert!(told.contains("bell.picture_taken") && !told.contains("the picture 1 of"), "{told}");
    }

    async fn a_button_that_comes_back_has_what_stood_and_nothing_that_waited(db) {
        let ours = pictured_town(&db).await;
        put(&db, &ours, ours.ola, ours.family, 1).await;
        let removed = look(&db, &ours, ours.family, Look::Remove(label("Rude"))).await;
        assert_eq!(removed.picture.unwrap().state, PictureState::Seen);
        assert!(!seen(&db, &ours.as_panel(ours.panel), ours.fresh(1)).await);
        let refused = put(&db, &ours, ours.ola, ours.family, 2).await;
        assert_eq!(refused, PictureSet::Decided(DecidedBy::Administrator));
        look(&db, &ours, ours.family, Look::BringBack).await;
        assert_eq!(shown(&db, &ours, ours.family).await, Some(ours.fresh(1)));
        allow(&db, &ours, |policy| policy.approve_first = true).await;
        put(&db, &ours, ours.ola, ours.family, 3).await;
        assert_eq!(look(&db, &ours, ours.family, Look::Remove(label("Rude"))).await.picture, None);
        look(&db, &ours, ours.family, Look::BringBack).await;
        assert_eq!(shown(&db, &ours, ours.family).await, None, "what waited was not let in by that");
    }

    async fn an_administrator_puts_a_picture_that_needs_no_look(db) {
        let ours = pictured_town(&db).await;
        allow(&db, &ours, |policy| policy.approve_first = true).await;
        let (intercom, admin) = (db.store.intercom(), ours.as_person(ours.admin));
        let put = intercom.put_picture(&admin, &stamp(1), ours.family, new(&ours, 1)).await.unwrap();
        assert_eq!(put, PictureSet::Done(ours.house));
        let found = button(&db, &ours, ours.family).await;
        assert_eq!((found.picture.unwrap().state, found.moderation), (PictureState::Seen, Moderation::None));
        assert_eq!(shown(&db, &ours, ours.family).await, Some(ours.fresh(1)));
        // it is the button's: nobody's moving out takes it along
        let people = db.store.people();
        assert!(people.remove_membership(&ours.system(), ours.ola, ours.unit).await.unwrap());
        assert_eq!(shown(&db, &ours, ours.family).await, Some(ours.fresh(1)));
    }

    async fn a_picture_goes_with_whoever_put_it_there(db) {
        let ours = pictured_town(&db).await;
        put(&db, &ours, ours.ola, ours.family, 1).await;
        put(&db, &ours, ours.kari, ours.parallel, 2).await;
        assert!(db.store.people().remove_membership(&ours.system(), ours.ola, ours.unit).await.unwrap());
        assert_eq!(shown(&db, &ours, ours.family).await, None, "kari lives behind it still");
        assert!(!seen(&db, &ours.system(), ours.fresh(1)).await);
        assert_eq!(shown(&db, &ours, ours.parallel).await, Some(ours.fresh(2)));
    }

    async fn a_look_at_a_text_is_none_at_a_picture(db) {
        let ours = pictured_town(&db).await;
        put(&db, &ours, ours.ola, ours.family, 1).await;
        let found = button(&db, &ours, ours.family).await;
        let edit = ButtonEdit {
            label: Pii::new(label("Written by the administrator")),
            alias: found.alias,
            kind: found.bell.kind,
            members: found.bell.members,
            listing: found.listing,
            dial_code: found.dial_code,
            hidden: found.hidden,
        };
        let admin = ours.as_person(ours.admin);
        let intercom = db.store.intercom();
        let changed = intercom.change_bell(&admin, &stamp(1), ours.family, found.version, &edit, false).await;
        assert_eq!(changed.unwrap(), ButtonChanged::Done);
        assert_eq!(button(&db, &ours, ours.family).await.moderation, Moderation::Pending);
    }
}
