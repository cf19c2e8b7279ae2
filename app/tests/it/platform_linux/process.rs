use std::{fs, process::Command};

use countersign::platform::desktop::linux::process::{OpenToPortals, close};

/// Set in the child that closes itself: it would close the other tests' process as well.
const CHILD: &str = "COUNTERSIGN_TEST_CLOSES";

#[test]
fn closed_process_opens_for_portals_only() {
    if std::env::var_os(CHILD).is_some() {
        check_in_own_process();
        return;
    }
    let name = "platform_linux::process::closed_process_opens_for_portals_only";
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "the child ran nothing");
}

fn check_in_own_process() {
    let open = || rustix::process::dumpable_behavior().unwrap() == rustix::process::DumpableBehavior::Dumpable;
    let core_limit = || {
        let limits = fs::read_to_string("/proc/self/limits").unwrap();
        let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap().to_owned();
        line.split_whitespace().skip(4).take(2).collect::<Vec<_>>().join(" ")
    };
    let before = OpenToPortals::new();
    assert!(open());
    close();
    assert!(!open());
    assert_eq!(core_limit(), "1 1");
    drop(before);
    assert!(!open(), "made before, not counted");

    let first = OpenToPortals::new();
    let second = OpenToPortals::new();
    assert!(open());
    close();
    assert!(open(), "closing again does not end what runs");
    drop(first);
    assert!(open(), "the second still needs it");
    drop(second);
    assert!(!open());
    assert_eq!(core_limit(), "1 1");
}
