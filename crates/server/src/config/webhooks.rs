//! Which other systems may be told of changes.

use super::hosts::are_hosts;
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// Other systems that administrators may have told of changes. Nothing is called that is not named here.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Webhooks {
    /// Host names that messages may go to: exact, or `*.example.org` for all below it. Empty: none goes anywhere.
    #[schemars(example = ["hooks.example.org", "*.example.com"])]
    pub hosts: Vec<String>,
    /// Ranges of private or special addresses that the hosts may be at. Left out, only public addresses are called.
    /// Plain http is for these only.
    #[schemars(with = "Vec<String>", example = ["10.20.0.0/16"])]
    pub allow_private: Vec<IpNet>,
    /// PEM file with authorities to trust besides those of this machine.
    #[schemars(example = "/etc/klinke/our-authority.pem")]
    pub ca_file: Option<PathBuf>,
    /// How long a receiver may take.
    #[serde(skip)]
    pub within: Duration,
}

impl Default for Webhooks {
    fn default() -> Self {
        let within = Duration::from_secs(10);
        Self { hosts: Vec::new(), allow_private: Vec::new(), ca_file: None, within }
    }
}

impl Webhooks {
    /// What the types can not say: the key that is wrong, and why.
    pub(super) fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if !are_hosts(&self.hosts) {
            return Err(("webhooks.hosts", "has a name that is not a host name in small letters"));
        }
        Ok(())
    }
}
