//! Many at once.

use crate::database::{Db, on_both};
use crate::town::{Town, hash, id, label, stamp, two_towns};
use klinke_model::door::Controller;
use klinke_model::ids::ControllerId;
use tokio::task::JoinSet;

on_both! {
    async fn of_32_claims_at_once_one_wins(db) {
        let mut claims = JoinSet::new();
        for n in 1..=32 {
            let store = db.store.clone();
            claims.spawn(async move { store.gate().claim(&stamp(n), Town::plan(n * 1_000).installation()).await.unwrap() });
        }
        let won = claims.join_all().await.into_iter().filter(|won| *won).count();
        assert_eq!(won, 1);
        let mut accounts = 0;
        for n in 1..=32 {
            let user_name = format!("mona{}", n * 1_000);
            accounts += usize::from(db.store.gate().account(&user_name).await.unwrap().is_some());
        }
        assert_eq!(accounts, 1, "a loser left an account");
    }

    async fn writers_64_at_once_all_succeed(db) {
        let (ours, _) = two_towns(&db).await;
        let mut writers = JoinSet::new();
        for n in 0..64 {
            let store = db.store.clone();
            let new = ours.new_device(ours.kari, 1_000 + n);
            writers.spawn(async move { store.devices().sign_in(&ours.system(), new).await.unwrap() });
        }
        assert!(writers.join_all().await.into_iter().all(|done| done));
        assert_eq!(db.store.devices().list(&ours.system(), ours.kari).await.unwrap().len(), 2 + 64);
    }

    /// Each move takes the door from one controller to the next; whoever gained or lost it must hear of it. A writer
    /// that decides by an outdated read would forget to tell the controller that really had it.
    async fn a_door_that_64_move_at_once_is_missed_by_every_controller_it_left(db) {
        let (ours, _) = two_towns(&db).await;
        let controllers: Vec<ControllerId> = (0..64).map(|n| ours.fresh(1_000 + n)).collect();
        for (n, id) in (9_000..).zip(&controllers) {
            let controller = Controller { id: *id, building: ours.house, name: label("C") };
            assert!(db.store.doors().pair_controller(&ours.system(), &stamp(1), controller, hash(n), &[]).await.unwrap());
        }
        let mut moves = JoinSet::new();
        for controller in controllers.clone() {
            let store = db.store.clone();
            moves.spawn(async move {
                store.doors().assign(&ours.system(), ours.front, controller, 0).await.unwrap()
            });
        }
        assert!(moves.join_all().await.into_iter().all(|done| done));
        let mut holders = 0;
        for controller in controllers {
            let (revision, doors) =
                db.store.doors().doors_of_controller(&ours.system(), controller).await.unwrap().unwrap();
            holders += doors.len();
            assert_eq!(revision, if doors.is_empty() { 3 } else { 2 }, "made, gained, lost");
        }
        assert_eq!(holders, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_that_read_then_write_800_at_once_all_succeed_on_sqlite() {
    let db = Db::sqlite().await;
    let (ours, _) = two_towns(&db).await;
    let revision = async || {
        let found = db.store.doors().doors_of_controller(&ours.system(), ours.spare).await;
        found.unwrap().unwrap().0
    };
    assert!(db.store.doors().assign(&ours.system(), ours.front, ours.spare, 0).await.unwrap());
    let before = revision().await;
    let mut moves = JoinSet::new();
    for output in 1..=800 {
        let store = db.store.clone();
        moves.spawn(async move {
            store.doors().assign(&ours.system(), ours.front, ours.spare, output).await.unwrap()
        });
    }
    assert!(moves.join_all().await.into_iter().all(|done| done));
    assert_eq!(revision().await, before + 800);
}

/// Two processes on one file, each with its own writer: a plain BEGIN would fail at once where IMMEDIATE waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_stores_on_one_file_wait_for_each_other() {
    let db = Db::sqlite().await;
    let (ours, _) = two_towns(&db).await;
    let other = klinke_storage::Store::open(&db.url).await.unwrap();
    let mut moves = JoinSet::new();
    for output in 2..102 {
        let store = if output % 2 == 0 { db.store.clone() } else { other.clone() };
        moves.spawn(async move {
            store.doors().assign(&ours.system(), ours.front, ours.controller, output).await.unwrap()
        });
    }
    assert!(moves.join_all().await.into_iter().all(|done| done));
}

/// A caller that goes away in the middle (a closed connection) must not leave the one writer in its transaction.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_is_dropped_half_way_leaves_the_way_free() {
    let db = Db::sqlite().await;
    let (ours, _) = two_towns(&db).await;
    for n in 0..50 {
        let store = db.store.clone();
        let new = ours.new_device(ours.kari, 1_000 + n);
        let writing = tokio::spawn(async move { store.devices().sign_in(&ours.system(), new).await });
        for _ in 0..n {
            tokio::task::yield_now().await;
        }
        writing.abort();
        let _ = writing.await;
    }
    let devices = db.store.devices();
    assert!(devices.sign_in(&ours.system(), ours.new_device(ours.kari, 2_000)).await.unwrap());
    for device in devices.list(&ours.system(), ours.kari).await.unwrap() {
        assert!(devices.sign_out(&ours.system(), ours.kari, device.id).await.unwrap());
    }
    assert_eq!(db.store.people().person(&ours.system(), id(9)).await.unwrap(), None);
}
