//! The rules for what may depend on what, checked on `cargo metadata` and `cargo tree`.
//!
//! Each rule is a function from what cargo says to a list of sentences; no sentence, no fault. The data is in
//! [`arrows`] and in `deny.toml`.

pub mod arrows;

use crate::deny;
use crate::process::{Failure, Workshop, output_of};
use arrows::{CRATES, Crate, IMPURE, ONE_VERSION};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::process::ExitCode;

/// A rule and what breaks it.
pub struct Checked {
    /// What must hold.
    pub rule: &'static str,
    /// Where it doesn't.
    pub faults: Vec<String>,
}

/// Checks every rule on the workspace. No network.
///
/// # Errors
/// When cargo or a file can't be read.
pub fn check(workshop: &Workshop) -> Result<Vec<Checked>, Failure> {
    let metadata = output_of(workshop.cargo().args(["metadata", "--format-version", "1", "--locked"]))?;
    let metadata: Value = serde_json::from_slice(&metadata)
        .map_err(|error| Failure::new(format!("cargo metadata: {error}")))?;
    let manifest = fs::read_to_string(workshop.root.join("Cargo.toml"))?;
    let deny = deny::Rules::parse(&fs::read_to_string(workshop.root.join("deny.toml"))?);

    let mut impure = Vec::new();
    for one in CRATES.iter().filter(|one| one.pure) {
        let package = format!("klinke-{}", one.name);
        // only this package selected: the features that it has by itself, not those its users switch on
        let tree =
            ["tree", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}", "--package"];
        let tree = output_of(workshop.cargo().args(tree).arg(&package))?;
        impure.extend(impure_below(&package, &String::from_utf8_lossy(&tree)));
    }

    Ok(vec![
        Checked {
            rule: "our crates use only what the table allows",
            faults: foreign_arrows(&metadata, CRATES),
        },
        Checked { rule: "pure crates have no IO, clock or randomness below them", faults: impure },
        Checked { rule: "one version only where two would clash", faults: double_versions(&metadata) },
        Checked { rule: "every dependency has its line of why", faults: without_reason(&manifest) },
        Checked { rule: "crates take dependencies from the workspace", faults: own_versions(workshop)? },
        Checked { rule: "licences are on the list", faults: deny.licence_faults(&metadata) },
        Checked { rule: "no banned crate", faults: deny.ban_faults(&metadata) },
    ])
}

/// `cargo xtask check-deps`.
///
/// # Errors
/// As [`check`].
pub fn print_check(workshop: &Workshop) -> Result<ExitCode, Failure> {
    let checked = check(workshop)?;
    let mut code = ExitCode::SUCCESS;
    for Checked { rule, faults } in &checked {
        println!("{} {rule}", if faults.is_empty() { "ok    " } else { "FAULT " });
        for fault in faults {
            println!("         {fault}");
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

/// Names of `value`'s packages, with the package itself.
pub(crate) fn packages(metadata: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    packages.iter().filter_map(|package| Some((package["name"].as_str()?, package)))
}

/// Arrows between our crates that the table does not have, and crates that it does not know.
fn foreign_arrows(metadata: &Value, table: &[Crate]) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, package) in packages(metadata) {
        let Some(short) = name.strip_prefix("klinke-") else { continue };
        let Some(row) = table.iter().find(|row| row.name == short) else {
            faults.push(format!("{name} is not in the table"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let Some(used) = dependency["name"].as_str().and_then(|name| name.strip_prefix("klinke-")) else {
                continue;
            };
            let for_tests = dependency["kind"] == "dev";
            if !(row.uses.contains(&used) || for_tests && row.tests_use.contains(&used)) {
                let tests = if for_tests { " in tests" } else { "" };
                faults.push(format!("{short} may not use {used}{tests}"));
            }
        }
    }
    faults
}

/// Impure crates in the printed tree of a pure package (`name v1.2.3 …` a line).
fn impure_below(package: &str, tree: &str) -> Vec<String> {
    let below: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    let impure = IMPURE.iter().filter(|name| below.contains(*name));
    impure
        .map(|name| format!("{package} has {name} below it: `cargo tree -p {package} -e normal -i {name}`"))
        .collect()
}

/// Crates of [`ONE_VERSION`] that occur more than once.
fn double_versions(metadata: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, why) in ONE_VERSION {
        let versions: Vec<&str> = packages(metadata)
            .filter(|(n, _)| n == name)
            .filter_map(|(_, p)| p["version"].as_str())
            .collect();
        if versions.len() > 1 {
            faults.push(format!("{name} {}: {why}", versions.join(" and ")));
        }
    }
    faults
}

/// Third-party entries of `[workspace.dependencies]` without a comment above them. One comment may stand above
/// several entries that follow each other.
fn without_reason(manifest: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut section = "";
    let mut explained = false;
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
            explained = false;
        } else if line.is_empty() || line.starts_with("# ---") {
            explained = false;
        } else if line.starts_with('#') {
            explained = true;
        } else if section == "[workspace.dependencies]"
            && !explained
            && !line.starts_with("klinke-")
            && let Some((name, _)) = line.split_once('=')
        {
            faults.push(format!("{} has no line of why above it in Cargo.toml", name.trim()));
        }
    }
    faults
}

/// Dependencies in our crates' manifests that do not come from the workspace table.
fn own_versions(workshop: &Workshop) -> Result<Vec<String>, Failure> {
    let mut faults = Vec::new();
    for folder in fs::read_dir(workshop.root.join("crates"))? {
        let folder = folder?;
        let manifest = folder.path().join("Cargo.toml");
        if manifest.is_file() {
            let name = folder.file_name();
            faults.extend(not_from_workspace(&name.to_string_lossy(), &fs::read_to_string(manifest)?));
        }
    }
    Ok(faults)
}

fn not_from_workspace(name: &str, manifest: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut in_dependencies = false;
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            in_dependencies = line.trim_end_matches(']').ends_with("dependencies");
        } else if in_dependencies
            && !line.starts_with('#')
            && let Some((dependency, value)) = line.split_once('=')
            && !dependency.trim().ends_with(".workspace")
            && !value.contains("workspace = true")
        {
            faults.push(format!("crates/{name}: {} must come from the workspace table", dependency.trim()));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn package(name: &str, dependencies: &[(&str, Value)]) -> Value {
        let dependencies: Vec<Value> =
            dependencies.iter().map(|(name, kind)| json!({ "name": name, "kind": kind })).collect();
        json!({ "name": name, "version": "1.0.0", "dependencies": dependencies })
    }

    #[test]
    fn an_arrow_against_the_table_is_found() {
        let metadata = json!({ "packages": [
            package("klinke-model", &[("serde", Value::Null)]),
            package("klinke-calls", &[("klinke-model", Value::Null), ("klinke-storage", Value::Null)]),
            package("klinke-storage", &[("klinke-calls", json!("dev")), ("klinke-model", json!("build"))]),
        ]});
        assert_eq!(
            foreign_arrows(&metadata, CRATES),
            ["calls may not use storage", "storage may not use calls in tests"]
        );
    }

    #[test]
    fn a_test_arrow_is_for_tests_only() {
        let with =
            |kind: Value| json!({ "packages": [package("klinke-server", &[("klinke-controller", kind)])] });
        assert_eq!(foreign_arrows(&with(json!("dev")), CRATES), [""; 0]);
        assert_eq!(foreign_arrows(&with(Value::Null), CRATES), ["server may not use controller"]);
    }

    #[test]
    fn an_unknown_crate_is_found() {
        let metadata = json!({ "packages": [package("klinke-common", &[])] });
        assert_eq!(foreign_arrows(&metadata, CRATES), ["klinke-common is not in the table"]);
    }

    #[test]
    fn the_table_has_no_circle() {
        // every crate uses only crates that can be built before it
        let mut built: Vec<&str> = Vec::new();
        while built.len() < CRATES.len() {
            let next = CRATES
                .iter()
                .find(|one| !built.contains(&one.name) && one.uses.iter().all(|used| built.contains(used)));
            built.push(next.expect("a circle, or a name that is not a crate").name);
        }
    }

    #[test]
    fn an_impure_crate_is_found_at_any_depth() {
        let tree = "klinke-calls v0.1.0 (/x/crates/calls)\nuuid v1.29.1\ngetrandom v0.4.0\ngetrandom v0.4.0 (*)\nrandom v1.0.0";
        let faults = impure_below("klinke-calls", tree);
        assert_eq!(faults.len(), 1);
        assert!(faults[0].starts_with("klinke-calls has getrandom below it"), "{faults:?}");
        assert_eq!(impure_below("klinke-calls", "klinke-calls v0.1.0\nserde v1.0.0"), [""; 0]);
    }

    #[test]
    fn two_versions_are_found() {
        let sqlite =
            |version: &str| json!({ "name": "libsqlite3-sys", "version": version, "dependencies": [] });
        assert_eq!(double_versions(&json!({ "packages": [sqlite("0.37.0")] })), [""; 0]);
        let faults = double_versions(&json!({ "packages": [sqlite("0.30.1"), sqlite("0.37.0")] }));
        assert!(faults[0].starts_with("libsqlite3-sys 0.30.1 and 0.37.0"), "{faults:?}");
    }

    #[test]
    fn a_dependency_without_reason_is_found() {
        let manifest = "[workspace.dependencies]\n# --- ours ---\nklinke-model = { path = \"m\" }\n\n\
                        # one serialisation\nserde = \"1\"\nserde_json = \"1\"\n\nbase64 = \"0.22\"\n\
                        # --- tests ---\nproptest = \"1\"\n[profile.dev]\ndebug = false\n";
        assert_eq!(
            without_reason(manifest),
            [
                "base64 has no line of why above it in Cargo.toml",
                "proptest has no line of why above it in Cargo.toml"
            ]
        );
    }

    #[test]
    fn a_version_outside_the_workspace_is_found() {
        let manifest = "[package]\nversion = \"1\"\n[dependencies]\nserde.workspace = true\n\
                        tokio = { workspace = true, features = [\"time\"] }\nlog = \"0.4\"\n[dev-dependencies]\nrand = \"1\"\n\
                        [[bin]]\nname = \"x\"\n";
        assert_eq!(
            not_from_workspace("x", manifest),
            [
                "crates/x: log must come from the workspace table",
                "crates/x: rand must come from the workspace table"
            ]
        );
    }
}
