//! What a change of a user ends of what is under way.

use countersign_core::secret::Password;
use countersign_server::{
    domain::{
        login::Entered,
        policy::Settings,
        registration::{Desk, RegistrationError},
        users::Name,
    },
    store::{
        StoreError,
        admin::UserChange,
        login::{self, Validity},
        registration,
    },
};
use sha2::{Digest as _, Sha256};

use crate::{
    kit::{Database, TOTP, at, cheap_hash, on_both, token},
    links::link,
    registration::{NOW, PASSWORD, Phone, add_ada, desk, sms_code},
};

/// Opens a session with a token, or with the password alone.
pub(crate) async fn open(desk: &Desk, user: &Name, text: &str, token: Option<&str>, now: u64) {
    let validity = Validity { before_first: 3600, lasts: 3600 };
    let (user, id) = (desk.store.user(user).await.unwrap().id, desk.random.id(at(now)));
    let mut transaction = desk.store.begin().await.unwrap();
    let hash = Sha256::digest(text).into();
    login::open_session(&mut transaction, &id, &hash, (&user, token), validity, at(now).seconds()).await.unwrap();
    transaction.commit().await.unwrap();
}

async fn change(desk: &Desk, ada: &Name, what: &str, now: u64) {
    let (keys, random, now) = (&*desk.keys, &desk.random, at(now));
    let mut change = UserChange::default();
    match what {
        "mail" => change.email = Some(Some("ada@example.org".to_owned())),
        "same number" => change.phone = Some(Some("+491701234567".to_owned())),
        "password" => change.password_hash = Some(Some(cheap_hash(PASSWORD))),
        "number" => change.phone = Some(Some("+491707654321".to_owned())),
        "no number" => change.phone = Some(None),
        "right" => change.administrator = Some(true),
        "no right" => change.administrator = Some(false),
        "exempt" => change.exempt = Some(true),
        "not exempt" => change.exempt = Some(false),
        "clear" => return assert_eq!(desk.store.clear_user(keys, random, ada, now).await.unwrap(), 1),
        "unconfirm" => return assert_eq!(desk.store.unconfirm_user(keys, random, ada, now).await.unwrap(), 1),
        "rescue" => return assert_eq!(desk.store.rescue(keys, random, ada, &change, None, now).await.unwrap(), 1),
        "app" => {
            let revoked = desk.store.revoke_app(keys, random, ada, now).await.unwrap();
            assert_eq!((revoked.app_name.as_str(), revoked.token, revoked.registrations), ("last", None, 3));
            let again = desk.store.revoke_app(keys, random, ada, now).await;
            return assert!(matches!(again, Err(StoreError::Missing("registered app"))), "{again:?}");
        }
        what => panic!("{what}"),
    }
    desk.store.change_user(keys, random, ada, &change, now).await.unwrap();
}

on_both! {
    async fn a_change_of_a_user_ends_what_was_begun_before_it(database: &Database) {
        let desk = desk(database).await;
        let ada = add_ada(database, &desk.store).await;
        let (first, second, last) = (Phone::new("first", 1), Phone::new("second", 2), Phone::new("last", 3));
        // What stays: sessions by password alone and with a token, a sign-in, registrations by password and by link, the link.
        for (trial, (what, stays)) in (0..).zip([
            ("mail", [true; 6]),
            ("same number", [true; 6]),
            ("password", [false, false, false, false, true, true]),
            ("number", [false; 6]),
            ("no number", [false; 6]),
            ("clear", [false; 6]),
            ("unconfirm", [false, false, true, false, false, true]),
            ("exempt", [true; 6]),
            ("not exempt", [false, true, true, true, true, true]),
            ("app", [true, true, true, false, false, true]),
            ("right", [false; 6]),
            ("no right", [false; 6]),
            ("rescue", [false; 6]),
        ]) {
            if what == "rescue" {
                change(&desk, &ada, "right", NOW).await;
            }
            let number = UserChange { phone: Some(Some("+491701234567".to_owned())), ..UserChange::default() };
            desk.store.change_user(&desk.keys, &desk.random, &ada, &number, at(NOW)).await.unwrap();
            let now = NOW + trial * 90_000;
            let own = database.add_token(&desk.store, &ada, &token(TOTP)).await;
            let text = link(&desk, now).await;
            let by_link = first.start_by_link(&desk, &text, at(now)).await.unwrap();
            let by_link = first.confirm(&desk, &by_link, &sms_code(&desk).await, at(now)).await.unwrap();
            let by_password = second.start(&desk, "ada", PASSWORD, at(now + 60)).await.unwrap();
            let by_password = second.confirm(&desk, &by_password, &sms_code(&desk).await, at(now + 60)).await.unwrap();
            let started = last.start(&desk, "ada", PASSWORD, at(now + 120)).await.unwrap();
            let code = sms_code(&desk).await;
            open(&desk, &ada, "alone", None, now).await;
            open(&desk, &ada, "both", Some(&own), now).await;
            let challenge = match desk.login(&Settings::default(), "ada", Password::new(PASSWORD), at(now + 120)).await {
                Ok(Entered::Challenge(challenge, _)) => challenge.id,
                // Nothing is asked of who is exempt.
                Ok(Entered::Session(_)) => String::new(),
                Err(error) => panic!("{what}: {error}"),
            };

            let now = now + 120;
            change(&desk, &ada, what, now).await;

            let session = async |text: &str| {
                desk.store.session(&Sha256::digest(text).into(), at(now).seconds()).await.unwrap().is_some()
            };
            assert_eq!([session("alone").await, session("both").await], stays[..2], "{what}: sessions");
            let mut transaction = desk.store.begin().await.unwrap();
            let open = login::read(&mut transaction, &challenge, at(now).seconds()).await.unwrap().is_some();
            transaction.commit().await.unwrap();
            assert_eq!(open, stays[2] && !challenge.is_empty(), "{what}: a sign-in");
            assert_eq!(desk.open_link(&text, at(now)).await.is_ok(), stays[5], "{what}: a link");
            let confirmed = last.confirm(&desk, &started, &code, at(now)).await;
            assert_eq!(confirmed.is_ok(), stays[3], "{what}: a code that was sent");
            assert!(matches!(confirmed, Ok(_) | Err(RegistrationError::Ended)), "{what}");
            let activated = first.activate(&desk, &by_link, at(now)).await;
            assert_eq!(activated.is_ok(), stays[4], "{what}: a registration by link");
            assert!(matches!(activated, Ok(_) | Err(RegistrationError::Ended)), "{what}: {activated:?}");
            if !stays[3] {
                let activated = second.activate(&desk, &by_password, at(now)).await;
                let ended = matches!(activated, Err(RegistrationError::Ended));
                // Where the one by link has the token, that is what the other hears.
                assert!(ended || stays[4], "{what}: {activated:?}");
            }
            desk.store.clear_user(&desk.keys, &desk.random, &ada, at(now)).await.unwrap();
            for text in ["alone", "both"] {
                desk.store.end_session(&Sha256::digest(text).into()).await.unwrap();
            }
        }
        assert!(desk.store.audit_verify(&desk.keys).await.unwrap().is_ok());
    }

    async fn a_password_that_was_changed_meanwhile_lets_nobody_in(database: &Database) {
        let desk = desk(database).await;
        let ada = add_ada(database, &desk.store).await;
        let id = desk.store.user(&ada).await.unwrap().id;
        let mut transaction = desk.store.begin().await.unwrap();
        for (hash, lets_in) in [(Some(cheap_hash(PASSWORD)), true), (Some(cheap_hash("before")), false), (None, false)] {
            assert_eq!(registration::enter(&mut transaction, &id, hash.as_deref()).await.unwrap(), lets_in);
        }
    }

    async fn an_activation_asks_the_policy_of_the_day(database: &Database) {
        let desk = desk(database).await;
        add_ada(database, &desk.store).await;
        let phone = Phone::new("phone", 1);
        let set = async |name: &str, value: Option<&str>| {
            desk.store.set_setting(&desk.keys, name, value, at(NOW)).await.unwrap();
        };
        for (trial, (name, value, by_link)) in
            (0..).zip([("self_enrollment", "false", true), ("allowed_kinds", "hotp", false), ("first_kind", "hotp", false)])
        {
            let now = NOW + trial * 90_000;
            let text = link(&desk, now).await;
            let begun = phone.start_by_link(&desk, &text, at(now)).await.unwrap();
            let with_link = phone.confirm(&desk, &begun, &sms_code(&desk).await, at(now)).await.unwrap();
            let begun = phone.start(&desk, "ada", PASSWORD, at(now + 60)).await.unwrap();
            let without = phone.confirm(&desk, &begun, &sms_code(&desk).await, at(now + 60)).await.unwrap();
            set(name, Some(value)).await;
            let refused = phone.activate(&desk, &without, at(now + 60)).await;
            assert!(matches!(refused, Err(RegistrationError::Ended)), "{name}: {refused:?}");
            assert_eq!(phone.activate(&desk, &with_link, at(now + 60)).await.is_ok(), by_link, "{name}");
            set(name, None).await;
        }
    }
}
