//! Files that are made from others and checked in: made anew, or proven fresh.
//!
//! The dumps of the SQL schema are made and proven by a test of `storage`, which has both databases.

use crate::process::{Failure, Log, Workshop, output_of};
use std::fs;
use std::path::Path;
use std::process::ExitCode;

/// A generated file: who makes it and how.
struct Generated {
    /// Where it is checked in.
    file: &'static str,
    maker: Maker,
}

enum Maker {
    /// `klinke ARGUMENTS` prints it.
    Server(&'static [&'static str]),
    /// `npx ARGUMENTS` in `web/` prints it.
    Web(&'static [&'static str]),
}

/// In an order in which each can be made from those before it.
const GENERATED: &[Generated] = &[
    Generated { file: "crates/server/openapi.json", maker: Maker::Server(&["openapi"]) },
    Generated {
        file: "crates/server/config.schema.json",
        maker: Maker::Server(&["check-config", "--schema"]),
    },
    Generated {
        file: "web/src/api/schema.d.ts",
        maker: Maker::Web(&["--no-install", "openapi-typescript", "../crates/server/openapi.json"]),
    },
];

/// Builds the server as the tests build it, so that nothing is compiled twice.
///
/// # Errors
/// When it does not build.
pub fn build(workshop: &Workshop, log: &mut Log) -> Result<(), Failure> {
    log.run(workshop.cargo().args(["build", "--workspace", "--all-targets", "--locked"])).map(drop)
}

/// `cargo xtask generate`: builds the server and writes every generated file.
///
/// # Errors
/// When something can't be built or made.
pub fn write_all(workshop: &Workshop) -> Result<ExitCode, Failure> {
    let mut log = Log::new(workshop, "generate")?;
    let mut schema = workshop.cargo();
    schema
        .args(["test", "--locked", "--package", "klinke-storage", "--test", "it", "schema"])
        .env("UPDATE_SCHEMA", "1");
    let made = build(workshop, &mut log).and_then(|()| log.run(&mut schema));
    made.map_err(|failure| Failure::new(format!("{}\n{failure}", log.tail(40))))?;
    for generated in GENERATED {
        let fresh = make(workshop, generated)?;
        let path = workshop.root.join(generated.file);
        if fs::read(&path).ok().as_ref() != Some(&fresh) {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&path, fresh)?;
            println!("wrote {}", generated.file);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// How many files there are, and what is wrong with which. The server must be built.
pub fn stale(workshop: &Workshop) -> (u64, Vec<String>) {
    let check = |generated: &Generated| match make(workshop, generated) {
        Err(failure) => Some(format!("{}: {failure}", generated.file)),
        Ok(fresh) => difference(&workshop.root.join(generated.file), &fresh)
            .map(|what| format!("{} {what}: run `cargo xtask generate` and commit", generated.file)),
    };
    (GENERATED.len() as u64, GENERATED.iter().filter_map(check).collect())
}

fn difference(file: &Path, fresh: &[u8]) -> Option<&'static str> {
    match fs::read(file) {
        Err(_) => Some("is missing"),
        Ok(known) if known != fresh => Some("is stale"),
        Ok(_) => None,
    }
}

fn make(workshop: &Workshop, generated: &Generated) -> Result<Vec<u8>, Failure> {
    let made = match generated.maker {
        Maker::Server(arguments) => {
            let klinke = workshop.binary("debug", "klinke");
            output_of(workshop.command(&klinke.to_string_lossy(), "").args(arguments))?
        }
        Maker::Web(arguments) => output_of(workshop.command("npx", "web").args(arguments))?,
    };
    if made.trim_ascii().is_empty() { Err(Failure::new("its maker printed nothing")) } else { Ok(made) }
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn a_stale_file_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.json");
        assert_eq!(difference(&file, b"{}"), Some("is missing"));
        std::fs::write(&file, "{}").unwrap();
        assert_eq!(difference(&file, b"{}"), None);
        assert_eq!(difference(&file, b"{} "), Some("is stale"));
    }
}
