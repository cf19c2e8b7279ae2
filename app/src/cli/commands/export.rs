//! Files for other apps go out.

use countersign_core::{
    export::{self, ExportError, Format, Lock, Loss},
    matching::fold,
    secret::SecretText,
    token::{Token, TokenId},
    vault::{Content, KdfParams},
};
use serde_json::json;

use crate::{
    backup_text,
    cli::{
        args::{BACKUP_FORMAT, Export},
        context::{Context, now, rng},
        failure::Failure,
        files,
        passwords::{self, Source},
        record, text,
    },
    foreign_file::{self, Unsound},
};

/// Writes a file for another app, after a person agreed to what it cannot hold.
pub(crate) fn export(context: &mut Context, args: &Export) -> Result<(), Failure> {
    files::keep_vault(args.output.as_deref(), &context.path, "The export")?;
    let key = context.key_source()?;
    let source = passwords::source(args.export_password_file.as_deref(), "--export-password-file", &mut context.stdin)?;
    let session = context.open_with(key)?;
    let content = may_leave(context, &chosen(session.content(), &args.groups)?);
    let Some(format) = export::format(&args.format) else { return backup(context, args, &content, source) };
    let password = match format.encrypted {
        true => Some(new_password(context, source)?),
        false => None,
    };
    let lock = password.as_ref().map(|password| Lock { password });
    let export = export::write(&content, format, lock, &mut rng(), now()).map_err(|error| failure(&error))?;
    agree(context, args, format, &content, &export.losses)?;
    let value = json!({
        "format": format.id,
        "tokens": export.written.len(),
        "left_out": export.losses.iter().filter(|(_, loss)| matches!(loss, Loss::LeftOut(_))).count(),
        "losses": export.losses.iter().map(|(id, loss)| json!({ "id": id.to_string(), "loss": loss.to_string() })).collect::<Vec<_>>(),
        "output": args.output.as_ref().map(|path| path.display().to_string()),
    });
    let check = |bytes: &[u8]| verify(bytes, password.as_ref(), &content, &export.written);
    let Some(path) = &args.output else {
        check(&export.bytes)?;
        return context.out.raw(&export.bytes);
    };
    files::replace(path, &export.bytes, check)?;
    context.out.result(&value, String::new)?;
    let warning = if format.encrypted { "" } else { " It is not encrypted: delete it when the other app has it." };
    context.out.notice(&format!(
        "Wrote {} to {} and read it back.{warning}",
        text::tokens(export.written.len()),
        path.display()
    ));
    Ok(())
}

/// Without the tokens that their servers do not let out, which are named.
fn may_leave(context: &Context, content: &Content) -> Content {
    for token in content.tokens().iter().filter(|token| !token.may_leave()) {
        context.out.warn(&format!("{}: its server does not let it leave this app; left out", record::title(token)));
    }
    content.part(Token::may_leave)
}

/// The whole content, or the tokens in any of the groups.
fn chosen(content: &Content, groups: &[String]) -> Result<Content, Failure> {
    if groups.is_empty() {
        return Ok(content.part(|_| true));
    }
    let mut ids = Vec::new();
    for name in groups {
        let folded = fold(name);
        let found = content.groups().iter().find(|group| fold(&group.name) == folded);
        let found = found.ok_or_else(|| {
            Failure::new(crate::cli::failure::Exit::NoMatch, format!("There is no group called {name}."))
                .hint("`countersign list` shows the groups of each token.")
        })?;
        ids.push(found.id);
    }
    Ok(content.part(|token| token.groups.iter().any(|group| ids.contains(group))))
}

/// Countersign's own backup text, of all tokens or of some.
fn backup(context: &Context, args: &Export, content: &Content, source: Source) -> Result<(), Failure> {
    let password = source.get_new("Password for the backup: ", &context.stdin, context.out)?;
    let armoured = countersign_core::backup::write(content, &password, KdfParams::RECOMMENDED, &mut rng(), now())
        .map_err(|error| Failure::failed(format!("The backup could not be written: {error}.")))?;
    let check = |bytes: &[u8]| {
        backup_text::verify(bytes, &password, content)
            .map_err(|unsound| Failure::failed(format!("The backup did not read back: {unsound}.")))
    };
    let Some(path) = &args.output else {
        check(armoured.as_bytes())?;
        return context.out.raw(armoured.as_bytes());
    };
    files::replace(path, armoured.as_bytes(), check)?;
    let count = content.tokens().len();
    let value = json!({ "format": BACKUP_FORMAT, "tokens": count, "output": path.display().to_string() });
    context.out.result(&value, String::new)?;
    context.out.notice(&format!("Wrote {} to {} and read it back.", text::tokens(count), path.display()));
    Ok(())
}

/// The password of an encrypted file: asked for twice, never empty. The other app takes it as it was typed.
fn new_password(context: &Context, source: Source) -> Result<SecretText, Failure> {
    let password = source.get_new("Password for the file: ", &context.stdin, context.out)?;
    Ok(SecretText::new(password.expose().to_owned()))
}

/// Lists what is lost, and asks: about that, and twice about a file that is not encrypted.
fn agree(
    context: &Context,
    args: &Export,
    format: &Format,
    content: &Content,
    losses: &[(TokenId, Loss)],
) -> Result<(), Failure> {
    for (id, loss) in losses {
        let title = content.token(*id).map(record::title).unwrap_or_default();
        context.out.warn(&format!("{title}: {loss}"));
    }
    if args.yes {
        return Ok(());
    }
    let mut questions = Vec::new();
    if !losses.is_empty() {
        questions
            .push(format!("{} cannot hold what is listed above. Write the file all the same? [y/N] ", format.name));
    }
    if !format.encrypted {
        questions.push("The file is not encrypted: whoever reads it has every token in it. Go on? [y/N] ".to_owned());
        questions.push("Really write the secrets as they are? [y/N] ".to_owned());
    }
    for question in questions {
        if !context.stdin.confirm(&question)? {
            return Err(Failure::failed("Nothing was written.").hint("Agree to it with --yes."));
        }
    }
    Ok(())
}

/// Reads the file as the other app would, and compares the tokens' codes.
fn verify(bytes: &[u8], password: Option<&SecretText>, content: &Content, written: &[TokenId]) -> Result<(), Failure> {
    let unsound = |what: &str| {
        Failure::failed(format!("The file did not read back: {what}."))
            .hint("Nothing was replaced; try another format.")
    };
    foreign_file::verify(bytes, password, content, written).map_err(|error| match error {
        Unsound::Read(error) => unsound(&error.to_string()),
        Unsound::Other(id) => {
            let title = content.token(id).map(record::title).unwrap_or_default();
            unsound(&format!("{title} is not in it as it was meant"))
        }
    })
}

fn failure(error: &ExportError) -> Failure {
    let failure = Failure::failed(format!("The file could not be written: {error}."));
    match error {
        ExportError::PasswordNeeded(_) => failure.hint("Give it with --export-password-file."),
        ExportError::Memory => failure.hint("Close other programs and try again."),
        _ => failure,
    }
}
