//! Which telephone companies and switchboards may be spoken to.

use super::hosts::are_hosts;
use schemars::JsonSchema;
use serde::Deserialize;

/// Ordinary phones.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Phones {
    /// Hosts that trunks may be set up to: exact, or `*.example.org` for all below it. Empty: none can be set up, and no
    /// ordinary phone is rung.
    #[schemars(example = ["sip.example.net", "*.example.com"])]
    pub trunk_hosts: Vec<String>,
}

impl Phones {
    /// What the types can not say: the key that is wrong, and why.
    pub(super) fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if are_hosts(&self.trunk_hosts) {
            Ok(())
        } else {
            Err(("phones.trunk_hosts", "has a name that is not a host name in small letters"))
        }
    }
}
