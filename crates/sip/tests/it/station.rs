//! A house that devices register with, and baresip as such a device.

use crate::baresip::Baresip;
use crate::peer::*;
use klinke_sip::stations::{
    Accounts, Addresses, Digests, HOPS, House, Incoming, Ring, Secret, Settings, Tls,
};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// The name of the one account that there is.
pub const DEVICE: &str = "k7m2q9x4w8zp";

/// Its password.
pub const PASSWORD: &str = "right-horse";

/// A house on all ways that lets one device in, what calls it, and its certificate.
pub async fn house() -> (House, mpsc::Receiver<Incoming>, String) {
    let any = || SocketAddr::from(([127, 0, 0, 1], 0));
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let tls = Tls { address: any(), chain: vec![made.cert.der().clone()], key };
    // baresip 1.0 and SIPp 3.6 know MD5 only, and give up when they see something else
    let settings = Settings {
        udp: Some(any()),
        tcp: Some(any()),
        tls: Some(tls),
        digests: Digests::Md5,
        ..Settings::default()
    };
    let (house, incoming) = House::start(settings).await.unwrap();
    house.accounts(Accounts::from([(DEVICE.to_owned(), Secret::new(DEVICE, PASSWORD))])).await;
    (house, incoming, made.cert.pem())
}

/// Waits until the device is registered, or no longer.
pub async fn registered(house: &House, is: bool) {
    let mut watch = house.registered();
    let seen = timeout(BOUND, watch.wait_for(|seen| seen.contains(DEVICE) == is)).await;
    seen.unwrap_or_else(|_| panic!("not registered: {is}")).unwrap();
}

/// Nothing of any call is left.
pub async fn no_calls(house: &House) {
    let empty = async {
        while house.dialogs() > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    timeout(BOUND, empty).await.unwrap_or_else(|_| panic!("{} dialogs left", house.dialogs()));
}

pub fn ring(offer: String) -> Ring {
    Ring {
        device: DEVICE.into(),
        caller: "Storgatan 12 A".into(),
        offer: Arc::new(move |_| offer.clone()),
        ring: BOUND,
        talk: BOUND,
        hops: HOPS,
        reoffer: Arc::new(|_| None),
    }
}

/// Our sound or picture: a socket, and the port as it stands in descriptions.
pub async fn media() -> (tokio::net::UdpSocket, u16) {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}

/// baresip with one account. Killed when the test is over.
pub struct Device(Baresip);

impl Device {
    /// Registers on this way (`udp`, `tcp` or `tls`) with this password.
    pub async fn start(way: &str, at: Addresses, certificate: &str, password: &str, more: &str) -> Self {
        let to = match way {
            "udp" => at.udp,
            "tcp" => at.tcp,
            _ => at.tls,
        };
        let to = to.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let authority = folder.path().join("ca.pem");
        std::fs::write(&authority, certificate).unwrap();
        let settings = format!(
            "sip_cafile {}\nvideo_source fakevideo,x\nvideo_display fakevideo,x\nvideo_size 352x288\nvideo_fps 25\n\
             rtcp_mux yes\n{more}",
            authority.display()
        );
        let account = format!(
            "<sip:{DEVICE}@{to};transport={way}>;auth_user={DEVICE};auth_pass={password};regint=60;answermode=auto\n"
        );
        Self(Baresip::start(folder, &settings, &account).await)
    }

    /// Waits for a line with this text; what came before it is passed over.
    pub async fn says(&mut self, text: &str) -> String {
        self.0.says(text).await
    }

    /// A command, as it is typed at its console: `/dial …`, `/sndcode 5`.
    pub async fn command(&mut self, text: &str) {
        let (command, about) = text.split_once(' ').unwrap_or((text, ""));
        self.0.command(command.trim_start_matches('/'), about).await;
    }

    pub async fn kill(self) {
        self.0.kill().await;
    }
}
