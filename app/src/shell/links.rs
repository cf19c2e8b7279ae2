//! Links that other programs hand over. A second start with a link gives it to the window that runs already.

/// The schemes of links that this program opens.
pub(crate) const SCHEMES: [&str; 3] = ["otpauth", "otpauth-migration", "countersign"];

/// Whether a text is such a link.
pub(crate) fn is_link(text: &str) -> bool {
    text.split_once("://").is_some_and(|(head, _)| SCHEMES.iter().any(|scheme| head.eq_ignore_ascii_case(scheme)))
}

#[cfg(target_os = "linux")]
pub(crate) use socket::{hand_over, listen};

#[cfg(not(target_os = "linux"))]
pub(crate) use nowhere::{hand_over, listen};

#[cfg(target_os = "linux")]
mod socket {
    use std::{
        io::{Read as _, Write as _},
        os::unix::net::{UnixListener, UnixStream},
        path::{Path, PathBuf},
        time::Duration,
    };

    /// The longest link that is taken, in bytes.
    const LONGEST: u64 = 64 * 1024;
    const PATIENCE: Duration = Duration::from_secs(2);

    /// The socket in the session's own folder, which nobody else can enter.
    fn place() -> Option<PathBuf> {
        let folder = PathBuf::from(std::env::var_os("XDG_RUNTIME_DIR")?);
        folder.is_absolute().then(|| folder.join("countersign.links"))
    }

    /// Gives a link to the window that runs. False: none does.
    pub(crate) fn hand_over(link: &str) -> bool {
        place().is_some_and(|place| give(&place, link))
    }

    pub(super) fn give(place: &Path, link: &str) -> bool {
        let Ok(mut stream) = UnixStream::connect(place) else { return false };
        let _ = stream.set_write_timeout(Some(PATIENCE));
        stream.write_all(link.as_bytes()).is_ok()
    }

    /// Takes links from later starts, as long as the program runs. The first window has the socket.
    pub(crate) fn listen(arrived: impl Fn(String) + Send + 'static) {
        let Some(place) = place() else { return };
        // Somebody listens: links go there.
        if UnixStream::connect(&place).is_ok() {
            return;
        }
        take(&place, arrived);
    }

    pub(super) fn take(place: &Path, arrived: impl Fn(String) + Send + 'static) {
        // One that a program left which was killed.
        let _ = std::fs::remove_file(place);
        let Ok(listener) = UnixListener::bind(place) else { return };
        // Without a thread links open windows of their own.
        let _ = std::thread::Builder::new().name("links".into()).spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = stream.set_read_timeout(Some(PATIENCE));
                let mut text = String::new();
                if (&mut stream).take(LONGEST).read_to_string(&mut text).is_ok() && super::is_link(&text) {
                    arrived(text);
                }
            }
        });
    }
}

#[cfg(not(target_os = "linux"))]
mod nowhere {
    /// Other systems hand links over in their own ways.
    pub(crate) fn hand_over(_: &str) -> bool {
        false
    }

    /// As above.
    pub(crate) fn listen(_: impl Fn(String) + Send + 'static) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_links_are_taken() {
        for link in ["otpauth://totp/a?secret=AA", "OTPAUTH-MIGRATION://offline?data=x", "countersign://enroll?code=1"]
        {
            assert!(is_link(link), "{link}");
        }
        for other in ["https://example.org", "file:///etc/passwd", "otpauth:", "", "list"] {
            assert!(!is_link(other), "{other}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_second_start_gives_its_link_to_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("links");
        assert!(!socket::give(&place, "otpauth://totp/a?secret=AA"));
        // One that was left behind.
        drop(std::os::unix::net::UnixListener::bind(&place).unwrap());
        let (sender, receiver) = std::sync::mpsc::channel();
        socket::take(&place, move |link| sender.send(link).unwrap());
        assert!(socket::give(&place, "file:///etc/passwd"));
        assert!(socket::give(&place, "countersign://enroll?code=1"));
        let link = receiver.recv_timeout(std::time::Duration::from_secs(10)).unwrap();
        assert_eq!(link, "countersign://enroll?code=1");
    }
}
