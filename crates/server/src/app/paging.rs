//! Pages of long lists: how long one is, in which order, and where it ends.
//!
//! A cursor is what the last row of a page is sorted by, so a row that is gone or moved by then takes no other with it.
//! Whoever asks gives it back as it is; one of another order is refused.

use crate::http::problem::{FieldCode, Fields, Problem};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

/// The longest page.
pub(super) const LIMIT: u16 = 200;
/// How long one is without a wish.
const USUAL: u16 = 50;
/// Longer than any that was written here.
const CURSOR_MAX: usize = 2_000;

/// Which page of a list that is in the order in which its rows were made, and in no other.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AsMade {
    /// The `next` of the page before.
    cursor: Option<String>,
    /// How many, 1 to 200.
    limit: Option<u16>,
}

impl AsMade {
    /// Behind which row the page begins, and how long it is.
    pub(super) fn place<Id: From<Uuid>>(&self) -> Result<(Option<Id>, u16), Problem> {
        let mut fields = Fields::default();
        let place = |mut parts: Parts| {
            parts.is(MADE)?;
            let after = parts.id()?;
            parts.end().map(|()| after)
        };
        let after = after(self.cursor.as_deref(), place, &mut fields);
        let limit = limit(self.limit, &mut fields);
        fields.check()?;
        Ok((after, limit))
    }

    /// Cuts what is more than a page, of which one more was asked for: where the next page begins, unless it is the last.
    pub(super) fn cut<Row>(found: &mut Vec<Row>, limit: u16, id: impl Fn(&Row) -> Uuid) -> Option<String> {
        let more = found.len() > usize::from(limit);
        found.truncate(limit.into());
        let last = found.last().filter(|_| more)?;
        Some(cursor(MADE, &[id(last).as_bytes().as_slice()]))
    }
}

/// The order of [`AsMade`].
const MADE: &str = "made";

/// How long a page is.
pub(super) fn limit(asked: Option<u16>, fields: &mut Fields) -> u16 {
    let limit = asked.unwrap_or(USUAL);
    if !(1..=LIMIT).contains(&limit) {
        fields.wrong("/limit", FieldCode::OutOfRange);
    }
    limit
}

/// In which of these orders a list is, and whether from the last to the first: a name, or `-` and a name. The first order
/// where none is asked for.
pub(super) fn order<Order: Copy>(
    asked: Option<&str>,
    usual: Order,
    orders: &[(&str, Order)],
    fields: &mut Fields,
) -> (Order, bool) {
    let Some(asked) = asked else { return (usual, false) };
    let (name, descending) = asked.strip_prefix('-').map_or((asked, false), |name| (name, true));
    if let Some((_, order)) = orders.iter().find(|(known, _)| *known == name) {
        return (*order, descending);
    }
    fields.wrong("/sort", FieldCode::OutOfRange);
    (usual, descending)
}

/// Where a page ends, read with a function that knows the order.
pub(super) fn after<Place>(
    asked: Option<&str>,
    read: impl FnOnce(Parts) -> Option<Place>,
    fields: &mut Fields,
) -> Option<Place> {
    let place = Parts::of(asked?).and_then(read);
    if place.is_none() {
        fields.wrong("/cursor", FieldCode::OutOfRange);
    }
    place
}

/// A cursor: the name of the order, then the keys.
pub(super) fn cursor(order: &str, keys: &[&[u8]]) -> String {
    let mut bytes = Vec::new();
    for part in std::iter::once(&order.as_bytes()).chain(keys) {
        bytes.extend(u16::try_from(part.len()).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The parts of a cursor, in turn.
pub(super) struct Parts(Vec<u8>);

impl Parts {
    fn of(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(Some(text).filter(|text| text.len() <= CURSOR_MAX)?).ok().map(Self)
    }

    /// The next one, as it is.
    pub(super) fn bytes(&mut self) -> Option<Vec<u8>> {
        let (length, rest) = self.0.split_first_chunk::<2>()?;
        let (part, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        let part = part.to_vec();
        self.0 = rest.to_vec();
        Some(part)
    }

    /// The next one, an id.
    pub(super) fn id<Id: From<Uuid>>(&mut self) -> Option<Id> {
        Uuid::from_slice(&self.bytes()?).ok().map(Id::from)
    }

    /// That the next one is this order.
    pub(super) fn is(&mut self, order: &str) -> Option<()> {
        (self.bytes()? == order.as_bytes()).then_some(())
    }

    /// That there are no more.
    pub(super) fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klinke_model::ids::{UnitId, v4};
    use proptest::prelude::*;

    fn read(text: &str, order: &str) -> Option<(Vec<u8>, UnitId)> {
        let mut parts = Parts::of(text)?;
        parts.is(order)?;
        let found = (parts.bytes()?, parts.id()?);
        parts.end()?;
        Some(found)
    }

    proptest! {
        #[test]
        fn a_cursor_comes_back_in_its_own_order_only(key in any::<Vec<u8>>(), id in any::<[u8; 16]>()) {
            let id = UnitId(v4(id));
            let text = cursor("number", &[&key, id.0.as_bytes()]);
            prop_assert_eq!(read(&text, "number"), Some((key, id)));
            prop_assert_eq!(read(&text, "name"), None);
            prop_assert_eq!(read(&text[1..], "number"), None);
        }

        #[test]
        fn what_is_no_cursor_is_refused_and_nothing_else(text in any::<String>()) {
            let mut fields = Fields::default();
            let place = after(Some(&text), |mut parts| parts.is("number").and_then(|()| parts.bytes()), &mut fields);
            prop_assert_eq!(place.is_none(), fields.check().is_err());
        }
    }

    #[test]
    fn an_order_has_two_directions_and_a_page_a_length() {
        let orders = [("name", 1), ("home", 2)];
        for (asked, found) in [
            (None, (1, false)),
            (Some("home"), (2, false)),
            (Some("-home"), (2, true)),
            (Some("-name"), (1, true)),
        ] {
            let mut fields = Fields::default();
            assert_eq!(order(asked, 1, &orders, &mut fields), found);
            assert!(fields.check().is_ok());
        }
        for odd in ["", "-", "--name", "Name", "phone"] {
            let mut fields = Fields::default();
            order(Some(odd), 1, &orders, &mut fields);
            assert!(fields.check().is_err(), "{odd}");
        }
        for (asked, good) in
            [(None, true), (Some(1), true), (Some(200), true), (Some(0), false), (Some(201), false)]
        {
            let mut fields = Fields::default();
            limit(asked, &mut fields);
            assert_eq!(fields.check().is_ok(), good, "{asked:?}");
        }
    }
}
