//! App or station ↔ server. The device is proven by its session cookie when the WebSocket opens.
//!
//! ```text
//! app                             server
//!   │  ─── hello{protocol} ────────▶│
//!   │  ◀── welcome{device,calls} ───│   whole state
//!   │  ◀── ring{call…} ─────────────│
//!   │  ─── ringing{call} ──────────▶│   this device rings (R7)
//!   │  ─── offer{call,join,sdp} ───▶│   picture at once, no sound
//!   │  ◀── answer{call,sdp} ────────│
//!   │  ─── accept{call} ───────────▶│   one tap answers …
//!   │  ◀── call{connected…} ────────│
//!   │  ─── open{request,door,call} ▶│   … one tap opens
//!   │  ◀── opening{sending} ────────│
//!   │  ◀── opening{open|refused} ───│
//!   │  ─── hang_up{call} ──────────▶│
//!   │  ◀── call{ended…} ────────────│
//! ```

use crate::common::{DoorRef, EndReason, ErrorNews, MediaQuality, OpeningNews, Sdp};
use klinke_model::door::{DoorKind, DoorState};
use klinke_model::ids::{CallId, DeviceId, DoorId, RequestId};
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use serde::{Deserialize, Serialize};

/// From the app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AppRequest {
    /// First message.
    Hello {
        /// Highest protocol version the app speaks.
        protocol: u16,
    },
    /// This device rings and shows it.
    Ringing {
        /// Which call.
        call: CallId,
    },
    /// The device's media; may be repeated with a new join token (a reload): the newest counts.
    Offer {
        /// Which call.
        call: CallId,
        /// The single-use token of the newest `ring` or `welcome` for this call and device.
        join: String,
        /// WebRTC offer: video recvonly, audio sendrecv.
        sdp: Sdp,
    },
    /// The resident answers.
    Accept {
        /// Which call.
        call: CallId,
    },
    /// The resident does not want to answer on this device.
    Decline {
        /// Which call.
        call: CallId,
    },
    /// The resident hangs up.
    HangUp {
        /// Which call.
        call: CallId,
    },
    /// The resident switches the picture off or on (R3).
    Video {
        /// Which call.
        call: CallId,
        /// On or off.
        on: bool,
    },
    /// Open a door: from a call (a door of the panel), or one's own list.
    Open {
        /// Repeating it with the same id is answered with the same opening.
        request: RequestId,
        /// Which door.
        door: DoorId,
        /// In which call; absent for the door list.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(feature = "openapi", schema(nullable = false))]
        call: Option<CallId>,
    },
    /// Still here; answered with `pong`. Sent every 20 s; the server gives up after 60 s of silence.
    Ping,
}

/// To the app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AppEvent {
    /// All that is going on for this device.
    Welcome {
        /// Version that both speak.
        protocol: u16,
        /// Which device this is.
        device: DeviceId,
        /// Calls that ring here or that this device is in.
        calls: Vec<AppCall>,
        /// Doors that this person may open, with their state.
        doors: Vec<AppDoor>,
    },
    /// A visitor rings.
    Ring {
        /// The call.
        call: AppCall,
    },
    /// A call changed.
    Call {
        /// Which.
        call: CallId,
        /// Where it stands now.
        #[serde(flatten)]
        state: AppCallState,
    },
    /// Answer to `offer`.
    Answer {
        /// Which call.
        call: CallId,
        /// WebRTC answer.
        sdp: Sdp,
    },
    /// What the media can carry changed.
    Media {
        /// Which call.
        call: CallId,
        /// What it carries.
        quality: MediaQuality,
    },
    /// An opening this device asked for, or of a call it is rung by, moved on.
    Opening {
        /// In which call.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(feature = "openapi", schema(nullable = false))]
        call: Option<CallId>,
        /// How far it is; `open` only when the controller said so.
        #[serde(flatten)]
        news: OpeningNews,
    },
    /// A door of this person's list changed.
    Door {
        /// The door.
        door: AppDoor,
    },
    /// A message was not accepted.
    Error(ErrorNews),
    /// Answer to `ping`.
    Pong,
}

/// A call as a device sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AppCall {
    /// Which.
    pub call: CallId,
    /// The building.
    pub building: Label,
    /// The panel, such as "Entrance A".
    pub panel: Label,
    /// The text of the button that was rung.
    pub label: Label,
    /// It is the building's quiet hours: shown, and not to be heard.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub silent: bool,
    /// Doors that can be opened from this call.
    pub doors: Vec<DoorRef>,
    /// Single-use token to join the media of this call from this device; 60 s.
    pub join: String,
    /// Where it stands.
    #[serde(flatten)]
    pub state: AppCallState,
}

/// Where a call stands, for one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AppCallState {
    /// It rings here.
    Ringing {
        /// Time until it stops by itself, ms.
        left_ms: u32,
    },
    /// This device is talking.
    Connected {
        /// Time left to talk, ms.
        left_ms: u32,
    },
    /// Somebody else of those rung took it, or opened the door; it stops ringing here.
    Elsewhere {
        /// Who, as the household knows them. Told to the household only, kept nowhere.
        by: Label,
        /// Whether they opened the door without answering.
        opened: bool,
    },
    /// It stopped ringing here (next in the sequence, or declined here); the call may go on elsewhere.
    Stopped,
    /// Over.
    Ended {
        /// Why.
        reason: EndReason,
    },
}

/// A door of a person's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AppDoor {
    /// Which.
    pub door: DoorId,
    /// Name.
    pub name: Label,
    /// Building.
    pub building: Label,
    /// What it is: a door or a floor of a lift.
    #[serde(default)]
    pub kind: DoorKind,
    /// The system it belongs to (R21).
    pub system: String,
    /// What its controller last said; absent while the controller is not connected.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub state: Option<DoorState>,
    /// When the person's rights to it hold in the next eight days, in order; absent when they always do.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub hours: Option<Vec<DoorHours>>,
}

/// A time in which a door opens for the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DoorHours {
    /// The first moment, UTC milliseconds since 1970.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
}

impl From<ErrorNews> for AppEvent {
    fn from(news: ErrorNews) -> Self {
        Self::Error(news)
    }
}
