//! Being opened for links: the program's entry among the applications names their schemes.

use std::{fs, path::PathBuf};

use super::desktop_entry;
use crate::platform::login_start::{LoginStart, LoginStartError, LoginStartState};

/// The entry under the user's data folder.
#[derive(Clone, Debug)]
pub struct LinkEntry {
    data_home: PathBuf,
    exe: PathBuf,
}

impl LinkEntry {
    /// `data_home` is `~/.local/share`; `exe` the program that links open ([`desktop_entry::program_path`]).
    pub fn new(data_home: PathBuf, exe: PathBuf) -> Self {
        Self { data_home, exe }
    }
}

impl LoginStart for LinkEntry {
    fn state(&self) -> Result<LoginStartState, LoginStartError> {
        if desktop_entry::is_installed(&self.data_home, &self.exe) {
            return Ok(LoginStartState::On);
        }
        let there = fs::exists(desktop_entry::entry_path(&self.data_home)).unwrap_or(false);
        Ok(if there { LoginStartState::Elsewhere } else { LoginStartState::Off })
    }

    fn switch(&self, on: bool) -> Result<(), LoginStartError> {
        if on {
            desktop_entry::install_desktop_entry(&self.data_home, &self.exe)?;
        } else {
            desktop_entry::remove_desktop_entry(&self.data_home)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_open_the_program_that_was_switched_on() {
        let folder = tempfile::tempdir().unwrap();
        let own = LinkEntry::new(folder.path().to_owned(), "/opt/countersign".into());
        let other = LinkEntry::new(folder.path().to_owned(), "/usr/bin/countersign".into());
        assert_eq!(own.state().unwrap(), LoginStartState::Off);
        other.switch(true).unwrap();
        assert_eq!(own.state().unwrap(), LoginStartState::Elsewhere);
        own.switch(true).unwrap();
        assert_eq!(own.state().unwrap(), LoginStartState::On);
        let entry = fs::read_to_string(desktop_entry::entry_path(folder.path())).unwrap();
        assert!(entry.contains("Exec=/opt/countersign %u\n"), "{entry}");
        assert!(entry.contains("x-scheme-handler/countersign;"), "{entry}");
        own.switch(false).unwrap();
        assert_eq!(own.state().unwrap(), LoginStartState::Off);
    }
}
