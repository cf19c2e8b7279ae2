//! Which tokens there are.

use countersign_core::token::Token;

use crate::cli::{
    args::List,
    context::Context,
    failure::Failure,
    pick,
    record::{self, Record},
};

/// Prints the tokens, or those that match.
pub(crate) fn list(context: &mut Context, args: &List) -> Result<(), Failure> {
    let session = context.open()?;
    let content = session.content();
    let tokens: Vec<&Token> = match (&args.query, args.trash) {
        (None, false) => content.tokens().iter().collect(),
        (Some(query), false) => content.find(query),
        (None, true) => content.trash().iter().map(|trashed| &trashed.token).collect(),
        (Some(query), true) => content.find_in_trash(query),
    };
    let records: Vec<Record> = tokens.into_iter().map(|token| Record::new(token, content)).collect();
    context.out.result(&records, || if records.is_empty() { String::new() } else { record::table(&records) })?;
    match (&args.query, records.is_empty()) {
        (Some(query), true) => return Err(pick::none(query)),
        (None, true) if args.trash => context.out.notice("The trash is empty."),
        (None, true) => {
            context.out.notice("The vault holds no tokens yet. `countersign add --help` shows the ways to add one.")
        }
        _ => {}
    }
    Ok(())
}
