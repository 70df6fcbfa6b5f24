//! The binary.

use std::process::{Command, Output};

fn klinke(folder: &std::path::Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_klinke"))
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .current_dir(folder)
        .output()
        .unwrap()
}

fn error(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn check_config_says_where_what_and_what_to_write() {
    let folder = tempfile::tempdir().unwrap();
    assert!(klinke(folder.path(), &["check-config"], &[]).status.success(), "no file is fine");
    std::fs::write(folder.path().join("klinke.toml"), "[http]\nlisten = 8080\n").unwrap();
    let told = error(&klinke(folder.path(), &["check-config"], &[]));
    for part in ["klinke.toml", "http.listen", "write: listen = \"127.0.0.1:8080\""] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let fixed = [("KLINKE_HTTP__LISTEN", "127.0.0.1:8081")];
    assert!(klinke(folder.path(), &["check-config"], &fixed).status.success(), "the environment comes last");
    let told = error(&klinke(folder.path(), &["check-config"], &[("KLINKE_HTTP__LISTEN", "x")]));
    assert!(told.contains("KLINKE_") && told.contains("http.listen"), "{told}");
    let told = error(&klinke(folder.path(), &["check-config", "--config", "none.toml"], &[]));
    assert!(told.contains("none.toml"), "{told}");
}

#[test]
fn the_fingerprint_stays_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let first = klinke(folder.path(), &["fingerprint"], &[]);
    assert!(first.status.success());
    assert_eq!(first.stdout, klinke(folder.path(), &["fingerprint"], &[]).stdout);
    assert_eq!(String::from_utf8_lossy(&first.stdout).trim().len(), 95);
}

#[test]
fn generated_files_are_printed_as_they_are_checked_in() {
    let folder = tempfile::tempdir().unwrap();
    let checked_in = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for (arguments, file) in
        [(&["openapi"][..], "openapi.json"), (&["check-config", "--schema"], "config.schema.json")]
    {
        let printed = klinke(folder.path(), arguments, &[]);
        assert_eq!(printed.stdout, std::fs::read(checked_in.join(file)).unwrap(), "{file}");
    }
}
