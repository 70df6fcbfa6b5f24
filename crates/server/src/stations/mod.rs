//! Devices that register over SIP: desk phones and SIP apps of people, which are rung as stations, and door stations. One
//! house for the server; who may register is read from the database by [`standing`].
//!
//! Invariants
//! - Without an address in the configuration nothing is bound and nobody registers.
//! - An account that is gone from the database is out at once, with its registration and its call: whoever takes it away
//!   says so ([`Stations::look`], or [`Exchange::device_signed_out`](crate::calls::exchange::Exchange::device_signed_out)).
//! - Who is registered is known while they are, in memory, and when anybody was is not known at all.
//! - No account, nobody and no address of a device is in a log line.

pub mod credentials;
pub mod invite;
pub mod standing;

use crate::config;
use klinke_model::ids::{DeviceId, PanelId};
use klinke_sip::rtp::port::{PortError, Ports, Range, our_keys};
use klinke_sip::sdp::{Encryption, OurKeys};
use klinke_sip::stations::{
    Addresses, Digests, House, Incoming, Leg, Ring, Secret, Settings, StartError, Tls,
};
use klinke_storage::record::{SipAccountOf, SipLogin};
use rustls_pki_types::pem::{self, PemObject as _};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, watch};

/// Why devices can not register at all.
#[derive(Debug, thiserror::Error)]
pub enum StationsError {
    /// Where they would come to.
    #[error("devices can not register: {0}")]
    Start(#[from] StartError),
    /// Certificate or key of the configuration.
    #[error("can not use the certificate for devices {}: {}", .0.display(), .1)]
    Certificate(PathBuf, pem::Error),
}

/// Our side of every device's call.
struct Side {
    listen: IpAddr,
    announce: IpAddr,
    ports: Range,
    encryption: Encryption,
    addresses: Addresses,
    registered: watch::Receiver<Arc<BTreeSet<String>>>,
}

/// Who may register, as read last.
#[derive(Default)]
struct Known {
    logins: HashMap<String, SipLogin>,
    devices: HashMap<DeviceId, String>,
    panels: HashMap<PanelId, String>,
}

/// The devices of a server that register.
pub struct Stations {
    side: Option<Side>,
    /// `None` where nobody registers, and once the server stops.
    house: Mutex<Option<House>>,
    incoming: Mutex<Option<mpsc::Receiver<Incoming>>>,
    known: Mutex<Known>,
    /// Held from reading the accounts until they are in force, so that the newest come last.
    reading: tokio::sync::Mutex<()>,
}

/// A way in which devices register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In datagrams, in the open.
    Udp,
    /// Over connections, in the open.
    Tcp,
    /// Encrypted.
    Tls,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // every critical section leaves what is in it whole, also when it panics
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stations {
    /// Begins to listen where the configuration says. Nobody may register yet.
    ///
    /// # Errors
    /// When an address can not be had, or the certificate is none.
    pub async fn open(config: &config::Stations) -> Result<Self, StationsError> {
        let reading = tokio::sync::Mutex::default();
        let Some(first) = config.listen.or(config.tls_listen) else {
            let (house, incoming, known) = (Mutex::default(), Mutex::default(), Mutex::default());
            return Ok(Self { side: None, house, incoming, known, reading });
        };
        let digests = match config.digests {
            config::Digests::Both => Digests::Both,
            config::Digests::Md5 => Digests::Md5,
        };
        let (udp, tcp, tls) = (config.listen, config.listen, tls(config)?);
        let settings = Settings { udp, tcp, tls, digests, ..Settings::default() };
        let (house, incoming) = House::start(settings).await?;
        let side = Side {
            listen: first.ip(),
            announce: config.announce.unwrap_or_else(|| first.ip()),
            ports: config.ports(),
            encryption: match config.encryption {
                config::Encryption::Off => Encryption::Off,
                config::Encryption::WherePossible => Encryption::Offered,
                config::Encryption::Required => Encryption::Required,
            },
            addresses: house.addresses(),
            registered: house.registered(),
        };
        Ok(Self {
            side: Some(side),
            house: Mutex::new(Some(house)),
            incoming: Mutex::new(Some(incoming)),
            known: Mutex::default(),
            reading,
        })
    }

    /// Whether the configuration says where devices register at all.
    pub const fn may_stand(&self) -> bool {
        self.side.is_some()
    }

    /// Where a device is to register: every way that there is, the safest first.
    pub fn servers(&self) -> Vec<(Way, SocketAddr)> {
        let Some(side) = &self.side else { return Vec::new() };
        let Addresses { udp, tcp, tls } = side.addresses;
        let ways = [(Way::Tls, tls), (Way::Tcp, tcp), (Way::Udp, udp)];
        let at = |bound: SocketAddr| SocketAddr::new(side.announce, bound.port());
        ways.into_iter().filter_map(|(way, bound)| Some((way, at(bound?)))).collect()
    }

    /// These may register from when this is done, and nobody else: who is not among them is out, and out of their call.
    async fn refresh(&self, logins: Vec<SipLogin>) {
        let mut known = Known::default();
        let mut accounts = HashMap::with_capacity(logins.len());
        for login in logins {
            let secret = Secret { md5: login.md5.reveal().clone(), sha256: login.sha256.reveal().clone() };
            accounts.insert(login.name.clone(), secret);
            match login.of {
                SipAccountOf::Device(device, _) => _ = known.devices.insert(device, login.name.clone()),
                SipAccountOf::Panel(panel) => _ = known.panels.insert(panel, login.name.clone()),
            }
            known.logins.insert(login.name.clone(), login);
        }
        *lock(&self.known) = known;
        let in_force = lock(&self.house).as_ref().map(|house| house.accounts(accounts));
        if let Some(in_force) = in_force {
            in_force.await;
        }
    }

    /// Whose account goes by this name.
    pub fn login(&self, name: &str) -> Option<SipLogin> {
        lock(&self.known).logins.get(name).cloned()
    }

    /// Whether this device is registered now.
    pub fn is_registered(&self, device: DeviceId) -> bool {
        let name = lock(&self.known).devices.get(&device).cloned();
        name.is_some_and(|name| self.has(&name))
    }

    /// Whether this panel is a door station that is registered now.
    pub fn is_panel_registered(&self, panel: PanelId) -> bool {
        let name = lock(&self.known).panels.get(&panel).cloned();
        name.is_some_and(|name| self.has(&name))
    }

    /// The address from which a door station is registered now.
    pub async fn address_of(&self, panel: PanelId) -> Option<IpAddr> {
        let name = lock(&self.known).panels.get(&panel).cloned()?;
        self.locate(name).await
    }

    /// The address from which a device is registered now.
    pub async fn address_of_device(&self, device: DeviceId) -> Option<IpAddr> {
        let name = lock(&self.known).devices.get(&device).cloned()?;
        self.locate(name).await
    }

    async fn locate(&self, name: String) -> Option<IpAddr> {
        let told = lock(&self.house).as_ref()?.locate(name);
        told.await.ok().flatten()
    }

    fn has(&self, name: &str) -> bool {
        self.side.as_ref().is_some_and(|side| side.registered.borrow().contains(name))
    }

    /// Who is registered, by the names of their accounts, to be watched; `None` where nobody can be.
    pub fn registered(&self) -> Option<watch::Receiver<Arc<BTreeSet<String>>>> {
        self.side.as_ref().map(|side| side.registered.clone())
    }

    /// The calls of door stations, for the one task that takes them.
    pub fn take_incoming(&self) -> Option<mpsc::Receiver<Incoming>> {
        lock(&self.incoming).take()
    }

    /// Takes the ports of a call's sound, and says at which address they are for the other side.
    ///
    /// # Errors
    /// When none is free.
    pub async fn ports(&self) -> Result<(Ports, SocketAddr), PortError> {
        let side = self.side.as_ref().ok_or(PortError::Full)?;
        let ports = Ports::take(side.listen, side.ports).await?;
        let address = SocketAddr::new(side.announce, ports.port()?);
        Ok((ports, address))
    }

    /// Draws our keys for one line of a call over TLS; none where nothing is encrypted.
    ///
    /// # Errors
    /// When the machine gives no randomness.
    pub fn keys(&self) -> Result<Option<OurKeys>, PortError> {
        self.side.as_ref().map_or(Ok(None), |side| our_keys(side.encryption))
    }

    /// Calls the device of an account; `None` where nobody registers.
    pub fn call(&self, device: DeviceId, ring: impl FnOnce(String) -> Ring) -> Option<Leg> {
        let name = lock(&self.known).devices.get(&device).cloned()?;
        lock(&self.house).as_ref().map(|house| house.call(ring(name)))
    }

    /// Calls of which something is left on the wire.
    pub fn dialogs(&self) -> usize {
        lock(&self.house).as_ref().map_or(0, House::dialogs)
    }

    /// Ends every call, and waits for that for 2 s at most. Nobody is registered after it.
    pub async fn stop(&self) {
        let house = lock(&self.house).take();
        if let Some(house) = house {
            house.stop().await;
        }
    }
}

fn tls(config: &config::Stations) -> Result<Option<Tls>, StationsError> {
    let (Some(address), Some(certificate), Some(key)) = (config.tls_listen, &config.certificate, &config.key)
    else {
        return Ok(None);
    };
    let wrong = |error| StationsError::Certificate(certificate.clone(), error);
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(certificate).map_err(wrong)?.collect();
    let key =
        PrivateKeyDer::from_pem_file(key).map_err(|error| StationsError::Certificate(key.clone(), error))?;
    Ok(Some(Tls { address, chain: chain.map_err(wrong)?, key }))
}
