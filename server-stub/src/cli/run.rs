//! The commands that do one thing and end.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, Read as _},
    path::Path,
};

use countersign_core::{secret::Password, uri};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{
    CliError, Context, Report,
    args::{
        ApiKeyCommand, AppCommand, AuditCommand, Command, GroupCommand, KeyCommand, OutboxCommand, SettingsCommand,
        TokenCommand, UserCommand, UserFacts,
    },
    report::instant,
};
use crate::{
    domain::{
        audit::Entry,
        policy::{MailKind, SETTINGS, Setting, Settings, SmsKind},
        users::{Name, email, phone},
    },
    outbox, password,
    store::{
        admin::{ApiKey, NewToken, NewUser, TokenRow, User, UserChange},
        outbox::{Channel, Message},
        verify,
    },
};

/// What an API key begins with, so that one that strays is found by its look.
pub(super) const API_KEY_PREFIX: &str = "csk_";

pub(super) async fn run(context: &Context, command: &Command) -> Result<Report, CliError> {
    match command {
        Command::Serve(_) | Command::Openapi => Err(CliError::Usage("this runs by itself".to_owned())),
        Command::User(command) => user(context, command).await,
        Command::Group(command) => group(context, command).await,
        Command::Settings(command) => settings(context, command).await,
        Command::Token(command) => token(context, command).await,
        Command::App(command) => app(context, command).await,
        Command::Outbox(OutboxCommand::List) => messages(context).await,
        Command::ApiKey(command) => api_key(context, command).await,
        Command::Audit(command) => audit(context, command).await,
        Command::Key(KeyCommand::Rotate) => rotate(context).await,
    }
}

pub(super) fn openapi() -> Report {
    let json = serde_json::to_value(crate::http::document()).unwrap_or_default();
    let text = format!("{json:#}\n");
    Report { json, text, exit: 0 }
}

async fn user(context: &Context, command: &UserCommand) -> Result<Report, CliError> {
    let (store, keys, now) = (&context.store, &*context.keys, context.clock.now());
    match command {
        UserCommand::Add { name, facts } => {
            let name = Name::new(name)?;
            let change = change(context, facts)?;
            let new = NewUser {
                id: context.random.id(now),
                name: name.clone(),
                phone: change.phone.flatten(),
                email: change.email.flatten(),
                group: change.group.flatten(),
                password_hash: change.password_hash.flatten(),
            };
            store.add_user(keys, &new, now).await?;
            Ok(Report::line(user_json(&store.user(&name).await?), format!("Added {}.", name.shown())))
        }
        UserCommand::List => {
            let (mut users, mut after) = (Vec::new(), String::new());
            loop {
                let page = store.users_after(&after, 1000).await?;
                let Some((last, _)) = page.last() else { break };
                after.clone_from(last);
                users.extend(page.into_iter().map(|(_, user)| user));
            }
            let rows: Vec<Vec<String>> = users
                .iter()
                .map(|user| {
                    vec![
                        user.name.clone(),
                        user.group.clone().unwrap_or_default(),
                        user.phone.clone().unwrap_or_default(),
                        user.email.clone().unwrap_or_default(),
                        user.tokens.to_string(),
                        state(user, now.seconds()),
                    ]
                })
                .collect();
            let json = users.iter().map(user_json).collect();
            Ok(Report::table(json, &["NAME", "GROUP", "PHONE", "MAIL", "TOKENS", "STATE"], &rows))
        }
        UserCommand::Show { name } => {
            let name = Name::new(name)?;
            let (user, tokens) = (store.user(&name).await?, store.tokens(&name).await?);
            let mut json = user_json(&user);
            json["tokens"] = tokens.iter().map(token_json).collect();
            let yes = |there: bool| if there { "yes" } else { "no" }.to_owned();
            let rows = vec![
                vec!["id".to_owned(), user.id.clone()],
                vec!["group".to_owned(), user.group.clone().unwrap_or_default()],
                vec!["phone".to_owned(), user.phone.clone().unwrap_or_default()],
                vec!["mail".to_owned(), user.email.clone().unwrap_or_default()],
                vec!["password".to_owned(), yes(user.has_password)],
                vec!["wrong codes".to_owned(), user.failures.to_string()],
                vec!["state".to_owned(), state(&user, now.seconds())],
                vec!["added".to_owned(), instant(user.created_at)],
            ];
            let mut report = Report::table(json, &["NAME", &user.name], &rows);
            if !tokens.is_empty() {
                report.text.push('\n');
                report.text.push_str(&token_table(&tokens).text);
            }
            Ok(report)
        }
        UserCommand::Set { name, facts } => {
            let name = Name::new(name)?;
            store.change_user(keys, &context.random, &name, &change(context, facts)?, now).await?;
            Ok(Report::line(user_json(&store.user(&name).await?), format!("Changed {}.", name.shown())))
        }
        UserCommand::Reset { name, clear: _ } => {
            let name = Name::new(name)?;
            let deleted = store.clear_user(keys, &context.random, &name, now).await?;
            Ok(Report::line(
                json!({ "tokens_deleted": deleted }),
                format!("Deleted {deleted} tokens of {}.", name.shown()),
            ))
        }
        UserCommand::Unlock { name } => {
            let name = Name::new(name)?;
            store.unlock_user(keys, &name, now).await?;
            Ok(Report::line(user_json(&store.user(&name).await?), format!("{} can try again.", name.shown())))
        }
        UserCommand::Delete { name } => {
            let name = Name::new(name)?;
            store.delete_user(keys, &name, now).await?;
            Ok(Report::line(json!({ "deleted": name.shown() }), format!("Deleted {}.", name.shown())))
        }
    }
}

fn state(user: &User, now: i64) -> String {
    match user.locked_at {
        Some(at) => format!("locked since {}", instant(at)),
        None if user.blocked_until > now => format!("waits until {}", instant(user.blocked_until)),
        None => String::new(),
    }
}

fn user_json(user: &User) -> Value {
    json!({
        "id": user.id,
        "name": user.name,
        "phone": user.phone,
        "email": user.email,
        "group": user.group,
        "has_password": user.has_password,
        "failures": user.failures,
        "blocked_until": (user.blocked_until > 0).then(|| instant(user.blocked_until)),
        "locked_at": user.locked_at.map(instant),
        "token_count": user.tokens,
        "created_at": instant(user.created_at),
    })
}

/// Reads what is on file of a user; an empty text takes away.
fn change(context: &Context, facts: &UserFacts) -> Result<UserChange, CliError> {
    fn given<T, E>(text: Option<&String>, read: impl Fn(&str) -> Result<T, E>) -> Result<Option<Option<T>>, E> {
        match text.map(|text| text.trim()) {
            None => Ok(None),
            Some("") => Ok(Some(None)),
            Some(text) => read(text).map(|value| Some(Some(value))),
        }
    }
    let password_hash = match &facts.password_file {
        None => None,
        Some(file) => {
            let password = first_line(file)?;
            let password = Password::new(&password);
            if password.is_empty() {
                return Err(CliError::Usage("the password is empty".to_owned()));
            }
            Some(Some(password::hash(&password, &context.random)?))
        }
    };
    Ok(UserChange {
        phone: given(facts.phone.as_ref(), phone)?,
        email: given(facts.email.as_ref(), email)?,
        group: given(facts.group.as_ref(), Name::new)?,
        password_hash,
    })
}

fn first_line(file: &Path) -> Result<Zeroizing<String>, CliError> {
    let mut line = Zeroizing::new(String::new());
    if file == Path::new("-") {
        std::io::stdin().lock().read_line(&mut line).map_err(|error| CliError::Io("standard input", error))?;
    } else {
        std::fs::File::open(file)
            .and_then(|open| std::io::BufReader::new(open.take(64 * 1024)).read_line(&mut line))
            .map_err(|source| CliError::File { path: file.to_owned(), source })?;
    }
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line)
}

async fn group(context: &Context, command: &GroupCommand) -> Result<Report, CliError> {
    let (store, keys, now) = (&context.store, &*context.keys, context.clock.now());
    match command {
        GroupCommand::Add { name, policy } => {
            let name = Name::new(name)?;
            let policy: BTreeMap<String, String> =
                assignments(policy)?.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
            store.add_group(keys, &context.random.id(now), &name, &policy, now).await?;
            Ok(Report::line(json!({ "name": name.shown(), "policy": policy }), format!("Added {}.", name.shown())))
        }
        GroupCommand::Set { name, policy } => {
            let name = Name::new(name)?;
            let changes = assignments(policy)?;
            store.change_group(keys, &name, &changes, now).await?;
            Ok(Report::line(json!({ "name": name.shown(), "changed": changes }), format!("Changed {}.", name.shown())))
        }
        GroupCommand::List => {
            let groups = store.groups().await?;
            let rows: Vec<Vec<String>> = groups
                .iter()
                .map(|group| {
                    let policy: Vec<String> =
                        group.policy.iter().map(|(name, value)| format!("{name}={value}")).collect();
                    vec![group.name.clone(), group.users.to_string(), policy.join(" ")]
                })
                .collect();
            let json = groups
                .iter()
                .map(|group| json!({ "name": group.name, "users": group.users, "policy": group.policy }))
                .collect();
            Ok(Report::table(json, &["GROUP", "USERS", "DIFFERS IN"], &rows))
        }
    }
}

/// Reads `SETTING=VALUE`; an empty value is `None`.
fn assignments(texts: &[String]) -> Result<BTreeMap<String, Option<String>>, CliError> {
    let mut read = BTreeMap::new();
    for text in texts {
        let (name, value) =
            text.split_once('=').ok_or_else(|| CliError::Usage(format!("{text:?} is not SETTING=VALUE")))?;
        let setting = SETTINGS.iter().find(|setting| setting.name == name);
        if setting.is_some_and(|setting| !setting.per_group) {
            return Err(CliError::Usage(format!("{name} is of the whole server: settings set {name} {value}")));
        }
        // An empty value goes back to the server's, for a name that exists.
        let value = if value.is_empty() && setting.is_some() {
            None
        } else {
            Settings::default().set(name, value)?;
            Some(value.to_owned())
        };
        read.insert(name.to_owned(), value);
    }
    Ok(read)
}

async fn settings(context: &Context, command: &SettingsCommand) -> Result<Report, CliError> {
    let store = &context.store;
    match command {
        SettingsCommand::Get { name } => {
            let stored = store.stored_settings().await?;
            let all = Settings::from_stored(stored.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            if let Some(name) = name {
                let setting = Setting::find(name)?;
                return Ok(Report::line(json!({ setting.name: all.get(setting) }), all.get(setting)));
            }
            let rows: Vec<Vec<String>> = SETTINGS
                .iter()
                .map(|setting| vec![setting.name.to_owned(), all.get(setting), setting.about.to_owned()])
                .collect();
            let json: serde_json::Map<String, Value> =
                SETTINGS.iter().map(|setting| (setting.name.to_owned(), all.get(setting).into())).collect();
            Ok(Report::table(json.into(), &["SETTING", "VALUE", "WHAT IT IS"], &rows))
        }
        SettingsCommand::Set { name, value } => {
            let setting = Setting::find(name)?;
            // From standard input, where no other user of the machine sees it.
            let value = match value {
                Some(value) if setting.secret && value == "-" => Some(first_line(Path::new("-"))?),
                value => value.clone().map(Zeroizing::new),
            };
            let mut all = Settings::default();
            if let Some(value) = &value {
                all.set(name, value)?;
            }
            if ["sms_sender", "mail_sender"].contains(&setting.name) {
                let mut stored = store.stored_settings().await?;
                stored.retain(|(own, _)| own != name);
                stored.extend(value.as_ref().map(|value| (name.clone(), value.to_string())));
                outbox::check(&stored, &context.keys).map_err(|unset| CliError::Usage(unset.to_string()))?;
            }
            let (keys, random) = (&context.keys, &context.random);
            store
                .change_setting(keys, random, setting, value.as_ref().map(|v| v.as_str()), context.clock.now())
                .await?;
            let shown = all.get(setting);
            Ok(Report::line(json!({ name: shown }), format!("{name} is {shown}.")))
        }
    }
}

async fn token(context: &Context, command: &TokenCommand) -> Result<Report, CliError> {
    let (store, now) = (&context.store, context.clock.now());
    match command {
        TokenCommand::Add { user, uri: link } => {
            let user = Name::new(user)?;
            let link = if link == "-" { first_line(Path::new("-"))? } else { Zeroizing::new(link.clone()) };
            let parsed = uri::parse(&link)?;
            let (columns, last_step) = verify::columns(&parsed.spec)
                .ok_or_else(|| CliError::Usage("this server verifies TOTP and HOTP tokens only".to_owned()))?;
            let id = context.random.id(now);
            let secret =
                context.keys.seal(verify::SECRET_PLACE, &id, parsed.spec.secret.bytes().expose(), &context.random);
            let new = NewToken { id: id.clone(), columns, last_step, secret };
            store.add_token(&context.keys, &user, &new, now).await?;
            let warnings: Vec<String> = parsed.warnings.iter().map(ToString::to_string).collect();
            let mut report = Report::line(
                json!({ "id": id, "user": user.shown(), "warnings": warnings }),
                format!("Added a token for {}: {id}", user.shown()),
            );
            for warning in warnings {
                report.text.push_str(&format!("Note: {warning}.\n"));
            }
            Ok(report)
        }
        TokenCommand::List { user } => Ok(token_table(&store.tokens(&Name::new(user)?).await?)),
    }
}

fn token_table(tokens: &[TokenRow]) -> Report {
    let rows: Vec<Vec<String>> = tokens
        .iter()
        .map(|token| {
            let columns = &token.columns;
            let every = if columns.period > 0 { format!("{} s", columns.period) } else { "counter".to_owned() };
            vec![
                token.id.clone(),
                columns.kind.clone(),
                columns.issuer.clone(),
                columns.account.clone(),
                format!("{}, {} digits, {every}", columns.algorithm, columns.digits),
                instant(token.created_at),
            ]
        })
        .collect();
    let json = tokens.iter().map(token_json).collect();
    Report::table(json, &["TOKEN", "KIND", "ISSUER", "ACCOUNT", "CODES", "ADDED"], &rows)
}

fn token_json(token: &TokenRow) -> Value {
    let columns = &token.columns;
    json!({
        "id": token.id,
        "kind": columns.kind,
        "issuer": columns.issuer,
        "account": columns.account,
        "algorithm": columns.algorithm,
        "digits": columns.digits,
        "period": (columns.period > 0).then_some(columns.period),
        "used": token.last_step >= 0,
        "created_at": instant(token.created_at),
    })
}

async fn app(context: &Context, command: &AppCommand) -> Result<Report, CliError> {
    match command {
        AppCommand::List => {
            let bound = context.store.bindings().await?;
            let rows: Vec<Vec<String>> = bound
                .iter()
                .map(|bound| {
                    vec![
                        bound.user.clone(),
                        bound.app_name.clone(),
                        bound.platform.clone(),
                        bound.app_id.clone(),
                        bound.credential_id.clone(),
                        instant(bound.bound_at),
                    ]
                })
                .collect();
            let json = bound
                .iter()
                .map(|bound| {
                    json!({
                        "user": bound.user,
                        "app": bound.app_id,
                        "name": bound.app_name,
                        "platform": bound.platform,
                        "token": bound.credential_id,
                        "bound_at": instant(bound.bound_at),
                    })
                })
                .collect();
            Ok(Report::table(json, &["USER", "APP", "PLATFORM", "KEY", "TOKEN", "SINCE"], &rows))
        }
        AppCommand::Revoke { user } => {
            let user = Name::new(user)?;
            let bound = context.store.revoke_app(&context.keys, &context.random, &user, context.clock.now()).await?;
            Ok(Report::line(
                json!({ "revoked": bound.app_id }),
                format!("The token of {} in {} makes no right code any more.", bound.user, bound.app_name),
            ))
        }
    }
}

/// The messages; with their texts where they go to the console, where everybody who reads its output has them anyway.
async fn messages(context: &Context) -> Result<Report, CliError> {
    let stored = context.store.stored_settings().await?;
    let set = Settings::from_stored(stored.iter().map(|(name, value)| (name.as_str(), value.as_str()))).senders;
    let messages = context.store.messages(&context.keys, 100).await?;
    let text = |message: &Message| match message.channel {
        Channel::Sms => (set.sms == SmsKind::Console).then(|| message.body.clone()),
        Channel::Mail => (set.mail == MailKind::Console).then(|| format!("{}: {}", message.subject, message.body)),
    };
    let rows: Vec<Vec<String>> = messages
        .iter()
        .map(|message| {
            vec![
                instant(message.created_at),
                message.sent_at.map_or_else(|| message.state.clone(), instant),
                message.tries.to_string(),
                message.channel.name().to_owned(),
                message.recipient.clone(),
                text(message).or_else(|| message.reason.clone()).unwrap_or_default(),
            ]
        })
        .collect();
    let json = messages
        .iter()
        .map(|message| {
            json!({
                "id": message.id,
                "channel": message.channel.name(),
                "recipient": message.recipient,
                "text": text(message),
                "state": message.state,
                "tries": message.tries,
                "reason": message.reason,
                "gateway_id": message.gateway_id,
                "created_at": instant(message.created_at),
                "sent_at": message.sent_at.map(instant),
            })
        })
        .collect();
    Ok(Report::table(json, &["WRITTEN", "SENT", "TRIES", "KIND", "TO", "TEXT OR REASON"], &rows))
}

async fn api_key(context: &Context, command: &ApiKeyCommand) -> Result<Report, CliError> {
    let (store, now) = (&context.store, context.clock.now());
    match command {
        ApiKeyCommand::Add { name } => {
            let name = Name::new(name)?;
            let random = Zeroizing::new(context.random.bytes::<32>());
            let text = Zeroizing::new(format!("{API_KEY_PREFIX}{}", BASE64URL_NOPAD.encode(&*random)));
            let key = ApiKey {
                id: context.random.id(now),
                name: name.shown().to_owned(),
                scopes: vec!["verify".to_owned()],
                created_at: now.seconds(),
            };
            store.add_api_key(&context.keys, &key, &Sha256::digest(text.as_bytes()).into(), now).await?;
            Ok(Report::line(json!({ "name": key.name, "key": &*text }), &*text))
        }
        ApiKeyCommand::List => {
            let keys = store.api_keys().await?;
            let rows: Vec<Vec<String>> =
                keys.iter().map(|key| vec![key.name.clone(), key.scopes.join(" "), instant(key.created_at)]).collect();
            let json = keys
                .iter()
                .map(|key| json!({ "name": key.name, "scopes": key.scopes, "created_at": instant(key.created_at) }))
                .collect();
            Ok(Report::table(json, &["NAME", "MAY", "ADDED"], &rows))
        }
        ApiKeyCommand::Revoke { name } => {
            let name = Name::new(name)?;
            store.revoke_api_key(&context.keys, name.shown(), now).await?;
            Ok(Report::line(json!({ "revoked": name.shown() }), format!("{} opens nothing any more.", name.shown())))
        }
    }
}

async fn audit(context: &Context, command: &AuditCommand) -> Result<Report, CliError> {
    match command {
        AuditCommand::List { limit, user } => {
            let user = match user {
                Some(name) => Some(context.store.user(&Name::new(name)?).await?.id),
                None => None,
            };
            let entries = context.store.audit_newest(user.as_deref(), i64::from(*limit)).await?;
            let rows: Vec<Vec<String>> = entries
                .iter()
                .map(|entry| {
                    vec![
                        entry.seq.to_string(),
                        instant(entry.at / 1000),
                        entry.event.clone(),
                        entry.user_id.clone().unwrap_or_default(),
                        entry.detail.clone(),
                    ]
                })
                .collect();
            let json = entries.iter().map(entry_json).collect();
            Ok(Report::table(json, &["NO", "AT", "EVENT", "USER", "DETAIL"], &rows))
        }
        AuditCommand::Verify => Ok(match context.store.audit_verify(&context.keys).await? {
            Ok(count) => {
                Report::line(json!({ "whole": true, "entries": count }), format!("The log is whole: {count} entries."))
            }
            Err(broken) => Report {
                exit: 1,
                ..Report::line(
                    json!({ "whole": false, "reason": broken.to_string() }),
                    format!("The log is broken: {broken}."),
                )
            },
        }),
    }
}

fn entry_json(entry: &Entry) -> Value {
    json!({
        "seq": entry.seq,
        "at": instant(entry.at / 1000),
        "event": entry.event,
        "user_id": entry.user_id,
        "detail": serde_json::from_str::<Value>(&entry.detail).unwrap_or_default(),
    })
}

async fn rotate(context: &Context) -> Result<Report, CliError> {
    let Some(file) = &context.keys_file else {
        return Err(CliError::Usage(
            "the keys come from the environment: put a new one before them there (NUMBER:BASE64 of 32 bytes)"
                .to_owned(),
        ));
    };
    let rotated = context.keys.rotated(&context.random);
    // On the disk before anything is sealed with it.
    rotated.write(file, true).map_err(|source| CliError::File { path: file.clone(), source })?;
    let count = context.store.reseal(&rotated, &context.random, context.clock.now()).await?;
    let newest = rotated.newest();
    Ok(Report::line(
        json!({ "key": newest, "secrets": count }),
        format!(
            "Key {newest} seals {count} secrets. Restart running servers, and keep the earlier keys in {}.",
            file.display()
        ),
    ))
}
