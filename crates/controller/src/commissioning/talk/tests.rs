use super::*;
use crate::hardware;
use crate::output::OutputError;
use crate::reader::Keys;
use klinke_model::credential::{CredentialFormat, CredentialKey};

const FILE: &str = r#"
[[output]]
number = 0
lock = "fail_secure"
on.gpio = { chip = "/dev/gpiochip0", line = 1, active = "high", ends_by = "timer_relay", ends_after_ms = 5000 }

[[input]]
is = "contact"
output = 0
on.gpio = { chip = "/dev/gpiochip0", line = 2, active = "high" }

[[input]]
is = "exit_button"
output = 0
on.gpio = { chip = "/dev/gpiochip0", line = 3, active = "low" }

[[input]]
is = "fire"
on.gpio = { chip = "/dev/gpiochip0", line = 4, active = "high" }

[[reader]]
number = 0
output = 0
keypad = true
on.wiegand = { chip = "/dev/gpiochip0", data0 = 5, data1 = 6 }
"#;

/// One output at hand, which notes what it was told.
#[derive(Default)]
struct Lock(Vec<&'static str>, bool);

impl Board for Lock {
    fn outputs(&self) -> u16 {
        1
    }
    fn release(&mut self, _: u16, lease: Duration) -> Result<Answer, OutputError> {
        assert_eq!(lease, RELEASE);
        self.0.push("released");
        if self.1 { Err(OutputError::Unknown(0)) } else { Ok(Answer::Done) }
    }
    fn lock(&mut self, _: u16) -> Result<Answer, OutputError> {
        self.0.push("locked");
        Ok(Answer::Done)
    }
    fn position(&self, _: u16) -> DoorPosition {
        DoorPosition::Unknown
    }
}

/// What happens when a line is shown.
enum Then {
    Types(&'static str),
    Wires(Vec<InputEvent>),
}

/// Runs the check with somebody who does as `script` says to the first line that begins so; a plain Enter else where one is
/// waited for.
async fn with(board: &mut Lock, script: Vec<(&'static str, Then)>) -> io::Result<Checked> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hardware.toml");
    std::fs::write(&path, FILE).unwrap();
    let hardware = hardware::read(&path).unwrap();
    let (typed, lines) = mpsc::channel(64);
    let (wires, inputs) = mpsc::channel(64);
    let (_outputs, outputs) = mpsc::channel(64);
    let mut script = script.into_iter().peekable();
    let mut typed = Some(typed);
    let mut say = |line: &str| {
        if script.peek().is_some_and(|(begins, _)| line.starts_with(begins)) {
            match script.next().unwrap().1 {
                Then::Types("gone") => typed = None,
                Then::Types(words) => typed.as_ref().unwrap().try_send(words.to_owned()).unwrap(),
                Then::Wires(events) => {
                    // as a wire would: after the question stands
                    let wires = wires.clone();
                    tokio::spawn(async move {
                        tokio::time::sleep(Duration::from_secs(1)).await;
                        for event in events {
                            wires.send(event).await.unwrap();
                        }
                    });
                }
            }
        }
    };
    let done = check(&hardware, board, Talk { say: &mut say, lines, inputs, outputs }).await;
    assert_eq!(script.count(), 0, "the talk ended early");
    done
}

fn contact(position: DoorPosition) -> InputEvent {
    InputEvent::Contact(Contact { output: 0, position })
}
fn fire(level: Level) -> InputEvent {
    InputEvent::Fire { input: 2, level }
}
fn read(what: Reading) -> InputEvent {
    InputEvent::Reader(ReaderEvent { reader: 0, what })
}

fn whole() -> Vec<(&'static str, Then)> {
    use Then::{Types, Wires};
    let card = CredentialKey::new(CredentialFormat::Bits, 26, &[1, 2, 3, 0x40]).unwrap();
    vec![
        ("Is the door locked", Types("maybe")),
        ("Please answer", Types("y")),
        ("It is released", Types("")),
        ("Did it release", Types("Y")),
        ("Does it stay locked", Types("yes")),
        (
            "Input 0",
            Wires(vec![
                contact(DoorPosition::Closed),
                contact(DoorPosition::Open),
                contact(DoorPosition::Closed),
            ]),
        ),
        ("Input 1", Wires(vec![InputEvent::ExitButton { output: 0 }])),
        ("Input 2", Wires(vec![fire(Level::Active), fire(Level::Quiet)])),
        ("Did the locks on the way out", Types("y")),
        ("Reader 0", Wires(vec![read(Reading::Online), read(Reading::Card(card))])),
        ("Press any key", Wires(vec![read(Reading::Keys(Keys::from_ascii(b"1").unwrap()))])),
    ]
}

fn verdicts(checked: &Checked) -> Vec<&Verdict> {
    checked.items.iter().flat_map(|item| &item.results).map(|outcome| &outcome.verdict).collect()
}

#[tokio::test(start_paused = true)]
async fn all_that_is_wired_is_gone_through() {
    let mut board = Lock::default();
    let checked = with(&mut board, whole()).await.unwrap();
    assert_eq!(checked.count(), (9, 0, 0), "{checked:?}");
    assert!(checked.is_whole());
    assert_eq!(board.0, ["locked", "released", "locked", "locked"]);
    assert!(format!("{checked:?}").contains("a card of 26 bits"));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_seen_is_not_believed() {
    use Then::{Types, Wires};
    let mut board = Lock(Vec::new(), true);
    let script = vec![
        ("Is the door locked", Types("n")),
        ("What happened", Types("it stands open")),
        ("It is released", Types("")),
        ("Does it stay locked", Types("s")),
        // opened and never closed; somebody else's wire; the alarm that does not end
        ("Input 0", Wires(vec![contact(DoorPosition::Open)])),
        ("Input 1", Wires(vec![InputEvent::ExitButton { output: 7 }])),
        ("Input 2", Types("s")),
        ("Did the locks on the way out", Types("s")),
        ("Reader 0", Wires(vec![read(Reading::Online)])),
        ("Press any key", Types("s")),
    ];
    let checked = with(&mut board, script).await.unwrap();
    let failed = |words: &str| Verdict::Failed(words.to_owned());
    assert_eq!(
        verdicts(&checked),
        [
            &failed("it stands open"),
            &failed("there is no output 0"),
            &Verdict::Skipped,
            &failed("it did not go back within 60 s"),
            &failed("nothing came within 60 s"),
            &Verdict::Skipped,
            &Verdict::Skipped,
            &failed("no card came within 60 s"),
            &Verdict::Skipped,
        ]
    );
    assert!(!checked.is_whole());
}

#[tokio::test(start_paused = true)]
async fn half_a_check_is_no_report() {
    let mut board = Lock::default();
    let script = vec![("Is the door locked", Then::Types("y")), ("It is released", Then::Types("gone"))];
    assert!(with(&mut board, script).await.is_err());
}
