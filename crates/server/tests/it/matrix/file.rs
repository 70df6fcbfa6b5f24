//! The file of expected answers: blocks of operations that answer alike, a line for each place.
//!
//! ```text
//! @group = names
//! GET /api/v1/one            operations that have the same lines
//! GET /api/v1/two
//!     A, B        ok: manager admin; not_signed_in: @strangers; not_found: rest
//! ```
//!
//! An answer is `ok` (what the document says first of success) or the code of the problem. `rest` is everybody whom the
//! line does not name.

use super::rules::{Row, documented, is_open_to_tokens};
use super::town::Who;
use std::collections::{BTreeMap, HashMap};

/// What each principal is answered.
pub type Answers = BTreeMap<Who, String>;

/// What is expected, by operation (method and path) and place.
pub type Expected = BTreeMap<String, BTreeMap<Row, Answers>>;

/// Reads the file, or says what is wrong with it.
///
/// Other programs are left to [`with_programs`], unless a line names them.
pub fn parse(text: &str) -> Result<Expected, String> {
    let mut groups: HashMap<&str, &str> = HashMap::new();
    let mut expected = Expected::new();
    let (mut heads, mut in_lines): (Vec<String>, bool) = (Vec::new(), false);
    for (number, line) in (1..).zip(text.lines()) {
        let wrong = |what: &str| format!("line {number}: {what}: {line}");
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(group) = line.strip_prefix('@') {
            let (name, names) = group.split_once('=').ok_or_else(|| wrong("no `=`"))?;
            groups.insert(name.trim(), names.trim());
        } else if line.starts_with(' ') {
            in_lines = true;
            let (rows, answers) = line.trim().split_once("  ").ok_or_else(|| wrong("no answers"))?;
            let answers = parse_answers(answers, &groups).map_err(|what| wrong(&what))?;
            for row in rows.split(", ") {
                let row = Row::parse(row).ok_or_else(|| wrong("no such place"))?;
                for head in &heads {
                    let lines = expected.entry(head.clone()).or_default();
                    if lines.insert(row, answers.clone()).is_some() {
                        return Err(wrong("a place twice"));
                    }
                }
            }
        } else {
            if in_lines {
                heads.clear();
            }
            in_lines = false;
            let head = line.trim().to_owned();
            if expected.contains_key(&head) || heads.contains(&head) {
                return Err(wrong("an operation twice"));
            }
            heads.push(head);
        }
    }
    Ok(expected)
}

/// Adds what other programs are answered: as the person whom their token stands for, where they are let in at all.
pub fn with_programs(expected: &mut Expected) {
    for (head, lines) in expected {
        let for_people = documented(head).is_none_or(|operation| operation.get("security").is_some())
            && !is_open_to_tokens(head)
            && head != "GET /api/v1/panel/socket";
        for answers in lines.values_mut() {
            for (who, like) in Who::ALL.into_iter().filter_map(|who| Some((who, who.like()?))) {
                let refused = for_people && Who::TOKENS.contains(&who);
                let answer = if refused { "not_for_tokens" } else { &answers[&like] }.to_owned();
                answers.entry(who).or_insert(answer);
            }
        }
    }
}

fn parse_answers(text: &str, groups: &HashMap<&str, &str>) -> Result<Answers, String> {
    let mut answers = Answers::new();
    let mut rest = None;
    for part in text.trim().split(';') {
        let (answer, names) = part.trim().split_once(": ").ok_or("an answer without names")?;
        let names = names.split(' ').flat_map(|name| match name.strip_prefix('@') {
            Some(group) => groups.get(group).copied().unwrap_or(name).split(' '),
            None => name.split(' '),
        });
        for name in names {
            if name == "rest" || name == "everybody" {
                rest = Some(answer.to_owned());
                continue;
            }
            let who = Who::ALL.into_iter().find(|who| who.name() == name);
            let who = who.ok_or_else(|| format!("nobody is called {name}"))?;
            if answers.insert(who, answer.to_owned()).is_some() {
                return Err(format!("{name} twice"));
            }
        }
    }
    for who in Who::ALL {
        if who.like().is_some() {
            continue;
        }
        if let Some(rest) = &rest {
            answers.entry(who).or_insert_with(|| rest.clone());
        }
        if !answers.contains_key(&who) {
            return Err(format!("nothing for {}", who.name()));
        }
    }
    Ok(answers)
}
