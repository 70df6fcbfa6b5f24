//! A server that is asked, and one that lies.

use super::super::testing::{Installation, Snapshot, plan, us};
use super::*;
use klinke_access::snapshot::build;
use klinke_model::ids::{ControllerId, v4};

struct House {
    installation: Installation,
    taking: Taking,
}

impl House {
    /// Ours, with nothing held.
    fn new() -> Self {
        let installation = Installation::new();
        let taking = Taking::new(Arc::new(installation.trust()), None, HashSet::new());
        Self { installation, taking }
    }

    /// Ours, holding a snapshot.
    fn holding(revision: u64, cards: u32) -> (Self, Snapshot) {
        let mut house = Self::new();
        let snapshot = house.installation.snapshot(us(), revision, cards);
        let complete = house.fetch_all(&snapshot, |_| {}).unwrap();
        let names = complete.names.iter().copied().collect();
        house.taking.handle(Input::Kept(Some((complete.held, names))));
        (house, snapshot)
    }

    fn offer(&mut self, snapshot: &Snapshot) -> Option<Output> {
        self.taking.handle(offered(snapshot))
    }

    /// Answers every question until there are no more; `change` sees each part first.
    fn fetch_all(
        &mut self,
        snapshot: &Snapshot,
        change: impl Fn(&mut Input),
    ) -> Result<Complete, Option<Refusal>> {
        let mut output = self.offer(snapshot);
        loop {
            match output {
                Some(Output::Fetch { of, from }) => {
                    let mut part = part(snapshot, of, from);
                    change(&mut part);
                    output = self.taking.handle(part);
                }
                Some(Output::Keep(complete)) => return Ok(*complete),
                Some(Output::Refused(refusal)) => return Err(Some(refusal)),
                Some(Output::Holds { .. }) | None => return Err(None),
            }
        }
    }
}

fn offered(snapshot: &Snapshot) -> Input {
    let held = snapshot.held();
    Input::Offered {
        revision: held.revision,
        manifest: Whole {
            sha256: held.manifest,
            bytes: u32::try_from(snapshot.document.manifest.len()).unwrap(),
        },
        signature: snapshot.document.signature.clone(),
    }
}

/// As the server answers.
fn part(snapshot: &Snapshot, of: Digest, from: u32) -> Input {
    let whole =
        if of == snapshot.held().manifest { &snapshot.document.manifest } else { &snapshot.shards[&of] };
    let rest = &whole[usize::try_from(from).unwrap()..];
    let bytes = rest[..rest.len().min(PART)].to_vec();
    Input::Part { of, from, total: u32::try_from(whole.len()).unwrap(), bytes }
}

#[test]
fn a_snapshot_is_fetched_part_by_part_and_kept_when_all_is_there() {
    let mut house = House::new();
    let snapshot = house.installation.snapshot(us(), 7, 4_000);
    let complete = house.fetch_all(&snapshot, |_| {}).unwrap();
    assert_eq!((complete.held, &complete.document), (snapshot.held(), &snapshot.document));
    assert_eq!((complete.fetched, complete.names), (snapshot.shards.clone(), snapshot.names()));
    assert!(snapshot.shards.values().any(|shard| shard.len() > PART), "more than one part");
    assert!(house.taking.held().is_none(), "not before it is kept");
    let told = house.taking.handle(Input::Kept(Some((snapshot.held(), HashSet::new()))));
    assert!(matches!(told, Some(Output::Holds { revision: 7 })));
    assert_eq!(house.taking.held(), Some(snapshot.held()));
}

#[test]
fn shards_that_are_here_are_not_fetched_again() {
    let (mut house, first) = House::holding(7, 3_000);
    let next = house.installation.snapshot(us(), 8, 3_001);
    let complete = house.fetch_all(&next, |_| {}).unwrap();
    assert_eq!(complete.fetched.len(), 1, "one more card, one other shard");
    assert_eq!(
        complete.names.iter().filter(|name| first.shards.contains_key(name)).count(),
        complete.names.len() - 1
    );
}

#[test]
fn a_link_that_breaks_loses_nothing_that_came_whole() {
    let mut house = House::new();
    let snapshot = house.installation.snapshot(us(), 7, 5_000);
    let mut output = house.offer(&snapshot);
    for _ in 0..6 {
        let Some(Output::Fetch { of, from }) = output else { panic!("{output:?}") };
        output = house.taking.handle(part(&snapshot, of, from));
    }
    house.taking.link_lost();
    assert!(house.taking.held().is_none(), "nothing half in force");
    let Some(Output::Fetch { of, from }) = output else { panic!("{output:?}") };
    assert!(house.taking.handle(part(&snapshot, of, from)).is_none(), "an answer of the link before");
    let asked = std::cell::Cell::new(0);
    let complete = house.fetch_all(&snapshot, |_| asked.set(asked.get() + 1)).unwrap();
    assert_eq!(complete.fetched, snapshot.shards);
    let parts: usize = snapshot.shards.values().map(|shard| shard.len().div_ceil(PART)).sum();
    assert!(asked.get() < parts, "asked {} times for {parts} parts and the manifest", asked.get());
}

#[test]
fn older_rights_and_others_under_the_same_number_are_refused() {
    let (mut house, held) = House::holding(7, 10);
    let older = house.installation.snapshot(us(), 6, 20);
    let other = house.installation.snapshot(us(), 7, 20);
    assert!(matches!(house.offer(&older), Some(Output::Refused(Refusal::Older))));
    assert!(matches!(house.offer(&other), Some(Output::Refused(Refusal::SameNumber))));
    assert!(matches!(house.offer(&held), Some(Output::Holds { revision: 7 })), "that is the one");
    // offered under a new number, but signed under the old one
    let Input::Offered { manifest, signature, .. } = offered(&older) else { panic!() };
    let renamed = Input::Offered { revision: 8, manifest, signature };
    let mut output = house.taking.handle(renamed);
    while let Some(Output::Fetch { of, from }) = output {
        output = house.taking.handle(part(&older, of, from));
    }
    assert!(matches!(output, Some(Output::Refused(Refusal::Manifest))), "{output:?}");
    assert_eq!(house.taking.held(), Some(held.held()), "the last good one");
}

#[test]
fn rights_of_another_authority_or_controller_are_refused() {
    let (mut house, held) = House::holding(7, 10);
    let theirs = house.installation.snapshot(ControllerId(v4([0xc1; 16])), 8, 10);
    let refused = house.fetch_all(&theirs, |_| {}).unwrap_err();
    assert_eq!(refused, Some(Refusal::Distrust(Distrust::Controller)));
    let forged = Installation::new().snapshot(us(), 8, 10);
    let refused = house.fetch_all(&forged, |_| {}).unwrap_err();
    assert_eq!(refused, Some(Refusal::Distrust(Distrust::Signature)));
    // a signature of ours that was made for something else: the bytes of a manifest without what it is
    let mut bare = house.installation.snapshot(us(), 8, 10);
    bare.document.signature = {
        let other = house.installation.sign(b"anything".to_vec(), Vec::new());
        other.document.signature
    };
    assert_eq!(house.fetch_all(&bare, |_| {}).unwrap_err(), Some(Refusal::Distrust(Distrust::Signature)));
    let unknown = house.installation.sign(b"{\"controller\":7}".to_vec(), Vec::new());
    let held_of =
        Held { revision: 9, issued: held.held().issued, manifest: digest(&unknown.document.manifest) };
    let offer = Input::Offered {
        revision: 9,
        manifest: Whole {
            sha256: held_of.manifest,
            bytes: u32::try_from(unknown.document.manifest.len()).unwrap(),
        },
        signature: unknown.document.signature.clone(),
    };
    let Some(Output::Fetch { of, .. }) = house.taking.handle(offer) else { panic!() };
    let bytes = unknown.document.manifest;
    let total = u32::try_from(bytes.len()).unwrap();
    let output = house.taking.handle(Input::Part { of, from: 0, total, bytes });
    assert!(matches!(output, Some(Output::Refused(Refusal::Distrust(Distrust::Form)))), "{output:?}");
    assert_eq!(house.taking.held(), Some(held.held()));
}

#[test]
fn what_was_cut_or_changed_on_its_way_is_refused() {
    let refused = |change: &dyn Fn(bool, &mut u32, &mut Vec<u8>)| {
        let (mut house, held) = House::holding(7, 10);
        let next = house.installation.snapshot(us(), 8, 3_000);
        let manifest = next.held().manifest;
        let refused = house
            .fetch_all(&next, |part| {
                if let Input::Part { of, total, bytes, .. } = part {
                    change(*of == manifest, total, bytes);
                }
            })
            .unwrap_err();
        assert_eq!(house.taking.held(), Some(held.held()), "the last good one");
        refused
    };
    assert_eq!(
        refused(&|manifest, _, bytes| if manifest {
            bytes[20] ^= 1;
        }),
        Some(Refusal::Changed),
        "a bit in the manifest"
    );
    assert_eq!(
        refused(&|manifest, _, bytes| if !manifest {
            bytes[20] ^= 1;
        }),
        Some(Refusal::Changed),
        "a bit in a shard"
    );
    assert_eq!(
        refused(&|_, _, bytes| bytes.truncate(bytes.len() - 1)),
        Some(Refusal::Part),
        "a part that is cut"
    );
    assert_eq!(refused(&|_, _, bytes| bytes.push(0)), Some(Refusal::Part), "a part that is too long");
    assert_eq!(refused(&|_, _, bytes| bytes.clear()), Some(Refusal::Part), "a part with nothing in it");
    assert_eq!(
        refused(&|manifest, total, bytes| if !manifest {
            *total -= 1;
            bytes.truncate(usize::try_from(*total).unwrap().min(PART));
        }),
        Some(Refusal::Changed),
        "a shard that is cut"
    );
    assert_eq!(
        refused(&|manifest, total, _| if !manifest {
            *total = u32::MAX;
        }),
        Some(Refusal::TooLong),
        "a shard without an end"
    );
}

#[test]
fn a_flipped_bit_in_the_signature_is_seen() {
    let mut house = House::new();
    let good = house.installation.snapshot(us(), 8, 10);
    for bit in 0..good.document.signature.len() * 8 {
        let mut flipped = good.clone();
        flipped.document.signature[bit / 8] ^= 1 << (bit % 8);
        let refused = house.fetch_all(&flipped, |_| {}).unwrap_err();
        assert_eq!(refused, Some(Refusal::Distrust(Distrust::Signature)), "bit {bit}");
    }
    assert!(house.fetch_all(&good, |_| {}).is_ok());
}

#[test]
fn nothing_that_the_server_says_is_believed_to_be_endless() {
    let mut house = House::new();
    let sha256 = Digest([1; 32]);
    let endless =
        Input::Offered { revision: 1, manifest: Whole { sha256, bytes: u32::MAX }, signature: vec![] };
    assert!(matches!(house.taking.handle(endless), Some(Output::Refused(Refusal::TooLong))));
    let (mut manifest, _) = build(&plan(us(), 1, 1));
    manifest.shards = vec!["0".repeat(64); SHARDS_MOST + 1];
    let many = house.installation.sign(serde_json::to_vec(&manifest).unwrap(), Vec::new());
    manifest.shards = vec!["../identity.pem".into()];
    let astray = house.installation.sign(serde_json::to_vec(&manifest).unwrap(), Vec::new());
    for (snapshot, expected) in [(many, Refusal::TooLong), (astray, Refusal::Manifest)] {
        let bytes = snapshot.document.manifest;
        let total = u32::try_from(bytes.len()).unwrap();
        let manifest = Whole { sha256: digest(&bytes), bytes: total };
        let signature = snapshot.document.signature;
        let mut output = house.taking.handle(Input::Offered { revision: 1, manifest, signature });
        while let Some(Output::Fetch { of, from }) = output {
            let rest = &bytes[usize::try_from(from).unwrap()..];
            let part = rest[..rest.len().min(PART)].to_vec();
            output = house.taking.handle(Input::Part { of, from, total, bytes: part });
        }
        assert!(matches!(output, Some(Output::Refused(refusal)) if refusal == expected), "{output:?}");
    }
    // what nobody asked for
    let part = Input::Part { of: sha256, from: 0, total: 3, bytes: vec![1, 2, 3] };
    assert!(house.taking.handle(part).is_none());
    assert!(house.taking.handle(Input::Gone { of: sha256 }).is_none());
}

#[test]
fn newer_rights_take_the_place_of_those_on_their_way() {
    let mut house = House::new();
    let (first, second) =
        (house.installation.snapshot(us(), 7, 2_000), house.installation.snapshot(us(), 8, 2_001));
    let Some(Output::Fetch { of, from }) = house.offer(&first) else { panic!() };
    let late = part(&first, of, from);
    let Some(Output::Fetch { of: newer, .. }) = house.offer(&second) else { panic!() };
    assert_eq!(newer, second.held().manifest);
    assert!(house.taking.handle(late).is_none(), "nobody wants it any more");
    assert!(house.taking.handle(Input::Gone { of: first.held().manifest }).is_none());
    let complete = house.fetch_all(&second, |_| {}).unwrap();
    // the next comes while this is being kept
    let third = house.installation.snapshot(us(), 9, 2_002);
    assert!(house.offer(&third).is_none());
    let names = complete.names.iter().copied().collect();
    let next = house.taking.handle(Input::Kept(Some((complete.held, names))));
    assert!(matches!(next, Some(Output::Fetch { of, from: 0 }) if of == third.held().manifest), "{next:?}");
}

#[test]
fn a_shard_on_the_disk_that_is_damaged_is_fetched_again_once() {
    let (mut house, _) = House::holding(7, 3_000);
    let next = house.installation.snapshot(us(), 8, 3_001);
    let complete = house.fetch_all(&next, |_| {}).unwrap();
    assert_eq!(complete.fetched.len(), 1);
    let mut output = house.taking.handle(Input::Kept(None));
    while let Some(Output::Fetch { of, from }) = output {
        output = house.taking.handle(part(&next, of, from));
    }
    let Some(Output::Keep(complete)) = output else { panic!("{output:?}") };
    assert_eq!(complete.fetched, next.shards, "nothing from the disk");
    let output = house.taking.handle(Input::Kept(None));
    assert!(matches!(output, Some(Output::Refused(Refusal::NotKept))), "{output:?}");
}
