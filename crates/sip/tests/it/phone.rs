//! baresip as the phone that answers, over each way.

use crate::baresip::Baresip;
use crate::peer::*;
use klinke_sip::agent::{Agent, Event, Roots, Settings, State, Way};
use klinke_sip::why::Why;

/// baresip with an account of the number that we dial.
pub struct Phone {
    /// SIP over UDP and TCP; TLS is one further.
    pub port: u16,
    /// What its TLS shows.
    pub certificate: rustls_pki_types::CertificateDer<'static>,
    _baresip: Baresip,
}

impl Phone {
    async fn start() -> Self {
        Self::start_with("", "").await
    }

    /// With more lines of configuration, and more parameters of its account.
    pub async fn start_with(configuration: &str, account: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let pem = made.cert.pem() + &made.signing_key.serialize_pem();
        std::fs::write(folder.path().join("cert.pem"), pem).unwrap();
        let certificate = folder.path().join("cert.pem").display().to_string();
        let settings = format!("sip_certificate {certificate}\nsip_transports udp,tcp,tls\n{configuration}");
        let account = format!("<sip:+4721600000@127.0.0.1>;regint=0;answermode=auto{account}\n");
        let baresip = Baresip::start(folder, &settings, &account).await;
        Self { port: baresip.port, certificate: made.cert.der().clone(), _baresip: baresip }
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
