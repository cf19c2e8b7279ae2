//! Countersign: the window and the command line over one core.

pub mod account;
pub mod api;
mod backup_text;
pub mod bind;
pub mod cli;
pub mod controllers;
pub mod demo;
pub mod files;
mod foreign_file;
pub mod icons;
mod memory;
pub mod models;
pub mod platform;
pub mod settings;
mod shell;
pub mod tasks;

use shell::links;
pub use shell::{WindowError, WindowOptions, run_window};
