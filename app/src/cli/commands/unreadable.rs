//! Entries of imports that could not be read.

use countersign_core::{
    import,
    vault::content::{KeptEntry, KeptId},
};
use serde::Serialize;
use serde_json::json;

use crate::cli::{
    args::Unreadable,
    context::{Context, now, rng},
    failure::{Exit, Failure},
    text,
};

#[derive(Serialize)]
struct Row {
    id: String,
    name: String,
    /// The app that it is from; nothing where a newer Countersign wrote it.
    source: Option<String>,
    imported_at: Option<u64>,
    reason: String,
}

/// Lists them, or shows, reads again or deletes them.
pub(crate) fn unreadable(context: &mut Context, args: &Unreadable) -> Result<(), Failure> {
    let mut session = context.open()?;
    let chosen = args.id.as_deref().map(|id| find(&session.content().kept(), id)).transpose()?;
    if args.read_again {
        let ids: Vec<KeptId> = chosen.into_iter().collect();
        let counts =
            context.edit(&mut session, |content| Ok(import::read_again(content, &ids, &mut rng(), now()).counts))?;
        context.out.result(
            &json!({ "added": counts.new_tokens(), "already_there": counts.already_there, "unreadable": counts.unreadable }),
            String::new,
        )?;
        context.out.notice(&format!(
            "{} added; {} still cannot be read.",
            text::tokens(counts.new_tokens()),
            text::thousands(counts.unreadable)
        ));
        return Ok(());
    }
    match chosen {
        Some(id) if args.delete => {
            context.edit(&mut session, |content| Ok(content.delete_kept(&[id])))?;
            context.out.result(&json!({ "deleted": id.to_string() }), String::new)?;
            context.out.notice("Deleted for good.");
            Ok(())
        }
        Some(id) => {
            let raw = session.content().kept_raw(id).ok_or_else(|| missing(&id.to_string()))?;
            context.out.result(&json!({ "id": id.to_string(), "raw": raw.expose() }), || {
                format!("{}\n", text::plain(raw.expose()))
            })
        }
        None => {
            let rows: Vec<Row> = session.content().kept().into_iter().map(row).collect();
            context.out.result(&rows, || {
                let lines = rows.iter().map(|row| {
                    let source = row.source.as_deref().unwrap_or("a newer Countersign");
                    [&row.id, &row.name, source, &row.reason].map(text::plain).to_vec()
                });
                text::columns(&lines.collect::<Vec<_>>())
            })
        }
    }
}

fn row(entry: KeptEntry) -> Row {
    Row {
        id: entry.id.to_string(),
        name: entry.name,
        source: entry.source,
        imported_at: entry.imported_at,
        reason: entry.reason,
    }
}

/// The entry whose id begins so.
fn find(entries: &[KeptEntry], id: &str) -> Result<KeptId, Failure> {
    let id = id.to_ascii_lowercase();
    let mut found = entries.iter().filter(|entry| entry.id.to_string().starts_with(&id)).map(|entry| entry.id);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(missing(&id)),
    }
}

fn missing(id: &str) -> Failure {
    Failure::new(Exit::NoMatch, format!("No single unreadable entry has the id {id}."))
        .hint("`countersign unreadable` lists them.")
}
