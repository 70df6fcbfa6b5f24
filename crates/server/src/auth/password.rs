//! Passwords: argon2id, a few at a time, the same work whether or not there is such an account.

use crate::http::problem::{Code, FieldCode, Fields, Problem};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use klinke_model::privacy::Pii;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Hashes that are made at once; each takes 19 MiB and a processor for some tens of milliseconds.
const AT_ONCE: usize = 2;

/// Hashes that are made or waited for; more are refused at once, so that a flood costs others no more than this.
const AT_MOST: usize = 32;

/// Shortest password, in characters (ASVS 5.0, 6.2.1 asks for 8 and recommends 15).
const SHORTEST: usize = 12;

/// Longest password, in characters.
const LONGEST: usize = 200;

/// Makes and checks password hashes.
#[derive(Debug)]
pub struct Passwords {
    at_once: Arc<Semaphore>,
    at_most: Semaphore,
    /// What a password is compared with when there is no account. Nobody knows its password.
    nobody: Pii<String>,
}

/// Why a password was not checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too many are waiting.
    #[error("too many passwords wait to be checked")]
    Overloaded,
    /// Hashing failed.
    #[error("the password could not be hashed")]
    Failed,
}

impl From<PasswordError> for Problem {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Overloaded => Code::Overloaded.into(),
            PasswordError::Failed => Code::Internal.into(),
        }
    }
}

impl Passwords {
    /// Ready to hash. `unknowable` is what stands in for the password of nobody: fresh random bytes.
    ///
    /// # Errors
    /// When hashing fails.
    pub fn new(unknowable: [u8; 32]) -> Result<Self, PasswordError> {
        Ok(Self {
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
            at_most: Semaphore::new(AT_MOST),
            nobody: hash(&unknowable)?,
        })
    }

    /// A new password's hash, as a PHC string.
    ///
    /// # Errors
    /// When too many wait, or hashing fails.
    pub async fn hash(&self, password: Pii<String>) -> Result<Pii<String>, PasswordError> {
        self.apart(move || hash(password.reveal().as_bytes())).await?
    }

    /// Whether this is the password of that hash; without a hash the same work is done and the answer is no.
    ///
    /// # Errors
    /// When too many wait.
    pub async fn verify(
        &self,
        password: Pii<String>,
        stored: Option<Pii<String>>,
    ) -> Result<bool, PasswordError> {
        let exists = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.clone());
        let fits = self.apart(move || {
            let parsed = PasswordHash::new(stored.reveal());
            parsed.is_ok_and(|hash| {
                Argon2::default().verify_password(password.reveal().as_bytes(), &hash).is_ok()
            })
        });
        Ok(fits.await? && exists)
    }

    /// Runs work on a thread of its own. It ends there even if the asker has gone: the permit goes with it.
    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _place = self.at_most.try_acquire().map_err(|_| PasswordError::Overloaded)?;
        let permit = self.at_once.clone().acquire_owned().await.map_err(|_| PasswordError::Failed)?;
        let work = move || {
            let done = work();
            drop(permit);
            done
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| PasswordError::Failed)
    }
}

fn hash(password: &[u8]) -> Result<Pii<String>, PasswordError> {
    let hash = Argon2::default().hash_password(password).map_err(|_| PasswordError::Failed)?;
    Ok(Pii::new(hash.to_string()))
}

/// Checks a password that somebody chooses.
pub fn check_choice(fields: &mut Fields, pointer: &str, password: &Pii<String>, user_name: &Pii<String>) {
    let password = password.reveal();
    let length = password.chars().count();
    if length < SHORTEST {
        fields.wrong(pointer, FieldCode::TooShort);
    } else if length > LONGEST {
        fields.wrong(pointer, FieldCode::TooLong);
    } else if !user_name.reveal().is_empty() && password.to_lowercase().contains(user_name.reveal()) {
        fields.wrong(pointer, FieldCode::HoldsUserName);
    }
}

/// A user name as it is stored and looked up.
pub fn fold_user_name(typed: &Pii<String>) -> Pii<String> {
    Pii::new(typed.reveal().trim().to_lowercase())
}

/// Checks a user name that somebody chooses (folded): 3 to 80 characters, no white space, no controls.
pub fn check_user_name(fields: &mut Fields, pointer: &str, user_name: &Pii<String>) {
    let text = user_name.reveal();
    match text.chars().count() {
        0 => fields.wrong(pointer, FieldCode::Empty),
        1 | 2 => fields.wrong(pointer, FieldCode::TooShort),
        3..=80 if text.chars().any(|c| c.is_whitespace() || c.is_control()) => {
            fields.wrong(pointer, FieldCode::Control);
        }
        3..=80 => {}
        _ => fields.wrong(pointer, FieldCode::TooLong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pii(text: &str) -> Pii<String> {
        Pii::new(text.to_owned())
    }

    #[tokio::test]
    async fn only_the_password_of_the_hash_fits() {
        let passwords = Passwords::new([7; 32]).unwrap();
        let stored = passwords.hash(pii("a long enough one")).await.unwrap();
        assert!(stored.reveal().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(passwords.verify(pii("a long enough one"), Some(stored.clone())).await.unwrap());
        assert!(!passwords.verify(pii("a long enough on"), Some(stored)).await.unwrap());
        assert!(!passwords.verify(pii("a long enough one"), None).await.unwrap());
        assert!(!passwords.verify(pii("x"), Some(pii("not a hash"))).await.unwrap());
    }

    #[tokio::test]
    async fn the_password_of_nobody_signs_nobody_in() {
        let passwords = Passwords::new([b'x'; 32]).unwrap();
        assert!(!passwords.verify(pii(&"x".repeat(32)), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_flood_is_refused_and_leaves_nothing_behind() {
        let passwords = Arc::new(Passwords::new([7; 32]).unwrap());
        let tries = (0..AT_MOST + 8).map(|_| {
            let passwords = passwords.clone();
            async move { passwords.verify(pii("guess"), None).await }
        });
        let answers = futures_util::future::join_all(tries).await;
        let refused =
            answers.iter().filter(|answer| matches!(answer, Err(PasswordError::Overloaded))).count();
        assert_eq!(refused, 8);
        assert!(!passwords.verify(pii("guess"), None).await.unwrap());
    }

    #[test]
    fn chosen_passwords_are_long_and_not_the_user_name() {
        let wrong = |password: &str| {
            let mut fields = Fields::default();
            check_choice(&mut fields, "/password", &pii(password), &pii("kari"));
            fields.check().is_err()
        };
        assert!(wrong("elevenchars"));
        assert!(!wrong("twelve chars"));
        assert!(wrong("I am KARI of 4B"));
        assert!(wrong(&"å".repeat(201)));
    }
}
