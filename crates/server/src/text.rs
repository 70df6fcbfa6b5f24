//! Texts in the reader's language, from the same Fluent files as the web pages.

use axum::http::{HeaderMap, header::ACCEPT_LANGUAGE};
use fluent_bundle::{FluentResource, concurrent::FluentBundle};
use std::sync::LazyLock;
use unic_langid::{LanguageIdentifier, langid};

/// A language that there is a file for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Norwegian bokmål.
    Bokmal,
    /// Norwegian nynorsk.
    Nynorsk,
    /// Swedish.
    Swedish,
    /// Danish.
    Danish,
    /// English; for everybody else.
    English,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 5] = [Self::Bokmal, Self::Nynorsk, Self::Swedish, Self::Danish, Self::English];

    /// The BCP 47 tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Bokmal => "nb",
            Self::Nynorsk => "nn",
            Self::Swedish => "sv",
            Self::Danish => "da",
            Self::English => "en",
        }
    }

    /// The reader's choice (RFC 9110, §12.5.4): the language with the highest weight that there is a file for.
    pub fn preferred(headers: &HeaderMap) -> Self {
        let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut best = (Self::English, 0.0);
        for range in accepted.split(',').take(20) {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let weight = parameters.trim().strip_prefix("q=").map_or(1.0, |q| q.parse().unwrap_or(0.0));
            let primary = tag.trim().split('-').next().unwrap_or_default().to_ascii_lowercase();
            let language = match primary.as_str() {
                "nb" | "no" => Self::Bokmal,
                "nn" => Self::Nynorsk,
                "sv" => Self::Swedish,
                "da" => Self::Danish,
                "en" => Self::English,
                _ => continue,
            };
            if weight > best.1 {
                best = (language, weight);
            }
        }
        best.0
    }

    /// The text of this id, or `None` when its file has none.
    pub fn text(self, id: &str) -> Option<String> {
        let bundle = match self {
            Self::Bokmal => &*BOKMAL,
            Self::Nynorsk => &*NYNORSK,
            Self::Swedish => &*SWEDISH,
            Self::Danish => &*DANISH,
            Self::English => &*ENGLISH,
        };
        let pattern = bundle.get_message(id)?.value()?;
        Some(bundle.format_pattern(pattern, None, &mut Vec::new()).into_owned())
    }
}

type Bundle = FluentBundle<FluentResource>;

static BOKMAL: LazyLock<Bundle> =
    LazyLock::new(|| bundle(langid!("nb"), include_str!("../../../web/src/locales/nb.ftl")));
static NYNORSK: LazyLock<Bundle> =
    LazyLock::new(|| bundle(langid!("nn"), include_str!("../../../web/src/locales/nn.ftl")));
static DANISH: LazyLock<Bundle> =
    LazyLock::new(|| bundle(langid!("da"), include_str!("../../../web/src/locales/da.ftl")));
static SWEDISH: LazyLock<Bundle> =
    LazyLock::new(|| bundle(langid!("sv"), include_str!("../../../web/src/locales/sv.ftl")));
static ENGLISH: LazyLock<Bundle> =
    LazyLock::new(|| bundle(langid!("en"), include_str!("../../../web/src/locales/en.ftl")));

fn bundle(language: LanguageIdentifier, source: &str) -> Bundle {
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // A message with an error is left out; a test names it before it is shipped.
    let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(resource, _)| resource);
    bundle.add_resource_overriding(resource);
    bundle
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::problem::Code;

    fn preferred(accepted: &'static str) -> Language {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, axum::http::HeaderValue::from_static(accepted));
        Language::preferred(&headers)
    }

    #[test]
    fn the_reader_chooses_the_language() {
        assert_eq!(preferred("sv-SE,sv;q=0.9,en;q=0.8"), Language::Swedish);
        assert_eq!(preferred("de, en;q=0.3, nn;q=0.4"), Language::Nynorsk);
        assert_eq!(preferred("no, en;q=0.3"), Language::Bokmal);
        assert_eq!(preferred("da-DK, sv;q=0.9"), Language::Danish);
        assert_eq!(preferred("sv;q=0, *"), Language::English);
        assert_eq!(preferred("sv;q=many, nb;q=0.1"), Language::Bokmal);
        assert_eq!(Language::preferred(&HeaderMap::new()), Language::English);
    }

    #[test]
    fn every_problem_has_a_title_in_every_language() {
        let missing: Vec<String> = Language::ALL
            .into_iter()
            .flat_map(|language| Code::ALL.iter().map(move |code| (language, code.title_id())))
            .filter(|(language, id)| language.text(id).is_none())
            .map(|(language, id)| format!("{}.ftl: {id}", language.tag()))
            .collect();
        assert!(missing.is_empty(), "no text for {missing:#?}");
    }
}
