//! Kamailio, a SIP proxy and registrar that others wrote: how it is started with a way of its own to route. The server's tests use
//! this too.

use super::baresip::free_ports;
use std::path::Path;
use std::process::Stdio;
use tokio::process::{Child, Command};

/// One run of it, over UDP. Stopped when the test is over.
pub struct Kamailio {
    pub port: u16,
    folder: tempfile::TempDir,
    child: Child,
}

impl Kamailio {
    /// With these modules, settings of them, and this for every request; `PORT` there is its own.
    pub fn start(modules: &[&str], settings: &str, route: &str) -> Self {
        Self::start_on(free_ports(1), modules, settings, route)
    }

    /// The same at this port.
    pub fn start_on(port: u16, modules: &[&str], settings: &str, route: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let modules: String = modules.iter().map(|name| format!("loadmodule \"{name}.so\"\n")).collect();
        let route = route.replace("PORT", &port.to_string());
        let config = format!(
            "#!KAMAILIO\ndebug=1\nlog_stderror=yes\nfork=no\nchildren=1\nauto_aliases=no\ndisable_tcp=yes\n\
             listen=udp:127.0.0.1:{port}\n{modules}{settings}\nrequest_route {{\n{route}\n}}\n"
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

    /// What it has noted behind these words, in its order; what it noted once more, because it came once more, once.
    pub fn noted(&self, words: &str) -> Vec<String> {
        let mut noted = Vec::new();
        for what in
            self.log().lines().filter_map(|line| line.split_once(words)).map(|(_, what)| what.to_owned())
        {
            if !noted.contains(&what) {
                noted.push(what);
            }
        }
        noted
    }

    pub fn log(&self) -> String {
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
