//! What may depend on what: the table of ARCHITECTURE.md as data. Change both in the same commit.

/// One crate of the workspace.
pub struct Crate {
    /// Its short name; the package is `klinke-NAME`.
    pub name: &'static str,
    /// Crates of ours that it may use.
    pub uses: &'static [&'static str],
    /// Crates of ours that only its tests may use, on top.
    pub tests_use: &'static [&'static str],
    /// Whether it is pure: no IO, no clock, no randomness, anywhere below it.
    pub pure: bool,
}

const fn pure(name: &'static str, uses: &'static [&'static str]) -> Crate {
    Crate { name, uses, tests_use: &["testkit"], pure: true }
}

const fn outer(
    name: &'static str,
    uses: &'static [&'static str],
    tests_use: &'static [&'static str],
) -> Crate {
    Crate { name, uses, tests_use, pure: false }
}

/// Every crate of the product. A crate that is not here may not exist.
pub const CRATES: &[Crate] = &[
    pure("model", &[]),
    pure("access", &["model"]),
    pure("calls", &["model"]),
    pure("wire", &["model"]),
    outer("storage", &["model", "access"], &["testkit"]),
    outer("bus", &["model", "wire"], &["testkit"]),
    outer("media", &["model"], &["testkit"]),
    outer("sip", &["model"], &["testkit"]),
    // its tests ask the phone legs' own detector whether a phrase sounds like a key
    outer("voice", &["model"], &["testkit", "sip"]),
    // the server's tests run a real controller against it; the server itself only knows the protocol
    outer(
        "server",
        &["model", "access", "calls", "wire", "storage", "bus", "media", "sip", "voice", "testkit"],
        &["controller"],
    ),
    outer("controller", &["model", "access", "wire"], &["testkit"]),
    outer("testkit", &["model", "wire", "calls", "access"], &[]),
    // a tool, like xtask: speaks the product's protocols to measure it, nothing uses it
    outer("bench", &["model", "wire", "storage", "media", "sip"], &[]),
];

/// Crates that bring IO, a clock or randomness. None may be anywhere below a pure crate.
pub const IMPURE: &[&str] = &[
    "async-std",
    "axum",
    "chrono",
    "fastrand",
    "getrandom",
    "hyper",
    "mio",
    "rand",
    "rand_core",
    "redb",
    "reqwest",
    "rustls",
    "sea-orm",
    "smol",
    "socket2",
    "sqlx",
    "sqlx-core",
    "str0m",
    "time",
    "tokio",
    "tower",
    "tracing",
    "web-time",
];

/// Crates of which the whole tree may hold one version only, with why.
pub const ONE_VERSION: &[(&str, &str)] = &[
    (
        "libsqlite3-sys",
        "two would link two SQLites into one process, of which one may corrupt the write-ahead log",
    ),
    ("rustls", "the crypto provider is installed once per process and version"),
];
