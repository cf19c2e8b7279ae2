//! Tokens come in: links, pictures, the clipboard, or by hand. However many, they are one save.

use std::path::Path;

use countersign_core::{
    intake::Intake,
    token::{TokenId, TokenSpec},
    uri::Parsed,
};
use serde::Serialize;

use crate::{
    cli::{
        args::Add,
        clipboard::{self, Pasted},
        context::{Context, now, random_id},
        failure::Failure,
        passwords,
        read::{self, FILE_BYTES},
        record::{self, Record},
        spec, text,
    },
    platform::PlatformError,
};

/// Up to how many tokens are named one by one.
const NAMED: usize = 20;

#[derive(Serialize)]
struct Report {
    added: Vec<Record>,
    already_there: Vec<Record>,
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct Problem {
    /// Which argument, file or line it is about. Never its text, which may hold a secret.
    source: String,
    message: String,
}

/// What was read, before anything is added.
#[derive(Default)]
struct Found {
    intake: Intake,
    by_hand: Vec<Parsed>,
    problems: Vec<Problem>,
    /// Problems of the intake that are in `problems` already.
    told: usize,
}

/// Adds tokens. What can be read is added; what cannot is named, and then the exit code is 1.
pub(crate) fn add(context: &mut Context, args: &Add) -> Result<(), Failure> {
    let key = context.key_source()?;
    let mut found = Found::default();
    found.take_by_hand(context, args)?;
    for (index, argument) in args.uris.iter().enumerate() {
        found.take_argument(context, argument, index + 1)?;
    }
    for path in &args.image {
        found.take_file(path)?;
    }
    if args.clipboard {
        match clipboard::paste()? {
            Pasted::Text(text) => found.intake.take_text(&text),
            Pasted::Picture(Ok(picture)) => found.intake.take_picture(&picture),
            Pasted::Picture(Err(error)) => return Err(Failure::failed(spec::sentence(&error.to_string()))),
        }
        found.note("the clipboard");
    }
    if args.screen {
        found.take_screen()?;
    }
    let Found { intake, by_hand, mut problems, .. } = found;
    problems.extend(intake.incomplete.iter().map(|progress| Problem {
        source: "a Google Authenticator export".into(),
        message: format!("{} of {} pictures are here; add the others too", progress.have, progress.of),
    }));
    let parsed: Vec<Parsed> = intake.tokens.into_iter().chain(by_hand).collect();
    if parsed.is_empty() {
        return Err(nothing(&problems));
    }
    save(context, key, parsed, problems)
}

impl Found {
    fn take_by_hand(&mut self, context: &mut Context, args: &Add) -> Result<(), Failure> {
        let Some(secret) = passwords::typed(args.secret.as_deref(), "--secret", &mut context.stdin)? else {
            return if args.parameters.any() {
                Err(Failure::usage("--kind and its parameters are for a token by hand.").hint("Give its --secret too."))
            } else {
                Ok(())
            };
        };
        let pin = passwords::typed(args.parameters.pin.as_deref(), "--pin", &mut context.stdin)?;
        let issuer = args.issuer.clone().unwrap_or_default();
        let account = args.account.clone().unwrap_or_default();
        if issuer.is_empty() && account.is_empty() {
            return Err(Failure::usage("The token has no name.").hint("Give its --issuer, its --account, or both."));
        }
        let kind = spec::kind(&args.parameters, pin, None)?;
        let secret = spec::secret(&secret, &kind)?;
        if let Some(rare) = spec::unusual(&kind) {
            context.out.warn(&rare);
        }
        let spec = TokenSpec { issuer, account, kind, secret, label_issuer: None, uri_parameters: Vec::new() };
        self.by_hand.push(Parsed { spec, warnings: Vec::new() });
        Ok(())
    }

    fn take_argument(&mut self, context: &mut Context, argument: &str, number: usize) -> Result<(), Failure> {
        if argument == "-" {
            let bytes = context.stdin.rest(FILE_BYTES)?;
            self.intake.take_bytes(&bytes);
            self.note("standard input");
        } else if !argument.contains(':') || Path::new(argument).is_file() {
            self.take_file(Path::new(argument))?;
        } else if argument.trim_start().get(..14).is_some_and(|head| head.eq_ignore_ascii_case("countersign://")) {
            let what = format!("Argument {number} is an enrollment link of a server, not a token.");
            return Err(Failure::usage(what).hint(
                "Add the server with it, `countersign server add LINK`, and register a token, \
                 `countersign register --server NAME --link LINK`.",
            ));
        } else {
            self.intake.take_text(argument);
            self.note(&format!("argument {number}"));
        }
        Ok(())
    }

    fn take_screen(&mut self) -> Result<(), Failure> {
        let captured = crate::platform::current().screen.capture().map_err(|error| match error {
            PlatformError::Unsupported => Failure::failed("The screen cannot be looked at here.")
                .hint("Save a screenshot, and give it with --image."),
            error => Failure::failed(spec::sentence(&error.to_string())),
        })?;
        let picture = captured.ok_or_else(|| Failure::failed("No picture of the screen was taken."))?;
        self.intake.take_picture(&picture);
        self.note("the screen");
        Ok(())
    }

    fn take_file(&mut self, path: &Path) -> Result<(), Failure> {
        let bytes = read::file(path, FILE_BYTES)?;
        self.intake.take_bytes(&bytes);
        self.note(&path.display().to_string());
        Ok(())
    }

    /// Says of the problems that came since the last call where they came from.
    fn note(&mut self, source: &str) {
        let new = self.intake.problems.iter().skip(self.told);
        self.problems.extend(new.map(|problem| Problem { source: source.into(), message: problem.to_string() }));
        self.told = self.intake.problems.len();
    }
}

fn nothing(problems: &[Problem]) -> Failure {
    match problems {
        [] => Failure::failed("There is no token in that.")
            .hint("Give a link that starts with otpauth://, or a picture of a QR code."),
        [one] => Failure::failed(format!("Nothing was added: {}: {}.", one.source, one.message))
            .hint("Compare it with the issuer's page."),
        several => {
            let mut failure =
                Failure::failed(format!("Nothing was added: {} problems.", text::thousands(several.len())));
            failure.lines = several.iter().map(|problem| format!("{}: {}", problem.source, problem.message)).collect();
            failure
        }
    }
}

fn save(
    context: &mut Context,
    key: crate::cli::context::KeySource,
    parsed: Vec<Parsed>,
    problems: Vec<Problem>,
) -> Result<(), Failure> {
    let mut session = context.open_with(key)?;
    for one in &parsed {
        for warning in &one.warnings {
            let title = one.spec.title();
            let title = if title.is_empty() { "a token" } else { &title };
            context.out.warn(&format!("{title}: {warning}"));
        }
    }
    let specs: Vec<TokenSpec> = parsed.into_iter().map(|one| one.spec).collect();
    let (added, already_there) = context.edit(&mut session, |content| {
        // The same name with the same codes is the same token. Only names are compared first, so that thousands stay quick.
        let mut known: std::collections::HashMap<(String, String), Vec<TokenId>> = Default::default();
        for token in content.tokens() {
            known.entry((token.spec.issuer.clone(), token.spec.account.clone())).or_default().push(token.id);
        }
        let (mut added, mut already) = (Vec::new(), Vec::new());
        for spec in specs {
            let same_name = known.entry((spec.issuer.clone(), spec.account.clone())).or_default();
            let same = same_name
                .iter()
                .copied()
                .find(|&id| content.token(id).is_some_and(|token| token.spec.same_codes(&spec)));
            match same {
                Some(id) => already.push(id),
                None => {
                    let id = content.add(TokenId::from_random(random_id()), spec, now());
                    same_name.push(id);
                    added.push(id);
                }
            }
        }
        Ok::<_, Failure>((added, already))
    })?;
    let content = session.content();
    let by_id: std::collections::HashMap<TokenId, _> = content.tokens().iter().map(|token| (token.id, token)).collect();
    let records =
        |ids: &[TokenId]| ids.iter().filter_map(|id| by_id.get(id)).map(|token| Record::new(token, content)).collect();
    let report = Report { added: records(&added), already_there: records(&already_there), problems };
    context.out.result(&report, || {
        if (1..=NAMED).contains(&report.added.len()) { record::table(&report.added) } else { String::new() }
    })?;
    tell(context, &report)
}

/// Says how many there were of each, so that the numbers add up.
fn tell(context: &Context, report: &Report) -> Result<(), Failure> {
    context.out.notice(&format!("Added {}.", text::tokens(report.added.len())));
    if !report.already_there.is_empty() {
        let were = if report.already_there.len() == 1 { "was" } else { "were" };
        context.out.notice(&format!("{} {were} there already.", text::tokens(report.already_there.len())));
    }
    if report.problems.is_empty() {
        return Ok(());
    }
    let mut failure = Failure::failed(format!(
        "{} of what was given could not be added; the rest was.",
        if report.problems.len() == 1 {
            "1 part".into()
        } else {
            format!("{} parts", text::thousands(report.problems.len()))
        }
    ));
    failure.lines = report.problems.iter().map(|problem| format!("{}: {}", problem.source, problem.message)).collect();
    Err(failure)
}
