//! Licences and bans, from `deny.toml` (the file format of cargo-deny, of which this reads the two lists it needs).

use crate::deps::packages;
use serde_json::Value;

/// What `deny.toml` says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rules {
    allowed: Vec<String>,
    banned: Vec<String>,
}

impl Rules {
    /// Reads `[licenses] allow` and `[bans] deny`: lists of strings, one or more a line.
    pub fn parse(text: &str) -> Self {
        let mut rules = Self::default();
        let mut section = String::new();
        let mut list: Option<&mut Vec<String>> = None;
        for line in text.lines().map(|line| line.split('#').next().unwrap_or(line).trim()) {
            if line.starts_with('[') && list.is_none() {
                section = line.trim_matches(['[', ']']).to_owned();
                continue;
            }
            if let Some((key, _)) = line.split_once('=')
                && list.is_none()
            {
                list = match (section.as_str(), key.trim()) {
                    ("licenses", "allow") => Some(&mut rules.allowed),
                    ("bans", "deny") => Some(&mut rules.banned),
                    _ => None,
                };
            }
            if let Some(entries) = list.as_mut() {
                let values = line.split_once('=').map_or(line, |(_, values)| values);
                entries.extend(values.split('"').skip(1).step_by(2).map(str::to_owned));
                if line.ends_with(']') {
                    list = None;
                }
            }
        }
        rules
    }

    /// Packages whose licence is not allowed.
    pub fn licence_faults(&self, metadata: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        for (name, package) in packages(metadata) {
            match package["license"].as_str() {
                None => faults.push(format!("{name} names no licence")),
                Some(expression) if !self.allows(expression) => {
                    faults.push(format!("{name} is under {expression}, which deny.toml does not allow"));
                }
                Some(_) => {}
            }
        }
        faults
    }

    /// Banned packages that are there.
    pub fn ban_faults(&self, metadata: &Value) -> Vec<String> {
        let banned = |name: &str| self.banned.iter().any(|banned| banned == name);
        packages(metadata)
            .filter(|(name, _)| banned(name))
            .map(|(name, _)| format!("{name} is banned by deny.toml: `cargo tree --workspace -i {name}`"))
            .collect()
    }

    /// Whether an SPDX expression can be met with allowed licences.
    fn allows(&self, expression: &str) -> bool {
        // older manifests write "MIT/Apache-2.0" for OR
        let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let mut reader = Reader { words: &words, allowed: &self.allowed };
        reader.any_of() == Some(true) && reader.words.is_empty()
    }
}

/// Reads an SPDX expression; AND binds tighter than OR. `None`: not an expression.
struct Reader<'a> {
    words: &'a [&'a str],
    allowed: &'a [String],
}

impl<'a> Reader<'a> {
    fn take(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn take_if(&mut self, word: &str) -> bool {
        let found = self.words.first() == Some(&word);
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    fn any_of(&mut self) -> Option<bool> {
        let mut met = self.all_of()?;
        while self.take_if("OR") {
            met |= self.all_of()?;
        }
        Some(met)
    }

    fn all_of(&mut self) -> Option<bool> {
        let mut met = self.one()?;
        while self.take_if("AND") {
            met &= self.one()?;
        }
        Some(met)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take_if("(") {
            let met = self.any_of()?;
            return self.take_if(")").then_some(met);
        }
        let mut licence = self.take()?.to_owned();
        if self.take_if("WITH") {
            licence = format!("{licence} WITH {}", self.take()?);
        }
        Some(self.allowed.contains(&licence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const FILE: &str = "# a comment\n[licenses]\nallow = [\n  \"MIT\", # \"GPL\" never\n  \"Apache-2.0\",\n  \
                        \"Apache-2.0 WITH LLVM-exception\",\n]\nconfidence = 0.9\n\n[bans]\ndeny = [\"rsa\"]\n\
                        multiple-versions = \"allow\"\n";

    #[test]
    fn the_lists_are_read() {
        let rules = Rules::parse(FILE);
        assert_eq!(rules.allowed, ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"]);
        assert_eq!(rules.banned, ["rsa"]);
    }

    #[test]
    fn a_comment_behind_an_entry_allows_nothing() {
        assert!(!Rules::parse(FILE).allows("GPL"));
    }

    #[test]
    fn expressions() {
        let rules = Rules::parse(FILE);
        for good in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-2.0-only OR MIT",
            "MIT AND Apache-2.0",
            "(GPL-2.0-only OR MIT) AND Apache-2.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
            "GPL-2.0-only AND LGPL-2.1 OR MIT",
        ] {
            assert!(rules.allows(good), "{good}");
        }
        for bad in
            ["GPL-3.0", "MIT AND GPL-3.0", "GPL-2.0 WITH LLVM-exception", "", "MIT MIT", "(MIT", "MIT OR"]
        {
            assert!(!rules.allows(bad), "{bad}");
        }
    }

    #[test]
    fn faults_name_the_package() {
        let rules = Rules::parse(FILE);
        let metadata = json!({ "packages": [
            { "name": "good", "license": "MIT" },
            { "name": "rsa", "license": "MIT" },
            { "name": "copyleft", "license": "AGPL-3.0-only" },
            { "name": "silent", "license": null },
        ]});
        assert_eq!(
            rules.licence_faults(&metadata),
            ["copyleft is under AGPL-3.0-only, which deny.toml does not allow", "silent names no licence"]
        );
        assert_eq!(
            rules.ban_faults(&metadata),
            ["rsa is banned by deny.toml: `cargo tree --workspace -i rsa`"]
        );
    }
}
