//! Words that panels and apps share.

use klinke_model::ids::{DoorId, OpeningId, RequestId};
pub use klinke_model::intercom::EndReason;
use klinke_model::text::Label;
use serde::{Deserialize, Serialize};

/// A session description (RFC 8866), as WebRTC makes it. Printed as its length only: it holds addresses.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Sdp(pub String);

impl std::fmt::Debug for Sdp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sdp({} bytes)", self.0.len())
    }
}

/// A door that a call or a person can open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DoorRef {
    /// Id.
    pub door: DoorId,
    /// Name.
    pub name: Label,
}

/// How far an opening is. A screen shows "open" for [`OpeningState::Open`] only, which is sent when the
/// controller has reported it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum OpeningState {
    /// Decided and on its way to the controller.
    Sending,
    /// The controller has released the lock.
    Open {
        /// How long it stays released from now, ms.
        for_ms: u32,
    },
    /// Handed to the system that the door hangs on; whether it opens is not known.
    Sent,
    /// Not opened, and why.
    Refused {
        /// Stable code.
        reason: RefusalCode,
    },
}

/// Why a door was not opened. Stable: screens and manuals translate these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// This person may not open this door.
    NotAllowed,
    /// This person may open this door at other hours.
    OutsideHours,
    /// What gave this person the door has ended.
    RightOver,
    /// What gives this person the door has not begun.
    RightNotYet,
    /// The person is suspended.
    Suspended,
    /// The door is blocked or locked down.
    Blocked,
    /// Another door of its airlock stands open or is unlocked.
    Interlocked,
    /// The door before it comes first.
    DoorBeforeFirst,
    /// It opens for two people together, at its reader.
    SecondPerson,
    /// The door has no controller.
    NoController,
    /// The controller is not connected.
    Offline,
    /// The controller did not answer in time; the command is dead, the door stays locked.
    Expired,
    /// The controller could not drive its output.
    Fault,
    /// The call is over, or this device is not in it.
    NoCall,
}

/// News of one opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OpeningNews {
    /// The request that it answers, for the client that asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub request: Option<RequestId>,
    /// Which opening; absent when it was refused before one began.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub opening: Option<OpeningId>,
    /// Which door.
    pub door: DoorId,
    /// How far it is.
    #[serde(flatten)]
    pub state: OpeningState,
}

/// What the media of a call can carry just now (R3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MediaQuality {
    /// Picture and sound.
    Good,
    /// A smaller picture: the network is slow.
    Reduced,
    /// Sound only: the network carries no picture, or the resident switched it off.
    AudioOnly,
    /// Sound only: the device knows no codec that the panel sends its picture in.
    UnknownCodec,
}

/// Why a message was not accepted; the connection lives on. What ends a connection is told by its close code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Not JSON, not this protocol's message, or a field out of range.
    Malformed,
    /// No such bell, call or door here (or it belongs to somebody else).
    NotFound,
    /// This message does not fit what is going on.
    OutOfOrder,
    /// The panel already rings somebody else.
    Busy,
    /// The media offer could not be understood.
    BadOffer,
    /// The server can not take more calls just now.
    Overloaded,
    /// Too many wrong codes: none is looked at for a while.
    SlowDown,
    /// The server failed; the log has the cause.
    Internal,
}

/// An error for one message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorNews {
    /// The request it answers, when it had one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub request: Option<RequestId>,
    /// Stable code; screens translate it.
    pub code: ErrorCode,
    /// For how long to wait, ms; with [`ErrorCode::SlowDown`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub wait_ms: Option<u32>,
}

impl ErrorNews {
    /// That the message with this request was not accepted.
    pub const fn new(request: Option<RequestId>, code: ErrorCode) -> Self {
        Self { request, code, wait_ms: None }
    }
}
