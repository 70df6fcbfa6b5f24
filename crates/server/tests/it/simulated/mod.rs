//! A building in virtual time: the server's links and a controller's doors, both the real ones, with a bad network
//! between them, a hand on the fuse, and locks that sometimes do not obey (trust.md T3–T5, T22).
//!
//! One seed is one history, the same every time: `KLINKE_SEED=17 cargo nextest run -p klinke-server one_seed` tells it.
//!
//! What must hold in every one, at every moment:
//! - a lock is released only for somebody's tap, once, and no later than 5 s after it, whatever was lost, delayed,
//!   repeated, or kept by somebody and sent again later; or for a card that is held to its reader, at that moment;
//! - a card opens exactly when the newest rights that reached the controller say so, with the link there, cut, or after a power
//!   cut (T3, T22); a guest's not after its end, wherever the machine's clock was set to (T4), and one that opens once
//!   not twice;
//! - it is locked when its time is over, also with the controller dead, and at once when that starts;
//! - nobody is told "open" before the lock was released;
//! - neither a configuration nor rights ever go back;
//! - where records of use are kept, each reading of a known card is told exactly once, but for what a power cut caught before it was on
//!   the disk; where they are not, or not any more, none is told and none is on the disk;
//! - and when the faults end, every tap opens its door within a second.

mod cards;
mod dice;
mod locks;
mod uses;
mod world;

use world::World;

/// Histories of one test; there are four such tests, so that two cores share them.
const SEEDS: u64 = 300;

fn live_through(seeds: std::ops::Range<u64>) {
    let (mut taps, mut opened, mut refused) = (0, 0, 0);
    let mut cards = world::CardsSeen::default();
    let mut uses = uses::UsesSeen::default();
    for seed in seeds {
        let seen = World::new(seed).live();
        taps += seen.taps;
        opened += seen.opened;
        refused += seen.refused;
        cards.add(&seen.cards);
        uses.add(&seen.uses);
    }
    // the network is bad, not dead: else nothing that is asked for here could fail
    assert!(opened * 3 > taps, "{opened} of {taps} taps opened");
    assert!(refused > taps / 20, "{refused} of {taps} taps came too late or twice");
    assert!(cards.happened(), "{cards:?}");
    assert!(uses.happened(), "{uses:?}");
}

#[test]
fn histories_1() {
    live_through(0..SEEDS);
}

#[test]
fn histories_2() {
    live_through(SEEDS..2 * SEEDS);
}

#[test]
fn histories_3() {
    live_through(2 * SEEDS..3 * SEEDS);
}

#[test]
fn histories_4() {
    live_through(3 * SEEDS..4 * SEEDS);
}

#[test]
fn one_seed() {
    let seed = std::env::var("KLINKE_SEED").ok().and_then(|seed| seed.parse().ok());
    World::new(seed.unwrap_or(17)).live();
}

#[test]
fn a_seed_is_the_same_history_every_time() {
    assert_eq!(World::new(5).live(), World::new(5).live());
    assert_ne!(World::new(5).live(), World::new(6).live());
}
