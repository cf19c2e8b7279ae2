//! Desktop entries (freedesktop.org Desktop Entry Specification): how menus, links and the login find the program.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::shell::links::SCHEMES;

/// Name of the entry, of the icon and of the window's class: `slint::set_xdg_app_id` takes it, so that the desktop
/// knows whose window it is.
pub const APP_ID: &str = "org.countersign.Countersign";

const ICON: &str = include_str!("../../../../assets/countersign.svg");

/// Why an entry was not written or removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// An `Exec` line cannot name this path: it is relative, not UTF-8, or has control characters or an equals sign.
    #[error("the path of the program cannot stand in a desktop entry: {}; move the program to a plain folder", .0.display())]
    UnusablePath(PathBuf),
    /// A file could not be written or removed.
    #[error("{}: {error}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// What was installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The entry.
    pub entry: PathBuf,
    /// The icon.
    pub icon: PathBuf,
    /// Whether the desktop's table of links was brought up to date; where `update-desktop-database` is missing, most
    /// desktops find the entry at the next login.
    pub table_updated: bool,
}

/// The program as an entry should name it: an AppImage runs from a mount that is gone at the next login, and tells
/// where it is itself in `APPIMAGE`; else it is `current_exe`.
pub fn program_path(appimage: Option<OsString>, current_exe: PathBuf) -> PathBuf {
    appimage.filter(|path| !path.is_empty()).map_or(current_exe, PathBuf::from)
}

/// Puts the program into the menus and offers it for its links: an entry and an icon under `data_home`
/// (`~/.local/share`), in place of earlier ones. A package installs the same under `/usr/share` and needs none of this.
pub fn install_desktop_entry(data_home: &Path, exe: &Path) -> Result<Installed, EntryError> {
    let (entry, icon) = places(data_home);
    let text = application_entry(exe)?;
    replace(&icon, ICON)?;
    replace(&entry, &text)?;
    let table_updated = update_table(&entry);
    Ok(Installed { entry, icon, table_updated })
}

/// Takes back what [`install_desktop_entry`] did, and says whether there was something.
pub fn remove_desktop_entry(data_home: &Path) -> Result<bool, EntryError> {
    let (entry, icon) = places(data_home);
    let removed = remove(&entry)? | remove(&icon)?;
    update_table(&entry);
    Ok(removed)
}

/// Whether the entry under `data_home` is there and names this program.
pub fn is_installed(data_home: &Path, exe: &Path) -> bool {
    let (entry, icon) = places(data_home);
    icon.exists() && fs::read_to_string(entry).is_ok_and(|text| application_entry(exe).is_ok_and(|own| own == text))
}

/// Where the entry is.
pub(super) fn entry_path(data_home: &Path) -> PathBuf {
    places(data_home).0
}

fn places(data_home: &Path) -> (PathBuf, PathBuf) {
    let entry = data_home.join("applications").join(format!("{APP_ID}.desktop"));
    let icon = data_home.join("icons/hicolor/scalable/apps").join(format!("{APP_ID}.svg"));
    (entry, icon)
}

fn application_entry(exe: &Path) -> Result<String, EntryError> {
    let mime_types: String = SCHEMES.iter().map(|scheme| format!("x-scheme-handler/{scheme};")).collect();
    Ok(format!(
        "[Desktop Entry]\n\
         Type=Application\n\
         Version=1.0\n\
         Name=Countersign\n\
         GenericName=Authenticator\n\
         GenericName[de]=Authentifikator\n\
         GenericName[tr]=Kimlik doğrulayıcı\n\
         Comment=One-time codes for two-step sign-in\n\
         Comment[de]=Einmalcodes für die Anmeldung in zwei Schritten\n\
         Comment[tr]=İki adımlı oturum açma için tek kullanımlık kodlar\n\
         TryExec={}\n\
         Exec={} %u\n\
         Icon={APP_ID}\n\
         Terminal=false\n\
         StartupNotify=true\n\
         StartupWMClass={APP_ID}\n\
         Categories=Utility;\n\
         Keywords=2FA;MFA;OTP;TOTP;HOTP;authenticator;code;token;\n\
         MimeType={mime_types}\n",
        escape(program(exe)?),
        exec_line(exe, &[])?,
    ))
}

/// The value of an `Exec` key: the program and its arguments, quoted and escaped (sections "The Exec key" and "Value
/// types").
pub(super) fn exec_line(exe: &Path, arguments: &[String]) -> Result<String, EntryError> {
    if let Some(bad) = arguments.iter().find(|argument| argument.contains(char::is_control)) {
        return Err(EntryError::UnusablePath(bad.into()));
    }
    let words = [program(exe)?].into_iter().chain(arguments.iter().map(String::as_str));
    Ok(words.map(|word| escape(&quote(word))).collect::<Vec<_>>().join(" "))
}

/// The value of a `TryExec` key: without the program the entry is as if it were not there.
pub(super) fn try_exec(exe: &Path) -> Result<String, EntryError> {
    Ok(escape(program(exe)?))
}

fn program(exe: &Path) -> Result<&str, EntryError> {
    exe.to_str()
        .filter(|path| exe.is_absolute() && !path.contains('=') && !path.contains(char::is_control))
        .ok_or_else(|| EntryError::UnusablePath(exe.into()))
}

fn quote(word: &str) -> String {
    // A percent sign begins a field code.
    let word = word.replace('%', "%%");
    let plain = !word.is_empty() && !word.contains(|c| " \"'\\><~|&;$*?#()`".contains(c));
    if plain {
        return word;
    }
    let mut quoted = String::from('"');
    for c in word.chars() {
        if "\"`$\\".contains(c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

// Of every value of type string, on top of the quotes.
fn escape(value: &str) -> String {
    value.replace('\\', "\\\\")
}

/// Writes beside and renames: a desktop that reads at the same time sees the old or the new.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), EntryError> {
    let file = |error| EntryError::File { path: path.into(), error };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(file)?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    fs::write(&beside, text).and_then(|()| fs::rename(&beside, path)).map_err(|error| {
        let _ = fs::remove_file(&beside);
        file(error)
    })
}

pub(super) fn remove(path: &Path) -> Result<bool, EntryError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(EntryError::File { path: path.into(), error }),
    }
}

fn update_table(entry: &Path) -> bool {
    let Some(folder) = entry.parent().filter(|folder| folder.exists()) else { return false };
    let mut command = Command::new("update-desktop-database");
    command.arg("-q").arg(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exec_lines_are_quoted_and_escaped() {
        for (path, line) in [
            ("/usr/bin/countersign", "/usr/bin/countersign"),
            ("/home/a b/countersign", "\"/home/a b/countersign\""),
            ("/opt/50%/c", "/opt/50%%/c"),
            ("/opt/$x/c", "\"/opt/\\\\$x/c\""),
            ("/opt/a\"b/c", "\"/opt/a\\\\\"b/c\""),
            ("/opt/a\\b/c", "\"/opt/a\\\\\\\\b/c\""),
            ("/opt/Ünal/c", "/opt/Ünal/c"),
        ] {
            assert_eq!(exec_line(Path::new(path), &[]).unwrap(), line, "{path}");
        }
        let arguments = ["--minimised".to_owned(), String::new()];
        assert_eq!(exec_line(Path::new("/c"), &arguments).unwrap(), "/c --minimised \"\"");
    }

    #[test]
    fn paths_that_cannot_stand_are_refused() {
        use std::os::unix::ffi::OsStringExt as _;

        let not_utf8 = PathBuf::from(OsString::from_vec(b"/opt/\xff/c".to_vec()));
        for path in [Path::new("countersign"), Path::new("/a=b/c"), Path::new("/a\nExec=evil/c"), &not_utf8] {
            assert!(matches!(exec_line(path, &[]), Err(EntryError::UnusablePath(bad)) if bad == path));
        }
    }

    #[test]
    fn an_appimage_names_itself() {
        let mounted = PathBuf::from("/tmp/.mount_x/usr/bin/countersign");
        assert_eq!(program_path(Some("/home/a/C.AppImage".into()), mounted.clone()), Path::new("/home/a/C.AppImage"));
        assert_eq!(program_path(Some("".into()), mounted.clone()), mounted);
        assert_eq!(program_path(None, mounted.clone()), mounted);
    }
}
