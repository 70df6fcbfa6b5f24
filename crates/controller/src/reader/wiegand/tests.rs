//! Edges as readers make them, and as interference does.

use super::*;
use crate::reader::Key;
use proptest::prelude::*;

/// A bit every millisecond.
const BIT_NS: u64 = 1_000_000;

fn send(reader: &mut Wiegand, bits: &str, from_ns: u64) -> u64 {
    let mut now = from_ns;
    for bit in bits.chars() {
        let wire = if bit == '1' { Wire::Data1 } else { Wire::Data0 };
        assert_eq!(reader.edge(wire, now), None);
        now += BIT_NS;
    }
    now - BIT_NS
}

fn read(bits: &str) -> Outcome {
    let mut reader = Wiegand::default();
    let last = send(&mut reader, bits, 1_000);
    assert_eq!(reader.settle(last + GAP_NS - 1), None);
    let outcome = reader.settle(last + GAP_NS).unwrap();
    assert!(!reader.is_reading());
    outcome
}

fn card(bits: u8, bytes: &[u8]) -> Outcome {
    Outcome::Read(Reading::Card(CredentialKey::new(CredentialFormat::Bits, bits, bytes).unwrap()))
}

fn keys(ascii: &[u8]) -> Outcome {
    Outcome::Read(Reading::Keys(Keys::from_ascii(ascii).unwrap()))
}

/// Facility 123, card 45678 in the 26 bits of H10301: even over the first 13, odd over the last.
const H10301: &str = "10111101110110010011011101";

#[test]
fn cards_are_kept_with_every_bit_and_parity_is_demanded() {
    // facility 0111_1011, card 1011_0010_0110_1110, computed by hand
    let plain = "011110111011001001101110";
    let first = if plain[..12].matches('1').count() % 2 == 1 { "1" } else { "0" };
    let last = if plain[12..].matches('1').count().is_multiple_of(2) { "1" } else { "0" };
    let whole = format!("{first}{plain}{last}");
    assert_eq!(whole, H10301, "the constant is the format");
    assert_eq!(read(&whole), card(26, &[0b1011_1101, 0b1101_1001, 0b0011_0111, 0b0100_0000]));
    for at in 0..whole.len() {
        let flipped = if &whole[at..=at] == "1" { "0" } else { "1" };
        let damaged = format!("{}{flipped}{}", &whole[..at], &whole[at + 1..]);
        assert_eq!(read(&damaged), Outcome::Refused(Refusal::Parity), "bit {at}");
    }
}

/// A card of each known format, made by its definition, is read; with any bit turned over it is not.
#[test]
fn every_known_format_has_its_parity() {
    let linear = |length: usize, covers: usize| {
        let mut bits: Vec<bool> = (0..length).map(|at| at % 3 == 1 || at % 7 == 2).collect();
        bits[0] = ones(&bits[1..covers]) % 2 == 1;
        bits[length - 1] = ones(&bits[length - covers..length - 1]).is_multiple_of(2);
        bits
    };
    let mut corporate: Vec<bool> = (0..35).map(|at| at % 4 == 1).collect();
    // the masks of the format as published, from the highest bit: bits 2 to 34 and 1 to 33
    let over = |bits: &[bool], mask: &str| {
        bits.iter().zip(mask.chars()).filter(|(bit, mask)| **bit && *mask == '1').count()
    };
    corporate[1] = over(&corporate, "00110110110110110110110110110110110") % 2 == 1;
    corporate[34] = over(&corporate, "01101101101101101101101101101101100") % 2 == 0;
    corporate[0] = ones(&corporate[1..]).is_multiple_of(2);
    for bits in [linear(26, 13), linear(34, 17), linear(37, 19), corporate] {
        let text = |bits: &[bool]| bits.iter().map(|bit| if *bit { '1' } else { '0' }).collect::<String>();
        assert!(matches!(read(&text(&bits)), Outcome::Read(Reading::Card(_))), "{} bits", bits.len());
        for at in 0..bits.len() {
            let mut damaged = bits.clone();
            damaged[at] = !damaged[at];
            assert_eq!(read(&text(&damaged)), Outcome::Refused(Refusal::Parity), "{} bits, {at}", bits.len());
        }
    }
}

#[test]
fn other_lengths_are_kept_as_they_came_and_short_ones_refused() {
    assert_eq!(read(&"1".repeat(32)), card(32, &[255; 4]));
    assert_eq!(read(&"10".repeat(28)), card(56, &[0xAA; 7]));
    assert_eq!(read(&H10301[..25]), card(25, &[0b1011_1101, 0b1101_1001, 0b0011_0111, 0]));
    for length in [1, 3, 5, 7, 9, 23] {
        assert_eq!(read(&"1".repeat(length)), Outcome::Refused(Refusal::Length), "{length}");
    }
    assert_eq!(read(&"1".repeat(200)), card(200, &[255; 25]));
    assert_eq!(read(&"1".repeat(201)), Outcome::Refused(Refusal::Noise));
}

#[test]
fn keypads_send_four_bits_or_eight_with_the_complement_first() {
    assert_eq!(read("0000"), keys(b"0"));
    assert_eq!(read("1001"), keys(b"9"));
    assert_eq!(read("1010"), keys(b"*"));
    assert_eq!(read("1011"), keys(b"#"));
    assert_eq!(read("11100001"), keys(b"1"));
    assert_eq!(read("01001011"), keys(b"#"));
    assert_eq!(read("1100"), Outcome::Refused(Refusal::NoKey));
    assert_eq!(read("11100011"), Outcome::Refused(Refusal::NoKey), "the complement does not fit");
    assert_eq!(Keys::from_ascii(b"7").unwrap().as_slice(), [Key::Digit(7)]);
}

#[test]
fn the_next_card_ends_the_one_before_and_noise_spoils_one_only() {
    let mut reader = Wiegand::default();
    let last = send(&mut reader, H10301, 0);
    // nobody looked in between: the first edge of the next one tells
    let outcome = reader.edge(Wire::Data1, last + GAP_NS);
    assert_eq!(outcome, Some(read(H10301)));
    // a pulse 10 µs after the last one
    assert_eq!(reader.edge(Wire::Data0, last + GAP_NS + 10_000), None);
    let end = send(&mut reader, &H10301[2..], last + GAP_NS + BIT_NS);
    assert_eq!(reader.settle(end + GAP_NS), Some(Outcome::Refused(Refusal::Noise)));
    let end = send(&mut reader, H10301, end + GAP_NS);
    assert_eq!(reader.settle(end + GAP_NS), Some(read(H10301)));
    assert_eq!(format!("{reader:?}"), "Wiegand(0 bits, ‹redacted›)");
}

proptest! {
    /// Whatever comes over the wires: no panic, and memory is bounded.
    #[test]
    fn any_edges_are_borne(edges in prop::collection::vec((any::<bool>(), 0_u64..40_000_000), 0..600)) {
        let (mut reader, mut now) = (Wiegand::default(), 0);
        for (is_one, later) in edges {
            now += later;
            reader.edge(if is_one { Wire::Data1 } else { Wire::Data0 }, now);
            prop_assert!(reader.bits.len() <= MOST_BITS);
        }
        reader.settle(now + GAP_NS);
        prop_assert!(!reader.is_reading());
    }
}
