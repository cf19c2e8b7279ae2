//! The commands that do one thing and end.

mod import;
mod records;
mod rules;
mod users;

use std::{
    io::{self, BufRead as _, IsTerminal as _, Read as _},
    path::Path,
};

use serde::Serialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    CliError, Context, Report,
    args::{AdminCommand, Command, KeyCommand, OutboxCommand, TokenCommand, UserCommand},
    context::recognise,
};
use crate::seal::Keys;

pub(super) async fn run(context: &Context, command: &Command) -> Result<Report, CliError> {
    match command {
        Command::Serve(_) | Command::Openapi => Err(CliError::Usage("this runs by itself".to_owned())),
        Command::Admin(AdminCommand::Create(create)) => users::create_administrator(context, create).await,
        Command::Rescue(rescue) => users::rescue(context, rescue).await,
        Command::User(UserCommand::Import(import)) => import::users(context, import).await,
        Command::User(command) => users::user(context, command).await,
        Command::Group(command) => rules::group(context, command).await,
        Command::Settings(command) => rules::settings(context, command).await,
        Command::Token(TokenCommand::Import(import)) => import::tokens(context, import).await,
        Command::Token(command) => users::token(context, command).await,
        Command::App(command) => records::app(context, command).await,
        Command::Outbox(OutboxCommand::List { limit, after }) => {
            records::outbox(context, after.as_deref(), *limit).await
        }
        Command::ApiKey(command) => records::api_key(context, command).await,
        Command::Audit(command) => records::audit(context, command).await,
        Command::Key(KeyCommand::Rotate) => rotate(context).await,
    }
}

pub(super) fn openapi() -> Report {
    let json = value(&crate::http::document());
    let text = format!("{json:#}\n");
    Report { json, text, ..Report::default() }
}

async fn rotate(context: &Context) -> Result<Report, CliError> {
    let Some(file) = &context.keys_file else {
        return Err(CliError::Usage(
            "the keys come from the environment: put a new one before them there (NUMBER:BASE64 of 32 bytes)"
                .to_owned(),
        ));
    };
    let failed = |source| CliError::File { path: file.clone(), source };
    let _turn = turn(file).map_err(failed)?;
    // As it is now: another may have come first.
    let earlier = Keys::read(file).map_err(failed)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
    let store = &context.admin.store;
    recognise(store, &earlier, Some(file)).await?;
    let rotated = earlier.rotated(&context.random);
    // On the disk before anything is sealed with it.
    rotated.write(file, true).map_err(failed)?;
    let count = store.reseal(&rotated, &context.random, context.clock.now()).await?;
    let newest = rotated.newest();
    Ok(Report::line(
        json!({ "key": newest, "secrets": count }),
        format!(
            "Key {newest} seals {count} secrets. Running servers find it in {}; the earlier keys stay in there.",
            file.display()
        ),
    ))
}

/// Waits for others that put a key into the same file: of two at once one would take the other's key away, and with it
/// what was sealed with it. Held until it is dropped.
#[cfg(unix)]
fn turn(file: &Path) -> io::Result<std::fs::File> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = std::fs::File::open(folder)?;
    folder.lock()?;
    Ok(folder)
}

/// A folder cannot be held on other systems.
#[cfg(not(unix))]
fn turn(_: &Path) -> io::Result<()> {
    Ok(())
}

/// A shape as JSON. Texts and numbers only: none of them fails.
fn value(shape: &impl Serialize) -> Value {
    serde_json::to_value(shape).unwrap_or_default()
}

/// A password out of a file, standard input (`-`), or, where nothing is named and somebody sits there, the terminal.
fn password(file: Option<&Path>, wanted: bool) -> Result<Option<Zeroizing<String>>, CliError> {
    match file {
        Some(file) => {
            let line = first_line(file)?;
            if line.is_empty() {
                return Err(CliError::Usage("the password is empty".to_owned()));
            }
            Ok(Some(line))
        }
        None if !wanted => Ok(None),
        None if std::io::stdin().is_terminal() => {
            let ask = |text: &str| rpassword::prompt_password(text).map(Zeroizing::new);
            let asked = ask("Password: ").map_err(|error| CliError::Io("the terminal", error))?;
            let again = ask("Once more: ").map_err(|error| CliError::Io("the terminal", error))?;
            match () {
                () if asked.is_empty() => Err(CliError::Usage("the password is empty".to_owned())),
                () if asked != again => Err(CliError::Usage("the two passwords differ".to_owned())),
                () => Ok(Some(asked)),
            }
        }
        None => Err(CliError::Usage(
            "a password is needed: --password-file FILE, or --password-file - for standard input".to_owned(),
        )),
    }
}

fn first_line(file: &Path) -> Result<Zeroizing<String>, CliError> {
    let mut line = Zeroizing::new(String::new());
    if file == Path::new("-") {
        std::io::stdin().lock().read_line(&mut line).map_err(|error| CliError::Io("standard input", error))?;
    } else {
        std::fs::File::open(file)
            .and_then(|open| std::io::BufReader::new(open.take(64 * 1024)).read_line(&mut line))
            .map_err(|source| CliError::File { path: file.to_owned(), source })?;
    }
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line)
}
