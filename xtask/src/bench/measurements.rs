//! What is measured, with which program and against which target.
//!
//! To add one: a line in [`MEASUREMENTS`], and a program if none gives the figure yet.

use super::{binary, klinke};
use crate::process::{Failure, Workshop};
use crate::tools::{self, Tool};
use serde_json::Value;

/// What is run.
pub struct Program {
    pub name: &'static str,
    /// One run; gives its figures.
    pub run: fn(&Workshop) -> Result<Value, Failure>,
    /// What must be there before anything is built.
    pub needs: &'static [&'static Tool],
    /// What of ours it needs.
    pub build: Build,
}

impl Program {
    const fn new(name: &'static str, run: fn(&Workshop) -> Result<Value, Failure>) -> Self {
        Self { name, run, needs: &[], build: Build::Whole }
    }

    const fn needs(mut self, tools: &'static [&'static Tool]) -> Self {
        self.needs = tools;
        self
    }

    /// It has in itself what it measures.
    const fn alone(mut self) -> Self {
        self.build = Build::Bench;
        self
    }
}

/// What is built for a program.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Build {
    /// `klinke-bench` and what it measures inside itself: a part of the way.
    Bench,
    /// Everything, with the pages.
    Whole,
}

pub static TAP_TO_RING: Program = Program::new("tap-to-ring", klinke::tap_to_ring);
pub static PAGES: Program = Program::new("pages", klinke::pages).needs(&[&tools::CHROMIUM]);
pub static OPEN_TO_RELAY: Program =
    Program::new("open-to-relay", klinke::open_to_relay).needs(&[&tools::MOSQUITTO]);
pub static FORWARD: Program = Program::new("forward", klinke::forward).needs(&[&tools::JANUS]);
pub static SERVICE: Program = Program::new("service", klinke::service);
pub static PEOPLE: Program = Program::new("people", klinke::people);
pub static DECIDE: Program = Program::new("decide", klinke::decide);
pub static CARD_TO_OUTPUT: Program =
    Program::new("card-to-output", klinke::card_to_output).needs(&[&tools::VENV, &tools::SOCAT]);
pub static CHANGE_TO_DOOR: Program =
    Program::new("change-to-door", klinke::change_to_door).needs(&[&tools::MOSQUITTO]);
pub static BINARY: Program = Program::new("binary", binary::size);
pub static PHONE_BRIDGE: Program =
    Program::new("phone-bridge", klinke::phone_bridge).alone().needs(&[&tools::RTPENGINE]);
pub static PHONE_INVITE: Program = Program::new("phone-invite", klinke::phone_invite).alone();
pub static PHONE_DELAY: Program = Program::new("phone-delay", klinke::phone_delay).alone();
pub static PHONE_FLAT: Program = Program::new("phone-flat", klinke::phone_flat).alone().needs(&[&tools::SIP]);

/// Programs that are run once: each asks so often that one run takes minutes.
pub const ONCE: &[&str] = &["people", "change-to-door", "phone-bridge", "phone-flat"];

/// What is measured.
pub struct Measurement {
    /// What to type.
    pub name: &'static str,
    /// What it is, for people.
    pub what: &'static str,
    /// Of the value.
    pub unit: &'static str,
    /// What we want.
    pub target: Target,
    /// What to run for it.
    pub program: &'static Program,
    /// JSON pointer (RFC 6901) to the figure.
    pub value: &'static str,
    /// And to the peer's.
    pub peer: Option<&'static str>,
}

/// What a value is held against.
#[derive(Clone, Copy)]
pub enum Target {
    /// No more than this.
    AtMost(f64),
    /// No more than the peer's value in the same run, times this.
    TimesPeer(f64),
    /// No more than either.
    AtMostAndTimesPeer(f64, f64),
    /// It is the peer, or there is none.
    None,
}

/// All of them.
pub const MEASUREMENTS: &[Measurement] = &[
    Measurement {
        name: "tap-to-ring",
        what: "tap on the panel → ring at both residents' apps, p99 (native clients)",
        unit: "ms",
        target: Target::AtMost(150.0),
        program: &TAP_TO_RING,
        value: "/ms/p99",
        peer: None,
    },
    Measurement {
        name: "tap-to-ring-pages",
        what: "tap on the panel → call on both residents' screens, p99 (Chromium)",
        unit: "ms",
        target: Target::AtMost(150.0),
        program: &PAGES,
        value: "/ring_ms/p99",
        peer: None,
    },
    Measurement {
        name: "first-frame",
        what: "the app's offer → first decoded frame on its screen, p99 (Chromium)",
        unit: "ms",
        target: Target::AtMost(500.0),
        program: &PAGES,
        value: "/frame_ms/p99",
        peer: None,
    },
    Measurement {
        name: "open-to-relay",
        what: "tap on Open → relay is on, p99; peer: Mosquitto publish → subscribe",
        unit: "ms",
        target: Target::AtMostAndTimesPeer(100.0, 4.0),
        program: &OPEN_TO_RELAY,
        value: "/relay_ms/p99",
        peer: Some("/mosquitto_ms/p99"),
    },
    Measurement {
        name: "open-to-news",
        what: "tap on Open → the app knows that the relay is on, p99; the same peer",
        unit: "ms",
        target: Target::AtMost(100.0),
        program: &OPEN_TO_RELAY,
        value: "/news_ms/p99",
        peer: Some("/mosquitto_ms/p99"),
    },
    Measurement {
        name: "forwarding-cpu",
        what: "CPU of one relayed 1 Mbit/s call with two apps; peer: Janus with the same senders",
        unit: "% of a core",
        target: Target::TimesPeer(1.0),
        program: &FORWARD,
        value: "/klinke/cpu_percent_per_call",
        peer: Some("/janus/cpu_percent_per_call"),
    },
    Measurement {
        name: "call-memory",
        what: "memory of such a call; peer: Janus",
        unit: "KiB",
        target: Target::TimesPeer(1.0),
        program: &FORWARD,
        value: "/klinke/kib_per_call",
        peer: Some("/janus/kib_per_call"),
    },
    Measurement {
        name: "idle-clients",
        what: "memory of one signed-in idle WebSocket, 10,000 at once",
        unit: "KiB",
        target: Target::AtMost(32.0),
        program: &SERVICE,
        value: "/kib_per_app",
        peer: None,
    },
    Measurement {
        name: "start-up",
        what: "start → /readyz says yes, 10,000 people in the database, p99",
        unit: "ms",
        target: Target::AtMost(300.0),
        program: &SERVICE,
        value: "/start_ms/p99",
        peer: None,
    },
    Measurement {
        name: "idle-memory",
        what: "resident memory at rest, 10,000 people in the database",
        unit: "MiB",
        target: Target::AtMost(60.0),
        program: &SERVICE,
        value: "/idle_mib",
        peer: None,
    },
    Measurement {
        name: "people-list-sqlite",
        what: "people, first page, 100,000 people, SQLite, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/sqlite/100000/list_first/store_ms/p50",
        peer: Some("/sqlite/100000/list_first/bare_ms/p50"),
    },
    Measurement {
        name: "people-list-deep-sqlite",
        what: "people, a page at nine tenths, 100,000 people, SQLite, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/sqlite/100000/list_deep/store_ms/p50",
        peer: Some("/sqlite/100000/list_deep/bare_ms/p50"),
    },
    Measurement {
        name: "people-search-sqlite",
        what: "people, one word, 100,000 people, SQLite, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/sqlite/100000/search_one_word/store_ms/p50",
        peer: Some("/sqlite/100000/search_one_word/bare_ms/p50"),
    },
    Measurement {
        name: "people-search-two-sqlite",
        what: "people, two words, 100,000 people, SQLite, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/sqlite/100000/search_two_words/store_ms/p50",
        peer: Some("/sqlite/100000/search_two_words/bare_ms/p50"),
    },
    Measurement {
        name: "people-building-sqlite",
        what: "people of a building, 100,000 people, SQLite, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/sqlite/100000/filter_building/store_ms/p50",
        peer: Some("/sqlite/100000/filter_building/bare_ms/p50"),
    },
    Measurement {
        name: "people-suspended-sqlite",
        what: "people who are suspended, 100,000 people, SQLite, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/sqlite/100000/filter_suspended/store_ms/p50",
        peer: Some("/sqlite/100000/filter_suspended/bare_ms/p50"),
    },
    Measurement {
        name: "people-unreachable-sqlite",
        what: "people whom no device rings, 100,000 people, SQLite, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/sqlite/100000/filter_unreachable/store_ms/p50",
        peer: Some("/sqlite/100000/filter_unreachable/bare_ms/p50"),
    },
    Measurement {
        name: "people-may-open-sqlite",
        what: "who may open a door, 100,000 people, SQLite, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/sqlite/100000/who_may_open/store_ms/p50",
        peer: Some("/sqlite/100000/who_may_open/bare_ms/p50"),
    },
    Measurement {
        name: "people-lives-here-sqlite",
        what: "who lives here, 100,000 people, SQLite, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/sqlite/100000/who_lives_here/store_ms/p50",
        peer: Some("/sqlite/100000/who_lives_here/bare_ms/p50"),
    },
    Measurement {
        name: "people-not-rung-sqlite",
        what: "homes that cannot be rung, 100,000 people, SQLite, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/sqlite/100000/cannot_be_rung/store_ms/p50",
        peer: Some("/sqlite/100000/cannot_be_rung/bare_ms/p50"),
    },
    Measurement {
        name: "people-list-postgres",
        what: "people, first page, 100,000 people, PostgreSQL, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/postgres/100000/list_first/store_ms/p50",
        peer: Some("/postgres/100000/list_first/bare_ms/p50"),
    },
    Measurement {
        name: "people-list-deep-postgres",
        what: "people, a page at nine tenths, 100,000 people, PostgreSQL, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/postgres/100000/list_deep/store_ms/p50",
        peer: Some("/postgres/100000/list_deep/bare_ms/p50"),
    },
    Measurement {
        name: "people-search-postgres",
        what: "people, one word, 100,000 people, PostgreSQL, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/postgres/100000/search_one_word/store_ms/p50",
        peer: Some("/postgres/100000/search_one_word/bare_ms/p50"),
    },
    Measurement {
        name: "people-search-two-postgres",
        what: "people, two words, 100,000 people, PostgreSQL, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/postgres/100000/search_two_words/store_ms/p50",
        peer: Some("/postgres/100000/search_two_words/bare_ms/p50"),
    },
    Measurement {
        name: "people-building-postgres",
        what: "people of a building, 100,000 people, PostgreSQL, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/postgres/100000/filter_building/store_ms/p50",
        peer: Some("/postgres/100000/filter_building/bare_ms/p50"),
    },
    Measurement {
        name: "people-suspended-postgres",
        what: "people who are suspended, 100,000 people, PostgreSQL, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/postgres/100000/filter_suspended/store_ms/p50",
        peer: Some("/postgres/100000/filter_suspended/bare_ms/p50"),
    },
    Measurement {
        name: "people-unreachable-postgres",
        what: "people whom no device rings, 100,000 people, PostgreSQL, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/postgres/100000/filter_unreachable/store_ms/p50",
        peer: Some("/postgres/100000/filter_unreachable/bare_ms/p50"),
    },
    Measurement {
        name: "people-may-open-postgres",
        what: "who may open a door, 100,000 people, PostgreSQL, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/postgres/100000/who_may_open/store_ms/p50",
        peer: Some("/postgres/100000/who_may_open/bare_ms/p50"),
    },
    Measurement {
        name: "people-lives-here-postgres",
        what: "who lives here, 100,000 people, PostgreSQL, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/postgres/100000/who_lives_here/store_ms/p50",
        peer: Some("/postgres/100000/who_lives_here/bare_ms/p50"),
    },
    Measurement {
        name: "people-not-rung-postgres",
        what: "homes that cannot be rung, 100,000 people, PostgreSQL, median; peer: bare SQL",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/postgres/100000/cannot_be_rung/store_ms/p50",
        peer: Some("/postgres/100000/cannot_be_rung/bare_ms/p50"),
    },
    Measurement {
        name: "people-import-sqlite",
        what: "rows of an import that are applied in a second, SQLite",
        unit: "rows/s",
        target: Target::None,
        program: &PEOPLE,
        value: "/sqlite/100000/import_rows_per_s",
        peer: None,
    },
    Measurement {
        name: "people-memory-sqlite",
        what: "resident memory of the store after it, 100,000 people, SQLite",
        unit: "MiB",
        target: Target::None,
        program: &PEOPLE,
        value: "/sqlite/100000/resident_mib",
        peer: None,
    },
    Measurement {
        name: "people-import-postgres",
        what: "rows of an import that are applied in a second, PostgreSQL",
        unit: "rows/s",
        target: Target::None,
        program: &PEOPLE,
        value: "/postgres/100000/import_rows_per_s",
        peer: None,
    },
    Measurement {
        name: "people-memory-postgres",
        what: "resident memory of the store after it, 100,000 people, PostgreSQL",
        unit: "MiB",
        target: Target::None,
        program: &PEOPLE,
        value: "/postgres/100000/resident_mib",
        peer: None,
    },
    Measurement {
        name: "list-1000-sqlite",
        what: "a list of 1,000 people is applied, SQLite; peer: bare INSERTs of the same rows",
        unit: "ms",
        target: Target::None,
        program: &PEOPLE,
        value: "/lists/sqlite/1000/applied_ms",
        peer: Some("/lists/sqlite/1000/bare_ms"),
    },
    Measurement {
        name: "list-10000-sqlite",
        what: "a list of 10,000 people is applied, SQLite; peer: bare INSERTs of the same rows",
        unit: "ms",
        target: Target::None,
        program: &PEOPLE,
        value: "/lists/sqlite/10000/applied_ms",
        peer: Some("/lists/sqlite/10000/bare_ms"),
    },
    Measurement {
        name: "list-50000-sqlite",
        what: "a list of 50,000 people is applied, SQLite; peer: bare INSERTs of the same rows",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/lists/sqlite/50000/applied_ms",
        peer: Some("/lists/sqlite/50000/bare_ms"),
    },
    Measurement {
        name: "list-rows-sqlite",
        what: "rows of a list of 50,000 people that are applied in a second, SQLite",
        unit: "rows/s",
        target: Target::None,
        program: &PEOPLE,
        value: "/lists/sqlite/50000/rows_per_s",
        peer: None,
    },
    Measurement {
        name: "list-1000-postgres",
        what: "a list of 1,000 people is applied, PostgreSQL; peer: bare INSERTs of the same rows",
        unit: "ms",
        target: Target::None,
        program: &PEOPLE,
        value: "/lists/postgres/1000/applied_ms",
        peer: Some("/lists/postgres/1000/bare_ms"),
    },
    Measurement {
        name: "list-10000-postgres",
        what: "a list of 10,000 people is applied, PostgreSQL; peer: bare INSERTs of the same rows",
        unit: "ms",
        target: Target::None,
        program: &PEOPLE,
        value: "/lists/postgres/10000/applied_ms",
        peer: Some("/lists/postgres/10000/bare_ms"),
    },
    Measurement {
        name: "list-50000-postgres",
        what: "a list of 50,000 people is applied, PostgreSQL; peer: bare INSERTs of the same rows",
        unit: "ms",
        target: Target::TimesPeer(2.0),
        program: &PEOPLE,
        value: "/lists/postgres/50000/applied_ms",
        peer: Some("/lists/postgres/50000/bare_ms"),
    },
    Measurement {
        name: "list-rows-postgres",
        what: "rows of a list of 50,000 people that are applied in a second, PostgreSQL",
        unit: "rows/s",
        target: Target::None,
        program: &PEOPLE,
        value: "/lists/postgres/50000/rows_per_s",
        peer: None,
    },
    Measurement {
        name: "decide",
        what: "a card's decision among 10,000, look-up and all, p50; peer: Cedar on the same rules (÷ 500)",
        unit: "ms",
        target: Target::TimesPeer(0.002),
        program: &DECIDE,
        value: "/ours_ms/p50",
        peer: Some("/cedar_ms/p50"),
    },
    Measurement {
        name: "decide-casbin",
        what: "the same; peer: casbin, which knows no hours",
        unit: "ms",
        target: Target::TimesPeer(0.002),
        program: &DECIDE,
        value: "/ours_ms/p50",
        peer: Some("/casbin_ms/p50"),
    },
    Measurement {
        name: "decide-large",
        what: "a card's decision among 250,000 at 64 doors, p99",
        unit: "ms",
        target: Target::AtMost(0.01),
        program: &DECIDE,
        value: "/large/decision_ms/p99",
        peer: None,
    },
    Measurement {
        name: "decide-disagree",
        what: "answers that differ from Cedar's or casbin's, of 6,000",
        unit: "",
        target: Target::AtMost(0.0),
        program: &DECIDE,
        value: "/disagreements",
        peer: None,
    },
    Measurement {
        name: "snapshot-build",
        what: "a snapshot of 250,000 cards: made; peer: the HMAC of each card, which nothing gets around",
        unit: "ms",
        target: Target::AtMost(1_000.0),
        program: &DECIDE,
        value: "/large/build_ms",
        peer: Some("/large/hashed_ms"),
    },
    Measurement {
        name: "snapshot-apply",
        what: "the same: checked and taken into force; peer: the SHA-256 of its bytes",
        unit: "ms",
        target: Target::AtMost(1_000.0),
        program: &DECIDE,
        value: "/large/apply_ms",
        peer: Some("/large/read_ms"),
    },
    Measurement {
        name: "snapshot-change",
        what: "what one changed card of 250,000 sends",
        unit: "bytes",
        target: Target::AtMost(250_000.0),
        program: &DECIDE,
        value: "/large/bytes_for_one_changed_card",
        peer: None,
    },
    Measurement {
        name: "snapshot-memory",
        what: "memory of one card with three rights",
        unit: "bytes",
        target: Target::AtMost(64.0),
        program: &DECIDE,
        value: "/large/memory_bytes_per_credential",
        peer: None,
    },
    Measurement {
        name: "card-to-output",
        what: "card at one of four OSDP readers on a line at 115,200 baud → output is told, p99",
        unit: "ms",
        target: Target::AtMost(100.0),
        program: &CARD_TO_OUTPUT,
        value: "/ms/p99",
        peer: None,
    },
    Measurement {
        name: "card-to-output-p50",
        what: "the same, median",
        unit: "ms",
        target: Target::None,
        program: &CARD_TO_OUTPUT,
        value: "/ms/p50",
        peer: None,
    },
    Measurement {
        name: "change-to-door",
        what: "hours of a door changed through the API → its lock moves, p99; peer: Mosquitto publish → subscribe",
        unit: "ms",
        target: Target::AtMost(2_000.0),
        program: &CHANGE_TO_DOOR,
        value: "/ms/p99",
        peer: Some("/mosquitto_ms/p99"),
    },
    Measurement {
        name: "change-to-door-answer",
        what: "the same from the API's answer on, p99",
        unit: "ms",
        target: Target::None,
        program: &CHANGE_TO_DOOR,
        value: "/after_answer_ms/p99",
        peer: None,
    },
    Measurement {
        name: "phone-bridge-1",
        what: "CPU of one bridged call, Opus ↔ PCMU; peer: the bare codec (libopus) on the same frames",
        unit: "% of a core",
        target: Target::TimesPeer(1.6),
        program: &PHONE_BRIDGE,
        value: "/1/klinke/cpu_percent_per_call",
        peer: Some("/1/bare/cpu_percent_per_call"),
    },
    Measurement {
        name: "phone-bridge-1-rtpengine",
        what: "the same; peer: rtpengine with the same streams",
        unit: "% of a core",
        target: Target::TimesPeer(1.0),
        program: &PHONE_BRIDGE,
        value: "/1/klinke/cpu_percent_per_call",
        peer: Some("/1/rtpengine/cpu_percent_per_call"),
    },
    Measurement {
        name: "phone-bridge-20",
        what: "CPU of a bridged call, 20 at once, Opus ↔ PCMU; peer: the bare codec (libopus) on the same frames",
        unit: "% of a core",
        target: Target::TimesPeer(1.6),
        program: &PHONE_BRIDGE,
        value: "/20/klinke/cpu_percent_per_call",
        peer: Some("/20/bare/cpu_percent_per_call"),
    },
    Measurement {
        name: "phone-bridge-20-rtpengine",
        what: "the same; peer: rtpengine with the same streams",
        unit: "% of a core",
        target: Target::TimesPeer(1.0),
        program: &PHONE_BRIDGE,
        value: "/20/klinke/cpu_percent_per_call",
        peer: Some("/20/rtpengine/cpu_percent_per_call"),
    },
    Measurement {
        name: "phone-bridge-100",
        what: "CPU of a bridged call, 100 at once, Opus ↔ PCMU; peer: the bare codec (libopus) on the same frames",
        unit: "% of a core",
        target: Target::TimesPeer(1.6),
        program: &PHONE_BRIDGE,
        value: "/100/klinke/cpu_percent_per_call",
        peer: Some("/100/bare/cpu_percent_per_call"),
    },
    Measurement {
        name: "phone-bridge-100-rtpengine",
        what: "the same; peer: rtpengine with the same streams",
        unit: "% of a core",
        target: Target::TimesPeer(1.0),
        program: &PHONE_BRIDGE,
        value: "/100/klinke/cpu_percent_per_call",
        peer: Some("/100/rtpengine/cpu_percent_per_call"),
    },
    Measurement {
        name: "phone-memory-1",
        what: "memory of one such call; peer: rtpengine",
        unit: "KiB",
        target: Target::TimesPeer(1.0),
        program: &PHONE_BRIDGE,
        value: "/1/klinke/kib_per_call",
        peer: Some("/1/rtpengine/kib_per_call"),
    },
    Measurement {
        name: "phone-memory-20",
        what: "memory of such a call, 20 at once; peer: rtpengine",
        unit: "KiB",
        target: Target::TimesPeer(1.0),
        program: &PHONE_BRIDGE,
        value: "/20/klinke/kib_per_call",
        peer: Some("/20/rtpengine/kib_per_call"),
    },
    Measurement {
        name: "phone-memory-100",
        what: "memory of such a call, 100 at once; peer: rtpengine",
        unit: "KiB",
        target: Target::TimesPeer(1.0),
        program: &PHONE_BRIDGE,
        value: "/100/klinke/kib_per_call",
        peer: Some("/100/rtpengine/kib_per_call"),
    },
    Measurement {
        name: "phone-invite",
        what: "the wish to call → the INVITE has arrived, p99; peer: a bare datagram",
        unit: "ms",
        target: Target::AtMost(10.0),
        program: &PHONE_INVITE,
        value: "/ms/p99",
        peer: Some("/datagram_ms/p99"),
    },
    Measurement {
        name: "phone-invite-50",
        what: "the same, 50 calls at once",
        unit: "ms",
        target: Target::AtMost(10.0),
        program: &PHONE_INVITE,
        value: "/at_once_ms/p99",
        peer: Some("/datagram_ms/p99"),
    },
    Measurement {
        name: "phone-delay-out",
        what: "panel's mouth → phone's ear, less codec and jitter buffer, p99",
        unit: "ms",
        target: Target::AtMost(60.0),
        program: &PHONE_DELAY,
        value: "/to_phone/bridge_ms/p99",
        peer: None,
    },
    Measurement {
        name: "phone-delay-in",
        what: "phone's mouth → panel's ear, less codec and jitter buffer, p99",
        unit: "ms",
        target: Target::AtMost(60.0),
        program: &PHONE_DELAY,
        value: "/to_panel/bridge_ms/p99",
        peer: None,
    },
    Measurement {
        name: "phone-flat",
        what: "how much memory grows from 100 to 1,000 calls in a row",
        unit: "%",
        target: Target::AtMost(5.0),
        program: &PHONE_FLAT,
        value: "/growth_percent",
        peer: None,
    },
    Measurement {
        name: "phone-flat-left",
        what: "dialogs, tasks and sockets that these calls leave",
        unit: "",
        target: Target::AtMost(0.0),
        program: &PHONE_FLAT,
        value: "/left",
        peer: None,
    },
    Measurement {
        name: "binary-size",
        what: "size of `klinke`, release build, web pages inside",
        unit: "MiB",
        target: Target::None,
        program: &BINARY,
        value: "/mib",
        peer: None,
    },
];
