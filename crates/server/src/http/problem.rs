//! Refusals as RFC 9457 problem bodies.
//!
//! A [`Problem`] is a stable [`Code`], and for a form the fields that are wrong. It becomes a body at the very
//! end of a request, in [`render`], where the reader's language is known.

use crate::auth::limit::TooMany;
use crate::text::Language;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use klinke_model::contact::{Email, Phone};
use klinke_model::privacy::Pii;
use klinke_model::text::{Label, LabelError};
use klinke_storage::StorageError;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:ident;)+) => {
        /// Why a request was refused. Stable: clients act on it and translate it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Code { $($(#[$doc])* $name,)+ }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// As it is written in the body.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// The status that goes with it.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),+ }
            }
        }
    };
}

codes! {
    /// Not JSON, or not the fields of this operation.
    Malformed = "malformed", BAD_REQUEST;
    /// Some fields are wrong; `errors` says which.
    Invalid = "invalid", UNPROCESSABLE_ENTITY;
    /// The body is over the limit.
    TooLarge = "too_large", PAYLOAD_TOO_LARGE;
    /// The body is not `application/json`.
    WrongMediaType = "wrong_media_type", UNSUPPORTED_MEDIA_TYPE;
    /// This address does not know the method.
    WrongMethod = "wrong_method", METHOD_NOT_ALLOWED;
    /// The request did not arrive, or was not answered, in time.
    TimedOut = "timed_out", REQUEST_TIMEOUT;
    /// Nobody has claimed this installation yet.
    NotSetUp = "not_set_up", SERVICE_UNAVAILABLE;
    /// The installation was claimed before.
    AlreadyClaimed = "already_claimed", GONE;
    /// Not the set-up code.
    WrongCode = "wrong_code", FORBIDDEN;
    /// The set-up code is too old: a restart of the server makes a new one.
    CodeExpired = "code_expired", GONE;
    /// No session, or one that ended.
    NotSignedIn = "not_signed_in", UNAUTHORIZED;
    /// A session and a token in one request.
    TwoCredentials = "two_credentials", BAD_REQUEST;
    /// A token of another program does not do this: it takes a person.
    NotForTokens = "not_for_tokens", FORBIDDEN;
    /// No such account, or not its password; which of the two is not told.
    SignInFailed = "sign_in_failed", UNAUTHORIZED;
    /// Too many tries; `Retry-After` says when to go on.
    TooManyTries = "too_many_tries", TOO_MANY_REQUESTS;
    /// More requests than one may send; `Retry-After` says when to go on.
    TooManyRequests = "too_many_requests", TOO_MANY_REQUESTS;
    /// This `Idempotency-Key` came with another request before.
    IdempotencyKeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY;
    /// The request with this `Idempotency-Key` is still under way.
    InProgress = "in_progress", CONFLICT;
    /// Signed in, but this is for administrators.
    Forbidden = "forbidden", FORBIDDEN;
    /// Who has a role with access to personal data must bind themselves to confidentiality first.
    ConfidentialityRequired = "confidentiality_required", FORBIDDEN;
    /// The building's policy keeps this to its administrators.
    DecidedByAdministrator = "decided_by_administrator", FORBIDDEN;
    /// Whoever decides for the home decides this.
    DecidedByOwner = "decided_by_owner", FORBIDDEN;
    /// As many people live there as a household may take in.
    HouseholdFull = "household_full", CONFLICT;
    /// They have a password already, or are the administrators' to invite.
    HasPassword = "has_password", CONFLICT;
    /// They have no password yet.
    NoPassword = "no_password", CONFLICT;
    /// They have a button of their own, or can have none.
    HasButton = "has_button", CONFLICT;
    /// Somebody in the building has this card; administrators are told in `current` which it is.
    CardTaken = "card_taken", CONFLICT;
    /// They have as many cards as residents may add themselves.
    TooManyCards = "too_many_cards", CONFLICT;
    /// The reader waits for a card of somebody else.
    ReaderBusy = "reader_busy", CONFLICT;
    /// The reader can not be reached.
    ReaderOffline = "reader_offline", CONFLICT;
    /// The file has more than 5,000 cards.
    TooManyCardRows = "too_many_card_rows", UNPROCESSABLE_ENTITY;
    /// As many guests as the home may have at once.
    GuestsFull = "guests_full", CONFLICT;
    /// The server sends no mail.
    NoMail = "no_mail", CONFLICT;
    /// There are as many trunks as there may be.
    TooManyTrunks = "too_many_trunks", CONFLICT;
    /// No trunk leads to ordinary phones.
    NoTrunk = "no_trunk", CONFLICT;
    /// A limit of calls to ordinary phones is reached: of the number within the hour, or of all within the day.
    CalledTooOften = "called_too_often", TOO_MANY_REQUESTS;
    /// A screen holds the panel's key.
    Paired = "paired", CONFLICT;
    /// A controller or a door station opens the door already: one of the two.
    Driven = "driven", CONFLICT;
    /// A door station opens the door, and this takes a controller.
    NeedsController = "needs_controller", CONFLICT;
    /// The door station is not registered, or nothing answers where it is.
    StationOffline = "station_offline", CONFLICT;
    /// The door station shows no certificate there that could be read.
    NoCertificate = "no_certificate", CONFLICT;
    /// The operator has not set up where devices register.
    NoStations = "no_stations", CONFLICT;
    /// They have as many SIP devices as a person may have.
    TooManyStations = "too_many_stations", CONFLICT;
    /// Not the password of who is signed in.
    WrongPassword = "wrong_password", FORBIDDEN;
    /// Somebody changed it in between; `current` is how it is now.
    Conflict = "conflict", CONFLICT;
    /// The person lives somewhere, has a role, or will move.
    StillHere = "still_here", CONFLICT;
    /// Who looks with the eyes of a role changes nothing.
    ViewingOnly = "viewing_only", FORBIDDEN;
    /// Something depends on it that must go first; `current` counts it.
    InUse = "in_use", CONFLICT;
    /// Nobody would be left who gives roles.
    LastManager = "last_manager", CONFLICT;
    /// The building is residential or mixed: nothing is kept that tells who came or went.
    NotCommercial = "not_commercial", CONFLICT;
    /// Another administrator has to agree than the one who asked.
    SamePerson = "same_person", FORBIDDEN;
    /// The request comes from a page of another site.
    WrongOrigin = "wrong_origin", FORBIDDEN;
    /// Nothing here by that name, or nothing that the asker may know of.
    NotFound = "not_found", NOT_FOUND;
    /// No device waits with this pairing code.
    UnknownCode = "unknown_code", NOT_FOUND;
    /// No such ticket, or it was used.
    UnknownTicket = "unknown_ticket", NOT_FOUND;
    /// No such link to set a password, or a newer one took its place.
    UnknownInvitation = "unknown_invitation", NOT_FOUND;
    /// A password was set with this link before.
    InvitationUsed = "invitation_used", GONE;
    /// The link is older than 72 hours, or the person is suspended.
    InvitationExpired = "invitation_expired", GONE;
    /// The building's policy allows no pictures on buttons.
    NoPictures = "no_pictures", CONFLICT;
    /// The file is neither JPEG, PNG nor WebP, or is broken.
    NotAPicture = "not_a_picture", UNPROCESSABLE_ENTITY;
    /// The picture has more points than anybody needs.
    PictureTooLarge = "picture_too_large", UNPROCESSABLE_ENTITY;
    /// The file is neither CSV nor XLSX.
    NotAList = "not_a_list", UNPROCESSABLE_ENTITY;
    /// The file has no rows below its head.
    EmptyList = "empty_list", UNPROCESSABLE_ENTITY;
    /// The file has more than 60,000 rows.
    TooManyRows = "too_many_rows", UNPROCESSABLE_ENTITY;
    /// The file has more than 40 columns.
    TooManyColumns = "too_many_columns", UNPROCESSABLE_ENTITY;
    /// A cell of the file has more than 1,000 characters.
    CellTooLong = "cell_too_long", UNPROCESSABLE_ENTITY;
    /// The list was applied before.
    ImportApplied = "import_applied", CONFLICT;
    /// The list was not applied: there is nothing to undo.
    ImportNotApplied = "import_not_applied", CONFLICT;
    /// The list is being applied or undone at this moment.
    ImportUnderWay = "import_under_way", CONFLICT;
    /// As many devices wait to be paired as there is room for.
    TooManyWaiting = "too_many_waiting", SERVICE_UNAVAILABLE;
    /// More work than the server can do just now.
    Overloaded = "overloaded", SERVICE_UNAVAILABLE;
    /// The server failed; the log has the cause.
    Internal = "internal", INTERNAL_SERVER_ERROR;
}

impl Code {
    /// The Fluent message that is the title.
    pub fn title_id(self) -> String {
        format!("error-{}", self.as_str().replace('_', "-"))
    }
}

/// What is wrong with a field. Stable: clients translate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldCode {
    /// Nothing but white space.
    Empty,
    /// Too long.
    TooLong,
    /// Too short.
    TooShort,
    /// A character that is not allowed.
    Control,
    /// The password holds the user name.
    HoldsUserName,
    /// Not a P-256 public key as base64 SubjectPublicKeyInfo.
    NotAKey,
    /// Nothing by this id in this building.
    NotFound,
    /// Named twice.
    Taken,
    /// The controller does not have this output; the number or moment is outside of what is allowed.
    OutOfRange,
    /// Not an e-mail address.
    NotAnEmail,
    /// Not a phone number.
    NotAPhone,
    /// Not a day, or one that can not be chosen here.
    NotADay,
    /// The last comes before the first.
    EndsFirst,
    /// It must be given.
    Required,
    /// Not a time zone of the IANA database.
    UnknownTimeZone,
    /// Not an address that a message can go to.
    NotAnAddress,
    /// Not `https`.
    NotHttps,
    /// The operator does not allow this host.
    HostNotAllowed,
    /// Something else than the digits 0 to 9 and A to F.
    NotHexadecimal,
    /// Not as many digits as such a number has.
    WrongLength,
    /// Keys of a telephone are `0` to `9`, `*` and `#`.
    NotKeys,
    /// Not a path of a web server: `/` first, in visible ASCII, and without a host.
    NotAPath,
    /// The password would go in the clear, which nobody allowed.
    InTheClear,
    /// Neither facility and number, nor ten digits.
    NotTwoNumbers,
    /// A card that says another number each time it is read.
    ChangesEachTime,
    /// Not the calling code of a country.
    NotACountry,
    /// A number of a country that may not be called, or of none.
    CountryNotAllowed,
    /// A number that costs whoever calls it extra.
    CostsExtra,
    /// It takes TLS.
    NeedsTls,
}

/// One wrong field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the request's body.
    #[schema(example = "/name")]
    pub pointer: String,
    /// What is wrong.
    pub code: FieldCode,
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    code: Code,
    errors: Vec<FieldError>,
    retry_after: Option<Duration>,
    current: Option<serde_json::Value>,
}

impl Problem {
    /// Somebody changed it in between: how it is now.
    pub fn conflict(current: &impl Serialize) -> Self {
        Self { current: serde_json::to_value(current).ok(), ..Code::Conflict.into() }
    }
}

impl Problem {
    /// Too many; when to go on.
    pub fn after(code: Code, too_many: TooMany) -> Self {
        Self { retry_after: Some(too_many.retry_after), ..code.into() }
    }

    /// Somebody has this card: which it is.
    pub fn card_taken(current: &impl Serialize) -> Self {
        Self { current: serde_json::to_value(current).ok(), ..Code::CardTaken.into() }
    }

    /// Something depends on it: what, in numbers.
    pub fn in_use(uses: &impl Serialize) -> Self {
        Self { current: serde_json::to_value(uses).ok(), ..Code::InUse.into() }
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self { code, errors: Vec::new(), retry_after: None, current: None }
    }
}

impl From<TooMany> for Problem {
    fn from(too_many: TooMany) -> Self {
        Self::after(Code::TooManyTries, too_many)
    }
}

impl From<StorageError> for Problem {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Driven => Code::Driven.into(),
            StorageError::NeedsController => Code::NeedsController.into(),
            error => {
                tracing::error!(%error, "storage failed");
                Code::Internal.into()
            }
        }
    }
}

/// The body of a refusal (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Stable code.
    code: Code,
    /// In the reader's language.
    title: String,
    /// The status again.
    status: u16,
    /// For `invalid`: which fields, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldError>,
    /// For `conflict`: the object as it is now; for `card_taken`: the card; for `in_use`: what depends on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = Object)]
    current: Option<serde_json::Value>,
}

impl IntoResponse for Problem {
    /// The status, and the problem itself for [`render`] to write.
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the bodies of refusals in the reader's language.
pub async fn render(request: Request, next: Next) -> Response {
    let language = Language::preferred(request.headers());
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    let code = problem.code;
    let title = language.text(&code.title_id()).unwrap_or_else(|| code.as_str().to_owned());
    let body = ProblemBody {
        code,
        title,
        status: code.status().as_u16(),
        errors: problem.errors,
        current: problem.current,
    };
    let mut response = (code.status(), axum::Json(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Language"));
    if let Some(wait) = problem.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
    }
    response
}

/// The fields of a form, checked one by one so that the answer names all that are wrong, not only the first.
#[derive(Debug, Default)]
pub struct Fields(Vec<FieldError>);

impl Fields {
    /// A field is wrong.
    pub fn wrong(&mut self, pointer: impl Into<String>, code: FieldCode) {
        self.0.push(FieldError { pointer: pointer.into(), code });
    }

    /// A field that is a label.
    pub fn label(&mut self, pointer: &str, text: &str) -> Option<Label> {
        let code = match Label::new(text) {
            Ok(label) => return Some(label),
            Err(LabelError::Empty) => FieldCode::Empty,
            Err(LabelError::TooLong) => FieldCode::TooLong,
            Err(LabelError::Control) => FieldCode::Control,
        };
        self.wrong(pointer, code);
        None
    }

    /// A field that is an e-mail address, or empty.
    pub fn email(&mut self, pointer: &str, text: &str) -> Option<Pii<Email>> {
        if text.trim().is_empty() {
            return None;
        }
        let email = Email::new(text).ok();
        if email.is_none() {
            self.wrong(pointer, FieldCode::NotAnEmail);
        }
        email.map(Pii::new)
    }

    /// A field that is a phone number, or empty.
    pub fn phone(&mut self, pointer: &str, text: &str) -> Option<Pii<Phone>> {
        if text.trim().is_empty() {
            return None;
        }
        let phone = Phone::new(text).ok();
        if phone.is_none() {
            self.wrong(pointer, FieldCode::NotAPhone);
        }
        phone.map(Pii::new)
    }

    /// Nothing, when no field is wrong.
    ///
    /// # Errors
    /// All the fields that are.
    pub fn check(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(self.into()) }
    }
}

impl From<Fields> for Problem {
    fn from(fields: Fields) -> Self {
        Self { errors: fields.0, ..Code::Invalid.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_written_one_way() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert!(code.status().is_client_error() || code.status().is_server_error());
        }
    }

    #[test]
    fn a_form_names_every_wrong_field() {
        let mut fields = Fields::default();
        assert!(fields.label("/a", "fine").is_some());
        assert!(fields.label("/b", " ").is_none());
        assert!(fields.label("/c", "x\u{7}").is_none());
        let Err(problem) = fields.check() else { panic!("two fields are wrong") };
        assert_eq!(problem.code, Code::Invalid);
        assert_eq!(problem.errors.iter().map(|e| e.pointer.as_str()).collect::<Vec<_>>(), ["/b", "/c"]);
    }
}
