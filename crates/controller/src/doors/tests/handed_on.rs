//! A door that another system opens: asked, and nothing more is known.

use super::*;

#[test]
fn it_is_told_as_sent_when_the_card_was_fetched_and_never_shown_as_open() {
    let board = TestBoard::default();
    board.0.lock().unwrap().hands_on = true;
    board.0.lock().unwrap().remote = true;
    let mut doors = Doors::start(boot(), Box::new(board.clone())).unwrap();
    doors.handle(wanted(1, &[(1, 0)]), at(0));
    let Attached { mut reports, doors: stand, .. } = attach(&mut doors);
    assert_eq!(stand[0].state.mode, DoorMode::Locked);
    let mut said = || std::iter::from_fn(|| reports.try_recv().ok()).collect::<Vec<_>>();
    let answers = |doors: &mut Doors, is_done, now| {
        let ticket = Ticket(board.newest());
        doors.answered(OutputEvent { output: 0, ticket, is_done }, at(now));
    };
    answers(&mut doors, true, 10);

    doors.handle(open(1, 1, 100), at(100));
    assert_eq!(said(), [], "not fetched yet");
    answers(&mut doors, true, 150);
    assert_eq!(said(), [outcome(1, 150, Outcome::Sent)]);
    // again while it may stand open: another card
    doors.handle(open(2, 1, 1_000), at(1_000));
    answers(&mut doors, true, 1_050);
    assert_eq!(said(), [outcome(2, 1_050, Outcome::Sent)]);
    doors.tick(at(10_000));
    answers(&mut doors, true, 10_001);
    assert_eq!(said(), [], "nor is it shown as locked again");
    assert_eq!(board.take().iter().filter(|one| **one == RELEASE).count(), 2, "a card each, and no more");

    doors.handle(open(3, 1, 20_000), at(20_000));
    answers(&mut doors, false, 22_000);
    let reason = OutcomeRefusal::OutputFault;
    assert_eq!(said(), [outcome(3, 22_000, Outcome::Refused { reason })]);
}
