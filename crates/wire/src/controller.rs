//! Door controller ↔ server, over TLS 1.3 that the controller dials.
//!
//! With a client certificate of the installation's authority the connection is a link; without one it can only
//! pair. Frames are length-prefixed JSON ([`crate::frame`]).
//!
//! ```text
//! controller                         server
//!   │ ─── hello{boot,mono,doors} ─────▶│   what is wired to it, and which alarms stand
//!   │ ◀── welcome{revision,doors} ─────│   what it should drive
//!   │ ◀── rights{revision,manifest} ───│   there are newer rights than those that hello told of
//!   │ ─── fetch{of,from} ─────────────▶│   the manifest, then every shard that it does not have yet
//!   │ ◀── part{of,from,bytes} ─────────│   one for each fetch
//!   │ ─── holds{revision} ────────────▶│   in force and on the disk
//!   │ ─── heartbeat{mono} ────────────▶│   every 5 s; also after every command
//!   │ ◀── open{opening,door,…} ────────│   this boot only, dead after not_after on the controller's clock
//!   │ ─── outcome{opening,opened} ────▶│   the output is on
//!   │ ─── door{accessed,open} ────────▶│
//!   │ ─── door{locked,closed} ────────▶│
//!   │ ─── used{credentials} ──────────▶│   they open once, and have; again until they are noted
//!   │ ◀── noted_used{credentials} ─────│   on the server's disk
//!   │ ─── news{journal,entries} ──────▶│   alarms; again on the next link, until
//!   │ ◀── noted{journal,seq} ──────────│   they are kept there
//! ```
//!
//! An open command runs at most once: it names the [`BootId`] it is for, carries an [`OpeningId`] that is
//! remembered while it could still be valid, and a deadline in the *controller's* monotonic time. The server
//! reckons that deadline from the newest `mono` the controller sent, so an error of the reckoning makes it
//! earlier, never later. The controller refuses any deadline more than [`OPEN_LIFE_MS`] ahead.
//!
//! That the server could be asked is one thing, that the rights in force are its newest another: `alive` names the
//! newest that there are, when the server could look, and the controller compares.
//!
//! A reader is asked to read a card that is to be given to somebody ([`crate::enrolment`]): the card is told once, opens
//! nothing, and the window ends with it, with its time, when the server says so, and with the link.
//!
//! ```text
//!   │ ◀── enrol{reading,reader,until} ─│   this boot only, at most 60 s
//!   │ ─── enrolled{reading,key} ──────▶│   or enrol_refused{reading,reason}
//!   │ ◀── end_enrol{reading} ──────────│   nobody wants it any more
//! ```
//!
//! Rights are fetched, not pushed: a part is sent only when it was asked for, one at a time, and is [`PART`] bytes long at
//! most, so an open command waits for one part and never for all of them.

use crate::enrolment::{EnrolRefusal, ReaderReport};
use klinke_model::credential::CredentialKey;
use klinke_model::door::{DoorKind, DoorState, DoorTimes, DoorWiring};
use klinke_model::door_settings::DoorHold;
use klinke_model::ids::{BootId, ControllerId, DoorId, JournalId, OpeningId, ReadingId};
use klinke_model::news::NewsEntry;
use klinke_model::time::{Mono, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// How long an open command lives at most, ms.
pub const OPEN_LIFE_MS: u64 = 5_000;

/// How often a controller speaks at least, ms. Three missed make the link lost, on either side.
pub const HEARTBEAT_MS: u64 = 5_000;

/// The most credentials of one `used`: many times what one door can see in the time of an answer.
pub const USED: usize = 64;

/// The most bytes of one `part`. Its frame is a third longer, and then some.
pub const PART: usize = 32 * 1024;

/// The most entries of one `news`.
pub const NEWS: usize = 100;

/// From the controller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ControllerRequest {
    /// First message of a link.
    Hello {
        /// Highest protocol version the controller speaks.
        protocol: u16,
        /// This start of its process.
        boot: BootId,
        /// Its monotonic clock now.
        mono: Mono,
        /// Its software version.
        version: String,
        /// How many outputs it has.
        outputs: u16,
        /// The doors it drives, as far as it knows.
        doors: Vec<DoorReport>,
        /// The rights that it has in force.
        rights: Option<Held>,
        /// What is wired to its outputs, as far as it knows: none of simulated ones.
        #[serde(default)]
        wired: Vec<WiredOutput>,
        /// Its readers.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        readers: Vec<ReaderReport>,
        /// Which alarms the server should have standing. An older controller does not say, and nothing is ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        standing: Option<StandingAlarms>,
    },
    /// Still here.
    Heartbeat {
        /// Its monotonic clock now.
        mono: Mono,
    },
    /// What became of an open command. Sent exactly once a command that was understood.
    Outcome {
        /// Its monotonic clock now.
        mono: Mono,
        /// Which command.
        opening: OpeningId,
        /// What became of it.
        outcome: Outcome,
    },
    /// A door changed.
    Door {
        /// Its monotonic clock now.
        mono: Mono,
        /// The door.
        door: DoorReport,
    },
    /// The configuration of this revision is in force.
    Applied {
        /// Which revision.
        revision: u64,
    },
    /// The next part of a manifest or shard is wanted.
    Fetch {
        /// SHA-256 of the whole.
        of: Digest,
        /// Where the part begins, in bytes.
        from: u32,
    },
    /// The rights of this revision are in force, and on the disk.
    Holds {
        /// Which revision.
        revision: u64,
    },
    /// These credentials open once, and have opened. Sent again until the server has noted them.
    Used {
        /// Which: [`USED`] at most.
        credentials: Vec<UsedCredential>,
    },
    /// The oldest entries of its journal that the server has not noted.
    News {
        /// Which journal.
        journal: JournalId,
        /// [`NEWS`] at most, in their order.
        entries: Vec<NewsEntry>,
    },
    /// The card that was held to the reader while the window was open, which is over with it.
    Enrolled {
        /// Which window.
        reading: ReadingId,
        /// What the reader read.
        #[serde(with = "crate::enrolment::card")]
        key: CredentialKey,
    },
    /// There is no window, or it ended without a card before its time.
    EnrolRefused {
        /// Which window.
        reading: ReadingId,
        /// Why.
        reason: EnrolRefusal,
    },
    /// First and only message of a connection without a client certificate.
    Pair {
        /// Highest protocol version the controller speaks.
        protocol: u16,
        /// Certificate signing request (RFC 2986), PEM. The key stays where it is.
        csr: String,
        /// Its software version.
        version: String,
        /// How many outputs it has.
        outputs: u16,
    },
}

/// To the controller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ControllerEvent {
    /// Answer to `hello`.
    Welcome {
        /// Version that both speak.
        protocol: u16,
        /// Who the certificate says this is.
        controller: ControllerId,
        /// What it should drive.
        wanted: Wanted,
        /// What time it is.
        time: Timestamp,
    },
    /// The wanted configuration changed.
    Configure {
        /// The whole new one.
        wanted: Wanted,
    },
    /// Open one door, once, now.
    Open {
        /// The start of the process this is for; any other refuses it.
        boot: BootId,
        /// Which command.
        opening: OpeningId,
        /// Which door.
        door: DoorId,
        /// How long the lock stays released, ms.
        hold_ms: u32,
        /// The controller's monotonic time after which this command is dead.
        not_after: Mono,
    },
    /// Answer to `heartbeat`, so that a controller notices a dead link too.
    Alive {
        /// What time it is.
        time: Timestamp,
        /// The revision of the newest rights for this controller; none while the server could not look.
        #[serde(default)]
        newest: Option<u64>,
    },
    /// There are rights that this controller does not have in force.
    Rights {
        /// Higher than that of any before.
        revision: u64,
        /// What is signed.
        manifest: Whole,
        /// By the installation's authority, ECDSA P-256 with SHA-256 (FIPS 186-5), ASN.1, over
        /// `klinke_access::snapshot::signed` of the manifest.
        #[serde(with = "base64_text")]
        signature: Vec<u8>,
    },
    /// Answer to `fetch`.
    Part {
        /// SHA-256 of the whole.
        of: Digest,
        /// Where the part begins, in bytes.
        from: u32,
        /// How long the whole is, in bytes.
        total: u32,
        /// The part: [`PART`] bytes, less at the end.
        #[serde(with = "base64_text")]
        bytes: Vec<u8>,
    },
    /// Answer to `fetch` of what is not wanted any more; newer rights are on their way.
    Gone {
        /// SHA-256 of the whole.
        of: Digest,
    },
    /// Answer to `used`: they need not be told again.
    NotedUsed {
        /// All that were told.
        credentials: Vec<UsedCredential>,
    },
    /// Answer to `news`: what stands in this journal up to this entry is kept, and need not be told again.
    Noted {
        /// Which journal.
        journal: JournalId,
        /// The highest number that was taken.
        seq: u64,
    },
    /// The next card at a reader is to be told and not judged.
    Enrol {
        /// The start of the process this is for; any other refuses it.
        boot: BootId,
        /// Which window.
        reading: ReadingId,
        /// Which reader.
        reader: u16,
        /// The controller's monotonic time at which the window ends: at most [`crate::enrolment::WINDOW_MS`] ahead.
        until: Mono,
    },
    /// Nobody waits for a card any more.
    EndEnrol {
        /// Which window.
        reading: ReadingId,
    },
    /// Answer to `pair`: show this code to an administrator, and wait.
    PairingCode {
        /// Eight digits in two groups, such as `4071 9936`.
        code: String,
        /// For how long it can be claimed, s.
        expires_s: u32,
    },
    /// An administrator claimed the code.
    Paired {
        /// Who this is now.
        controller: ControllerId,
        /// Client certificate, PEM.
        certificate: String,
        /// The installation's authority, PEM.
        authority: String,
    },
    /// The server does not go on with this connection.
    Refused {
        /// Why; for the installer's eyes, in English.
        reason: String,
    },
}

/// What a controller should drive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Grows with every change.
    pub revision: u64,
    /// Its doors.
    pub doors: Vec<WantedDoor>,
}

/// One door of a controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedDoor {
    /// Which.
    pub door: DoorId,
    /// On which output, from 0.
    pub output: u16,
    /// Its times.
    pub times: DoorTimes,
    /// How an administrator holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<DoorHold>,
    /// What it is: of a floor no contact is believed.
    #[serde(default)]
    pub kind: DoorKind,
}

/// What is wired to one output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WiredOutput {
    /// Which, from 0.
    pub output: u16,
    /// What.
    #[serde(flatten)]
    pub wiring: DoorWiring,
}

/// One door as its controller sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoorReport {
    /// Which.
    pub door: DoorId,
    /// How it is.
    pub state: DoorState,
}

/// What became of an open command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The output is on.
    Opened {
        /// For how long from now, ms.
        for_ms: u32,
    },
    /// The card of this output was handed to another system; whether the door opens is that system's.
    Sent,
    /// It came too late.
    Expired,
    /// Not carried out.
    Refused {
        /// Why.
        reason: OutcomeRefusal,
    },
}

/// Why a controller did not carry out a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeRefusal {
    /// For another start of the process: a replay or a very late message.
    OtherBoot,
    /// This opening was carried out before.
    Repeated,
    /// The deadline is further ahead than [`OPEN_LIFE_MS`].
    DeadlineTooFar,
    /// Not a door of this controller.
    UnknownDoor,
    /// The door is blocked or locked down.
    Blocked,
    /// Another door of its airlock is not closed and locked.
    Interlocked,
    /// Nobody went through the door before it in the time that it gives.
    DoorBeforeFirst,
    /// It opens for two people who stand before it.
    SecondPersonNeeded,
    /// The hold is outside of [`DoorTimes::RELEASE_MS`].
    BadHold,
    /// The output did not take the command.
    OutputFault,
    /// Too many commands at once.
    Overloaded,
}

/// The alarms of a journal that the server should have standing. A server that was restored from a backup may have some more, of which
/// it had noted the end: it is not told again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingAlarms {
    /// Which journal.
    pub journal: JournalId,
    /// The server has noted everything up to this entry; no more is said of those after it.
    pub noted: u64,
    /// The numbers of those up to there that stand, or whose end is still to be told.
    pub alarms: Vec<u64>,
}

/// The rights that a controller has in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Their number.
    pub revision: u64,
    /// When the server made them.
    pub issued: Timestamp,
    /// SHA-256 of their manifest.
    pub manifest: Digest,
}

/// A credential as the controller's rights name it: a keyed hash, which tells nobody else what was presented.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsedCredential(pub [u8; 16]);

impl fmt::Debug for UsedCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UsedCredential(‹redacted›)")
    }
}

impl Serialize for UsedCredential {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        base64_text::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for UsedCredential {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = base64_text::deserialize(deserializer)?;
        bytes.try_into().map(Self).map_err(|_| de::Error::custom("a credential has 16 bytes"))
    }
}

/// Something that is fetched in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whole {
    /// SHA-256 of it.
    pub sha256: Digest,
    /// How long it is, in bytes.
    pub bytes: u32,
}

/// A SHA-256, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

/// A text is not a SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 has 64 hexadecimal digits, in small letters")]
pub struct NoDigest;

impl FromStr for Digest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Self, NoDigest> {
        let digit = |digit: u8| match digit {
            b'0'..=b'9' => Ok(digit - b'0'),
            b'a'..=b'f' => Ok(digit - b'a' + 10),
            _ => Err(NoDigest),
        };
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != 32 || !rest.is_empty() {
            return Err(NoDigest);
        }
        let mut bytes = [0; 32];
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Bytes as base64 (RFC 4648, §4).
mod base64_text {
    use base64::prelude::{BASE64_STANDARD, Engine};
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        BASE64_STANDARD.decode(String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{decode, encode};

    #[test]
    fn the_longest_part_fits_into_a_frame_and_comes_back() {
        let bytes = (0..PART).map(|byte| u8::try_from(byte % 251).unwrap()).collect();
        let of = Digest([255; 32]);
        let part = ControllerEvent::Part { of, from: u32::MAX, total: u32::MAX, bytes };
        let mut frame = encode(&part).unwrap();
        assert_eq!(decode::<ControllerEvent>(&mut frame).unwrap(), Some(part));
    }

    #[test]
    fn what_was_used_comes_back_and_prints_nothing() {
        let used = ControllerRequest::Used { credentials: vec![UsedCredential([0xab; 16]); USED] };
        let mut frame = encode(&used).unwrap();
        assert_eq!(decode::<ControllerRequest>(&mut frame).unwrap(), Some(used.clone()));
        assert!(!format!("{used:?}").contains("ab"));
        let short = r#"{"type":"used","credentials":["q6ur"]}"#;
        assert!(serde_json::from_str::<ControllerRequest>(short).is_err());
    }

    #[test]
    fn what_is_wired_comes_back_and_may_be_left_out() {
        let told = r#"{"output":3,"lock":"fail_safe","holds":false,"handed_on":false,"contact":true,"exit_button":false,"fire_input":true}"#;
        let wired: WiredOutput = serde_json::from_str(told).unwrap();
        assert_eq!(serde_json::to_string(&wired).unwrap(), told);
        let boot = "01010101-0101-4101-8101-010101010101";
        let hello = format!(
            r#"{{"type":"hello","protocol":3,"boot":"{boot}","mono":1,"version":"1","outputs":1,"doors":[],"rights":null}}"#
        );
        let ControllerRequest::Hello { wired, standing, .. } = serde_json::from_str(&hello).unwrap() else {
            panic!("no hello")
        };
        assert_eq!((wired, standing), (vec![], None));
    }

    #[test]
    fn a_digest_is_64_digits_in_small_letters_and_nothing_else() {
        let digest = Digest([0xab; 32]);
        let text = digest.to_string();
        assert_eq!((text.len(), text.parse()), (64, Ok(digest)));
        assert_eq!(serde_json::to_string(&digest).unwrap(), format!("\"{text}\""));
        for wrong in [&text[1..], &text.to_uppercase(), &format!("{text}a"), "../", &"é".repeat(32)] {
            assert_eq!(wrong.parse::<Digest>(), Err(NoDigest), "{wrong}");
        }
    }
}
