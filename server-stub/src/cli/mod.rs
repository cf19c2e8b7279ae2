//! The command line. Names and exit codes are a contract: scripts depend on them.

mod args;
mod context;
mod files;
mod report;
mod run;
mod serve;

use std::{io::Write as _, process::ExitCode};

use clap::{Parser as _, error::ErrorKind};

use args::{Args, Command};
use context::{CliError, Context};
use report::Report;

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return not_understood(&error),
    };
    let json = args.json;
    // Before there is a second thread.
    files::only_for_the_owner();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&CliError::Io("start", error), json),
    };
    let done = runtime.block_on(async {
        match args.command {
            Command::Serve(ref serve) => serve::serve(&args.place, serve, json).await.map(|()| None),
            // It is of the program and touches no database.
            Command::Openapi => Ok(Some(run::openapi())),
            ref command => {
                let context = Context::open(&args.place).await?;
                for warning in &context.warnings {
                    warn(warning, json);
                }
                let report = run::run(&context, command).await;
                context.store.close().await;
                report.map(Some)
            }
        }
    });
    match done {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(report)) => {
            if !json {
                let _ = std::io::stderr().write_all(report.notes.as_bytes());
            }
            let text = if json { format!("{:#}\n", report.json) } else { report.text };
            // A reader that has gone (`| head`) is no failure.
            let _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::from(report.exit)
        }
        Err(error) => failed(&error, json),
    }
}

fn warn(warning: &str, json: bool) {
    let text = if json {
        format!("{}\n", serde_json::json!({ "warning": warning }))
    } else {
        format!("countersign-server: {warning}\n")
    };
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Arguments that are none, or a request for help.
fn not_understood(error: &clap::Error) -> ExitCode {
    let json = std::env::args_os().take_while(|argument| argument != "--").any(|argument| argument == "--json");
    if json && error.use_stderr() {
        let text = error.render().to_string();
        let (what, advice) = match error.kind() {
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => ("a command is missing", text.as_str()),
            _ => text.trim_start_matches("error: ").split_once("\n\n").unwrap_or((&text, "")),
        };
        let advice = Some(advice.trim()).filter(|advice| !advice.is_empty());
        let object = serde_json::json!({ "code": "usage", "error": what.trim(), "advice": advice });
        let _ = std::io::stderr().write_all(format!("{object}\n").as_bytes());
    } else {
        let _ = error.print();
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1))
}

fn failed(error: &CliError, json: bool) -> ExitCode {
    let text = if json {
        let object = serde_json::json!({ "code": error.code(), "error": error.to_string(), "advice": error.advice() });
        format!("{object}\n")
    } else {
        let advice = error.advice().map(|advice| format!(" ({advice})")).unwrap_or_default();
        format!("countersign-server: {error}{advice}\n")
    };
    let _ = std::io::stderr().write_all(text.as_bytes());
    ExitCode::from(error.exit())
}
