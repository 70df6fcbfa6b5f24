//! "Call me now": a call over one trunk, to the administrator's own number or one that they type, that shows each step.
//!
//! Who may set a trunk up may test it. The number keeps to the countries and limits of every call and is stored nowhere;
//! the audit says that the trunk was tested.

use super::everywhere;
use super::my_phone_number::not_called;
use super::phone_limits::{callable, countries};
use crate::auth::session::SignedIn;
use crate::http::body::{Body, Object};
use crate::http::problem::{Code, FieldCode, Fields, Problem, ProblemBody};
use crate::node::Node;
use crate::phones::test_call::{self, Ended, Seen, Tester, Wish};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use klinke_model::ids::TrunkId;
use klinke_model::privacy::Pii;
use klinke_model::rights::Right;
use klinke_model::scope::Scope;
use klinke_sip::dtmf::Way;
use klinke_sip::why::Why;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;

/// Where a test call goes.
#[derive(Deserialize, ToSchema)]
pub struct NewTestCall {
    /// In international form, of a country that may be called; absent for the number at which one is rung oneself.
    #[schema(value_type = Option<String>, required = false, example = "+47 915 00 123")]
    number: Option<Pii<String>>,
}

/// How a test call goes, or went. The number that is called is not in it.
#[derive(Serialize, ToSchema)]
pub struct TestCall {
    /// Another one for each call.
    id: Uuid,
    /// The phone rings, or rang.
    rang: bool,
    /// Somebody, or something, picked it up.
    answered: bool,
    /// Whether the sound is encrypted; absent before it was picked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    encrypted: Option<bool>,
    /// Nothing is heard from the phone.
    one_way: bool,
    /// The key that came; absent while none has.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    key: Option<TestKey>,
    /// How it ended; absent while it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    ended: Option<TestEnd>,
}

/// A key of a test call.
#[derive(Serialize, ToSchema)]
pub struct TestKey {
    /// `0` to `9`, `*`, `#`, `A` to `D`.
    #[schema(example = "5")]
    key: String,
    way: KeyWay,
}

/// How a key came.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyWay {
    /// As an event beside the sound (RFC 4733).
    Event,
    /// As a SIP INFO request.
    Info,
    /// As a tone in the sound.
    Tone,
}

/// How a test call ended.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TestEnd {
    /// A key came: all of it works.
    Done,
    /// It was picked up, and no key came.
    NoKey,
    /// What the phone answered leaves no sound to have.
    NoSound,
    /// It was ended here.
    GivenUp,
    /// The phone hung up before a key came.
    HungUp,
    /// It was as long as it may be.
    TimeLimit,
    /// The phone is in use.
    Busy,
    /// Nobody took it, or it is switched off.
    NoAnswer,
    /// Somebody declined it.
    Declined,
    /// There is no such number.
    NoSuchNumber,
    /// The number is diverted to another one, which is not followed.
    Moved,
    /// Phone and server have no codec, or no way of encryption, in common.
    NoCommonMedia,
    /// The trunk does not take calls from us, or not this one.
    Refused,
    /// The trunk has no free line or does not work.
    TrunkBusy,
    /// The trunk does not answer.
    Unreachable,
    /// The call broke off.
    Lost,
    /// What the trunk said makes no sense.
    Broken,
}

impl From<Ended> for TestEnd {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Done => Self::Done,
            Ended::NoKey => Self::NoKey,
            Ended::NoSound => Self::NoSound,
            Ended::GivenUp | Ended::Because(Why::WeHungUp) => Self::GivenUp,
            Ended::Because(why) => match why {
                Why::TheyHungUp | Why::WeHungUp => Self::HungUp,
                Why::Limit => Self::TimeLimit,
                Why::Busy => Self::Busy,
                Why::NoAnswer => Self::NoAnswer,
                Why::Declined => Self::Declined,
                Why::NoSuchNumber => Self::NoSuchNumber,
                Why::Moved => Self::Moved,
                Why::NoCommonMedia => Self::NoCommonMedia,
                Why::Refused => Self::Refused,
                Why::TrunkBusy => Self::TrunkBusy,
                Why::Unreachable => Self::Unreachable,
                Why::Lost => Self::Lost,
                Why::Broken => Self::Broken,
            },
        }
    }
}

impl From<Seen> for TestCall {
    fn from(seen: Seen) -> Self {
        let Seen { id, rang, answered, encrypted, one_way, key, ended, .. } = seen;
        let key = key.map(|(digit, way)| TestKey {
            key: digit.as_char().to_string(),
            way: match way {
                Way::Event => KeyWay::Event,
                Way::Info => KeyWay::Info,
                Way::Tone => KeyWay::Tone,
            },
        });
        Self { id, rang, answered, encrypted, one_way, key, ended: ended.map(TestEnd::from) }
    }
}

/// Who asks, about a trunk of theirs.
async fn tester(node: &Node, who: &SignedIn, trunk: TrunkId) -> Result<Tester, Problem> {
    everywhere(node, who, Right::ChangeBuilding).await?;
    node.store.trunks().trunk(&who.scope, trunk).await?.ok_or(Code::NotFound)?;
    Ok(Tester { tenant: who.scope.tenant, person: who.person })
}

/// Calls over this trunk and no other. A test call from before that one has going is hung up.
#[utoipa::path(post, path = "/api/v1/trunks/{trunk}/test-call", operation_id = "begin_test_call", tag = "phones",
    request_body = NewTestCall, security(("session" = [])),
    params(("trunk" = uuid::Uuid, Path, description = "The trunk")),
    responses((status = 202, description = "It is called", body = TestCall),
        (status = 409, description = "`no_trunk`: it is not used, so nothing can be called over it", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`called_too_often`: a limit of calls is reached", body = ProblemBody, content_type = "application/problem+json")))]
pub async fn begin(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(trunk): Object<TrunkId>,
    Body(new): Body<NewTestCall>,
) -> Result<(StatusCode, Json<TestCall>), Problem> {
    let tester = tester(&node, &who, trunk).await?;
    if !node.phones.states(tester.tenant).iter().any(|(standing, _)| *standing == trunk) {
        return Err(Code::NoTrunk.into());
    }
    let typed = match new.number {
        Some(typed) => Some(typed),
        None => {
            let own = node.store.phone_numbers().number(&who.scope, who.person).await?;
            own.map(|own| Pii::new(own.number.into_inner().into()))
        }
    };
    let mut fields = Fields::default();
    let number = match &typed {
        Some(typed) => callable(&node, tester.tenant, &mut fields, "/number", typed).await?,
        None => {
            fields.wrong("/number", FieldCode::Required);
            None
        }
    };
    let Some(number) = number else { return Err(fields.into()) };
    let limits = node.store.trunks().phone_limits(&Scope::system(tester.tenant)).await?;
    let limits = limits.map(|(_, limits)| limits).unwrap_or_default();
    let me = node.store.people().person(&who.scope, who.person).await?.ok_or(Code::NotFound)?;
    // it was read by the same countries a moment ago
    let Ok(number) = countries(&limits).read(number.reveal().as_str()) else {
        return Err(Code::NoTrunk.into());
    };
    if !node.store.trunks().note_test(&who.scope, &node.stamp(), trunk).await? {
        return Err(Code::NotFound.into());
    }
    let wish = Wish { trunk, number, language: me.language };
    let begun = test_call::begin(&node, tester, wish).await.map_err(not_called)?;
    Ok((StatusCode::ACCEPTED, Json(begun.into())))
}

/// How one's own newest test call over this trunk goes. Ask once a second while it goes on.
#[utoipa::path(get, path = "/api/v1/trunks/{trunk}/test-call", operation_id = "test_call", tag = "phones",
    security(("session" = [])), params(("trunk" = uuid::Uuid, Path, description = "The trunk")),
    responses((status = 200, description = "How it goes; for 10 minutes after its end, how it went", body = TestCall)))]
pub async fn show(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(trunk): Object<TrunkId>,
) -> Result<Json<TestCall>, Problem> {
    let tester = tester(&node, &who, trunk).await?;
    let seen = node.test_calls.seen(tester, &*node.clock).filter(|seen| seen.trunk == trunk);
    Ok(Json(seen.ok_or(Code::NotFound)?.into()))
}

/// Hangs one's own test call over this trunk up.
#[utoipa::path(delete, path = "/api/v1/trunks/{trunk}/test-call", operation_id = "end_test_call", tag = "phones",
    security(("session" = [])), params(("trunk" = uuid::Uuid, Path, description = "The trunk")),
    responses((status = 204, description = "None goes on")))]
pub async fn end(
    State(node): State<Arc<Node>>,
    who: SignedIn,
    Object(trunk): Object<TrunkId>,
) -> Result<StatusCode, Problem> {
    let tester = tester(&node, &who, trunk).await?;
    node.test_calls.give_up(tester, trunk);
    Ok(StatusCode::NO_CONTENT)
}
