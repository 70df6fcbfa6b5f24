//! The store on both databases. Every test gets a database of its own; see [`database`].

mod access;
mod audit;
mod buttons;
mod concurrency;
mod database;
mod doors;
mod durability;
mod gate;
mod households;
mod imports;
mod intercom;
mod invitations;
mod moves;
mod parts;
mod people;
mod people_page;
mod postgres;
mod roles;
mod schema;
mod sites;
mod tenants;
mod tokens;
mod town;
mod twins;
mod webhooks;
mod who;
