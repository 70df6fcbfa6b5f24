//! baresip as the phone that answers, over each way.

use crate::peer::*;
use klinke_sip::agent::{Agent, Event, Roots, Settings, State, Way};
use klinke_sip::why::Why;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// baresip with an account of the number that we dial. Killed when the test is over.
pub struct Phone {
    /// SIP over UDP and TCP; TLS is one further.
    pub port: u16,
    /// What its TLS shows.
    pub certificate: rustls_pki_types::CertificateDer<'static>,
    _folder: tempfile::TempDir,
    _child: Child,
}

impl Phone {
    async fn start() -> Self {
        Self::start_with("", "").await
    }

    /// With more lines of configuration, and more parameters of its account.
    pub async fn start_with(configuration: &str, account: &str) -> Self {
        // TLS is one port further
        let port = loop {
            let port = free_port();
            if port < u16::MAX && std::net::TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
                break port;
            }
        };
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let pem = made.cert.pem() + &made.signing_key.serialize_pem();
        std::fs::write(folder.path().join("cert.pem"), pem).unwrap();
        let certificate = folder.path().join("cert.pem").display().to_string();
        let config = format!(
            "poll_method epoll\nsip_listen 127.0.0.1:{port}\nsip_certificate {certificate}\nsip_transports udp,tcp,tls\n\
             audio_player aubridge,x\naudio_source aubridge,x\naudio_alert aubridge,x\n\
             module_path /usr/lib/baresip/modules\nmodule g711.so\nmodule aubridge.so\n\
             module_app account.so\nmodule_app menu.so\n{configuration}"
        );
        std::fs::write(folder.path().join("config"), config).unwrap();
        let account = format!("<sip:+4721600000@127.0.0.1>;regint=0;answermode=auto{account}\n");
        std::fs::write(folder.path().join("accounts"), account).unwrap();
        std::fs::write(folder.path().join("contacts"), "").unwrap();
        let mut child = Command::new("baresip")
            .arg("-f")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("baresip (Debian: baresip-core)");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if line.contains("baresip is ready") {
                    return;
                }
            }
            panic!("baresip ended");
        };
        timeout(BOUND, ready).await.unwrap();
        // read on, or it would wait for room in the pipe
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { port, certificate: made.cert.der().clone(), _folder: folder, _child: child }
    }

    async fn is_called(&self, way: Way, port: u16) {
        let agent = Agent::start(vec![Settings { way, ..trunk(port) }]).unwrap();
        until(&agent, |state| *state == State::Ready).await;
        for _ in 0..2 {
            let mut leg = agent.call(dial());
            let sdp = answered(&mut leg).await;
            assert!(sdp.contains("PCMU/8000"), "{sdp}");
            leg.hang_up();
            assert_eq!(event(&mut leg).await, Event::Ended(Why::WeHungUp));
            nothing_left(&agent).await;
        }
        agent.stop().await;
    }
}

#[tokio::test]
async fn a_phone_is_called_over_udp_tcp_and_tls() {
    let phone = Phone::start().await;
    phone.is_called(Way::Udp, phone.port).await;
    phone.is_called(Way::Tcp, phone.port).await;
    let roots = Roots::Only(vec![phone.certificate.clone()]);
    phone.is_called(Way::Tls(roots), phone.port + 1).await;
}

#[tokio::test]
async fn a_certificate_of_somebody_else_is_no_trunk() {
    let phone = Phone::start().await;
    let other = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    for roots in [Roots::Only(vec![other.cert.der().clone()]), Roots::Machine] {
        let agent = Agent::start(vec![Settings { way: Way::Tls(roots), ..trunk(phone.port + 1) }]).unwrap();
        until(&agent, |state| *state == State::Unreachable).await;
        let mut leg = agent.call(dial());
        assert_eq!(event(&mut leg).await, Event::Ended(Why::Unreachable));
        nothing_left(&agent).await;
    }
}
