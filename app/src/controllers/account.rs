//! Servers: adding them, registering tokens there, signing in.
//!
//! Whatever waits for the network runs on another thread; what comes back is put into the vault here. Leaving a page
//! drops what is still to come, except for a token that begins to work: that is kept whatever is shown.

use std::{cell::Cell, rc::Rc};

use countersign_core::{
    secret::{Password, SecretText},
    token::{Token, TokenId},
    uri::enroll::{self, EnrollError},
    vault::{Content, content::servers::Server},
};
use countersign_wire::v1::login::{ChallengeReply, LoginReply};

use super::{ChangeError, Door, Services};
use crate::{
    account::{
        CLOCK_MATTERS, corrected, keep,
        pick::{self, Choice},
        steps::{self, Greeting, World},
    },
    api::{
        Contact, Credentials, Failure, Fingerprint,
        address::{AddressError, ServerAddress},
    },
};

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountError {
    /// What was typed is no address.
    Address(AddressError),
    /// What was pasted is no whole link.
    Link(EnrollError),
    /// The server, or the way there.
    Server(Failure),
    /// The vault did not take it.
    Vault(ChangeError),
    /// The server is not known, or the registration is not under way.
    Gone,
}

impl From<Failure> for AccountError {
    fn from(failure: Failure) -> Self {
        Self::Server(failure)
    }
}

impl From<ChangeError> for AccountError {
    fn from(error: ChangeError) -> Self {
        Self::Vault(error)
    }
}

/// A server that was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// Its address.
    pub address: String,
    /// The secret of the enrollment link that it was added with.
    pub link: Option<SecretText>,
}

/// What the password opened.
#[derive(Debug)]
pub enum LoggedIn {
    /// A code is asked for.
    Challenge {
        /// What is to be answered.
        challenge: ChallengeReply,
        /// With which token.
        choice: Choice,
    },
    /// The server asks for nothing more: the session is open.
    Done,
}

/// The pages about servers.
pub struct AccountController {
    services: Rc<Services>,
    door: Rc<Door>,
    /// Counts what was begun and what was left, so that what comes back late is known as such.
    round: Cell<u64>,
}

impl AccountController {
    /// Over that vault.
    pub fn new(services: Rc<Services>, door: Rc<Door>) -> Self {
        Self { services, door, round: Cell::new(0) }
    }

    /// The servers that are known.
    pub fn servers(&self) -> Vec<Server> {
        self.door.content().map(|content| content.servers()).unwrap_or_default()
    }

    /// One of them.
    pub fn server(&self, address: &str) -> Option<Server> {
        self.door.content()?.server(address)
    }

    /// How the token of a server stands, and which it is: one that works here before one that does not.
    pub fn token_of(&self, server: &Server) -> Option<(TokenId, keep::Standing)> {
        keep::token_of(&*self.door.content()?, server)
    }

    /// Whether the device's clock is off so far that codes are refused.
    pub fn clock_matters(server: &Server) -> bool {
        server.clock_ahead.unsigned_abs() >= CLOCK_MATTERS
    }

    /// The time that a server's codes are made for.
    pub fn code_time(&self, server: &Server) -> u64 {
        corrected(self.services.clock.now(), self.ahead(server))
    }

    /// Whether a token's code of now is not the one that was used up when it was registered.
    pub fn is_fresh(&self, server: &Server, token: &Token) -> bool {
        keep::used_up_until(token, self.code_time(server), self.ahead(server)).is_none()
    }

    fn ahead(&self, server: &Server) -> i64 {
        if self.services.settings.with(|settings| settings.follow_server_clock) { server.clock_ahead } else { 0 }
    }

    /// Leaves what is waited for.
    pub fn stop(&self) {
        self.round.set(self.round.get() + 1);
    }

    /// Adds the server of an address or an enrollment link. `pin` is the certificate that the user accepted.
    pub fn add(
        self: &Rc<Self>,
        typed: &str,
        pin: Option<Fingerprint>,
        done: impl FnOnce(Result<Added, AccountError>) + 'static,
    ) {
        let (address, link) = match destination(typed) {
            Ok(destination) => destination,
            Err(error) => return done(Err(error)),
        };
        let known = self.server(address.as_str()).and_then(|server| server.pin);
        let contact = Contact { address: address.as_str().to_owned(), pin: pin.or(known) };
        let pin = contact.pin;
        let this = self.clone();
        self.run(
            move |world| world.greet(&contact),
            move |greeted| {
                done(greeted.map_err(AccountError::from).and_then(|greeting| {
                    this.keep(|content, now| keep::greeted(content, &greeting, pin, now))?;
                    Ok(Added { address: greeting.server.url, link })
                }));
            },
        );
    }

    /// Asks for an SMS code.
    pub fn register(
        self: &Rc<Self>,
        address: &str,
        credentials: Credentials,
        done: impl FnOnce(Result<(), AccountError>) + 'static,
    ) {
        let Some(server) = self.server(address) else { return done(Err(AccountError::Gone)) };
        let user = match &credentials {
            Credentials::Password(user, _) => user.trim().to_owned(),
            Credentials::Link(_) => String::new(),
        };
        let random = self.services.random;
        let this = self.clone();
        let at = server.address.clone();
        self.run(
            move |world| {
                let greeting = world.greet(&steps::contact(&server))?;
                let name = gethostname::gethostname().to_string_lossy().into_owned();
                let started = world.start(&server, &credentials, &app_name(&name), &mut *random())?;
                if !steps::sound(&started.reply) {
                    return Err(Failure::Strange);
                }
                Ok((greeting, started))
            },
            move |result| {
                done(result.map_err(AccountError::from).and_then(|(greeting, started)| {
                    this.keep(|content, now| {
                        remeasure(content, &at, &greeting, now);
                        keep::started(content, &at, &user, started, now);
                    })
                }));
            },
        );
    }

    /// Hands over the SMS code. What comes back says whether another app has the token so far, by that app's name.
    pub fn confirm(
        self: &Rc<Self>,
        address: &str,
        code: &str,
        done: impl FnOnce(Result<Option<String>, AccountError>) + 'static,
    ) {
        let Some((server, pending)) = self.pending(address) else { return done(Err(AccountError::Gone)) };
        let code = SecretText::new(code.to_owned());
        let this = self.clone();
        let at = server.address.clone();
        self.run(
            move |world| world.confirm(&server, &pending, code.expose()),
            move |result| {
                this.end_registration_if_over(&at, result.as_ref().err());
                done(result.map_err(AccountError::from).and_then(|arrived| {
                    let replaces = arrived.delivered.replaces.clone();
                    this.keep(|content, now| keep::arrived(content, &at, arrived, now))?;
                    Ok(replaces)
                }));
            },
        );
    }

    /// Makes the delivered token work. It is kept even where nobody waits for it any more.
    pub fn activate(self: &Rc<Self>, address: &str, done: impl FnOnce(Result<TokenId, AccountError>) + 'static) {
        let Some((server, pending)) = self.pending(address) else { return done(Err(AccountError::Gone)) };
        let at = server.address.clone();
        let time = self.code_time(&server);
        let id = self.services.random_id();
        let round = self.begin();
        let this = self.clone();
        self.work(
            move |world| world.activate(&server, &pending, time),
            move |result| {
                let kept = result.map_err(AccountError::from).and_then(|_| {
                    this.keep(|content, now| keep::activated(content, &at, id, now))?.ok_or(AccountError::Gone)
                });
                if let Err(AccountError::Server(failure)) = &kept {
                    this.end_registration_if_over(&at, Some(failure));
                }
                if this.round.get() == round {
                    done(kept);
                }
            },
        );
    }

    /// Gives a registration up. The token that waits for its first code never works.
    pub fn give_up(&self, address: &str) {
        self.stop();
        // Where this is not saved it runs out by itself.
        let _ = self.keep(|content, _| keep::given_up(content, address));
    }

    /// Name and password: what is to be answered, and with which token.
    pub fn log_in(
        self: &Rc<Self>,
        address: &str,
        user: &str,
        password: Password,
        done: impl FnOnce(Result<LoggedIn, AccountError>) + 'static,
    ) {
        let Some(server) = self.server(address) else { return done(Err(AccountError::Gone)) };
        let user = user.trim().to_owned();
        let named = user.clone();
        let this = self.clone();
        let at = server.address.clone();
        self.run(
            move |world| {
                let greeting = world.greet(&steps::contact(&server))?;
                Ok((greeting, world.login(&server, &user, &password)?))
            },
            move |result| {
                done(result.map_err(AccountError::from).and_then(|(greeting, reply)| {
                    if this.server(&at).is_some_and(|server| needs_measure(&server, &greeting, &this.services)) {
                        this.keep(|content, now| remeasure(content, &at, &greeting, now))?;
                    }
                    let challenge = match reply {
                        LoginReply::Challenge(challenge) => challenge,
                        LoginReply::Session(session) => {
                            this.keep(|content, now| keep::signed_in(content, &at, &named, &session, now))?;
                            return Ok(LoggedIn::Done);
                        }
                    };
                    let content = this.door.content().ok_or(ChangeError::Locked)?;
                    let server = content.server(&at).ok_or(AccountError::Gone)?;
                    let choice = pick::pick(&content, &server, &challenge.issuer);
                    Ok(LoggedIn::Challenge { challenge, choice })
                }));
            },
        );
    }

    /// Answers with a token's code. The token must be this app's at that server.
    pub fn answer(
        self: &Rc<Self>,
        address: &str,
        user: &str,
        challenge: ChallengeReply,
        token: TokenId,
        done: impl FnOnce(Result<(), AccountError>) + 'static,
    ) {
        let Some(server) = self.server(address) else { return done(Err(AccountError::Gone)) };
        let time = self.code_time(&server);
        let answer = self.door.content().and_then(|content| {
            let held = content.token(token)?;
            let registration = held.registration.as_ref()?;
            let code = held.spec.code_at(time).ok()?;
            Some((registration.token_id.clone(), SecretText::new(code.text().to_owned())))
        });
        let Some((there, code)) = answer else { return done(Err(AccountError::Gone)) };
        let (at, user) = (server.address.clone(), user.trim().to_owned());
        let this = self.clone();
        let asked = there.clone();
        self.run(
            move |world| world.answer(&server, &challenge, &asked, code.expose()),
            move |result| {
                if let Err(failure) = &result
                    && failure.code() == Some("token_bound_elsewhere")
                {
                    let _ = this.keep(|content, now| keep::moved(content, &at, &there, now, false));
                }
                done(
                    result.map_err(AccountError::from).and_then(|session| {
                        this.keep(|content, now| keep::signed_in(content, &at, &user, &session, now))
                    }),
                );
            },
        );
    }

    /// Remembers the token that signs in at a server from now on.
    pub fn choose(&self, address: &str, token: TokenId) -> Result<(), AccountError> {
        self.keep(|content, _| keep::chose(content, address, Some(token)))
    }

    /// Ends the session. It is forgotten here even where the server cannot be reached: it ends there by itself.
    pub fn sign_out(self: &Rc<Self>, address: &str, done: impl FnOnce(Result<(), AccountError>) + 'static) {
        let Some(server) = self.server(address) else { return done(Err(AccountError::Gone)) };
        let Some(session) = server.session.clone() else { return done(Ok(())) };
        let this = self.clone();
        let at = server.address.clone();
        self.run(
            move |world| world.sign_out(&server, &session.text),
            move |result| {
                let kept = this.keep(|content, _| keep::signed_out(content, &at));
                done(kept.and(result.map_err(AccountError::from)));
            },
        );
    }

    /// Looks what became of the session and of this app's tokens.
    pub fn visit(
        self: &Rc<Self>,
        address: &str,
        done: impl FnOnce(Result<Option<Fingerprint>, AccountError>) + 'static,
    ) {
        let Some(server) = self.server(address) else { return done(Err(AccountError::Gone)) };
        let tokens: Vec<String> = self
            .door
            .content()
            .map(|content| keep::own_tokens(&content, &server).into_iter().map(|(_, there)| there).collect())
            .unwrap_or_default();
        let this = self.clone();
        let at = server.address.clone();
        self.run(
            move |world| world.visit(&server, &tokens),
            move |result| {
                done(result.map_err(AccountError::from).and_then(|visit| {
                    let now = this.services.clock.now();
                    if this.door.content().is_some_and(|content| keep::is_news(&content, &at, &visit, now)) {
                        this.keep(|content, now| keep::visited(content, &at, &visit, now))?;
                    }
                    Ok(visit.greeting.fingerprint)
                }));
            },
        );
    }

    /// Forgets a server and this app's key there. Its tokens stay.
    pub fn forget(self: &Rc<Self>, address: &str) -> Result<(), AccountError> {
        let server = self.server(address).ok_or(AccountError::Gone)?;
        self.keep(|content, _| content.remove_server(address))?;
        self.work(
            move |world| {
                world.forget_key(&server);
                Ok(())
            },
            |_| {},
        );
        Ok(())
    }

    fn pending(&self, address: &str) -> Option<(Server, countersign_core::vault::content::servers::Pending)> {
        let server = self.server(address)?;
        let pending = server.pending.clone()?;
        Some((server, pending))
    }

    /// A registration that the server has ended is not offered to go on.
    fn end_registration_if_over(&self, at: &str, failure: Option<&Failure>) {
        if failure.is_some_and(Failure::ends_registration) {
            let _ = self.keep(|content, _| keep::given_up(content, at));
        }
    }

    fn keep<T>(&self, change: impl FnOnce(&mut Content, u64) -> T) -> Result<T, AccountError> {
        let now = self.services.clock.now();
        let change = |content: &mut Content| Ok::<_, std::convert::Infallible>(change(content, now));
        Ok(self.door.edit(&self.services, change)?)
    }

    fn begin(&self) -> u64 {
        self.stop();
        self.round.get()
    }

    /// Works elsewhere; what comes back after [`AccountController::stop`] is dropped.
    fn run<T: Send + 'static>(
        self: &Rc<Self>,
        work: impl FnOnce(World<'_>) -> Result<T, Failure> + Send + 'static,
        done: impl FnOnce(Result<T, Failure>) + 'static,
    ) {
        let round = self.begin();
        let this = self.clone();
        self.work(work, move |result| {
            if this.round.get() == round {
                done(result);
            }
        });
    }

    fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(World<'_>) -> Result<T, Failure> + Send + 'static,
        done: impl FnOnce(Result<T, Failure>) + 'static,
    ) {
        let vault = self.door.with(|session| session.vault_id().to_string()).unwrap_or_default();
        let (transport, keyring) = (self.services.platform.network.clone(), self.services.platform.keyring.clone());
        self.services
            .tasks
            .run(move || work(World { transport: &*transport, keyring: &*keyring, vault: &vault }), done);
    }
}

/// Where a text leads: a server, and the secret of the link that it was.
pub fn destination(typed: &str) -> Result<(ServerAddress, Option<SecretText>), AccountError> {
    match enroll::parse(typed) {
        Ok(link) => {
            let address = ServerAddress::parse(&link.server).map_err(AccountError::Address)?;
            Ok((address, Some(link.code)))
        }
        Err(EnrollError::Other) => Ok((ServerAddress::parse(typed).map_err(AccountError::Address)?, None)),
        Err(error) => Err(AccountError::Link(error)),
    }
}

/// What a person knows this app by: the device's name, within what a server takes.
pub fn app_name(device: &str) -> String {
    let name: String = device.chars().filter(|c| !c.is_control()).take(64).collect();
    if name.trim().is_empty() { "Countersign".to_owned() } else { name }
}

fn needs_measure(server: &Server, greeting: &Greeting, services: &Services) -> bool {
    let measured = crate::account::ahead(&greeting.server.time, services.clock.now());
    measured.abs_diff(server.clock_ahead) > 2 || server.issuer != greeting.server.issuer
}

fn remeasure(content: &mut Content, at: &str, greeting: &Greeting, now: u64) {
    let pin = content.server(at).and_then(|server| server.pin);
    keep::greeted(content, greeting, pin, now);
}
