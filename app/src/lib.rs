//! Countersign: the window and the command line over one core.

pub mod bind;
pub mod cli;
pub mod controllers;
pub mod demo;
pub mod icons;
pub mod models;
pub mod platform;
mod shell;
pub mod tasks;

pub use shell::{WindowError, WindowOptions, run_window};
