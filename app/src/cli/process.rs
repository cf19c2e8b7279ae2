//! The process itself: its memory stays its own, and its faults are told calmly.

use std::io::Write as _;

/// Keeps the memory, in which keys are, out of core dumps and away from debuggers of the same user. Debug builds are
/// left as they are, so that they can be debugged.
///
/// With the window only core dumps are off: desktop portals look into `/proc` to learn who asks for a file dialog, and
/// turn away a process that is closed to them.
pub(crate) fn keep_memory_private(window: bool) {
    #[cfg(all(target_os = "linux", not(debug_assertions)))]
    {
        use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
        // Where the system refuses, the program still works; nobody could do anything about a message.
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
        if !window {
            let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
        }
    }
    #[cfg(not(all(target_os = "linux", not(debug_assertions))))]
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
