//! Tokens of other programs.

use klinke_model::ids::{ApiTokenId, BuildingId, PersonId, TenantId};
use klinke_model::privacy::Pii;
use klinke_model::rights::{LONGEST_ROLE_DAYS, Right};
use klinke_model::text::Label;
use klinke_model::time::Timestamp;
use std::time::Duration;

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewApiToken {
    /// Its id.
    pub id: ApiTokenId,
    /// What its maker calls it.
    pub name: Label,
    /// SHA-256 of the token; the token itself is never stored.
    pub token_hash: [u8; 32],
    /// Where it counts; none: in every building.
    pub building: Option<BuildingId>,
    /// What it allows.
    pub rights: Vec<Right>,
    /// First moment at which it is over.
    pub ends_at: Timestamp,
}

/// Why a token can not be made like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFault {
    /// It allows nothing.
    NoRights,
    /// It allows one thing twice, or what no token can do.
    WrongRights,
    /// It is over already, or lasts longer than a year.
    WrongEnd,
}

impl NewApiToken {
    /// What is wrong with making it now, if anything.
    pub fn fault(&self, now: Timestamp) -> Option<TokenFault> {
        let latest = now.plus(Duration::from_secs(LONGEST_ROLE_DAYS * 86_400));
        let wrong = |(place, right): (usize, &Right)| {
            !Right::OF_TOKENS.contains(right) || self.rights.iter().take(place).any(|before| before == right)
        };
        if self.rights.is_empty() {
            Some(TokenFault::NoRights)
        } else if self.rights.iter().enumerate().any(wrong) {
            Some(TokenFault::WrongRights)
        } else if self.ends_at <= now || self.ends_at > latest {
            Some(TokenFault::WrongEnd)
        } else {
            None
        }
    }
}

/// A token as its administrators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Its id.
    pub id: ApiTokenId,
    /// What its maker calls it.
    pub name: Label,
    /// Where it counts; none: in every building.
    pub building: Option<BuildingId>,
    /// What it allows, as far as its maker may do it.
    pub rights: Vec<Right>,
    /// Who made it.
    pub issuer: PersonId,
    /// What they are called.
    pub issuer_name: Option<Pii<Label>>,
    /// First moment at which it is over.
    pub ends_at: Timestamp,
}

/// Who holds a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenHolder {
    /// Whose data.
    pub tenant: TenantId,
    /// Which token.
    pub token: ApiTokenId,
    /// In whose name.
    pub issuer: PersonId,
}
