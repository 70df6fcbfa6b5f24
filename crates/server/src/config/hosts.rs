//! Lists of host names that the operator allows: exact, or `*.example.org` for all below it.

/// Whether each is a host name in small letters, or an address as it is written in a URL.
pub(super) fn are_hosts(hosts: &[String]) -> bool {
    let named = |host: &String| {
        let name = host.strip_prefix("*.").unwrap_or(host);
        let plain = url::Host::parse(name).is_ok_and(|parsed| match parsed {
            // the address is matched as it is written in a URL, so it must be written that way here
            url::Host::Domain(domain) => domain == name,
            literal => !host.starts_with("*.") && literal.to_string() == name,
        });
        plain && !name.ends_with('.') && name != "*"
    };
    hosts.iter().all(named)
}

/// Whether a list allows this host.
pub fn allow(hosts: &[String], host: &str) -> bool {
    hosts.iter().any(|named| match named.strip_prefix('*') {
        Some(below) => host.len() > below.len() && host.ends_with(below),
        None => host == named,
    })
}
