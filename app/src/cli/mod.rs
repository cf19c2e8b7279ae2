//! The command line: the same core as the window's, without one.
//!
//! Arguments are read once into `args`, each command is a function of `commands` over one `context::Context`,
//! and every failure is a `failure::Failure` with its exit code.

mod args;
mod clipboard;
mod commands;
mod context;
mod echo;
mod failure;
mod files;
mod location;
mod output;
mod passwords;
mod pick;
mod process;
mod read;
mod record;
mod spec;
mod text;

use std::{ffi::OsString, io::Write as _, process::ExitCode};

use clap::{CommandFactory as _, Parser as _, error::ErrorKind};

use crate::{WindowError, WindowOptions, links, run_window};
use args::{Cli, Command, Global, Qr, ServerCommand};
use context::Context;
use failure::{Exit, Failure};
use output::Output;

pub use process::calm_panics;

/// Runs the program with its arguments, the program's name first: a command, or the window where there is none.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    calm_panics();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let [_, command, seconds] = &arguments[..]
        && command == clipboard::HOLD_COMMAND
    {
        return clipboard::hold(seconds);
    }
    if let [_, link] = &arguments[..]
        && let Some(link) = link.to_str().filter(|text| links::is_link(text))
    {
        return opened_with(link.to_owned());
    }
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return not_understood(&error, &arguments),
    };
    process::keep_memory_private(cli.command.is_none());
    let out = Output { json: cli.global.json };
    // A fault of the program itself was told by the panic's hook; its exit code is like any other failure's.
    let result = std::panic::catch_unwind(|| dispatch(cli));
    let code = match result {
        Ok(Ok(())) => None,
        Ok(Err(failure)) => out.failure(&failure),
        Err(_) => Some(Exit::Failed),
    };
    code.map_or(ExitCode::SUCCESS, |exit| ExitCode::from(exit as u8))
}

/// The desktop started the program for a link.
fn opened_with(link: String) -> ExitCode {
    process::keep_memory_private(true);
    let out = Output { json: false };
    let global = Global { vault: None, password_file: None, recovery_key_file: None, json: false, demo: false };
    match window(global, Some(link)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => out.failure(&failure).map_or(ExitCode::SUCCESS, |exit| ExitCode::from(exit as u8)),
    }
}

fn dispatch(cli: Cli) -> Result<(), Failure> {
    let Some(command) = cli.command else { return window(cli.global, None) };
    if cli.global.demo {
        return Err(Failure::usage("--demo opens the window and takes no command."));
    }
    // These need no vault, and so no place for one.
    let out = Output { json: cli.global.json };
    match command {
        Command::Qr(Qr::Read { images }) => commands::qr::read(out, &images),
        Command::Completions { shell } => completions(out, shell),
        Command::Man => manual(out),
        command => over_vault(command, &mut Context::new(cli.global)?),
    }
}

fn over_vault(command: Command, context: &mut Context) -> Result<(), Failure> {
    match command {
        Command::Init(args) => commands::vault::init(context, args),
        Command::Passwd(args) => commands::vault::passwd(context, &args),
        Command::RecoveryKey => commands::vault::recovery_key(context),
        Command::Add(args) => commands::add::add(context, &args),
        Command::List(args) => commands::list::list(context, &args),
        Command::Code(args) => commands::code::code(context, &args),
        Command::Edit(args) => commands::edit::edit(context, &args),
        Command::Remove(args) => commands::edit::remove(context, &args),
        Command::Restore(args) => commands::edit::restore(context, &args),
        Command::Backup(args) => commands::backup::backup(context, &args),
        Command::RestoreBackup(args) => commands::backup::restore_backup(context, &args),
        Command::Import(args) => commands::import::import(context, &args),
        Command::Export(args) => commands::export::export(context, &args),
        Command::Unreadable(args) => commands::unreadable::unreadable(context, &args),
        Command::UndoImport => commands::backup::undo_import(context),
        Command::Qr(Qr::Show { query, output }) => commands::qr::show(context, &query, output.as_deref()),
        Command::Server(ServerCommand::Add(args)) => commands::server::add(context, &args),
        Command::Server(ServerCommand::Status(args)) => commands::server::status(context, &args),
        Command::Server(ServerCommand::Remove { server }) => commands::server::remove(context, &server),
        Command::Register(args) => commands::server::register(context, &args),
        Command::SignIn(args) => commands::server::sign_in(context, &args),
        Command::SignOut(args) => commands::server::sign_out(context, &args),
        Command::Verify => commands::verify::verify(context),
        Command::RestoreGeneration(args) => commands::verify::restore_generation(context, &args),
        Command::Qr(Qr::Read { .. }) | Command::Completions { .. } | Command::Man => Ok(()),
    }
}

fn window(global: Global, link: Option<String>) -> Result<(), Failure> {
    let (demo, named) = (global.demo, global.vault.is_some());
    let vault = Context::new(global)?.path;
    run_window(WindowOptions { vault, named, demo, link }).map_err(|error| match error {
        WindowError::NoDisplay(_) => Failure::failed("There is no display to open a window on.")
            .hint("The command line does the same without one: `countersign --help`."),
        other => Failure::failed(format!("{}.", other.to_string().trim_end_matches('.'))),
    })
}

/// What clap says: help and version are results, anything else is a wrong use.
fn not_understood(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    let out = Output { json: arguments.iter().any(|argument| argument == "--json") };
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // Nobody is left to be told when this cannot be printed.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if out.json {
        let text = error.render().to_string();
        let what = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        out.failure(
            &Failure::usage(spec::sentence(what.trim_end_matches('.'))).hint("`countersign --help` shows the usage."),
        );
    } else {
        let _ = error.print();
    }
    ExitCode::from(Exit::Usage as u8)
}

fn completions(out: Output, shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "countersign", &mut script);
    out.raw(&script)
}

/// One page with every command on it.
fn manual(out: Output) -> Result<(), Failure> {
    let mut page = Vec::new();
    render_manual(&mut page).map_err(|error| Failure::output(&error))?;
    out.raw(&page)
}

fn render_manual(page: &mut Vec<u8>) -> std::io::Result<()> {
    let mut command = Cli::command();
    command.build();
    let main = clap_mangen::Man::new(command.clone());
    main.render_title(page)?;
    main.render_name_section(page)?;
    main.render_synopsis_section(page)?;
    main.render_description_section(page)?;
    main.render_options_section(page)?;
    main.render_extra_section(page)?;
    for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        for command in std::iter::once(command).chain(command.get_subcommands()) {
            let name = command.get_bin_name().unwrap_or(command.get_name()).to_uppercase();
            writeln!(page, ".SH {name}")?;
            let part = clap_mangen::Man::new(command.clone());
            for section in [
                clap_mangen::Man::render_synopsis_section,
                clap_mangen::Man::render_description_section,
                clap_mangen::Man::render_options_section,
            ] {
                let mut text = Vec::new();
                section(&part, &mut text)?;
                // Below the command's own head.
                page.extend(String::from_utf8_lossy(&text).replace(".SH ", ".SS ").into_bytes());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_hang_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_stand_before_or_after_the_command() {
        for arguments in [["countersign", "--json", "list"], ["countersign", "list", "--json"]] {
            assert!(Cli::try_parse_from(arguments).unwrap().global.json);
        }
    }
}
