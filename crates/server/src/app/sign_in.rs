//! A person signs a device in with user name and password.
//!
//! Whoever guesses learns nothing: an unknown user name, a wrong password and a suspended person get the same body
//! after the same work. Guesses are limited for each address, for each account from each address, and for each
//! account from everywhere; the last is wide, so that a stranger can not lock somebody out by guessing badly. A
//! right password counts against no limit.

use crate::app::session::Session;
use crate::auth::limit::{Limit, TooMany, Try};
use crate::auth::password::{PasswordError, fold_user_name};
use crate::auth::session::{DAYS, cookie};
use crate::auth::token::Token;
use crate::http::body::Body;
use crate::http::client::{Client, Prefix};
use crate::http::problem::{Code, Fields, Problem};
use crate::node::Node;
use crate::signalling::refresh::panels_changed;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use klinke_model::ids::{DeviceId, PersonId, TenantId};
use klinke_model::people::{Device, DeviceKind};
use klinke_model::privacy::Pii;
use klinke_model::scope::{Principal, Scope};
use klinke_model::text::Label;
use klinke_model::time::Clock;
use klinke_storage::record::NewDevice;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// What is typed to sign in.
#[derive(Deserialize, ToSchema)]
pub struct SignIn {
    #[schema(value_type = String, example = "kari@example.org")]
    user_name: Pii<String>,
    #[schema(value_type = String, format = Password)]
    password: Pii<String>,
    /// What the owner calls this device, 1 to 80 characters.
    #[schema(value_type = String, example = "Phone")]
    device_name: Pii<String>,
}

/// An account as the limits know it: a hash, so that a memory dump does not list who tried.
type AccountKey = [u8; 32];

/// How often passwords may be tried.
pub struct SignInLimits {
    address: Limit<Prefix>,
    account_at_address: Limit<(AccountKey, Prefix)>,
    account: Limit<AccountKey>,
}

/// A guess that counts until it turns out right.
#[must_use]
struct Guess<'a>(Try<'a, Prefix>, Try<'a, (AccountKey, Prefix)>, Try<'a, AccountKey>);

impl SignInLimits {
    /// Nothing tried yet.
    pub fn new(clock: &Arc<dyn Clock>) -> Self {
        Self {
            address: Limit::new(clock.clone(), 20, Duration::from_secs(30)),
            account_at_address: Limit::new(clock.clone(), 8, Duration::from_secs(60)),
            account: Limit::new(clock.clone(), 200, Duration::from_secs(15)),
        }
    }

    /// Checks a password of somebody who is signed in: a wrong one counts as a guess at their account.
    ///
    /// # Errors
    /// `too_many_tries`; `overloaded` when too many wait to be checked.
    pub async fn guarded(
        &self,
        user_name: &Pii<String>,
        client: Prefix,
        check: impl Future<Output = Result<bool, PasswordError>>,
    ) -> Result<bool, Problem> {
        let guess = self.guess(user_name, client)?;
        let right = check.await?;
        if right {
            guess.was_right();
        }
        Ok(right)
    }

    /// Counts a guess against every limit, or, when one is reached, against none.
    fn guess(&self, user_name: &Pii<String>, client: Prefix) -> Result<Guess<'_>, TooMany> {
        let account: AccountKey = Sha256::digest(user_name.reveal()).into();
        let both = self.account_at_address.take((account, client))?;
        let address = match self.address.take(client) {
            Ok(address) => address,
            Err(too_many) => {
                both.give_back();
                return Err(too_many);
            }
        };
        match self.account.take(account) {
            Ok(account) => Ok(Guess(address, both, account)),
            Err(too_many) => {
                both.give_back();
                address.give_back();
                Err(too_many)
            }
        }
    }
}

impl Guess<'_> {
    fn was_right(self) {
        self.0.give_back();
        self.1.give_back();
        self.2.give_back();
    }
}

/// Signs a device in.
#[utoipa::path(post, path = "/api/v1/session", operation_id = "sign_in", tag = "session", request_body = SignIn,
    responses(
        (status = 201, description = "Signed in; the session's cookie is set", body = Session, headers(("Set-Cookie" = String))),
        (status = 401, description = "`sign_in_failed`", body = crate::http::problem::ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_tries`, with `Retry-After`", body = crate::http::problem::ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn handler(
    State(node): State<Arc<Node>>,
    client: Client,
    Body(typed): Body<SignIn>,
) -> Result<SignedInNow, Problem> {
    let mut fields = Fields::default();
    let Some(device_name) = fields.label("/device_name", typed.device_name.reveal()) else {
        return Err(fields.into());
    };
    let user_name = fold_user_name(&typed.user_name);
    let guess = node.sign_in_limits.guess(&user_name, client.prefix())?;
    let account = node.store.gate().account(user_name.reveal()).await?;
    let stored = account.as_ref().map(|account| account.password_hash.clone());
    let fits = node.passwords.verify(typed.password, stored).await?;
    let account = account.filter(|account| fits && account.active).ok_or(Code::SignInFailed)?;
    guess.was_right();
    sign_in(&node, account.tenant, account.person, device_name).await
}

/// Answer to a sign-in: the session, and its cookie.
pub type SignedInNow = (StatusCode, [(HeaderName, HeaderValue); 1], Json<Session>);

/// Signs a new device of this person in; who they are was proven before.
///
/// # Errors
/// `sign_in_failed` when the person was suspended in between; `internal` when the store fails.
pub async fn sign_in(
    node: &Arc<Node>,
    tenant: TenantId,
    person: PersonId,
    device_name: Label,
) -> Result<SignedInNow, Problem> {
    let now = node.clock.now();
    // Not a v7 id: that would tell when somebody signed in.
    let device: DeviceId = node.random.v4();
    let device = Device { id: device, person, name: Pii::new(device_name), kind: DeviceKind::App };
    let token = Token::new(&node.random);
    let scope =
        Scope { tenant, principal: Principal::Person { person, device: device.id }, at: now, view: None };
    let new = NewDevice {
        device: device.clone(),
        session: node.random.v4(),
        token_hash: token.hash().0,
        expires_day: now.day() + DAYS,
    };
    if !node.store.devices().sign_in(&scope, new).await? {
        return Err(Code::SignInFailed.into());
    }
    appear(node, tenant, person).await;
    let person_found = node.store.people().person(&scope, person).await?.ok_or(Code::SignInFailed)?;
    let roles = node.store.people().roles(&scope, person).await?;
    let bound = node.store.people().is_bound(&scope, person).await?;
    let session = Session::new(person_found, device, &roles, bound, now, None);
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie(node.is_https(), &token))], Json(session)))
}

/// Puts a button on the panels of homes that have none, now that somebody can be rung (R14). Signing in does not fail by it:
/// the next sign-in tries again.
async fn appear(node: &Arc<Node>, tenant: TenantId, person: PersonId) {
    let (service, intercom) = (Scope::system(tenant), node.store.intercom());
    let put = async {
        let missing = intercom.unlisted(&service, person).await?;
        if missing.is_empty() {
            return Ok(missing);
        }
        let stamp = node.stamp();
        let ids: Vec<_> = missing.iter().map(|_| node.random.v7(stamp.at)).collect();
        intercom.list_by_itself(&service, &stamp, person, &ids).await
    };
    match put.await {
        Ok(put) => {
            for building in put.into_iter().map(|place| place.building).collect::<HashSet<_>>() {
                panels_changed(node, tenant, building);
            }
        }
        Err(error) => {
            let error: klinke_storage::StorageError = error;
            tracing::error!(%error, "could not put a new doorbell on its panels");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestClock;

    fn prefix(last: u8) -> Prefix {
        Prefix::V4([192, 0, 2, last])
    }

    fn name(text: &str) -> Pii<String> {
        Pii::new(text.to_owned())
    }

    #[test]
    fn few_guesses_of_many_reach_the_hash_and_the_owner_is_not_locked_out() {
        let clock: Arc<dyn Clock> = TestClock::new();
        let limits = SignInLimits::new(&clock);
        let passed = (0..10_000).filter(|_| limits.guess(&name("kari"), prefix(1)).is_ok()).count();
        assert_eq!(passed, 8);
        assert!(limits.guess(&name("kari"), prefix(2)).is_ok(), "kari elsewhere");
        assert!(limits.guess(&name("ola"), prefix(1)).is_ok(), "somebody else of the household");
    }

    #[test]
    fn one_address_can_not_walk_through_the_accounts() {
        let clock: Arc<dyn Clock> = TestClock::new();
        let limits = SignInLimits::new(&clock);
        let passed =
            (0..1_000).filter(|n| limits.guess(&name(&format!("user{n}")), prefix(1)).is_ok()).count();
        assert_eq!(passed, 20);
    }

    #[test]
    fn many_addresses_can_not_guess_one_account_for_ever() {
        let clock: Arc<dyn Clock> = TestClock::new();
        let limits = SignInLimits::new(&clock);
        let passed = (0..=255)
            .flat_map(|last| [prefix(last); 4])
            .filter(|from| limits.guess(&name("kari"), *from).is_ok());
        assert_eq!(passed.count(), 200);
    }

    #[test]
    fn right_passwords_do_not_count() {
        let clock: Arc<dyn Clock> = TestClock::new();
        let limits = SignInLimits::new(&clock);
        for _ in 0..500 {
            let Ok(guess) = limits.guess(&name("kari"), prefix(1)) else { panic!("a right one was counted") };
            guess.was_right();
        }
    }
}
