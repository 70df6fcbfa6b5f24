//! Running other programs: where they run, where their output goes, what they cost.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Why a command of the workshop did not do its work, in words for the person at the terminal.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    /// A failure with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

/// Where the work is done.
pub struct Workshop {
    /// The repository.
    pub root: PathBuf,
    /// Cargo's target directory (`CARGO_TARGET_DIR`, or `target`).
    pub target: PathBuf,
}

impl Workshop {
    /// The repository whose cargo runs this program. Asked at run time: clones that share a target folder share
    /// the program too.
    ///
    /// # Errors
    /// When it was not started by cargo.
    pub fn here() -> Result<Self, Failure> {
        let xtask = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let root = xtask.as_deref().and_then(Path::parent);
        let root = root.ok_or_else(|| Failure::new("start this with `cargo xtask`"))?.to_owned();
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => std::env::current_dir()?.join(folder),
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    /// A program to run in `folder` of the repository (`""`: its root), with plain output and no standard input.
    pub fn command(&self, program: &str, folder: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.root.join(folder))
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_TERM_COLOR", "never")
            .env("NO_COLOR", "1")
            .env_remove("FORCE_COLOR")
            .stdin(Stdio::null());
        command
    }

    /// The cargo that runs us.
    pub fn cargo(&self) -> Command {
        self.command(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()), "")
    }

    /// A binary of the workspace.
    pub fn binary(&self, profile: &str, name: &str) -> PathBuf {
        self.target.join(profile).join(name)
    }
}

/// The output of one part of the work, kept in a file.
pub struct Log {
    path: PathBuf,
    file: File,
}

/// What a program said, and whether it was content.
pub struct Finished {
    /// It ended with 0.
    pub success: bool,
    /// All it printed, both streams.
    pub text: String,
}

impl Log {
    /// A new log `var/test/NAME.log`.
    ///
    /// # Errors
    /// When the file can't be made.
    pub fn new(workshop: &Workshop, name: &str) -> Result<Self, Failure> {
        let folder = workshop.root.join("var/test");
        fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{name}.log"));
        fs::write(&path, "")?;
        let file = OpenOptions::new().read(true).append(true).open(&path)?;
        Ok(Self { path, file })
    }

    /// Adds a line.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn line(&mut self, line: impl fmt::Display) -> Result<(), Failure> {
        Ok(writeln!(self.file, "{line}")?)
    }

    /// Runs a program to its end.
    ///
    /// # Errors
    /// When it can't be started; not when it ends badly.
    pub fn finish(&mut self, command: &mut Command) -> Result<Finished, Failure> {
        self.line(format_args!("$ {}", words(command)))?;
        let start = self.file.seek(SeekFrom::End(0))?;
        let status = command
            .stdout(self.file.try_clone()?)
            .stderr(self.file.try_clone()?)
            .status()
            .map_err(|error| Failure::new(format!("could not start `{}`: {error}", words(command))))?;
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(start))?;
        self.file.read_to_end(&mut bytes)?;
        Ok(Finished { success: status.success(), text: String::from_utf8_lossy(&bytes).into_owned() })
    }

    /// Runs a program that must end well; gives what it printed.
    ///
    /// # Errors
    /// When it can't be started or ends badly.
    pub fn run(&mut self, command: &mut Command) -> Result<String, Failure> {
        let finished = self.finish(command)?;
        if finished.success {
            Ok(finished.text)
        } else {
            Err(Failure::new(format!("`{}` failed", words(command))))
        }
    }

    /// The last `lines` lines, for the person who has to know why.
    pub fn tail(&self, lines: usize) -> String {
        let text = fs::read(&self.path).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A command as a person would type it.
pub fn words(command: &Command) -> String {
    let program = Path::new(command.get_program());
    std::iter::once(program.file_name().unwrap_or(program.as_os_str()))
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs a program that shows its output to the person.
///
/// # Errors
/// When it can't be started or ends badly.
pub fn show(command: &mut Command) -> Result<(), Failure> {
    let status = command
        .status()
        .map_err(|error| Failure::new(format!("could not start `{}`: {error}", words(command))))?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("`{}` failed", words(command)))) }
}

/// What a program prints on its standard output.
///
/// # Errors
/// When it can't be started or ends badly.
pub fn output_of(command: &mut Command) -> Result<Vec<u8>, Failure> {
    let output = command
        .output()
        .map_err(|error| Failure::new(format!("could not start `{}`: {error}", words(command))))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Failure::new(format!("`{}` failed: {said}", words(command))))
    }
}

/// Processor time of all finished children so far, user and system; zero where `/proc` has no such file.
pub fn children_cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    Duration::from_millis(children_ticks(&stat).unwrap_or(0) * 10)
}

/// `cutime` + `cstime` of `/proc/self/stat`, in ticks of 10 ms (Linux shows 100 a second on every architecture).
fn children_ticks(stat: &str) -> Option<u64> {
    // the name in brackets may hold spaces: count from its end, where the state is field 3
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(13);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_fields_16_and_17() {
        let stat = "77 (a (b) c) S 4 5 6 7 8 9 10 11 12 13 14 15 1600 17 18";
        assert_eq!(children_ticks(stat), Some(1617));
        assert_eq!(children_ticks("nonsense"), None);
    }

    #[test]
    fn a_command_reads_as_typed() {
        assert_eq!(words(Command::new("cargo").args(["fmt", "--check"])), "cargo fmt --check");
    }
}
