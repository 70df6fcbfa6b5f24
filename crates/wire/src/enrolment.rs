//! Readers of a controller, and reading a card at one that is to be given to somebody.
//!
//! What a card says goes over the link once, and prints redacted on either side.

use serde::{Deserialize, Serialize};

/// How long a reader waits for a card at most, ms.
pub const WINDOW_MS: u64 = 60_000;

/// A reader of a controller, as its hardware file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReaderReport {
    /// Its number at this controller.
    pub reader: u16,
    /// The output at whose door it stands; none for a reader on a desk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<u16>,
    /// What it is.
    pub kind: ReaderKind,
    /// Whether codes are taken at it.
    pub has_keypad: bool,
}

/// What a reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReaderKind {
    /// On a line of OSDP readers.
    Osdp,
    /// On two wires.
    Wiegand,
    /// A chip card reader of this machine.
    Pcsc,
}

/// Why a reader does not wait for a card, or no longer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnrolRefusal {
    /// For another start of the process.
    OtherBoot,
    /// Not a reader of this controller.
    UnknownReader,
    /// The reader does not answer, or is not to be trusted.
    ReaderOffline,
    /// It waits for another card already.
    Busy,
    /// Its end has passed, or is further ahead than [`WINDOW_MS`].
    BadWindow,
}

/// What a card says, as its format, its number of bits and the bits in hexadecimal.
pub(crate) mod card {
    use klinke_model::credential::{CredentialFormat, CredentialKey};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
    use std::fmt::Write as _;

    #[derive(Serialize, Deserialize)]
    struct Written {
        format: CredentialFormat,
        bits: u8,
        raw: String,
    }

    pub fn serialize<S: Serializer>(key: &CredentialKey, serializer: S) -> Result<S::Ok, S::Error> {
        let mut raw = String::new();
        for byte in key.bytes() {
            write!(raw, "{byte:02x}").map_err(serde::ser::Error::custom)?;
        }
        Written { format: key.format(), bits: key.bits(), raw }.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<CredentialKey, D::Error> {
        let Written { format, bits, raw } = Written::deserialize(deserializer)?;
        let byte = |pair: &[u8; 2]| {
            std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok())
        };
        let (pairs, rest) = raw.as_bytes().as_chunks::<2>();
        let bytes = pairs.iter().map(byte).collect::<Option<Vec<u8>>>();
        // what was sent is not in the error: it may end in a log
        let bytes =
            bytes.filter(|_| rest.is_empty()).ok_or_else(|| de::Error::custom("a card is hexadecimal"))?;
        CredentialKey::new(format, bits, &bytes).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use crate::controller::ControllerRequest;
    use crate::frame::{decode, encode};
    use klinke_model::credential::{CredentialFormat, CredentialKey};
    use klinke_model::ids::{ReadingId, v4};

    #[test]
    fn a_card_goes_over_the_link_whole_and_is_never_printed() {
        for (format, bits, bytes) in [
            (CredentialFormat::Bits, 26, &[0x91, 0xa2, 0xb3, 0x40][..]),
            (CredentialFormat::Serial, 56, &[0x04, 0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6]),
        ] {
            let key = CredentialKey::new(format, bits, bytes).unwrap();
            let told = ControllerRequest::Enrolled { reading: ReadingId(v4([1; 16])), key };
            assert!(!format!("{told:?}").to_lowercase().contains("a2"), "{told:?}");
            let mut frame = encode(&told).unwrap();
            assert_eq!(decode::<ControllerRequest>(&mut frame).unwrap(), Some(told));
        }
    }

    #[test]
    fn what_is_no_card_is_refused_without_being_told() {
        let id = v4([1; 16]);
        for (bits, raw) in [
            ("26", "91a2b3"),
            ("26", "91a2b341"),
            ("5", "91"),
            ("26", "xxa2b340"),
            ("24", "é1a2b"),
            ("26", "91a2b34"),
        ] {
            let text = format!(
                r#"{{"type":"enrolled","reading":"{id}","key":{{"format":"bits","bits":{bits},"raw":"{raw}"}}}}"#
            );
            let error = serde_json::from_str::<ControllerRequest>(&text).unwrap_err().to_string();
            assert!(!error.contains(raw), "{error}");
        }
    }
}
