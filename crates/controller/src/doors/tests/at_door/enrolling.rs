//! A card is read to be given to somebody: told once, judged never, and only while somebody waits for it.

use super::*;
use crate::doors::enrolling::Wish;
use klinke_model::ids::ReadingId;
use klinke_wire::enrolment::{EnrolRefusal, WINDOW_MS};

fn reading(byte: u8) -> ReadingId {
    ReadingId(v4([byte; 16]))
}

fn wish(byte: u8, reader: u16, until: u64) -> Wish {
    Wish { boot: boot(), reading: reading(byte), reader, until: at(until) }
}

fn refused(byte: u8, reason: EnrolRefusal) -> ControllerRequest {
    ControllerRequest::EnrolRefused { reading: reading(byte), reason }
}

fn enrolled(byte: u8, number: u16) -> ControllerRequest {
    ControllerRequest::Enrolled { reading: reading(byte), key: card(number) }
}

impl Entrance {
    fn enrol(&mut self, wish: Wish, now: u64) -> (Vec<ControllerRequest>, Vec<(u16, Feedback)>) {
        self.tell(Request::Enrol(wish), now);
        (self.house.reports(), self.shown())
    }

    /// The server's end of the link is gone.
    fn lose_link(&mut self) {
        self.house.reports.close();
    }
}

#[test]
fn the_next_card_is_told_and_opens_nothing_and_the_one_after_it_is_judged() {
    let mut entrance = Entrance::with(&plan());
    assert_eq!(entrance.enrol(wish(1, 0, 60_000), 0), (vec![], vec![(0, Feedback::Enrol)]));
    // the other door is as ever
    assert!(entrance.is_let_in(1, RESIDENT, 1_000));
    entrance.settle();
    // even one that would be let in
    assert_eq!(entrance.card(0, RESIDENT, 2_000), (vec![], vec![(0, Feedback::Read)]));
    assert_eq!(entrance.house.reports(), [enrolled(1, RESIDENT)]);
    assert!(entrance.is_let_in(0, RESIDENT, 3_000));
    assert!(!entrance.is_let_in(0, UNKNOWN, 10_000));
    let told = entrance.house.reports();
    assert!(!told.iter().any(|told| matches!(told, ControllerRequest::Enrolled { .. })), "{told:?}");
    // a repeated message opens nothing
    assert_eq!(entrance.enrol(wish(1, 0, 60_000), 11_000), (vec![refused(1, EnrolRefusal::Busy)], vec![]));
    assert!(entrance.is_let_in(0, RESIDENT, 12_000));
}

#[test]
fn a_window_ends_by_its_time_by_the_server_and_with_the_link() {
    let mut entrance = Entrance::with(&plan());
    entrance.enrol(wish(1, 0, 60_000), 0);
    entrance.pass(59_999);
    assert_eq!(entrance.shown(), []);
    entrance.pass(60_000);
    assert_eq!(entrance.shown(), [(0, Feedback::Rest)]);
    assert!(entrance.is_let_in(0, RESIDENT, 60_000));
    entrance.settle();
    // at its last millisecond nobody has to wake up first
    entrance.enrol(wish(2, 0, 70_000), 66_000);
    entrance.settle();
    entrance.reads(0, Reading::Card(card(RESIDENT)), 70_000);
    assert_eq!(entrance.shown(), [(0, Feedback::Rest), (0, Feedback::Granted)]);

    entrance.pass(80_000);
    entrance.enrol(wish(3, 0, 140_000), 80_000);
    entrance.settle();
    entrance.tell(Request::EndEnrol(reading(9)), 80_500);
    assert_eq!(entrance.shown(), [], "another one's");
    entrance.tell(Request::EndEnrol(reading(3)), 81_000);
    assert_eq!(entrance.shown(), [(0, Feedback::Rest)]);
    assert!(entrance.is_let_in(0, RESIDENT, 82_000));

    entrance.pass(90_000);
    entrance.enrol(wish(4, 0, 150_000), 90_000);
    entrance.settle();
    entrance.lose_link();
    assert_eq!(entrance.card(0, RESIDENT, 90_001).0, [RELEASE], "told to nobody, so judged");
    assert_eq!(entrance.house.reports(), []);
}

#[test]
fn the_lamp_of_a_lost_link_goes_out_by_itself_and_a_new_link_starts_without_windows() {
    let mut entrance = Entrance::with(&plan());
    entrance.enrol(wish(1, 0, 60_000), 0);
    entrance.shown();
    entrance.lose_link();
    entrance.pass(1_000);
    assert_eq!(entrance.shown(), [(0, Feedback::Rest)]);
    // asked by a link that is gone: nothing begins
    assert_eq!(entrance.enrol(wish(2, 0, 60_000), 2_000), (vec![], vec![]));

    entrance.house.reports = attach(&mut entrance.house.doors).reports;
    entrance.enrol(wish(3, 0, 60_000), 3_000);
    entrance.settle();
    entrance.house.reports = attach(&mut entrance.house.doors).reports;
    assert_eq!(entrance.shown(), [(0, Feedback::Rest)]);
    assert!(entrance.is_let_in(0, RESIDENT, 4_000));
    let told = entrance.house.reports();
    assert!(!told.iter().any(|told| matches!(told, ControllerRequest::Enrolled { .. })), "{told:?}");
}

#[test]
fn what_is_no_window_is_refused() {
    use EnrolRefusal::{BadWindow, Busy, OtherBoot, ReaderOffline, UnknownReader};
    let mut entrance = Entrance::with(&plan());
    let other = BootId(v4([9; 16]));
    let rows = [
        (Wish { boot: other, ..wish(1, 0, 60_000) }, OtherBoot),
        (wish(1, 0, 100), BadWindow),
        (wish(1, 0, 101 + WINDOW_MS), BadWindow),
        (wish(1, 7, 60_000), UnknownReader),
    ];
    for (wish, reason) in rows {
        assert_eq!(entrance.enrol(wish, 100), (vec![refused(1, reason)], vec![]), "{wish:?}");
    }
    assert_eq!(entrance.enrol(wish(1, 0, 60_000), 100).0, []);
    assert_eq!(entrance.enrol(wish(2, 0, 60_000), 200).0, [refused(2, Busy)]);
    assert_eq!(entrance.enrol(wish(3, 1, 60_000), 200).0, [], "at another reader");

    entrance.reads(0, Reading::Offline(OfflineReason::Silent), 300);
    assert_eq!(entrance.house.reports(), [refused(1, ReaderOffline)]);
    assert_eq!(entrance.enrol(wish(4, 0, 60_000), 400).0, [refused(4, ReaderOffline)]);
    entrance.reads(0, Reading::Online, 500);
    assert_eq!(entrance.enrol(wish(5, 0, 60_000), 600).0, []);
    // no more in a minute than are remembered
    for byte in 10..=255 {
        entrance.tell(Request::EndEnrol(reading(5)), 700);
        entrance.enrol(wish(byte, 0, 60_000), 700);
        entrance.tell(Request::EndEnrol(reading(byte)), 700);
    }
    assert_eq!(entrance.enrol(wish(6, 0, 60_000), 800).0, [refused(6, Busy)]);
    assert_eq!(entrance.enrol(wish(6, 0, 110_000), 60_000).0, []);
}

#[test]
fn codes_are_ordinary_meanwhile_and_a_reader_on_a_desk_only_tells() {
    let mut entrance = Entrance::with(&plan());
    entrance.enrol(wish(1, 0, 60_000), 0);
    entrance.settle();
    entrance.reads(0, Reading::Keys(crate::reader::Keys::from_ascii(b"407198#").unwrap()), 100);
    assert_eq!(entrance.shown(), [(0, Feedback::Denied)]);
    assert_eq!(entrance.house.reports(), []);
    assert_eq!(entrance.card(0, UNKNOWN, 200).1, [(0, Feedback::Read)], "still open");
    entrance.settle();

    entrance.reads(DESK, Reading::Card(card(RESIDENT)), 300);
    assert_eq!((entrance.house.board.take(), entrance.house.reports()), (vec![], vec![]), "nobody asked");
    entrance.enrol(wish(2, DESK, 60_000), 400);
    entrance.reads(DESK, Reading::Card(card(RESIDENT)), 500);
    assert_eq!(entrance.house.reports(), [enrolled(2, RESIDENT)]);
    assert_eq!(entrance.house.board.take(), []);
}
