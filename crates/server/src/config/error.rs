//! What is wrong with a configuration, told so that it can be put right: where, which key, what to write.

use super::Config;
use figment::Figment;
use figment::error::Kind;
use serde_json::Value;
use std::path::Path;

/// A configuration that can not be used.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {key} {wrong}{hint}")]
pub struct ConfigError {
    place: String,
    key: String,
    wrong: String,
    hint: String,
}

impl ConfigError {
    pub(super) fn missing_file(file: &Path) -> Self {
        Self {
            place: file.display().to_string(),
            key: "the file".to_owned(),
            wrong: "is not there".to_owned(),
            hint: String::new(),
        }
    }

    /// A value that has the right type but can not be used.
    pub(super) fn new(layers: &Figment, key: &str, wrong: &str) -> Self {
        let place = layers.find_metadata(key).map_or_else(|| "configuration".to_owned(), place);
        Self { place, key: key.to_owned(), wrong: wrong.to_owned(), hint: hint(key) }
    }

    /// A value that could not be read.
    pub(super) fn from_figment(error: &figment::Error) -> Self {
        let mut path = error.path.clone();
        let wrong = match &error.kind {
            Kind::MissingField(field) => {
                path.push(field.to_string());
                "is missing".to_owned()
            }
            Kind::UnknownField(field, known) => {
                if path.last() != Some(field) {
                    path.push(field.clone());
                }
                format!(
                    "is not a key; there {} {}",
                    if known.len() == 1 { "is" } else { "are" },
                    known.join(", ")
                )
            }
            // A value that could not be read may be a secret: say what it should be, not what it is.
            Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => format!("must be {expected}"),
            Kind::UnknownVariant(_, known) => format!("must be one of {}", known.join(", ")),
            other => format!("can not be read: {other}"),
        };
        let key = path.join(".");
        let place = error.metadata.as_ref().map_or_else(|| "configuration".to_owned(), place);
        Self { place, hint: hint(&key), key, wrong }
    }
}

fn place(metadata: &figment::Metadata) -> String {
    match metadata.source.as_ref().and_then(|source| source.file_path()) {
        Some(file) => file.display().to_string(),
        None => metadata.name.to_string(),
    }
}

/// What to write, from the description and the example in the schema.
fn hint(key: &str) -> String {
    let schema = schemars::schema_for!(Config).to_value();
    let mut at = &schema;
    // the place in a list is no key
    let names = || key.split('.').filter(|name| name.parse::<usize>().is_err());
    for name in names() {
        at = match at.get("properties").and_then(|keys| keys.get(name)) {
            Some(found) => resolve(&schema, found),
            None => return String::new(),
        };
    }
    let description = at.get("description").and_then(Value::as_str).unwrap_or_default().replace('\n', " ");
    let name = names().next_back().unwrap_or(key);
    match at.get("examples").and_then(|examples| examples.get(0)) {
        Some(example) => format!("\n  write: {name} = {example}\n  {description}"),
        None => format!("\n  {description}"),
    }
}

/// Follows a reference to a section's own schema, also where the section may be left out.
fn resolve<'a>(schema: &'a Value, node: &'a Value) -> &'a Value {
    let choice = node.get("anyOf").and_then(|choices| choices.get(0)).unwrap_or(node);
    let reference = choice.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix('#'));
    match reference.and_then(|pointer| schema.pointer(pointer)) {
        // A key beside the reference (its own description and example) says more than the type it refers to.
        Some(section) if section.get("properties").is_some() => section,
        _ => node,
    }
}
