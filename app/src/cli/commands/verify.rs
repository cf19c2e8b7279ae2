//! What is good on the disk, and the way out when the vault is not.

use std::{
    io,
    path::{Path, PathBuf},
};

use countersign_core::vault::{
    Session,
    session::{Key, OpenError},
    store::FileStore,
};
use serde::Serialize;

use crate::cli::{
    args::RestoreGeneration,
    context::{Context, now},
    failure::{Exit, Failure},
    files, text,
};

/// How many generations before the current are kept.
const KEPT: u8 = 3;

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
}

/// Opens the vault and its generations and says what is good.
pub(crate) fn verify(context: &mut Context) -> Result<(), Failure> {
    let source = context.key_source()?;
    if (0..=KEPT).all(|back| !generation_path(&context.path, back).exists()) {
        return Err(Failure::open(OpenError::Missing(context.path.clone()), &context.path, false));
    }
    let key = context.key(source)?;
    let mut current = None;
    let mut generations = Vec::new();
    for back in 0..=KEPT {
        let path = generation_path(&context.path, back);
        if back > 0 && !path.exists() {
            continue;
        }
        let opened = open(&path, &key);
        generations.push(Generation::new(&path, back, &opened));
        if back == 0 {
            current = opened.err();
        }
    }
    context.out.result(&generations, || table(&generations))?;
    match current {
        None => Ok(()),
        Some(error) => {
            let recovery = matches!(key, Key::Recovery(_));
            let failure = Failure::open(error, &context.path, recovery);
            let best = generations.iter().find(|generation| generation.good);
            Err(match best {
                Some(good) if failure.exit == Exit::Damaged => failure.hint(format!(
                    "Nothing was changed. `countersign restore-generation {}` puts the newest good one back.",
                    good.back
                )),
                Some(good) if !context.path.exists() => failure.hint(format!(
                    "`countersign restore-generation {}` puts the newest good generation in its place.",
                    good.back
                )),
                None if failure.exit == Exit::Damaged => {
                    failure.hint("No earlier generation opens with this password; a backup text is the way back.")
                }
                _ => failure,
            })
        }
    }
}

fn open(path: &Path, key: &Key) -> Result<Session, OpenError> {
    Session::open(Box::new(FileStore::new(path)), key)
}

/// `vault.json`, `vault.json.1`, ..
fn generation_path(vault: &Path, back: u8) -> PathBuf {
    if back == 0 {
        return vault.to_owned();
    }
    let mut name = vault.as_os_str().to_owned();
    name.push(format!(".{back}"));
    name.into()
}

impl Generation {
    fn new(path: &Path, back: u8, opened: &Result<Session, OpenError>) -> Self {
        let session = opened.as_ref().ok();
        let problem = opened.as_ref().err().map(|error| match error {
            OpenError::WrongKey => "does not open with this password".into(),
            other => other.to_string(),
        });
        Self {
            path: path.display().to_string(),
            back,
            good: session.is_some(),
            generation: session.map(Session::generation),
            tokens: session.map(|session| session.content().tokens().len()),
            trash: session.map(|session| session.content().trash().len()),
            unreadable: session.map(|session| session.content().unreadable().len()),
            problem,
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
            let good = if generation.good { "good" } else { "bad" };
            vec![good.into(), text::plain(&generation.path), text::plain(&generation.says())]
        })
        .collect();
    text::columns(&rows)
}

/// Puts an earlier generation in the vault's place. The file that is there is kept beside it.
pub(crate) fn restore_generation(context: &mut Context, args: &RestoreGeneration) -> Result<(), Failure> {
    let source = context.key_source()?;
    if (1..=KEPT).all(|back| !generation_path(&context.path, back).exists()) {
        return Err(no_generation());
    }
    let key = context.key(source)?;
    let candidates = match args.back {
        Some(back) => back..=back,
        None => 1..=KEPT,
    };
    let mut refused = None;
    for back in candidates {
        let path = generation_path(&context.path, back);
        if !path.exists() {
            continue;
        }
        match open(&path, &key) {
            Ok(session) => return put_back(context, &path, &session),
            Err(error) => refused = refused.or(Some((error, path))),
        }
    }
    let recovery = matches!(key, Key::Recovery(_));
    Err(match refused {
        Some((error, path)) => {
            Failure::open(error, &path, recovery).hint("Nothing was changed; a backup text is another way back.")
        }
        None => no_generation(),
    })
}

fn no_generation() -> Failure {
    Failure::new(Exit::NoMatch, "There is no such earlier generation.")
        .hint("A backup text is the way back: `countersign restore-backup`.")
}

fn put_back(context: &Context, path: &Path, session: &Session) -> Result<(), Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::file("read", path, &error))?;
    let aside = set_aside(&context.path).map_err(|error| Failure::file("set aside", &context.path, &error))?;
    files::replace(&context.path, &bytes, |written| {
        if written == bytes { Ok(()) } else { Err(Failure::failed("The copy differs from what was written.")) }
    })?;
    let tokens = session.content().tokens().len();
    let value = serde_json::json!({
        "vault": context.path.display().to_string(),
        "from": path.display().to_string(),
        "set_aside": aside.as_ref().map(|path| path.display().to_string()),
        "generation": session.generation(),
        "tokens": tokens,
    });
    context.out.result(&value, String::new)?;
    context.out.notice(&format!("Put generation {} with {} back.", session.generation(), text::tokens(tokens)));
    if let Some(aside) = aside {
        context.out.notice(&format!("The file that was there is kept as {}.", aside.display()));
    }
    Ok(())
}

/// Copies the file that is there to a name of its own: nothing is ever overwritten that might still be of use.
fn set_aside(vault: &Path) -> io::Result<Option<PathBuf>> {
    let bytes = match std::fs::read(vault) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut name = vault.as_os_str().to_owned();
    name.push(format!(".set-aside-{}", now()));
    let aside = PathBuf::from(name);
    files::replace(&aside, &bytes, |_| Ok(())).map_err(|failure| io::Error::other(failure.message))?;
    Ok(Some(aside))
}
