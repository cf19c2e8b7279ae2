//! Where results, notices and failures go: results to standard output, everything else to standard error.

use std::io::{self, Write as _};

use serde::Serialize;

use super::{
    failure::{Exit, Failure},
    text,
};

/// Prints for a person or for a program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) json: bool,
}

#[derive(Serialize)]
struct Wrapped<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Failure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<Notice<'a>>,
}

#[derive(Serialize)]
struct Notice<'a> {
    message: &'a str,
}

impl Output {
    /// Prints a result: `value` as JSON, or the text that a person reads. The text is printed as it is, so the names in
    /// it must have gone through [`text::plain`].
    pub(crate) fn result(self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.json { self.raw((json(value) + "\n").as_bytes()) } else { self.raw(text().as_bytes()) }
    }

    /// Prints bytes as they are.
    pub(crate) fn raw(self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|error| Failure::output(&error))
    }

    /// Says something to a person only: what was done, where a program reads the result instead.
    pub(crate) fn notice(self, message: &str) {
        if !self.json {
            to_stderr(&text::plain(message));
        }
    }

    /// Says something that neither a person nor a program should miss.
    pub(crate) fn warn(self, message: &str) {
        if self.json {
            to_stderr(&json(&Wrapped { error: None, warning: Some(Notice { message }) }));
        } else {
            to_stderr(&format!("warning: {}", text::plain(message)));
        }
    }

    /// Says what went wrong, and gives the exit code.
    pub(crate) fn failure(self, failure: &Failure) -> Option<Exit> {
        if failure.quiet {
            return None;
        }
        if self.json {
            to_stderr(&json(&Wrapped { error: Some(failure), warning: None }));
        } else {
            let hint = failure.hint.as_ref().map(|hint| format!(" {hint}")).unwrap_or_default();
            to_stderr(&text::plain(&format!("{}{hint}", failure.message)));
            for line in &failure.lines {
                to_stderr(&format!("  {}", text::plain(line)));
            }
        }
        Some(failure.exit)
    }
}

fn json(value: &impl Serialize) -> String {
    // The values are structs of strings and numbers, which always serialise.
    text::plain_json(&serde_json::to_string(value).unwrap_or_default())
}

/// Nobody is left to be told when standard error is gone.
fn to_stderr(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
