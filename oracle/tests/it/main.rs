//! The decision beside a policy engine that others wrote.

mod cedar;
mod oracle;
mod random;
