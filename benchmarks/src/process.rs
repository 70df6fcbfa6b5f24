//! Programs under measurement: started, looked at from outside, ended with us.

use crate::Result;
use std::fs;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// How long a program may take until it says that it is ready.
const START: Duration = Duration::from_secs(60);

/// A program that is killed when this is dropped.
pub struct Process {
    child: Child,
    /// What it prints.
    pub output: Lines<BufReader<ChildStdout>>,
    /// What it reads.
    pub input: ChildStdin,
}

impl Process {
    /// Starts a program.
    ///
    /// # Errors
    /// When it is not there.
    pub fn start(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("start {}: {error}", command.as_std().get_program().display()))?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (Some(input), Some(output)) = (input, output) else {
            return Err("a program without pipes".into());
        };
        Ok(Self { child, output: BufReader::new(output).lines(), input })
    }

    /// The next line that it prints.
    ///
    /// # Errors
    /// When it ends or says nothing for a minute.
    pub async fn line(&mut self) -> Result<String> {
        let line = tokio::time::timeout(START, self.output.next_line()).await??;
        line.ok_or_else(|| "the program ended before it was ready".into())
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Errors
    /// When it can not be asked.
    pub async fn stop(mut self) -> Result<()> {
        Command::new("kill").args(["-TERM", &self.id().to_string()]).status().await?;
        self.child.wait().await?;
        Ok(())
    }

    /// Resident memory, KiB.
    ///
    /// # Errors
    /// When it is gone.
    pub fn resident(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()).ok_or("no VmRSS")?;
        Ok(kib.parse()?)
    }

    /// Processor time so far, user and system; counted in ticks of 10 ms.
    ///
    /// # Errors
    /// When it is gone.
    pub fn processor_time(&self) -> Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id()))?;
        // the name in brackets may hold spaces: count from its end, where the state is field 3
        let fields = stat.rsplit_once(')').map(|(_, fields)| fields.split_whitespace().skip(11).take(2));
        let ticks =
            fields.into_iter().flatten().map(str::parse::<u64>).sum::<std::result::Result<u64, _>>()?;
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Time that its threads were on a processor so far, user and system, as the scheduler counts it: to the microsecond, but
    /// without threads that have ended.
    ///
    /// # Errors
    /// When it is gone.
    pub fn time_on_processor(&self) -> Result<Duration> {
        let mut nanoseconds = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.id()))? {
            let stat = fs::read_to_string(thread?.path().join("schedstat"))?;
            nanoseconds += stat.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    fn id(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }
}
