//! The cryptography of one direction: keys made from the master key (RFC 3711 §4.3), packets encrypted and signed by
//! AES in counter mode with HMAC-SHA1 (RFC 3711 §4) or by AES-GCM (RFC 7714). Which number a packet has is the caller's.

use crate::sdp::crypto::{Crypto, Suite};
use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::{constant_time, hmac};
use zeroize::Zeroizing;

/// What keys are made for: the first label of the three (RFC 3711 §4.3.1, §4.3.2).
#[derive(Clone, Copy, Debug)]
pub enum Label {
    /// Packets of sound.
    Rtp = 0,
    /// Reports.
    Rtcp = 3,
}

/// Length of the key of HMAC-SHA1, bytes.
const SIGNING: usize = 20;
/// Length of a salt in counter mode, bytes.
const SALT: usize = 14;

/// One kind of packets in one direction.
pub enum Cipher {
    /// Counter mode and HMAC-SHA1.
    Signed {
        /// Encrypts.
        key: Box<EncryptingKey>,
        /// Signs.
        signing: Box<hmac::Key>,
        /// Bytes of the tag.
        tag: usize,
        /// What the counter begins with.
        salt: Zeroizing<[u8; SALT]>,
    },
    /// GCM.
    Sealed {
        /// Does both.
        key: Box<LessSafeKey>,
        /// What the nonce is made of.
        salt: Zeroizing<[u8; NONCE_LEN]>,
    },
}

/// Which packet it is.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    /// The stream.
    pub ssrc: u32,
    /// Its number with the roll-overs above: 48 bits of RTP, 31 of RTCP.
    pub index: u64,
}

impl Cipher {
    /// Makes the keys; `None` when the library refuses.
    pub fn new(crypto: &Crypto, label: Label) -> Option<Self> {
        let (key, salt) = crypto.key_and_salt();
        let made = |step: u8, length: usize| derive(key, salt, label as u8 + step, length);
        let key = made(0, crypto.suite.key_length())?;
        let salt = made(2, crypto.suite.salt_length())?;
        let signed = |tag: usize| {
            let signing = made(1, SIGNING)?;
            Self::signed(&key, &signing, &salt, tag)
        };
        match (crypto.suite, label) {
            (Suite::Gcm256 | Suite::Gcm128, _) => Self::sealed(&key, &salt),
            // the short tag is for sound only (RFC 4568 §6.2.2)
            (Suite::Sha1_32, Label::Rtp) => signed(4),
            (Suite::Sha1_32, Label::Rtcp) | (Suite::Sha1_80, _) => signed(10),
        }
    }

    pub(super) fn signed(key: &[u8], signing: &[u8], salt: &[u8], tag: usize) -> Option<Self> {
        Some(Self::Signed {
            key: Box::new(counter_mode(key)?),
            signing: Box::new(hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, signing)),
            tag,
            salt: Zeroizing::new(salt.try_into().ok()?),
        })
    }

    pub(super) fn sealed(key: &[u8], salt: &[u8]) -> Option<Self> {
        let algorithm = if key.len() == 32 { &AES_256_GCM } else { &AES_128_GCM };
        let key = Box::new(LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?));
        Some(Self::Sealed { key, salt: Zeroizing::new(salt.try_into().ok()?) })
    }

    /// Bytes that a packet gets longer by.
    pub fn tag_length(&self) -> usize {
        match self {
            Self::Signed { tag, .. } => *tag,
            Self::Sealed { key, .. } => key.algorithm().tag_len(),
        }
    }

    /// Encrypts `body` in its place. The tag is over `head`, the encrypted body and `tail`.
    pub fn protect(&self, number: Number, head: &[u8], body: &mut [u8], tail: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Signed { key, signing, tag, salt } => {
                key.less_safe_encrypt(body, counter(salt, number)).ok()?;
                let signed = sign(signing, head, body, tail);
                Some(signed.as_ref().get(..*tag)?.to_vec())
            }
            Self::Sealed { key, salt } => {
                let aad = Aad::from([head, tail].concat());
                let tag = key.seal_in_place_separate_tag(nonce(salt, number), aad, body).ok()?;
                Some(tag.as_ref().to_vec())
            }
        }
    }

    /// Decrypts `body` in its place if the tag is right; else it is of no use.
    #[must_use]
    pub fn unprotect(&self, number: Number, head: &[u8], body: &mut [u8], tag: &[u8], tail: &[u8]) -> bool {
        match self {
            Self::Signed { key, signing, tag: length, salt } => {
                let signed = sign(signing, head, body, tail);
                let wanted = signed.as_ref().get(..*length).unwrap_or_default();
                constant_time::verify_slices_are_equal(wanted, tag).is_ok()
                    && key.less_safe_encrypt(body, counter(salt, number)).is_ok()
            }
            Self::Sealed { key, salt } => {
                let aad = Aad::from([head, tail].concat());
                let mut sealed = [&*body, tag].concat();
                let Ok(plain) = key.open_in_place(nonce(salt, number), aad, &mut sealed) else {
                    return false;
                };
                if plain.len() == body.len() {
                    body.copy_from_slice(plain);
                }
                true
            }
        }
    }
}

fn sign(signing: &hmac::Key, head: &[u8], body: &[u8], tail: &[u8]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(signing);
    for part in [head, body, tail] {
        context.update(part);
    }
    context.sign()
}

fn counter_mode(key: &[u8]) -> Option<EncryptingKey> {
    let algorithm = if key.len() == 32 { &AES_256 } else { &AES_128 };
    EncryptingKey::ctr(UnboundCipherKey::new(algorithm, key).ok()?).ok()
}

/// The first block of the counter: salt, stream and number, each in its place (RFC 3711 §4.1.1).
fn counter(salt: &[u8; SALT], number: Number) -> EncryptionContext {
    let mut block = [0; 16];
    block[..SALT].copy_from_slice(salt);
    let stream = number.ssrc.to_be_bytes();
    let index = (number.index << 16).to_be_bytes();
    block[4..8].iter_mut().zip(stream).for_each(|(byte, with)| *byte ^= with);
    block[8..].iter_mut().zip(index).for_each(|(byte, with)| *byte ^= with);
    EncryptionContext::Iv128(FixedLength::from(block))
}

/// Two zeros, stream and number, under the salt (RFC 7714 §8.1, §9.1).
fn nonce(salt: &[u8; NONCE_LEN], number: Number) -> Nonce {
    let mut block = *salt;
    let stream = number.ssrc.to_be_bytes();
    // 48 bits of eight bytes
    let index = number.index.to_be_bytes();
    let parts = stream.into_iter().chain(index.into_iter().skip(2));
    block[2..].iter_mut().zip(parts).for_each(|(byte, with)| *byte ^= with);
    Nonce::assume_unique_for_key(block)
}

/// Makes a key from the master key and salt (RFC 3711 §4.3.1, §4.3.3). A salt of 96 bits has zeros behind it (RFC 7714 §11).
pub(super) fn derive(key: &[u8], salt: &[u8], label: u8, length: usize) -> Option<Zeroizing<Vec<u8>>> {
    let mut block = [0; 16];
    block.iter_mut().zip(salt).for_each(|(byte, with)| *byte = *with);
    block[7] ^= label;
    let mut made = Zeroizing::new(vec![0; length]);
    let context = EncryptionContext::Iv128(FixedLength::from(block));
    counter_mode(key)?.less_safe_encrypt(&mut made, context).ok()?;
    Some(made)
}
