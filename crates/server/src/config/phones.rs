//! How ordinary phones are rung: the addresses that telephone companies and switchboards see of us, and which of those may
//! be spoken to.

use super::hosts::are_hosts;
use klinke_sip::rtp::port::Range;
use schemars::JsonSchema;
use serde::Deserialize;
use std::net::IpAddr;
use std::path::PathBuf;

/// Ordinary phones. Without `listen` none is rung.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Phones {
    /// Address from which trunks are spoken to and at which sound comes. Left out, no ordinary phone is rung.
    #[schemars(example = "0.0.0.0")]
    pub listen: Option<IpAddr>,
    /// Address at which trunks send sound to us. Left out, `listen`, which must then be a specific one.
    #[schemars(example = "203.0.113.7")]
    pub announce: Option<IpAddr>,
    /// First UDP port for sound. Each call takes two.
    #[schemars(range(min = 1024), example = 7500)]
    pub first_port: u16,
    /// Last UDP port for sound.
    #[schemars(range(min = 1024), example = 7899)]
    pub last_port: u16,
    /// Authorities whose certificates trunks over TLS may show, PEM. Left out, those of this machine.
    #[schemars(example = "/etc/klinke/trunk-ca.pem")]
    pub roots: Option<PathBuf>,
    /// Folder with recordings of your own in the place of our voice: `LANGUAGE/PHRASE.wav`.
    #[schemars(example = "/etc/klinke/recordings")]
    pub recordings: Option<PathBuf>,
    /// The program espeak-ng, with its whole path: it speaks addresses, ahead of calls. Left out, none is spoken.
    #[schemars(example = "/usr/bin/espeak-ng")]
    pub speech: Option<PathBuf>,
    /// Hosts that trunks may be set up to: exact, or `*.example.org` for all below it. Empty: none can be set up, and no
    /// ordinary phone is rung.
    #[schemars(example = ["sip.example.net", "*.example.com"])]
    pub trunk_hosts: Vec<String>,
}

impl Default for Phones {
    fn default() -> Self {
        Self {
            listen: None,
            announce: None,
            first_port: 7500,
            last_port: 7899,
            roots: None,
            recordings: None,
            speech: None,
            trunk_hosts: Vec::new(),
        }
    }
}

impl Phones {
    /// Ports for sound.
    pub const fn ports(&self) -> Range {
        Range { first: self.first_port, last: self.last_port }
    }

    /// What the types can not say: the key that is wrong, and why.
    pub(super) fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if self.first_port < 1_024 {
            return Err(("phones.first_port", "is out of range"));
        }
        if self.last_port <= self.first_port {
            return Err(("phones.last_port", "is not after phones.first_port"));
        }
        if !are_hosts(&self.trunk_hosts) {
            return Err(("phones.trunk_hosts", "has a name that is not a host name in small letters"));
        }
        match (self.listen, self.announce) {
            (_, Some(announce)) if announce.is_unspecified() => {
                Err(("phones.announce", "is no address that anybody can send to"))
            }
            (Some(listen), None) if listen.is_unspecified() => {
                Err(("phones.announce", "is missing, and phones.listen is every address of this machine"))
            }
            (Some(listen), Some(announce)) if listen.is_ipv4() != announce.is_ipv4() => {
                Err(("phones.announce", "is of another kind than phones.listen: IPv4 or IPv6"))
            }
            _ => Ok(()),
        }
    }
}
