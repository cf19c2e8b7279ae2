//! The code of one token.

use countersign_core::token::Kind;
use serde::Serialize;

use crate::cli::{
    args::Code as Args,
    clipboard,
    context::{Context, now},
    failure::Failure,
    pick, record,
};

#[derive(Serialize)]
struct Shown<'a> {
    id: String,
    code: &'a str,
    /// Unix seconds in which the code stands, `from..until`; `null` for a counter-based code.
    from: Option<u64>,
    until: Option<u64>,
    /// The counter that the code was made from; `null` for a time-based code.
    counter: Option<u64>,
}

/// Prints the code and nothing else.
///
/// A time-based code saves nothing, so that scripts may ask often. A counter-based code is given once: the counter is
/// moved on and saved before the code is printed.
pub(crate) fn code(context: &mut Context, args: &Args) -> Result<(), Failure> {
    let mut session = context.open()?;
    let token = pick::one(session.content(), &args.query)?;
    let (id, title) = (token.id, token.spec.title());
    let refused = record::refused(token, session.content());
    let counter_based = matches!(token.spec.kind, Kind::Hotp { .. });
    if counter_based && (args.next || args.at.is_some()) {
        return Err(Failure::usage(format!("{title} is counter-based: its codes belong to no time."))
            .hint("Leave --next and --at out; every `countersign code` gives the next code once."));
    }
    let at = args.at.unwrap_or_else(now);
    let (spec, counter) = if counter_based {
        // What was saved is the truth: another program may have used the counter since the vault was opened.
        let spec = context.edit(&mut session, |content| {
            let token = content.token(id).ok_or_else(|| pick::none(&args.query))?;
            let spec = token.spec.clone();
            if spec.kind.counter() == Some(u64::MAX) {
                return Err(Failure::failed(format!("The counter of {title} is at its end: there is no next code."))
                    .hint("Set the counter that its issuer has with `countersign edit ID --counter N`."));
            }
            spec.code_at(at).map_err(|error| Failure::code(&error, &title))?;
            content.note_use(id, at).map_err(|_| pick::none(&args.query))?;
            Ok(spec)
        })?;
        let counter = spec.kind.counter();
        (spec, counter)
    } else {
        (token.spec.clone(), None)
    };
    let code = if args.next { spec.next_code_at(at) } else { spec.code_at(at) };
    let code = code.map_err(|error| Failure::code(&error, &title))?;
    // Copied before it is printed, and printed even where it cannot be copied: a counter-based code is spent.
    let copied = if args.copy { clipboard::copy(code.text(), clipboard::CODE_SECONDS) } else { Ok(()) };
    let shown = Shown {
        id: id.to_string(),
        code: code.text(),
        from: code.stands().map(|stands| stands.from),
        until: code.stands().map(|stands| stands.until),
        counter,
    };
    context.out.result(&shown, || format!("{}\n", code.text()))?;
    if let Some(refused) = refused {
        context.out.warn(&format!("{refused}; register it here with `countersign register`"));
    }
    copied?;
    if args.copy {
        context.out.notice(&format!("Copied; the clipboard is cleared after {} seconds.", clipboard::CODE_SECONDS));
    }
    Ok(())
}
