//! The web pages: packages, build, and how large they may be.

use crate::process::{Failure, Log, Workshop, output_of, show};
use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The four pages and how many bytes of JavaScript each may load at first, gzipped.
pub const BUDGETS: &[(&str, u64)] =
    &[("panel", 45_000), ("app", 75_000), ("admin", 130_000), ("guest", 45_000)];

/// Folders under `web/` that builds write.
const WRITTEN: &[&str] = &["node_modules", "dist", "test-results"];

/// Installs packages and builds the pages where their sources changed since the last time. Shows npm's output.
///
/// # Errors
/// When npm fails.
pub fn build_if_changed(workshop: &Workshop) -> Result<(), Failure> {
    let web = workshop.root.join("web");
    if !web.join("node_modules").is_dir() || changed(workshop, "packages", &packages_hash(&web)?) {
        println!("Installing the web pages' packages …");
        show(&mut npm_ci(workshop, "web"))?;
        remember(workshop, "packages", &packages_hash(&web)?)?;
    }
    if !web.join("dist/panel.html").is_file() || changed(workshop, "sources", &sources_hash(&web)?) {
        println!("Building the web pages …");
        show(workshop.command("npm", "web").args(["run", "--silent", "build"]))?;
        remember_built(workshop)?;
    }
    Ok(())
}

/// Notes that `web/dist` stands for the sources as they are.
///
/// # Errors
/// When a file can't be read or written.
pub fn remember_built(workshop: &Workshop) -> Result<(), Failure> {
    remember(workshop, "sources", &sources_hash(&workshop.root.join("web"))?)
}

/// `npm ci`, without asking anybody but the package registry.
pub fn npm_ci(workshop: &Workshop, folder: &str) -> Command {
    let mut command = workshop.command("npm", folder);
    command.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
    command
}

/// Checks the first load of each page against its budget; one line a page into the log.
///
/// # Errors
/// When a page is missing or too large.
pub fn check_budgets(workshop: &Workshop, log: &mut Log) -> Result<(), Failure> {
    let dist = workshop.root.join("web/dist");
    let mut over = Vec::new();
    for (page, budget) in BUDGETS {
        let html = fs::read_to_string(dist.join(format!("{page}.html")))
            .map_err(|error| Failure::new(format!("web/dist/{page}.html: {error}")))?;
        let mut size = 0;
        for script in first_load(&html) {
            let file = dist.join(script.trim_start_matches(['.', '/']));
            size += output_of(Command::new("gzip").args(["-9", "-c"]).arg(&file).stdin(Stdio::null()))?.len()
                as u64;
        }
        if size == 0 {
            return Err(Failure::new(format!("web/dist/{page}.html loads no script")));
        }
        let line =
            format!("{page}: {:.1} kB of JavaScript gzipped, budget {} kB", size as f64 / 1e3, budget / 1000);
        log.line(&line)?;
        if size > *budget {
            over.push(line);
        }
    }
    if over.is_empty() { Ok(()) } else { Err(Failure::new(format!("over budget: {}", over.join("; ")))) }
}

/// Scripts that a page loads before anybody touches it: its own and those it preloads.
fn first_load(html: &str) -> BTreeSet<&str> {
    let tags = html.split('<').filter(|tag| {
        tag.starts_with("script ") || tag.starts_with("link ") && tag.contains("rel=\"modulepreload\"")
    });
    tags.filter_map(|tag| {
        let (_, value) = tag.split_once("src=\"").or_else(|| tag.split_once("href=\""))?;
        value.split('"').next()
    })
    .collect()
}

fn packages_hash(web: &Path) -> Result<String, Failure> {
    hash_of(&[web.join("package.json"), web.join("package-lock.json")])
}

fn sources_hash(web: &Path) -> Result<String, Failure> {
    let mut files = Vec::new();
    list(web, &mut files)?;
    files.sort();
    hash_of(&files)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let written = path.file_name().is_some_and(|name| WRITTEN.iter().any(|folder| name == *folder));
        if path.is_dir() && !written {
            list(&path, files)?;
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

fn hash_of(files: &[PathBuf]) -> Result<String, Failure> {
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.hash(&mut hasher);
        fs::read(file)
            .map_err(|error| Failure::new(format!("{}: {error}", file.display())))?
            .hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn stamp(workshop: &Workshop, what: &str) -> PathBuf {
    workshop.root.join("var/web").join(what)
}

fn changed(workshop: &Workshop, what: &str, hash: &str) -> bool {
    fs::read_to_string(stamp(workshop, what)).map_or(true, |known| known != hash)
}

fn remember(workshop: &Workshop, what: &str, hash: &str) -> Result<(), Failure> {
    let file = stamp(workshop, what);
    fs::create_dir_all(workshop.root.join("var/web"))?;
    Ok(fs::write(file, hash)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_load_is_the_script_and_what_it_preloads() {
        let html = r#"<head><script type="module" crossorigin src="/assets/panel-1.js"></script>
            <link rel="modulepreload" crossorigin href="/assets/shared-2.js">
            <link rel="stylesheet" href="/assets/panel.css"><link rel="icon" href="/i.svg"></head>"#;
        assert_eq!(
            first_load(html).into_iter().collect::<Vec<_>>(),
            ["/assets/panel-1.js", "/assets/shared-2.js"]
        );
    }

    #[test]
    fn the_stamp_follows_content_and_not_what_builds_write() {
        let web = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = web.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("src/a.ts", "1");
        let first = sources_hash(web.path()).unwrap();
        write("dist/a.js", "1");
        write("node_modules/x/index.js", "1");
        assert_eq!(sources_hash(web.path()).unwrap(), first);
        write("src/a.ts", "2");
        let second = sources_hash(web.path()).unwrap();
        assert_ne!(second, first);
        write("src/b.ts", "");
        assert_ne!(sources_hash(web.path()).unwrap(), second);
    }
}
