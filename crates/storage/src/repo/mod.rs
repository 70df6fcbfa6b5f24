//! The repositories: concrete, cheap, one file each.

pub(crate) mod audit;
mod convert;
mod devices;
mod doors;
mod gate;
mod intercom;
mod moves;
mod people;
mod people_change;
mod people_page;
mod reach;
mod revision;
mod sites;

pub use audit::Audit;
pub use devices::Devices;
pub use doors::Doors;
pub use gate::Gate;
pub use intercom::Intercom;
pub use moves::Moves;
pub use people::People;
pub use sites::Sites;
