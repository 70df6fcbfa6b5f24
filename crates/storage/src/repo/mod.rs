//! The repositories: concrete, cheap, one file each.

pub(crate) mod audit;
mod buttons;
mod convert;
mod devices;
mod doors;
mod gate;
mod gate_invitation;
mod gate_jobs;
mod imports;
mod intercom;
mod invitations;
mod jobs;
mod moves;
mod people;
mod people_change;
mod people_page;
mod policy;
mod reach;
mod revision;
mod roles;
mod sites;
mod tokens;

pub use audit::Audit;
pub use devices::Devices;
pub use doors::Doors;
pub use gate::Gate;
pub use gate_invitation::PasswordSet;
pub use imports::Imports;
pub use intercom::Intercom;
pub use invitations::Invitations;
pub use jobs::Jobs;
pub use moves::Moves;
pub use people::People;
pub use sites::Sites;
pub use tokens::Tokens;
