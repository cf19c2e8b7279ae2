//! The recovery sheet as a page that any browser shows and prints: one file, nothing from elsewhere, no script.

use std::{
    cell::RefCell,
    io::Write as _,
    path::{Path, PathBuf},
    rc::Rc,
};

use countersign_core::{export::escaped, qr::Matrix, secret::SecretText};
use zeroize::Zeroize as _;

use super::{Door, Services};
use crate::{
    files::{self, ReplaceError},
    platform::{Ask, Support},
};

/// The sheet's words, in the user's language.
#[derive(Clone, Debug, Default)]
pub struct SheetWords {
    /// The language's tag.
    pub language: String,
    /// Its title.
    pub title: String,
    /// When it was made.
    pub made: String,
    /// Above the key.
    pub key: String,
    /// What to do with it, step by step.
    pub steps: Vec<String>,
    /// Above the paths.
    pub places: String,
    /// Where the vault is.
    pub vault: String,
    /// Where the backups are; empty where none are made.
    pub backups: String,
    /// Above the names.
    pub accounts: String,
    /// What there is instead of names where the vault is empty.
    pub no_accounts: String,
    /// What the sheet is worth.
    pub warning: String,
}

/// Why a sheet was not saved or shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SheetProblem {
    /// The dialog could not be opened.
    NoDialog,
    /// The file could not be written.
    CannotSave,
    /// Nothing on this system shows pages.
    NoViewer,
}

/// The sheet that is shown.
pub struct SheetController {
    services: Rc<Services>,
    door: Rc<Door>,
    key: RefCell<Option<SecretText>>,
    /// The page that a viewer was asked to show. It vanishes with this.
    shown: RefCell<Option<tempfile::NamedTempFile>>,
}

impl SheetController {
    /// Over that vault.
    pub fn new(services: Rc<Services>, door: Rc<Door>) -> Self {
        Self { services, door, key: RefCell::default(), shown: RefCell::default() }
    }

    /// Takes a new key.
    pub fn take(&self, key: SecretText) {
        *self.key.borrow_mut() = Some(key);
    }

    /// The key: eight groups of four.
    pub fn key(&self) -> Option<SecretText> {
        self.key.borrow().clone()
    }

    /// Forgets the key, and removes the page that was shown.
    pub fn forget(&self) {
        *self.key.borrow_mut() = None;
        *self.shown.borrow_mut() = None;
    }

    /// Whether there is a program that could print it.
    pub fn can_print(&self) -> bool {
        self.services.platform.viewer.support() == Support::Supported
    }

    /// The names of the accounts, and nothing else of them.
    pub fn accounts(&self) -> Vec<String> {
        let Some(content) = self.door.content() else { return Vec::new() };
        let mut names: Vec<String> = content.tokens().iter().map(|token| token.spec.title()).collect();
        names.sort_by_key(|name| name.to_lowercase());
        names
    }

    /// Whether that is the third group of the key, however it was typed.
    pub fn is_third_group(&self, typed: &str) -> bool {
        let key = self.key.borrow();
        let Some(group) = key.as_ref().and_then(|key| key.expose().split('-').nth(2)) else { return false };
        let mut plain: String = typed.chars().filter(|c| c.is_alphanumeric()).map(meant).collect();
        let same = plain == group;
        plain.zeroize();
        same
    }

    /// Asks where to keep the page, and writes it for its owner alone; `done` is called here with `None` where the
    /// user thought better of it.
    pub fn save(
        &self,
        words: &SheetWords,
        name: String,
        title: String,
        done: impl FnOnce(Option<Result<PathBuf, SheetProblem>>) + 'static,
    ) {
        let Some(page) = self.page(words) else { return };
        let picker = self.services.platform.picker.clone();
        self.services.tasks.run(
            move || {
                let chosen = picker.pick(&Ask::Save { name }, &title).chosen(SheetProblem::NoDialog)?;
                Some(chosen.and_then(|path| {
                    let written = write_private(&path, page.expose().as_bytes());
                    written.map(|()| path).map_err(|_| SheetProblem::CannotSave)
                }))
            },
            done,
        );
    }

    /// Asks the desktop to show the page, so that it can be printed: from a file for its owner alone, in memory where
    /// the system has such a place, which is removed when the sheet is left.
    pub fn print(&self, words: &SheetWords) -> Result<(), SheetProblem> {
        let Some(page) = self.page(words) else { return Ok(()) };
        let folder = std::env::var_os("XDG_RUNTIME_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
        let file = tempfile::Builder::new()
            .prefix("countersign-sheet-")
            .suffix(".html")
            .tempfile_in(folder)
            .and_then(|mut file| file.write_all(page.expose().as_bytes()).map(|()| file))
            .map_err(|_| SheetProblem::CannotSave)?;
        self.services.platform.viewer.open(file.path()).map_err(|_| SheetProblem::NoViewer)?;
        *self.shown.borrow_mut() = Some(file);
        Ok(())
    }

    fn page(&self, words: &SheetWords) -> Option<SecretText> {
        Some(page(words, self.key.borrow().as_ref()?, &self.accounts()))
    }
}

/// A character as a recovery key has it: none of its letters looks like another.
fn meant(typed: char) -> char {
    match typed.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        'U' => 'V',
        other => other,
    }
}

/// Replaces the file as a whole; whoever else may read the folder may not read it.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), ReplaceError<()>> {
    files::replace(path, bytes, |written| if written == bytes { Ok(()) } else { Err(()) })
}

fn page(words: &SheetWords, key: &SecretText, accounts: &[String]) -> SecretText {
    let groups: Vec<&str> = key.expose().split('-').collect();
    let half = groups.len().div_ceil(2);
    let mut out = String::with_capacity(32 * 1024);
    let mut put = |parts: &[&str]| parts.iter().for_each(|part| out.push_str(part));
    put(&["<!doctype html>\n<html lang=\"", &escaped(&words.language), "\">\n<head>\n<meta charset=\"utf-8\">\n"]);
    put(&["<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"]);
    put(&["<title>", &escaped(&words.title), "</title>\n<style>", STYLE, "</style>\n</head>\n<body>\n"]);
    put(&["<h1>", &escaped(&words.title), "</h1>\n<p>", &escaped(&words.made), "</p>\n"]);
    put(&["<h2>", &escaped(&words.key), "</h2>\n<p class=\"key\">"]);
    put(&[&escaped(&groups[..half].join("-")), "<br>", &escaped(&groups[half..].join("-")), "</p>\n"]);
    // 39 characters always fit.
    let code = Matrix::new(key.expose()).map(|code| code.to_svg()).ok();
    put(&[code.as_ref().map_or("", SecretText::expose), "\n<ol>\n"]);
    for step in &words.steps {
        put(&["<li>", &escaped(step), "</li>\n"]);
    }
    put(&["</ol>\n<h2>", &escaped(&words.places), "</h2>\n<p>", &escaped(&words.vault)]);
    if !words.backups.is_empty() {
        put(&["<br>", &escaped(&words.backups)]);
    }
    put(&["</p>\n<h2>", &escaped(&words.accounts), "</h2>\n<p>"]);
    put(&[&escaped(&if accounts.is_empty() { words.no_accounts.clone() } else { accounts.join(", ") })]);
    put(&["</p>\n<p>", &escaped(&words.warning), "</p>\n</body>\n</html>\n"]);
    SecretText::new(out)
}

const STYLE: &str = "body{font:15px/1.5 sans-serif;max-width:40em;margin:2em auto;padding:0 1em;color:#000;background:#fff}\
h1{font-size:1.5em;margin:0}h2{font-size:1em;margin:1.4em 0 .3em}p{margin:0 0 .6em;overflow-wrap:anywhere}\
.key{font:bold 1.3em/1.6 monospace;border:1px solid #888;border-radius:6px;padding:.5em .8em}\
svg{width:11em;height:11em;margin:.6em 0}ol{padding-left:1.3em}@page{margin:2cm}";

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "K7QF-2MZN-9TRA-XW4D-H3PJ-6VCE-8YBG-5SKV";

    #[test]
    fn a_page_has_the_key_and_nothing_that_acts() {
        let words = SheetWords { title: "Sheet <1>".into(), steps: vec!["Install".into()], ..SheetWords::default() };
        let names = ["A & B <script>alert(1)</script>".to_owned()];
        let page = page(&words, &SecretText::new(KEY.into()), &names);
        let page = page.expose();
        assert!(page.contains("K7QF-2MZN-9TRA-XW4D<br>H3PJ-6VCE-8YBG-5SKV"));
        assert!(page.contains("Sheet &lt;1&gt;") && page.contains("A &amp; B &lt;script&gt;"));
        assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"));
        assert!(page.contains("<svg viewBox"));
    }

    #[cfg(unix)]
    #[test]
    fn a_saved_page_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sheet.html");
        std::fs::write(&path, "before").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        write_private(&path, b"after").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"after");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
