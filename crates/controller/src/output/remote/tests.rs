//! One lock's task with a device that breaks on request, in paused time.

use super::*;
use std::sync::{Arc, Mutex};
use tokio::time::sleep;

const LEASE: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Move {
    Release(Duration),
    Lock,
}

#[derive(Clone, Copy, Default)]
enum Mood {
    #[default]
    Good,
    /// Answers that it did not.
    Broken,
    /// Never answers.
    Silent,
    /// Does it, after this long.
    Slow(Duration),
}

#[derive(Default)]
struct Truth {
    moves: Vec<Move>,
    mood: Mood,
    is_released: bool,
}

#[derive(Clone, Default)]
struct Toy(Arc<Mutex<Truth>>);

impl Toy {
    async fn does(&self, told: Option<Move>) -> io::Result<()> {
        let mood = self.0.lock().unwrap().mood;
        match mood {
            Mood::Good => {}
            Mood::Broken => return Err(io::Error::other("a cut wire")),
            Mood::Silent => std::future::pending().await,
            Mood::Slow(by) => sleep(by).await,
        }
        let mut truth = self.0.lock().unwrap();
        truth.is_released = match told {
            None => truth.is_released,
            Some(told) => told != Move::Lock,
        };
        truth.moves.extend(told);
        Ok(())
    }
}

impl Device for Toy {
    async fn release(&mut self, lease: Duration) -> io::Result<()> {
        self.does(Some(Move::Release(lease))).await
    }
    async fn lock(&mut self) -> io::Result<()> {
        self.does(Some(Move::Lock)).await
    }
    async fn is_released(&mut self) -> io::Result<bool> {
        self.does(None).await?;
        Ok(self.0.lock().unwrap().is_released)
    }
}

struct House {
    toy: Toy,
    commands: watch::Sender<Option<Command>>,
    events: mpsc::Receiver<OutputEvent>,
    tickets: u64,
}

impl House {
    /// Locked, and everything so far taken.
    async fn new() -> Self {
        let toy = Toy::default();
        let (commands, receiver) = watch::channel(None);
        let (sender, events) = mpsc::channel(8);
        tokio::spawn(drive(toy.clone(), 0, receiver, sender));
        let mut house = Self { toy, commands, events, tickets: 0 };
        sleep(Duration::from_millis(1)).await;
        assert_eq!(house.moves(), [Move::Lock], "it locks before it is told anything");
        house
    }

    fn tell(&mut self, lease: Option<Duration>) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.commands.send(Some(Command { ticket, given: Instant::now(), lease })).unwrap();
        ticket
    }

    fn mood(&self, mood: Mood) {
        self.toy.0.lock().unwrap().mood = mood;
    }

    fn moves(&mut self) -> Vec<Move> {
        std::mem::take(&mut self.toy.0.lock().unwrap().moves)
    }

    async fn answer(&mut self) -> (Ticket, bool) {
        let event = self.events.recv().await.unwrap();
        (event.ticket, event.is_done)
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_is_answered_when_it_is_done_with_what_is_left_of_its_lease() {
    let mut house = House::new().await;
    let ticket = house.tell(Some(LEASE));
    assert_eq!(house.answer().await, (ticket, true));
    assert_eq!(house.moves(), [Move::Release(LEASE)]);
    // while it lies in the queue the lease gets shorter
    house.mood(Mood::Slow(Duration::from_millis(300)));
    house.tell(None);
    sleep(Duration::from_millis(1)).await;
    let ticket = house.tell(Some(LEASE));
    house.answer().await;
    assert_eq!(house.answer().await, (ticket, true));
    let left = LEASE - Duration::from_millis(299);
    assert_eq!(house.moves(), [Move::Lock, Move::Release(left)]);
}

#[tokio::test(start_paused = true)]
async fn a_release_that_is_late_is_never_done_and_the_lock_is_told_until_it_obeys() {
    let mut house = House::new().await;
    house.mood(Mood::Silent);
    let told = Instant::now();
    let ticket = house.tell(Some(LEASE));
    assert_eq!(house.answer().await, (ticket, false));
    assert_eq!(told.elapsed(), ANSWER_LIMIT);
    house.mood(Mood::Broken);
    let lock = house.tell(None);
    assert_eq!(house.answer().await, (lock, false));
    sleep(Duration::from_secs(60)).await;
    assert_eq!(house.moves(), []);
    house.mood(Mood::Good);
    sleep(RETRY).await;
    assert_eq!(house.moves(), [Move::Lock], "it is back: locked, and nothing is replayed");
    sleep(Duration::from_secs(60)).await;
    assert_eq!(house.moves(), []);
}

#[tokio::test(start_paused = true)]
async fn only_the_newest_command_is_done() {
    let mut house = House::new().await;
    house.mood(Mood::Slow(Duration::from_secs(1)));
    let first = house.tell(None);
    sleep(Duration::from_millis(1)).await;
    house.tell(Some(LEASE));
    let last = house.tell(None);
    assert_eq!((house.answer().await, house.answer().await), ((first, true), (last, true)));
    assert_eq!(house.moves(), [Move::Lock, Move::Lock], "the release between was overtaken");
}

#[tokio::test(start_paused = true)]
async fn a_device_that_was_away_or_was_moved_by_others_is_locked() {
    let mut house = House::new().await;
    house.toy.0.lock().unwrap().is_released = true;
    sleep(LOOK_EVERY + RETRY).await;
    assert_eq!(house.moves(), [Move::Lock], "released by somebody else");
    house.mood(Mood::Broken);
    sleep(LOOK_EVERY).await;
    // it comes back as it likes
    house.mood(Mood::Good);
    house.toy.0.lock().unwrap().is_released = true;
    sleep(RETRY).await;
    assert_eq!(house.moves(), [Move::Lock]);
    // a lease of ours is left alone while it runs
    let ticket = house.tell(Some(Duration::from_secs(20)));
    assert_eq!(house.answer().await, (ticket, true));
    sleep(Duration::from_secs(19)).await;
    assert_eq!(house.moves(), [Move::Release(Duration::from_secs(20))]);
    // and ended when it is over, whatever the device thinks
    sleep(LOOK_EVERY + Duration::from_secs(1)).await;
    assert_eq!(house.moves(), [Move::Lock]);
}
