//! Programs of others that the work needs: looked for, installed as Debian packages after asking.

use crate::process::{Failure, show};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A program that must be there.
pub struct Tool {
    /// What it is, for people.
    pub name: &'static str,
    /// Whether it is there.
    present: fn() -> bool,
    /// Debian packages that bring it.
    packages: &'static [&'static str],
    /// Whether those of this distribution are new enough.
    packaged: fn() -> bool,
    /// What to do where there is no `apt-get`.
    otherwise: &'static str,
}

/// Node and npm, for the web pages.
pub const NODE: Tool = Tool {
    name: "Node.js 20.19 or newer with npm",
    present: || node_is_new_enough() && find("npm").is_some(),
    packages: &["nodejs", "npm"],
    packaged: || {
        let said = Command::new("apt-cache").args(["policy", "nodejs"]).stdin(Stdio::null()).output();
        said.is_ok_and(|said| candidate(&String::from_utf8_lossy(&said.stdout)) >= OLDEST_NODE)
    },
    otherwise: "install Node.js 20.19 or newer (https://nodejs.org)",
};

/// What every build of the workspace needs beside Rust and C: CMake makes libopus, the desk reader links libpcsclite
/// (which other systems bring along).
pub const BUILD: Tool = Tool {
    name: "CMake, and the headers of libpcsclite",
    present: || find("cmake").is_some() && (cfg!(not(target_os = "linux")) || has_library("libpcsclite")),
    packages: &["cmake", "pkg-config", "libpcsclite-dev"],
    packaged: || true,
    otherwise: "install CMake 3.16 or newer, pkg-config, and the headers of libpcsclite",
};

/// The browser of the browser tests.
pub const CHROMIUM: Tool = Tool {
    name: "Chromium",
    present: || chromium().is_some(),
    packages: &["chromium", "fonts-liberation"],
    packaged: || true,
    otherwise: "install Chromium and set KLINKE_CHROMIUM to its path",
};

/// PostgreSQL's server programs, for the storage tests.
pub const POSTGRES: Tool = Tool {
    name: "PostgreSQL (server programs)",
    present: || postgres_folder().is_some(),
    packages: &["postgresql"],
    packaged: || true,
    otherwise: "install PostgreSQL 14 or newer, so that `initdb` is on the PATH",
};

/// The mail server that the tests hand mails in to.
pub const AIOSMTPD: Tool = Tool {
    name: "aiosmtpd for Python",
    // the tests look for it in the same places; another Python may stand before Debian's in the path
    present: || {
        let chosen = std::env::var_os("KLINKE_PYTHON");
        let usual = ["python3", "/usr/bin/python3"].map(std::ffi::OsString::from);
        chosen.into_iter().chain(usual).any(|python| {
            let mut import = Command::new(python);
            let import = import.args(["-c", "import aiosmtpd"]).stdin(Stdio::null()).stderr(Stdio::null());
            import.status().is_ok_and(|status| status.success())
        })
    },
    packages: &["python3-aiosmtpd"],
    packaged: || true,
    otherwise: "install aiosmtpd 1.4 with pip, and set KLINKE_PYTHON to that Python",
};

/// Python that can make a place of its own, for schemathesis.
pub const VENV: Tool = Tool {
    name: "Python with venv",
    present: || {
        let mut import = Command::new("python3");
        let import = import.args(["-c", "import venv, ensurepip"]).stdin(Stdio::null()).stderr(Stdio::null());
        import.status().is_ok_and(|status| status.success())
    },
    packages: &["python3", "python3-venv"],
    packaged: || true,
    otherwise: "install Python 3.10 or newer with its modules venv and ensurepip",
};

/// The MQTT broker and its own clients: carries commands of relays in the tests, and is a peer of the bench.
pub const MOSQUITTO: Tool = Tool {
    name: "Mosquitto",
    present: || find("mosquitto").is_some() && find("mosquitto_pub").is_some(),
    packages: &["mosquitto", "mosquitto-clients"],
    packaged: || true,
    otherwise: "install Mosquitto with its command line clients",
};

/// Pairs of serial lines, for readers and relays that hang on one.
pub const SOCAT: Tool = Tool {
    name: "socat",
    present: || find("socat").is_some(),
    packages: &["socat"],
    packaged: || true,
    otherwise: "install socat",
};

/// SIPp, which is the trunk of phone legs in the tests, Kamailio, which checks digests of SHA-256, and baresip, which is the
/// phone; with ffmpeg's codecs it is a door station with a camera, and lighttpd, with TLS, is its web server.
pub const SIP: Tool = Tool {
    name: "SIPp with its recordings, Kamailio, baresip, and lighttpd",
    present: || {
        let recording = Path::new("/usr/share/sip-tester/dtmf_2833_5.pcap");
        let camera = Path::new("/usr/lib/baresip/modules/avcodec.so");
        let programs = ["sipp", "kamailio", "baresip", "lighttpd"];
        let tls = Path::new("/usr/lib/lighttpd/mod_openssl.so");
        let there = [recording, camera, tls].iter().all(|file| file.exists());
        programs.iter().all(|program| find(program).is_some()) && there
    },
    packages: &[
        "sip-tester",
        "kamailio",
        "baresip-core",
        "baresip-ffmpeg",
        "lighttpd",
        "lighttpd-mod-openssl",
    ],
    packaged: || true,
    otherwise: "install SIPp 3.6 or newer, its recordings under /usr/share/sip-tester, Kamailio 5.6 or newer, and \
                baresip 1.0 or newer with its module avcodec, and lighttpd 1.4.54 or newer with its module openssl",
};

/// espeak-ng, which speaks addresses, and multimon-ng, which listens for keys in what a telephone says.
pub const SPEECH: Tool = Tool {
    name: "espeak-ng and multimon-ng",
    present: || Path::new("/usr/bin/espeak-ng").exists() && find("multimon-ng").is_some(),
    packages: &["espeak-ng", "multimon-ng"],
    packaged: || true,
    otherwise: "install espeak-ng 1.51 or newer as /usr/bin/espeak-ng, and multimon-ng 1.2 or newer",
};

/// The PC/SC service with a card reader that is a program, for the desk reader.
pub const PCSC: Tool = Tool {
    name: "pcscd with the virtual reader vpcd",
    present: || {
        let driver = Path::new("/usr/lib/pcsc/drivers/serial/libifdvpcd.so");
        find("pcscd").is_some() && driver.exists()
    },
    packages: &["pcscd", "vsmartcard-vpcd"],
    packaged: || true,
    otherwise: "install pcscd and vsmartcard's vpcd",
};

/// The WebRTC server beside which relaying is measured.
pub const JANUS: Tool = Tool {
    name: "Janus",
    present: || find("janus").is_some(),
    packages: &["janus"],
    packaged: || true,
    otherwise: "install Janus 1.x with its VideoRoom plugin and WebSocket transport",
};

/// The media proxy beside which bridging to phones is measured.
pub const RTPENGINE: Tool = Tool {
    name: "rtpengine",
    present: || find("rtpengine").is_some(),
    packages: &["rtpengine-daemon"],
    packaged: || true,
    otherwise: "install rtpengine 10.5 or newer with transcoding",
};

/// Makes sure that all of these are there; asks before installing, unless `consent` (or `CI`) says yes already.
///
/// # Errors
/// When something is missing and may not or can't be installed; the text says what to do.
pub fn provide(tools: &[&Tool], consent: bool) -> Result<(), Failure> {
    let missing: Vec<&&Tool> = tools.iter().filter(|tool| !(tool.present)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.iter().map(|tool| tool.name).collect::<Vec<_>>().join(", ");
    let packages: Vec<&str> = missing.iter().flat_map(|tool| tool.packages).copied().collect();
    let by_hand = missing.iter().map(|tool| format!("  - {}", tool.otherwise)).collect::<Vec<_>>().join("\n");
    if find("apt-get").is_none() || !missing.iter().all(|tool| (tool.packaged)()) {
        return Err(Failure::new(format!("Missing: {names}. Please\n{by_hand}")));
    }
    let install = ["apt-get", "install", "-y", "--no-install-recommends"];
    let line = as_root(&install).into_iter().chain(packages.iter().copied()).collect::<Vec<_>>().join(" ");
    if !(consent
        || std::env::var_os("CI").is_some()
        || ask(&format!("Missing: {names}. Install with `{line}`?"))?)
    {
        return Err(Failure::new(format!("Missing: {names}. Install with\n  {line}\nor\n{by_hand}")));
    }
    apt(&["apt-get", "update", "-q"])?;
    apt(&install.into_iter().chain(packages).collect::<Vec<_>>())?;
    match missing.iter().find(|tool| !(tool.present)()) {
        None => Ok(()),
        // the distribution's version may be too old
        Some(tool) => Err(Failure::new(format!("{} is still missing: {}", tool.name, tool.otherwise))),
    }
}

fn apt(words: &[&str]) -> Result<(), Failure> {
    let words = as_root(words);
    show(Command::new(words[0]).args(&words[1..]).env("DEBIAN_FRONTEND", "noninteractive"))
}

/// The same command with `sudo` in front, where that is needed.
fn as_root<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let mut words = words.to_vec();
    if !is_root() {
        words.insert(0, "sudo");
    }
    words
}

/// Whether we are root.
pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

fn ask(question: &str) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    print!("{question} [Y/n] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(!answer.trim_start().starts_with(['n', 'N']))
}

/// A program on the PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    // where Debian puts servers, which is not on every user's PATH
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Whether a C library can be linked with.
fn has_library(name: &str) -> bool {
    let asked = Command::new("pkg-config").args(["--exists", name]).stdin(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

/// The browser: `KLINKE_CHROMIUM`, or what is installed.
pub fn chromium() -> Option<PathBuf> {
    match std::env::var_os("KLINKE_CHROMIUM") {
        Some(path) => Some(path.into()),
        None => ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(find),
    }
}

/// The folder with `initdb` and `postgres`; the newest where Debian has several.
pub fn postgres_folder() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = debian
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .max()
        .map(|version| Path::new("/usr/lib/postgresql").join(version.to_string()).join("bin"));
    let on_path = || find("initdb")?.canonicalize().ok()?.parent().map(Path::to_owned);
    newest.filter(|folder| folder.join("initdb").is_file()).or_else(on_path)
}

fn node_is_new_enough() -> bool {
    let said = Command::new("node").arg("--version").stdin(Stdio::null()).output();
    said.is_ok_and(|said| version(&String::from_utf8_lossy(&said.stdout)) >= OLDEST_NODE)
}

/// What Vite asks for.
const OLDEST_NODE: Option<(u32, u32)> = Some((20, 19));

/// Major and minor of `v20.19.2` or `20.19.2+dfsg-1`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().trim_start_matches('v').split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// The version that `apt-cache policy` says would be installed.
fn candidate(policy: &str) -> Option<(u32, u32)> {
    policy.lines().find_map(|line| version(line.trim().strip_prefix("Candidate:")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(version("v20.19.2\n"), Some((20, 19)));
        assert!(version("v20.9.0") < OLDEST_NODE);
        assert!(version("v22.1.0") >= OLDEST_NODE);
        assert!(version("command not found") < OLDEST_NODE);
        let policy = "nodejs:\n  Installed: (none)\n  Candidate: 18.20.4+dfsg-1~deb12u1\n  Version table:\n";
        assert_eq!(candidate(policy), Some((18, 20)));
    }

    #[test]
    fn a_program_that_is_not_there_is_not_found() {
        assert!(find("sh").is_some());
        assert!(find("klinke-no-such-program").is_none());
    }
}
