//! What lets a guest in: a link, a QR pass and a code, each made from the installation's key when it is shown or checked; and
//! codes of residents' own. None of it is stored, so a copy of the database opens nothing.
//!
//! ```text
//! token = guest's id (16 bytes) ‖ first 16 bytes of HMAC-SHA-256(key, "guest-pass" ‖ tenant ‖ id ‖ link number)
//!         as base32: 52 characters A–Z 2–7, so that a QR code holds them in its alphanumeric mode
//! code  = HMAC-SHA-256(key, "guest-code" ‖ tenant ‖ id ‖ code number) as 6 digits for even numbers, 8 for odd ones
//! own   = HMAC-SHA-256(key, "own-code" ‖ tenant ‖ building ‖ person ‖ number), the same way; under duress its last digit is
//!         one higher (0 for 9)
//! ```

use crate::random::Random;
use crate::secrets::{self, SecretFileError};
use hmac::{Hmac, KeyInit, Mac};
use klinke_model::ids::{BuildingId, GuestId, PersonId, TenantId};
use klinke_storage::record::{CodeChoice, Codes, Guest, OwnCodeChoice, OwnCodeChoices};
use sha2::Sha256;
use std::path::Path;
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// How many codes are offered: each is taken by another guest with one chance in a thousand at most.
const CHOICES: u64 = 12;
/// What a QR pass begins with.
const QR: &str = "KLINKE:";
/// The figures of base32 (RFC 4648, §6).
const FIGURES: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Characters of a token.
const LENGTH: usize = 52;

/// The key that passes are made from.
pub struct Passes {
    key: [u8; 32],
}

/// Why there are no passes.
#[derive(Debug, thiserror::Error)]
pub enum PassesError {
    /// The key's file.
    #[error(transparent)]
    Key(#[from] SecretFileError),
    /// The key is not one.
    #[error(
        "{0} does not hold a key: restore it from a backup, or delete it and give every guest a new link"
    )]
    Damaged(String),
}

/// What a link or a QR pass holds. Does not print.
#[derive(Clone, Copy)]
pub struct PassToken([u8; 32]);

impl Passes {
    /// Opens the key of this folder, and makes it when there is none.
    ///
    /// # Errors
    /// When it can not be read or written, or others may read it.
    pub fn open(folder: &Path, random: &Random) -> Result<Self, PassesError> {
        let file = folder.join("passes.key");
        let key = secrets::key(&file, random)?;
        Ok(Self { key: key.ok_or_else(|| PassesError::Damaged(file.display().to_string()))? })
    }

    /// The token of a guest's link and QR pass.
    pub fn token(&self, guest: &Guest) -> PassToken {
        self.token_of(guest.tenant, guest.id, guest.link_number)
    }

    /// Whether this is the token of a guest with this id, in constant time.
    pub fn fits(&self, token: &PassToken, tenant: TenantId, link_number: u64) -> bool {
        self.token_of(tenant, token.guest(), link_number).0.ct_eq(&token.0).into()
    }

    fn token_of(&self, tenant: TenantId, id: GuestId, link_number: u64) -> PassToken {
        let proof =
            self.mac(&[b"guest-pass", tenant.0.as_bytes(), id.0.as_bytes(), &link_number.to_be_bytes()]);
        let mut token = [0; 32];
        for (to, from) in token.iter_mut().zip(id.0.as_bytes().iter().chain(&proof)) {
            *to = *from;
        }
        PassToken(token)
    }

    /// A guest's code.
    pub fn code(&self, guest: &Guest) -> String {
        self.code_of(guest.tenant, guest.id, guest.code_number)
    }

    /// The code that a guest has by a number.
    pub fn code_of(&self, tenant: TenantId, id: GuestId, number: u64) -> String {
        let mac = self.mac(&[b"guest-code", tenant.0.as_bytes(), id.0.as_bytes(), &number.to_be_bytes()]);
        digits(&mac, number)
    }

    /// The code of somebody's own by a number.
    pub fn own_code(&self, tenant: TenantId, building: BuildingId, person: PersonId, number: u64) -> String {
        let of = [tenant.0.as_bytes(), building.0.as_bytes(), person.0.as_bytes()].map(|id| &id[..]);
        let [tenant, building, person] = of;
        digits(&self.mac(&[b"own-code", tenant, building, person, &number.to_be_bytes()]), number)
    }

    /// Codes that somebody may get for their own. `draw` is drawn for each time that they ask, so that a code that ended is not
    /// the next one.
    pub fn own_choices(
        &self,
        tenant: TenantId,
        building: BuildingId,
        person: PersonId,
        draw: u32,
    ) -> OwnCodeChoices {
        let choices = |odd| {
            let choice = |step| {
                let number = 2 * (CHOICES * u64::from(draw) + step) + odd;
                let code = self.own_code(tenant, building, person, number);
                let hash = |code: &str| self.code_hash(tenant, building, code);
                OwnCodeChoice { number, hash: hash(&code), duress: hash(&under_duress(&code)) }
            };
            (0..CHOICES).map(choice).collect()
        };
        OwnCodeChoices { short: choices(0), long: choices(1) }
    }

    /// What a code is found by in its building.
    pub fn code_hash(&self, tenant: TenantId, building: BuildingId, code: &str) -> [u8; 32] {
        self.mac(&[b"guest-code-hash", tenant.0.as_bytes(), building.0.as_bytes(), code.as_bytes()])
    }

    /// Codes that a guest may get, none of them one from before; `before`: the number of the one they have.
    pub fn choices(&self, tenant: TenantId, building: BuildingId, id: GuestId, before: Option<u64>) -> Codes {
        let first = before.map_or(0, |number| number / 2 + 1);
        let choices = |odd| {
            let choice = |step| {
                let number = 2 * (first + step) + odd;
                let code = self.code_of(tenant, id, number);
                CodeChoice { number, hash: self.code_hash(tenant, building, &code) }
            };
            (0..CHOICES).map(choice).collect()
        };
        Codes { short: choices(0), long: choices(1) }
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        // a key of any length is good for HMAC
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return [0; 32] };
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }
}

/// The code that opens the same and raises an alarm: the last digit is one higher, 0 for 9.
pub fn under_duress(code: &str) -> String {
    let mut digits: Vec<char> = code.chars().collect();
    if let Some(last) = digits.last_mut() {
        let next = last.to_digit(10).map(|digit| (digit + 1) % 10);
        *last = next.and_then(|digit| char::from_digit(digit, 10)).unwrap_or(*last);
    }
    digits.into_iter().collect()
}

/// Six digits for even numbers, eight for odd ones.
fn digits(mac: &[u8; 32], number: u64) -> String {
    let value = mac.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    match number % 2 {
        0 => format!("{:06}", value % 1_000_000),
        _ => format!("{:08}", value % 100_000_000),
    }
}

impl PassToken {
    /// Reads what [`PassToken::text`] wrote; nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != LENGTH {
            return None;
        }
        let (mut bytes, mut held, mut bits) = (Vec::with_capacity(33), 0_u32, 0_u32);
        for character in text.bytes() {
            let figure = FIGURES.iter().position(|figure| *figure == character)?;
            held = (held << 5) | u32::try_from(figure).ok()?;
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
                held &= (1 << bits) - 1;
            }
        }
        // 52 characters hold 260 bits: the last four say nothing
        (held == 0).then_some(())?;
        bytes.try_into().ok().map(Self)
    }

    /// Reads the text of a QR pass.
    pub fn of_qr(text: &str) -> Option<Self> {
        Self::parse(text.strip_prefix(QR)?)
    }

    /// For the guest's link: 52 characters.
    pub fn text(&self) -> String {
        let (mut text, mut held, mut bits) = (String::with_capacity(LENGTH), 0_u32, 0_u32);
        let figure =
            |value: u32| FIGURES.get((value & 31) as usize).map_or('A', |figure| char::from(*figure));
        for byte in self.0 {
            held = (held << 8) | u32::from(byte);
            bits += 8;
            while bits >= 5 {
                bits -= 5;
                text.push(figure(held >> bits));
            }
            held &= (1 << bits) - 1;
        }
        if bits > 0 {
            text.push(figure(held << (5 - bits)));
        }
        text
    }

    /// The text of the guest's QR pass.
    pub fn qr(&self) -> String {
        format!("{QR}{}", self.text())
    }

    /// Whose it says that it is.
    pub fn guest(&self) -> GuestId {
        let id = self.0.first_chunk().copied().unwrap_or_default();
        Uuid::from_bytes(id).into()
    }
}

impl std::fmt::Debug for PassToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("‹secret›")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::ids::v4;
    use std::collections::BTreeSet;

    const PASSES: Passes = Passes { key: [7; 32] };

    fn ids() -> (TenantId, GuestId, BuildingId) {
        (TenantId(v4([1; 16])), GuestId(v4([2; 16])), BuildingId(v4([3; 16])))
    }

    #[test]
    fn a_token_survives_being_written_and_counts_for_one_guest_and_one_number() {
        let (tenant, id, _) = ids();
        let token = PASSES.token_of(tenant, id, 1);
        assert_eq!(token.text().len(), LENGTH);
        let read = PassToken::of_qr(&token.qr()).unwrap();
        assert_eq!((read.0, read.guest()), (token.0, id));
        assert!(PASSES.fits(&read, tenant, 1));
        assert!(!PASSES.fits(&read, tenant, 2), "another link");
        assert!(!PASSES.fits(&read, TenantId(v4([9; 16])), 1), "another property manager");
        assert!(!Passes { key: [8; 32] }.fits(&read, tenant, 1), "another installation");
        assert_eq!(format!("{token:?}"), "‹secret›");
    }

    #[test]
    fn each_character_of_a_token_counts_and_nothing_else_is_read() {
        let (tenant, id, _) = ids();
        let text = PASSES.token_of(tenant, id, 1).text();
        for place in 0..LENGTH {
            let mut other = text.clone().into_bytes();
            other[place] = if other[place] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            let fits = PassToken::parse(&other).is_some_and(|token| PASSES.fits(&token, tenant, 1));
            assert!(!fits, "{place}");
        }
        let lower = text.to_lowercase();
        for wrong in ["", "A", &lower, &text[1..], &format!("{text}A"), &"Æ".repeat(26), &"1".repeat(LENGTH)]
        {
            assert!(PassToken::parse(wrong).is_none(), "{wrong}");
        }
        assert!(PassToken::of_qr(&text).is_none(), "a QR code of something else");
    }

    #[test]
    fn codes_have_six_or_eight_digits_and_none_comes_again() {
        let (tenant, id, building) = ids();
        let first = PASSES.choices(tenant, building, id, None);
        let second = PASSES.choices(tenant, building, id, Some(first.short[0].number));
        assert_eq!(PASSES.code_of(tenant, id, first.short[0].number).len(), 6);
        assert_eq!(PASSES.code_of(tenant, id, first.long[0].number).len(), 8);
        assert!(second.short.iter().chain(&second.long).all(|choice| choice.number > first.short[0].number));
        let all: BTreeSet<_> = first.short.iter().chain(&first.long).map(|choice| choice.hash).collect();
        assert_eq!(all.len(), 24);
        let code = PASSES.code_of(tenant, id, 0);
        assert_eq!(PASSES.code_hash(tenant, building, &code), first.short[0].hash);
        assert_ne!(PASSES.code_hash(tenant, BuildingId(v4([9; 16])), &code), first.short[0].hash);
    }

    #[test]
    fn a_code_of_one_s_own_has_one_for_duress_beside_it_and_is_nobody_else_s() {
        let (tenant, _, building) = ids();
        let (anna, bo) = (PersonId(v4([4; 16])), PersonId(v4([5; 16])));
        assert_eq!(["000000", "123459", "12345698"].map(under_duress), ["000001", "123450", "12345699"]);
        let choices = PASSES.own_choices(tenant, building, anna, 7);
        for (choices, length) in [(&choices.short, 6), (&choices.long, 8)] {
            for choice in choices {
                let code = PASSES.own_code(tenant, building, anna, choice.number);
                assert_eq!(code.len(), length);
                assert_eq!(choice.hash, PASSES.code_hash(tenant, building, &code));
                assert_eq!(choice.duress, PASSES.code_hash(tenant, building, &under_duress(&code)));
                assert_ne!(code, PASSES.own_code(tenant, building, bo, choice.number));
                assert_ne!(code, PASSES.own_code(tenant, BuildingId(v4([9; 16])), anna, choice.number));
            }
        }
        let numbers = |choices: OwnCodeChoices| {
            choices.short.into_iter().chain(choices.long).map(|choice| choice.number)
        };
        let all: BTreeSet<_> =
            numbers(choices).chain(numbers(PASSES.own_choices(tenant, building, anna, 8))).collect();
        assert_eq!(all.len(), 48, "another draw, other codes");
        let last = PASSES.own_choices(tenant, building, anna, u32::MAX).long.last().unwrap().number;
        assert!(i64::try_from(last).is_ok());
    }
}
