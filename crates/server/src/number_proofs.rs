//! Proofs that a number is somebody's: the app shows a code, the number is called, and whoever answers types the code on
//! the phone. Kept in memory only: a number that was not proven is written nowhere.
//!
//! ```text
//! begin ──▶ waits ──▶ the code: proven, kept, and gone
//!              ├────▶ another begin, or given up: its call is hung up, and gone
//!              └────▶ 3 wrong codes, or a call that comes to nothing: over; why is told for as long as it would have waited
//! ```
//!
//! Invariants: a code proves one number of one person, once, and only when it is typed on the call that was made for it:
//! who begins anew can not type the new code on the phone from before. Who asks for call after call is stopped by
//! [`Limit`]: whose phone rings did not ask for it.

use crate::auth::limit::{Limit, TooMany};
use crate::random::Random;
use crate::secrets::Secret;
use klinke_model::ids::{PersonId, TenantId};
use klinke_model::phone::E164;
use klinke_model::privacy::Pii;
use klinke_model::scope::Scope;
use klinke_model::time::{Clock, Timestamp};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use subtle::ConstantTimeEq;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

/// How long a number waits for its proof.
const WAITS: Duration = Duration::from_secs(600);
/// Codes that may be wrong.
const WRONG: u8 = 2;
/// Calls that somebody may ask for at once, and how long until there is one more.
const CALLS: u32 = 3;
const EVERY: Duration = Duration::from_secs(20 * 60);

/// Whose proof it is, and which of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Whose trunks are called over.
    pub tenant: TenantId,
    /// Whose number.
    pub person: PersonId,
    /// No other proof since the start has it.
    number: u64,
}

/// Why a number was not proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unproven {
    /// Busy, declined, or nobody picked it up.
    NotPickedUp,
    /// No such number, or no trunk got as far as the phone.
    NotReached,
    /// It was picked up, and the digits were not typed.
    NotTyped,
}

/// Numbers that wait for their proof.
pub struct NumberProofs {
    clock: Arc<dyn Clock>,
    calls: Limit<(TenantId, PersonId)>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// The number of the newest proof.
    newest: u64,
    ones: HashMap<(TenantId, PersonId), One>,
}

struct One {
    proof: u64,
    scope: Scope,
    number: Pii<E164>,
    /// None once it was typed: the number is being kept.
    code: Option<Secret>,
    until: Timestamp,
    wrong: u8,
    over: Option<Unproven>,
    /// Hangs its call up.
    given_up: CancellationToken,
}

/// A proof that began.
#[derive(Debug)]
pub struct Begun {
    /// Which.
    pub proof: Proof,
    /// Four digits, for the person's own screen.
    pub code: Secret,
    /// First moment at which it proves nothing any more.
    pub until: Timestamp,
    /// Cancelled when its call is wanted no more.
    pub given_up: CancellationToken,
}

/// A number that waits.
#[derive(Debug)]
pub struct Waiting {
    /// For which proof.
    pub proof: Proof,
    /// The number.
    pub number: Pii<E164>,
    /// First moment at which it waits no more.
    pub until: Timestamp,
}

impl NumberProofs {
    /// Nothing waits yet.
    pub fn new(clock: &Arc<dyn Clock>) -> Self {
        let calls = Limit::new(clock.clone(), CALLS, EVERY);
        Self { clock: clock.clone(), calls, kept: Mutex::default() }
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
        let given_up = CancellationToken::new();
        let mut kept = self.lock();
        kept.ones.retain(|_, one| one.until > now);
        kept.newest += 1;
        let one = One {
            proof: kept.newest,
            scope,
            number,
            code: Some(code.clone()),
            until,
            wrong: 0,
            over: None,
            given_up: given_up.clone(),
        };
        let proof = Proof { tenant: scope.tenant, person, number: one.proof };
        if let Some(before) = kept.ones.insert((scope.tenant, person), one) {
            before.given_up.cancel();
        }
        Ok(Begun { proof, code, until, given_up })
    }

    /// Which number of somebody waits, and until when.
    pub fn waits(&self, tenant: TenantId, person: PersonId) -> Option<Waiting> {
        let now = self.clock.now();
        let kept = self.lock();
        let one = kept.ones.get(&(tenant, person)).filter(|one| one.until > now && one.over.is_none())?;
        let proof = Proof { tenant, person, number: one.proof };
        Some(Waiting { proof, number: one.number.clone(), until: one.until })
    }

    /// Which number of somebody was not proven, and why, while that is news.
    pub fn unproven(&self, tenant: TenantId, person: PersonId) -> Option<(Pii<E164>, Unproven)> {
        let now = self.clock.now();
        let kept = self.lock();
        let one = kept.ones.get(&(tenant, person)).filter(|one| one.until > now)?;
        one.over.map(|why| (one.number.clone(), why))
    }

    /// What was typed on the phone that was called for this proof: the number and the scope that asked, when it is the code.
    /// Until [`Self::forget`] or [`Self::came_to_nothing`] it waits on: it is being kept.
    pub fn typed(&self, proof: Proof, code: &str) -> Option<(Scope, Pii<E164>)> {
        let now = self.clock.now();
        let mut kept = self.lock();
        let one = kept.of(proof)?;
        if one.until <= now || one.over.is_some() {
            return None;
        }
        let right = one.code.as_ref()?.reveal().as_bytes().ct_eq(code.as_bytes());
        if bool::from(right) {
            one.code = None;
            return Some((one.scope, one.number.clone()));
        }
        if one.wrong < WRONG {
            one.wrong += 1;
        } else {
            one.over = Some(Unproven::NotTyped);
        }
        None
    }

    /// Its call is over, and it is not proven.
    pub fn came_to_nothing(&self, proof: Proof, why: Unproven) {
        if let Some(one) = self.lock().of(proof) {
            // the first reason is the one
            one.over.get_or_insert(why);
        }
    }

    /// Forgets this proof: it is kept what it proved, or its call was never made.
    pub fn forget(&self, proof: Proof) {
        let mut kept = self.lock();
        if kept.of(proof).is_some() {
            kept.ones.remove(&(proof.tenant, proof.person));
        }
    }

    /// Gives up the proof of somebody, if there is one: its call is hung up.
    pub fn give_up(&self, tenant: TenantId, person: PersonId) {
        if let Some(one) = self.lock().ones.remove(&(tenant, person)) {
            one.given_up.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// This proof, unless another one took its place.
    fn of(&mut self, proof: Proof) -> Option<&mut One> {
        self.ones.get_mut(&(proof.tenant, proof.person)).filter(|one| one.proof == proof.number)
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

        /// Types a code on the phone of the newest proof.
        fn typed(&self, code: &str) -> bool {
            let waits = self.proofs.waits(self.scope.tenant, self.person);
            waits.is_some_and(|one| self.proofs.typed(one.proof, code).is_some())
        }

        fn unproven(&self) -> Option<Unproven> {
            self.proofs.unproven(self.scope.tenant, self.person).map(|(_, why)| why)
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
        let Begun { proof, code, .. } = asked.begin().unwrap();
        let code = code.reveal().to_owned();
        assert!(code.len() == 4 && code.bytes().all(|digit| digit.is_ascii_digit()), "{code}");
        let (tenant, person) = (asked.scope.tenant, asked.person);
        let of_another = |tenant, person| Proof { tenant, person, ..proof };
        assert!(asked.proofs.typed(of_another(v4([9; 16]).into(), person), &code).is_none());
        assert!(asked.proofs.typed(of_another(tenant, v4([9; 16]).into()), &code).is_none());
        assert!(asked.typed(&code));
        assert!(!asked.typed(&code));
        assert!(asked.proofs.waits(tenant, person).is_some(), "it is being kept");
        asked.proofs.forget(proof);
        assert!(asked.proofs.waits(tenant, person).is_none());
        assert_eq!(asked.unproven(), None);
    }

    #[test]
    fn a_phone_that_rang_for_another_number_proves_nothing() {
        let asked = Asked::new();
        let first = asked.begin().unwrap();
        let second = asked.begin().unwrap();
        assert!(first.given_up.is_cancelled() && !second.given_up.is_cancelled());
        // whoever holds the first phone reads the second code on the screen
        assert!(asked.proofs.typed(first.proof, second.code.reveal()).is_none());
        // and what becomes of its call is nobody's news
        asked.proofs.came_to_nothing(first.proof, Unproven::NotTyped);
        asked.proofs.forget(first.proof);
        assert_eq!(asked.unproven(), None);
        assert!(asked.proofs.typed(second.proof, second.code.reveal()).is_some());
    }

    #[test]
    fn what_came_to_nothing_is_told_until_there_is_another_or_it_is_given_up() {
        let asked = Asked::new();
        let begun = asked.begin().unwrap();
        asked.proofs.came_to_nothing(begun.proof, Unproven::NotPickedUp);
        asked.proofs.came_to_nothing(begun.proof, Unproven::NotTyped);
        assert_eq!(asked.unproven(), Some(Unproven::NotPickedUp));
        assert!(asked.proofs.waits(asked.scope.tenant, asked.person).is_none());
        assert!(asked.proofs.typed(begun.proof, begun.code.reveal()).is_none());
        let again = asked.begin().unwrap();
        assert_eq!(asked.unproven(), None);
        asked.proofs.came_to_nothing(again.proof, Unproven::NotReached);
        asked.proofs.give_up(asked.scope.tenant, asked.person);
        assert_eq!(asked.unproven(), None);
        let last = asked.begin().unwrap();
        asked.proofs.give_up(asked.scope.tenant, asked.person);
        assert!(last.given_up.is_cancelled());
        assert!(asked.proofs.typed(last.proof, last.code.reveal()).is_none());
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
        assert_eq!(asked.unproven(), Some(Unproven::NotTyped));
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
