//! Files that are for nobody else to read, whatever the account's habits.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What is made from here on is readable by its owner only.
pub(super) fn only_for_the_owner() {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}

/// Makes the folder where it is missing.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Takes from others the right to a database that an earlier process left open to them, and to what lies beside it.
pub(super) fn tighten(database: &Path) {
    #[cfg(unix)]
    for end in ["", "-wal", "-shm"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mut file = database.as_os_str().to_owned();
        file.push(end);
        let open = fs::metadata(&file).ok().filter(|file| file.permissions().mode() & 0o077 != 0);
        // Of another owner's file the system refuses it; then it is that owner's to do.
        if let Some(mode) = open.map(|file| file.permissions().mode()) {
            let _ = fs::set_permissions(&file, fs::Permissions::from_mode(mode & 0o7700));
        }
    }
    #[cfg(not(unix))]
    let _ = database;
}

/// What to tell of a file of keys that others may read, or change.
pub(super) fn open_to_others(keys: &Path) -> Option<String> {
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(keys).ok()?.permissions()) & 0o777;
        (mode & 0o077 != 0).then(|| {
            let shown = keys.display();
            format!(
                "others on this machine may open {shown} (mode {mode:o}), and with it every secret: `chmod 600 {shown}`"
            )
        })
    }
    #[cfg(not(unix))]
    {
        let _ = keys;
        None
    }
}

/// The file in an address of SQLite.
pub(super) fn database_of(address: &str) -> Option<PathBuf> {
    let path = address.strip_prefix("sqlite:")?.split(['?', '#']).next()?;
    Some(PathBuf::from(path.strip_prefix("//").unwrap_or(path)))
}
