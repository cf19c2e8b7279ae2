//! A disk that is full.

use std::{path::Path, process::Command};

use countersign_e2e::{Desk, accounts, create, link, program, run};

/// 300 links, far more than what is in the vault.
fn many() -> String {
    (0..300).map(|number| link(&format!("big{number}")) + "\n").collect()
}

fn assert_said_and_kept(said: &countersign_e2e::Run, vault: &Path, before: &[String]) {
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.stderr.contains("could not be saved") && said.stderr.contains("Make room"), "{said:?}");
    assert_eq!(said.stdout, "");
    assert_eq!(accounts(vault), before, "the vault is as it was");
}

#[test]
#[cfg(unix)]
fn a_file_size_limit_stops_a_save_and_loses_nothing() {
    let desk = Desk::new();
    desk.done(&["add", &link("alice")]);
    std::fs::write(desk.path("links"), many()).unwrap();
    let before = desk.accounts();
    // The limit's signal is ignored, so that the program sees the system's error as it does on a full disk.
    let mut limited = Command::new("sh");
    limited.current_dir(desk.path("")).env("COUNTERSIGN_VAULT", desk.vault());
    limited.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    limited.args(["-c", r#"trap "" XFSZ; ulimit -f 32; exec "$0" --password-file password add links"#]);
    let said = run(limited.arg(program()), b"");
    assert_said_and_kept(&said, &desk.vault(), &before);
    desk.done(&["add", "links"]);
    assert_eq!(desk.accounts().len(), 301, "with room again, everything is saved");
}

/// Needs the right to mount; where there is none, says so.
#[test]
#[cfg(target_os = "linux")]
fn a_full_file_system_stops_a_save_and_loses_nothing() {
    let desk = Desk::new();
    let disk = desk.path("disk");
    std::fs::create_dir(&disk).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=128k", "none"]).arg(&disk).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        println!("skipped: no file system can be mounted here");
        return;
    }
    let unmount = Unmount(disk.clone());
    let vault = disk.join("vault.json");
    create(&vault);
    let add = |arguments: &[&str]| run(desk.command(["add"]).env("COUNTERSIGN_VAULT", &vault).args(arguments), b"");
    assert_eq!(add(&[&link("alice")]).code, 0);
    std::fs::write(desk.path("links"), many()).unwrap();
    let before = accounts(&vault);
    assert_said_and_kept(&add(&["links"]), &vault, &before);

    // Not one byte left.
    let filler = disk.join("filler");
    let _ = std::fs::write(&filler, vec![0; 1 << 20]);
    assert_said_and_kept(&add(&[&link("bob")]), &vault, &before);
    std::fs::remove_file(filler).unwrap();
    assert_eq!(add(&[&link("bob")]).code, 0, "with room again, the save works");
    assert_eq!(accounts(&vault), ["alice", "bob"]);
    drop(unmount);
}

struct Unmount(std::path::PathBuf);

impl Drop for Unmount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}
