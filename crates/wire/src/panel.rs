//! Panel ↔ server.
//!
//! ```text
//! panel                          server
//!   │  ◀── challenge{nonce} ───────│   WebSocket open
//!   │  ─── hello{panel,signature} ▶│   ECDSA P-256 over `challenge_text`
//!   │  ◀── welcome{directory,call?}│   whole state; a call the panel was in goes on, or is gone
//!   │  ─── ring{request,bell} ────▶│
//!   │  ◀── call{calling…} ─────────│
//!   │  ─── offer{call,sdp} ───────▶│   picture and sound to the room, once
//!   │  ◀── answer{call,sdp} ───────│
//!   │  ◀── call{connected…} ───────│   a resident answered: sound both ways
//!   │  ◀── opening{sending|open…} ─│
//!   │  ─── hang_up{call} ─────────▶│
//!   │  ◀── call{ended…} ───────────│
//!   │                              │
//!   │  ─── present{request,pass} ─▶│   a guest's QR pass or code
//!   │  ◀── pass{sending|open…} ────│
//! ```

use crate::common::{EndReason, ErrorNews, OpeningNews, OpeningState, Sdp};
use klinke_model::ids::{BellId, CallId, PanelId, PersonId, PictureId, RequestId};
use klinke_model::intercom::BellKind;
use klinke_model::text::Label;
use serde::{Deserialize, Serialize};

/// What a panel signs to prove its key: binds the signature to this protocol, this panel and this connection.
pub fn challenge_text(panel: PanelId, nonce: &str) -> String {
    format!("klinke-panel-v1:{panel}:{nonce}")
}

/// From the panel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PanelRequest {
    /// First message: who this is, with proof.
    Hello {
        /// Highest protocol version the panel speaks.
        protocol: u16,
        /// Which panel.
        panel: PanelId,
        /// ECDSA P-256 with SHA-256 over [`challenge_text`], raw `r‖s`, base64.
        signature: String,
    },
    /// The visitor tapped a name.
    Ring {
        /// Repeating it with the same id is answered with the same call.
        request: RequestId,
        /// Which button.
        bell: BellId,
        /// Which member of a family or business button; absent rings all.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(feature = "openapi", schema(nullable = false))]
        member: Option<PersonId>,
    },
    /// The visitor typed the code of a button that stands on no list.
    Dial {
        /// Repeating it with the same id is answered with the same call.
        request: RequestId,
        /// 4 to 8 digits. A wrong one is answered with `not_found`, whatever is wrong with it.
        code: String,
    },
    /// The visitor shows a QR pass or types a code that lets them in.
    Present {
        /// Repeating it with the same id is the same opening.
        request: RequestId,
        /// What is presented. One that is good for nothing here is answered with `not_found`, whatever is wrong with it.
        pass: PresentedPass,
    },
    /// The panel's media; may be repeated for the same call (a reload): the newest counts.
    Offer {
        /// Which call.
        call: CallId,
        /// WebRTC offer: video sendonly, audio sendrecv.
        sdp: Sdp,
    },
    /// The visitor hangs up.
    HangUp {
        /// Which call.
        call: CallId,
    },
    /// Still here; answered with `pong`. Sent every 10 s; the server gives up after 30 s of silence.
    Ping,
}

/// What a visitor presents at a panel.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PresentedPass {
    /// What stands in a QR code.
    Qr {
        /// All of it, such as `KLINKE:…`.
        text: String,
    },
    /// A code that was typed.
    Code {
        /// 6 to 8 digits.
        digits: String,
    },
}

impl std::fmt::Debug for PresentedPass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Qr { .. } => "Qr(‹redacted›)",
            Self::Code { .. } => "Code(‹redacted›)",
        })
    }
}

/// To the panel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PanelEvent {
    /// First message.
    Challenge {
        /// Highest protocol version the server speaks.
        protocol: u16,
        /// 32 random bytes, base64.
        nonce: String,
    },
    /// The panel is proven; here is all it shows.
    Welcome {
        /// Version that both speak.
        protocol: u16,
        /// Everything but the call.
        directory: Directory,
        /// The call this panel is in.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(feature = "openapi", schema(nullable = false))]
        call: Option<PanelCall>,
    },
    /// The directory changed.
    Directory {
        /// The whole new one.
        directory: Directory,
    },
    /// The call began or changed.
    Call {
        /// Its whole state.
        call: PanelCall,
        /// The `ring` that it answers.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(feature = "openapi", schema(nullable = false))]
        request: Option<RequestId>,
    },
    /// Answer to `offer`.
    Answer {
        /// Which call.
        call: CallId,
        /// WebRTC answer.
        sdp: Sdp,
    },
    /// A resident opens a door for this visitor.
    Opening {
        /// Which call.
        call: CallId,
        /// Name of the door.
        door_name: Label,
        /// How far it is; `open` only when the controller said so.
        #[serde(flatten)]
        news: OpeningNews,
    },
    /// How far the opening is that a pass asked for.
    Pass {
        /// The `present` that it answers.
        request: RequestId,
        /// Name of the door; absent when the pass is for none of this panel's.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        #[cfg_attr(feature = "openapi", schema(nullable = false))]
        door_name: Option<Label>,
        /// How far it is; `open` only when the controller said so.
        #[serde(flatten)]
        state: OpeningState,
    },
    /// A message was not accepted.
    Error(ErrorNews),
    /// Answer to `ping`.
    Pong,
}

/// What a panel shows at rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Directory {
    /// Changes when anything below changes.
    pub revision: String,
    /// The building's name.
    pub building: Label,
    /// Its street address.
    pub address: Label,
    /// Where the panel hangs, such as "Entrance A".
    pub panel: Label,
    /// Some buttons can only be dialled, by a code of 4 to 8 digits.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub dials: bool,
    /// The buttons, in the order to show.
    pub bells: Vec<DirectoryBell>,
}

/// One button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DirectoryBell {
    /// Which.
    pub bell: BellId,
    /// Its text.
    pub label: Label,
    /// Apartment number or company.
    pub unit: Label,
    /// The stair it belongs to, for the filter of a panel that serves several.
    pub entrance: Label,
    /// What else the search finds it by.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub alias: Option<Label>,
    /// Its picture: `/api/v1/pictures/{picture}`, for who proved to be this panel and sends its cookie.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub picture: Option<PictureId>,
    /// Only the search shows it.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub search_only: bool,
    /// How it rings; `family` opens into its members.
    pub kind: BellKind,
    /// Members to choose from; filled for `family` only.
    pub members: Vec<DirectoryMember>,
}

/// One member behind a family or business button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DirectoryMember {
    /// Which.
    pub member: PersonId,
    /// The text to show.
    pub label: Label,
}

/// A call as its panel sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PanelCall {
    /// Which.
    pub call: CallId,
    /// The text of the button (or member) that was rung.
    pub label: Label,
    /// Where it stands.
    #[serde(flatten)]
    pub state: PanelCallState,
}

/// Where a call stands, for its panel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PanelCallState {
    /// Ringing.
    Calling {
        /// Which member of a sequential button rings now, from 1.
        step: u8,
        /// How many steps the button has.
        steps: u8,
        /// Whether any device has said that it rings.
        reached: bool,
        /// An ordinary phone is being rung.
        #[serde(skip_serializing_if = "std::ops::Not::not", default)]
        #[cfg_attr(feature = "openapi", schema(required = false))]
        phone: bool,
        /// Time until "no answer", ms.
        left_ms: u32,
    },
    /// A resident answered.
    Connected {
        /// Time left to talk, ms.
        left_ms: u32,
    },
    /// Over.
    Ended {
        /// Why.
        reason: EndReason,
    },
}

impl From<ErrorNews> for PanelEvent {
    fn from(news: ErrorNews) -> Self {
        Self::Error(news)
    }
}
