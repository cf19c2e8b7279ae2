//! Countersign: the window and the command line over one core.

pub mod cli;
mod shell;

pub use shell::{WindowError, WindowOptions, run_window};
