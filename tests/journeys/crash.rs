//! Programs that die at any moment, and programs that write at once: what was reported as saved is there.

use std::{
    collections::HashSet,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use countersign_e2e::{Desk, accounts, link};
use getrandom::SysRng;
use rand_core::{Rng as _, UnwrapErr};

/// A random time below `most`.
fn random_time(most: Duration) -> Duration {
    let micros = u64::try_from(most.as_micros()).unwrap();
    Duration::from_micros(UnwrapErr(SysRng).next_u64() % micros)
}

#[allow(clippy::disallowed_methods, reason = "only to spread the kills; nothing is asserted of it")]
fn time_of(work: impl FnOnce()) -> Duration {
    let start = std::time::Instant::now();
    work();
    start.elapsed()
}

fn writer(vault: &Path, prefix: &str, count: u32) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_writer"));
    command.arg(vault).args([prefix, &count.to_string()]).stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

fn assert_all_there(vault: &Path, acknowledged: &[String]) {
    let there: HashSet<String> = accounts(vault).into_iter().collect();
    let missing: Vec<_> = acknowledged.iter().filter(|account| !there.contains(*account)).collect();
    assert!(missing.is_empty(), "{} of {} are missing: {missing:?}", missing.len(), acknowledged.len());
}

#[test]
fn killed_at_any_moment_of_500_saves() {
    const SAVES: usize = 500;
    let desk = Desk::new();
    let mut acknowledged = Vec::new();
    let mut kills = 0;
    while acknowledged.len() < SAVES || kills < 20 {
        let mut child = writer(&desk.vault(), &format!("kill{kills}-"), 1_000_000).spawn().unwrap();
        // At least the first save, so that every round gets on, then a random while.
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        lines.read_line(&mut text).unwrap();
        std::thread::sleep(random_time(Duration::from_millis(400)));
        // SIGKILL: nothing of the program runs after it.
        child.kill().unwrap();
        child.wait().unwrap();
        lines.read_to_string(&mut text).unwrap();
        // A line without its end was not reported.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        acknowledged.extend(whole.lines().map(String::from));
        assert_all_there(&desk.vault(), &acknowledged);
        kills += 1;
    }
    println!("{kills} kills over {} reported saves", acknowledged.len());
}

#[test]
fn the_program_itself_killed_while_it_adds() {
    let desk = Desk::new();
    let mut acknowledged: Vec<String> = Vec::new();
    let mut completed = 0;
    // The first run may build the program, which is no part of the time.
    desk.done(&["list"]);
    // Kills fall anywhere between the start and a while after the end, however slow the machine is.
    let most = time_of(|| drop(desk.done(&["add", &link("before")]))) * 3 / 2;
    acknowledged.push("before".to_owned());
    for round in 0..40 {
        let account = format!("round{round}");
        let mut child = desk.command(["add", &link(&account)]).spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        std::thread::sleep(random_time(most));
        child.kill().unwrap();
        let status = child.wait().unwrap();
        let mut said = String::new();
        stdout.read_to_string(&mut said).unwrap();
        completed += u32::from(status.success());
        // The table is printed after the save, so it is the report.
        if said.contains(&account) {
            acknowledged.push(account);
        }
        assert_all_there(&desk.vault(), &acknowledged);
    }
    println!("{} of 40 were reported before the kill, {completed} ended by themselves", acknowledged.len() - 1);
    desk.done(&["add", &link("after")]);
    assert_all_there(&desk.vault(), &["after".to_owned()]);
    assert_eq!(desk.run(["verify"]).code, 0);
}

#[test]
fn two_programs_writing_at_once_lose_nothing() {
    const EACH: u32 = 60;
    let desk = Desk::new();
    let children: Vec<_> = ["a", "b"].map(|prefix| writer(&desk.vault(), prefix, EACH).spawn().unwrap()).into();
    let mut acknowledged = Vec::new();
    // The program joins in while the two are at it.
    for round in 0..5 {
        desk.done(&["add", &link(&format!("program{round}"))]);
        acknowledged.push(format!("program{round}"));
    }
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        acknowledged.extend(String::from_utf8(output.stdout).unwrap().lines().map(String::from));
    }
    assert_eq!(acknowledged.len(), 2 * EACH as usize + 5);
    assert_all_there(&desk.vault(), &acknowledged);
    assert_eq!(desk.accounts().len(), acknowledged.len(), "and nothing is there twice");
}
