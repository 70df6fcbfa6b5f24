//! A line of this machine as a lock.
//!
//! While this program lives the line is what it was told. **When the program dies, the kernel gives the line back and
//! promises nothing:** most drivers leave it as it was, some make it an input. So a timer relay behind it is required
//! (`crate::hardware` refuses a line without one): it drops after its own time whatever the line does, and it starts
//! on an edge, so a line that stays active does not start it again. A start of this program makes the line inactive
//! before anything else. While the machine starts, before that, the line is an input: a resistor must pull it to
//! inactive.
//!
//! Not tested by machine: it needs a real line. `docs/installers.md` says how to check it by hand.

use crate::hardware::LineLevel;
use gpiocdev::Request;
use gpiocdev::line::Value;
use std::io;
use std::path::Path;

/// One line, held while this lives.
#[derive(Debug)]
pub struct OutputLine(Request);

impl OutputLine {
    /// Takes the line and makes it inactive in one step.
    ///
    /// # Errors
    /// When there is no such line, or another program has it.
    pub fn open(chip: &Path, line: u32, active: LineLevel) -> io::Result<Self> {
        let mut builder = Request::builder();
        builder.on_chip(chip).with_consumer("klinke-door").with_line(line);
        match active {
            LineLevel::High => builder.as_active_high(),
            LineLevel::Low => builder.as_active_low(),
        };
        builder.as_output(Value::Inactive).request().map(Self).map_err(io::Error::other)
    }

    /// Makes it active or inactive; done when this returns.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn set(&self, is_active: bool) -> io::Result<()> {
        let value = if is_active { Value::Active } else { Value::Inactive };
        self.0.set_lone_value(value).map_err(io::Error::other)
    }
}
