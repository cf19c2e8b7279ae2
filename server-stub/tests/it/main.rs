//! The server's tests: each on SQLite, and on PostgreSQL where it is installed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod addresses;
mod admin;
mod cli;
mod cli_admin;
mod flows;
mod http;
mod kit;
mod links;
mod metrics;
mod openapi;
mod outbox;
mod policy;
mod processes;
mod races;
mod registration;
mod rotation;
mod store;
mod under_way;
mod verification;
