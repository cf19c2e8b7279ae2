//! Registering a token from the app, and moving it to another.

use std::sync::Arc;

use countersign_core::{
    secret::{Password, SecretBytes},
    token::TokenSpec,
};
use countersign_server::{
    domain::{
        app_key::AppKey,
        login::{Entered, LoginError},
        policy::Settings,
        registration::{Confirmed, Desk, RegistrationError, Started},
        users::Name,
    },
    password::Checker,
    service::{Now, Random},
    store::{
        Store,
        admin::{NewUser, UserChange},
        former::State,
        login::Challenge,
        verify::{self, Statements},
    },
};
use countersign_wire::v1::{
    login::LOGIN,
    registration::{ACTIVATE, CONFIRM, SECRET_INFO, transcript},
};
use data_encoding::BASE64URL_NOPAD;
use hpke::{
    Deserializable as _, Kem, OpModeR, Serializable as _, aead::AesGcm256, kdf::HkdfSha256, kem::DhP256HkdfSha256,
};
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};

use sha2::{Digest as _, Sha256};

use crate::kit::{Database, accepted, at, attempt, cheap_hash, on_both};

pub(crate) const SERVER: &str = "https://pam.example.org";
pub(crate) const PASSWORD: &str = "seven calm otters";
pub(crate) const NOW: u64 = 1_000_000_000;

/// An app, as another client could be written from docs/api.md.
pub(crate) struct Phone {
    key: SigningKey,
    name: &'static str,
    random: Random,
}

/// A registration that has come to its last step.
pub(crate) struct Waiting {
    pub(crate) registration: String,
    pub(crate) nonce: String,
    pub(crate) token: String,
    replaces: Option<String>,
    pub(crate) spec: TokenSpec,
}

impl Phone {
    pub(crate) fn new(name: &'static str, seed: u8) -> Self {
        Self { key: SigningKey::from_bytes(&[seed; 32].into()).unwrap(), name, random: Random::system() }
    }

    pub(crate) fn public(&self) -> AppKey {
        AppKey::from_bytes(self.key.verifying_key().to_sec1_point(false).as_bytes().to_vec()).unwrap()
    }

    pub(crate) fn sign(&self, purpose: &str, fields: &[&str]) -> String {
        let signature: Signature = self.key.sign(transcript(purpose, fields).as_bytes());
        BASE64URL_NOPAD.encode(signature.to_der().as_bytes())
    }

    pub(crate) async fn start(
        &self,
        desk: &Desk,
        user: &str,
        password: &str,
        now: Now,
    ) -> Result<Started, RegistrationError> {
        let app = (self.public(), self.name.to_owned(), "test".to_owned());
        let folded = Name::new(user).unwrap().folded().to_owned();
        desk.start(&Settings::default(), &folded, Password::new(password), app, now).await
    }

    pub(crate) async fn start_by_link(&self, desk: &Desk, link: &str, now: Now) -> Result<Started, RegistrationError> {
        let app = (self.public(), self.name.to_owned(), "test".to_owned());
        desk.start_by_link(&Settings::default(), link, app, now).await
    }

    pub(crate) async fn confirm(
        &self,
        desk: &Desk,
        started: &Started,
        code: &str,
        now: Now,
    ) -> Result<Waiting, RegistrationError> {
        let (private, public) = self.random.with(|mut rng| DhP256HkdfSha256::gen_keypair_with_rng(&mut rng));
        let text = BASE64URL_NOPAD.encode(&public.to_bytes());
        let seal_key = AppKey::read(&text).unwrap();
        let id = &started.registration;
        let signature = self.sign(CONFIRM, &[SERVER, id, &started.nonce, code, &text]);
        let confirmed = desk.confirm(SERVER, id, code, (&text, &seal_key), &signature, now).await?;
        let enc = BASE64URL_NOPAD.decode(confirmed.sealed.enc.as_bytes()).unwrap();
        let secret = hpke::single_shot_open::<AesGcm256, HkdfSha256, DhP256HkdfSha256>(
            &OpModeR::Base,
            &private,
            &<DhP256HkdfSha256 as Kem>::EncappedKey::from_bytes(&enc).unwrap(),
            SECRET_INFO.as_bytes(),
            &BASE64URL_NOPAD.decode(confirmed.sealed.ciphertext.as_bytes()).unwrap(),
            id.as_bytes(),
        )
        .unwrap();
        let Confirmed { token, columns, replaces, .. } = confirmed;
        Ok(Waiting {
            registration: id.clone(),
            nonce: started.nonce.clone(),
            token,
            replaces,
            spec: verify::token(&columns, -1, &SecretBytes::new(secret)).unwrap(),
        })
    }

    pub(crate) async fn activate(
        &self,
        desk: &Desk,
        waiting: &Waiting,
        now: Now,
    ) -> Result<(String, String), RegistrationError> {
        let code = waiting.spec.code_at(now.millis / 1000).unwrap();
        let Waiting { registration, nonce, token, .. } = waiting;
        let signature = self.sign(ACTIVATE, &[SERVER, registration, nonce, token, code.text()]);
        desk.activate(SERVER, registration, code.text(), &signature, now).await
    }

    /// Signs in with a code, at the challenge of the password.
    async fn sign_in(&self, desk: &Desk, waiting: &Waiting, now: u64) -> Result<String, LoginError> {
        let entered = desk.login(&Settings::default(), "ada", Password::new(PASSWORD), at(now)).await.unwrap();
        let Entered::Challenge(challenge, issuer) = entered else { panic!("no second factor was asked for") };
        assert_eq!(issuer, waiting.spec.issuer);
        let code = waiting.spec.code_at(now).unwrap();
        let signature = self.sign(LOGIN, &[SERVER, &challenge.id, &challenge.nonce, &waiting.token, code.text()]);
        let sent = (waiting.token.as_str(), code.text());
        let session = desk.login_totp(SERVER, &challenge.id, sent, (&self.public(), &signature), at(now)).await?;
        Ok(session.text.to_string())
    }

    /// From the password to the confirmed token.
    async fn confirmed(&self, desk: &Desk, now: u64) -> Waiting {
        let started = self.start(desk, "ada", PASSWORD, at(now)).await.unwrap();
        let code = sms_code(desk).await;
        self.confirm(desk, &started, &code, at(now)).await.unwrap()
    }
}

/// The code in the newest SMS.
pub(crate) async fn sms_code(desk: &Desk) -> String {
    let messages = desk.store.messages(&desk.keys, 100).await.unwrap();
    let newest = messages.iter().find(|message| message.body.contains("is your code")).unwrap();
    newest.body.split(' ').next().unwrap().to_owned()
}

pub(crate) async fn desk(database: &Database) -> Desk {
    Desk {
        store: database.open().await,
        keys: database.keys.clone(),
        random: database.random.clone(),
        passwords: Checker::new(2, &database.random).unwrap(),
        outbox: Arc::default(),
    }
}

pub(crate) async fn add_ada(database: &Database, store: &Store) -> Name {
    let name = Name::new("Ada").unwrap();
    let new = NewUser {
        id: database.random.id(at(0)),
        name: name.clone(),
        phone: Some("+491701234567".to_owned()),
        email: None,
        group: None,
        password_hash: Some(cheap_hash(PASSWORD)),
    };
    store.add_user(&database.keys, &new, at(0)).await.unwrap();
    name
}

on_both! {
    async fn a_token_moves_to_a_second_app(database: &Database) {
        let desk = desk(database).await;
        let ada = add_ada(database, &desk.store).await;
        let verifier = database.verifier(Statements::REAL).await;
        let right = async |waiting: &Waiting, now: u64| {
            let code = waiting.spec.code_at(now).unwrap();
            accepted(&verifier.verify(attempt("ada", code.text(), at(now))).await.unwrap())
        };
        let (first, second) = (Phone::new("first", 1), Phone::new("second", 2));

        let old = first.confirmed(&desk, NOW).await;
        // Not before its first code.
        assert!(!right(&old, NOW).await);
        assert_eq!(first.activate(&desk, &old, at(NOW)).await.unwrap(), (old.token.clone(), first.public().id()));
        // The first code is used up; the next is not.
        assert!(!right(&old, NOW).await);
        assert!(right(&old, NOW + 30).await);

        // The second app comes. Whatever step it stops at, the first one's token works.
        let later = NOW + 3600;
        let started = second.start(&desk, "ADA", PASSWORD, at(later)).await.unwrap();
        assert_eq!(started.phone_hint, "67");
        assert!(right(&old, later).await);
        let code = sms_code(&desk).await;
        let new = second.confirm(&desk, &started, &code, at(later)).await.unwrap();
        assert!(!right(&new, later + 30).await);
        assert!(right(&old, later + 30).await);
        second.activate(&desk, &new, at(later + 60)).await.unwrap();
        assert!(!right(&old, later + 90).await);
        assert!(right(&new, later + 90).await);

        // An app that lost the answer asks again; the one that lost the token is told.
        second.activate(&desk, &new, at(later + 60)).await.unwrap();
        let lost = first.activate(&desk, &old, at(later + 120)).await;
        assert!(matches!(lost, Err(RegistrationError::BoundElsewhere)), "{lost:?}");
        let bound = desk.store.bindings().await.unwrap();
        assert_eq!(bound.len(), 1);
        assert_eq!((bound[0].app_name.as_str(), &bound[0].credential_id), ("second", &new.token));
        assert_eq!(desk.store.tokens(&ada).await.unwrap().len(), 1);
        // The user was told of both.
        let told = desk.store.messages(&desk.keys, 100).await.unwrap();
        assert_eq!(told.iter().filter(|message| message.body.contains("now works in the app")).count(), 2);

        desk.store.revoke_app(&desk.keys, &desk.random, &ada, at(later)).await.unwrap();
        assert!(!right(&new, later + 150).await);
        assert!(desk.store.audit_verify(&desk.keys).await.unwrap().is_ok());
    }

    async fn an_apps_name_tells_no_story(database: &Database) {
        let desk = desk(database).await;
        add_ada(database, &desk.store).await;
        let (first, second) = (Phone::new("\u{202e}enohp", 1), Phone::new("\u{200b}", 2));
        let waiting = first.confirmed(&desk, NOW).await;
        first.activate(&desk, &waiting, at(NOW)).await.unwrap();
        let told = async || {
            let messages = desk.store.messages(&desk.keys, 10).await.unwrap();
            messages.into_iter().map(|message| message.body).find(|text| text.contains("now works")).unwrap()
        };
        assert!(told().await.contains("the app \u{201c}\u{fffd}enohp\u{201d}"), "{}", told().await);
        let waiting = second.confirmed(&desk, NOW + 60).await;
        assert_eq!(waiting.replaces.as_deref(), Some("\u{fffd}enohp"));
        second.activate(&desk, &waiting, at(NOW + 60)).await.unwrap();
        // Where there is no name, what it runs on.
        assert!(told().await.contains("the app \u{201c}test\u{201d}"), "{}", told().await);
    }

    async fn only_the_app_that_has_the_token_signs_in(database: &Database) {
        let desk = desk(database).await;
        add_ada(database, &desk.store).await;
        let (first, second) = (Phone::new("first", 1), Phone::new("second", 2));
        let old = first.confirmed(&desk, NOW).await;
        first.activate(&desk, &old, at(NOW)).await.unwrap();
        // A code that confirmed the registration is used up here, too.
        assert!(matches!(first.sign_in(&desk, &old, NOW).await, Err(LoginError::Code)));
        let session = first.sign_in(&desk, &old, NOW + 30).await.unwrap();
        let hash = |session: &str| Sha256::digest(session.as_bytes()).into();
        let open = async |session: &str, now: u64| desk.store.session(&hash(session), now as i64).await.unwrap();
        assert_eq!(open(&session, NOW + 40).await.unwrap().0, "Ada");
        assert!(open(&session, NOW + 40 + 8 * 3600).await.is_none());
        assert!(open("css_nonsense", NOW + 40).await.is_none());
        // The same token's code from another app.
        let elsewhere = second.sign_in(&desk, &old, NOW + 60).await;
        assert!(matches!(elsewhere, Err(LoginError::BoundElsewhere)), "{elsewhere:?}");

        // The token moves: the first app's code and signature are refused, and its session is over.
        let new = second.confirmed(&desk, NOW + 600).await;
        second.activate(&desk, &new, at(NOW + 600)).await.unwrap();
        assert!(matches!(first.sign_in(&desk, &old, NOW + 630).await, Err(LoginError::BoundElsewhere)));
        // Whoever never had it hears nothing of it.
        assert!(matches!(Phone::new("third", 3).sign_in(&desk, &old, NOW + 645).await, Err(LoginError::Code)));
        assert!(matches!(first.sign_in(&desk, &new, NOW + 660).await, Err(LoginError::BoundElsewhere)));
        assert!(open(&session, NOW + 660).await.is_none());
        let session = second.sign_in(&desk, &new, NOW + 690).await.unwrap();
        desk.store.end_session(&hash(&session)).await.unwrap();
        assert!(open(&session, NOW + 690).await.is_none());

        for (user, password) in [("ada", "wrong"), ("nobody", PASSWORD)] {
            let refused = desk.login(&Settings::default(), user, Password::new(password), at(NOW + 900)).await;
            assert!(matches!(refused, Err(LoginError::Credentials)), "{user}");
        }
        // A challenge is good for one sign-in and two minutes, and a signature for its server.
        let entered = desk.login(&Settings::default(), "ada", Password::new(PASSWORD), at(NOW + 900)).await.unwrap();
        let Entered::Challenge(challenge, _) = entered else { panic!("no second factor was asked for") };
        let answer = async |server: &str, now: u64| {
            let code = new.spec.code_at(now).unwrap();
            let signature = second.sign(LOGIN, &[server, &challenge.id, &challenge.nonce, &new.token, code.text()]);
            let sent = (new.token.as_str(), code.text());
            desk.login_totp(SERVER, &challenge.id, sent, (&second.public(), &signature), at(now)).await
        };
        assert!(matches!(answer("https://evil.example", NOW + 900).await, Err(LoginError::Signature)));
        assert!(answer(SERVER, NOW + 930).await.is_ok());
        assert!(matches!(answer(SERVER, NOW + 960).await, Err(LoginError::Code)));
        assert!(matches!(answer(SERVER, NOW + 1020).await, Err(LoginError::Code)));
    }

    async fn signing_in_confirms_a_token_again(database: &Database) {
        let desk = desk(database).await;
        let ada = add_ada(database, &desk.store).await;
        let phone = Phone::new("first", 1);
        let waiting = phone.confirmed(&desk, NOW).await;
        phone.activate(&desk, &waiting, at(NOW)).await.unwrap();
        desk.store.unconfirm_user(&desk.keys, &desk.random, &ada, at(NOW)).await.unwrap();
        let verifier = database.verifier(Statements::REAL).await;
        let right = async |now: u64| {
            let code = waiting.spec.code_at(now).unwrap();
            accepted(&verifier.verify(attempt("ada", code.text(), at(now))).await.unwrap())
        };
        assert!(!right(NOW + 30).await);
        phone.sign_in(&desk, &waiting, NOW + 60).await.unwrap();
        assert!(right(NOW + 90).await);
    }

    async fn an_sms_code_has_five_tries_and_a_new_one_resets_nothing(database: &Database) {
        let desk = desk(database).await;
        let ada = add_ada(database, &desk.store).await;
        desk.store.set_setting(&desk.keys, "quick_failures", Some("100"), at(0)).await.unwrap();
        let phone = Phone::new("first", 1);
        let started = phone.start(&desk, "ada", PASSWORD, at(NOW)).await.unwrap();
        let code = sms_code(&desk).await;
        for _ in 0..5 {
            let refused = phone.confirm(&desk, &started, "nonsense", at(NOW)).await;
            assert!(matches!(refused, Err(RegistrationError::Sms)));
        }
        assert!(matches!(phone.confirm(&desk, &started, &code, at(NOW)).await, Err(RegistrationError::Sms)));

        let soon = phone.start(&desk, "ada", PASSWORD, at(NOW + 59)).await;
        assert!(matches!(soon, Err(RegistrationError::TooSoon { retry_after: 1 })), "{soon:?}");
        let again = phone.start(&desk, "ada", PASSWORD, at(NOW + 60)).await.unwrap();
        for _ in 0..4 {
            assert!(phone.confirm(&desk, &again, "nonsense", at(NOW + 60)).await.is_err());
        }
        // Ten in all: locked, although the new code had a try left.
        assert!(desk.store.user(&ada).await.unwrap().locked_at.is_some());
        let code = sms_code(&desk).await;
        assert!(matches!(phone.confirm(&desk, &again, &code, at(NOW + 60)).await, Err(RegistrationError::Sms)));
        desk.store.unlock_user(&desk.keys, &ada, at(NOW + 60)).await.unwrap();
        // And not for ever.
        assert!(matches!(phone.confirm(&desk, &again, &code, at(NOW + 660)).await, Err(RegistrationError::Sms)));
        assert!(phone.confirm(&desk, &again, &code, at(NOW + 659)).await.is_ok());
        // Five an hour.
        for minute in 2..5 {
            phone.start(&desk, "ada", PASSWORD, at(NOW + minute * 60)).await.unwrap();
        }
        let sixth = phone.start(&desk, "ada", PASSWORD, at(NOW + 300)).await;
        assert!(matches!(sixth, Err(RegistrationError::TooSoon { .. })));
    }

    async fn what_is_wrong_with_a_password_is_not_told(database: &Database) {
        let desk = desk(database).await;
        let ada = add_ada(database, &desk.store).await;
        let phone = Phone::new("first", 1);
        for (user, password) in [("ada", "wrong"), ("nobody", PASSWORD), ("ada", "")] {
            let refused = phone.start(&desk, user, password, at(NOW)).await;
            assert!(matches!(refused, Err(RegistrationError::Credentials)), "{user}: {refused:?}");
        }
        let no_phone = UserChange { phone: Some(None), ..UserChange::default() };
        desk.store.change_user(&desk.keys, &desk.random, &ada, &no_phone, at(0)).await.unwrap();
        let refused = phone.start(&desk, "ada", PASSWORD, at(NOW)).await;
        assert!(matches!(refused, Err(RegistrationError::Credentials)), "{refused:?}");
        // Five wrong in a row close the door for the right one, too, for a while.
        let phone_back = UserChange { phone: Some(Some("+491701234567".to_owned())), ..UserChange::default() };
        desk.store.change_user(&desk.keys, &desk.random, &ada, &phone_back, at(0)).await.unwrap();
        for _ in 0..2 {
            assert!(phone.start(&desk, "ada", "wrong", at(NOW)).await.is_err());
        }
        assert!(phone.start(&desk, "ada", PASSWORD, at(NOW)).await.is_err());
        assert!(phone.start(&desk, "ada", PASSWORD, at(NOW + 30)).await.is_ok());
        let messages = desk.store.messages(&desk.keys, 10).await.unwrap();
        assert_eq!(messages.iter().filter(|message| message.body.contains("is your code")).count(), 1);
    }

    async fn a_signature_of_another_key_or_another_server_opens_nothing(database: &Database) {
        let desk = desk(database).await;
        add_ada(database, &desk.store).await;
        let (phone, thief) = (Phone::new("first", 1), Phone::new("thief", 2));
        let started = phone.start(&desk, "ada", PASSWORD, at(NOW)).await.unwrap();
        let code = sms_code(&desk).await;
        assert!(matches!(thief.confirm(&desk, &started, &code, at(NOW)).await, Err(RegistrationError::Signature)));
        let text = BASE64URL_NOPAD.encode(phone.public().bytes());
        let signature = phone.sign(CONFIRM, &["https://evil.example", &started.registration, &started.nonce, &code, &text]);
        let relayed = desk
            .confirm(SERVER, &started.registration, &code, (&text, &phone.public()), &signature, at(NOW))
            .await;
        assert!(matches!(relayed, Err(RegistrationError::Signature)));
        let waiting = phone.confirm(&desk, &started, &code, at(NOW)).await.unwrap();
        assert!(matches!(thief.activate(&desk, &waiting, at(NOW)).await, Err(RegistrationError::Signature)));
        let nobody = desk.activate(SERVER, "none", "1", "x", at(NOW)).await;
        assert!(matches!(nobody, Err(RegistrationError::Ended)));
        // Too late for the first code.
        assert!(matches!(phone.activate(&desk, &waiting, at(NOW + 600)).await, Err(RegistrationError::Ended)));
    }

    async fn an_app_that_lost_the_answer_gets_the_same_token_again(database: &Database) {
        let desk = desk(database).await;
        add_ada(database, &desk.store).await;
        let phone = Phone::new("phone", 7);
        let started = phone.start(&desk, "ada", PASSWORD, at(NOW)).await.unwrap();
        let (id, nonce) = (started.registration.as_str(), started.nonce.as_str());
        let seal = Phone::new("seal", 9).public();
        let text = BASE64URL_NOPAD.encode(seal.bytes());
        let confirm = async |code: &str, now: u64| {
            let signature = phone.sign(CONFIRM, &[SERVER, id, nonce, code, &text]);
            desk.confirm(SERVER, id, code, (&text, &seal), &signature, at(now)).await
        };
        let code = sms_code(&desk).await;
        let first = confirm(&code, NOW).await.unwrap();
        let again = confirm(&code, NOW + 5).await.unwrap();
        assert_eq!((&first.token, &first.columns), (&again.token, &again.columns));
        // To another key it does not go, and whoever guesses has no more tries for it.
        assert!(matches!(phone.confirm(&desk, &started, &code, at(NOW + 6)).await, Err(RegistrationError::Sms)));
        for wrong in ["000000", "999999", "888888"] {
            assert!(matches!(confirm(wrong, NOW + 7).await, Err(RegistrationError::Sms)));
        }
        // However often the answer gets lost, asking for it again is no guess.
        for lost in 0..10 {
            assert_eq!(confirm(&code, NOW + 8 + lost).await.unwrap().token, first.token);
        }
        assert!(matches!(phone.confirm(&desk, &started, &code, at(NOW + 20)).await, Err(RegistrationError::Sms)));
    }

    async fn an_app_hears_what_became_of_its_token_and_of_no_other(database: &Database) {
        let desk = desk(database).await;
        let ada = add_ada(database, &desk.store).await;
        let (old, new) = (Phone::new("old", 7), Phone::new("new", 8));
        let state =
            async |token: &str, phone: &Phone| desk.store.token_state(token, &phone.public().id()).await.unwrap();
        let first = old.confirmed(&desk, NOW).await;
        assert_eq!(state(&first.token, &old).await, State::Unknown);
        old.activate(&desk, &first, at(NOW)).await.unwrap();
        assert_eq!(state(&first.token, &old).await, State::Bound);
        assert_eq!(state(&first.token, &new).await, State::Unknown);
        let second = new.confirmed(&desk, NOW + 120).await;
        new.activate(&desk, &second, at(NOW + 120)).await.unwrap();
        let seconds = |after: u64| i64::try_from(NOW + after).unwrap();
        assert_eq!(state(&first.token, &old).await, State::Moved(seconds(120)));
        assert_eq!(state(&first.token, &new).await, State::Unknown);
        desk.store.revoke_app(&desk.keys, &desk.random, &ada, at(NOW + 200)).await.unwrap();
        assert_eq!(state(&second.token, &new).await, State::Ended(seconds(200)));
    }

    async fn a_clock_that_steps_keeps_an_sms_code_and_what_it_may_cost(database: &Database) {
        let desk = desk(database).await;
        let ada = add_ada(database, &desk.store).await;
        let phone = Phone::new("first", 1);
        let started = phone.start(&desk, "ada", PASSWORD, at(NOW)).await.unwrap();
        let code = sms_code(&desk).await;
        // An hour back it is a code of the future, an hour forward one of the past; and when the clock is right, a code.
        for wrong in [NOW - 3600, NOW + 3600] {
            let refused = phone.confirm(&desk, &started, &code, at(wrong)).await;
            assert!(matches!(refused, Err(RegistrationError::Sms)), "{wrong}");
        }
        let waiting = phone.confirm(&desk, &started, &code, at(NOW + 10)).await.unwrap();
        // So it is with the token that waits for its first code; too old for one clock, it is of the future for another.
        for wrong in [NOW + 610, NOW + 610 - 3600, NOW + 3600, NOW - 3600] {
            let refused = phone.activate(&desk, &waiting, at(wrong)).await;
            assert!(matches!(refused, Err(RegistrationError::Ended)), "{wrong}");
        }
        phone.activate(&desk, &waiting, at(NOW + 20)).await.unwrap();
        // Used up, whatever the clock says.
        for later in [NOW - 3600, NOW + 30, NOW + 3600] {
            assert!(phone.confirm(&desk, &started, &code, at(later)).await.is_err(), "{later}");
        }
        // Five an hour, also for whoever sets the clock back.
        desk.store.unlock_user(&desk.keys, &ada, at(NOW)).await.unwrap();
        for minute in 1..5 {
            phone.start(&desk, "ada", PASSWORD, at(NOW + minute * 60)).await.unwrap();
        }
        let sixth = phone.start(&desk, "ada", PASSWORD, at(NOW - 3600)).await;
        assert!(matches!(sixth, Err(RegistrationError::TooSoon { .. })), "{sixth:?}");
    }

    /// Messages of an hour that has not come yet are of this one: who had them waits no longer than anybody.
    async fn a_clock_that_is_set_back_keeps_nobody_from_the_next_sms(database: &Database) {
        let desk = desk(database).await;
        add_ada(database, &desk.store).await;
        let phone = Phone::new("first", 1);
        let start = async |now: u64| phone.start(&desk, "ada", PASSWORD, at(now)).await;
        let wait = async |now: u64| match start(now).await {
            Err(RegistrationError::TooSoon { retry_after }) => retry_after,
            other => panic!("{other:?}"),
        };
        start(NOW + 3600).await.unwrap();
        assert_eq!(wait(NOW).await, 60);
        assert_eq!(wait(NOW + 59).await, 1);
        start(NOW + 60).await.unwrap();
        // An hour forward: the minute is over, and the hour's budget, too. The day's is not.
        start(NOW + 3720).await.unwrap();
        for minute in 63..67 {
            start(NOW + minute * 60).await.unwrap();
        }
        assert_eq!(wait(NOW + 67 * 60).await, 3600);
        // And back: an hour from now on, not two.
        assert_eq!(wait(NOW + 420).await, 3600);
        assert_eq!(wait(NOW + 420 + 3599).await, 3600);
        start(NOW + 420 + 3600).await.unwrap();
        // However far ahead the clock was: nobody waits for the year to come.
        start(NOW + 400 * 86_400).await.unwrap();
        assert_eq!(wait(NOW + 8000).await, 60);
        start(NOW + 8060).await.unwrap();
    }

    async fn a_clock_that_steps_opens_no_challenge_again(database: &Database) {
        let desk = desk(database).await;
        add_ada(database, &desk.store).await;
        let phone = Phone::new("first", 1);
        let waiting = phone.confirmed(&desk, NOW).await;
        phone.activate(&desk, &waiting, at(NOW)).await.unwrap();
        desk.store.set_setting(&desk.keys, "quick_failures", Some("100"), at(0)).await.unwrap();
        let challenge = async |now: u64| {
            let entered = desk.login(&Settings::default(), "ada", Password::new(PASSWORD), at(now)).await.unwrap();
            let Entered::Challenge(challenge, _) = entered else { panic!("no second factor was asked for") };
            challenge
        };
        let answer = async |challenge: &Challenge, now: u64| {
            let code = waiting.spec.code_at(now).unwrap();
            let signature = phone.sign(LOGIN, &[SERVER, &challenge.id, &challenge.nonce, &waiting.token, code.text()]);
            let sent = (waiting.token.as_str(), code.text());
            desk.login_totp(SERVER, &challenge.id, sent, (&phone.public(), &signature), at(now)).await.map(drop)
        };
        let one = challenge(NOW + 60).await;
        // Too old at 120 s, and not younger when the clock goes back; nor one of an hour to come.
        for wrong in [NOW + 180, NOW + 180 - 3600, NOW + 3660, NOW - 3600] {
            assert!(matches!(answer(&one, wrong).await, Err(LoginError::Code)), "{wrong}");
        }
        answer(&one, NOW + 90).await.unwrap();
        for wrong in [NOW + 120, NOW - 3480] {
            assert!(matches!(answer(&one, wrong).await, Err(LoginError::Code)), "{wrong}");
        }
        // Whoever signs in under the other clock gets in, forward at once; back, once the steps are later than those used.
        answer(&challenge(NOW + 3600).await, NOW + 3600).await.unwrap();
        let back = challenge(NOW + 150).await;
        assert!(matches!(answer(&back, NOW + 150).await, Err(LoginError::Code)));
        answer(&challenge(NOW + 3630).await, NOW + 3630).await.unwrap();
    }

    async fn a_password_that_waits_is_seen_and_opened(database: &Database) {
        let desk = desk(database).await;
        let ada = add_ada(database, &desk.store).await;
        let id = desk.store.user(&ada).await.unwrap().id;
        let phone = Phone::new("first", 1);
        let login = async |user: &str, password: &str| {
            desk.login(&Settings::default(), user, Password::new(password), at(NOW)).await.is_ok()
        };
        for _ in 0..5 {
            assert!(!login("ada", "wrong").await);
        }
        // Also the right one, here as there, and a name that nobody has.
        assert!(!login("ada", PASSWORD).await);
        assert!(phone.start(&desk, "ada", PASSWORD, at(NOW)).await.is_err());
        assert!(!login("bob", PASSWORD).await);
        assert!(phone.start(&desk, "bob", PASSWORD, at(NOW)).await.is_err());
        let said: Vec<(Option<String>, String)> = desk
            .store
            .audit_newest(None, 5)
            .await
            .unwrap()
            .into_iter()
            .map(|entry| {
                let detail: serde_json::Value = serde_json::from_str(&entry.detail).unwrap();
                (entry.user_id, detail["reason"].as_str().unwrap().to_owned())
            })
            .collect();
        let waiting = (Some(id.clone()), "waiting".to_owned());
        let unknown = (None, "unknown".to_owned());
        let password = (Some(id), "password".to_owned());
        assert_eq!(said, [password, waiting.clone(), waiting, unknown.clone(), unknown]);
        let seen = desk.store.user(&ada).await.unwrap();
        assert_eq!((seen.password_failures, seen.password_blocked_until), (5, at(NOW + 30).seconds()));
        desk.store.unlock_user(&desk.keys, &ada, at(NOW)).await.unwrap();
        let seen = desk.store.user(&ada).await.unwrap();
        assert_eq!((seen.password_failures, seen.password_blocked_until), (0, 0));
        assert!(login("ada", PASSWORD).await);
    }

    async fn a_clock_that_steps_ends_no_lock_and_no_session(database: &Database) {
        let desk = desk(database).await;
        let ada = add_ada(database, &desk.store).await;
        let phone = Phone::new("first", 1);
        let waiting = phone.confirmed(&desk, NOW).await;
        phone.activate(&desk, &waiting, at(NOW)).await.unwrap();
        let hash = |session: &str| Sha256::digest(session.as_bytes()).into();
        let open = async |session: &str, now: u64| desk.store.session(&hash(session), now as i64).await.unwrap();

        // Begun before the clock went back an hour, used after it, and still open when it is right again.
        let session = phone.sign_in(&desk, &waiting, NOW + 30).await.unwrap();
        assert!(open(&session, NOW - 3600).await.is_some());
        assert!(open(&session, NOW + 3600).await.is_some());
        assert!(open(&session, NOW - 3600 + 8 * 3600).await.is_none());
        assert!(open(&session, NOW - 3600).await.is_none());
        // Not used for an hour, as far as the clock says: over, whatever it says next. One that nobody asked for meanwhile is
        // as it was.
        let unused = phone.sign_in(&desk, &waiting, NOW + 60).await.unwrap();
        assert!(open(&unused, NOW + 60 + 3600).await.is_none());
        for later in [NOW + 90, NOW - 3600] {
            assert!(open(&unused, later).await.is_none(), "{later}");
        }
        let other = phone.sign_in(&desk, &waiting, NOW + 90).await.unwrap();
        assert!(open(&other, NOW + 120).await.is_some());
        assert!(open(&other, NOW + 120 + 8 * 3600).await.is_none());
        assert!(open(&other, NOW + 120 + 7 * 3600).await.is_none());

        // Passwords, wrong ones under a clock that runs an hour ahead: nobody is shut out when it is right again.
        let tried = async |password: &str, now: u64| {
            desk.login(&Settings::default(), "ada", Password::new(password), at(now)).await.is_ok()
        };
        for _ in 0..6 {
            assert!(!tried("wrong", NOW + 7200).await);
        }
        assert!(!tried(PASSWORD, NOW + 7200).await);
        assert!(tried(PASSWORD, NOW + 3590).await);
        // What ten wrong codes locked stays locked on any clock, until an administrator opens it.
        desk.store.set_setting(&desk.keys, "quick_failures", Some("100"), at(0)).await.unwrap();
        let verifier = database.verifier(Statements::REAL).await;
        let let_in = async |code: &str, now: u64| {
            accepted(&verifier.verify(attempt("ada", code, at(now))).await.unwrap())
        };
        for _ in 0..10 {
            assert!(!let_in("nonsense", NOW + 3600).await);
        }
        for now in [NOW, NOW + 3630, NOW + 7200] {
            assert!(!let_in(waiting.spec.code_at(now).unwrap().text(), now).await, "{now}");
        }
        desk.store.unlock_user(&desk.keys, &ada, at(NOW)).await.unwrap();
        assert!(let_in(waiting.spec.code_at(NOW + 7200).unwrap().text(), NOW + 7200).await);
    }
}
