//! `./run`: from a fresh clone to a running demo.

use crate::process::{Failure, Workshop, show, words};
use crate::{tools, web};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// Checks tools, builds, and becomes `klinke demo` (so Ctrl-C reaches it and nothing else).
///
/// # Errors
/// When a tool is missing or a build fails.
pub fn run(workshop: &Workshop, arguments: &[String]) -> Result<ExitCode, Failure> {
    let given = |option: &str| arguments.iter().any(|argument| argument == option);
    tools::provide(&[&tools::NODE, &tools::BUILD], given("-y"))?;
    web::build_if_changed(workshop)?;

    let mut build = workshop.cargo();
    build
        .args(["build", "--workspace", "--exclude", "klinke-bench", "--locked"])
        .env_remove("CARGO_TERM_COLOR")
        .env_remove("NO_COLOR");
    if given("--release") {
        build.arg("--release");
    }
    println!("Building the server and the door controller …");
    show(&mut build)?;

    let profile = if given("--release") { "release" } else { "debug" };
    let mut demo = Command::new(workshop.binary(profile, "klinke"));
    demo.current_dir(&workshop.root).arg("demo").args(for_the_demo(arguments));
    Err(Failure::new(format!("could not start `{}`: {}", words(&demo), demo.exec())))
}

/// What is not for us is for the demo.
fn for_the_demo(arguments: &[String]) -> impl Iterator<Item = &String> {
    arguments.iter().filter(|argument| *argument != "-y" && *argument != "--release")
}

#[cfg(test)]
mod tests {
    use super::for_the_demo;

    #[test]
    fn the_demo_gets_its_own_arguments() {
        let all = ["-y", "--fresh", "--release", "--lan", "--port", "8443"].map(str::to_owned);
        let passed: Vec<&String> = for_the_demo(&all).collect();
        assert_eq!(passed, ["--fresh", "--lan", "--port", "8443"]);
    }
}
