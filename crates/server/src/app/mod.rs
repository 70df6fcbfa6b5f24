//! Use cases, one a file: what is asked, who may ask, what goes wrong, what is answered.
//!
//! Who may: an administrator's use case begins with [`administered`], which answers 404 for a building that is not
//! there, is another property manager's, or that this person does not administer, all with the same body. A 403
//! (`forbidden`) is given only where there is no object to hide: the list of buildings, and how controllers pair.

pub mod add_controller;
pub mod add_panel;
pub mod add_person;
mod administered;
pub mod bells;
pub mod buildings;
pub mod change_person;
pub mod claim;
pub mod controller_pairing;
pub mod controllers;
pub mod devices;
pub mod doors;
pub mod entrances;
pub mod homes;
pub mod moves;
pub mod open_door;
pub mod pair_panel;
pub mod panels;
pub mod people;
pub mod people_csv;
pub mod ring;
pub mod session;
pub mod sign_in;
pub mod sign_out;
pub mod suspend_person;
pub mod units;

use administered::{administered, administrator};
