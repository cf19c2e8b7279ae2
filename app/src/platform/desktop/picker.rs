//! The system's dialog for files through rfd.

use std::path::PathBuf;

use crate::platform::{Ask, FilePicker, NoDialog, Picked, Support};

pub(super) struct SystemPicker;

fn of_pictures(title: &str) -> rfd::FileDialog {
    rfd::FileDialog::new()
        .set_title(title)
        .add_filter("PNG, JPEG, WebP, GIF, BMP", &["png", "jpg", "jpeg", "webp", "gif", "bmp"])
        .add_filter("*", &["*"])
}

impl FilePicker for SystemPicker {
    fn support(&self) -> Support {
        Support::Supported
    }

    fn pick(&self, ask: &Ask, title: &str) -> Picked {
        if !can_open() {
            return Picked::NoDialog;
        }
        #[cfg(target_os = "linux")]
        let _open = super::linux::process::OpenToPortals::new();
        let dialog = rfd::FileDialog::new().set_title(title);
        let picked = match ask {
            Ask::Picture => of_pictures(title).pick_file(),
            Ask::File => dialog.pick_file(),
            Ask::Folder => dialog.pick_folder(),
            Ask::Save { name } => dialog.set_file_name(name).save_file(),
        };
        picked.map_or(Picked::Cancelled, Picked::File)
    }

    fn pick_pictures(&self, title: &str) -> Result<Vec<PathBuf>, NoDialog> {
        if can_open() { Ok(of_pictures(title).pick_files().unwrap_or_default()) } else { Err(NoDialog) }
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
