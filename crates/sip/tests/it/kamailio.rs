//! Kamailio as the trunk: it checks digests of SHA-256 itself, which SIPp does not.

use crate::peer::*;
use klinke_sip::agent::{Agent, Event, Settings, State};
use klinke_sip::digest::Account;
use klinke_sip::why::Why;
use std::path::Path;
use std::process::Stdio;
use tokio::process::{Child, Command};

/// Takes registrations, and tells whoever may call that the phone is busy: both only with the right password. Stopped when
/// the test is over.
struct Kamailio {
    port: u16,
    folder: tempfile::TempDir,
    child: Child,
}

impl Kamailio {
    fn start(algorithm: &str) -> Self {
        let port = free_port();
        let folder = tempfile::tempdir().unwrap();
        let modules = ["sl", "pv", "auth", "textops", "siputils", "usrloc", "registrar"];
        let modules: String = modules.iter().map(|name| format!("loadmodule \"{name}.so\"\n")).collect();
        let config = format!(
            r#"#!KAMAILIO
debug=1
log_stderror=yes
fork=no
children=1
auto_aliases=no
disable_tcp=yes
listen=udp:127.0.0.1:{port}
{modules}
modparam("auth", "algorithm", "{algorithm}")
modparam("auth", "nonce_count", 1)
modparam("auth", "qop", "auth")
request_route {{
    if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("trunk.test", "right horse", "0")) {{ www_challenge("trunk.test", "1"); exit; }}
        save("location");
        exit;
    }}
    if (is_method("INVITE")) {{
        if (!pv_proxy_authenticate("trunk.test", "right horse", "0")) {{ proxy_challenge("trunk.test", "1"); exit; }}
        sl_send_reply("486", "Busy Here");
        exit;
    }}
}}
"#
        );
        let file = folder.path().join("kamailio.cfg");
        std::fs::write(&file, config).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        // where Debian puts servers, which is not on every user's PATH
        let debian = Path::new("/usr/sbin/kamailio");
        let program = if debian.exists() { debian } else { Path::new("kamailio") };
        let child = Command::new(program)
            .arg("-f")
            .arg(&file)
            .args(["-DD", "-E", "-m", "16", "-M", "4", "-Y"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("Kamailio (Debian: kamailio)");
        Self { port, folder, child }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // asked to end, it takes its own processes with it
        if let Some(id) = self.child.id() {
            drop(std::process::Command::new("kill").arg(id.to_string()).status());
        }
    }
}

fn with(port: u16, registers: bool, password: &str) -> Settings {
    let account = Some(Account { user: "klinke".into(), password: password.into() });
    Settings { registers, account, ..trunk(port) }
}

#[tokio::test]
async fn digests_of_sha_256_and_of_md5_are_right_for_who_calls_and_who_registers() {
    for algorithm in ["SHA-256", "MD5"] {
        let kamailio = Kamailio::start(algorithm);
        // a proxy's challenge: who may call is told that the phone is busy
        let agent = Agent::start(vec![with(kamailio.port, false, "right horse")]).unwrap();
        until(&agent, |state| *state == State::Ready).await;
        for _ in 0..2 {
            let mut leg = agent.call(dial());
            assert_eq!(end(&mut leg).await, Why::Busy, "{algorithm}: {}", kamailio.log());
        }
        nothing_left(&agent).await;
        agent.stop().await;
        // a registrar's: it stands, and is left
        let agent = Agent::start(vec![with(kamailio.port, true, "right horse")]).unwrap();
        until(&agent, |state| *state == State::Ready).await;
        agent.stop().await;
    }
}

#[tokio::test]
async fn a_password_that_is_wrong_is_refused_whatever_the_digest() {
    for algorithm in ["SHA-256", "MD5"] {
        let kamailio = Kamailio::start(algorithm);
        let agent = Agent::start(vec![with(kamailio.port, false, "wrong horse")]).unwrap();
        until(&agent, |state| *state == State::Ready).await;
        let mut leg = agent.call(dial());
        assert_eq!(event(&mut leg).await, Event::Ended(Why::Refused), "{algorithm}");
        agent.stop().await;
        let agent = Agent::start(vec![with(kamailio.port, true, "wrong horse")]).unwrap();
        let state = until(&agent, |state| matches!(state, State::Refused { .. })).await;
        assert!(matches!(&state, State::Refused { status: 401, .. }), "{state:?}");
        agent.stop().await;
    }
}
