//! A PostgreSQL cluster of our own in a temporary folder: one a test run, gone afterwards.
//!
//! It listens on a Unix socket only, and ends with us: when [`Cluster`] is dropped, or, should we be killed, by the
//! parent death signal.

use crate::process::{Failure, Log, Workshop};
use crate::{scratch, tools};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running cluster.
pub struct Cluster {
    folder: PathBuf,
    server: Child,
}

impl Cluster {
    /// Makes and starts a cluster; it writes to `var/test/postgres.log`.
    ///
    /// # Errors
    /// When PostgreSQL is missing or does not start within 30 s.
    pub fn start(workshop: &Workshop) -> Result<Self, Failure> {
        let mut log = Log::new(workshop, "postgres")?;
        let programs = tools::postgres_folder().ok_or_else(|| Failure::new("PostgreSQL is missing"))?;
        remove_left_over();
        // the path of a Unix socket has room for about 100 bytes: not under the repository
        let folder = scratch::folder().join(format!("{PREFIX}{}", std::process::id()));
        fs::create_dir(&folder)?;
        if tools::is_root() {
            log.run(Command::new("chown").arg(user()).arg(&folder))?;
        }
        let data = folder.join("data");
        let mut initdb = as_user(&programs.join("initdb"));
        initdb.args([
            "--username=klinke",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "-D",
        ]);
        log.run(initdb.arg(&data).current_dir("/"))?;

        let mut postgres = as_user(&programs.join("postgres"));
        postgres.arg("-D").arg(&data).arg("-k").arg(&folder).args(["-c", "listen_addresses="]);
        // the storage tests open many databases at once; nothing here has to survive a power cut
        postgres.args(["-c", "max_connections=300", "-c", "fsync=off", "-c", "full_page_writes=off"]);
        let output = fs::OpenOptions::new().append(true).open(log.path())?;
        let server = postgres
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .map_err(|error| Failure::new(format!("could not start PostgreSQL: {error}")))?;
        let mut cluster = Self { folder, server };
        cluster.wait_until_ready(&programs)?;
        Ok(cluster)
    }

    /// Where the tests find it.
    pub fn url(&self) -> String {
        let socket = self.folder.to_string_lossy().replace('/', "%2F");
        format!("postgres://klinke@localhost/postgres?host={socket}")
    }

    #[expect(clippy::disallowed_methods, reason = "waits for a process of the operating system")]
    fn wait_until_ready(&mut self, programs: &Path) -> Result<(), Failure> {
        let end = Instant::now() + Duration::from_secs(30);
        while Instant::now() < end {
            if let Some(status) = self.server.try_wait()? {
                return Err(Failure::new(format!("PostgreSQL ended at once: {status}")));
            }
            let mut ready = Command::new(programs.join("pg_isready"));
            if ready
                .args(["-q", "-U", "klinke", "-d", "postgres", "-h"])
                .arg(&self.folder)
                .status()
                .is_ok_and(|status| status.success())
            {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(Failure::new("PostgreSQL was not ready after 30 s"))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // SIGINT: PostgreSQL's "fast shutdown"
        let told = Command::new("kill").args(["-INT", &self.server.id().to_string()]).status();
        if !told.is_ok_and(|status| status.success()) {
            let _ = self.server.kill();
        }
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

const PREFIX: &str = "klinke-test-postgres-";

/// Removes folders of runs that were killed.
fn remove_left_over() {
    for entry in scratch::folders().into_iter().flat_map(fs::read_dir).flatten().flatten() {
        let name = entry.file_name();
        if let Some(process) = name.to_str().and_then(|name| name.strip_prefix(PREFIX))
            && !Path::new("/proc").join(process).exists()
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// PostgreSQL refuses to run as root: the user of the Debian package, or nobody.
fn user() -> &'static str {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    if users.lines().any(|line| line.starts_with("postgres:")) { "postgres" } else { "nobody" }
}

/// A program that is not root and that ends when we end.
fn as_user(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if tools::is_root() {
        command.args(["--reuid", user(), "--regid", &group(), "--clear-groups"]);
    }
    command.args(["--pdeathsig", "INT", "--"]).arg(program);
    command
}

/// The group id of [`user`].
fn group() -> String {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let line = users.lines().find(|line| line.split(':').next() == Some(user()));
    line.and_then(|line| line.split(':').nth(3)).unwrap_or("65534").to_owned()
}
