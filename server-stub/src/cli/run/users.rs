//! Users, their tokens, and administrators.

use serde_json::json;
use zeroize::Zeroizing;

use super::{first_line, password, value};
use crate::{
    admin::shapes::{NewUser, Token, User, UserChange},
    cli::{
        CliError, Context, Report,
        args::{CreateAdministrator, Rescue, TokenCommand, UserCommand, UserFacts},
    },
    domain::scope::Scopes,
    http::USUAL_ADDRESS,
};

pub(super) async fn user(context: &Context, command: &UserCommand) -> Result<Report, CliError> {
    let (admin, now) = (&context.admin, context.clock.now());
    match command {
        UserCommand::Add { name, facts } => {
            let change = change(facts)?;
            let new = NewUser {
                name: name.clone(),
                phone: change.phone,
                email: change.email,
                group: change.group,
                password: change.password,
                administrator: change.administrator.unwrap_or_default(),
                exempt: change.exempt.unwrap_or_default(),
            };
            let user = admin.add_user(&new, now).await?;
            Ok(Report::line(value(&user), format!("Added {}.", user.name)))
        }
        UserCommand::Import(_) => Err(CliError::Usage("this runs by itself".to_owned())),
        UserCommand::List { search } => {
            let (mut users, mut after) = (Vec::new(), Some(String::new()));
            while let Some(from) = after {
                let page = admin.users(search.as_deref().unwrap_or_default(), &from, 1000).await?;
                users.extend(page.users);
                after = page.next;
            }
            let rows: Vec<Vec<String>> = users
                .iter()
                .map(|user| {
                    let text = |text: &Option<String>| text.clone().unwrap_or_default();
                    let (phone, email) = (text(&user.phone), text(&user.email));
                    vec![user.name.clone(), text(&user.group), phone, email, user.token_count.to_string(), state(user)]
                })
                .collect();
            Ok(Report::table(value(&users), &["NAME", "GROUP", "PHONE", "MAIL", "TOKENS", "STATE"], &rows))
        }
        UserCommand::Show { name } => {
            let detail = admin.user(name, true).await?;
            let user = &detail.user;
            let yes = |there: bool| if there { "yes" } else { "no" }.to_owned();
            let row = |name: &str, text: String| vec![name.to_owned(), text];
            let rows = vec![
                row("id", user.id.clone()),
                row("group", user.group.clone().unwrap_or_default()),
                row("phone", user.phone.clone().unwrap_or_default()),
                row("mail", user.email.clone().unwrap_or_default()),
                row("password", yes(user.has_password)),
                row("administrator", yes(user.administrator)),
                row("exempt", yes(user.exempt)),
                row("wrong codes", user.failures.to_string()),
                row("wrong passwords", user.password_failures.to_string()),
                row("state", state(user)),
                row("added", user.created_at.clone()),
            ];
            let mut report = Report::table(value(&detail), &["NAME", &user.name], &rows);
            if let Some(all) = detail.tokens.filter(|all| !all.is_empty()) {
                report.text.push('\n');
                report.text.push_str(&tokens(&all).text);
            }
            Ok(report)
        }
        UserCommand::Set { name, facts } => {
            if facts.is_empty() {
                return Err(CliError::Usage(format!(
                    "nothing to change of {name}: name what, as in `user set {name} --phone NUMBER` (--help lists it)"
                )));
            }
            let user = admin.change_user(name, &change(facts)?, now).await?;
            Ok(Report::line(value(&user), format!("Changed {}.", user.name)))
        }
        UserCommand::Reset { name, how } if how.clear => {
            let deleted = admin.clear_user(name, now).await?;
            Ok(Report::line(json!({ "tokens_deleted": deleted }), format!("Deleted {deleted} tokens of {name}.")))
        }
        UserCommand::Reset { name, .. } => {
            let tokens = admin.unconfirm_user(name, now).await?;
            let text = format!("{tokens} tokens of {name} count again once a code of each has confirmed it.");
            Ok(Report::line(json!({ "tokens_unconfirmed": tokens }), text))
        }
        UserCommand::Unlock { name } => {
            let user = admin.unlock_user(name, now).await?;
            Ok(Report::line(value(&user), format!("{} can try again.", user.name)))
        }
        UserCommand::Delete { name } => {
            admin.delete_user(name, now).await?;
            Ok(Report::line(json!({ "deleted": name }), format!("Deleted {name}.")))
        }
    }
}

fn state(user: &User) -> String {
    let second = match (&user.locked_at, &user.blocked_until) {
        (Some(at), _) => Some(format!("locked since {at}")),
        (None, Some(until)) => Some(format!("waits until {until}")),
        (None, None) => None,
    };
    let password = user.password_blocked_until.as_ref().map(|until| format!("password waits until {until}"));
    second.into_iter().chain(password).collect::<Vec<_>>().join(", ")
}

fn change(facts: &UserFacts) -> Result<UserChange, CliError> {
    Ok(UserChange {
        phone: facts.phone.clone(),
        email: facts.email.clone(),
        group: facts.group.clone(),
        password: password(facts.password_file.as_deref(), false)?.map(|text| text.to_string()),
        administrator: facts.administrator,
        exempt: facts.exempt,
    })
}

/// A user with every right, and where it is asked for a key that may everything.
pub(super) async fn create_administrator(context: &Context, create: &CreateAdministrator) -> Result<Report, CliError> {
    let (admin, now) = (&context.admin, context.clock.now());
    let new = NewUser {
        name: create.name.clone(),
        phone: create.phone.clone(),
        email: create.email.clone(),
        password: password(create.password_file.as_deref(), true)?.map(|text| text.to_string()),
        administrator: true,
        ..NewUser::default()
    };
    let user = admin.add_user(&new, now).await?;
    let mut json = json!({ "user": user });
    let mut text = format!("Added the administrator {}.\n", user.name);
    if user.phone.is_none() {
        text.push_str(&number_missing(&user.name));
    }
    if let Some(name) = &create.api_key {
        let made = admin.add_key(name, &Scopes::all().names(), &Scopes::all(), now).await?;
        text.push_str(&format!("API key {}, which may everything and is not shown again:\n{}\n", made.name, made.key));
        json["api_key"] = value(&made);
    }
    Ok(Report { json, text, ..Report::default() })
}

fn number_missing(name: &str) -> String {
    format!("To register a token from the app, {name} needs a phone number: user set {name} --phone NUMBER\n")
}

/// Opens the door for an administrator who cannot sign in any more.
pub(super) async fn rescue(context: &Context, rescue: &Rescue) -> Result<Report, CliError> {
    let change = UserChange {
        phone: rescue.phone.clone(),
        password: password(rescue.password_file.as_deref(), false)?.map(|text| text.to_string()),
        ..UserChange::default()
    };
    let (deleted, session) = context.admin.rescue(&rescue.name, &change, rescue.session, context.clock.now()).await?;
    let user = context.admin.user(&rescue.name, false).await?.user;
    let mut json = json!({ "rescued": rescue.name, "tokens_deleted": deleted, "has_phone": user.phone.is_some() });
    let mut text = format!(
        "{} can sign in again: the password is not blocked, and the lost tokens ({deleted}) are gone.\n",
        rescue.name
    );
    text.push_str(&match &user.phone {
        Some(_) => "The next step is to register a token from the app.\n".to_owned(),
        None => number_missing(&user.name),
    });
    if let Some(session) = session {
        text.push_str(&format!("A session for an hour, which is not shown again:\n{}\n", *session));
        json["session"] = session.as_str().into();
    }
    Ok(Report { json, text, ..Report::default() })
}

pub(super) async fn token(context: &Context, command: &TokenCommand) -> Result<Report, CliError> {
    match command {
        TokenCommand::Add { user, uri } => {
            let link = match uri.as_str() {
                "-" => first_line("-".as_ref())?,
                link => Zeroizing::new(link.to_owned()),
            };
            let token = context.admin.add_token(user, &link, context.clock.now()).await?;
            Ok(Report::line(json!({ "id": token.id }), format!("Added the token {} to {user}.", token.id)))
        }
        TokenCommand::Import(_) => Err(CliError::Usage("this runs by itself".to_owned())),
        TokenCommand::Send { user, via } => {
            let sent = context.admin.send_link(user, via, USUAL_ADDRESS, context.clock.now()).await?;
            let written = match sent.sent.is_empty() {
                true => String::new(),
                false => format!("Written to {user}: {}.\n", sent.sent.join(", ")),
            };
            let (text, mut notes) = match &sent.link {
                Some(link) => (format!("{link}\n"), written),
                None => (written, String::new()),
            };
            if !sent.address_set {
                notes.push_str("Note: the link works on this machine only: settings set public_url https://NAME\n");
            }
            Ok(Report { json: value(&sent), text, notes, exit: 0 })
        }
        TokenCommand::Delete { user, token } => {
            context.admin.delete_token(user, token, context.clock.now()).await?;
            Ok(Report::line(json!({ "deleted": token }), format!("Deleted the token {token} of {user}.")))
        }
        TokenCommand::List { user } => Ok(tokens(&context.admin.tokens(user).await?)),
    }
}

fn tokens(all: &[Token]) -> Report {
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|token| {
            let every = token.period.map_or_else(|| "counting".to_owned(), |period| format!("every {period} s"));
            vec![
                token.id.clone(),
                token.kind.clone(),
                token.issuer.clone(),
                token.account.clone(),
                format!("{}, {} digits, {every}", token.algorithm, token.digits),
                if token.confirmed { String::new() } else { "to be confirmed".to_owned() },
                token.created_at.clone(),
            ]
        })
        .collect();
    Report::table(value(&all), &["TOKEN", "KIND", "ISSUER", "ACCOUNT", "CODES", "STATE", "ADDED"], &rows)
}
