//! The revision of a directory: a fingerprint of what it shows, so that two servers and two databases agree on it and
//! nothing has to be counted up when one of a dozen tables changes.

use crate::record::DirectoryBell;
use crate::repo::convert::Word;
use klinke_model::text::Label;
use sha2::{Digest, Sha256};

/// 128 bits of SHA-256 over all that a directory shows, in hexadecimal.
pub fn of(building: &Label, address: &Label, panel: &Label, dials: bool, bells: &[DirectoryBell]) -> String {
    let mut hash = Sha256::new();
    // With its length before it, no field can run into the next one.
    let mut field = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    for label in [building, address, panel] {
        field(label.as_str().as_bytes());
    }
    field(&[u8::from(dials)]);
    for bell in bells {
        field(bell.bell.0.as_bytes());
        for label in [bell.label.reveal(), &bell.unit, &bell.entrance] {
            field(label.as_str().as_bytes());
        }
        field(bell.alias.as_ref().map_or("", |alias| alias.reveal().as_str()).as_bytes());
        field(bell.picture.as_ref().map_or(&[], |picture| picture.0.as_bytes()));
        field(&[u8::from(bell.search_only)]);
        field(bell.kind.word().as_bytes());
        field(&(bell.members.len() as u64).to_be_bytes());
        for member in &bell.members {
            field(member.person.0.as_bytes());
            field(member.label.reveal().as_str().as_bytes());
        }
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
