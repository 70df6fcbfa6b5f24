//! Use cases, one a file: what is asked, who may ask, what goes wrong, what is answered.
//!
//! Who may: an administrator's use case begins with [`administered`] or [`allowed`], which answer 404 for a building that is
//! not there, is another property manager's, or that this person does not administer, all with the same body. A 403
//! (`forbidden`) is given only where there is no object to hide: to who sees the building, or asks for none. Who has a role
//! with access to personal data and did not accept confidentiality gets 403 `confidentiality_required`.
//!
//! A handler that takes a [`Caller`](crate::auth::caller::Caller) is open to tokens of other programs, and says so in its
//! `security`; one that takes a [`SignedIn`](crate::auth::session::SignedIn) is for people.

pub mod add_bell;
pub mod add_controller;
pub mod add_panel;
pub mod add_person;
pub mod add_units;
mod administered;
pub mod alarms;
pub mod app_requirements;
pub mod apply_import;
pub mod audit;
pub mod audit_csv;
pub mod bells;
pub mod buildings;
pub mod card_readings;
pub mod cards;
pub mod change_bell;
pub mod change_person;
pub mod checklist;
pub mod claim;
pub mod confidentiality;
pub mod controller_pairing;
pub mod controllers;
pub mod devices;
pub mod door_groups;
pub mod door_settings;
pub mod door_stations;
pub mod doors;
pub mod edit_building;
pub mod edit_controller;
pub mod edit_door;
pub mod edit_entrance;
pub mod edit_panel;
pub mod edit_unit;
pub mod end_person;
pub mod entrances;
pub mod follow_invitation;
pub mod ghosts;
pub mod guest_pass;
mod guest_view;
pub mod homes;
pub mod house_guests;
pub mod household;
pub mod import_cards;
pub mod imports;
pub mod invitations;
pub mod me;
pub mod moves;
pub mod my_bells;
pub mod my_card_readings;
pub mod my_cards;
pub mod my_codes;
pub mod my_guests;
pub mod my_phone_number;
pub mod my_records;
mod note_use;
pub mod open_door;
pub mod openers;
mod paging;
pub mod pair_panel;
pub mod panel_directory;
pub mod panel_place;
pub mod panels;
pub mod people;
pub mod people_csv;
pub mod people_groups;
pub mod person_codes;
pub mod phone_limits;
pub mod phone_numbers;
pub mod pictures;
pub mod policy;
pub mod present_pass;
pub mod record_policy;
pub mod records;
pub mod records_csv;
pub mod ring;
pub mod roles;
mod rule_notes;
pub mod rules;
pub mod schedules;
pub mod seen_by;
pub mod session;
pub mod sign_in;
pub mod sign_out;
pub mod sip_devices;
pub(crate) mod standing;
pub mod station_relays;
pub mod suspend_person;
pub mod tenants;
pub mod test_calls;
pub mod tokens;
pub mod trunks;
pub mod units;
mod uses;
pub mod webhooks;
pub mod who;
pub mod why;

use administered::{administered, administrator, allowed, everywhere, must_be_bound};
