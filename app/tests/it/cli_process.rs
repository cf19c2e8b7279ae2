//! The program as a process: pipes, panics, completions, the clipboard without a desktop.

use std::process::{Command, Stdio};

use crate::cli_kit::{Desk, RFC_SECRET, run};

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let links: Vec<String> =
        (0..2_000).map(|number| format!("otpauth://totp/RFC:user{number}?secret={RFC_SECRET}")).collect();
    let desk = Desk::with(&links.iter().map(String::as_str).collect::<Vec<_>>());
    let mut child = desk.command(["list"]).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_standard_output_is_a_failure() {
    let desk = Desk::with(&[&format!("otpauth://totp/RFC:alice?secret={RFC_SECRET}")]);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = desk.command(["list"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("could not be printed"));
}

/// Runs this test binary once more, where the panic happens.
#[test]
fn a_panic_tells_no_secret() {
    const CHILD: &str = "COUNTERSIGN_TEST_PANICS";
    if std::env::var_os(CHILD).is_some() {
        countersign::cli::calm_panics();
        panic!("the secret is {RFC_SECRET}");
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "cli_process::a_panic_tells_no_secret", "--nocapture"])
        .env(CHILD, "1")
        .env("RUST_BACKTRACE", "full")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stderr).into_owned() + &String::from_utf8_lossy(&child.stdout);
    assert!(!child.status.success());
    assert!(said.contains("a fault of its own") && !said.contains(RFC_SECRET), "{said}");
}

#[test]
fn completions_and_the_manual_come_out() {
    let desk = Desk::empty();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = desk.done(&["completions", shell]);
        assert!(script.contains("restore-backup"), "{shell}");
        assert!(!script.contains("Holds a text"), "{shell}: what is hidden stays hidden");
    }
    let manual = desk.done(&["man"]);
    assert!(
        manual.starts_with(".ie") && manual.contains("RESTORE\\-BACKUP") || manual.contains("RESTORE-BACKUP"),
        "{manual}"
    );
}

#[test]
fn without_a_desktop_the_clipboard_says_so_and_the_code_still_comes() {
    let desk = Desk::with(&[&format!("otpauth://totp/RFC:alice?secret={RFC_SECRET}&digits=8")]);
    let run = desk.run(["code", "alice", "--at", "59", "--copy"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, "94287082\n"));
    assert!(run.stderr.contains("clipboard") && run.stderr.contains("DISPLAY"), "{run:?}");
    assert!(desk.fails(1, ["add", "--clipboard"]).contains("clipboard"));
}

#[test]
fn without_a_display_no_window_opens_and_the_program_says_so() {
    let desk = Desk::empty();
    let said = run(&mut desk.bare(), b"");
    assert_eq!((said.code, said.stdout.as_str()), (1, ""));
    assert!(said.stderr.contains("no display") && said.stderr.contains("--help"), "{said:?}");
}

/// A device without an end is read up to the limit of what it stands for, which the message names.
#[test]
#[cfg(target_os = "linux")]
fn an_input_without_an_end_fills_no_memory() {
    const ENDLESS: &str = "/dev/zero";
    let desk = Desk::new();
    let endless = || std::fs::File::open(ENDLESS).unwrap();
    let fails = |command: &mut Command, what: &str, limit: &str| {
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(&format!("{what} is larger than {limit}")), "{said}");
    };
    let vault = desk.vault();
    let password = ["--vault", vault.to_str().unwrap(), "--password-file"];
    fails(desk.bare().args(password).args([ENDLESS, "list"]), ENDLESS, "64 KiB");
    fails(desk.bare().args(password).args(["-", "list"]).stdin(endless()), "line of standard input", "64 KiB");
    fails(desk.command(["add", "--account", "a", "--secret", "-"]).stdin(endless()), "standard input", "64 KiB");
    for arguments in
        [&["add", "--image", ENDLESS][..], &["add", ENDLESS], &["qr", "read", ENDLESS], &["import", ENDLESS]]
    {
        fails(&mut desk.command(arguments), ENDLESS, "64 MiB");
    }
    for arguments in [["add", "-"], ["import", "-"]] {
        fails(desk.command(arguments).stdin(endless()), "standard input", "64 MiB");
    }
    fails(&mut desk.command(["restore-backup", ENDLESS]), ENDLESS, "256 MiB");
    fails(desk.command(["restore-backup", "-"]).stdin(endless()), "standard input", "256 MiB");
}

#[test]
#[cfg(target_os = "linux")]
fn a_pipe_or_a_device_is_no_vault() {
    let desk = Desk::new();
    let made = Command::new("mkfifo").arg(desk.path("pipe")).status().unwrap();
    assert!(made.success());
    for vault in [desk.path("pipe").to_str().unwrap(), "/dev/zero"] {
        let mut command = desk.bare();
        command.arg("--vault").arg(vault).arg("--password-file").arg(desk.path("password")).arg("list");
        let said = run(&mut command, b"");
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.stderr.contains("not a file") && said.stderr.contains("right file"), "{said:?}");
    }
}

/// Runs the program on a terminal of its own (`script`), ends it at the prompt and asks the terminal how it is.
#[test]
#[cfg(target_os = "linux")]
fn a_program_that_is_ended_at_its_prompt_leaves_the_terminal_its_echo() {
    use std::io::{Read as _, Write as _};

    let desk = Desk::new();
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let ask = format!(
            "trap : INT; sh -c 'echo $$; exec {} --vault {} list'; echo code=$?; stty -a",
            env!("CARGO_BIN_EXE_countersign"),
            desk.vault().display()
        );
        let mut child = Command::new("script")
            .args(["--quiet", "--return", "--command", &ask, "/dev/null"])
            .env("SHELL", "/bin/sh")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut stdout, mut said) = (child.stdout.take().unwrap(), Vec::new());
        let mut read_until = |end: &str, said: &mut Vec<u8>| {
            let mut byte = [0];
            while !said.ends_with(end.as_bytes()) && stdout.read(&mut byte).unwrap() == 1 {
                said.push(byte[0]);
            }
        };
        read_until("Password: ", &mut said);
        let text = String::from_utf8_lossy(&said).into_owned();
        let id = text.lines().next().unwrap().trim();
        if signal == "INT" {
            child.stdin.as_mut().unwrap().write_all(&[3]).unwrap();
        } else {
            assert!(Command::new("kill").args(["-s", signal, id]).status().unwrap().success(), "{text}");
        }
        read_until("no end", &mut said);
        let text = String::from_utf8_lossy(&said).into_owned();
        assert!(text.contains(&format!("code={code}")), "{text}");
        assert!(text.contains(" echo ") && !text.contains("-echo "), "{text}");
        child.wait().unwrap();
    }
}
