//! A PostgreSQL for the tests: the one that `KLINKE_TEST_POSTGRES` names (any database of it, as a user who may create
//! databases), else a cluster in a temporary folder that lives as long as this process.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// Starts a cluster, says where its socket is, and stops when its input ends: when this process does, however that is.
const SCRIPT: &str = r#"
set -eu
bin=$1
dir=$(mktemp -d "${TMPDIR:-/tmp}/klinke-pg.XXXXXX")
trap '"$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1; rm -rf "$dir"' EXIT
cd "$dir"
"$bin/initdb" -D data -U klinke -A trust -E UTF8 --locale=C --no-sync >log 2>&1 || { cat log >&2; exit 1; }
"$bin/pg_ctl" -D data -l log -w -o "-k '$dir' -c listen_addresses='' -c fsync=off -c max_connections=400" start \
    </dev/null >/dev/null 2>&1 || { cat log >&2; exit 1; }
echo "$dir"
cat >/dev/null
"#;

struct Cluster {
    url: String,
    /// Its input is held open: the cluster stops when that closes.
    _life: Option<Child>,
}

/// The address of a database of the cluster; replace its last part for another one.
pub fn url() -> &'static str {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    &CLUSTER
        .get_or_init(|| match std::env::var("KLINKE_TEST_POSTGRES") {
            Ok(url) => Cluster { url, _life: None },
            Err(_) if std::env::var_os("CI").is_some() => {
                panic!(
                    "KLINKE_TEST_POSTGRES is not set: in CI the test script starts PostgreSQL and names it"
                )
            }
            Err(_) => start(),
        })
        .url
}

fn start() -> Cluster {
    let bin = binaries().expect(
        "these tests need PostgreSQL: initdb is neither in PATH nor in /usr/lib/postgresql/*/bin. Install it \
         (Debian: apt-get install postgresql), or name a running one in KLINKE_TEST_POSTGRES",
    );
    // PostgreSQL does not run as root.
    let root = std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
    let mut command = if root {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", "sh"]);
        command
    } else {
        Command::new("sh")
    };
    let mut child = command
        .args(["-c", SCRIPT, "klinke-test-postgres"])
        .arg(bin)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("can not start PostgreSQL: sh (as root: runuser) is missing");
    let mut socket = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut socket).unwrap();
    let socket = socket.trim();
    assert!(!socket.is_empty(), "PostgreSQL did not start; what it said is above");
    Cluster { url: format!("postgres://klinke@localhost/postgres?host={socket}"), _life: Some(child) }
}

/// The folder of the newest PostgreSQL here.
fn binaries() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<PathBuf> = debian.map(|version| version.path().join("bin")).collect();
    debian.sort_by_key(|bin| {
        bin.parent().and_then(|version| version.file_name()?.to_str()?.parse::<u32>().ok()).unwrap_or(0)
    });
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian.into_iter().rev().chain(std::env::split_paths(&path)).find(|bin| bin.join("initdb").is_file())
}
