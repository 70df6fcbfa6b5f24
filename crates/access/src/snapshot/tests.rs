use super::*;
use crate::decide::{Cause, Decision, HolderClass, Order, Reason, Request, decide};
use crate::standing::ClockTrust;
use klinke_model::credential::CredentialTier;
use klinke_model::door::DoorMode;
use klinke_model::ids::{BuildingId, v4};
use klinke_model::privacy::AnySite;
use klinke_model::site::BuildingKind;
use klinke_model::timetable::Hours;
use std::time::Duration;

/// Saturday 21 November 2026, 12:00 UTC: 13:00 in Oslo.
const NOON: Timestamp = Timestamp::from_millis(1_795_262_400_000);
const NOON_S: u32 = 1_795_262_400;

fn hash(number: u32) -> CredentialHash {
    // spread over the shards, as keyed hashes are
    let mut bytes = [7; 16];
    bytes[..4].copy_from_slice(&number.wrapping_mul(2_654_435_761).to_be_bytes());
    bytes[4..8].copy_from_slice(&number.to_be_bytes());
    CredentialHash(bytes)
}
fn door(byte: u8) -> DoorPlan {
    DoorPlan {
        door: DoorId(v4([byte; 16])),
        times: DoorTimes::default(),
        refuses_copyable: false,
        two_people_within_s: None,
        after: None,
        airlock: None,
        unlocked: None,
        first_person_in: false,
    }
}
fn right(doors: u64) -> DoorRight {
    DoorRight { doors, schedule: None, from: None, until: None }
}
fn holder(person: u64, rights: Vec<DoorRight>) -> Holder {
    Holder {
        person: PersonTag(person),
        active: true,
        class: HolderClass::Resident,
        needs_longer: false,
        rights,
    }
}
fn card(number: u32, holder: usize) -> Credential {
    Credential {
        hash: hash(number),
        holder,
        state: State::Active,
        tier: CredentialTier::Identifier,
        once: false,
        duress: false,
        from_s: None,
        until_s: None,
    }
}
/// Two doors, mornings; one who lives there, one who comes in the morning.
fn plan() -> Plan {
    let mornings =
        Schedule { hours: vec![Hours { days: vec![5], from: 0, until: 12 * 60 }], ..Schedule::default() };
    Plan {
        controller: ControllerId(v4([9; 16])),
        revision: 7,
        issued: NOON,
        key: HashKey([7; 32]),
        zone: "Europe/Oslo".into(),
        holidays: HolidayCalendar::Norway,
        site_mode: SiteMode::Normal,
        doors: vec![door(1), DoorPlan { refuses_copyable: true, unlocked: Some(0), ..door(2) }],
        schedules: vec![mornings],
        holders: vec![
            holder(1, vec![right(0b11)]),
            holder(2, vec![DoorRight { schedule: Some(0), ..right(0b01) }]),
        ],
        credentials: vec![card(1, 0), card(2, 1)],
        records: None,
    }
}
fn in_force(plan: &Plan) -> Rights {
    let (manifest, shards) = build(plan);
    compile(manifest, &shards).unwrap()
}
fn asked(door: u8) -> AtDoor {
    AtDoor {
        door,
        at: NOON,
        clock: ClockTrust::Trusted,
        rights_age: Duration::ZERO,
        mode: DoorMode::Locked,
        order: Order::Kept,
        used: false,
    }
}
fn ask(rights: &Rights, number: u32, asked: &AtDoor) -> Result<(), Reason> {
    let (facts, _) = rights.facts_at(hash(number), asked).unwrap();
    match decide(&Request { cause: Cause::AtDoor }, &facts) {
        Decision::Granted { .. } => Ok(()),
        Decision::Denied(reason) => Err(reason),
    }
}

#[test]
fn a_card_opens_what_its_holder_may_at_the_hours_they_may() {
    let rights = in_force(&plan());
    let morning = AtDoor { at: Timestamp::from_millis(NOON.as_millis() - 3_600_001), ..asked(0) };
    assert_eq!(ask(&rights, 1, &asked(0)), Ok(()));
    assert_eq!(ask(&rights, 2, &asked(0)), Err(Reason::OutsideHours), "13 o'clock in Oslo");
    assert_eq!(ask(&rights, 2, &morning), Ok(()), "a millisecond before 12");
    assert_eq!(ask(&rights, 2, &asked(1)), Err(Reason::NoRight));
    assert_eq!(ask(&rights, 3, &asked(0)), Err(Reason::CredentialUnknown));
    assert_eq!(ask(&rights, 1, &asked(1)), Err(Reason::CredentialCopyable));
    assert!(rights.facts_at(hash(1), &asked(2)).is_none(), "not a door of this controller");
    let untrusted = AtDoor { clock: ClockTrust::Untrusted, ..morning };
    assert_eq!(ask(&rights, 2, &untrusted), Err(Reason::ClockUntrusted));
    assert_eq!(ask(&rights, 1, &untrusted), Ok(()), "a resident's card needs no clock");
}

#[test]
fn what_is_presented_is_judged_to_the_second() {
    let mut plan = plan();
    plan.credentials = vec![
        Credential { state: State::Blocked, ..card(1, 0) },
        Credential { until_s: Some(NOON_S), ..card(2, 0) },
        Credential { until_s: Some(NOON_S + 1), ..card(3, 0) },
        Credential { from_s: Some(NOON_S + 1), ..card(4, 0) },
        Credential { from_s: Some(NOON_S), ..card(5, 0) },
        Credential { once: true, ..card(6, 0) },
        Credential { tier: CredentialTier::Proven, ..card(7, 0) },
        Credential { duress: true, ..card(8, 0) },
    ];
    plan.holders[0].needs_longer = true;
    let rights = in_force(&plan);
    let told: Vec<_> = (1..=6).map(|number| ask(&rights, number, &asked(0))).collect();
    let expected = [
        Err(Reason::CredentialBlocked),
        Err(Reason::CredentialOver),
        Ok(()),
        Err(Reason::CredentialNotYet),
        Ok(()),
        Ok(()),
    ];
    assert_eq!(told, expected);
    assert_eq!(ask(&rights, 6, &AtDoor { used: true, ..asked(0) }), Err(Reason::CredentialUsedUp));
    assert_eq!(ask(&rights, 7, &asked(1)), Ok(()), "a card that proves itself");
    let untrusted = AtDoor { clock: ClockTrust::Untrusted, ..asked(0) };
    assert_eq!(ask(&rights, 3, &untrusted), Err(Reason::ClockUntrusted));
    let (facts, found) = rights.facts_at(hash(6), &asked(0)).unwrap();
    assert!(facts.needs_longer);
    let once = Found { person: PersonTag(1), once: true, until: None, copyable: true, duress: false };
    assert_eq!(found, Some(once));
    // under duress: judged as any other, and told
    let (under_duress, found) = rights.facts_at(hash(8), &asked(0)).unwrap();
    assert_eq!((under_duress, found), (facts, Some(Found { once: false, duress: true, ..once })));
}

#[test]
fn who_passes_by_needs_rights_not_older_than_a_day() {
    let mut plan = plan();
    plan.holders[0].class = HolderClass::Passing;
    let rights = in_force(&plan);
    let old = |hours| AtDoor { rights_age: Duration::from_hours(hours), ..asked(0) };
    assert_eq!(ask(&rights, 1, &old(24)), Ok(()));
    assert_eq!(ask(&rights, 1, &old(25)), Err(Reason::RightsTooOld));
    plan.holders[0].class = HolderClass::Resident;
    assert_eq!(ask(&in_force(&plan), 1, &old(24 * 365)), Ok(()));
}

#[test]
fn a_suspended_person_and_an_emergency_open_nothing() {
    let mut suspended = plan();
    suspended.holders[0].active = false;
    assert_eq!(ask(&in_force(&suspended), 1, &asked(0)), Err(Reason::PersonSuspended));
    let locked_down = Plan { site_mode: SiteMode::LockedDown, ..plan() };
    assert_eq!(ask(&in_force(&locked_down), 1, &asked(0)), Err(Reason::SiteLockedDown));
}

#[test]
fn unlocked_hours_hold_only_by_a_clock_that_can_be_believed() {
    let rights = in_force(&plan());
    let morning = Timestamp::from_millis(NOON.as_millis() - 7_200_000);
    let unlocked = |rights: &Rights, door, at, clock| rights.unlocked_by_hours(door, at, clock);
    assert!(unlocked(&rights, 1, morning, ClockTrust::Trusted));
    assert!(!unlocked(&rights, 1, NOON, ClockTrust::Trusted));
    assert!(!unlocked(&rights, 1, morning, ClockTrust::Untrusted));
    assert!(!unlocked(&rights, 0, morning, ClockTrust::Trusted), "this one has no hours");
    let emergency = in_force(&Plan { site_mode: SiteMode::LockedDown, ..plan() });
    assert!(!unlocked(&emergency, 1, morning, ClockTrust::Trusted));
}

#[test]
fn one_more_card_is_one_new_shard_and_rights_keep_their_keys() {
    let mut plan = plan();
    plan.credentials = (0..20_000).map(|number| card(number, (number % 2) as usize)).collect();
    let (before, _) = build(&plan);
    assert_eq!((before.shards.len(), before.rights.len()), (32, 2));
    plan.holders.push(holder(3, vec![right(0b10)]));
    plan.credentials.push(card(70_000, 2));
    let (after, shards) = build(&plan);
    let changed = before.shards.iter().zip(&after.shards).filter(|(before, after)| before != after).count();
    assert_eq!((changed, after.rights.len()), (1, 3));
    assert!(before.rights.iter().all(|right| after.rights.contains(right)));
    let rights = compile(after, &shards).unwrap();
    assert_eq!(rights.credentials(), 20_001);
    assert_eq!(ask(&rights, 19_998, &asked(0)), Ok(()));
    assert_eq!(ask(&rights, 19_999, &asked(0)), Err(Reason::OutsideHours));
    assert_eq!(ask(&rights, 20_000, &asked(0)), Err(Reason::CredentialUnknown));
}

#[test]
fn a_right_that_many_have_stands_there_once() {
    let mut plan = plan();
    let (one, other) = (right(0b01), DoorRight { schedule: Some(0), ..right(0b10) });
    plan.holders = vec![holder(1, vec![one, other]), holder(2, vec![other, one, one])];
    let (manifest, shards) = build(&plan);
    assert_eq!(manifest.rights.len(), 2);
    // 34 bytes, and 8 for each of two rights
    assert_eq!(shards[0].0.len(), 2 * (34 + 16));
}

#[test]
fn a_snapshot_is_taken_whole_or_not_at_all() {
    let (good, shards) = build(&plan());
    let refused = |change: &dyn Fn(&mut Manifest, &mut Vec<Shard>)| {
        let (mut manifest, mut shards) = (good.clone(), shards.clone());
        change(&mut manifest, &mut shards);
        compile(manifest, &shards).unwrap_err()
    };
    assert!(compile(good.clone(), &shards).is_ok());
    assert_eq!(refused(&|m, _| m.zone = "Europe/Nowhere".into()), Fault::Zone("Europe/Nowhere".into()));
    assert_eq!(refused(&|m, _| m.doors[1].door = m.doors[0].door), Fault::Door(1));
    assert_eq!(refused(&|m, _| m.doors[0].times.release_ms = 0), Fault::Door(0));
    assert_eq!(refused(&|m, _| m.doors[0].after = Some(After { door: 0, within_s: 9 })), Fault::Door(0));
    assert_eq!(refused(&|m, _| m.doors[0].after = Some(After { door: 2, within_s: 9 })), Fault::Door(0));
    assert_eq!(refused(&|m, _| m.doors[0].unlocked = Some(1)), Fault::Door(0));
    assert_eq!(refused(&|m, _| m.doors = (0..65).map(door).collect()), Fault::Door(64));
    assert_eq!(refused(&|m, _| m.schedules[0].hours[0].days = vec![]), Fault::Schedule(0));
    assert_eq!(refused(&|m, _| m.rights[0].right.doors = 0b100), Fault::Right(0));
    assert_eq!(refused(&|m, _| m.rights[1].key = m.rights[0].key), Fault::Right(1));
    let no_hours = |m: &mut Manifest, _: &mut Vec<Shard>| {
        m.schedules.clear();
        m.doors[1].unlocked = None;
    };
    assert!(matches!(refused(&no_hours), Fault::Right(_)));
    assert_eq!(refused(&|_, s| s.clear()), Fault::Shards);
    assert_eq!(refused(&|m, _| m.shards.clear()), Fault::Shards);
    assert_eq!(refused(&|_, s| s[0].0[3] ^= 1), Fault::Shard(0), "a flipped bit");
    // a shard that is what the manifest names, and yet not one
    let renamed = |bytes: &dyn Fn(&mut Vec<u8>)| {
        refused(&|m, s| {
            bytes(&mut s[0].0);
            m.shards[0] = s[0].name();
        })
    };
    assert_eq!(renamed(&|bytes| bytes.truncate(83)), Fault::Shard(0), "cut");
    assert_eq!(renamed(&|bytes| bytes.rotate_left(42)), Fault::Shard(0), "out of order");
    assert_eq!(renamed(&|bytes| bytes[32] |= 128), Fault::Shard(0), "an unknown kind");
    assert_eq!(renamed(&|bytes| bytes[34] ^= 1), Fault::Shard(0), "a right that is not there");
}

#[test]
fn a_shard_holds_only_its_own() {
    let mut plan = plan();
    plan.credentials = (0..1_100).map(|number| card(number, 0)).collect();
    let (mut manifest, mut shards) = build(&plan);
    assert_eq!(manifest.shards.len(), 2);
    shards.swap(0, 1);
    manifest.shards.swap(0, 1);
    assert_eq!(compile(manifest, &shards).unwrap_err(), Fault::Shard(0));
}

#[test]
fn a_manifest_is_read_as_it_was_written_and_nothing_unknown_is_passed_over() {
    let (manifest, _) = build(&plan());
    let mut json = serde_json::to_value(&manifest).unwrap();
    assert_eq!(serde_json::from_value::<Manifest>(json.clone()).unwrap(), manifest);
    json["doors"][0]["opens_for_all"] = true.into();
    assert!(serde_json::from_value::<Manifest>(json).is_err());
}

#[test]
fn only_rights_that_say_so_keep_records_and_the_others_do_not_even_name_them() {
    assert!(in_force(&plan()).keeps_records().is_none());
    assert!(!serde_json::to_string(&build(&plan()).0).unwrap().contains("records"));

    let AnySite::Commercial(site) = AnySite::of(BuildingId(v4([3; 16])), BuildingKind::Commercial) else {
        panic!("a commercial building")
    };
    let keeping = |days| Plan { records: Some(Records { site, days }), ..plan() };
    for days in [1, 14, 90] {
        assert_eq!(in_force(&keeping(days)).keeps_records().map(KeepsRecords::days), Some(days));
        let read = serde_json::from_value(serde_json::to_value(build(&keeping(days)).0).unwrap());
        assert_eq!(read.ok(), Some(build(&keeping(days)).0));
    }
    for days in [0, 91, 255] {
        let (manifest, shards) = build(&keeping(days));
        assert_eq!(compile(manifest, &shards).unwrap_err(), Fault::Records(days));
    }
}
