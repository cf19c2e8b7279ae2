//! Passwords come from a prompt, a file or standard input, never from arguments.

use std::{
    io::{self, BufRead as _, ErrorKind, IsTerminal as _, Read as _, Write as _},
    path::Path,
};

use countersign_core::{
    backup,
    secret::{Password, SecretText},
};
use zeroize::Zeroizing;

use super::{
    echo,
    failure::Failure,
    output::Output,
    read::{self, LINE_BYTES},
};
use crate::files::take_limited;

/// Below this score of [`backup::strength`] a new password gets a warning.
const STRONG: u8 = 3;

/// Standard input, which may hold several passwords, one a line, and then links or a text.
#[derive(Debug, Default)]
pub(crate) struct Stdin {
    /// Whether something other than a prompt reads it, so that a prompt goes to the terminal directly.
    holds_data: bool,
}

impl Stdin {
    /// The next line without its end; `None` at the end of the input.
    fn line(&mut self) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        self.holds_data = true;
        // Byte by byte into one allocation, so that growing leaves no copies behind.
        let mut line = Zeroizing::new(Vec::with_capacity(4096));
        let mut byte = Zeroizing::new([0]);
        let mut stdin = io::stdin().lock();
        let mut any = false;
        while stdin.read(&mut *byte)? == 1 {
            any = true;
            if byte[0] == b'\n' {
                break;
            }
            if line.len() as u64 == LINE_BYTES {
                return Err(ErrorKind::FileTooLarge.into());
            }
            line.push(byte[0]);
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(any.then_some(line))
    }

    /// Everything that is left, which may be `limit` bytes.
    pub(crate) fn rest(&mut self, limit: u64) -> Result<Zeroizing<Vec<u8>>, Failure> {
        self.holds_data = true;
        take_limited(io::stdin().lock(), limit)
            .map(Zeroizing::new)
            .map_err(|error| read::failure(Path::new("standard input"), limit, &error))
    }

    /// Asks a question that `y` or `yes` agrees to. Where nobody can be asked, the answer is no.
    pub(crate) fn confirm(&self, question: &str) -> Result<bool, Failure> {
        if !self.can_ask() || self.holds_data {
            return Ok(false);
        }
        let failed = |error| Failure::file("read", Path::new("the terminal"), &error);
        let mut stderr = io::stderr().lock();
        write!(stderr, "{question}").and_then(|()| stderr.flush()).map_err(failed)?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).map_err(failed)?;
        Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }

    fn can_ask(&self) -> bool {
        io::stdin().is_terminal() || (self.holds_data && io::stderr().is_terminal())
    }
}

/// A secret text that was given, or that is asked for when it is needed.
#[derive(Debug)]
pub(crate) enum Source {
    Given(Zeroizing<String>),
    Ask { option: &'static str },
}

/// Reads what a file or standard input gives. Files and lines are read at once, in the order of the calls; a prompt
/// waits until [`Source::get`].
pub(crate) fn source(file: Option<&Path>, option: &'static str, stdin: &mut Stdin) -> Result<Source, Failure> {
    let Some(path) = file else { return Ok(Source::Ask { option }) };
    if path == Path::new("-") {
        return stdin_line(option, stdin).map(Source::Given);
    }
    let bytes = read::file(path, LINE_BYTES)?;
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    // Editors of Windows begin a file with it; no keyboard types it.
    let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
    utf8(line, &path.display().to_string()).map(Source::Given)
}

fn stdin_line(what: &str, stdin: &mut Stdin) -> Result<Zeroizing<String>, Failure> {
    match stdin.line() {
        Ok(Some(line)) => utf8(&line, "Standard input"),
        Ok(None) => Err(Failure::usage(format!("Standard input ended before the line for {what}."))
            .hint("Give one line each, in the order that `countersign --help` names.")),
        Err(error) => Err(read::failure(Path::new("A line of standard input"), LINE_BYTES, &error)),
    }
}

fn utf8(bytes: &[u8], origin: &str) -> Result<Zeroizing<String>, Failure> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(Failure::usage(format!("{origin} does not hold UTF-8 text.")).hint("Save it as UTF-8.")),
    }
}

impl Source {
    /// The text; asks for it where it was not given.
    pub(crate) fn get(self, prompt: &str, stdin: &Stdin) -> Result<Zeroizing<String>, Failure> {
        match self {
            Self::Given(text) => Ok(text),
            Self::Ask { option } => ask(prompt, option, stdin),
        }
    }

    /// A new password: asked for twice, never empty, with a warning where it would not stand long.
    pub(crate) fn get_new(self, prompt: &str, stdin: &Stdin, out: Output) -> Result<Password, Failure> {
        let asked = matches!(self, Self::Ask { .. });
        let text = self.get(prompt, stdin)?;
        let password = Password::new(&text);
        if password.is_empty() {
            return Err(Failure::usage("The password is empty.").hint("Choose one; several words are good."));
        }
        if backup::strength(&password).score < STRONG {
            out.warn(
                "this password is easy to guess for a program; several words that do not belong together are better",
            );
        }
        if asked && *ask("The same again: ", "--password-file", stdin)? != *text {
            return Err(Failure::usage("The two passwords differ.").hint("Nothing was changed; try again."));
        }
        Ok(password)
    }
}

fn ask(prompt: &str, option: &str, stdin: &Stdin) -> Result<Zeroizing<String>, Failure> {
    if !stdin.can_ask() {
        let what = prompt.trim_end_matches([':', ' ']).to_lowercase();
        return Err(Failure::usage(format!("There is no terminal to ask for the {what}."))
            .hint(format!("Give it with {option}, from a file or with `-` from standard input.")));
    }
    echo::kept(|| rpassword::prompt_password(prompt))
        .map(Zeroizing::new)
        .map_err(|error| Failure::file("read", Path::new("the terminal"), &error))
}

/// A secret or PIN among the arguments: itself, or with `-` a line of standard input, or asked for.
pub(crate) fn typed(
    argument: Option<&str>,
    option: &'static str,
    stdin: &mut Stdin,
) -> Result<Option<SecretText>, Failure> {
    match argument {
        None => Ok(None),
        Some("-") => typed_in(option, stdin).map(Some),
        Some(text) => Ok(Some(SecretText::new(text.to_owned()))),
    }
}

fn typed_in(option: &'static str, stdin: &mut Stdin) -> Result<SecretText, Failure> {
    let mut text = if io::stdin().is_terminal() {
        ask(&format!("{}: ", option.trim_start_matches('-')), option, stdin)?
    } else {
        stdin_line(option, stdin)?
    };
    Ok(SecretText::new(std::mem::take(&mut *text)))
}
