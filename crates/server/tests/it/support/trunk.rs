//! A telephone company: SIPp, which judges what is sent to it, and baresip, whose keys come beside the sound.

use super::PATIENCE;
use super::baresip::free_ports;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// A port of UDP and TCP that nobody has.
pub fn free_port() -> u16 {
    free_ports(1)
}

/// Two ports for the sound of one call, and no more: the first is even.
pub fn one_pair() -> (u16, u16) {
    let first = free_ports(3).next_multiple_of(2);
    (first, first + 1)
}

/// One run of SIPp. Killed when the test is over.
pub struct Sipp {
    pub port: u16,
    folder: tempfile::TempDir,
    child: Child,
}

impl Sipp {
    /// Plays a scenario of the crate `sip`, to so many calls after the look whether it is there.
    pub fn play(scenario: &str, calls: u32) -> Self {
        Self::start(&self::scenario(scenario), calls)
    }

    /// Refuses a call with this status.
    pub fn refuse(status: &str) -> Self {
        Self::refuse_all(status, 1)
    }

    /// Refuses so many calls.
    pub fn refuse_all(status: &str, calls: u32) -> Self {
        Self::start(&scenario("refuse").replace("486 Busy Here", status), calls)
    }

    /// Picks up, waits so many milliseconds before each key, and presses it.
    pub fn press(keys: &[(u64, char)], calls: u32) -> Self {
        Self::start(&pressing(keys), calls)
    }

    /// Picks up in one codec, goes over to another, and presses 5.
    pub fn change_codec() -> Self {
        Self::start(include_str!("../../sipp/other_codec.xml"), 1)
    }

    /// Picks up and presses 1 like [`Self::press`], and never sends sound. It says that it listens at this port.
    pub fn silent(listens: u16, calls: u32) -> Self {
        let script = pressing(&[(1_200, '1')]).replace("[media_port]", &listens.to_string());
        Self::start(&script, calls)
    }

    /// Takes the call, takes our BYE, and answers that never.
    pub fn loses_bye() -> Self {
        Self::play("loses_bye", 1)
    }

    /// A desk phone: registers at a server with this name and password, and rings once until it is cancelled.
    pub async fn desk_phone(server: &str, name: &str, password: &str) -> Self {
        let port = free_port();
        let words = [server, "-s", name, "-au", name, "-ap", password];
        Self::start_on(port, &scenario("register_device"), 1, &words).verdict().await;
        Self::start_on(port, &scenario("rings_on"), 1, &[])
    }

    /// Tries to register with this name and this password at a server, and is refused twice: it was challenged, and wrong.
    pub fn register_nobody(server: &str, name: &str, password: &str) -> Self {
        Self::start_on(
            free_port(),
            &scenario("register_nobody"),
            1,
            &[server, "-s", name, "-au", name, "-ap", password],
        )
    }

    /// A device that registers at a server from this port, and is gone without a word: what speaks from there next is it.
    pub async fn register_from(port: u16, server: &str, name: &str, password: &str) {
        let words = [server, "-s", name, "-au", name, "-ap", password];
        Self::start_on(port, &scenario("register_device"), 1, &words).verdict().await;
    }

    /// A door station with this account, registered before, calls this number for so many hops at most, and is answered with
    /// this status.
    pub fn visitor(
        server: &str,
        (name, password): (&str, &str),
        number: &str,
        hops: u8,
        status: &str,
    ) -> Self {
        let script = scenario("door_refused")
            .replace("k7m2q9x4w8zp", name)
            .replace("<!--ASKS-->", &format!("Max-Forwards: {hops}"))
            .replace("<!--REFUSED-->", status);
        let script = script.replace(
            &format!("<recv response=\"{status}\"/>"),
            &format!("<recv response=\"180\" optional=\"true\"/>\n  <recv response=\"{status}\"/>"),
        );
        let uri = format!("{number}@{server}");
        let words = [server, "-s", number, "-auth_uri", &uri, "-au", name, "-ap", password];
        Self::start_on(free_port(), &script, 1, &words)
    }

    /// A door station with this account, registered before, calls this number with a picture, and asks for an offer of ours when it
    /// is answered.
    pub fn asks_for_offer(server: &str, (name, password): (&str, &str), number: &str) -> Self {
        let script = include_str!("../../sipp/asks_for_offer.xml").replace("<!--NAME-->", name);
        let uri = format!("{number}@{server}");
        let words = [server, "-s", number, "-auth_uri", &uri, "-au", name, "-ap", password];
        Self::start_on(free_port(), &script, 1, &words)
    }

    /// A device that has registered at a server, refuses a call because of its picture and takes one that has none: so many
    /// calls altogether.
    pub async fn no_display(server: &str, name: &str, password: &str, calls: u32) -> Self {
        let port = free_port();
        let account = [server, "-s", name, "-au", name, "-ap", password];
        Self::start_on(port, &scenario("register_device"), 1, &account).verdict().await;
        Self::start_on(port, include_str!("../../sipp/no_display.xml"), calls, &[])
    }

    /// A door station that has registered at a server, dials a number and takes keys by INFO: these, and no others.
    pub async fn takes_info(server: &str, name: &str, password: &str, number: &str, keys: &str) -> Self {
        let port = free_port();
        let account = [server, "-s", name, "-au", name, "-ap", password];
        Self::start_on(port, &scenario("register_device"), 1, &account).verdict().await;
        let script = include_str!("../../sipp/takes_info.xml").replace("BELL", number);
        let uri = format!("{number}@{server}");
        let words = [&account[..], &["-auth_uri", &uri]].concat();
        Self::start_on(port, &script.replace("<!--KEYS-->", &taking(keys)), 1, &words)
    }

    fn start(script: &str, calls: u32) -> Self {
        Self::start_on(free_port(), script, calls + 1, &[])
    }

    fn start_on(port: u16, script: &str, count: u32, more: &[&str]) -> Self {
        let media = free_port();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("script.xml");
        std::fs::write(&file, script).unwrap();
        let child = Command::new("sipp")
            .arg("-sf")
            .arg(file)
            .args(["-i", "127.0.0.1", "-mi", "127.0.0.1", "-p", &port.to_string(), "-mp", &media.to_string()])
            .args(["-m", &count.to_string(), "-nostdin", "-trace_err", "-error_file", "errors"])
            .args(["-trace_msg", "-message_file", "messages"])
            .args(more)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("SIPp (Debian: sip-tester)");
        Self { port, folder, child }
    }

    /// All that it was sent and sent.
    pub fn messages(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("messages")).unwrap_or_default()
    }

    /// Waits until it has noted this text among its messages.
    pub async fn wrote(&self, text: &str) {
        super::until(text, || self.messages().contains(text)).await;
    }

    /// How many different calls it was asked for.
    pub fn invited(&self) -> usize {
        let messages = self.messages();
        let mut calls: Vec<&str> = messages
            .split("-----------------------------------------------")
            .filter(|message| message.contains("INVITE sip:"))
            .filter_map(|message| message.lines().find(|line| line.starts_with("Call-ID:")))
            .collect();
        calls.sort_unstable();
        calls.dedup();
        calls.len()
    }

    /// Waits for its end, and whether every call went as its scenario says.
    pub async fn verdict(mut self) {
        let status = timeout(PATIENCE, self.child.wait()).await;
        if !matches!(&status, Ok(Ok(status)) if status.success()) {
            let errors = std::fs::read_to_string(self.folder.path().join("errors")).unwrap_or_default();
            panic!("SIPp: {status:?}\n{errors}\n{}", self.messages());
        }
    }
}

/// A scenario of the crate `sip`.
fn scenario(name: &str) -> String {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../sip/tests/sipp/{name}.xml"));
    std::fs::read_to_string(file).unwrap()
}

/// The scenario of somebody who picks up, waits so many milliseconds before each key, and presses it.
fn pressing(keys: &[(u64, char)]) -> String {
    let mut pressed = String::new();
    for (cseq, (pause, key)) in (2..).zip(keys) {
        write!(
            pressed,
            "<pause milliseconds=\"{pause}\"/>
  <send retrans=\"500\"><![CDATA[

      INFO [next_url] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: [$us]
      To: [$them]
      [last_Call-ID:]
      CSeq: {cseq} INFO
      Max-Forwards: 70
      Contact: <sip:[local_ip]:[local_port];transport=[transport]>
      Content-Type: application/dtmf-relay
      Content-Length: [len]
      
      Signal={key}
      Duration=160
  ]]></send>
  <recv response=\"200\"/>"
        )
        .unwrap();
    }
    include_str!("../../sipp/press.xml").replace("<!--KEYS-->", &pressed)
}

/// What a scenario is sent key by key, and answers.
fn taking(keys: &str) -> String {
    let mut taken = String::new();
    for (at, key) in keys.chars().enumerate() {
        // a star means something in an expression
        write!(
            taken,
            "  <recv request=\"INFO\">
    <action>
      <ereg regexp=\"Signal=[{key}]\" search_in=\"body\" check_it=\"true\" assign_to=\"key{at}\"/>
    </action>
  </recv>
  <send><![CDATA[

      SIP/2.0 200 OK
      [last_Via:]
      [last_From:]
      [last_To:]
      [last_Call-ID:]
      [last_CSeq:]
      Content-Length: 0

  ]]></send>
  <Reference variables=\"key{at}\"/>
"
        )
        .unwrap();
    }
    taken
}

/// baresip, which picks up by itself. Killed when the test is over.
pub struct Baresip {
    pub port: u16,
    /// The certificate that its TLS shows.
    pub certificate: PathBuf,
    program: super::baresip::Baresip,
}

impl Baresip {
    /// The phone with this number. What it hears it says again: its loudspeaker is wired to its microphone.
    pub async fn start(number: &str) -> Self {
        Self::with(number, "udp", "", "").await
    }

    /// One that takes and makes encrypted sound only, over TLS too, at the port one further.
    pub async fn encrypts(number: &str) -> Self {
        Self::with(number, "udp,tcp,tls", "module srtp.so\n", ";mediaenc=srtp-mand").await
    }

    async fn with(number: &str, transports: &str, modules: &str, parameters: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let own = folder.path().join("own.pem");
        std::fs::write(&own, made.cert.pem() + &made.signing_key.serialize_pem()).unwrap();
        let certificate = folder.path().join("shown.pem");
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        let settings = format!("sip_certificate {}\nsip_transports {transports}\n{modules}", own.display());
        let account =
            format!("<sip:{number}@127.0.0.1>;regint=0;answermode=auto;dtmfmode=rtpevent{parameters}\n");
        let program = super::baresip::Baresip::start(folder, &settings, &account).await;
        Self { port: program.port, certificate, program }
    }

    /// Waits until it has picked up.
    pub async fn picked_up(&mut self) {
        self.program.says("answering call").await;
    }

    /// Presses a key, for as long as it is told to.
    pub async fn press(&mut self, key: char) {
        self.program.command("sndcode", &key.to_string()).await;
    }

    /// It is gone without a word.
    pub async fn kill(self) {
        self.program.kill().await;
    }

    /// Types these keys, at the pace of a person: baresip sends one at a time, and forgets those that come meanwhile.
    pub async fn type_keys(&mut self, keys: &str) {
        for key in keys.chars() {
            self.press(key).await;
            tokio::time::sleep(Duration::from_millis(450)).await;
        }
    }
}
