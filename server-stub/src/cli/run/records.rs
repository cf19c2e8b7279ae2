//! Apps, messages, API keys, and what happened.

use serde_json::json;

use super::value;
use crate::{
    admin::shapes::MessagePage,
    cli::{
        CliError, Context, Report,
        args::{ApiKeyCommand, AppCommand, AuditCommand},
    },
    domain::scope::Scopes,
};

pub(super) async fn app(context: &Context, command: &AppCommand) -> Result<Report, CliError> {
    match command {
        AppCommand::List => {
            let (mut apps, mut after) = (Vec::new(), Some(String::new()));
            while let Some(from) = after {
                let page = context.admin.apps(&from, 1000).await?;
                apps.extend(page.apps);
                after = page.next;
            }
            let rows: Vec<Vec<String>> = apps
                .iter()
                .cloned()
                .map(|app| vec![app.user, app.name, app.platform, app.app, app.token, app.bound_at])
                .collect();
            Ok(Report::table(value(&apps), &["USER", "APP", "PLATFORM", "KEY", "TOKEN", "SINCE"], &rows))
        }
        AppCommand::Revoke { user } => {
            let app = context.admin.revoke_app(user, context.clock.now()).await?;
            let text = match app.token {
                Some(_) => format!("The token of {} in {} makes no right code any more.", app.user, app.name),
                None => format!("The registration of {} in {} has ended.", app.user, app.name),
            };
            Ok(Report::line(json!({ "revoked": app.app, "registrations_ended": app.registrations_ended }), text))
        }
    }
}

/// The messages; with their texts where they go to the console.
pub(super) async fn outbox(context: &Context, after: Option<&str>, most: u32) -> Result<Report, CliError> {
    if after.is_some_and(|id| uuid::Uuid::try_parse(id).is_err()) {
        return Err(CliError::Usage("--after takes the id of a message, as `--json outbox list` shows it".to_owned()));
    }
    let MessagePage { messages, next } = context.admin.messages(true, after, most).await?;
    let rows: Vec<Vec<String>> = messages
        .iter()
        .cloned()
        .map(|message| {
            vec![
                message.created_at,
                message.sent_at.unwrap_or(message.state),
                message.tries.to_string(),
                message.channel.to_owned(),
                message.recipient,
                message.text.or(message.reason).unwrap_or_default(),
            ]
        })
        .collect();
    let mut report =
        Report::table(value(&messages), &["WRITTEN", "SENT", "TRIES", "KIND", "TO", "TEXT OR REASON"], &rows);
    if let Some(next) = next {
        report.notes = format!("Older ones: outbox list --after {next}\n");
    }
    Ok(report)
}

pub(super) async fn api_key(context: &Context, command: &ApiKeyCommand) -> Result<Report, CliError> {
    let (admin, now) = (&context.admin, context.clock.now());
    match command {
        ApiKeyCommand::Add { name, scope } => {
            let made = admin.add_key(name, scope, &Scopes::all(), now).await?;
            Ok(Report::line(value(&made), made.key))
        }
        ApiKeyCommand::List => {
            let keys = admin.api_keys().await?;
            let rows: Vec<Vec<String>> =
                keys.iter().cloned().map(|key| vec![key.name, key.scopes.join(" "), key.created_at]).collect();
            Ok(Report::table(value(&keys), &["NAME", "MAY", "ADDED"], &rows))
        }
        ApiKeyCommand::Revoke { name } => {
            admin.revoke_key(name, &Scopes::all(), now).await?;
            Ok(Report::line(json!({ "revoked": name }), format!("{name} opens nothing any more.")))
        }
    }
}

pub(super) async fn audit(context: &Context, command: &AuditCommand) -> Result<Report, CliError> {
    match command {
        AuditCommand::List { limit, user } => {
            let entries = context.admin.audit(None, user.as_deref(), *limit).await?;
            let rows: Vec<Vec<String>> = entries
                .iter()
                .cloned()
                .map(|entry| {
                    let user = entry.user.or(entry.user_id).unwrap_or_default();
                    vec![entry.seq.to_string(), entry.at, entry.event, user, entry.detail.to_string()]
                })
                .collect();
            Ok(Report::table(value(&entries), &["NO", "AT", "EVENT", "USER", "DETAIL"], &rows))
        }
        AuditCommand::Verify => {
            let check = context.admin.audit_verify().await?;
            let text = match (&check.reason, check.entries) {
                (None, entries) => format!("The log is whole: {} entries.", entries.unwrap_or_default()),
                (Some(reason), _) => format!("The log is broken: {reason}."),
            };
            Ok(Report { exit: u8::from(!check.whole), ..Report::line(value(&check), text) })
        }
    }
}
