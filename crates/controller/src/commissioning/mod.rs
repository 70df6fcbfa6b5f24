//! The check of the wiring before a controller is taken into use, and the report that stays with the building.
//!
//! `klinke-door check` goes through every output, input and reader of a hardware file with the installer at the door: it
//! releases each lock once, waits for each wire to be moved and for a card and a key at each reader, and asks what only
//! people can see. The doors are not driven meanwhile, and nothing is believed that was not seen: what was skipped stands in
//! the report as skipped.
//!
//! A report names no card and no code: a card is "a card of 26 bits".

mod report;
mod talk;

pub use report::page;
pub use talk::{Talk, check};

/// What the check was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Such as "Output 0".
    pub what: String,
    /// What the file says of it, such as "fail-secure lock".
    pub is: String,
    /// What became of it.
    pub results: Vec<Outcome>,
}

/// What became of one part of the check of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Such as "releases and locks again".
    pub checked: &'static str,
    /// What was seen.
    pub verdict: Verdict,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is as it should be; with what was seen, where that says more.
    Passed(String),
    /// It is not; and what was seen, or what the installer said.
    Failed(String),
    /// The installer did not check it.
    Skipped,
}

/// All that was checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// In the order of the file.
    pub items: Vec<Item>,
}

impl Checked {
    /// How many parts passed, failed, were skipped.
    pub fn count(&self) -> (usize, usize, usize) {
        let mut count = (0, 0, 0);
        for outcome in self.items.iter().flat_map(|item| &item.results) {
            match outcome.verdict {
                Verdict::Passed(_) => count.0 += 1,
                Verdict::Failed(_) => count.1 += 1,
                Verdict::Skipped => count.2 += 1,
            }
        }
        count
    }

    /// Whether everything was checked and is as it should be.
    pub fn is_whole(&self) -> bool {
        let (passed, failed, skipped) = self.count();
        passed > 0 && failed == 0 && skipped == 0
    }
}
