//! One token changes, goes or comes back.

use countersign_core::{
    secret::SecretText,
    token::{GroupId, TokenSpec},
    vault::content::Change,
};

use crate::{
    api::address,
    cli::{
        args::{Edit, One},
        context::{Context, now, random_id},
        failure::Failure,
        output::Output,
        passwords, pick,
        record::{self, Record},
        spec,
    },
};

/// Changes what was named.
pub(crate) fn edit(context: &mut Context, args: &Edit) -> Result<(), Failure> {
    if args.changes_nothing() {
        return Err(Failure::usage("Nothing was named to change.").hint("`countersign edit --help` shows what can be."));
    }
    let key = context.key_source()?;
    let secret = passwords::typed(args.secret.as_deref(), "--secret", &mut context.stdin)?;
    let pin = passwords::typed(args.parameters.pin.as_deref(), "--pin", &mut context.stdin)?;
    let mut session = context.open_with(key)?;
    let id = pick::one(session.content(), &args.query)?.id;
    let out = context.out;
    let record = context.edit(&mut session, |content| {
        let token = content.token(id).ok_or_else(|| pick::none(&args.query))?;
        let spec = if args.changes_spec() { Some(changed(args, &token.spec, secret, pin, out)?) } else { None };
        let groups: Option<Vec<GroupId>> = (args.no_groups || !args.groups.is_empty())
            .then(|| args.groups.iter().map(|name| content.group(GroupId::from_random(random_id()), name)).collect());
        let change = Change {
            spec,
            groups,
            favourite: args.favourite,
            note: args.note.clone(),
            icon: args.icon.clone().map(|icon| Some(icon).filter(|icon| !icon.is_empty())),
        };
        content.change(id, change, now()).map_err(|_| pick::none(&args.query))?;
        let token = content.token(id).ok_or_else(|| pick::none(&args.query))?;
        Ok(Record::new(token, content))
    })?;
    context.out.result(&record, || record::table(std::slice::from_ref(&record)))
}

/// What the token is after the change.
fn changed(
    args: &Edit,
    before: &TokenSpec,
    secret: Option<SecretText>,
    pin: Option<SecretText>,
    out: Output,
) -> Result<TokenSpec, Failure> {
    let mut spec = before.clone();
    spec.kind = spec::kind(&args.parameters, pin, Some(&before.kind))?;
    if let Some(secret) = secret {
        spec.secret = spec::secret(&secret, &spec.kind)?;
    }
    if let Some(issuer) = &args.issuer {
        spec.issuer.clone_from(issuer);
        spec.label_issuer = None;
    }
    if let Some(account) = &args.account {
        spec.account.clone_from(account);
    }
    if let Some(rare) = spec::unusual(&spec.kind).filter(|_| spec.kind != before.kind) {
        out.warn(&rare);
    }
    Ok(spec)
}

impl Edit {
    fn changes_spec(&self) -> bool {
        self.issuer.is_some() || self.account.is_some() || self.secret.is_some() || self.parameters.any()
    }

    fn changes_nothing(&self) -> bool {
        !self.changes_spec()
            && self.groups.is_empty()
            && !self.no_groups
            && self.favourite.is_none()
            && self.note.is_none()
            && self.icon.is_none()
    }
}

/// Moves a token to the trash.
pub(crate) fn remove(context: &mut Context, args: &One) -> Result<(), Failure> {
    let mut session = context.open()?;
    let id = pick::one(session.content(), &args.query)?.id;
    let (record, title, server) = context.edit(&mut session, |content| {
        let token = content.token(id).ok_or_else(|| pick::none(&args.query))?;
        let (record, title) = (Record::new(token, content), record::title(token));
        let server = token.registration.as_ref().map(|registration| registration.server.clone());
        content.remove(id, now()).map_err(|_| pick::none(&args.query))?;
        Ok((record, title, server))
    })?;
    context.out.result(&record, String::new)?;
    context.out.notice(&format!(
        "Removed {title}. The trash keeps it for 30 days; `countersign restore {id}` brings it back."
    ));
    if let Some(server) = server {
        context.out.warn(&format!(
            "{} has registered it, and knows nothing of this: without it nobody signs in there with this app",
            address::short(&server)
        ));
    }
    Ok(())
}

/// Takes a token back out of the trash.
pub(crate) fn restore(context: &mut Context, args: &One) -> Result<(), Failure> {
    let mut session = context.open()?;
    let id = pick::one_trashed(session.content(), &args.query)?.id;
    let (record, title) = context.edit(&mut session, |content| {
        content.restore(id, now()).map_err(|_| pick::none(&args.query))?;
        let token = content.token(id).ok_or_else(|| pick::none(&args.query))?;
        Ok((Record::new(token, content), record::title(token)))
    })?;
    context.out.result(&record, String::new)?;
    context.out.notice(&format!("Restored {title}."));
    Ok(())
}
