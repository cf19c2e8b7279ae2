//! The databases of two Android apps: Google Authenticator up to 5.10, and Microsoft Authenticator.

use super::{
    Draft, ImportError, PasswordUse, Problem, Recognised, Source, Unlock,
    input::Input,
    sqlite::{self, Row},
    table::Importer,
    text::{self, Said},
};
use crate::token::TokenSecret;

/// Google Authenticator's database.
pub(super) struct Google;

/// Microsoft Authenticator's database.
pub(super) struct Microsoft;

/// Where both keep their tokens.
const TABLE: &str = "accounts";

/// The rows, where the file is a database whose table has that column.
fn rows(input: &Input<'_>, column: &str) -> Result<Vec<Row>, sqlite::Damaged> {
    let database = sqlite::Database::open(input.bytes)?;
    if !database.has_column(TABLE, column) {
        return Err(sqlite::Damaged::NoTable(TABLE.to_owned()));
    }
    database.table(TABLE)
}

fn recognise(input: &Input<'_>, column: &str) -> Recognised {
    let has = sqlite::Database::open(input.bytes).is_ok_and(|database| database.has_column(TABLE, column));
    if has { Recognised::Yes } else { Recognised::No }
}

impl Importer for Google {
    const ID: &'static str = "google-database";
    const NAME: &'static str = "Google Authenticator's database";
    const EXTENSIONS: &'static [&'static str] = &["sqlite", "db"];
    const PASSWORD: PasswordUse = PasswordUse::Never;

    fn recognise(input: &Input<'_>) -> Recognised {
        recognise(input, "email")
    }

    fn read(input: &Input<'_>, _: Unlock<'_>) -> Result<Source, ImportError> {
        let rows = rows(input, "email").map_err(|error| ImportError::damaged(Self::NAME, error.to_string()))?;
        let mut source = Source::new(Self::NAME);
        for row in rows {
            let issuer = row.text("issuer");
            let email = row.text("email");
            let (issuer, account) = match issuer.is_empty() {
                true => text::split_label(&email),
                false => {
                    let account = text::account_of(&email, &issuer);
                    (issuer, account)
                }
            };
            source.push(text::title(&issuer, &account), google(&row, issuer, account), &row.raw());
        }
        Ok(source)
    }
}

fn google(row: &Row, issuer: String, account: String) -> Result<Draft, Problem> {
    let kind = match row.number("type") {
        Some(0) => "totp",
        Some(1) => "hotp",
        other => return Err(Problem::Kind(other.map(|kind| kind.to_string()).unwrap_or_default())),
    };
    let counter = row.number("counter");
    Said { issuer, account, kind, counter, ..Said::default() }.with_text(&row.text("secret"))
}

impl Importer for Microsoft {
    const ID: &'static str = "microsoft";
    const NAME: &'static str = "Microsoft Authenticator";
    const EXTENSIONS: &'static [&'static str] = &["sqlite", "db"];
    const PASSWORD: PasswordUse = PasswordUse::Never;

    fn recognise(input: &Input<'_>) -> Recognised {
        recognise(input, "oath_secret_key")
    }

    fn read(input: &Input<'_>, _: Unlock<'_>) -> Result<Source, ImportError> {
        /// An account of another service: its secret is in Base32.
        const OTHER: u64 = 0;
        /// A personal Microsoft account: its secret is in Base64, its codes have eight digits.
        const PERSONAL: u64 = 1;

        let rows =
            rows(input, "oath_secret_key").map_err(|error| ImportError::damaged(Self::NAME, error.to_string()))?;
        let mut source = Source::new(Self::NAME);
        for row in rows {
            let (issuer, account, secret) = (row.text("name"), row.text("username"), row.text("oath_secret_key"));
            let title = text::title(&issuer, &account);
            let kind = row.number("account_type");
            // Accounts of companies approve by push and have no secret here.
            if secret.is_empty() || !matches!(kind, Some(OTHER | PERSONAL)) {
                source.without_token += 1;
                continue;
            }
            let said = Said { issuer, account, ..Said::default() };
            let draft = if kind == Some(PERSONAL) {
                TokenSecret::from_base64(&secret)
                    .map_err(Problem::from)
                    .and_then(|secret| Said { digits: Some(8), ..said }.with(secret))
            } else {
                said.with_text(&secret)
            };
            source.push(title, draft, &row.raw());
        }
        Ok(source)
    }
}
