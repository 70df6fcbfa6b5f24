//! A house that devices register with, and baresip as such a device.

use crate::peer::*;
use klinke_sip::stations::{Accounts, Addresses, Digests, House, Incoming, Ring, Secret, Settings, Tls};
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
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
    house.accounts(Accounts::from([(DEVICE.to_owned(), Secret::new(DEVICE, PASSWORD))]));
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
pub struct Device {
    console: TcpStream,
    lines: mpsc::UnboundedReceiver<String>,
    _folder: tempfile::TempDir,
    child: Child,
}

impl Device {
    /// Registers on this way (`udp`, `tcp` or `tls`) with this password.
    pub async fn start(way: &str, at: Addresses, certificate: &str, password: &str, more: &str) -> Self {
        let to = match way {
            "udp" => at.udp,
            "tcp" => at.tcp,
            _ => at.tls,
        };
        let to = to.unwrap();
        let (own, console) = (free_port(), free_port());
        let folder = tempfile::tempdir().unwrap();
        // without its ringback tone: that plays on the bridge too, and takes the bridge's player away when it ends; then no sound
        // comes out of it for the rest of the call
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("ca.pem", certificate);
        let authority = folder.path().join("ca.pem").display().to_string();
        write(
            "config",
            &format!(
                "poll_method epoll\nsip_listen 127.0.0.1:{own}\nsip_cafile {authority}\n\
                 audio_player aubridge,x\naudio_source aubridge,x\naudio_alert aubridge,x\nringback_disabled yes\n\
                 video_source fakevideo,x\nvideo_display fakevideo,x\nvideo_size 352x288\nvideo_fps 25\n\
                 rtcp_mux yes\ncons_listen 127.0.0.1:{console}\n\
                 module_path /usr/lib/baresip/modules\nmodule g711.so\nmodule aubridge.so\nmodule cons.so\n{more}\
                 module_app account.so\nmodule_app menu.so\n"
            ),
        );
        let account = format!(
            "<sip:{DEVICE}@{to};transport={way}>;auth_user={DEVICE};auth_pass={password};regint=60;answermode=auto\n"
        );
        write("accounts", &account);
        write("contacts", "");
        let mut child = Command::new("baresip")
            .arg("-f")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("baresip (Debian: baresip-core)");
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, lines) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok(Some(line)) = out.next_line().await {
                // who looks no more at what it says lets it say so still
                let _ = sender.send(line);
            }
        });
        let mut device = Self { console: connect(console, &mut child).await, lines, _folder: folder, child };
        device.says("baresip is ready").await;
        device
    }

    /// Waits for a line with this text; what came before it is passed over.
    pub async fn says(&mut self, text: &str) -> String {
        let mut all = Vec::new();
        let found = async {
            while let Some(line) = self.lines.recv().await {
                if line.contains(text) {
                    return Some(line);
                }
                all.push(line);
            }
            None
        };
        let found = timeout(BOUND, found).await.ok().flatten();
        found.unwrap_or_else(|| panic!("baresip does not say {text}:\n{}", all.join("\n")))
    }

    /// A command of its console: `/dial …`, `/sndcode 5`.
    pub async fn command(&mut self, text: &str) {
        self.console.write_all(format!("{text}\n").as_bytes()).await.unwrap();
    }

    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// The console listens a moment after the start.
async fn connect(port: u16, child: &mut Child) -> TcpStream {
    let connected = async {
        loop {
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)).await {
                return stream;
            }
            assert!(child.try_wait().unwrap().is_none(), "baresip ended");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    timeout(BOUND, connected).await.expect("the console of baresip")
}
