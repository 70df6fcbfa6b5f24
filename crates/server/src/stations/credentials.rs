//! What a device registers with: made here, shown once, and kept as digests only.

use crate::random::Random;
use klinke_model::ids::SipAccountId;
use klinke_model::privacy::Pii;
use klinke_model::time::Timestamp;
use klinke_sip::stations::Secret;
use klinke_storage::record::NewSipAccount;

/// What names are made of.
const NAME: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const NAME_LENGTH: usize = 16;
/// What passwords are made of: letters that look like no other, and that every keyboard has.
const PASSWORD: &[u8] = b"abcdefghjkmnpqrstuvwxyz";
/// 131 bits.
const PASSWORD_LENGTH: usize = 29;

/// A user name with its password. It has no `Debug`.
pub struct Credentials {
    /// Random, so that it tells nothing and nobody guesses it.
    pub name: String,
    /// Random.
    pub password: String,
}

impl Credentials {
    /// Fresh ones.
    pub fn new(random: &Random) -> Self {
        Self { name: text(random, NAME, NAME_LENGTH), password: text(random, PASSWORD, PASSWORD_LENGTH) }
    }

    /// What is kept of them.
    pub fn account(&self, random: &Random, now: Timestamp) -> NewSipAccount {
        let Secret { md5, sha256 } = Secret::new(&self.name, &self.password);
        let id: SipAccountId = random.v7(now);
        NewSipAccount { id, name: self.name.clone(), md5: Pii::new(md5), sha256: Pii::new(sha256) }
    }
}

/// So many letters, each as likely as the others.
fn text(random: &Random, letters: &[u8], length: usize) -> String {
    // bytes above would make the first letters likelier
    let fair = 256 - 256 % letters.len();
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let drawn: [u8; 32] = random.bytes();
        let fair = drawn.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < fair);
        let drawn =
            fair.filter_map(|byte| letters.get(byte % letters.len())).map(|letter| char::from(*letter));
        let left = length - text.len();
        text.extend(drawn.take(left));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_one_is_another_of_all_letters() {
        let random = Random::seeded(1);
        let made: Vec<Credentials> = (0..200).map(|_| Credentials::new(&random)).collect();
        for (of, letters) in [(0, NAME), (1, PASSWORD)] {
            let texts = made.iter().map(|one| if of == 0 { &one.name } else { &one.password });
            let texts: BTreeSet<&String> = texts.collect();
            assert_eq!(texts.len(), 200);
            assert!(texts.iter().all(|text| text.len() == if of == 0 { 16 } else { 29 }));
            let seen: BTreeSet<u8> = texts.iter().flat_map(|text| text.bytes()).collect();
            assert_eq!(seen, letters.iter().copied().collect());
        }
        #[expect(clippy::cast_precision_loss, reason = "23 letters")]
        let bits = (PASSWORD.len() as f64).log2() * 29.0;
        assert!(bits >= 128.0, "{bits}");
    }
}
