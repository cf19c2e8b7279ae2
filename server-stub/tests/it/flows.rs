//! Whole ways through the server, each raced a thousand times over two stores, as two processes have them. What is raced
//! here holds by more than one thing: a lock, a condition, an index. Each alone, and that it is lost without it, is in
//! `races` and `verification`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use countersign_core::{secret::Password, uri};
use countersign_server::{
    domain::{
        links::{self, LinkError, Via},
        login::{Entered, LoginError},
        policy::Settings,
        registration::{Desk, RegistrationError, Started},
        users::Name,
        verification::Verifier,
    },
    store::{admin::NewUser, login::Challenge, verify::Statements},
};
use countersign_wire::v1::{login::LOGIN, registration::ACTIVATE};
use tokio::task::JoinSet;

use crate::{
    kit::{Database, Kept, TOTP, accepted, at, attempt, cheap_hash, on_both, token},
    links::allow_others,
    registration::{NOW, PASSWORD, Phone, SERVER, Waiting, desk, sms_code},
};

const TRIALS: u64 = 1000;
/// Users whose trials run beside each other.
const LANES: u64 = 8;

/// A user, and two processes that the user's apps ask.
struct Lane {
    user: Name,
    here: Desk,
    there: Desk,
    verifier: Verifier,
    /// When all of a trial happens.
    then: u64,
    link: String,
    /// The user's apps, each with a registration by that link that waits for its first code.
    apps: [(Phone, Waiting); 2],
}

impl Lane {
    async fn new(database: &Database, [here, there]: [&Desk; 2], number: u64) -> Self {
        let user = Name::new(&format!("user{number}")).unwrap();
        let new = NewUser {
            id: database.random.id(at(0)),
            name: user.clone(),
            phone: Some("+491701234567".to_owned()),
            email: None,
            group: None,
            password_hash: Some(cheap_hash(PASSWORD)),
        };
        here.store.add_user(&database.keys, &new, at(0)).await.unwrap();
        let (sealing, via) = ((&*database.keys, &database.random), BTreeSet::from([Via::Link]));
        // One lane after the other, so that the newest code is this one's.
        let now = NOW + number * 120;
        let made = links::make(&here.store, sealing, SERVER, &user, &via, at(now)).await.unwrap();
        let link = made.url.expose().rsplit_once('/').unwrap().1.to_owned();
        let confirmed = async |phone: Phone, now: u64| {
            let started = phone.start_by_link(here, &link, at(now)).await.unwrap();
            let waiting = phone.confirm(here, &started, &sms_code(here).await, at(now)).await.unwrap();
            (phone, waiting)
        };
        let apps = [confirmed(Phone::new("first", 1), now).await, confirmed(Phone::new("second", 2), now + 60).await];
        let verifier = database.verifier(Statements::REAL).await;
        Self { user, here: here.clone(), there: there.clone(), verifier, then: now + 120, link, apps }
    }

    async fn tokens(&self) -> Vec<String> {
        self.here.store.tokens(&self.user).await.unwrap().into_iter().map(|token| token.id).collect()
    }

    async fn verify(&self, waiting: &Waiting, now: u64) -> bool {
        let code = waiting.spec.code_at(now).unwrap();
        accepted(&self.verifier.verify(attempt(self.user.folded(), code.text(), at(now))).await.unwrap())
    }

    async fn challenge(&self, desk: &Desk, now: u64) -> Challenge {
        let password = Password::new(PASSWORD);
        let entered = desk.login(&Settings::default(), self.user.folded(), password, at(now)).await.unwrap();
        let Entered::Challenge(challenge, _) = entered else { panic!("no second factor was asked for") };
        challenge
    }
}

/// Runs a trial a thousand times, each from where all links and registrations have come to.
async fn a_thousand<R: Future<Output = ()> + Send>(
    database: &Database,
    trial: impl Fn(Arc<Lane>, u64) -> R + Copy + Send + Sync + 'static,
) {
    let (here, there) = (desk(database).await, desk(database).await);
    allow_others(&here.store, database).await;
    let mut lanes = Vec::new();
    for number in 0..LANES {
        lanes.push(Arc::new(Lane::new(database, [&here, &there], number).await));
    }
    let kept = Kept::new(&here.store).await;
    let mut running = JoinSet::new();
    for lane in lanes {
        let kept = kept.clone();
        running.spawn(async move {
            for nth in 0..TRIALS / LANES {
                kept.restore(&lane.user).await;
                trial(lane.clone(), nth).await;
            }
        });
    }
    running.join_all().await;
    assert!(here.store.audit_verify(&database.keys).await.unwrap().is_ok());
}

/// Two apps with one link end at once, the first of them twice, as one does that has lost the answer. At the same time its
/// code is tried as any other is.
async fn two_apps_with_one_link(lane: Arc<Lane>, trial: u64) {
    let (then, [(first, one), (second, other)]) = (lane.then, &lane.apps);
    let ((a, again), (b, let_in)) = tokio::join!(
        async { tokio::join!(first.activate(&lane.here, one, at(then)), first.activate(&lane.there, one, at(then))) },
        async { tokio::join!(second.activate(&lane.there, other, at(then)), lane.verify(one, then)) },
    );
    let (won, lost) = match (&a, &again, &b) {
        (Ok(_), Ok(_), Err(RegistrationError::BoundElsewhere)) => (one, other),
        (Err(RegistrationError::BoundElsewhere), Err(RegistrationError::BoundElsewhere), Ok(_)) => (other, one),
        _ => panic!("{a:?} {again:?} {b:?}"),
    };
    // The code of a registration is used up by it.
    assert!(!let_in);
    assert_eq!(lane.tokens().await, std::slice::from_ref(&won.token));
    assert!(matches!(lane.there.open_link(&lane.link, at(then)).await, Err(LinkError::Over)));
    if trial.is_multiple_of(8) {
        assert!(!lane.verify(lost, then + 30).await);
        assert!(lane.verify(won, then + 30).await);
    }
}

/// Whoever has a link goes on with an app, and twice with another authenticator, all at once.
async fn an_app_and_a_page(lane: Arc<Lane>, _: u64) {
    let (then, [(phone, waiting), _]) = (lane.then, &lane.apps);
    let link = lane.link.as_str();
    let (shown, again) = tokio::join!(lane.here.show_secret(link, at(then)), lane.there.show_secret(link, at(then)));
    let (shown, again) = (shown.unwrap(), again.unwrap());
    assert_eq!(shown.uri.expose(), again.uri.expose());
    let code = uri::parse(shown.uri.expose()).unwrap().spec.code_at(then).unwrap();
    let (app, page, again) = tokio::join!(
        phone.activate(&lane.there, waiting, at(then)),
        lane.here.confirm_link(link, code.text(), at(then)),
        lane.there.confirm_link(link, code.text(), at(then)),
    );
    let won = [app.is_ok(), page.is_ok(), again.is_ok()].into_iter().filter(|won| *won).count();
    assert_eq!(won, 1, "{app:?} {page:?} {again:?}");
    let tokens = lane.tokens().await;
    assert_eq!((tokens.len(), tokens[0] == waiting.token), (1, app.is_ok()));
    assert!(matches!(lane.here.open_link(link, at(then)).await, Err(LinkError::Over)));
}

/// One code at two sign-ins at once, or twice at one: it opens one session.
async fn one_code_for_two_sign_ins(lane: Arc<Lane>, trial: u64) {
    let (then, [(phone, waiting), _]) = (lane.then, &lane.apps);
    phone.activate(&lane.here, waiting, at(then)).await.unwrap();
    // The step after that of the registration.
    let now = then + 30;
    let one = lane.challenge(&lane.here, now).await;
    let other = if trial.is_multiple_of(2) { one.clone() } else { lane.challenge(&lane.there, now).await };
    let code = waiting.spec.code_at(now).unwrap();
    let key = phone.public();
    let sign_in = async |desk: &Desk, challenge: &Challenge| {
        let signature = phone.sign(LOGIN, &[SERVER, &challenge.id, &challenge.nonce, &waiting.token, code.text()]);
        let sent = (waiting.token.as_str(), code.text());
        desk.login_totp(SERVER, &challenge.id, sent, (&key, &signature), at(now)).await.map(drop)
    };
    let (a, b) = tokio::join!(sign_in(&lane.here, &one), sign_in(&lane.there, &other));
    let ((Ok(()), Err(lost)) | (Err(lost), Ok(()))) = (&a, &b) else { panic!("{a:?} {b:?}") };
    assert!(matches!(lost, LoginError::Code), "{lost:?}");
}

/// Which way a wrong code comes in.
const DOORS: usize = 6;

/// A wrong code at one of the doors. Only its user is the same; process, token and registration are not.
async fn guess(lane: Arc<Lane>, started: Started, (challenge, token): (Challenge, String), nth: usize) {
    let desk = if nth.is_multiple_of(2) { &lane.here } else { &lane.there };
    let [(phone, _), (second, waiting)] = &lane.apps;
    let (wrong, now) = ("nonsense", at(lane.then + 60));
    let refused = match nth % DOORS {
        // An SMS code has five tries of its own.
        0 if nth < 5 * DOORS => phone.confirm(desk, &started, wrong, now).await.is_err(),
        1 => {
            let Waiting { registration, nonce, token, .. } = waiting;
            let signature = second.sign(ACTIVATE, &[SERVER, registration, nonce, token, wrong]);
            desk.activate(SERVER, registration, wrong, &signature, now).await.is_err()
        }
        2 => desk.confirm_link(&lane.link, wrong, now).await.is_err(),
        3 => {
            let signature = phone.sign(LOGIN, &[SERVER, &challenge.id, &challenge.nonce, &token, wrong]);
            let sent = (token.as_str(), wrong);
            desk.login_totp(SERVER, &challenge.id, sent, (&phone.public(), &signature), now).await.is_err()
        }
        4 => desk.confirm_token(lane.user.folded(), Password::new(PASSWORD), wrong, now).await.is_err(),
        _ => {
            let name = [" USER0", "User0", "ｕser0"][nth % 3];
            !accepted(&lane.verifier.verify(attempt(name, wrong, now)).await.unwrap())
        }
    };
    assert!(refused, "{nth}");
}

on_both! {
    /// A hundred wrong codes at once at every door that there is: they are of one budget, and a new SMS code adds nothing.
    async fn of_a_hundred_wrong_codes_at_all_doors_ten_are_looked_at(database: &Database) {
        let (here, there) = (desk(database).await, desk(database).await);
        allow_others(&here.store, database).await;
        here.store.set_setting(&database.keys, "quick_failures", Some("100"), at(0)).await.unwrap();
        let lane = Arc::new(Lane::new(database, [&here, &there], 0).await);
        here.show_secret(&lane.link, at(lane.then)).await.unwrap();
        let token = database.add_token(&here.store, &lane.user, &token(TOTP)).await;
        let challenge = lane.challenge(&here, lane.then + 60).await;
        let started = lane.apps[0].0.start_by_link(&here, &lane.link, at(lane.then)).await.unwrap();
        let mut guesses = JoinSet::new();
        for nth in 0..100 {
            guesses.spawn(guess(lane.clone(), started.clone(), (challenge.clone(), token.clone()), nth));
        }
        guesses.join_all().await;
        let (mut looked_at, mut doors) = (0, BTreeMap::new());
        for event in here.store.audit_newest(None, 1000).await.unwrap() {
            if event.event.ends_with(".refused") {
                let detail: serde_json::Value = serde_json::from_str(&event.detail).unwrap();
                let reason = detail["reason"].as_str().unwrap();
                looked_at += usize::from(["wrong", "sms_wrong"].contains(&reason));
                *doors.entry((event.event, detail["via"].to_string())).or_insert(0) += 1;
            }
        }
        assert_eq!(looked_at, 10, "{doors:?}");
        // All were there. Those of a registration are one kind of event, and of many passwords at once, right ones too, not
        // all are looked at.
        doors.remove(&("login.refused".to_owned(), "null".to_owned()));
        assert!(doors.len() == DOORS - 1 && doors.values().sum::<usize>() >= 84, "{doors:?}");
        let user = here.store.user(&lane.user).await.unwrap();
        assert_eq!((user.failures, user.locked_at.is_some()), (10, true));
        // The right ones are not looked at, nor is a new one.
        let [(phone, _), (second, waiting)] = &lane.apps;
        assert!(second.activate(&there, waiting, at(lane.then + 60)).await.is_err());
        let started = phone.start_by_link(&there, &lane.link, at(lane.then + 60)).await.unwrap();
        let code = sms_code(&there).await;
        assert!(phone.confirm(&there, &started, &code, at(lane.then + 60)).await.is_err());
        assert_eq!(here.store.user(&lane.user).await.unwrap().failures, 10);
    }

    async fn of_two_apps_with_one_link_one_has_the_token(database: &Database) {
        a_thousand(database, two_apps_with_one_link).await;
    }

    async fn of_an_app_and_a_page_with_one_link_one_is_done(database: &Database) {
        a_thousand(database, an_app_and_a_page).await;
    }

    async fn a_code_opens_one_session(database: &Database) {
        a_thousand(database, one_code_for_two_sign_ins).await;
    }
}
