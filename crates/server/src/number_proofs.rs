//! Proofs that a number is somebody's: the app shows a code, the number is called, and whoever answers types the code on
//! the phone. Kept in memory only: a number that was not proven is written nowhere.
//!
//! ```text
//! begin ──▶ waits ──▶ the code: proven, and gone
//!              ├────▶ 3 wrong codes, 10 minutes, or another begin: gone
//! ```
//!
//! Invariants: a code proves one number of one person, once. Who asks for call after call is stopped by [`Limit`]: whose
//! phone rings did not ask for it.

use crate::auth::limit::{Limit, TooMany};
use crate::random::Random;
use crate::secrets::Secret;
use klinke_model::ids::{PersonId, TenantId};
use klinke_model::phone::E164;
use klinke_model::privacy::Pii;
use klinke_model::scope::Scope;
use klinke_model::time::{Clock, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use subtle::ConstantTimeEq;

/// How long a number waits for its proof.
const WAITS: Duration = Duration::from_secs(600);
/// Codes that may be wrong.
const WRONG: u8 = 2;
/// Calls that somebody may ask for at once, and how long until there is one more.
const CALLS: u32 = 3;
const EVERY: Duration = Duration::from_secs(20 * 60);

type Of = (TenantId, PersonId);

/// Numbers that wait for their proof.
pub struct NumberProofs {
    clock: Arc<dyn Clock>,
    calls: Limit<Of>,
    waiting: Mutex<HashMap<Of, Waiting>>,
}

struct Waiting {
    scope: Scope,
    number: Pii<E164>,
    code: Secret,
    until: Timestamp,
    wrong: u8,
}

/// A proof that began.
#[derive(Debug)]
pub struct Begun {
    /// Four digits, for the person's own screen.
    pub code: Secret,
    /// First moment at which it proves nothing any more.
    pub until: Timestamp,
}

impl NumberProofs {
    /// Nothing waits yet.
    pub fn new(clock: &Arc<dyn Clock>) -> Self {
        let calls = Limit::new(clock.clone(), CALLS, EVERY);
        Self { clock: clock.clone(), calls, waiting: Mutex::default() }
    }

    /// Begins a proof for the person of this scope, in the place of one from before.
    ///
    /// # Errors
    /// When they asked too often.
    pub fn begin(
        &self,
        (scope, person): (Scope, PersonId),
        number: Pii<E164>,
        random: &Random,
    ) -> Result<Begun, TooMany> {
        // a call that is made counts, whatever becomes of it
        let _ = self.calls.take((scope.tenant, person))?;
        let now = self.clock.now();
        let code = Secret::new(format!("{:04}", u64::from_be_bytes(random.bytes()) % 10_000));
        let until = now.plus(WAITS);
        let mut waiting = self.lock();
        waiting.retain(|_, one| one.until > now);
        let one = Waiting { scope, number, code: code.clone(), until, wrong: 0 };
        waiting.insert((scope.tenant, person), one);
        Ok(Begun { code, until })
    }

    /// Which number of somebody waits, and until when.
    pub fn waits(&self, tenant: TenantId, person: PersonId) -> Option<(Pii<E164>, Timestamp)> {
        let now = self.clock.now();
        let waiting = self.lock();
        let one = waiting.get(&(tenant, person)).filter(|one| one.until > now)?;
        Some((one.number.clone(), one.until))
    }

    /// What was typed on the phone that was called for somebody: their number and the scope that asked, when it is the code.
    pub fn typed(&self, tenant: TenantId, person: PersonId, code: &str) -> Option<(Scope, Pii<E164>)> {
        let now = self.clock.now();
        let mut waiting = self.lock();
        let one = waiting.get_mut(&(tenant, person))?;
        let right = one.until > now && bool::from(one.code.reveal().as_bytes().ct_eq(code.as_bytes()));
        if !right && one.until > now && one.wrong < WRONG {
            one.wrong += 1;
            return None;
        }
        let one = waiting.remove(&(tenant, person))?;
        right.then_some((one.scope, one.number))
    }

    /// Ends the proof of somebody, if there is one.
    pub fn end(&self, tenant: TenantId, person: PersonId) {
        self.lock().remove(&(tenant, person));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Of, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestClock;
    use klinke_model::ids::v4;

    struct Asked {
        clock: Arc<TestClock>,
        proofs: NumberProofs,
        scope: Scope,
        person: PersonId,
        random: Random,
    }

    impl Asked {
        fn new() -> Self {
            let clock = TestClock::new();
            let proofs = NumberProofs::new(&(clock.clone() as Arc<dyn Clock>));
            let scope = Scope::system(v4([1; 16]).into());
            Self { clock, proofs, scope, person: v4([2; 16]).into(), random: Random::seeded(7) }
        }

        fn begin(&self) -> Result<Begun, TooMany> {
            let number = Pii::new(E164::new("+4791500123").unwrap());
            self.proofs.begin((self.scope, self.person), number, &self.random)
        }

        fn typed(&self, code: &str) -> bool {
            self.proofs.typed(self.scope.tenant, self.person, code).is_some()
        }
    }

    /// A code that is not this one.
    fn other(code: &str) -> String {
        let last = code.as_bytes()[3];
        format!("{}{}", &code[..3], if last == b'9' { '0' } else { char::from(last + 1) })
    }

    #[test]
    fn the_code_proves_once_and_only_for_who_asked() {
        let asked = Asked::new();
        let code = asked.begin().unwrap().code.reveal().to_owned();
        assert!(code.len() == 4 && code.bytes().all(|digit| digit.is_ascii_digit()), "{code}");
        let (tenant, person) = (asked.scope.tenant, asked.person);
        assert!(asked.proofs.typed(v4([9; 16]).into(), person, &code).is_none());
        assert!(asked.proofs.typed(tenant, v4([9; 16]).into(), &code).is_none());
        assert!(asked.proofs.waits(tenant, person).is_some());
        assert!(asked.typed(&code));
        assert!(!asked.typed(&code));
        assert!(asked.proofs.waits(tenant, person).is_none());
    }

    #[test]
    fn three_wrong_codes_end_it() {
        let asked = Asked::new();
        let code = asked.begin().unwrap().code.reveal().to_owned();
        for _ in 0..2 {
            assert!(!asked.typed(&other(&code)));
        }
        assert!(asked.typed(&code), "two may be wrong");
        let code = asked.begin().unwrap().code.reveal().to_owned();
        for _ in 0..3 {
            assert!(!asked.typed(&other(&code)));
        }
        assert!(!asked.typed(&code));
    }

    #[test]
    fn ten_minutes_and_another_number_end_it_too() {
        let asked = Asked::new();
        let first = asked.begin().unwrap().code.reveal().to_owned();
        let second = asked.begin().unwrap().code.reveal().to_owned();
        assert_ne!(first, second, "the seed draws two codes");
        assert!(!asked.typed(&first));
        asked.clock.advance(WAITS);
        assert!(asked.proofs.waits(asked.scope.tenant, asked.person).is_none());
        assert!(!asked.typed(&second));
    }

    #[test]
    fn nobody_has_a_phone_called_again_and_again() {
        let asked = Asked::new();
        assert_eq!((0..10).filter(|_| asked.begin().is_ok()).count(), 3);
        asked.clock.advance(EVERY);
        assert!(asked.begin().is_ok());
        assert!(asked.begin().is_err());
    }
}
