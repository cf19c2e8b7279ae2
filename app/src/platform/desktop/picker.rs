//! The system's dialog for files through rfd.

use crate::platform::{FilePicker, Picked, Support};

pub(super) struct SystemPicker;

impl FilePicker for SystemPicker {
    fn support(&self) -> Support {
        Support::Supported
    }

    fn pick_picture(&self) -> Picked {
        if !can_open() {
            return Picked::NoDialog;
        }
        let dialog = rfd::FileDialog::new()
            .add_filter("Pictures", &["png", "jpg", "jpeg", "webp", "gif", "bmp"])
            .add_filter("All files", &["*"]);
        match dialog.pick_file() {
            Some(path) => Picked::File(path),
            None => Picked::Cancelled,
        }
    }
}

/// On Linux the dialog is another program's: the desktop's portal, reached over the session bus, or zenity. rfd gives
/// the same answer for neither of them and for a dialog that was cancelled, so the look comes first.
#[cfg(target_os = "linux")]
fn can_open() -> bool {
    use std::{env, path::Path};

    let bus = env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|address| !address.is_empty())
        || env::var_os("XDG_RUNTIME_DIR").is_some_and(|folder| Path::new(&folder).join("bus").exists());
    let zenity =
        env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join("zenity").is_file()));
    bus || zenity
}

#[cfg(not(target_os = "linux"))]
fn can_open() -> bool {
    true
}
