use std::{fs, path::Path, process::Command};

use countersign::platform::{
    desktop::linux::{
        autostart::XdgAutostart,
        desktop_entry::{APP_ID, install_desktop_entry, is_installed, remove_desktop_entry},
    },
    login_start::{LoginStart, LoginStartError, LoginStartState},
};

use super::bus::skipped;

fn validate(entry: &Path) {
    match Command::new("desktop-file-validate").arg("--warn-kde").arg(entry).output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success() && !said.contains("error"), "{said}");
        }
        Err(_) => skipped("desktop-file-validate"),
    }
}

#[test]
fn login_starts_the_program_until_told_otherwise() {
    let config = tempfile::tempdir().unwrap();
    let start = |exe: &str| XdgAutostart::new(config.path(), exe.into(), vec!["--minimised".into()]);
    let own = start("/opt/my apps/countersign");
    assert_eq!(own.state().unwrap(), LoginStartState::Off);
    own.switch(false).unwrap();
    own.switch(true).unwrap();
    own.switch(true).unwrap();
    assert_eq!(own.state().unwrap(), LoginStartState::On);
    assert_eq!(start("/elsewhere/countersign").state().unwrap(), LoginStartState::Elsewhere);

    let entry = config.path().join(format!("autostart/{APP_ID}.desktop"));
    validate(&entry);
    let text = fs::read_to_string(&entry).unwrap();
    assert!(text.contains("\nExec=\"/opt/my apps/countersign\" --minimised\n"), "{text}");
    assert_eq!(fs::read_dir(entry.parent().unwrap()).unwrap().count(), 1, "nothing is left beside");

    for switched_off in ["Hidden=true\n", "X-GNOME-Autostart-enabled=false\n"] {
        fs::write(&entry, format!("{text}{switched_off}")).unwrap();
        assert_eq!(own.state().unwrap(), LoginStartState::Off, "{switched_off}");
        fs::write(&entry, format!("{text}[Desktop Action Other]\n{switched_off}")).unwrap();
        assert_eq!(own.state().unwrap(), LoginStartState::On, "{switched_off}");
    }
    own.switch(false).unwrap();
    assert!(!entry.exists());
    assert_eq!(own.state().unwrap(), LoginStartState::Off);
}

#[test]
fn login_start_that_cannot_be_written_says_where() {
    let config = tempfile::tempdir().unwrap();
    fs::write(config.path().join("autostart"), "a file where a folder should be").unwrap();
    let start = XdgAutostart::new(config.path(), "/usr/bin/countersign".into(), vec![]);
    assert!(matches!(start.switch(true), Err(LoginStartError::File { path, .. }) if path.starts_with(config.path())));
    let start = XdgAutostart::new(config.path(), "relative".into(), vec![]);
    assert!(matches!(start.switch(true), Err(LoginStartError::UnusablePath(path)) if path == Path::new("relative")));
}

#[test]
fn menu_entry_offers_the_program_for_its_links() {
    let data = tempfile::tempdir().unwrap();
    let exe = Path::new("/opt/$my apps/countersign");
    assert!(!is_installed(data.path(), exe));
    let installed = install_desktop_entry(data.path(), exe).unwrap();
    assert!(is_installed(data.path(), exe));
    assert!(!is_installed(data.path(), Path::new("/usr/bin/countersign")));
    validate(&installed.entry);
    let text = fs::read_to_string(&installed.entry).unwrap();
    assert!(text.contains("\nExec=\"/opt/\\\\$my apps/countersign\" %u\n"), "{text}");
    let table = installed.entry.with_file_name("mimeinfo.cache");
    assert_eq!(installed.table_updated, table.exists());
    if installed.table_updated {
        let table = fs::read_to_string(&table).unwrap();
        for scheme in ["otpauth", "otpauth-migration", "countersign"] {
            let line = format!("x-scheme-handler/{scheme}={APP_ID}.desktop;");
            assert!(table.lines().any(|other| other == line), "{scheme}: {table}");
        }
    } else {
        skipped("update-desktop-database");
    }
    assert!(fs::read_to_string(&installed.icon).unwrap().starts_with("<svg"));

    install_desktop_entry(data.path(), Path::new("/usr/bin/countersign")).unwrap();
    assert!(is_installed(data.path(), Path::new("/usr/bin/countersign")));
    assert!(remove_desktop_entry(data.path()).unwrap());
    assert!(!remove_desktop_entry(data.path()).unwrap());
    assert!(!installed.entry.exists() && !installed.icon.exists());
}
