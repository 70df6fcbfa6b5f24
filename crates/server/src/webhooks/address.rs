//! Where a message may go. Pure: the name is resolved elsewhere, what is found is judged here.
//!
//! An administrator writes an address, and the server calls it: without these rules they could reach what only the server
//! can (the metadata service of a cloud, a database, a printer). So an address must have a host that the operator named,
//! and every address of that host must be public, or in a range that the operator allowed.

use crate::config::{self, hosts};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// The longest address.
const LONGEST: usize = 2_000;

/// Why a message may not go there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Not an address with a host, or with a password, a fragment or a port that is not for this.
    NotAnAddress,
    /// Too long.
    TooLong,
    /// Plain http, and not to a private address that is allowed.
    NotHttps,
    /// The operator did not name this host.
    Host,
    /// The host is at a special address.
    Special,
}

/// What the operator allows.
#[derive(Clone, Debug)]
pub struct Rules {
    hosts: Vec<String>,
    private: Vec<IpNet>,
}

/// An address that was found good, before its host is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whether it is encrypted.
    pub https: bool,
    /// The name, or the address as it was written.
    pub host: Host<String>,
    /// Where it listens.
    pub port: u16,
    /// For the `Host` header.
    pub authority: String,
    /// Path and query.
    pub path: String,
}

impl Rules {
    /// As the configuration says.
    pub fn new(config: &config::Webhooks) -> Self {
        Self { hosts: config.hosts.clone(), private: config.allow_private.clone() }
    }

    /// Whether any message goes anywhere.
    pub fn is_on(&self) -> bool {
        !self.hosts.is_empty()
    }

    /// The hosts that the operator named.
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// Judges an address as it was written.
    ///
    /// # Errors
    /// Why a message may not go there.
    pub fn target(&self, text: &str) -> Result<Target, Refused> {
        if text.len() > LONGEST {
            return Err(Refused::TooLong);
        }
        let url = Url::parse(text).map_err(|_| Refused::NotAnAddress)?;
        let https = match url.scheme() {
            "https" => true,
            "http" if !self.private.is_empty() => false,
            "http" => return Err(Refused::NotHttps),
            _ => return Err(Refused::NotAnAddress),
        };
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        let (Some(host), Some(port), true) = (url.host(), url.port_or_known_default(), plain) else {
            return Err(Refused::NotAnAddress);
        };
        let port_is_for_this = port == 443 || port >= 1024 || (!https && port == 80);
        if !port_is_for_this {
            return Err(Refused::NotAnAddress);
        }
        let host = host.to_owned();
        if !hosts::allow(&self.hosts, &host.to_string()) {
            return Err(Refused::Host);
        }
        match &host {
            Host::Ipv4(address) => self.judge((*address).into(), https)?,
            Host::Ipv6(address) => self.judge((*address).into(), https)?,
            Host::Domain(_) => {}
        }
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_string(),
        };
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        Ok(Target { https, host, port, authority, path })
    }

    /// Judges what a host was found at.
    ///
    /// # Errors
    /// Why a message may not go there.
    pub fn judge(&self, address: IpAddr, https: bool) -> Result<(), Refused> {
        let allowed = self.private.iter().any(|range| range.contains(&address.to_canonical()));
        match (allowed, https) {
            (true, _) => Ok(()),
            (false, false) => Err(Refused::NotHttps),
            (false, true) if is_special(address) => Err(Refused::Special),
            (false, true) => Ok(()),
        }
    }
}

/// Whether an address is anything but a public one of a single machine. What stands inside another address (IPv4 in IPv6,
/// however it is carried) is judged too.
pub fn is_special(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_special_v4(address),
        IpAddr::V6(address) => is_special_v6(address),
    }
}

fn is_special_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    matches!(
        (a, b, c),
        (0 | 10 | 127, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18..=19, _)
            | (198, 51, 100)
            | (203, 0, 113)
            | (224..=255, _, _)
    )
}

/// The other way round: what is not known to be public is special.
fn is_special_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let inside = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_special_v4(Ipv4Addr::new(a, b, c, d))
    };
    match (a, b) {
        // IPv4 itself
        (0, 0) if [c, d, e] == [0; 3] && f == 0xffff => inside(g, h),
        // NAT64
        (0x64, 0xff9b) if [c, d, e, f] == [0; 4] => inside(g, h),
        // 6to4
        (0x2002, _) => inside(b, c),
        // for the IETF's own use, Teredo among it; documentation
        (0x2001, 0..=0x1ff | 0xdb8) | (0x3fff, 0..=0xfff) => true,
        // global unicast
        (0x2000..=0x3fff, _) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rules(hosts: &[&str], private: &[&str]) -> Rules {
        let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        Rules { hosts, private: private.iter().map(|range| range.parse().unwrap()).collect() }
    }

    #[test]
    fn every_special_range_is_refused_at_both_ends_and_its_neighbours_are_not() {
        let table = [
            ("0.0.0.0", "0.255.255.255", None, Some("1.0.0.0")),
            ("10.0.0.0", "10.255.255.255", Some("9.255.255.255"), Some("11.0.0.0")),
            ("100.64.0.0", "100.127.255.255", Some("100.63.255.255"), Some("100.128.0.0")),
            ("127.0.0.0", "127.255.255.255", Some("126.255.255.255"), Some("128.0.0.0")),
            ("169.254.0.0", "169.254.255.255", Some("169.253.255.255"), Some("169.255.0.0")),
            ("172.16.0.0", "172.31.255.255", Some("172.15.255.255"), Some("172.32.0.0")),
            ("192.0.0.0", "192.0.0.255", Some("191.255.255.255"), Some("192.0.1.0")),
            ("192.0.2.0", "192.0.2.255", Some("192.0.1.255"), Some("192.0.3.0")),
            ("192.168.0.0", "192.168.255.255", Some("192.167.255.255"), Some("192.169.0.0")),
            ("198.18.0.0", "198.19.255.255", Some("198.17.255.255"), Some("198.20.0.0")),
            ("198.51.100.0", "198.51.100.255", Some("198.51.99.255"), Some("198.51.101.0")),
            ("203.0.113.0", "203.0.113.255", Some("203.0.112.255"), Some("203.0.114.0")),
            ("224.0.0.0", "239.255.255.255", Some("223.255.255.255"), None),
            ("240.0.0.0", "255.255.255.255", None, None),
            ("::", "::", None, None),
            ("::1", "::1", None, None),
            ("::2", "::ffff", None, None),
            ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", None, None),
            ("100::", "100::ffff:ffff:ffff:ffff", None, None),
            ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", None, Some("2001:200::")),
            (
                "2001:db8::",
                "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
                Some("2001:db7:ffff::1"),
                Some("2001:db9::"),
            ),
            ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", Some("3ffe::1"), Some("3fff:1000::")),
            ("4000::", "5fff::", Some("3fff:ffff::1"), None),
            ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, None),
            ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, None),
            ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, None),
            ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, None),
        ];
        for (first, last, before, after) in table {
            for special in [first, last] {
                assert!(is_special(special.parse().unwrap()), "{special}");
            }
            for public in before.into_iter().chain(after) {
                assert!(!is_special(public.parse().unwrap()), "{public}");
            }
        }
        for public in ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450:400f::200e"] {
            assert!(!is_special(public.parse().unwrap()), "{public}");
        }
    }

    proptest! {
        #[test]
        fn an_address_inside_another_is_as_special_as_by_itself(octets: [u8; 4], rest: u64) {
            let inner = Ipv4Addr::from(octets);
            let [high, low] = [[octets[0], octets[1]], [octets[2], octets[3]]].map(u16::from_be_bytes);
            let special = is_special(inner.into());
            let mapped = inner.to_ipv6_mapped();
            let nat64 = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low);
            let tail = rest.to_be_bytes().map(u16::from);
            let six_to_four = Ipv6Addr::new(0x2002, high, low, tail[0], tail[1], tail[2], tail[3], tail[4]);
            for outer in [mapped, nat64, six_to_four] {
                prop_assert_eq!(is_special(outer.into()), special, "{}", outer);
            }
        }

        #[test]
        fn whatever_is_written_nothing_private_is_reached(text in "https?://[0-9a-fx.:\\[\\]%]{1,40}(:[0-9]{1,5})?/?") {
            // every host is named: the addresses alone must be refused
            let Ok(url) = Url::parse(&text) else { return Ok(()) };
            let Some(host) = url.host() else { return Ok(()) };
            let rules = rules(&[&host.to_string()], &[]);
            if let Ok(target) = rules.target(&text) {
                prop_assert!(target.https && (target.port == 443 || target.port >= 1024));
                match target.host {
                    Host::Ipv4(address) => prop_assert!(!is_special(address.into())),
                    Host::Ipv6(address) => prop_assert!(!is_special(address.into())),
                    Host::Domain(_) => {}
                }
            }
        }

        #[test]
        fn any_text_is_judged(text in ".{0,200}") {
            let _ = rules(&["*.example.org"], &[]).target(&text);
        }
    }

    #[test]
    fn spellings_of_this_machine_are_all_refused() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "017700000001",
            "0",
            "0.0.0.0",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::127.0.0.1]",
            "[2002:7f00:1::]",
            "169.254.169.254",
            "0xa9fea9fe",
            "[fe80::1]",
            "[fd00:ec2::254]",
            "%31%32%37.0.0.1",
            "①②⑦.0.0.1",
        ] {
            let text = format!("https://{host}/hook");
            let named = Url::parse(&text).unwrap().host().unwrap().to_string();
            assert_eq!(rules(&[&named], &[]).target(&text), Err(Refused::Special), "{host}");
        }
    }

    #[test]
    fn only_named_hosts_ports_for_this_and_no_secrets_in_the_address() {
        use Refused::{Host, NotAnAddress, NotHttps, TooLong};
        let rules = rules(&["hooks.example.org", "*.example.com"], &[]);
        let long = format!("https://hooks.example.org/{}", "a".repeat(2_000));
        for (text, wrong) in [
            ("https://hooks.example.org/in?a=b", None),
            ("https://HOOKS.example.org:8443/", None),
            ("https://a.example.com", None),
            ("https://b.a.example.com", None),
            ("https://example.com", Some(Host)),
            ("https://badexample.com", Some(Host)),
            ("https://hooks.example.org.evil.net", Some(Host)),
            ("https://hooks.example.org.", Some(Host)),
            ("https://evil.net/?hooks.example.org", Some(Host)),
            ("https://localhost", Some(Host)),
            ("http://hooks.example.org", Some(NotHttps)),
            ("ftp://hooks.example.org", Some(NotAnAddress)),
            ("gopher://hooks.example.org", Some(NotAnAddress)),
            ("file:///etc/passwd", Some(NotAnAddress)),
            ("https://hooks.example.org:22", Some(NotAnAddress)),
            ("https://hooks.example.org:80", Some(NotAnAddress)),
            ("https://hooks.example.org:1023", Some(NotAnAddress)),
            ("https://hooks.example.org:1024", None),
            ("https://kari@hooks.example.org", Some(NotAnAddress)),
            ("https://kari:hush@hooks.example.org", Some(NotAnAddress)),
            ("https://hooks.example.org/#there", Some(NotAnAddress)),
            ("hooks.example.org", Some(NotAnAddress)),
            ("", Some(NotAnAddress)),
            (&long, Some(TooLong)),
        ] {
            assert_eq!(rules.target(text).err(), wrong, "{text}");
        }
        let target = rules.target("https://hooks.example.org:8443/in?a=b").unwrap();
        assert_eq!((target.authority.as_str(), target.path.as_str()), ("hooks.example.org:8443", "/in?a=b"));
    }

    #[test]
    fn what_the_operator_allowed_is_reached_and_plain_http_goes_there_only() {
        let rules = rules(&["inside", "10.1.2.3", "127.0.0.1"], &["10.0.0.0/8", "fd00::/8"]);
        assert!(rules.target("http://inside/").is_ok(), "by name it is judged when it is looked up");
        assert!(rules.target("http://10.1.2.3/").is_ok());
        assert_eq!(rules.target("https://127.0.0.1/"), Err(Refused::Special));
        for (address, https, wrong) in [
            ("10.9.9.9", false, None),
            ("::ffff:10.9.9.9", true, None),
            ("fd00::1", false, None),
            ("192.168.1.1", true, Some(Refused::Special)),
            ("1.1.1.1", false, Some(Refused::NotHttps)),
            ("127.0.0.1", false, Some(Refused::NotHttps)),
            ("1.1.1.1", true, None),
        ] {
            assert_eq!(rules.judge(address.parse().unwrap(), https).err(), wrong, "{address} {https}");
        }
    }
}
