//! Journeys of a person through the real program.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a journey that cannot go on ends, and says what it did")]

mod crash;
mod disk;
mod lost_vault;
mod secrets;
mod server_line;
mod server_window;
mod stage;
