//! Door controller ↔ server, over TLS 1.3 that the controller dials.
//!
//! With a client certificate of the installation's authority the connection is a link; without one it can only
//! pair. Frames are length-prefixed JSON ([`crate::frame`]).
//!
//! ```text
//! controller                         server
//!   │ ─── hello{boot,mono,doors} ─────▶│
//!   │ ◀── welcome{revision,doors} ─────│   what it should drive
//!   │ ─── heartbeat{mono} ────────────▶│   every 5 s; also after every command
//!   │ ◀── open{opening,door,…} ────────│   this boot only, dead after not_after on the controller's clock
//!   │ ─── outcome{opening,opened} ────▶│   the output is on
//!   │ ─── door{accessed,open} ────────▶│
//!   │ ─── door{locked,closed} ────────▶│
//! ```
//!
//! An open command runs at most once: it names the [`BootId`] it is for, carries an [`OpeningId`] that is
//! remembered while it could still be valid, and a deadline in the *controller's* monotonic time. The server
//! reckons that deadline from the newest `mono` the controller sent, so an error of the reckoning makes it
//! earlier, never later. The controller refuses any deadline more than [`OPEN_LIFE_MS`] ahead.

use klinke_model::door::{DoorState, DoorTimes};
use klinke_model::door_settings::DoorHold;
use klinke_model::ids::{BootId, ControllerId, DoorId, OpeningId};
use klinke_model::time::Mono;
use serde::{Deserialize, Serialize};

/// How long an open command lives at most, ms.
pub const OPEN_LIFE_MS: u64 = 5_000;

/// How often a controller speaks at least, ms. Three missed make the link lost, on either side.
pub const HEARTBEAT_MS: u64 = 5_000;

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
    Alive,
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
    /// The hold is outside of [`DoorTimes::RELEASE_MS`].
    BadHold,
    /// The output did not take the command.
    OutputFault,
    /// Too many commands at once.
    Overloaded,
}
