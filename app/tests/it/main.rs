//! The program through its command line and its window.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cli_backup;
mod cli_import;
mod cli_kit;
mod cli_process;
mod cli_qr;
mod cli_tokens;
mod cli_vault;
#[cfg(target_os = "linux")]
mod display;
#[cfg(target_os = "linux")]
mod platform_linux;
mod translations;
mod window;
