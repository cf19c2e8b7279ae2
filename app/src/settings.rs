//! What the user chose for this device. None of it is secret, and some of it is needed while the vault is locked, so it
//! is a file of its own beside the program's other configuration.

use std::{
    cell::RefCell,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// Light, dark, or as the system has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// As the system has it.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// The order of the list. Favourites come first in each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// As the user moved them.
    #[default]
    Hand,
    /// By issuer, then account.
    Name,
    /// Most used first.
    Use,
    /// Last used first.
    Recency,
}

/// All settings of this device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Locks after so many seconds without a key or a movement; `None` never does.
    pub lock_after: Option<u64>,
    /// Locks when the window is minimised.
    pub lock_on_minimise: bool,
    /// Locks when the computer falls asleep.
    pub lock_on_sleep: bool,
    /// Locks when the screen is locked.
    pub lock_on_screen_lock: bool,
    /// What is copied is cleared after so many seconds.
    pub clipboard_seconds: u64,
    /// Codes are hidden until they are tapped.
    pub hide_codes: bool,
    /// The next code shows beside the current one in the list.
    pub show_next: bool,
    /// The order of the list.
    pub sort: Sort,
    /// Light or dark.
    pub scheme: Scheme,
    /// 7:1 for every text.
    pub high_contrast: bool,
    /// Size of text in percent.
    pub text_size: u16,
    /// No movement.
    pub reduce_motion: bool,
    /// The language's tag, `de`; `None` is the system's.
    pub language: Option<String>,
    /// The password is asked for again after so many days of unlocking with this device; `None` never is.
    pub password_days: Option<u32>,
    /// Where backups are made by themselves; `None` makes none.
    pub backup_folder: Option<PathBuf>,
    /// How many of them are kept, at least 1.
    pub backups_kept: u32,
    /// Marks the backups that this device made, so that it never removes another's.
    pub backup_tag: Option<String>,
    /// An icon in the tray.
    pub tray: bool,
    /// The vault that was opened last, where it is not the usual one.
    pub vault: Option<PathBuf>,
    /// The slot of the vault whose key this device's keyring has, by its identifier.
    pub device_slot: Option<String>,
    /// Codes for signing in at a server follow its clock.
    pub follow_server_clock: bool,
    /// What a newer program wrote.
    #[serde(flatten)]
    unknown: serde_json::Map<String, serde_json::Value>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lock_after: Some(5 * 60),
            lock_on_minimise: false,
            lock_on_sleep: true,
            lock_on_screen_lock: true,
            clipboard_seconds: 30,
            hide_codes: cfg!(any(target_os = "android", target_os = "ios")),
            show_next: false,
            sort: Sort::default(),
            scheme: Scheme::default(),
            high_contrast: false,
            text_size: 100,
            reduce_motion: false,
            language: None,
            password_days: Some(30),
            backup_folder: None,
            backups_kept: 5,
            backup_tag: None,
            tray: false,
            vault: None,
            device_slot: None,
            follow_server_clock: true,
            unknown: serde_json::Map::new(),
        }
    }
}

/// The settings and their file.
#[derive(Debug, Default)]
pub struct SettingsStore {
    path: Option<PathBuf>,
    current: RefCell<Settings>,
}

impl SettingsStore {
    /// In memory only: for tests, samples, and systems without a folder for it.
    pub fn in_memory(settings: Settings) -> Self {
        Self { path: None, current: RefCell::new(settings) }
    }

    /// Reads the file. One that is missing gives the usual settings; so does one that cannot be read, which is kept as
    /// `settings.json.unreadable` when the next change is saved.
    pub fn open(path: PathBuf) -> Self {
        let read = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        if read.is_none() && path.exists() {
            // Worth no message: the settings can be chosen again, and the file is still there.
            let _ = fs::copy(&path, path.with_extension("json.unreadable"));
        }
        Self { path: Some(path), current: RefCell::new(read.unwrap_or_default()) }
    }

    /// As they are now.
    pub fn get(&self) -> Settings {
        self.current.borrow().clone()
    }

    /// Looks at them without a copy.
    pub fn with<T>(&self, look: impl FnOnce(&Settings) -> T) -> T {
        look(&self.current.borrow())
    }

    /// Changes them, and saves. Where saving fails the change still holds until the program ends.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) -> io::Result<()> {
        change(&mut self.current.borrow_mut());
        match &self.path {
            Some(path) => write(path, &self.current.borrow()),
            None => Ok(()),
        }
    }
}

fn write(path: &Path, settings: &Settings) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer_pretty(&mut file, settings)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_is_there_again_and_so_is_what_is_not_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/settings.json");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, r#"{"text_size":125,"from_the_future":{"a":1}}"#).unwrap();
        let store = SettingsStore::open(path.clone());
        assert_eq!(store.get().text_size, 125);
        store.change(|settings| settings.lock_after = None).unwrap();
        let again = SettingsStore::open(path.clone());
        assert_eq!(again.get(), store.get());
        assert_eq!(again.get().lock_after, None);
        assert!(fs::read_to_string(path).unwrap().contains("from_the_future"));
    }

    #[test]
    fn a_damaged_file_is_kept_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.json");
        fs::write(&path, "{ this is none").unwrap();
        assert_eq!(SettingsStore::open(path.clone()).get(), Settings::default());
        assert_eq!(fs::read_to_string(path.with_extension("json.unreadable")).unwrap(), "{ this is none");
    }
}
