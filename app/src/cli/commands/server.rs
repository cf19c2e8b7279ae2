//! Servers: adding them, registering a token, signing in and out. The window takes the same steps.

use countersign_core::{
    matching::fold,
    secret::{Password, SecretText},
    token::{Token, TokenId},
    uri::enroll,
    vault::{Content, Session, content::servers::Server},
};
use countersign_wire::v1::login::LoginReply;
use serde::Serialize;
use serde_json::json;

use crate::{
    account::{
        CLOCK_MATTERS, corrected, keep,
        keep::Standing,
        pick::{self, Choice, Why},
        steps::{self, World, fingerprint_text},
    },
    api::{Contact, Credentials, Failure as ApiFailure, Fingerprint, Https, address},
    cli::{
        args::{Register, ServerAdd, ServerName, SignIn},
        context::{Context, now, random_id, rng},
        failure::Failure,
        passwords::{self, typed},
        pick as pick_token, record, text,
    },
    controllers::account::{AccountError, app_name, destination},
    platform::{self, Platform},
};

/// What commands reach the outside through.
struct Outside {
    network: Https,
    platform: Platform,
    vault: String,
}

impl Outside {
    fn of(session: &Session) -> Self {
        Self { network: Https::default(), platform: platform::current(), vault: session.vault_id().to_string() }
    }

    fn world(&self) -> World<'_> {
        World { transport: &self.network, keyring: &*self.platform.keyring, vault: &self.vault }
    }
}

/// One server, as `server status --json` prints it.
#[derive(Serialize)]
struct Status {
    address: String,
    issuer: String,
    user: String,
    /// `works`, `moved`, `taken-back`, `elsewhere` or `none`.
    token: &'static str,
    token_id: Option<String>,
    /// When it moved or was taken back, in Unix seconds.
    since: Option<u64>,
    signed_in: bool,
    /// Until when, in Unix seconds.
    until: Option<u64>,
    /// A registration waits for its next step.
    pending: bool,
    /// Seconds that the server's clock is ahead of this one.
    clock_ahead: i64,
    /// SHA-256 of the pinned certificate.
    pinned: Option<String>,
    /// Why the server could not be asked; what stands here is then what was known.
    problem: Option<String>,
}

/// Adds a server by its address or an enrollment link.
pub(crate) fn add(context: &mut Context, args: &ServerAdd) -> Result<(), Failure> {
    let (address, link) = destination(&args.server).map_err(destination_failure)?;
    let pin = args.trust_certificate.as_deref().map(fingerprint).transpose()?;
    let mut session = context.open()?;
    let outside = Outside::of(&session);
    let known = session.content().server(address.as_str()).and_then(|server| server.pin);
    let contact = Contact { address: address.as_str().to_owned(), pin: pin.or(known) };
    let greeting = outside.world().greet(&contact).map_err(|failure| Failure::server(&failure, &contact.address))?;
    let server = context.edit(&mut session, |content| Ok(keep::greeted(content, &greeting, contact.pin, now())))?;
    let shown = greeting.fingerprint.as_ref().map(fingerprint_text);
    let value = json!({
        "address": server.address, "issuer": server.issuer, "certificate": shown, "clock_ahead": server.clock_ahead,
    });
    context.out.result(&value, || format!("{}  {}\n", text::plain(&server.issuer), text::plain(&server.address)))?;
    warn_of_clock(context, &server);
    if link.is_some() {
        context.out.notice(&format!(
            "Register a token with the link: `countersign register --server {} --link -`, and the link on standard input.",
            address::short(&server.address)
        ));
    }
    Ok(())
}

/// Registers a token: a message with a code comes, and the code makes it work in this app.
pub(crate) fn register(context: &mut Context, args: &Register) -> Result<(), Failure> {
    let key = context.key_source()?;
    let account =
        passwords::source(args.account_password_file.as_deref(), "--account-password-file", &mut context.stdin)?;
    let link = typed(args.link.as_deref(), "--link", &mut context.stdin)?;
    let mut session = context.open_with(key)?;
    let mut server = one(session.content(), &args.server)?;
    let outside = Outside::of(&session);

    let waiting = server.pending.as_ref().filter(|pending| pending.expires_at > now());
    // A code belongs to the message that was sent; without one, a new message is sent.
    let goes_on = waiting.is_some_and(|pending| pending.delivered.is_some())
        || (waiting.is_some() && args.sms_code.as_deref().is_some_and(|code| code != "-"));
    if !goes_on {
        let credentials = match (&link, &args.user) {
            (Some(link), _) => Credentials::Link(link_code(link, &server)?),
            (None, Some(user)) => {
                let password = account.get("Password at the server: ", &context.stdin)?;
                Credentials::Password(user.clone(), Password::new(&password))
            }
            (None, None) => {
                return Err(Failure::usage("Who registers is missing.").hint("Give --user NAME, or --link LINK."));
            }
        };
        let world = outside.world();
        let refused = |failure: ApiFailure| Failure::server(&failure, &server.address);
        let greeting = world.greet(&steps::contact(&server)).map_err(refused)?;
        let name = app_name(&gethostname::gethostname().to_string_lossy());
        let started = world.start(&server, &credentials, &name, &mut rng()).map_err(refused)?;
        if !steps::sound(&started.reply) {
            return Err(Failure::server(&ApiFailure::Strange, &server.address));
        }
        let at = server.address.clone();
        let user = args.user.clone().filter(|_| link.is_none()).unwrap_or_default();
        server = context.edit(&mut session, |content| {
            let pin = server.pin;
            keep::greeted(content, &greeting, pin, now());
            keep::started(content, &at, user.trim(), started, now());
            content.server(&at).ok_or_else(|| none(&at))
        })?;
        if let Some(pending) = &server.pending {
            context.out.notice(&format!("A code went to the number that ends in {}.", pending.phone_hint));
        }
    }
    confirm(context, &mut session, &outside, &server, args)
}

fn confirm(
    context: &mut Context,
    session: &mut Session,
    outside: &Outside,
    server: &Server,
    args: &Register,
) -> Result<(), Failure> {
    let at = server.address.clone();
    let refused = |failure: ApiFailure| Failure::server(&failure, &at);
    let mut pending = server.pending.clone().ok_or_else(|| none(&at))?;
    if pending.delivered.is_none() {
        let Some(code) = sms_code(context, args.sms_code.as_deref())? else {
            let value = json!({
                "state": "sms_sent", "phone_hint": pending.phone_hint, "expires_at": pending.expires_at,
                "resend_at": pending.resend_at,
            });
            context.out.result(&value, String::new)?;
            context.out.notice("Nothing is registered yet: run the command again with --sms-code CODE.");
            return Ok(());
        };
        let arrived = outside.world().confirm(server, &pending, code.expose());
        let arrived = arrived.map_err(|failure| over(context, session, &at, failure))?;
        if let Some(other) = &arrived.delivered.replaces {
            context.out.warn(&format!("the token on \u{201c}{other}\u{201d} stops working"));
        }
        pending = context.edit(session, |content| {
            keep::arrived(content, &at, arrived, now());
            content.server(&at).and_then(|server| server.pending).ok_or_else(|| none(&at))
        })?;
    }
    let server = one(session.content(), &at)?;
    let activated = outside.world().activate(&server, &pending, corrected(now(), server.clock_ahead));
    activated.map_err(|failure| over(context, session, &at, failure))?;
    let id = context.edit(session, |content| {
        keep::activated(content, &at, TokenId::from_random(random_id()), now()).ok_or_else(|| none(&at))
    })?;
    let token = session.content().token(id).ok_or_else(|| refused(ApiFailure::Strange))?;
    let value = json!({
        "state": "registered", "id": id.to_string(), "issuer": token.spec.issuer, "account": token.spec.account,
        "server": at, "replaces": pending.delivered.and_then(|delivered| delivered.replaces),
    });
    context.out.result(&value, || format!("{}  {}\n", record::title(token), id))?;
    context.out.notice("Registered: the token works in this app only.");
    Ok(())
}

/// Signs in with the token that fits.
pub(crate) fn sign_in(context: &mut Context, args: &SignIn) -> Result<(), Failure> {
    let key = context.key_source()?;
    let account =
        passwords::source(args.account_password_file.as_deref(), "--account-password-file", &mut context.stdin)?;
    let mut session = context.open_with(key)?;
    let server = one(session.content(), &args.server)?;
    let outside = Outside::of(&session);
    let at = server.address.clone();
    let refused = |failure: ApiFailure| Failure::server(&failure, &at);
    let password = Password::new(&account.get("Password at the server: ", &context.stdin)?);
    let world = outside.world();
    let greeting = world.greet(&steps::contact(&server)).map_err(refused)?;
    let ahead = crate::account::ahead(&greeting.server.time, now());
    let challenge = match world.login(&server, args.user.trim(), &password).map_err(refused)? {
        LoginReply::Challenge(challenge) => challenge,
        LoginReply::Session(reply) => {
            context.edit(&mut session, |content| {
                keep::greeted(content, &greeting, server.pin, now());
                keep::signed_in(content, &at, args.user.trim(), &reply, now());
                Ok(())
            })?;
            let until = now().saturating_add(reply.expires_in);
            let value = json!({ "server": at, "user": args.user.trim(), "token": null, "why": null, "until": until });
            context.out.result(&value, String::new)?;
            context.out.notice(&format!("Signed in at {}, which asks for no code of you.", address::short(&at)));
            return Ok(());
        }
    };

    let (id, why) = chosen(session.content(), &server, &challenge.issuer, args)?;
    let token = session.content().token(id).ok_or_else(|| none(&at))?;
    let title = record::title(token);
    let there = token.registration.as_ref().map(|registration| registration.token_id.clone()).unwrap_or_default();
    if let Some(until) = keep::used_up_until(token, corrected(now(), ahead), ahead) {
        let wait = until.saturating_sub(corrected(now(), ahead)) + 1;
        context.out.notice(&format!("The code that registered the token is used up; the next one comes in {wait} s."));
        std::thread::sleep(std::time::Duration::from_secs(wait));
    }
    let code = token.spec.code_at(corrected(now(), ahead)).map_err(|error| Failure::code(&error, &title))?;
    let answered = world.answer(&server, &challenge, &there, code.text());
    let reply = match answered {
        Ok(reply) => reply,
        Err(failure) => {
            if failure.code() == Some("token_bound_elsewhere") {
                context.edit(&mut session, |content| {
                    keep::moved(content, &at, &there, now(), false);
                    Ok(())
                })?;
            }
            let told = Failure::server(&failure, &at);
            let clock = failure.code() == Some("code_wrong") && ahead.unsigned_abs() >= CLOCK_MATTERS;
            return Err(if clock { told.hint("This device's clock is wrong: set it, and try again.") } else { told });
        }
    };
    let until = now().saturating_add(reply.expires_in);
    context.edit(&mut session, |content| {
        keep::greeted(content, &greeting, server.pin, now());
        keep::signed_in(content, &at, args.user.trim(), &reply, now());
        if args.token.is_some() {
            keep::chose(content, &at, Some(id));
        }
        Ok(())
    })?;
    let value = json!({ "server": at, "user": args.user.trim(), "token": id.to_string(), "why": why, "until": until });
    context.out.result(&value, String::new)?;
    context.out.notice(&format!("Signed in at {} with {title}: {}.", address::short(&at), why_words(why)));
    if ahead.unsigned_abs() >= CLOCK_MATTERS {
        context.out.warn(&format!("this device's clock is off by {} s; the code followed the server's", ahead.abs()));
    }
    Ok(())
}

/// Ends a session.
pub(crate) fn sign_out(context: &mut Context, args: &ServerName) -> Result<(), Failure> {
    let mut session = context.open()?;
    let server = named_or_only(session.content(), args.server.as_deref())?;
    let at = server.address.clone();
    let Some(held) = &server.session else {
        context.out.result(&json!({ "server": at, "signed_out": false }), String::new)?;
        context.out.notice(&format!("Nobody is signed in at {}.", address::short(&at)));
        return Ok(());
    };
    let outside = Outside::of(&session);
    let ended = outside.world().sign_out(&server, &held.text);
    context.edit(&mut session, |content| {
        keep::signed_out(content, &at);
        Ok(())
    })?;
    ended.map_err(|failure| {
        Failure::server(&failure, &at).hint("Here the session is forgotten; there it ends by itself.")
    })?;
    context.out.result(&json!({ "server": at, "signed_out": true }), String::new)?;
    context.out.notice(&format!("Signed out at {}.", address::short(&at)));
    Ok(())
}

/// Asks each server how things stand.
pub(crate) fn status(context: &mut Context, args: &ServerName) -> Result<(), Failure> {
    let mut session = context.open()?;
    let servers = match &args.server {
        Some(name) => vec![one(session.content(), name)?],
        None => session.content().servers(),
    };
    let outside = Outside::of(&session);
    let mut statuses = Vec::new();
    for server in servers {
        let tokens: Vec<String> =
            keep::own_tokens(session.content(), &server).into_iter().map(|(_, there)| there).collect();
        let problem = match outside.world().visit(&server, &tokens) {
            Ok(visit) => {
                if keep::is_news(session.content(), &server.address, &visit, now()) {
                    context.edit(&mut session, |content| {
                        keep::visited(content, &server.address, &visit, now());
                        Ok(())
                    })?;
                }
                None
            }
            Err(failure) => Some(failure),
        };
        let server = one(session.content(), &server.address)?;
        statuses.push(status_of(session.content(), &server, problem.as_ref()));
        warn_of_clock(context, &server);
    }
    context.out.result(&statuses, || statuses.iter().map(line).collect())
}

/// Forgets a server and this app's key there.
pub(crate) fn remove(context: &mut Context, name: &str) -> Result<(), Failure> {
    let mut session = context.open()?;
    let server = one(session.content(), name)?;
    context.edit(&mut session, |content| Ok(content.remove_server(&server.address)))?;
    Outside::of(&session).world().forget_key(&server);
    context.out.result(&json!({ "address": server.address }), String::new)?;
    context.out.notice("Forgotten. Its token stays, but signs nobody in any more.");
    Ok(())
}

fn status_of(content: &Content, server: &Server, problem: Option<&ApiFailure>) -> Status {
    let token = keep::token_of(content, server);
    let (state, since) = match token.map(|(_, standing)| standing) {
        None => ("none", None),
        Some(Standing::Here) => ("works", None),
        Some(Standing::Elsewhere) => ("elsewhere", None),
        Some(Standing::Moved(at)) => ("moved", Some(at)),
        Some(Standing::TakenBack(at)) => ("taken-back", Some(at)),
    };
    let session = server.session.as_ref().filter(|session| session.expires_at > now());
    Status {
        address: server.address.clone(),
        issuer: server.issuer.clone(),
        user: session.map_or(&server.user, |session| &session.user).clone(),
        token: state,
        token_id: token.map(|(id, _)| id.to_string()),
        since,
        signed_in: session.is_some(),
        until: session.map(|session| session.expires_at),
        pending: server.pending.as_ref().is_some_and(|pending| pending.expires_at > now()),
        clock_ahead: server.clock_ahead,
        pinned: server.pin.as_ref().map(fingerprint_text),
        problem: problem.map(ToString::to_string),
    }
}

fn line(status: &Status) -> String {
    let token = match status.token {
        "works" => "token works in this app",
        "moved" => "token moved to another app",
        "taken-back" => "token taken back by the server",
        "elsewhere" => "token not registered in this app",
        _ => "no token",
    };
    let who = if status.signed_in { format!("signed in as {}", status.user) } else { "not signed in".to_owned() };
    let problem = status.problem.as_ref().map(|problem| format!("; {problem}")).unwrap_or_default();
    text::plain(&format!("{}  {}  {who}, {token}{problem}", status.issuer, status.address)) + "\n"
}

/// The token that the user named, or the one that fits.
fn chosen(content: &Content, server: &Server, issuer: &str, args: &SignIn) -> Result<(TokenId, &'static str), Failure> {
    if let Some(query) = &args.token {
        let token = pick_token::one(content, query)?;
        return match keep::OwnApps::of(content).standing(token) {
            Some(Standing::Here) => Ok((token.id, "named")),
            _ => Err(Failure::new(
                crate::cli::failure::Exit::NoMatch,
                format!("{} is not registered in this app.", record::title(token)),
            )
            .hint("Register it: `countersign register`.")),
        };
    }
    match pick::pick(content, server, issuer) {
        Choice::Token { id, why } => {
            let remembered = why == Why::Remembered;
            // What was chosen is that user's, also where the token was renamed.
            let is_theirs = remembered && fold(&server.user) == fold(&args.user);
            match content.token(id) {
                Some(token) if !is_theirs && fold(&token.spec.account) != fold(&args.user) => {
                    Err(of_another(token, server, args.user.trim()))
                }
                _ => Ok((id, if remembered { "remembered" } else { "issuer" })),
            }
        }
        Choice::Ask { tokens, because } => {
            let mut failure = Failure::new(crate::cli::failure::Exit::NoMatch, format!("Which token? {because}."))
                .hint("Name one with --token.");
            let named = tokens.iter().filter_map(|id| content.token(*id));
            failure.lines = named.map(|token: &Token| format!("{}  {}", token.id, token.spec.title())).collect();
            Err(failure)
        }
        Choice::None(why) => {
            Err(Failure::new(crate::cli::failure::Exit::NoMatch, format!("No token signs in here: {why}.")).hint(
                format!(
                    "Register one: `countersign register --server {} --user NAME`.",
                    address::short(&server.address)
                ),
            ))
        }
    }
}

/// The only token here is another user's: its code would be a wrong one.
fn of_another(token: &Token, server: &Server, user: &str) -> Failure {
    let whose = &token.spec.account;
    Failure::new(crate::cli::failure::Exit::NoMatch, format!("The token here is {whose}'s, not {user}'s.")).hint(
        format!(
            "Register one: `countersign register --server {} --user {user}`, or name the token with --token.",
            address::short(&server.address)
        ),
    )
}

fn why_words(why: &str) -> &'static str {
    match why {
        "issuer" => "taken because its name is the server's issuer",
        "remembered" => "taken because it was chosen the last time",
        _ => "as you named it",
    }
}

/// The code of the message: as given, from standard input, or asked for. `None` where nobody can be asked.
fn sms_code(context: &mut Context, argument: Option<&str>) -> Result<Option<SecretText>, Failure> {
    use std::io::IsTerminal as _;

    match argument {
        Some(_) => typed(argument, "--sms-code", &mut context.stdin),
        None if std::io::stdin().is_terminal() => typed(Some("-"), "--sms-code", &mut context.stdin),
        None => Ok(None),
    }
}

fn link_code(link: &SecretText, server: &Server) -> Result<SecretText, Failure> {
    let link = enroll::parse(link.expose())
        .map_err(|error| Failure::usage(format!("That is no enrollment link: {error}.")).hint("Copy all of it."))?;
    if countersign_core::matching::address(&link.server) != countersign_core::matching::address(&server.address) {
        return Err(Failure::usage(format!("The link is of {}, another server.", address::short(&link.server)))
            .hint("Add that server, or name it with --server."));
    }
    Ok(link.code)
}

/// A refusal that ends the registration takes it out of the vault.
fn over(context: &Context, session: &mut Session, at: &str, failure: ApiFailure) -> Failure {
    if failure.ends_registration() {
        // What cannot be saved runs out by itself.
        let _ = context.edit(session, |content| {
            keep::given_up(content, at);
            Ok(())
        });
    }
    Failure::server(&failure, at)
}

/// The server that a name or an address means.
fn one(content: &Content, name: &str) -> Result<Server, Failure> {
    if let Some(server) = content.server(name).or_else(|| content.server(&format!("https://{name}"))) {
        return Ok(server);
    }
    let folded = fold(name);
    let named = |server: &Server| {
        fold(&server.issuer) == folded || address::short(&server.address).eq_ignore_ascii_case(name.trim())
    };
    let mut found: Vec<Server> = content.servers().into_iter().filter(named).collect();
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(none(name)),
        _ => {
            let mut failure =
                Failure::new(crate::cli::failure::Exit::NoMatch, format!("Several servers are called {name:?}."))
                    .hint("Name one by its address.");
            failure.lines = found.into_iter().map(|server| server.address).collect();
            Err(failure)
        }
    }
}

fn named_or_only(content: &Content, name: Option<&str>) -> Result<Server, Failure> {
    if let Some(name) = name {
        return one(content, name);
    }
    let mut servers = content.servers();
    match servers.len() {
        1 => Ok(servers.remove(0)),
        0 => Err(Failure::new(crate::cli::failure::Exit::NoMatch, "No server is known.")
            .hint("Add one: `countersign server add ADDRESS`.")),
        _ => Err(Failure::new(crate::cli::failure::Exit::NoMatch, "Several servers are known.")
            .hint("Name one with --server.")),
    }
}

fn none(name: &str) -> Failure {
    Failure::new(crate::cli::failure::Exit::NoMatch, format!("No server is called {name:?}."))
        .hint("`countersign server status` lists them, `countersign server add ADDRESS` adds one.")
}

fn warn_of_clock(context: &Context, server: &Server) {
    if server.clock_ahead.unsigned_abs() >= CLOCK_MATTERS {
        let way = if server.clock_ahead > 0 { "behind" } else { "ahead of" };
        let off = server.clock_ahead.unsigned_abs();
        context.out.warn(&format!("this device's clock is {off} s {way} that of {}", address::short(&server.address)));
    }
}

fn fingerprint(typed: &str) -> Result<Fingerprint, Failure> {
    let digits: String = typed.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_uppercase();
    let bytes = data_encoding::HEXUPPER.decode(digits.as_bytes()).ok();
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
        Failure::usage("That is no fingerprint of a certificate.")
            .hint("It has 32 pairs of hexadecimal digits (SHA-256).")
    })
}

fn destination_failure(error: AccountError) -> Failure {
    let what = match error {
        AccountError::Address(error) => error.to_string(),
        AccountError::Link(error) => error.to_string(),
        _ => "the server's address cannot be read".to_owned(),
    };
    Failure::usage(format!("{}.", crate::cli::spec::sentence(&what).trim_end_matches('.')))
}
