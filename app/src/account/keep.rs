//! What the vault keeps of what a server said. Nothing here waits.

use std::collections::HashMap;

use countersign_core::{
    matching::{address, fold},
    secret::SecretText,
    token::{Registration, Token, TokenId},
    vault::{
        Content,
        content::{
            Change,
            servers::{Pending, Server, ServerSession},
        },
    },
};
use countersign_wire::v1::login::SessionReply;

use super::{
    ahead, corrected, instant,
    steps::{self, Arrived, Greeting, Started, Visit},
};
use crate::api::{Fingerprint, key::app_id};

/// A token of the app at a server, as the vault has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It works in this app.
    Here,
    /// It came from elsewhere (a backup, another device) and works there, if at all.
    Elsewhere,
    /// It worked here until another app took it, at that Unix second.
    Moved(u64),
    /// It worked here until the server took it back, at that Unix second.
    TakenBack(u64),
}

/// This app's id at each server that a vault knows, read once for all its tokens.
#[derive(Debug, Default)]
pub struct OwnApps(HashMap<String, String>);

impl OwnApps {
    /// Those of this vault.
    pub fn of(content: &Content) -> Self {
        let own = |server: &Server| Some((address(&server.address), own_app(server)?));
        // Of two with one address the first counts, as for [`Content::server`].
        Self(content.servers().iter().rev().filter_map(own).collect())
    }

    /// How a token stands that was registered; `None` for one that never was.
    pub fn standing(&self, token: &Token) -> Option<Standing> {
        let registration = token.registration.as_ref()?;
        if let Some(at) = registration.moved_at {
            return Some(if registration.taken_back { Standing::TakenBack(at) } else { Standing::Moved(at) });
        }
        let own = self.0.get(&address(&registration.server));
        Some(if own == Some(&registration.app_id) { Standing::Here } else { Standing::Elsewhere })
    }
}

/// Until when a registered token's code is used up that was made for `time` (Unix seconds): the code that made it work
/// counts once, and comes again as long as it stands. `ahead` is what the server's clock was ahead. `None` for a fresh one.
pub fn used_up_until(token: &Token, time: u64, ahead: i64) -> Option<u64> {
    let registered = corrected(token.registration.as_ref()?.registered_at, ahead);
    let code = token.spec.code_at(time).ok()?;
    let stands = code.stands()?;
    (stands.from..stands.until).contains(&registered).then_some(stands.until)
}

/// The token of a server and how it stands: one that works here before one that does not, a newer one before an older.
pub fn token_of(content: &Content, server: &Server) -> Option<(TokenId, Standing)> {
    let rank = |standing: &Standing| match standing {
        Standing::Here => 0,
        Standing::Moved(_) | Standing::TakenBack(_) => 1,
        Standing::Elsewhere => 2,
    };
    let at = address(&server.address);
    let own = OwnApps::of(content);
    let tokens = content.tokens().iter().filter_map(|token| {
        let registration = token.registration.as_ref().filter(|held| address(&held.server) == at)?;
        Some((token.id, own.standing(token)?, registration.registered_at))
    });
    let best = tokens.min_by_key(|(_, standing, at)| (rank(standing), std::cmp::Reverse(*at)));
    best.map(|(id, standing, _)| (id, standing))
}

/// This app's id at a server.
pub fn own_app(server: &Server) -> Option<String> {
    server.app_key.as_ref().map(|key| app_id(&key.public))
}

/// This app's tokens at a server: their ids here and there.
pub fn own_tokens(content: &Content, server: &Server) -> Vec<(TokenId, String)> {
    let own = OwnApps::of(content);
    let here = |token: &&Token| own.standing(token) == Some(Standing::Here);
    let tokens = content.tokens().iter().filter(here);
    tokens
        .filter_map(|token| token.registration.as_ref().map(|registration| (token.id, registration)))
        .filter(|(_, registration)| address(&registration.server) == address(&server.address))
        .map(|(id, registration)| (id, registration.token_id.clone()))
        .collect()
}

/// A server that answered: it is known from now on.
pub fn greeted(content: &mut Content, greeting: &Greeting, pin: Option<Fingerprint>, now: u64) -> Server {
    let mut server = content.server(&greeting.server.url).unwrap_or_default();
    server.address.clone_from(&greeting.server.url);
    server.issuer.clone_from(&greeting.server.issuer);
    server.clock_ahead = ahead(&greeting.server.time, now);
    server.pin = pin;
    content.set_server(server.clone());
    server
}

/// A registration waits for its SMS code. `user` is empty where a link began it.
pub fn started(content: &mut Content, at: &str, user: &str, started: Started, now: u64) {
    let Some(mut server) = content.server(at) else { return };
    if !user.is_empty() {
        user.clone_into(&mut server.user);
    }
    server.app_key = Some(started.app_key);
    server.pending = Some(Pending {
        registration: started.reply.registration,
        nonce: started.reply.nonce,
        phone_hint: started.reply.phone_hint,
        digits: started.reply.digits,
        expires_at: now.saturating_add(started.reply.expires_in),
        resend_at: now.saturating_add(started.reply.resend_in),
        seal_key: started.seal_key,
        delivered: None,
    });
    content.set_server(server);
}

/// A token came, and does not work yet.
pub fn arrived(content: &mut Content, at: &str, arrived: Arrived, now: u64) {
    let Some(mut server) = content.server(at) else { return };
    let Some(pending) = &mut server.pending else { return };
    pending.expires_at = now.saturating_add(arrived.expires_in);
    pending.delivered = Some(arrived.delivered);
    content.set_server(server);
}

/// A registration that leads nowhere any more.
pub fn given_up(content: &mut Content, at: &str) {
    let Some(mut server) = content.server(at) else { return };
    server.pending = None;
    content.set_server(server);
}

/// The token works. It takes the place of the one that this app had there for the account, so that groups, note and
/// place stay; `id` is for one that has no such predecessor.
pub fn activated(content: &mut Content, at: &str, id: TokenId, now: u64) -> Option<TokenId> {
    let mut server = content.server(at)?;
    let own = own_app(&server)?;
    let delivered = server.pending.as_ref()?.delivered.clone()?;
    let spec = steps::delivered_spec(&delivered)?;
    let account = fold(&spec.account);
    let before = content.tokens().iter().find(|token| {
        token.registration.as_ref().is_some_and(|registration| address(&registration.server) == address(at))
            && fold(&token.spec.account) == account
    });
    let id = match before.map(|token| token.id) {
        Some(before) => {
            let change = Change { spec: Some(spec), ..Change::default() };
            content.change(before, change, now).ok()?;
            before
        }
        None => content.add(id, spec, now),
    };
    content
        .set_registration(
            id,
            Some(Registration {
                server: server.address.clone(),
                token_id: delivered.token,
                app_id: own,
                registered_at: now,
                moved_at: None,
                taken_back: false,
                exportable: delivered.exportable,
            }),
        )
        .ok()?;
    if server.user.is_empty() {
        server.user.clone_from(&content.token(id)?.spec.account);
    }
    server.pending = None;
    content.set_server(server);
    Some(id)
}

/// Somebody is signed in.
pub fn signed_in(content: &mut Content, at: &str, user: &str, reply: &SessionReply, now: u64) {
    let Some(mut server) = content.server(at) else { return };
    user.clone_into(&mut server.user);
    server.session = Some(ServerSession {
        text: SecretText::new(reply.session.clone()),
        user: user.to_owned(),
        expires_at: now.saturating_add(reply.expires_in),
    });
    content.set_server(server);
}

/// Nobody is signed in any more.
pub fn signed_out(content: &mut Content, at: &str) {
    let Some(mut server) = content.server(at) else { return };
    server.session = None;
    content.set_server(server);
}

/// The token that is taken for signing in from now on, without asking; `None` asks again.
pub fn chose(content: &mut Content, at: &str, token: Option<TokenId>) {
    let Some(mut server) = content.server(at) else { return };
    server.chosen = token;
    content.set_server(server);
}

/// This app's token at a server works no longer: another app has it, or the server took it back.
pub fn moved(content: &mut Content, at: &str, token: &str, since: u64, taken_back: bool) {
    let is_it =
        |registration: &Registration| registration.token_id == token && address(&registration.server) == address(at);
    let found = content.tokens().iter().find(|held| held.registration.as_ref().is_some_and(is_it));
    let Some((id, registration)) = found.and_then(|token| Some((token.id, token.registration.clone()?))) else {
        return;
    };
    // It was just found.
    let _ = content.set_registration(id, Some(Registration { moved_at: Some(since), taken_back, ..registration }));
}

/// Notes what a visit told.
pub fn visited(content: &mut Content, at: &str, visit: &Visit, now: u64) {
    let Some(before) = content.server(at) else { return };
    let server = seen(before, visit, now);
    content.set_server(server);
    for found in visit.tokens.iter().filter(|found| found.state.state != BOUND) {
        let since = found.state.since.as_deref().and_then(instant).unwrap_or(now);
        moved(content, at, &found.token, since, found.state.state == "gone");
    }
}

/// Whether a visit tells anything that the vault does not know.
pub fn is_news(content: &Content, at: &str, visit: &Visit, now: u64) -> bool {
    let Some(before) = content.server(at) else { return false };
    seen(before.clone(), visit, now) != before || visit.tokens.iter().any(|found| found.state.state != BOUND)
}

/// What the server says of a token that works in this app.
const BOUND: &str = "bound";

/// The server as the visit found it.
fn seen(mut server: Server, visit: &Visit, now: u64) -> Server {
    server.issuer.clone_from(&visit.greeting.server.issuer);
    let measured = ahead(&visit.greeting.server.time, now);
    // A second or two is the way there and back.
    if measured.abs_diff(server.clock_ahead) > 2 {
        server.clock_ahead = measured;
    }
    server.session = match (server.session.take(), &visit.session) {
        (Some(session), Some(who)) => {
            Some(ServerSession { expires_at: instant(&who.expires_at).unwrap_or(session.expires_at), ..session })
        }
        _ => None,
    };
    server
}
