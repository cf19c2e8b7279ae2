//! What a database's error says to people: what happened, without the parts that are for its own authors, and what to do.

use std::{fmt, str::FromStr as _};

use sqlx::postgres::PgConnectOptions;

use super::{Kind, OpenError};

/// An error in a database's own words.
pub(super) fn said(error: &sqlx::Error) -> impl fmt::Display {
    match error {
        // Not where in its source it was raised.
        sqlx::Error::Database(database) => database.message().to_owned(),
        sqlx::Error::PoolTimedOut => "no connection within 3 seconds".to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    }
}

/// Whether what a database's code stands for is the machine's and not the statement's, and so worth another try.
pub(super) fn passes(code: &str) -> bool {
    if code.len() == 5 {
        // PostgreSQL: connection lost, no room and too many connections, shutting down, serialisation, deadlock, a copy
        // that only reads.
        return ["08", "53", "57"].iter().any(|class| code.starts_with(class))
            || ["40001", "40P01", "25006"].contains(&code);
    }
    // Busy or locked by another process, a file that is only read or cannot be opened, a disk that fails or is full.
    matches!(sqlite(code), Some(5 | 6 | 8 | 10 | 13 | 14))
}

/// The code of an error of SQLite, without the upper bits that say more. PostgreSQL's have five digits.
fn sqlite(code: &str) -> Option<u32> {
    (code.len() < 5).then(|| code.parse::<u32>().ok().map(|code| code & 0xff)).flatten()
}

/// Whether others are at it, and nothing is wrong.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut => true,
        sqlx::Error::Database(database) => database.code().is_some_and(|code| matches!(sqlite(&code), Some(5 | 6))),
        _ => false,
    }
}

/// What to do about an error, where it is one that people can do something about.
pub fn advice(error: &sqlx::Error) -> Option<&'static str> {
    let code = match error {
        sqlx::Error::Database(database) => database.code()?,
        sqlx::Error::PoolTimedOut => return Some("is the database there, and does another program hold it?"),
        sqlx::Error::Io(_) => {
            return Some("is the database running there, and may this machine reach it? `--database` names another");
        }
        _ => return None,
    };
    Some(match (sqlite(&code), &*code) {
        (Some(5 | 6), _) => "does another program hold it?",
        (Some(8 | 14), _) => "may this account write that file, and the folder that it lies in?",
        (Some(13), _) | (_, "53100") => "make room on its disk",
        (Some(10), _) => "is its disk full, or broken?",
        (Some(11 | 26), _) => "it is damaged, or another program's: put back a backup, or move it away to begin anew",
        (_, "28P01" | "28000") => "are user and password in the address right, and does its pg_hba.conf let them in?",
        (_, "3D000") => "`createdb` makes one",
        (_, "42501") => "the user must own the database, or its schema",
        (_, "25006") => "it is a copy that only reads: `--database` names the one that it is a copy of",
        (_, "53300") => "too many programs are connected: raise its max_connections",
        _ => return None,
    })
}

/// Where a database is, without the password.
pub(super) fn place(kind: Kind, address: &str) -> String {
    match kind {
        Kind::Sqlite => {
            let path = address.trim_start_matches("sqlite:").trim_start_matches("//");
            let path = path.split('?').next().unwrap_or_default();
            percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned()
        }
        Kind::Postgres => match PgConnectOptions::from_str(address) {
            Ok(options) => {
                let host = match options.get_socket() {
                    Some(socket) => socket.display().to_string(),
                    None => format!("{}:{}", options.get_host(), options.get_port()),
                };
                let name = options.get_database().unwrap_or_else(|| options.get_username());
                format!("{name:?} at {host}")
            }
            Err(_) => "that was named".to_owned(),
        },
    }
}

impl OpenError {
    /// What to do about it, where that is not plain.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Connect { source, .. } => advice(source),
            Self::Migrate(_) | Self::Address => None,
        }
    }
}
