//! Work for later, and the links that it sends.

use klinke_model::ids::{JobId, PersonId, TenantId};
use klinke_model::privacy::Pii;
use klinke_model::time::Timestamp;
use uuid::Uuid;

/// What there is to do later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// Send a person the link to set a password; the subject is the person.
    Invite,
    /// Apply or undo a list of people; the subject is the list.
    Import,
    /// Send a guest their link; the subject is the guest.
    GuestMail,
}

/// Work that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// Whose data it touches.
    pub tenant: TenantId,
    /// Which.
    pub id: JobId,
    /// What.
    pub kind: JobKind,
    /// On what.
    pub subject: Uuid,
    /// When it is due; whoever takes it moves this on, so that nobody else takes it meanwhile.
    pub run_at: Timestamp,
    /// How often it was taken before.
    pub attempts: u32,
}

/// How a link to set a password stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvitationState {
    /// It waits to be sent.
    Waiting,
    /// It was made, and works until then.
    Open(Timestamp),
    /// Its time is over.
    Expired,
    /// A password was set with it.
    Used,
}

/// What an administrator sees of a person's way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WayIn {
    /// The person can sign in.
    pub has_account: bool,
    /// The newest link, when there was one.
    pub invitation: Option<InvitationState>,
    /// A mail can be sent to them.
    pub has_email: bool,
    /// The principal may send them a link: nobody may for a person who may do more than they themselves.
    pub may_invite: bool,
}

/// Whom a link is for, as the mail and the page that it leads to need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invited {
    /// Whose data.
    pub tenant: TenantId,
    /// Who.
    pub person: PersonId,
    /// What others call them; empty for somebody who is anonymous.
    pub name: Pii<String>,
    /// Where the mail goes.
    pub email: Option<Pii<String>>,
    /// The language of the mail, a BCP 47 tag.
    pub language: String,
    /// What they sign in with, when they have an account.
    pub user_name: Option<Pii<String>>,
    /// Not suspended.
    pub active: bool,
}

/// What became of a link that somebody followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed<T> {
    /// It is good.
    Good(T),
    /// A password was set with it before.
    Used,
    /// Its time is over, or the person is suspended.
    Expired,
    /// No such link, or a newer one took its place.
    Unknown,
}
