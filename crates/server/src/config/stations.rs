//! Where desk phones, SIP apps and door stations register: by themselves nowhere.

use klinke_sip::rtp::port::Range;
use schemars::JsonSchema;
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// Devices that register over SIP. Without `listen` and `tls_listen` none does.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Stations {
    /// Address and port for UDP and TCP. Left out, nobody registers in the open.
    #[schemars(example = "0.0.0.0:5060")]
    pub listen: Option<SocketAddr>,
    /// Address and port for TLS. Left out, nobody registers over TLS.
    #[schemars(example = "0.0.0.0:5061")]
    pub tls_listen: Option<SocketAddr>,
    /// The certificate for TLS, PEM, with those that vouch for it behind.
    #[schemars(example = "/etc/klinke/fullchain.pem")]
    pub certificate: Option<PathBuf>,
    /// Its key, PEM.
    #[schemars(example = "/etc/klinke/privkey.pem")]
    pub key: Option<PathBuf>,
    /// Address at which devices find us: where they register and send sound. Left out, the one that is listened on, which
    /// must then be a specific one.
    #[schemars(example = "192.0.2.7")]
    pub announce: Option<IpAddr>,
    /// What devices are asked to prove their password with.
    pub digests: Digests,
    /// Whether sound and picture are encrypted (SRTP) with who registers over TLS. The others' are in the open: their keys would be.
    pub encryption: Encryption,
    /// First UDP port for sound and picture. Each takes two for a call.
    #[schemars(range(min = 1024), example = 7900)]
    pub first_port: u16,
    /// Last UDP port for sound and picture.
    #[schemars(range(min = 1024), example = 8299)]
    pub last_port: u16,
}

/// How a password is proven.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Digests {
    /// By SHA-256, or by MD5 where a device does not know that.
    #[default]
    Both,
    /// By MD5 alone: devices from before RFC 8760 (2020) give up when they see another one.
    Md5,
}

/// How sound and picture of a device over TLS are encrypted.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    /// Not at all.
    Off,
    /// Where the device can.
    #[default]
    WherePossible,
    /// Always: a call with a device that can not comes to nothing.
    Required,
}

impl Default for Stations {
    fn default() -> Self {
        Self {
            listen: None,
            tls_listen: None,
            certificate: None,
            key: None,
            announce: None,
            digests: Digests::Both,
            encryption: Encryption::WherePossible,
            first_port: 7900,
            last_port: 8299,
        }
    }
}

impl Stations {
    /// Ports for sound.
    pub const fn ports(&self) -> Range {
        Range { first: self.first_port, last: self.last_port }
    }

    /// What the types can not say: the key that is wrong, and why.
    pub(super) fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if self.first_port < 1_024 {
            return Err(("stations.first_port", "is out of range"));
        }
        if self.last_port <= self.first_port {
            return Err(("stations.last_port", "is not after stations.first_port"));
        }
        if self.tls_listen.is_some() && (self.certificate.is_none() || self.key.is_none()) {
            return Err(("stations.certificate", "and stations.key are needed for stations.tls_listen"));
        }
        let mut listens = self.listen.iter().chain(&self.tls_listen);
        match self.announce {
            Some(announce) if announce.is_unspecified() => {
                Err(("stations.announce", "is no address that anybody can send to"))
            }
            Some(announce) if listens.any(|listen| listen.is_ipv4() != announce.is_ipv4()) => {
                Err(("stations.announce", "is of another kind than where devices register: IPv4 or IPv6"))
            }
            None if listens.any(|listen| listen.ip().is_unspecified()) => Err((
                "stations.announce",
                "is missing, and devices register at every address of this machine",
            )),
            _ => Ok(()),
        }
    }
}
