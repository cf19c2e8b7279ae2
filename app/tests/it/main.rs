//! The program through its command line and its window.
#[cfg(target_os = "linux")]
mod platform_linux;
mod window;
