//! What is good on the disk, and the way out when the vault is not.

use std::path::PathBuf;

use countersign_core::vault::{
    self, GenerationReport, Session,
    session::{Key, OpenError, RestoreError},
    store::{FileStore, GENERATIONS, Part, Store as _},
};
use serde::Serialize;
use serde_json::json;

use crate::cli::{
    args::RestoreGeneration,
    context::{Context, rng},
    failure::{Exit, Failure},
    text,
};

#[derive(Serialize)]
struct Generation {
    path: String,
    /// How many saves before the current file it was.
    back: u8,
    good: bool,
    generation: Option<u64>,
    tokens: Option<usize>,
    trash: Option<usize>,
    unreadable: Option<usize>,
    problem: Option<String>,
    /// It has another password: it may be of a time before that was changed.
    #[serde(skip)]
    locked: bool,
}

/// Opens the vault and its generations and says what is good.
pub(crate) fn verify(context: &mut Context) -> Result<(), Failure> {
    let store = FileStore::new(context.path.clone());
    let source = context.key_source()?;
    if (0..=GENERATIONS).all(|back| !is_there(&store, back)) {
        return Err(Failure::open(OpenError::Missing(context.path.clone()), &context.path, false));
    }
    let key = context.key(source)?;
    let mut reports = vault::verify(&store, &key);
    let generations: Vec<Generation> = reports.iter().map(|report| Generation::new(report, &store)).collect();
    context.out.result(&generations, || table(&generations))?;
    match reports.swap_remove(0).outcome {
        Ok(_) => Ok(()),
        Err(error) => Err(way_out(context, error, &key, &generations)),
    }
}

/// Why the current file does not open, and which generation takes its place.
fn way_out(context: &Context, error: OpenError, key: &Key, generations: &[Generation]) -> Failure {
    let may_be_replaced = matches!(error, OpenError::Damaged { .. } | OpenError::Missing(_));
    let failure = Failure::open(error, &context.path, matches!(key, Key::Recovery(_)));
    match generations.iter().find(|generation| generation.good) {
        Some(good) if may_be_replaced => failure.hint(format!(
            "Nothing was changed. `countersign restore-generation {}` puts the newest good one back.",
            good.back
        )),
        None if failure.exit == Exit::Damaged => {
            failure.hint("No earlier generation opens with this password; a backup text is the way back.")
        }
        _ => failure,
    }
}

fn part(back: u8) -> Part {
    if back == 0 { Part::Current } else { Part::Earlier(back) }
}

fn is_there(store: &FileStore, back: u8) -> bool {
    store.exists(part(back)).unwrap_or(false)
}

impl Generation {
    fn new(report: &GenerationReport, store: &FileStore) -> Self {
        let content = report.outcome.as_ref().ok();
        let problem = report.outcome.as_ref().err().map(|error| match error {
            OpenError::WrongKey => "does not open with this password".into(),
            OpenError::Missing(_) => "is missing".into(),
            other => other.to_string(),
        });
        Self {
            path: store.part_path(part(report.earlier)).display().to_string(),
            back: report.earlier,
            good: content.is_some(),
            generation: content.map(|content| content.generation),
            tokens: content.map(|content| content.tokens),
            trash: content.map(|content| content.trash),
            unreadable: content.map(|content| content.unreadable),
            problem,
            locked: matches!(report.outcome, Err(OpenError::WrongKey)),
        }
    }

    fn says(&self) -> String {
        match (&self.problem, self.generation, self.tokens) {
            (Some(problem), ..) => problem.clone(),
            (None, Some(generation), Some(tokens)) => {
                let unreadable = self.unreadable.filter(|&count| count > 0);
                let kept = unreadable.map(|count| format!(", {count} kept unread")).unwrap_or_default();
                format!("generation {generation}, {}{kept}", text::tokens(tokens))
            }
            _ => String::new(),
        }
    }
}

fn table(generations: &[Generation]) -> String {
    let rows: Vec<Vec<String>> = generations
        .iter()
        .map(|generation| {
            let good = match (generation.good, generation.locked) {
                (true, _) => "good",
                (false, true) => "locked",
                (false, false) => "bad",
            };
            vec![good.into(), text::plain(&generation.path), text::plain(&generation.says())]
        })
        .collect();
    text::columns(&rows)
}

/// Puts an earlier generation in the vault's place. The file that is there is kept beside it.
pub(crate) fn restore_generation(context: &mut Context, args: &RestoreGeneration) -> Result<(), Failure> {
    let store = FileStore::new(context.path.clone());
    let source = context.key_source()?;
    if !(1..=GENERATIONS).any(|back| is_there(&store, back) && args.back.is_none_or(|asked| asked == back)) {
        return Err(no_generation());
    }
    let key = context.key(source)?;
    // Where none opens, the newest says why.
    let newest = || vault::newest_good(&store, &key).or_else(|| (1..=GENERATIONS).find(|&back| is_there(&store, back)));
    let back = args.back.or_else(newest).ok_or_else(no_generation)?;
    if !args.yes
        && let Ok(open) = Session::open(context.store(), &key)
    {
        return Err(still_opens(context, &open));
    }
    let kept = is_there(&store, 0).then(|| free_aside(&store));
    let session =
        Session::restore_generation(context.store(), &key, back, &mut rng()).map_err(|error| match error {
            RestoreError::Open(error) => {
                let path = store.part_path(part(back));
                let failure = Failure::open(error, &path, matches!(key, Key::Recovery(_)));
                failure.hint("Nothing was changed; a backup text is another way back.")
            }
            RestoreError::Save(error) => Failure::save(error, &context.path),
            other => Failure::failed(format!("Nothing was put back: {other}.")),
        })?;
    let tokens = session.content().tokens().len();
    let value = json!({
        "vault": context.path.display().to_string(),
        "kept": kept.as_ref().map(|path| path.display().to_string()),
        "back": back,
        "generation": session.generation(),
        "tokens": tokens,
    });
    context.out.result(&value, String::new)?;
    context.out.notice(&format!("Put the vault of {back} saves before back; it holds {}.", text::tokens(tokens)));
    if let Some(kept) = kept {
        context.out.notice(&format!("The file that was there is kept as {}.", kept.display()));
    }
    Ok(())
}

/// What was saved last is given up only on a person's word.
fn still_opens(context: &Context, open: &Session) -> Failure {
    Failure::failed(format!(
        "The vault at {} opens and holds {}; nothing was put back.",
        context.path.display(),
        text::tokens(open.content().tokens().len())
    ))
    .hint(
        "An earlier generation lacks what was saved since: newer tokens, and which codes of counter-based ones are \
         used. Agree to that with --yes.",
    )
}

/// The name that a file which is set aside gets: the first that is free.
fn free_aside(store: &FileStore) -> PathBuf {
    let free = (1..).map(Part::Aside).find(|&part| !store.exists(part).unwrap_or(false));
    store.part_path(free.unwrap_or(Part::Aside(u32::MAX)))
}

fn no_generation() -> Failure {
    Failure::new(Exit::NoMatch, "There is no such earlier generation.")
        .hint("A backup text is the way back: `countersign restore-backup`.")
}
