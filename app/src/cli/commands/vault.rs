//! The vault as a whole: making it, its password, its recovery key.

use countersign_core::vault::{Session, session::SaveError};
use serde_json::json;

use crate::cli::{
    args::{KdfArgs, Passwd},
    context::{self, Context, now, rng},
    failure::Failure,
    passwords,
};

/// Makes a vault.
pub(crate) fn init(context: &mut Context, args: KdfArgs) -> Result<(), Failure> {
    let source = context.password_source()?;
    // Said before anybody thinks of a password.
    if context.path.exists() {
        return Err(Failure::save(SaveError::Exists(context.path.clone()), &context.path));
    }
    if let Some(failure) = Failure::beside_generations(&context.path) {
        return Err(failure);
    }
    let password = source.get_new("New password: ", &context.stdin, context.out)?;
    let kdf = context::kdf(args, context.out)?;
    let session = Session::create(context.store(), &password, kdf, &mut rng(), now())
        .map_err(|error| Failure::save(error, &context.path))?;
    let path = context.path.display().to_string();
    context.out.result(&json!({ "vault": path, "generation": session.generation() }), String::new)?;
    context.out.notice(&format!("Made the vault {path}."));
    context
        .out
        .notice("Keep a way back in: `countersign recovery-key` prints one, `countersign backup` writes a backup.");
    Ok(())
}

/// Changes the password.
pub(crate) fn passwd(context: &mut Context, args: &Passwd) -> Result<(), Failure> {
    let old = context.key_source()?;
    let new = passwords::source(args.new_password_file.as_deref(), "--new-password-file", &mut context.stdin)?;
    let mut session = context.open_with(old)?;
    let password = new.get_new("New password: ", &context.stdin, context.out)?;
    let kdf = context::kdf(args.kdf, context.out)?;
    session.change_password(&password, kdf, &mut rng(), now()).map_err(|error| Failure::save(error, &context.path))?;
    let value = json!({ "vault": context.path.display().to_string(), "generation": session.generation() });
    context.out.result(&value, String::new)?;
    context.out.notice("The password is changed. Earlier copies and backups of the vault still open with the old one.");
    Ok(())
}

/// Makes a recovery key and prints it, which is what the user asked for.
pub(crate) fn recovery_key(context: &mut Context) -> Result<(), Failure> {
    let mut session = context.open()?;
    let key = session.new_recovery_key(&mut rng(), now()).map_err(|error| Failure::save(error, &context.path))?;
    context.out.result(&json!({ "recovery_key": key.expose() }), || format!("{}\n", key.expose()))?;
    context.out.notice(
        "Print it or write it down, and keep it apart from this computer. It opens the vault without the \
                        password (--recovery-key-file); an earlier recovery key no longer does.",
    );
    Ok(())
}
