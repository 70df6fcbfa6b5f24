//! Who looks for a way in: SIPp that calls without being asked, and SIPVicious, which looks for servers, extensions and
//! passwords.

use crate::peer::*;
use crate::station::*;
use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::timeout;

#[tokio::test]
async fn a_stranger_s_call_rings_nowhere() {
    let (house, mut incoming, _) = house().await;
    let to = house.addresses().udp.unwrap().to_string();
    for dialled in ["bell-3", DEVICE, "100", "+4790012345"] {
        Sipp::begin("stranger", free_port(), &[&to, "-s", dialled]).verdict().await;
    }
    assert_eq!(house.dialogs(), 0);
    assert!(incoming.try_recv().is_err());
}

/// One of the programs of SIPVicious, which `./test` puts beside the other peers; ended after a while.
async fn sipvicious(program: &str, words: &[&str]) -> Output {
    let own = std::env::current_exe().unwrap();
    let found =
        own.ancestors().map(|folder| folder.join("peers/bin").join(program)).find(|path| path.exists());
    let found: PathBuf = found.expect("SIPVicious beside the target folder's peers: run ./test once");
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(found);
    command.args(words).env("HOME", folder.path()).current_dir(folder.path()).kill_on_drop(true);
    timeout(Duration::from_secs(60), command.output()).await.expect("its end").unwrap()
}

#[tokio::test]
async fn a_scanner_learns_no_extension_and_no_password() {
    let (house, mut incoming, _) = house().await;
    let address = house.addresses().udp.unwrap();
    let (port, to) = (address.port().to_string(), format!("udp://{address}"));
    // it finds that somebody is there, and no name of a program
    let map = sipvicious("sipvicious_svmap", &["-p", &port, "127.0.0.1"]).await;
    let seen = String::from_utf8_lossy(&map.stdout).to_lowercase();
    assert!(!seen.contains("klinke"), "{seen}");
    // extensions by each method; the one that is there is among them
    for method in ["REGISTER", "INVITE", "OPTIONS"] {
        let folder = tempfile::tempdir().unwrap();
        let names = folder.path().join("names");
        std::fs::write(&names, format!("100\n101\n{DEVICE}\n200\n")).unwrap();
        let names = names.display().to_string();
        let war = sipvicious("sipvicious_svwar", &["-m", method, "-d", &names, "--force", &to]).await;
        let (out, err) = (String::from_utf8_lossy(&war.stdout), String::from_utf8_lossy(&war.stderr));
        // either all alike, or none
        let named = [DEVICE, "100"].map(|name| out.contains(name));
        assert_eq!(named[0], named[1], "{method}: {out}{err}");
    }
    // a list of passwords with the right one far down
    let folder = tempfile::tempdir().unwrap();
    let words = folder.path().join("words");
    let many: String = (0..40).map(|n| format!("guess{n}\n")).collect();
    std::fs::write(&words, format!("{many}{PASSWORD}\n")).unwrap();
    let words = words.display().to_string();
    let crack = sipvicious("sipvicious_svcrack", &["-u", DEVICE, "-d", &words, &to]).await;
    let out = String::from_utf8_lossy(&crack.stdout).into_owned() + &String::from_utf8_lossy(&crack.stderr);
    assert!(!out.contains(PASSWORD), "{out}");
    assert!(house.registered().borrow().is_empty() && house.dialogs() == 0);
    assert!(incoming.try_recv().is_err());
}
