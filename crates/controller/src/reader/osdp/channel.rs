//! What stands between a command and its frame: nothing, or the Secure Channel (OSDP v2.2 Annex D).

use super::key::ReaderKey;
use osdp::packet::{Address, ControlByte, CtrlFlags, PacketBuilder, ParsedPacket, Scb, ScsType, Sqn};
use osdp::reply::{CCrypt, RMacI, ReplyCode};
use osdp::secure::session::{Challenged, Cryptogrammed, Disconnected, Secure, Session};
use osdp::secure::{Direction, SCBK_D, seal, unseal};

/// Which key a session is made with.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum SessionKey {
    /// The reader's own.
    Own(ReaderKey),
    /// The public one, to set a key with.
    Install,
}

impl SessionKey {
    /// As it is named in the security block of the handshake (Annex D.3).
    const fn name(&self) -> u8 {
        match self {
            Self::Own(_) => 1,
            Self::Install => 0,
        }
    }

    const fn bytes(&self) -> [u8; 16] {
        match self {
            Self::Own(key) => *key.as_bytes(),
            Self::Install => SCBK_D,
        }
    }
}

/// The way to one reader. Its keys are wiped when it is dropped.
pub(super) enum Channel {
    /// No encryption: before the handshake, and with readers that may do without.
    Clear,
    /// CHLNG is sent.
    Challenged(Session<Challenged>),
    /// The reader proved that it has the key; SCRYPT is to be sent, or is.
    Proven(Session<Cryptogrammed>),
    /// Both proved it.
    Secure(Session<Secure>),
}

/// How an answer came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cover {
    /// Anybody may have written or read it.
    Clear,
    /// Only the reader can have written it; anybody may have read it.
    Signed,
    /// Only the reader can have written it, only we can read it.
    Encrypted,
}

/// An answer of the reader.
pub(super) struct Reply {
    pub(super) code: u8,
    pub(super) data: Vec<u8>,
    pub(super) cover: Cover,
}

impl Reply {
    pub(super) const fn is(&self, code: ReplyCode) -> bool {
        self.code == code.as_byte()
    }
}

/// Why a frame is not believed. The channel is of no use afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breach {
    /// Not made by the reader, or not what it made.
    Forged,
    /// The reader says that it has no session.
    Ended,
    /// The reader does not take part.
    Refused,
    /// The reader has another key.
    WrongKey,
    /// The reader offers the public key.
    PublicKey,
}

impl Channel {
    /// The frame of a command: sealed where there is a session, and encrypted when it says anything.
    pub(super) fn command(&mut self, to: Address, sqn: Sqn, code: u8, data: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Clear => {
                let control = ControlByte::new(sqn, CtrlFlags::USE_CRC);
                PacketBuilder::plain(to, control, code, data.to_vec()).encode().ok()
            }
            Self::Secure(session) => {
                seal(session, to, sqn, Direction::AcuToPd, !data.is_empty(), code, data).ok()
            }
            Self::Challenged(_) | Self::Proven(_) => None,
        }
    }

    /// Begins a session: CHLNG with eight random bytes.
    pub(super) fn challenge(
        &mut self,
        to: Address,
        sqn: Sqn,
        key: &SessionKey,
        random: [u8; 8],
    ) -> Option<Vec<u8>> {
        *self = Self::Challenged(Session::<Disconnected>::new(key.bytes()).challenge(random));
        let code = osdp::command::CommandCode::Chlng.as_byte();
        handshake(to, sqn, ScsType::Scs11, key, code, random.to_vec())
    }

    /// SCRYPT: we have the key as well.
    pub(super) fn prove(&self, to: Address, sqn: Sqn, key: &SessionKey) -> Option<Vec<u8>> {
        let Self::Proven(session) = self else { return None };
        let code = osdp::command::CommandCode::SCrypt.as_byte();
        handshake(to, sqn, ScsType::Scs13, key, code, session.server_cryptogram().to_vec())
    }

    /// Reads an answer whose address and sequence number are right, and goes on in the handshake.
    pub(super) fn open(&mut self, frame: &[u8], key: &SessionKey) -> Result<Reply, Breach> {
        let (parsed, _) = ParsedPacket::parse(frame).map_err(|_| Breach::Forged)?;
        let clear = Reply { code: parsed.code, data: parsed.data.to_vec(), cover: Cover::Clear };
        match std::mem::replace(self, Self::Clear) {
            Self::Clear if parsed.scb.is_none() => Ok(clear),
            Self::Clear => Err(Breach::Forged),
            Self::Challenged(session) => {
                match parsed.scb {
                    Some(block) if block.ty == ScsType::Scs12 && clear.is(ReplyCode::CCrypt) => {
                        if block.data != [key.name()] {
                            return Err(if block.data == [0] { Breach::PublicKey } else { Breach::Refused });
                        }
                    }
                    _ => return Err(Breach::Refused),
                }
                let proof = CCrypt::decode(parsed.data).map_err(|_| Breach::Refused)?;
                *self = Self::Proven(session.receive_ccrypt(&proof).map_err(|_| Breach::WrongKey)?);
                Ok(clear)
            }
            Self::Proven(session) => {
                if !parsed.scb.is_some_and(|block| block.ty == ScsType::Scs14) || !clear.is(ReplyCode::RMacI)
                {
                    return Err(Breach::Refused);
                }
                let seed = RMacI::decode(parsed.data).map_err(|_| Breach::Refused)?;
                *self = Self::Secure(session.confirm_rmac_i(&seed.r_mac_i).map_err(|_| Breach::WrongKey)?);
                Ok(clear)
            }
            Self::Secure(mut session) => {
                let cover = match parsed.scb.map(|block| block.ty) {
                    Some(ScsType::Scs16) => Cover::Signed,
                    Some(ScsType::Scs18) => Cover::Encrypted,
                    None if clear.is(ReplyCode::Nak) => return Err(Breach::Ended),
                    _ => return Err(Breach::Forged),
                };
                let data = unseal(&mut session, &parsed, frame).map_err(|_| Breach::Forged)?;
                *self = Self::Secure(session);
                Ok(Reply { code: parsed.code, data, cover })
            }
        }
    }
}

fn handshake(
    to: Address,
    sqn: Sqn,
    kind: ScsType,
    key: &SessionKey,
    code: u8,
    data: Vec<u8>,
) -> Option<Vec<u8>> {
    let ctrl = ControlByte::new(sqn, CtrlFlags::USE_CRC | CtrlFlags::HAS_SCB);
    PacketBuilder { addr: to, ctrl, scb: Some(Scb::new(kind, [key.name()])), code, data }.encode().ok()
}
