//! The process itself: its memory stays its own, and its faults are told calmly.

use std::io::Write as _;

/// Keeps the memory, in which keys are, out of core dumps and away from debuggers of the same user.
///
/// With the window only core dumps are off: desktop portals look into `/proc` to learn who asks for a file dialog, and
/// turn away a process that is closed to them.
pub(crate) fn keep_memory_private(window: bool) {
    #[cfg(target_os = "linux")]
    {
        use crate::platform::desktop::linux::process;
        if window { process::forbid_core_dumps() } else { process::harden() }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = window;
}

/// From now on a panic says where it was and nothing else: its text could hold a secret.
pub fn calm_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|place| format!(" ({}:{})", place.file(), place.line())).unwrap_or_default();
        let _ = writeln!(
            std::io::stderr().lock(),
            "Countersign stopped at a fault of its own{place}. What was saved is safe; please report this line."
        );
    }));
}
