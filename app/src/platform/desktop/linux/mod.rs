//! Linux: the services of a freedesktop.org desktop, nearly all of them over D-Bus. None is asked before it is needed,
//! and all are asked off the window's thread.

pub mod autostart;
pub mod bus;
pub mod desktop_entry;
pub mod presence;
pub mod process;
pub mod secret_service;
pub mod timedate;
