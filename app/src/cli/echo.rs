//! The terminal shows again what is typed when the program is ended while it asks for a password.

#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(crate) use unix::kept;

/// Runs what asks for a password.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub(crate) fn kept<T>(ask: impl FnOnce() -> std::io::Result<T>) -> std::io::Result<T> {
    ask()
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
mod unix {
    use std::{
        fs::File,
        io,
        sync::{
            Once,
            atomic::{AtomicBool, Ordering},
        },
        thread,
        time::Duration,
    };

    use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
    use signal_hook::{
        consts::{SIGINT, SIGQUIT, SIGTERM},
        iterator::Signals,
        low_level::emulate_default_handler,
    };

    /// How long a signal takes that was sent.
    const AT_MOST: Duration = Duration::from_secs(5);

    /// Whether a password is asked for. At any other time the terminal is as it was and may be another program's.
    static ASKING: AtomicBool = AtomicBool::new(false);

    /// Runs what asks for a password.
    pub(crate) fn kept<T>(ask: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        static WATCH: Once = Once::new();
        WATCH.call_once(watch);
        ASKING.store(true, Ordering::SeqCst);
        let answer = ask();
        if answer.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::Interrupted) {
            // The signal is on its way to whoever waits for it, and the program ends by that, not by this error.
            thread::sleep(AT_MOST);
        }
        ASKING.store(false, Ordering::SeqCst);
        answer
    }

    /// Waits for the signals that end the program, until one does. Without a terminal there is nothing to give back.
    fn watch() {
        let Ok(terminal) = File::open("/dev/tty") else { return };
        let Ok(before) = tcgetattr(&terminal) else { return };
        let Ok(mut signals) = Signals::new([SIGINT, SIGQUIT, SIGTERM]) else { return };
        thread::spawn(move || {
            if let Some(signal) = signals.forever().next() {
                if ASKING.load(Ordering::SeqCst) {
                    // The program ends either way.
                    let _ = tcsetattr(&terminal, OptionalActions::Now, &before);
                }
                // Ends the program as if nobody had waited, so that a shell learns of the signal.
                let _ = emulate_default_handler(signal);
            }
        });
    }
}
