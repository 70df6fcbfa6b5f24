//! The repositories: concrete, cheap, one file each.

pub(crate) mod audit;
mod buttons;
mod convert;
mod devices;
mod doors;
mod gate;
mod intercom;
mod people;
mod policy;
mod reach;
mod revision;
mod roles;
mod sites;

pub use audit::Audit;
pub use devices::Devices;
pub use doors::Doors;
pub use gate::Gate;
pub use intercom::Intercom;
pub use people::People;
pub use sites::Sites;
