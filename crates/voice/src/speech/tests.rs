//! What is asked of the program, with programs that are wrong in some way. The right one is asked in `tests/it`.

use super::*;
use proptest::prelude::*;
use std::os::unix::fs::PermissionsExt;

/// A shell script in the place of espeak-ng.
fn program(folder: &Path, script: &str) -> Speech {
    let path = folder.join("speech");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    Speech::new(&path)
}

/// Whether a process runs that was started with this path.
fn runs(path: &Path) -> bool {
    let wanted = path.as_os_str().as_encoded_bytes();
    let lines = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = lines.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.into_iter().any(|line| line.windows(wanted.len()).any(|part| part == wanted))
}

async fn outcome(script: &str) -> Result<Vec<i16>, SpeechError> {
    let folder = tempfile::tempdir().unwrap();
    let speech = program(folder.path(), script);
    let outcome = speech.phrase(Language::Sv, Phrase::Opened).await;
    assert!(!runs(&speech.program), "it still runs");
    outcome
}

#[tokio::test]
async fn the_text_comes_by_the_standard_input_only() {
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    let script = format!("{{ cat; echo; echo \"$@\"; /usr/bin/env; pwd; }} > {}", seen.display());
    let _ = program(folder.path(), &script)
        .somebody_at(Language::Sv, &Place::new("Åsgatan\t7 [[x]] $(ls)").unwrap())
        .await;
    let seen = std::fs::read_to_string(seen).unwrap();
    let mut lines = seen.lines();
    assert_eq!(lines.next(), Some("Någon är vid Åsgatan 7 x ls."));
    assert_eq!(lines.next(), Some("-v sv -s 145 -a 80 -b 1 --stdin --stdout"));
    // what a shell sets by itself
    let rest: Vec<&str> =
        lines.filter(|line| !["PWD=/", "_=/usr/bin/env", "SHLVL=0"].contains(line)).collect();
    assert_eq!(rest, ["/"]);
}

#[tokio::test(start_paused = true)]
async fn a_program_that_hangs_is_stopped() {
    assert!(matches!(outcome("while :; do :; done").await, Err(SpeechError::Slow)));
}

#[tokio::test]
async fn a_program_that_never_ends_its_sound_is_stopped() {
    assert!(matches!(
        outcome("while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done").await,
        Err(SpeechError::TooLong)
    ));
}

#[tokio::test]
async fn the_memory_is_bounded() {
    // the shell tells its own limits once it has read the text: by then they are set
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    let script = format!("cat > /dev/null; {{ ulimit -v; ulimit -t; ulimit -c; }} > {}", seen.display());
    let _ = program(folder.path(), &script).phrase(Language::Da, Phrase::Opened).await;
    assert_eq!(std::fs::read_to_string(seen).unwrap(), "262144\n5\n0\n");
}

#[tokio::test]
async fn what_is_no_speech_says_why() {
    assert!(matches!(outcome("exit 3").await, Err(SpeechError::Failed(status)) if status.code() == Some(3)));
    assert!(matches!(outcome("echo hello").await, Err(SpeechError::Wav(_))));
    assert!(matches!(
        Speech::new(Path::new("/nowhere/x")).phrase(Language::Nb, Phrase::Opened).await,
        Err(SpeechError::Io(_))
    ));
    let folder = tempfile::tempdir().unwrap();
    let silent = folder.path().join("silent.wav");
    std::fs::write(&silent, wav::write(&[0; 9_000], 22_050)).unwrap();
    assert!(matches!(outcome(&format!("cat {}", silent.display())).await, Err(SpeechError::Silent)));
}

fn place(text: &str) -> Option<String> {
    Place::new(text).map(|place| place.0)
}

#[test]
fn a_place_is_what_can_be_spoken() {
    assert_eq!(place("  Storgatan\u{a0}12 A ").as_deref(), Some("Storgatan 12 A"));
    assert_eq!(place("A\u{30a}sgatan 1/3, uppg. B").as_deref(), Some("Åsgatan 1 3, uppg B"));
    assert_eq!(place("--help; -w /tmp/x").as_deref(), Some("help w tmp x"));
    assert_eq!(place("<break/>[[a]]&amp;\u{7}\u{202e}").as_deref(), Some("break a amp"));
    assert_eq!(place("東京 Улица"), None);
    assert_eq!(place(" , "), None);
    assert_eq!(place(&"å".repeat(300)).unwrap().chars().count(), 80);
}

proptest! {
    #[test]
    fn nothing_else_is_ever_spoken(text in any::<String>()) {
        if let Some(place) = place(&text) {
            prop_assert!(place.chars().all(|c| c.is_alphanumeric() || c == ' ' || c == ','));
            prop_assert!(place.chars().count() <= 80 && !place.contains("  ") && !place.starts_with('-'));
            prop_assert_eq!(super::Place::new(&place).map(|again| again.0), Some(place));
        }
    }
}
