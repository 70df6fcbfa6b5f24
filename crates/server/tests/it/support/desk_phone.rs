//! baresip as a desk phone: it registers with what an administrator was shown, and rings.

use super::baresip::Baresip;
use serde_json::Value;
use std::path::Path;

/// Killed when the test is over.
pub struct DeskPhone(Baresip);

impl DeskPhone {
    /// Registers on this way (`udp`, `tcp`) as it was told to. What it hears it says again: its loudspeaker is wired to its
    /// microphone.
    pub async fn start(way: &str, given: &Value) -> Self {
        Self::start_with(way, given, "", "").await
    }

    /// Registers over TLS, at a server that shows a certificate of these.
    pub async fn trusts(certificate: &Path, given: &Value) -> Self {
        Self::start_with("tls", given, &format!("sip_cafile {}\n", certificate.display()), "").await
    }

    /// Records into this folder what it hears.
    pub async fn records(folder: &Path, given: &Value) -> Self {
        let settings = format!("module sndfile.so\nsnd_path {}\n", folder.display());
        Self::start_with("udp", given, &settings, "").await
    }

    /// With these lines more in its settings, and this more in its account.
    pub async fn start_with(way: &str, given: &Value, settings: &str, of_account: &str) -> Self {
        let (user, password) = (given["user_name"].as_str().unwrap(), given["password"].as_str().unwrap());
        let servers = given["servers"].as_array().unwrap();
        let server = servers.iter().find(|server| server["transport"] == way).unwrap();
        let (host, at) = (server["host"].as_str().unwrap(), &server["port"]);
        let account = format!(
            "<sip:{user}@{host}:{at};transport={way}>;auth_user={user};auth_pass={password};regint=60;\
             answermode=manual;dtmfmode=rtpevent{of_account}\n"
        );
        Self(Baresip::start(tempfile::tempdir().unwrap(), settings, &account).await)
    }

    /// Waits for a line with this text; what came before it is passed over.
    pub async fn says(&mut self, text: &str) -> String {
        self.0.says(text).await
    }

    /// Waits until it rings: what its display shows.
    pub async fn rung(&mut self) -> String {
        self.says("Incoming call").await
    }

    /// Calls somebody.
    pub async fn dial(&mut self, uri: &str) {
        self.0.command("dial", uri).await;
    }

    pub async fn pick_up(&mut self) {
        self.0.command("accept", "").await;
    }

    /// While it rings: declines.
    pub async fn hang_up(&mut self) {
        self.0.command("hangup", "").await;
    }

    /// Presses a key, for as long as it is told to.
    pub async fn press(&mut self, key: char) {
        self.0.command("sndcode", &key.to_string()).await;
    }

    /// Writes what its display shows to this file, PNG.
    pub async fn snapshot(&mut self, file: &Path) {
        self.0.command("snapshot_recv", file.to_str().unwrap()).await;
    }

    /// Puts the call on hold, or takes it up again.
    pub async fn hold(&mut self, is: bool) {
        self.0.command(if is { "hold" } else { "resume" }, "").await;
    }
}
