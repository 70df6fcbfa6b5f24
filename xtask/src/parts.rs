//! The parts of `./test`, in the order in which they run: what fails fast first, what needs the most last.

use crate::counts::{self, Counts};
use crate::postgres::Cluster;
use crate::process::{Failure, Finished, Log, Workshop, output_of};
use crate::test::Outcome;
use crate::tools::{self, Tool};
use crate::{deps, generate, scratch, web};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A part.
pub struct Part {
    /// What to type.
    pub name: &'static str,
    /// What it shows.
    pub what: &'static str,
    /// Whether CI runs it.
    pub in_full: bool,
    /// Whether `./test quick` runs it.
    pub in_quick: bool,
    /// What it needs.
    pub tools: &'static [&'static Tool],
    /// The work.
    pub run: fn(&Workshop, &mut Log) -> Result<Outcome, Failure>,
}

impl Part {
    const fn new(
        name: &'static str,
        what: &'static str,
        run: fn(&Workshop, &mut Log) -> Result<Outcome, Failure>,
    ) -> Self {
        Self { name, what, in_full: true, in_quick: false, tools: &[], run }
    }

    const fn needs(mut self, tools: &'static [&'static Tool]) -> Self {
        self.tools = tools;
        self
    }

    const fn also_quick(mut self) -> Self {
        self.in_quick = true;
        self
    }

    const fn only_quick(mut self) -> Self {
        self.in_full = false;
        self.also_quick()
    }
}

/// All of them.
pub static PARTS: &[Part] = &[
    Part::new("fmt", "the formatting is rustfmt's", fmt).also_quick(),
    Part::new("check-deps", "arrows, purity, licences and reasons of dependencies", check_deps).also_quick(),
    Part::new("changed", "tests of the crates that changed since the main branch", changed)
        .needs(&[&tools::BUILD])
        .only_quick(),
    // before Rust: the server takes the built pages in
    Part::new("web", "web pages: types, unit tests, build, size budgets", web_pages).needs(&[&tools::NODE]),
    Part::new("clippy", "no warning of clippy", clippy).needs(&[&tools::BUILD]),
    Part::new("rust", "Rust tests, storage on SQLite and PostgreSQL", rust).needs(&[
        &tools::BUILD,
        &tools::POSTGRES,
        &tools::AIOSMTPD,
        &tools::VENV,
        &tools::SOCAT,
        &tools::MOSQUITTO,
        &tools::PCSC,
        &tools::SIP,
        &tools::SPEECH,
    ]),
    Part::new("oracle", "the decision beside Cedar: a hundred thousand questions", oracle),
    Part::new("generated", "generated files are fresh", generated).needs(&[&tools::BUILD, &tools::NODE]),
    Part::new("api", "the API beside its document, asked by schemathesis as three roles", api)
        .needs(&[&tools::BUILD, &tools::VENV]),
    Part::new("browser", "calls through the real pages in Chromium", browser).needs(&[
        &tools::BUILD,
        &tools::NODE,
        &tools::CHROMIUM,
        &tools::VENV,
        &tools::SOCAT,
        &tools::SIP,
    ]),
];

fn fmt(workshop: &Workshop, log: &mut Log) -> Result<Outcome, Failure> {
    log.run(workshop.cargo().args(["fmt", "--all", "--check", "--", "--color=never"]))?;
    Ok(Outcome::tests(Counts::passed(1)))
}

fn check_deps(workshop: &Workshop, _log: &mut Log) -> Result<Outcome, Failure> {
    let checked = deps::check(workshop)?;
    let failed = checked.iter().filter(|rule| !rule.faults.is_empty()).count() as u64;
    let counts = Counts { passed: checked.len() as u64 - failed, failed, skipped: 0 };
    Ok(Outcome { counts, complaints: checked.into_iter().flat_map(|rule| rule.faults).collect() })
}

fn clippy(workshop: &Workshop, log: &mut Log) -> Result<Outcome, Failure> {
    let clippy = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    log.run(workshop.cargo().args(clippy))?;
    Ok(Outcome::tests(Counts::passed(1)))
}

fn rust(workshop: &Workshop, log: &mut Log) -> Result<Outcome, Failure> {
    let doc =
        log.finish(workshop.cargo().args(["test", "--doc", "--workspace", "--locked", "--no-fail-fast"]))?;
    let counts = counts::cargo_test(&doc.text).ok_or_else(|| Failure::new("the doc tests did not build"))?;
    peers(workshop, log)?;
    let complaints = counts::failed_names(&doc.text);
    let cluster = Cluster::start(workshop)?;
    let mut outcome = cargo_tests(workshop, log, &["--workspace".to_owned()], Some(&cluster))?;
    outcome.counts += counts;
    outcome.complaints.extend(complaints);
    Ok(outcome)
}

/// Runs tests of the selected packages, with cargo-nextest where it is installed.
fn cargo_tests(
    workshop: &Workshop,
    log: &mut Log,
    selection: &[String],
    cluster: Option<&Cluster>,
) -> Result<Outcome, Failure> {
    let mut cargo = workshop.cargo();
    cargo.envs(cluster.map(|cluster| ("KLINKE_TEST_POSTGRES", cluster.url())));
    cargo.env("TMPDIR", scratch::folder());
    let nextest = tools::find("cargo-nextest").is_some();
    if nextest {
        cargo.args(["nextest", "run", "--no-tests=pass"]);
    } else {
        cargo.args(["test", "--no-fail-fast", "--lib", "--bins", "--tests"]);
    }
    let ran = log.finish(cargo.arg("--locked").args(selection))?;
    let read = if nextest { counts::nextest } else { counts::cargo_test };
    let counts = read(&ran.text).ok_or_else(|| Failure::new("the tests did not build"))?;
    judged(&ran, counts, "the test runner failed")
}

fn oracle(workshop: &Workshop, log: &mut Log) -> Result<Outcome, Failure> {
    let its = ["--manifest-path", "oracle/Cargo.toml"];
    log.run(workshop.cargo().arg("fmt").args(its).args(["--check", "--", "--color=never"]))?;
    log.run(workshop.cargo().arg("clippy").args(its).args([
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]))?;
    cargo_tests(workshop, log, &its.map(str::to_owned), None)
}

fn changed(workshop: &Workshop, log: &mut Log) -> Result<Outcome, Failure> {
    let packages = changed_packages(workshop)?;
    if packages.is_empty() {
        log.line("no crate changed")?;
        return Ok(Outcome::tests(Counts::passed(1)));
    }
    println!("   {}", packages.join(" "));
    let selection: Vec<String> =
        packages.into_iter().flat_map(|package| ["--package".to_owned(), package]).collect();
    // PostgreSQL only where it is there: the inner loop installs nothing
    let cluster = tools::postgres_folder().map(|_| Cluster::start(workshop)).transpose()?;
    cargo_tests(workshop, log, &selection, cluster.as_ref())
}

/// Packages with a file that differs from where this branch left the main one, or that git does not know yet.
fn changed_packages(workshop: &Workshop) -> Result<Vec<String>, Failure> {
    let git = |arguments: &[&str]| -> Result<String, Failure> {
        let said = output_of(workshop.command("git", "").args(arguments))?;
        Ok(String::from_utf8_lossy(&said).into_owned())
    };
    let base = ["origin/main", "main"].iter().find_map(|main| git(&["merge-base", "HEAD", main]).ok());
    let base = base.as_deref().map_or("HEAD", str::trim);
    let files = git(&["diff", "--name-only", base])? + &git(&["ls-files", "--others", "--exclude-standard"])?;
    Ok(packages_of(&files).into_iter().collect())
}

fn packages_of(files: &str) -> BTreeSet<String> {
    let package = |file: &str| {
        let mut folders = file.split('/');
        match (folders.next()?, folders.next()?, folders.next()) {
            ("crates", name, Some(_)) => Some(format!("klinke-{name}")),
            ("xtask", _, _) => Some("xtask".to_owned()),
            ("benchmarks", _, _) => Some("klinke-bench".to_owned()),
            _ => None,
        }
    };
    files.lines().filter_map(package).collect()
}

fn web_pages(workshop: &Workshop, log: &mut Log) -> Result<Outcome, Failure> {
    log.run(&mut web::npm_ci(workshop, "web"))?;
    let npm = |script: &str| {
        let mut command = workshop.command("npm", "web");
        command.args(["run", "--silent", script]);
        command
    };
    let mut complaints = Vec::new();
    for script in ["check", "build"] {
        if !log.finish(&mut npm(script))?.success {
            complaints.push(format!("`npm run {script}` failed"));
        }
    }
    if complaints.is_empty() {
        web::remember_built(workshop)?;
        complaints.extend(web::check_budgets(workshop, log).err().map(|failure| failure.to_string()));
    }
    let mut outcome = Outcome::checks(3, complaints);

    let report = workshop.root.join("var/test/vitest.json");
    let _ = fs::remove_file(&report);
    let mut vitest = npm("test");
    vitest.args(["--", "--reporter=default", "--reporter=json", "--outputFile"]).arg(&report);
    let ran = log.finish(&mut vitest)?;
    let report = fs::read_to_string(&report).ok();
    let tests =
        report.as_deref().and_then(counts::vitest).ok_or_else(|| Failure::new("vitest did not run"))?;
    if tests.is_empty() || !ran.success && tests.failed == 0 {
        return Err(Failure::new("vitest failed or found no test"));
    }
    outcome.counts += tests;
    Ok(outcome)
}

fn generated(workshop: &Workshop, log: &mut Log) -> Result<Outcome, Failure> {
    generate::build(workshop, log)?;
    let (files, stale) = generate::stale(workshop);
    Ok(Outcome::checks(files, stale))
}

/// Seconds that schemathesis may ask, for all roles together.
const ASK_FOR: &str = "75";

fn api(workshop: &Workshop, log: &mut Log) -> Result<Outcome, Failure> {
    let python = python_with(workshop, log, "e2e/fuzz/requirements.txt", "schemathesis")?;
    generate::build(workshop, log)?;
    let folder = workshop.target.join("schemathesis-data");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir(&folder)?;
    let mut ask = workshop.command(&python.to_string_lossy(), "");
    ask.arg("e2e/fuzz/api.py").arg(workshop.binary("debug", "klinke")).arg(&folder).arg(ASK_FOR);
    let ran = log.finish(&mut ask)?;
    let counts = counts::cargo_test(&ran.text).ok_or_else(|| Failure::new("schemathesis did not run"))?;
    judged(&ran, counts, "api.py failed")
}

/// Readers, panels and relays that others wrote; the tests of the controller and of the browser look for them beside their
/// own program.
///
/// # Errors
/// When they cannot be had.
pub fn peers(workshop: &Workshop, log: &mut Log) -> Result<(), Failure> {
    python_with(workshop, log, "crates/controller/tests/peers/requirements.txt", "peers").map(|_| ())
}

/// The Python of a place of its own under the target folder, with the packages of a list. Made anew for another list.
fn python_with(workshop: &Workshop, log: &mut Log, list: &str, name: &str) -> Result<PathBuf, Failure> {
    let wanted = workshop.root.join(list);
    let venv = workshop.target.join(name);
    let python = venv.join("bin/python");
    let (installed, text) = (venv.join("requirements.txt"), fs::read_to_string(&wanted)?);
    if fs::read_to_string(&installed).ok().as_ref() != Some(&text) {
        log.run(workshop.command("python3", "").args(["-m", "venv", "--clear"]).arg(&venv))?;
        let mut pip = workshop.command(&python.to_string_lossy(), "");
        log.run(pip.args(["-m", "pip", "install", "--quiet", "-r"]).arg(&wanted))?;
        fs::write(&installed, &text)?;
    }
    Ok(python)
}

fn browser(workshop: &Workshop, log: &mut Log) -> Result<Outcome, Failure> {
    log.run(&mut web::npm_ci(workshop, "e2e"))?;
    let chromium = tools::chromium().ok_or_else(|| Failure::new("Chromium is missing"))?;
    generate::build(workshop, log)?;
    peers(workshop, log)?;
    let (beside, alone) = browser_tests(&workshop.root.join("e2e/tests"))?;
    let mut outcome = Outcome::tests(Counts::default());
    for (files, at_once) in [(beside, "--test-concurrency=2"), (alone, "--test-concurrency=1")] {
        let mut node = workshop.command("node", "e2e");
        // the time is for a whole file, too: more than twice what the longest takes when it shares a small machine
        node.args(["--test", "--test-reporter=spec", "--test-timeout=360000", at_once])
            .args(files)
            .env("KLINKE_BINARY", workshop.binary("debug", "klinke"))
            .env("KLINKE_CHROMIUM", &chromium);
        let ran = log.finish(&mut node)?;
        let counts =
            counts::node_test(&ran.text).ok_or_else(|| Failure::new("the browser tests did not run"))?;
        let half = judged(&ran, counts, "node failed")?;
        outcome.counts += half.counts;
        outcome.complaints.extend(half.complaints);
        // the end of the log is the other half's
        outcome.complaints.extend(counts::node_failures(&ran.text, SAID));
    }
    Ok(outcome)
}

/// Lines that are shown of what a half of the browser tests says of its failures.
const SAID: usize = 60;

/// A runner that failed without a failed test did not do its work.
fn judged(ran: &Finished, counts: Counts, otherwise: &str) -> Result<Outcome, Failure> {
    if ran.success || counts.failed > 0 {
        Ok(Outcome { counts, complaints: counts::failed_names(&ran.text) })
    } else {
        Err(Failure::new(otherwise))
    }
}

/// How the head of a test file says that no other runs beside it: what it measures takes both cores of a small machine.
const ALONE: &str = "// Runs alone: ";

/// The test files that run two at a time, and those that run alone.
fn browser_tests(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Failure> {
    let (mut beside, mut alone) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(".test.mjs") {
            let files = if runs_alone(&fs::read_to_string(&path)?) { &mut alone } else { &mut beside };
            files.push(path);
        }
    }
    if beside.is_empty() || alone.is_empty() {
        return Err(Failure::new("e2e/tests has no test files of both kinds"));
    }
    beside.sort();
    alone.sort();
    Ok((beside, alone))
}

/// Whether the comment at the head of a test file says so.
fn runs_alone(text: &str) -> bool {
    text.lines().take_while(|line| line.starts_with("//")).any(|line| line.starts_with(ALONE))
}

#[cfg(test)]
mod tests {
    use super::{packages_of, runs_alone};

    #[test]
    fn a_changed_file_names_its_package() {
        let files = "crates/calls/src/call.rs\ncrates/calls/Cargo.toml\ncrates/README.md\nxtask/src/main.rs\nREADME.md\n";
        assert_eq!(packages_of(files).into_iter().collect::<Vec<_>>(), ["klinke-calls", "xtask"]);
    }

    #[test]
    fn a_file_runs_alone_by_its_head() {
        assert!(runs_alone("// A call.\n// Runs alone: sound.\n\nimport x;\n"));
        assert!(!runs_alone("// Pages.\n\nimport x;\n// Runs alone: no.\n"));
    }
}
