//! A request to end closes the window, so that what was copied is cleared as after every other end.

/// Closes the window when the session ends or somebody interrupts the program.
#[cfg(target_os = "linux")]
pub(super) fn quit_on_request() {
    use async_signal::{Signal, Signals};
    use futures_util::StreamExt as _;

    let Ok(mut signals) = Signals::new([Signal::Term, Signal::Int, Signal::Hup]) else { return };
    // Without a thread the program ends as the system ends it.
    let _ = std::thread::Builder::new().name("signals".into()).spawn(move || {
        if async_io::block_on(signals.next()).is_some() {
            let _ = slint::quit_event_loop();
        }
    });
}

/// Other systems close the window themselves.
#[cfg(not(target_os = "linux"))]
pub(super) fn quit_on_request() {}
