//! The backup text goes out, and comes back.

use std::path::Path;

use countersign_core::{
    backup,
    secret::Password,
    vault::{
        self, Content,
        ledger::{Ledger, Verdict},
        session::Key,
    },
};
use serde::Serialize;
use serde_json::json;
use zeroize::Zeroizing;

use crate::{
    backup_text::{self, CLIPBOARD_SECONDS},
    cli::{
        args::{Backup, RestoreBackup},
        clipboard::{self, Pasted},
        context::{self, Context, now, rng},
        failure::Failure,
        files, passwords,
        read::{self, BACKUP_BYTES},
        record, text,
    },
};

/// Writes the backup text, after it was read back and counted.
pub(crate) fn backup(context: &mut Context, args: &Backup) -> Result<(), Failure> {
    files::keep_vault(args.output.as_deref(), &context.path, "The backup")?;
    let key = context.key_source()?;
    let source = passwords::source(args.backup_password_file.as_deref(), "--backup-password-file", &mut context.stdin)?;
    let session = context.open_with(key)?;
    let password = source.get_new("Password for the backup: ", &context.stdin, context.out)?;
    let kdf = context::kdf(args.kdf, context.out)?;
    let content = session.content();
    let armoured = backup::write(content, &password, kdf, &mut rng(), now())
        .map_err(|error| Failure::failed(format!("The backup could not be written: {error}.")))?;
    let count = content.tokens().len();
    let value = json!({
        "tokens": count,
        "output": args.output.as_ref().map(|path| path.display().to_string()),
        "text": (args.output.is_none() && !args.clipboard).then_some(&armoured),
    });
    if let Some(path) = &args.output {
        files::replace(path, armoured.as_bytes(), |written| verify(written, &password, content))?;
        context.out.result(&value, String::new)?;
        context.out.notice(&format!("Wrote {} to {}, read it back and counted.", text::tokens(count), path.display()));
        return Ok(());
    }
    verify(armoured.as_bytes(), &password, content)?;
    if args.clipboard {
        clipboard::copy(&armoured, CLIPBOARD_SECONDS)?;
        context.out.result(&value, String::new)?;
        context.out.notice(&format!(
            "Copied a backup of {}; the clipboard is cleared after {} minutes.",
            text::tokens(count),
            CLIPBOARD_SECONDS / 60
        ));
        return Ok(());
    }
    context.out.result(&value, || armoured.clone())
}

/// Opens the backup as a stranger would, and counts.
fn verify(written: &[u8], password: &Password, content: &Content) -> Result<(), Failure> {
    backup_text::verify(written, password, content).map_err(|unsound| {
        Failure::failed(format!("The backup did not read back: {unsound}."))
            .hint("Nothing was replaced; check the disk and try again.")
    })
}

#[derive(Serialize)]
struct Report {
    dry_run: bool,
    lines: Vec<ReportLine>,
    added: usize,
    already_there: usize,
    differs: usize,
    unreadable: usize,
}

#[derive(Serialize)]
struct ReportLine {
    /// `add`, `already-there`, or `differs`, which is added beside the one that is there.
    verdict: &'static str,
    issuer: String,
    account: String,
    kind: &'static str,
    /// The id of the token that is there.
    existing: Option<String>,
    #[serde(skip)]
    title: String,
}

/// Adds what a backup holds and the vault does not, and prints the ledger.
pub(crate) fn restore_backup(context: &mut Context, args: &RestoreBackup) -> Result<(), Failure> {
    let key = context.key_source()?;
    let source = passwords::source(args.backup_password_file.as_deref(), "--backup-password-file", &mut context.stdin)?;
    let bytes = read_bytes(context, args)?;
    // A damaged backup is told from a wrong password before anybody is asked for one.
    let sealed = Sealed::find(&bytes)?;
    let mut session = context.open_with(key)?;
    let password = Password::new(&source.get("Password of the backup: ", &context.stdin)?);
    let content = sealed.open(password)?;
    let ledger = if args.dry_run {
        session.content().compare(&content)
    } else {
        context.edit(&mut session, |vault| Ok(vault.merge(&content, "backup", &mut rng(), now())))?
    };
    let report = Report::new(&ledger, args.dry_run);
    context.out.result(&report, || report.table())?;
    context.out.notice(&report.summary());
    Ok(())
}

/// A backup before it is opened.
enum Sealed<'a> {
    Text(backup::Sealed),
    /// A copy of a vault's file, as automatic backups are.
    Copy(&'a [u8]),
}

impl<'a> Sealed<'a> {
    fn find(bytes: &'a [u8]) -> Result<Self, Failure> {
        if vault::looks_like_copy(bytes) {
            vault::inspect_copy(bytes).map_err(|error| Failure::copy(&error))?;
            return Ok(Self::Copy(bytes));
        }
        let armoured = Zeroizing::new(backup_text::lenient_text(bytes));
        backup::find(&armoured).map(Self::Text).map_err(|error| Failure::backup_text(&error))
    }

    fn open(&self, password: Password) -> Result<Content, Failure> {
        match self {
            Self::Text(sealed) => sealed.open(&password).map_err(|error| Failure::backup_open(&error)),
            Self::Copy(bytes) => {
                vault::open_copy(bytes, &Key::Password(password)).map_err(|error| Failure::copy(&error))
            }
        }
    }
}

fn read_bytes(context: &mut Context, args: &RestoreBackup) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if args.clipboard {
        return match clipboard::paste()? {
            Pasted::Text(text) => Ok(Zeroizing::new(text.as_bytes().to_vec())),
            Pasted::Picture(_) => Err(Failure::failed("The clipboard holds a picture, not a backup text.")),
        };
    }
    match args.file.as_deref() {
        Some(path) if path != Path::new("-") => read::file(path, BACKUP_BYTES),
        _ => context.stdin.rest(BACKUP_BYTES),
    }
}

impl Report {
    fn new(ledger: &Ledger, dry_run: bool) -> Self {
        let lines: Vec<ReportLine> = ledger
            .lines
            .iter()
            .map(|line| {
                let (verdict, existing) = match &line.verdict {
                    Verdict::AlreadyThere(id) => ("already-there", Some(id.to_string())),
                    Verdict::Differs(id) => ("differs", Some(id.to_string())),
                    _ => ("add", None),
                };
                let spec = &line.token.spec;
                ReportLine {
                    verdict,
                    issuer: spec.issuer.clone(),
                    account: spec.account.clone(),
                    kind: spec.kind.name().name(),
                    existing,
                    title: record::title(&line.token),
                }
            })
            .collect();
        let count = |verdict| lines.iter().filter(|line| line.verdict == verdict).count();
        Self {
            dry_run,
            added: ledger.adds(),
            already_there: count("already-there"),
            differs: count("differs"),
            unreadable: ledger.unreadable,
            lines,
        }
    }

    fn table(&self) -> String {
        let rows: Vec<Vec<String>> =
            self.lines.iter().map(|line| vec![line.verdict.into(), line.kind.into(), line.title.clone()]).collect();
        text::columns(&rows)
    }

    fn summary(&self) -> String {
        let mut summary = format!(
            "{} in the backup: {} {}, {} there already.",
            text::tokens(self.lines.len()),
            text::thousands(self.added),
            if self.dry_run { "would be added" } else { "added" },
            text::thousands(self.already_there),
        );
        if self.differs > 0 {
            summary += &format!(
                " {} of the added {} a token of the same name with another secret beside {}.",
                text::thousands(self.differs),
                if self.differs == 1 { "has" } else { "have" },
                if self.differs == 1 { "it" } else { "them" },
            );
        }
        if self.unreadable > 0 {
            summary += &format!(
                " {} could not be read and {} kept word for word.",
                if self.unreadable == 1 { "1 entry".into() } else { format!("{} entries", self.unreadable) },
                if self.unreadable == 1 { "is" } else { "are" },
            );
        }
        if !self.dry_run && self.added > 0 {
            summary += " `countersign undo-import` takes it back.";
        }
        summary
    }
}

/// Takes back the newest import.
pub(crate) fn undo_import(context: &mut Context) -> Result<(), Failure> {
    let mut session = context.open()?;
    if session.content().imports().is_empty() {
        return Err(Failure::failed("There is no import to take back."));
    }
    let (count, unreadable) = context.edit(&mut session, |content| {
        let before = content.kept().len();
        let count = content.undo_import(now());
        Ok((count, before - content.kept().len()))
    })?;
    context.out.result(&json!({ "removed": count, "unreadable": unreadable }), String::new)?;
    match unreadable {
        0 => {}
        1 => context.out.notice("1 entry that could not be read is gone."),
        _ => {
            let entries = text::thousands(unreadable);
            context.out.notice(&format!("{entries} entries that could not be read are gone."));
        }
    }
    if count > 0 || unreadable == 0 {
        context.out.notice(&format!("{} went to the trash, which keeps them for 30 days.", text::tokens(count)));
    }
    Ok(())
}
