//! The check itself: what is asked of the installer, and what the wires say meanwhile.

use super::{Checked, Item, Outcome, Verdict};
use crate::hardware::{Hardware, InputKind, LockKind};
use crate::input::{Contact, InputEvent, Level};
use crate::output::{ANSWER_LIMIT, Answer, Board, OutputEvent};
use crate::reader::{ReaderEvent, Reading};
use klinke_model::door::DoorPosition;
use std::io;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// For how long a lock is released to be looked at.
const RELEASE: Duration = Duration::from_secs(3);
/// For how long a wire, a card or a key is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest words of an installer that are kept, characters.
const LONGEST_WORDS: usize = 200;

/// The two ends of the talk: what is shown, and the lines that are typed.
pub struct Talk<'a> {
    /// Shows one line.
    pub say: &'a mut dyn FnMut(&str),
    /// What is typed, a line each; ends when nobody types any more.
    pub lines: mpsc::Receiver<String>,
    /// What wires and readers say.
    pub inputs: mpsc::Receiver<InputEvent>,
    /// What outputs over a bus or a network say.
    pub outputs: mpsc::Receiver<OutputEvent>,
}

/// Goes through all that the file names. Every lock is told to lock before and after.
///
/// # Errors
/// When nobody types any more: what was not gone through is not in a report.
pub async fn check(
    hardware: &Hardware,
    board: &mut dyn Board,
    mut talk: Talk<'_>,
) -> Result<Checked, io::Error> {
    let mut checked = Checked::default();
    (talk.say)("Answer y (yes), n (no) or s (skip), each with Enter.");
    for output in 0..board.outputs() {
        let _ = board.lock(output);
    }
    for wiring in &hardware.outputs {
        let wiring = wiring.get_ref();
        checked.items.push(talk.output(wiring.number, wiring.lock, board).await?);
    }
    for (number, wiring) in hardware.inputs.iter().enumerate() {
        let wiring = wiring.get_ref();
        let number = u16::try_from(number).unwrap_or(u16::MAX);
        checked.items.push(talk.input(number, wiring.is, wiring.output).await?);
    }
    for wiring in &hardware.readers {
        let wiring = wiring.get_ref();
        checked.items.push(talk.reader(wiring.number, wiring.output, wiring.keypad).await?);
    }
    for output in 0..board.outputs() {
        let _ = board.lock(output);
    }
    Ok(checked)
}

/// What came first while something was waited for.
enum Came {
    Seen,
    Skipped,
    Nothing,
}

impl Talk<'_> {
    async fn output(
        &mut self,
        number: u16,
        lock: Option<LockKind>,
        board: &mut dyn Board,
    ) -> io::Result<Item> {
        let Some(lock) = lock else { return self.handed_on(number, board).await };
        let (is, without_power) = match lock {
            LockKind::FailSafe => ("fail-safe lock: opens without power", "Does it open without power?"),
            LockKind::FailSecure => {
                ("fail-secure lock: stays locked without power", "Does it stay locked without power?")
            }
        };
        (self.say)(&format!("Output {number}: {is}."));
        let mut results =
            vec![Outcome { checked: "Locked at rest", verdict: self.ask("Is the door locked now?").await? }];
        (self.say)("It is released for 3 s when you press Enter (s skips).");
        let verdict = if self.line().await?.eq_ignore_ascii_case("s") {
            Verdict::Skipped
        } else {
            match self.release(number, board).await {
                Ok(()) => self.ask("Did it release, and lock again by itself?").await?,
                Err(fault) => {
                    (self.say)(&format!("The output failed: {fault}."));
                    Verdict::Failed(fault)
                }
            }
        };
        results.push(Outcome { checked: "Releases for 3 s and locks again", verdict });
        (self.say)("Take the lock's power away, look, and give it back.");
        results.push(Outcome { checked: "Without power", verdict: self.ask(without_power).await? });
        Ok(Item { what: format!("Output {number}"), is: is.to_owned(), results })
    }

    /// A door of another system: only it knows what the lock does.
    async fn handed_on(&mut self, number: u16, board: &mut dyn Board) -> io::Result<Item> {
        let is = "reader on another system's panel";
        (self.say)(&format!("Output {number}: {is}."));
        (self.say)("Its card is presented once when you press Enter (s skips).");
        let verdict = if self.line().await?.eq_ignore_ascii_case("s") {
            Verdict::Skipped
        } else {
            match self.release(number, board).await {
                Ok(()) => self.ask("Did the other system open the door?").await?,
                Err(fault) => {
                    (self.say)(&format!("The output failed: {fault}."));
                    Verdict::Failed(fault)
                }
            }
        };
        let results = vec![Outcome { checked: "The other system opens for its card", verdict }];
        Ok(Item { what: format!("Output {number}"), is: is.to_owned(), results })
    }

    async fn release(&mut self, number: u16, board: &mut dyn Board) -> Result<(), String> {
        let told = board.release(number, RELEASE).map_err(|error| error.to_string())?;
        if let Answer::Later(ticket) = told {
            let answered = async {
                while let Some(event) = self.outputs.recv().await {
                    if event.output == number && event.ticket == ticket {
                        return event.is_done;
                    }
                }
                false
            };
            match timeout(ANSWER_LIMIT, answered).await {
                Ok(true) => {}
                Ok(false) => return Err("the device refused the command".to_owned()),
                Err(_) => return Err("the device did not answer within 2 s".to_owned()),
            }
        }
        tokio::time::sleep(RELEASE).await;
        board.lock(number).map(drop).map_err(|error| error.to_string())
    }

    async fn input(&mut self, number: u16, kind: InputKind, output: Option<u16>) -> io::Result<Item> {
        let (is, todo, checked) = match kind {
            InputKind::Contact => ("door contact", "Open the door, then close it.", "Tells open and closed"),
            InputKind::ExitButton => ("exit button", "Press the button inside.", "Tells that it is pressed"),
            InputKind::Tamper => {
                ("tamper switch", "Open the housing, then close it.", "Tells opened and closed")
            }
            InputKind::Mains => ("mains input", "Switch the mains off, then on.", "Tells lost and back"),
            InputKind::Battery => (
                "battery input",
                "Let the supply say that the battery is low, then good.",
                "Tells low and good",
            ),
            InputKind::Fire => {
                ("fire alarm input", "Have the fire alarm tested, then reset.", "Tells alarm and over")
            }
        };
        (self.say)(&format!("Input {number}: {is}. {todo} (60 s; s skips.)"));
        self.forget_earlier();
        let mut came = self.until(|event| level(event, number, kind, output) == Some(true)).await?;
        let mut late = "nothing came within 60 s";
        if matches!(came, Came::Seen) && kind != InputKind::ExitButton {
            (self.say)("Seen. Now back again.");
            came = self.until(|event| level(event, number, kind, output) == Some(false)).await?;
            late = "it did not go back within 60 s";
        }
        let verdict = match came {
            Came::Seen => Verdict::Passed(String::new()),
            Came::Skipped => Verdict::Skipped,
            Came::Nothing => Verdict::Failed(late.to_owned()),
        };
        self.show(&verdict);
        let mut results = vec![Outcome { checked, verdict }];
        if kind == InputKind::Fire {
            let question = "Did the locks on the way out release by wire, without this program?";
            results.push(Outcome { checked: "Releases by wire", verdict: self.ask(question).await? });
        }
        let beside = output.map_or_else(String::new, |output| format!(" of output {output}"));
        Ok(Item { what: format!("Input {number}"), is: format!("{is}{beside}"), results })
    }

    async fn reader(&mut self, number: u16, output: u16, keypad: bool) -> io::Result<Item> {
        (self.say)(&format!("Reader {number} at output {output}: hold any card to it. (60 s; s skips.)"));
        self.forget_earlier();
        let mut bits = None;
        let came = self
            .until(|event| match event {
                InputEvent::Reader(ReaderEvent { reader, what: Reading::Card(card) })
                    if *reader == number =>
                {
                    bits = Some(card.bits());
                    true
                }
                _ => false,
            })
            .await?;
        let verdict = match (came, bits) {
            (Came::Seen, Some(bits)) => Verdict::Passed(format!("a card of {bits} bits")),
            (Came::Skipped, _) => Verdict::Skipped,
            _ => Verdict::Failed("no card came within 60 s".to_owned()),
        };
        self.show(&verdict);
        let mut results = vec![Outcome { checked: "Reads a card", verdict }];
        if keypad {
            (self.say)("Press any key of its keypad. (60 s; s skips.)");
            self.forget_earlier();
            let came = self
                .until(|event| {
                    matches!(event, InputEvent::Reader(ReaderEvent { reader, what: Reading::Keys(_) }) if *reader == number)
                })
                .await?;
            let verdict = match came {
                Came::Seen => Verdict::Passed(String::new()),
                Came::Skipped => Verdict::Skipped,
                Came::Nothing => Verdict::Failed("no key came within 60 s".to_owned()),
            };
            self.show(&verdict);
            results.push(Outcome { checked: "Tells keys", verdict });
        }
        Ok(Item { what: format!("Reader {number}"), is: format!("at output {output}"), results })
    }

    /// What came before it was asked for is no answer.
    fn forget_earlier(&mut self) {
        while self.inputs.try_recv().is_ok() {}
    }

    /// Waits for what `wanted` takes, for a skip, or until the patience is over.
    async fn until(&mut self, mut wanted: impl FnMut(&InputEvent) -> bool) -> io::Result<Came> {
        let (lines, inputs) = (&mut self.lines, &mut self.inputs);
        let waited = async {
            loop {
                tokio::select! {
                    event = inputs.recv() => match event {
                        Some(event) if wanted(&event) => return Ok(Came::Seen),
                        Some(_) => {}
                        None => return Err(gone()),
                    },
                    line = lines.recv() => match line {
                        Some(line) if line.trim().eq_ignore_ascii_case("s") => return Ok(Came::Skipped),
                        Some(_) => {}
                        None => return Err(gone()),
                    },
                }
            }
        };
        timeout(PATIENCE, waited).await.unwrap_or(Ok(Came::Nothing))
    }

    /// A question that only a person can answer; "no" asks what was seen instead.
    async fn ask(&mut self, question: &str) -> io::Result<Verdict> {
        loop {
            (self.say)(&format!("{question} [y/n/s]"));
            let answer = self.line().await?;
            match answer.to_ascii_lowercase().as_str() {
                "y" | "yes" => return Ok(Verdict::Passed(String::new())),
                "s" | "skip" => return Ok(Verdict::Skipped),
                "n" | "no" => {
                    (self.say)("What happened instead? (one line)");
                    let words: String = self.line().await?.chars().take(LONGEST_WORDS).collect();
                    return Ok(Verdict::Failed(words));
                }
                _ => (self.say)("Please answer y, n or s."),
            }
        }
    }

    async fn line(&mut self) -> io::Result<String> {
        Ok(self.lines.recv().await.ok_or_else(gone)?.trim().to_owned())
    }

    fn show(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Passed(seen) if seen.is_empty() => (self.say)("Good."),
            Verdict::Passed(seen) => (self.say)(&format!("Good: {seen}.")),
            Verdict::Failed(seen) => (self.say)(&format!("Not good: {seen}.")),
            Verdict::Skipped => (self.say)("Skipped."),
        }
    }
}

/// What an event says of this input: `Some(true)` for active.
fn level(event: &InputEvent, number: u16, kind: InputKind, output: Option<u16>) -> Option<bool> {
    let of = |input: u16, level: Level| match level {
        Level::Active if input == number => Some(true),
        Level::Quiet if input == number => Some(false),
        _ => None,
    };
    match (kind, event) {
        (InputKind::Contact, InputEvent::Contact(Contact { output: at, position }))
            if Some(*at) == output =>
        {
            match position {
                DoorPosition::Open => Some(true),
                DoorPosition::Closed => Some(false),
                DoorPosition::Unknown => None,
            }
        }
        (InputKind::ExitButton, InputEvent::ExitButton { output: at }) if Some(*at) == output => Some(true),
        (InputKind::Tamper, InputEvent::Tamper { input, level })
        | (InputKind::Mains, InputEvent::Mains { input, level })
        | (InputKind::Battery, InputEvent::Battery { input, level })
        | (InputKind::Fire, InputEvent::Fire { input, level }) => of(*input, *level),
        _ => None,
    }
}

fn gone() -> io::Error {
    io::Error::other("nobody answers any more; there is no report of half a check")
}

#[cfg(test)]
mod tests;
