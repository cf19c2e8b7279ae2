//! The process: its memory, in which keys are, stays its own.

use std::sync::{Mutex, PoisonError};

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// How many portal calls run now; `None` until [`harden`] closed the process.
static OPENINGS: Mutex<Option<usize>> = Mutex::new(None);

/// Keeps the memory out of core dumps, and away from debuggers of the same user. Builds with debug assertions are left
/// as they are, so that they can be debugged. Where the system refuses, the program still works.
///
/// Call it first in the command line. In a window call it after the first frame, because the desktop's portals turn
/// away a process that they cannot look into ([`OpenToPortals`]), and the toolkit asks one for the colour scheme.
pub fn harden() {
    if !cfg!(debug_assertions) {
        close();
    }
}

/// The half of [`harden`] that disturbs nobody: no core dumps, in builds without debug assertions. A window calls it
/// first of all.
pub fn forbid_core_dumps() {
    if !cfg!(debug_assertions) {
        limit_core_dumps();
    }
}

/// What [`harden`] does, in every build.
pub fn close() {
    limit_core_dumps();
    let mut openings = OPENINGS.lock().unwrap_or_else(PoisonError::into_inner);
    if openings.is_none() {
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
        *openings = Some(0);
    }
}

/// While one of these lives, portals may look into the process: they open `/proc/PID/root` to learn who asks, and
/// deny the file dialog, the camera or the screenshot where they cannot (xdg-desktop-portal, issue 785). Core dumps
/// stay off. Without [`harden`] before it nothing changes.
#[derive(Debug)]
#[must_use = "the process closes when this is dropped"]
pub struct OpenToPortals {
    /// Not so for one made before the process closed.
    counted: bool,
}

impl OpenToPortals {
    /// Opens the process until the value is dropped.
    pub fn new() -> Self {
        let mut openings = OPENINGS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = openings.as_mut() {
            *count += 1;
            let _ = set_dumpable_behavior(DumpableBehavior::Dumpable);
        }
        Self { counted: openings.is_some() }
    }
}

impl Default for OpenToPortals {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for OpenToPortals {
    fn drop(&mut self) {
        let mut openings = OPENINGS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = openings.as_mut().filter(|_| self.counted) {
            *count -= 1;
            if *count == 0 {
                let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
            }
        }
    }
}

// One byte and not none: where dumps are piped to a program, as systemd and Ubuntu do, the kernel lets a limit of zero
// pass and leaves it to that program, but stops at one (do_coredump in fs/coredump.c).
fn limit_core_dumps() {
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(1), maximum: Some(1) });
}
