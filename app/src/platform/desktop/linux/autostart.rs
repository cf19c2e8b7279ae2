//! Starting with the login, as the freedesktop.org Desktop Application Autostart Specification has it: an entry in
//! `~/.config/autostart`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::desktop_entry::{self, APP_ID, EntryError};
use crate::platform::login_start::{LoginStart, LoginStartError, LoginStartState};

/// The user's autostart folder.
#[derive(Clone, Debug)]
pub struct XdgAutostart {
    entry: PathBuf,
    exe: PathBuf,
    arguments: Vec<String>,
}

impl XdgAutostart {
    /// `config_home` is `~/.config`, or what `XDG_CONFIG_HOME` says; `exe` the program
    /// ([`desktop_entry::program_path`]), `arguments` what it is started with at the login.
    pub fn new(config_home: &Path, exe: PathBuf, arguments: Vec<String>) -> Self {
        Self { entry: config_home.join("autostart").join(format!("{APP_ID}.desktop")), exe, arguments }
    }
}

impl LoginStart for XdgAutostart {
    fn state(&self) -> Result<LoginStartState, LoginStartError> {
        let text = match fs::read_to_string(&self.entry) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(LoginStartState::Off),
            Err(error) => return Err(LoginStartError::File { path: self.entry.clone(), error }),
        };
        // Settings programs of desktops switch an entry off without removing it.
        if value(&text, "Hidden") == Some("true") || value(&text, "X-GNOME-Autostart-enabled") == Some("false") {
            return Ok(LoginStartState::Off);
        }
        let own = desktop_entry::exec_line(&self.exe, &self.arguments)?;
        Ok(if value(&text, "Exec") == Some(&own) { LoginStartState::On } else { LoginStartState::Elsewhere })
    }

    fn switch(&self, on: bool) -> Result<(), LoginStartError> {
        if !on {
            desktop_entry::remove(&self.entry)?;
            return Ok(());
        }
        let text = format!(
            "[Desktop Entry]\n\
             Type=Application\n\
             Version=1.0\n\
             Name=Countersign\n\
             Icon={APP_ID}\n\
             TryExec={}\n\
             Exec={}\n\
             Terminal=false\n\
             StartupNotify=false\n",
            desktop_entry::try_exec(&self.exe)?,
            desktop_entry::exec_line(&self.exe, &self.arguments)?,
        );
        Ok(desktop_entry::replace(&self.entry, &text)?)
    }
}

/// A key's value in the first group, which is the entry itself; others are actions.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut lines = text.lines().map(str::trim).skip_while(|line| *line != "[Desktop Entry]").skip(1);
    lines.by_ref().take_while(|line| !line.starts_with('[')).find_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim_end() == key).then(|| value.trim_start())
    })
}

impl From<EntryError> for LoginStartError {
    fn from(error: EntryError) -> Self {
        match error {
            EntryError::UnusablePath(path) => Self::UnusablePath(path),
            EntryError::File { path, error } => Self::File { path, error },
        }
    }
}
