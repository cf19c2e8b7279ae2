//! Lists that move in: users, and the tokens of another server.

use std::{collections::BTreeMap, io::Read as _, path::Path};

use csv::{ReaderBuilder, StringRecord, Trim};
use serde_json::json;
use zeroize::Zeroizing;

use crate::{
    admin::{RowProblem, TokenRow, UserRow, shapes::NewUser},
    cli::{CliError, Context, Report, args::Import},
    domain::shown::tame,
};

/// The longest list, in bytes: a million users and more.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

pub(super) async fn users(context: &Context, import: &Import) -> Result<Report, CliError> {
    const COLUMNS: &[&str] = &["name", "phone", "email", "group", "password"];
    let text = read(&import.file)?;
    let (columns, records) = table(&text, |first| header(first, COLUMNS).map(Some))?;
    let mut rows = Vec::with_capacity(records.len());
    let mut problems = Vec::new();
    for (line, record) in records {
        let field = |name: &str| columns.get(name).and_then(|at| record.get(*at)).map(str::to_owned);
        match whole(&record, columns.len()) {
            Err(problem) => problems.push(RowProblem { line, problem }),
            Ok(()) => rows.push(UserRow {
                line,
                user: NewUser {
                    name: field("name").unwrap_or_default(),
                    phone: field("phone"),
                    email: field("email"),
                    group: field("group"),
                    password: field("password"),
                    ..NewUser::default()
                },
            }),
        }
    }
    // Lines that cannot be read leave the others to be looked at, so that one run tells all.
    let look_only = import.dry_run || !problems.is_empty();
    problems.extend(context.admin.import_users(&rows, look_only, context.clock.now()).await?);
    let named = rows.into_iter().map(|row| (row.line, row.user.name)).collect();
    Ok(report("users", named, problems, import.dry_run))
}

pub(super) async fn tokens(context: &Context, import: &Import) -> Result<Report, CliError> {
    let text = read(&import.file)?;
    let (columns, records) = table(&text, |first| {
        // A list without a heading begins with a link.
        if first.get(1).is_some_and(|link| link.contains("://")) {
            return Ok(None);
        }
        header(first, &["user", "uri"]).map(Some)
    })?;
    let place = |name: &str, at: usize| if columns.is_empty() { at } else { columns.get(name).copied().unwrap_or(at) };
    let mut rows = Vec::with_capacity(records.len());
    let mut problems = Vec::new();
    for (line, record) in records {
        let field = |name: &str, at: usize| record.get(place(name, at)).unwrap_or_default().to_owned();
        match whole(&record, 2) {
            Err(problem) => problems.push(RowProblem { line, problem }),
            Ok(()) => rows.push(TokenRow { line, user: field("user", 0), uri: field("uri", 1) }),
        }
    }
    let look_only = import.dry_run || !problems.is_empty();
    problems.extend(context.admin.import_tokens(&rows, look_only, context.clock.now()).await?);
    let named = rows.into_iter().map(|row| (row.line, row.user)).collect();
    Ok(report("tokens", named, problems, import.dry_run))
}

/// The columns by name, empty where there is no heading, and the lines with their numbers.
type Table = (BTreeMap<String, usize>, Vec<(u64, StringRecord)>);

fn table(
    text: &str,
    heading: impl Fn(&StringRecord) -> Result<Option<BTreeMap<String, usize>>, CliError>,
) -> Result<Table, CliError> {
    let first_line = text.lines().next().unwrap_or_default();
    // What spreadsheets write where the comma is the decimal sign.
    let delimiter = if first_line.contains(';') && !first_line.contains(',') { b';' } else { b',' };
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let (mut columns, mut records) = (BTreeMap::new(), Vec::new());
    for (at, record) in reader.records().enumerate() {
        let record = record.map_err(|error| CliError::Usage(format!("the list: {error}")))?;
        if at == 0
            && let Some(found) = heading(&record)?
        {
            columns = found;
            continue;
        }
        if record.iter().all(str::is_empty) {
            continue;
        }
        records.push((record.position().map_or(0, csv::Position::line), record));
    }
    if records.is_empty() {
        return Err(CliError::Usage("the list is empty".to_owned()));
    }
    Ok((columns, records))
}

/// Where the columns stand. The first of `known` must be there.
fn header(first: &StringRecord, known: &[&str]) -> Result<BTreeMap<String, usize>, CliError> {
    let wrong =
        |what: String| CliError::Usage(format!("{what}: the first line names the columns, of {}", known.join(",")));
    let mut columns = BTreeMap::new();
    for (at, name) in first.iter().map(str::to_lowercase).enumerate() {
        if !known.contains(&name.as_str()) {
            return Err(wrong(format!("there is no column {name:?}")));
        }
        if columns.insert(name.clone(), at).is_some() {
            return Err(wrong(format!("the column {name:?} stands twice")));
        }
    }
    match known.first() {
        Some(first) if !columns.contains_key(*first) => Err(wrong(format!("the column {first:?} is missing"))),
        _ => Ok(columns),
    }
}

fn whole(record: &StringRecord, columns: usize) -> Result<(), String> {
    match record.len() {
        have if have == columns => Ok(()),
        have => Err(format!("it has {have} fields, not {columns}")),
    }
}

fn read(file: &Path) -> Result<Zeroizing<String>, CliError> {
    let wrong = |source| CliError::File { path: file.to_owned(), source };
    let mut bytes = Zeroizing::new(Vec::new());
    if file == Path::new("-") {
        std::io::stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(wrong)?;
    } else {
        std::fs::File::open(file).and_then(|open| open.take(MOST_BYTES + 1).read_to_end(&mut bytes)).map_err(wrong)?;
    }
    if bytes.len() as u64 > MOST_BYTES {
        return Err(CliError::Usage(format!("{}: longer than 256 MiB: split it", file.display())));
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| CliError::Usage(format!("{}: not in UTF-8: save it as that", file.display())))?;
    // Windows begins files with it.
    Ok(Zeroizing::new(text.trim_start_matches('\u{feff}').to_owned()))
}

fn report(what: &str, named: Vec<(u64, String)>, problems: Vec<RowProblem>, dry_run: bool) -> Report {
    let bad = problems.iter().map(|problem| problem.line).collect::<std::collections::BTreeSet<_>>().len();
    let good = if problems.is_empty() && !dry_run { named.len() } else { 0 };
    let mut lines: BTreeMap<u64, (Option<String>, Vec<&str>)> =
        named.into_iter().map(|(line, name)| (line, (Some(name), vec![]))).collect();
    for problem in &problems {
        lines.entry(problem.line).or_default().1.push(&problem.problem);
    }
    let count = lines.len();
    let json = json!({
        "imported": good,
        "dry_run": dry_run,
        "lines": lines
            .iter()
            .map(|(line, (name, problems))| json!({ "line": line, "name": name, "problems": problems }))
            .collect::<Vec<_>>(),
    });
    let mut text: String =
        problems.iter().map(|problem| format!("line {}: {}\n", problem.line, tame(&problem.problem))).collect();
    text.push_str(&match (problems.is_empty(), dry_run) {
        (true, false) => format!("Imported {good} {what}.\n"),
        (true, true) => format!("All {count} {what} could be imported.\n"),
        (false, true) => format!("{bad} of {count} lines are wrong.\n"),
        (false, false) => format!("Nothing was imported: {bad} of {count} lines are wrong.\n"),
    });
    Report { json, text, exit: if problems.is_empty() { 0 } else { 2 }, ..Report::default() }
}
