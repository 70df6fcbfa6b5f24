//! Cards and key rings: whose they are, and the numbers that people type and read instead of bits.
//!
//! A number is a [`CardView`] of a [`CredentialKey`]: a decoder that knows its format makes one into the other and back.
//! Nobody guesses which one was meant: the same digits are another card in another view, so whoever types says which.

use crate::credential::{CredentialFormat, CredentialKey, CredentialTier};
use crate::ids::{BuildingId, CardId, PersonId};
use crate::text::Label;
use serde::{Deserialize, Serialize};

/// A card or key ring of a person in a building. It opens what they may open there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Unique.
    pub id: CardId,
    /// Where it counts.
    pub building: BuildingId,
    /// Whose it is.
    pub person: PersonId,
    /// What people call it.
    pub name: Label,
    /// What readers read.
    pub key: CredentialKey,
    /// How its number was given, and is told again.
    pub view: CardView,
    /// Whether it can be copied.
    pub tier: CredentialTier,
    /// Who blocked it; it opens nothing while somebody did.
    pub blocked: Option<BlockedBy>,
}

/// Who blocked a card, and so who can let it in again: what an administrator blocked is theirs to unblock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BlockedBy {
    /// Whoever has it, or the unit owner of their home.
    Holder,
    /// An administrator.
    Administrator,
}

/// How the number of a card is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CardView {
    /// The serial number of a chip card in hexadecimal: 4, 7 or 10 bytes, such as `04:A2:2B:1C:55:60:80`.
    Serial,
    /// 26 bits (H10301): facility 0 to 255 and number 0 to 65535, such as `127-53471`; or ten digits that hold both, as
    /// desk readers type them.
    Wiegand26,
    /// 34 bits (H10306): facility and number, each 0 to 65535; or ten digits that hold both.
    Wiegand34,
    /// The bits as a reader sends them: how many, a colon, and the bytes in hexadecimal from the left, such as
    /// `37:0123456788`.
    Bits,
}

/// Why a text is not the number of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardNumberError {
    /// Something else than hexadecimal digits.
    #[error("not hexadecimal")]
    NotHexadecimal,
    /// Not as many digits or bits as this kind has.
    #[error("not as long as such a number is")]
    Length,
    /// Neither facility and number, nor ten digits.
    #[error("not facility and number")]
    NotTwoNumbers,
    /// Facility or number is too large.
    #[error("facility or number is too large")]
    OutOfRange,
    /// A serial number that is drawn anew each time the card is read (ISO/IEC 14443-3: four bytes, the first `08`), as
    /// phones have them.
    #[error("such a card says another number each time")]
    Random,
}

/// Longer than any number of a card with its separators.
const LONGEST_TEXT: usize = 100;
/// First byte of a serial number that is drawn at random, and how many bytes that has (ISO/IEC 14443-3, 6.5.4).
const RANDOM: (u8, usize) = (0x08, 4);

impl CardView {
    /// Every view.
    pub const ALL: [Self; 4] = [Self::Serial, Self::Wiegand26, Self::Wiegand34, Self::Bits];

    /// What readers read of a card with this number.
    ///
    /// # Errors
    /// When the text is not a number of this kind.
    pub fn read(self, text: &str) -> Result<CredentialKey, CardNumberError> {
        let text = text.trim();
        if text.len() > LONGEST_TEXT {
            return Err(CardNumberError::Length);
        }
        match self {
            Self::Serial => serial(text),
            Self::Wiegand26 => {
                let (facility, number) = two_numbers(text, 8)?;
                key(CredentialFormat::Bits, 26, with_parity(facility, number, 8))
            }
            Self::Wiegand34 => {
                let (facility, number) = two_numbers(text, 16)?;
                key(CredentialFormat::Bits, 34, with_parity(facility, number, 16))
            }
            Self::Bits => plain_bits(text),
        }
    }

    /// The number of a card; none when it is not of this kind, or its parity bits are wrong.
    pub fn write(self, key: &CredentialKey) -> Option<String> {
        match self {
            Self::Serial => {
                let fits = key.format() == CredentialFormat::Serial && key.bits().is_multiple_of(8);
                fits.then(|| {
                    key.bytes().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
                })
            }
            Self::Wiegand26 => facility_and_number(key, 8),
            Self::Wiegand34 => facility_and_number(key, 16),
            Self::Bits => (key.format() == CredentialFormat::Bits).then(|| {
                let digits: String = key.bytes().iter().map(|byte| format!("{byte:02X}")).collect();
                format!("{}:{digits}", key.bits())
            }),
        }
    }

    /// How the number of a card is told that a reader read and nobody typed; none for what is no card.
    pub fn of(key: &CredentialKey) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.write(key).is_some())
    }
}

/// The last characters of a card's number, so that somebody knows which of theirs it is: never enough to copy it.
pub fn ending(card: &Card) -> String {
    ending_of(card.view, &card.key)
}

/// The same of a card that is nobody's yet.
pub fn ending_of(view: CardView, key: &CredentialKey) -> String {
    let digits: Vec<char> =
        view.write(key).unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).collect();
    // of five digits the last three, of more the last four
    let shown = if digits.len() > 6 { 4 } else { digits.len().min(3) };
    digits.iter().skip(digits.len() - shown).collect()
}

fn serial(text: &str) -> Result<CredentialKey, CardNumberError> {
    let bytes = hexadecimal(&text.replace([':', '-', ' ', '.'], ""))?;
    if !matches!(bytes.len(), 4 | 7 | 10) {
        return Err(CardNumberError::Length);
    }
    if (bytes.first(), bytes.len()) == (Some(&RANDOM.0), RANDOM.1) {
        return Err(CardNumberError::Random);
    }
    let bits = u8::try_from(bytes.len() * 8).map_err(|_| CardNumberError::Length)?;
    CredentialKey::new(CredentialFormat::Serial, bits, &bytes).map_err(|_| CardNumberError::Length)
}

fn plain_bits(text: &str) -> Result<CredentialKey, CardNumberError> {
    let (bits, digits) = text.split_once(':').ok_or(CardNumberError::Length)?;
    let bits: u8 = bits.trim().parse().map_err(|_| CardNumberError::Length)?;
    let bytes = hexadecimal(&digits.replace(' ', ""))?;
    CredentialKey::new(CredentialFormat::Bits, bits, &bytes).map_err(|_| CardNumberError::Length)
}

fn hexadecimal(digits: &str) -> Result<Vec<u8>, CardNumberError> {
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(CardNumberError::NotHexadecimal);
    }
    if !digits.len().is_multiple_of(2) {
        return Err(CardNumberError::Length);
    }
    let byte = |at: usize| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..digits.len()).step_by(2).map(byte).collect::<Option<_>>().ok_or(CardNumberError::NotHexadecimal)
}

/// Facility and number, with one separator between them; or ten digits for both together.
fn two_numbers(text: &str, facility_bits: u32) -> Result<(u64, u64), CardNumberError> {
    let (facility, number) = if text.len() == 10 && text.bytes().all(|digit| digit.is_ascii_digit()) {
        let both: u64 = text.parse().map_err(|_| CardNumberError::NotTwoNumbers)?;
        (both >> 16, both & 0xffff)
    } else {
        let (facility, number) = text
            .split_once(['-', ',', ':', '/', '.'])
            .or_else(|| text.split_once(char::is_whitespace))
            .ok_or(CardNumberError::NotTwoNumbers)?;
        (digits(facility)?, digits(number)?)
    };
    if facility >> facility_bits != 0 || number > 0xffff {
        return Err(CardNumberError::OutOfRange);
    }
    Ok((facility, number))
}

fn digits(text: &str) -> Result<u64, CardNumberError> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(CardNumberError::NotTwoNumbers);
    }
    text.parse().map_err(|_| CardNumberError::OutOfRange)
}

/// The bits from the lowest of a number upwards: even parity over the first half in front, odd parity over the second behind.
fn with_parity(facility: u64, number: u64, facility_bits: u32) -> u64 {
    let data = facility << 16 | number;
    let half = (facility_bits + 16) / 2;
    let first = u64::from((data >> half).count_ones() % 2);
    let second = u64::from((data & ((1 << half) - 1)).count_ones().is_multiple_of(2));
    first << (facility_bits + 17) | data << 1 | second
}

/// A key of the lowest bits of a number, the highest of them first.
fn key(format: CredentialFormat, bits: u8, value: u64) -> Result<CredentialKey, CardNumberError> {
    let whole = (value << (64 - u32::from(bits))).to_be_bytes();
    let bytes = whole.get(..usize::from(bits.div_ceil(8))).ok_or(CardNumberError::Length)?;
    CredentialKey::new(format, bits, bytes).map_err(|_| CardNumberError::Length)
}

fn facility_and_number(key: &CredentialKey, facility_bits: u32) -> Option<String> {
    let bits = facility_bits + 18;
    if key.format() != CredentialFormat::Bits || u32::from(key.bits()) != bits {
        return None;
    }
    let mut whole = [0; 8];
    for (to, from) in whole.iter_mut().zip(key.bytes()) {
        *to = *from;
    }
    let value = u64::from_be_bytes(whole) >> (64 - bits);
    let data = value >> 1 & ((1 << (facility_bits + 16)) - 1);
    let (facility, number) = (data >> 16, data & 0xffff);
    (with_parity(facility, number, facility_bits) == value).then(|| format!("{facility}-{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn raw(view: CardView, text: &str) -> (CredentialFormat, u8, Vec<u8>) {
        let key = view.read(text).unwrap();
        (key.format(), key.bits(), key.bytes().to_vec())
    }

    #[test]
    fn a_serial_number_is_its_bytes_however_they_are_parted() {
        let wanted = (CredentialFormat::Serial, 56, vec![0x04, 0xa2, 0x2b, 0x1c, 0x55, 0x60, 0x80]);
        for text in
            ["04:A2:2B:1C:55:60:80", "04a22b1c556080", " 04-a2-2b-1c-55-60-80 ", "04 A2 2B 1C 55 60 80"]
        {
            assert_eq!(raw(CardView::Serial, text), wanted, "{text}");
        }
        assert_eq!(raw(CardView::Serial, "DEADBEEF").1, 32);
        assert_eq!(raw(CardView::Serial, "00112233445566778899").1, 80);
        for (text, why) in [
            ("04:A2:2B", CardNumberError::Length),
            ("04A22B1C5", CardNumberError::Length),
            ("", CardNumberError::Length),
            ("04:A2:2B:1G", CardNumberError::NotHexadecimal),
            ("٤٤٤٤", CardNumberError::NotHexadecimal),
            ("08:A2:2B:1C", CardNumberError::Random),
            (&"00".repeat(51), CardNumberError::Length),
        ] {
            assert_eq!(CardView::Serial.read(text), Err(why), "{text}");
        }
        assert!(CardView::Serial.read("08A22B1C556080").is_ok(), "only four bytes are drawn anew");
    }

    #[test]
    fn facility_and_number_are_26_bits_with_their_parity() {
        // worked out by hand from H10301: even parity over the first twelve, odd over the last twelve
        // facility 1, number 1: 0 00000001 0000 | 000000000001 0, with the leading parity 1
        assert_eq!(
            raw(CardView::Wiegand26, "1-1"),
            (CredentialFormat::Bits, 26, vec![0b1000_0000, 0b1000_0000, 0b0000_0000, 0b1000_0000])
        );
        // 127 = 01111111, 53471 = 1101000011011111: seven and three ones before, six after
        assert_eq!(
            raw(CardView::Wiegand26, "127,53471"),
            (CredentialFormat::Bits, 26, vec![0b0011_1111, 0b1110_1000, 0b0110_1111, 0b1000_0000])
        );
        // as printed beside it on the card: 127 × 65536 + 53471
        assert_eq!(raw(CardView::Wiegand26, "0008376543"), raw(CardView::Wiegand26, "127 53471"));
        for (text, why) in [
            ("256-1", CardNumberError::OutOfRange),
            ("1-65536", CardNumberError::OutOfRange),
            ("0016777216", CardNumberError::OutOfRange),
            ("99999999999999999999-1", CardNumberError::OutOfRange),
            ("53471", CardNumberError::NotTwoNumbers),
            ("1-", CardNumberError::NotTwoNumbers),
            ("1-2-3", CardNumberError::NotTwoNumbers),
            ("a-1", CardNumberError::NotTwoNumbers),
            ("+1-1", CardNumberError::NotTwoNumbers),
        ] {
            assert_eq!(CardView::Wiegand26.read(text), Err(why), "{text}");
        }
    }

    #[test]
    fn thirty_four_bits_are_two_halves_of_sixteen() {
        // facility 1: one one in the first half, none in the second
        assert_eq!(
            raw(CardView::Wiegand34, "1-0").2,
            [0b1000_0000, 0b0000_0000, 0b1000_0000, 0, 0b0100_0000]
        );
        assert!(CardView::Wiegand34.read("65535-65535").is_ok());
        assert_eq!(CardView::Wiegand34.read("65536-1"), Err(CardNumberError::OutOfRange));
        assert_eq!(raw(CardView::Wiegand34, "4294967295"), raw(CardView::Wiegand34, "65535/65535"));
    }

    #[test]
    fn plain_bits_say_how_many_they_are() {
        assert_eq!(
            raw(CardView::Bits, "37:01 23 45 67 88"),
            (CredentialFormat::Bits, 37, vec![0x01, 0x23, 0x45, 0x67, 0x88])
        );
        for text in ["0123456788", "37:01234567", "37:0123456789", "23:012344", "x:0123", "999:00"] {
            assert_eq!(CardView::Bits.read(text), Err(CardNumberError::Length), "{text}");
        }
        assert_eq!(CardView::Bits.read("37:xy"), Err(CardNumberError::NotHexadecimal));
    }

    #[test]
    fn a_key_is_told_in_a_view_that_fits_only() {
        let key = |view: CardView, text| view.read(text).unwrap();
        assert_eq!(CardView::of(&key(CardView::Serial, "DEADBEEF")), Some(CardView::Serial));
        assert_eq!(CardView::of(&key(CardView::Wiegand26, "1-1")), Some(CardView::Wiegand26));
        assert_eq!(CardView::of(&key(CardView::Bits, "26:80800080")), Some(CardView::Wiegand26));
        let wrong_parity = key(CardView::Bits, "26:00808080");
        assert_eq!(CardView::of(&wrong_parity), Some(CardView::Bits));
        assert_eq!(CardView::Wiegand26.write(&wrong_parity), None);
        assert_eq!(CardView::of(&CredentialKey::code("123456").unwrap()), None);
    }

    #[test]
    fn the_ending_tells_a_card_apart_and_no_more() {
        let ending_of = |view: CardView, text| {
            let id = crate::ids::v4([1; 16]);
            ending(&Card {
                id: id.into(),
                building: id.into(),
                person: id.into(),
                name: Label::new("Blue").unwrap(),
                key: view.read(text).unwrap(),
                view,
                tier: CredentialTier::Identifier,
                blocked: None,
            })
        };
        assert_eq!(ending_of(CardView::Serial, "04:A2:2B:1C:55:60:80"), "6080");
        assert_eq!(ending_of(CardView::Wiegand26, "127-53471"), "3471");
        assert_eq!(ending_of(CardView::Wiegand26, "1-1"), "11");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(facility in any::<u16>(), number in any::<u16>(), serial in any::<[u8; 7]>()) {
            let small = facility % 256;
            for (view, text) in [
                (CardView::Wiegand26, format!("{small}-{number}")),
                (CardView::Wiegand34, format!("{facility}-{number}")),
                (CardView::Serial, serial.map(|byte| format!("{byte:02X}")).join(":")),
            ] {
                let key = view.read(&text).unwrap();
                prop_assert_eq!(view.write(&key), Some(text));
                prop_assert_eq!(CardView::of(&key), Some(view));
            }
        }

        #[test]
        fn nothing_typed_is_a_panic(text in any::<String>()) {
            for view in CardView::ALL {
                if let Ok(key) = view.read(&text) {
                    let written = view.write(&key).unwrap();
                    prop_assert_eq!(view.read(&written), Ok(key));
                }
            }
        }
    }
}
