//! What a group's rules change at a sign-in and at a verification.

use std::collections::BTreeMap;

use countersign_core::{secret::Password, token::TokenSpec};
use countersign_server::{
    admin::{Admin, AdminError},
    domain::{
        login::{Entered, LoginError},
        policy::Settings,
        registration::Desk,
        users::Name,
        verification::Outcome,
    },
    password,
    store::{
        Actor, Store,
        admin::{NewUser, UserChange},
        verify::{SECRET_PLACE, Statements},
    },
};
use sha2::{Digest as _, Sha256};

use crate::{
    kit::{Database, HOTP, TOTP, accepted, at, attempt, on_both, token},
    registration::{NOW, PASSWORD, desk},
};

/// A user of the group `lax`, whose policy this is.
async fn add_ada(database: &Database, store: &Store, policy: &[(&str, &str)]) -> Name {
    let policy: BTreeMap<String, String> =
        policy.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let group = Name::new("lax").unwrap();
    store.add_group(&database.keys, "g", &group, &policy, at(0)).await.unwrap();
    let name = Name::new("ada").unwrap();
    let new = NewUser {
        id: database.random.id(at(0)),
        name: name.clone(),
        phone: None,
        email: None,
        group: Some(group),
        password_hash: Some(password::hash(&Password::new(PASSWORD), &database.random).unwrap()),
    };
    store.add_user(&database.keys, &new, at(0)).await.unwrap();
    name
}

async fn enter(desk: &Desk, now: u64) -> Entered {
    desk.login(&Settings::default(), "ada", Password::new(PASSWORD), at(now)).await.unwrap()
}

async fn asked(desk: &Desk, now: u64) -> bool {
    matches!(enter(desk, now).await, Entered::Challenge(..))
}

fn other(text: &str) -> TokenSpec {
    token(&text.replace("GEZDGNBV", "JBSWY3DP"))
}

on_both! {
    async fn a_second_factor_is_asked_of_whom_the_policy_says(database: &Database) {
        let desk = desk(database).await;
        let lax = [("require_second_factor", "false"), ("min_credentials", "2")];
        let ada = add_ada(database, &desk.store, &lax).await;
        assert!(!asked(&desk, NOW).await);
        database.add_token(&desk.store, &ada, &token(TOTP)).await;
        assert!(!asked(&desk, NOW).await);
        database.add_token(&desk.store, &ada, &other(TOTP)).await;
        assert!(asked(&desk, NOW).await);
        let set = async |change: UserChange| {
            desk.store.change_user(&database.keys, &database.random, &ada, &change, at(NOW)).await.unwrap();
        };
        set(UserChange { exempt: Some(true), ..UserChange::default() }).await;
        assert!(!asked(&desk, NOW).await);
        let events = desk.store.audit_newest(None, 1).await.unwrap();
        assert!(events[0].event == "login.done" && events[0].detail.contains("exempt"), "{events:?}");
        // Tokens that are to be confirmed do not count, and an administrator is asked whatever the group's rules are.
        set(UserChange { exempt: Some(false), ..UserChange::default() }).await;
        desk.store.unconfirm_user(&database.keys, &database.random, &ada, at(NOW)).await.unwrap();
        assert!(!asked(&desk, NOW).await);
        set(UserChange { administrator: Some(true), ..UserChange::default() }).await;
        assert!(asked(&desk, NOW).await);
        set(UserChange { administrator: Some(false), group: Some(None), ..UserChange::default() }).await;
        assert!(asked(&desk, NOW).await);
    }

    async fn a_session_is_used_soon_or_never(database: &Database) {
        let desk = desk(database).await;
        let rules = [("require_second_factor", "false"), ("session_before_first", "60"), ("session_after_first", "10")];
        let ada = add_ada(database, &desk.store, &rules).await;
        let open = async || {
            let Entered::Session(opened) = enter(&desk, NOW).await else { panic!("a second factor was asked for") };
            assert_eq!((opened.validity.before_first, opened.validity.lasts), (60, 600));
            <[u8; 32]>::from(Sha256::digest(opened.text.as_bytes()))
        };
        let until = async |hash: [u8; 32], now: u64| {
            desk.store.session(&hash, now as i64).await.unwrap().map(|(_, until)| until as u64)
        };
        let (late, early) = (open().await, open().await);
        assert_eq!(until(late, NOW + 60).await, None);
        assert_eq!(until(early, NOW + 59).await, Some(NOW + 659));
        // Later uses put nothing off.
        assert_eq!(until(early, NOW + 600).await, Some(NOW + 659));
        assert_eq!(until(early, NOW + 659).await, None);
        // A new password ends what the old one opened.
        let hash = open().await;
        assert!(until(hash, NOW + 1).await.is_some());
        let change = UserChange { password_hash: Some(None), ..UserChange::default() };
        desk.store.change_user(&database.keys, &database.random, &ada, &change, at(NOW)).await.unwrap();
        assert_eq!(until(hash, NOW + 2).await, None);
    }

    async fn kinds_count_as_the_policy_says(database: &Database) {
        let store = database.open().await;
        let ada = add_ada(database, &store, &[("strength_order", "hotp,totp")]).await;
        // A counter that stands at the present step, with the same secret: one code is right for both.
        let counting = HOTP.replace("counter=0", &format!("counter={}", NOW / 30));
        let totp = database.add_token(&store, &ada, &token(TOTP)).await;
        let hotp = database.add_token(&store, &ada, &other(&counting)).await;
        // Nobody adds one secret twice; a row can hold it.
        let secret = database.keys.seal(SECRET_PLACE, &hotp, token(TOTP).secret.bytes().expose(), &database.random);
        let mut transaction = store.begin().await.unwrap();
        let same = sqlx::query("UPDATE credentials SET secret = $1 WHERE id = $2").bind(secret).bind(&hotp);
        same.execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
        let verifier = database.verifier(Statements::REAL).await;
        let group = Name::new("lax").unwrap();
        let set = async |name: &str, value: &str| {
            let change = BTreeMap::from([(name.to_owned(), Some(value.to_owned()))]);
            store.change_group(&database.keys, &group, &change, at(NOW)).await.unwrap();
        };
        let of = async |now: u64| {
            let code = token(TOTP).code_at(now).unwrap();
            match verifier.verify(attempt("ada", code.text(), at(now))).await.unwrap() {
                Outcome::Accepted { credential_id, .. } => Some(credential_id),
                Outcome::Refused => None,
            }
        };
        assert_eq!(of(NOW).await.as_ref(), Some(&hotp));
        set("strength_order", "totp,hotp").await;
        assert_eq!(of(NOW + 30).await.as_ref(), Some(&totp));
        // A kind that is no longer allowed counts no more.
        set("allowed_kinds", "hotp").await;
        assert_eq!(of(NOW + 60).await.as_ref(), Some(&hotp));
        assert_eq!(of(NOW + 60).await, None);
        set("allowed_kinds", "totp").await;
        assert_eq!(of(NOW + 60).await.as_ref(), Some(&totp));
    }

    async fn a_first_token_is_of_the_first_kind(database: &Database) {
        let store = database.open().await;
        add_ada(database, &store, &[("first_kind", "hotp")]).await;
        let actor = Actor { name: "console".to_owned(), over_administrators: true };
        let admin = Admin::new(&store, database.keys.clone(), database.random.clone(), actor);
        let refused = admin.add_token("ada", TOTP, at(NOW)).await;
        assert!(matches!(refused, Err(AdminError::NotAdmitted { setting: "first_kind", .. })), "{refused:?}");
        admin.add_token("ada", HOTP, at(NOW)).await.unwrap();
        admin.add_token("ada", &TOTP.replace("GEZDGNBV", "JBSWY3DP"), at(NOW)).await.unwrap();
    }

    async fn a_first_kind_that_is_not_allowed_is_not_set(database: &Database) {
        let store = database.open().await;
        let actor = Actor { name: "console".to_owned(), over_administrators: true };
        let admin = Admin::new(&store, database.keys.clone(), database.random.clone(), actor);
        let of = |given: &[(&str, &str)]| {
            given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>()
        };
        let says = |done: Result<(), AdminError>, parts: &[&str]| {
            let said = done.unwrap_err().to_string();
            assert!(parts.iter().all(|part| said.contains(part)), "{said}");
        };
        let both = of(&[("first_kind", "hotp"), ("allowed_kinds", "totp")]);
        says(admin.add_group("staff", &both, at(NOW)).await.map(drop), &["staff", "first_kind is hotp", "allowed_kinds is totp"]);
        admin.add_group("staff", &of(&[("allowed_kinds", "totp")]), at(NOW)).await.unwrap();
        let change = BTreeMap::from([("first_kind".to_owned(), Some("hotp".to_owned()))]);
        says(admin.change_group("staff", &change, at(NOW)).await.map(drop), &["staff", "hotp", "totp"]);
        // A group begins from what the server has.
        says(admin.set("first_kind", Some("hotp"), at(NOW)).await.map(drop), &["staff", "hotp", "totp"]);
        admin.set("first_kind", Some("totp"), at(NOW)).await.unwrap();
        says(admin.set("allowed_kinds", Some("hotp"), at(NOW)).await.map(drop), &["first_kind is totp", "allowed_kinds is hotp"]);
        assert_eq!(admin.setting("allowed_kinds").await.unwrap().value, "totp,hotp");
        assert_eq!(admin.groups().await.unwrap()[0].policy, of(&[("allowed_kinds", "totp")]));
        admin.set("digits", Some("8"), at(NOW)).await.unwrap();
    }

    async fn a_token_is_confirmed_by_password_and_code(database: &Database) {
        let desk = desk(database).await;
        let ada = add_ada(database, &desk.store, &[]).await;
        let id = database.add_token(&desk.store, &ada, &token(TOTP)).await;
        let verifier = database.verifier(Statements::REAL).await;
        desk.store.unconfirm_user(&database.keys, &database.random, &ada, at(NOW)).await.unwrap();
        let code = |now: u64| token(TOTP).code_at(now).unwrap().text().to_owned();
        let right = async |now: u64| accepted(&verifier.verify(attempt("ada", &code(now), at(now))).await.unwrap());
        let confirm = async |password: &str, code: &str, now: u64| {
            desk.confirm_token("ada", Password::new(password), code, at(now)).await
        };
        assert!(!right(NOW).await);
        assert!(matches!(confirm("wrong", &code(NOW), NOW).await, Err(LoginError::Credentials)));
        assert!(matches!(confirm(PASSWORD, "000000", NOW).await, Err(LoginError::Code)));
        assert!(!right(NOW).await);
        assert_eq!(confirm(PASSWORD, &code(NOW), NOW).await.unwrap(), id);
        // The code is used up by it; the next one counts.
        assert!(!right(NOW).await);
        assert!(right(NOW + 30).await);
    }
}
