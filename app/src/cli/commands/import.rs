//! Files of other apps come in.

use std::{collections::HashMap, path::Path};

use countersign_core::{
    import::{self, Counts, Fate, ImportError, Line, Plan, Unlock},
    intake::kind_line,
    otp::{Code, CodeError},
    secret::SecretText,
    token::{Token, TokenId},
    vault::Content,
};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::cli::{
    args::Import,
    context::{Context, now, rng},
    failure::Failure,
    passwords,
    read::{self, FILE_BYTES},
    record, text,
};

/// Adds what a file of another app holds and the vault does not, and prints the ledger.
pub(crate) fn import(context: &mut Context, args: &Import) -> Result<(), Failure> {
    let key = context.key_source()?;
    let given = args.import_password_file.is_some();
    let source = passwords::source(args.import_password_file.as_deref(), "--import-password-file", &mut context.stdin)?;
    let bytes = read_file(context, &args.file)?;
    let key_file = args.import_key_file.as_deref().map(|path| read_file(context, path)).transpose()?;
    let file = File { bytes: &bytes, key_file: key_file.as_ref().map(|bytes| bytes.as_slice()) };
    let format = args.format.as_deref().and_then(import::format);
    // What is damaged or unknown is told before anybody types a password.
    let found = if given { Looked::Locked(None) } else { first_look(file, format, args.yes)? };
    let mut session = context.open_with(key)?;
    let source = match found {
        Looked::Open(source) => source,
        Looked::Locked(app) => {
            let prompt =
                app.map_or_else(|| "Password of the file: ".into(), |app| format!("Password of the {app} file: "));
            let password = SecretText::new(source.get(&prompt, &context.stdin)?.to_string());
            unlocked(context, file, format, &password, args.yes)?
        }
    };
    let before = session.content().clone();
    let plan = if args.dry_run {
        source.plan(session.content(), &mut rng(), now())
    } else {
        context.edit(&mut session, |vault| Ok(source.merge_into(vault, &mut rng(), now())))?
    };
    if let Some((missing, of)) = source.missing_parts {
        context
            .out
            .warn(&format!("{missing} of {of} parts of the Google export are missing: scan or import them, too"));
    }
    let report = Report::new(source.format, &plan, &before, args.dry_run);
    context.out.result(&report, || report.table())?;
    context.out.notice(&report.summary());
    Ok(())
}

/// A file, and the key file that locks it.
#[derive(Clone, Copy)]
struct File<'a> {
    bytes: &'a [u8],
    key_file: Option<&'a [u8]>,
}

impl File<'_> {
    fn read(self, format: Option<&import::Format>, unlock: Unlock<'_>) -> Result<import::Source, ImportError> {
        match self.key_file {
            Some(key_file) => import::read_with_key_file(self.bytes, key_file, format, unlock),
            None => import::read(self.bytes, format, unlock),
        }
    }
}

/// What a file is without a password.
enum Looked {
    /// It needs none.
    Open(import::Source),
    /// It needs one, or a word on what opening it costs. The app that it seems to be of, where that is known.
    Locked(Option<&'static str>),
}

fn first_look(file: File<'_>, format: Option<&import::Format>, yes: bool) -> Result<Looked, Failure> {
    match file.read(format, Unlock { password: None, allow_costly: yes }) {
        Ok(source) => Ok(Looked::Open(source)),
        Err(ImportError::PasswordNeeded { format }) => Ok(Looked::Locked(Some(format))),
        Err(ImportError::Costly { .. }) => Ok(Looked::Locked(None)),
        Err(error) => Err(Failure::import(&error)),
    }
}

fn unlocked(
    context: &Context,
    file: File<'_>,
    format: Option<&import::Format>,
    password: &SecretText,
    yes: bool,
) -> Result<import::Source, Failure> {
    let read = |allow_costly| file.read(format, Unlock { password: Some(password), allow_costly });
    let result = match read(yes) {
        Err(error @ ImportError::Costly { mib }) => {
            if !context.stdin.confirm(&format!("Opening the file takes {mib} MiB of memory. Go on? [y/N] "))? {
                return Err(Failure::import(&error));
            }
            read(true)
        }
        other => other,
    };
    result.map_err(|error| Failure::import(&error))
}

fn read_file(context: &mut Context, path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if path == Path::new("-") {
        return context.stdin.rest(FILE_BYTES);
    }
    read::file(path, FILE_BYTES)
}

#[derive(Serialize)]
struct Report {
    dry_run: bool,
    format: &'static str,
    lines: Vec<ReportLine>,
    records: usize,
    added: usize,
    repaired: usize,
    already_there: usize,
    conflict: usize,
    unreadable: usize,
    without_token: usize,
    #[serde(skip)]
    counts: Counts,
}

#[derive(Serialize)]
struct ReportLine {
    /// `add`, `repair`, `already-there`, `conflict`, `unreadable`.
    fate: &'static str,
    name: String,
    issuer: Option<String>,
    account: Option<String>,
    /// The kind and its parameters in words.
    kind: Option<String>,
    /// The first code, to compare with the other app.
    code: Option<String>,
    remarks: Vec<String>,
    /// The token that is there, where it is of the same name or the same codes.
    existing: Option<Existing>,
    /// What the record's token would be called here.
    #[serde(skip)]
    title: Option<String>,
}

#[derive(Serialize)]
struct Existing {
    id: String,
    name: String,
    kind: String,
    code: Option<String>,
}

impl Report {
    fn new(format: &'static str, plan: &Plan, before: &Content, dry_run: bool) -> Self {
        let Counts { records, added, repaired, already_there, conflict, unreadable, without_token } = plan.counts;
        // A record may be in conflict with an earlier one of the same file.
        let mut known: HashMap<TokenId, &Token> = before.tokens().iter().map(|token| (token.id, token)).collect();
        for token in plan.lines.iter().filter_map(|line| line.token.as_ref()) {
            known.entry(token.id).or_insert(token);
        }
        let lines = plan.lines.iter().map(|line| ReportLine::new(line, &known)).collect();
        let counts = plan.counts;
        Self {
            dry_run,
            format,
            lines,
            records,
            added,
            repaired,
            already_there,
            conflict,
            unreadable,
            without_token,
            counts,
        }
    }

    fn table(&self) -> String {
        let mut rows = Vec::new();
        for line in &self.lines {
            let name = if line.name.is_empty() { "a record without a name" } else { &line.name };
            let row = |fate: &str, code: Option<&String>, name: &str, kind: Option<&String>, remarks: &str| {
                vec![
                    fate.to_owned(),
                    code.cloned().unwrap_or_else(|| "-".into()),
                    text::plain(name),
                    kind.cloned().unwrap_or_default(),
                    text::plain(remarks),
                ]
            };
            let mut remarks = line.remarks.clone();
            if let (true, Some(existing)) = (line.fate == "already-there", &line.existing)
                && line.title.as_ref() != Some(&existing.name)
            {
                remarks.push(format!("as {}", existing.name));
            }
            rows.push(row(line.fate, line.code.as_ref(), name, line.kind.as_ref(), &remarks.join("; ")));
            if let (true, Some(existing)) = (line.fate == "conflict", &line.existing) {
                rows.push(row(
                    "  beside",
                    existing.code.as_ref(),
                    &existing.name,
                    Some(&existing.kind),
                    "what has its name",
                ));
            }
        }
        text::columns(&rows)
    }

    fn summary(&self) -> String {
        let counts = &self.counts;
        let mut parts = Vec::new();
        let mut part = |count: usize, what: &str| {
            if count > 0 {
                parts.push(format!("{} {what}", text::thousands(count)));
            }
        };
        part(counts.added, if self.dry_run { "would be added" } else { "added" });
        part(counts.repaired, if self.dry_run { "would be repaired and added" } else { "repaired and added" });
        part(counts.conflict, "added beside one of the same name");
        part(counts.already_there, "there already");
        part(counts.unreadable, "could not be read and kept as they are");
        part(counts.without_token, "without a token");
        if parts.is_empty() {
            parts.push("nothing to add".to_owned());
        }
        let records = if counts.records == 1 {
            "1 record".into()
        } else {
            format!("{} records", text::thousands(counts.records))
        };
        let mut summary = format!("{records} of {}: {}.", self.format, parts.join(", "));
        if counts.new_tokens() > 0 {
            summary += " Compare the first codes with the old app before you remove it.";
        }
        if !self.dry_run && (counts.new_tokens() > 0 || counts.unreadable > 0) {
            summary += " `countersign undo-import` takes it back.";
        }
        summary
    }
}

impl ReportLine {
    fn new(line: &Line, known: &HashMap<TokenId, &Token>) -> Self {
        let (fate, existing) = match line.fate {
            Fate::Added => ("add", None),
            Fate::Repaired => ("repair", None),
            Fate::AlreadyThere(id) => ("already-there", Some(id)),
            Fate::Conflict(id) => ("conflict", Some(id)),
            _ => ("unreadable", None),
        };
        let existing = existing.and_then(|id| known.get(&id)).map(|token| Existing {
            id: token.id.to_string(),
            name: record::title(token),
            kind: kind_line(&token.spec.kind),
            code: shown(&token.spec.code_at(now())),
        });
        let spec = line.token.as_ref().map(|token| &token.spec);
        Self {
            fate,
            name: line.name.clone(),
            issuer: spec.map(|spec| spec.issuer.clone()),
            account: spec.map(|spec| spec.account.clone()),
            kind: spec.map(|spec| kind_line(&spec.kind)),
            code: line.code.as_ref().and_then(shown),
            remarks: line.remarks.clone(),
            existing,
            title: line.token.as_ref().map(record::title),
        }
    }
}

fn shown(code: &Result<Code, CodeError>) -> Option<String> {
    code.as_ref().ok().map(|code| code.grouped().expose().to_owned())
}
