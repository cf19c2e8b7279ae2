//! The server's tests: each on SQLite, and on PostgreSQL where it is installed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod cli;
mod http;
mod kit;
mod openapi;
mod outbox;
mod registration;
mod store;
mod verification;
