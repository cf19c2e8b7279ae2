//! What no race, no spelling and no clock gets past.

use countersign_server::{
    domain::{users::Name, verification::Verifier},
    store::verify::Statements,
};
use tokio::task::JoinSet;

use crate::kit::{Database, HOTP, TOTP, accepted, at, attempt, on_both, token};

/// Accepts a step whatever came before: what the condition is there for.
const ACCEPT_ALWAYS: Statements = Statements {
    accept: "UPDATE credentials SET last_step = asked.step FROM asked WHERE credentials.{key} = asked.what AND asked.step >= 0 RETURNING id",
    ..Statements::REAL
};

/// Claims an attempt whatever the budget says.
const CLAIM_ALWAYS: Statements = Statements {
    claim: "UPDATE users SET failures = failures + 1 FROM asked WHERE users.{user_key} = asked.who RETURNING id, failures, 1",
    ..Statements::REAL
};

/// Users whose trials run beside each other.
const USERS: u64 = 8;

/// Sends the code of each trial twice at once, to two processes; how often both were told yes, and how often none.
async fn doubled(database: &Database, link: &'static str, trials: u64, statements: Statements) -> (u64, u64) {
    let store = database.open().await;
    let (one, other) = (database.verifier(statements).await, database.verifier(statements).await);
    let mut users = JoinSet::new();
    for user in 0..USERS {
        let name = database.add_user(&store, &format!("user{user}")).await;
        database.add_token(&store, &name, &token(link)).await;
        let (one, other) = (one.clone(), other.clone());
        users.spawn(async move {
            let (mut both, mut none) = (0, 0);
            for trial in 0..trials / USERS {
                let now = 1_000_000_000 + trial * 30;
                let code = match link {
                    HOTP => token(&HOTP.replace("counter=0", &format!("counter={trial}"))).code_at(0),
                    _ => token(link).code_at(now),
                }
                .unwrap();
                let (a, b) = tokio::join!(
                    one.verify(attempt(&format!("user{user}"), code.text(), at(now))),
                    other.verify(attempt(&format!("USER{user}"), code.text(), at(now)))
                );
                match (accepted(&a.unwrap()), accepted(&b.unwrap())) {
                    (true, true) => both += 1,
                    (false, false) => none += 1,
                    _ => {}
                }
            }
            (both, none)
        });
    }
    let mut sum = (0, 0);
    while let Some(counted) = users.join_next().await {
        let (both, none) = counted.unwrap();
        sum = (sum.0 + both, sum.1 + none);
    }
    sum
}

/// Sends wrong codes at once, from two processes, under many spellings of one name.
async fn storm(database: &Database, statements: Statements) -> std::collections::BTreeMap<String, usize> {
    const SPELLINGS: [&str; 5] = ["Zoë", "ZOË", " zoe\u{308} ", "zoË", "Ｚoë"];
    let store = database.open().await;
    store.set_setting(&database.keys, "quick_failures", Some("100"), at(0)).await.unwrap();
    let zoe = database.add_user(&store, "Zoë").await;
    database.add_token(&store, &zoe, &token(TOTP)).await;
    let verifiers: [Verifier; 2] = [database.verifier(statements).await, database.verifier(statements).await];
    let mut guesses = JoinSet::new();
    for guess in 0..100 {
        let verifier = verifiers[guess % 2].clone();
        guesses.spawn(async move {
            // No code of the present time is among them: see the assertion below.
            let attempt = attempt(SPELLINGS[guess % SPELLINGS.len()], &format!("{guess:06}"), at(1_000_000_000));
            accepted(&verifier.verify(attempt).await.unwrap())
        });
    }
    while let Some(guess) = guesses.join_next().await {
        assert!(!guess.unwrap());
    }
    database.outcomes(&store).await
}

on_both! {
    async fn a_code_sent_twice_at_once_is_accepted_once(database: &Database) {
        assert_eq!(doubled(database, TOTP, 1000, Statements::REAL).await, (0, 0));
        let store = database.open().await;
        assert_eq!(store.audit_verify(&database.keys).await.unwrap(), Ok(2 * 8 + 2000));
    }

    async fn a_counter_sent_twice_at_once_is_accepted_once(database: &Database) {
        assert_eq!(doubled(database, HOTP, 1000, Statements::REAL).await, (0, 0));
    }

    /// The two tests above see the race: without the condition it is lost.
    async fn without_the_condition_a_code_is_accepted_twice(database: &Database) {
        let (both, _) = doubled(database, TOTP, 80, ACCEPT_ALWAYS).await;
        assert!(both > 40, "{both} of 80");
    }

    async fn of_a_hundred_wrong_codes_at_once_exactly_the_budget_is_looked_at(database: &Database) {
        let outcomes = storm(database, Statements::REAL).await;
        assert_eq!(outcomes["wrong"], 10, "{outcomes:?}");
        assert_eq!(outcomes["budget_spent"], 90, "{outcomes:?}");

        // The right code is not looked at either, until an administrator opens the door.
        let (store, verifier) = (database.open().await, database.verifier(Statements::REAL).await);
        let now = at(1_000_000_000 + 7 * 86_400);
        let right = token(TOTP).code_at(now.millis / 1000).unwrap();
        assert!(!accepted(&verifier.verify(attempt("zoë", right.text(), now)).await.unwrap()));
        let zoe = Name::new("zoë").unwrap();
        assert!(store.user(&zoe).await.unwrap().locked_at.is_some());
        store.unlock_user(&database.keys, &zoe, now).await.unwrap();
        assert!(accepted(&verifier.verify(attempt("zoë", right.text(), now)).await.unwrap()));
    }

    async fn without_the_claim_every_wrong_code_is_looked_at(database: &Database) {
        assert_eq!(storm(database, CLAIM_ALWAYS).await["wrong"], 100);
    }

    async fn wrong_codes_cost_time_that_doubles(database: &Database) {
        let store = database.open().await;
        let ada = database.add_user(&store, "ada").await;
        let spec = token(TOTP);
        database.add_token(&store, &ada, &spec).await;
        let verifier = database.verifier(Statements::REAL).await;
        let looked_at = async |now: u64| {
            let before = store.user(&ada).await.unwrap().failures;
            let outcome = verifier.verify(attempt("ada", "nonsense", at(now))).await.unwrap();
            assert!(!accepted(&outcome));
            store.user(&ada).await.unwrap().failures > before
        };
        let mut now = 1_000_000_000;
        for _ in 0..5 {
            assert!(looked_at(now).await);
        }
        for delay in [30, 60, 120, 240] {
            assert!(!looked_at(now).await);
            assert!(!looked_at(now + delay - 1).await, "{delay}");
            now += delay;
            assert!(looked_at(now).await, "{delay}");
        }
        // A right code in time forgives; the delay holds for it, too.
        let right = |now: u64| attempt("ada", spec.code_at(now).unwrap().text(), at(now));
        assert!(!accepted(&verifier.verify(right(now + 479)).await.unwrap()));
        assert!(accepted(&verifier.verify(right(now + 480)).await.unwrap()));
        assert_eq!(store.user(&ada).await.unwrap().failures, 0);
    }

    async fn a_clock_that_steps_opens_nothing_and_locks_nobody_out(database: &Database) {
        let store = database.open().await;
        let ada = database.add_user(&store, "ada").await;
        let spec = token(TOTP);
        database.add_token(&store, &ada, &spec).await;
        let verifier = database.verifier(Statements::REAL).await;
        let verify = async |code_of: u64, now: u64| {
            accepted(&verifier.verify(attempt("ada", spec.code_at(code_of).unwrap().text(), at(now))).await.unwrap())
        };
        let noon = 1_000_000_000;
        assert!(verify(noon, noon).await);
        // An hour back: what was used stays used, and nothing earlier is taken.
        assert!(!verify(noon - 3600, noon - 3600).await);
        // An hour forward, and back again.
        assert!(verify(noon + 3600, noon + 3600).await);
        assert!(!verify(noon + 30, noon + 30).await);
        assert!(verify(noon + 3630, noon + 3630).await);
        // A door that was closed under a clock that ran an hour ahead is open when the clock is right again.
        for _ in 0..6 {
            assert!(!verify(0, noon + 9000).await);
        }
        let user = store.user(&ada).await.unwrap();
        assert!(user.blocked_until > noon as i64 + 9000);
        assert!(verify(noon + 5000, noon + 5000).await);
    }

    async fn an_address_has_a_budget_over_all_users(database: &Database) {
        let store = database.open().await;
        store.set_setting(&database.keys, "address_attempts", Some("10"), at(0)).await.unwrap();
        let spec = token(TOTP);
        for user in 0..20 {
            let name = database.add_user(&store, &format!("user{user}")).await;
            database.add_token(&store, &name, &spec).await;
        }
        let verifier = database.verifier(Statements::REAL).await;
        let ask = async |user: u64, address: &str, code: &str, now: u64| {
            let mut attempt = attempt(&format!("user{user}"), code, at(now));
            attempt.address = Some(address.to_owned());
            accepted(&verifier.verify(attempt).await.unwrap())
        };
        let now = 1_000_000_000;
        for user in 0..10 {
            assert!(!ask(user, "192.0.2.1", "nonsense", now).await);
        }
        let right = spec.code_at(now).unwrap();
        assert!(!ask(11, "192.0.2.1", right.text(), now).await);
        assert!(ask(12, "192.0.2.2", right.text(), now).await);
        let later = spec.code_at(now + 600).unwrap();
        assert!(ask(13, "192.0.2.1", later.text(), now + 600).await);
        // Spent under a clock that ran an hour ahead, it is there again when the clock is right.
        for user in 0..10 {
            assert!(!ask(user, "192.0.2.1", "nonsense", now + 4200).await);
        }
        assert!(!ask(14, "192.0.2.1", spec.code_at(now + 4200).unwrap().text(), now + 4200).await);
        assert!(ask(15, "192.0.2.1", later.text(), now + 600).await);
    }

    async fn a_named_token_is_the_only_one_that_will_do(database: &Database) {
        let store = database.open().await;
        let ada = database.add_user(&store, "ada").await;
        let (first, second) = (token(TOTP), token(&TOTP.replace("GEZD", "MFRG")));
        let first_id = database.add_token(&store, &ada, &first).await;
        let second_id = database.add_token(&store, &ada, &second).await;
        let bob = database.add_user(&store, "bob").await;
        let bobs = database.add_token(&store, &bob, &first).await;
        let verifier = database.verifier(Statements::REAL).await;
        let now = 1_000_000_000;
        let ask = async |id: &str| {
            let mut attempt = attempt("ada", first.code_at(now).unwrap().text(), at(now));
            attempt.credential = Some(id.to_owned());
            accepted(&verifier.verify(attempt).await.unwrap())
        };
        assert!(!ask(&second_id).await);
        assert!(!ask(&bobs).await);
        assert!(ask(&first_id).await);
        // Whatever is tried under one user's name, another's token stays open.
        for _ in 0..101 {
            assert!(!ask(&bobs).await);
        }
        let mut own = attempt("bob", first.code_at(now).unwrap().text(), at(now));
        own.credential = Some(bobs.clone());
        assert!(accepted(&verifier.verify(own).await.unwrap()));
    }

    /// The work for a name that nobody has is done for the user who comes next, and after the last for the first: of
    /// whom nothing changes by it.
    async fn a_name_that_nobody_has_costs_nobody_anything(database: &Database) {
        let store = database.open().await;
        let bob = database.add_user(&store, "bob").await;
        let spec = token(TOTP);
        let id = database.add_token(&store, &bob, &spec).await;
        let verifier = database.verifier(Statements::REAL).await;
        let now = 1_000_000_000;
        let right = spec.code_at(now).unwrap();
        for name in ["alice", "bo", "zed"] {
            for code in ["nonsense", right.text()] {
                let mut attempt = attempt(name, code, at(now));
                assert!(!accepted(&verifier.verify(attempt.clone()).await.unwrap()), "{name}");
                attempt.credential = Some(id.clone());
                assert!(!accepted(&verifier.verify(attempt).await.unwrap()), "{name}");
            }
        }
        let unmoved = store.user(&bob).await.unwrap();
        assert_eq!((unmoved.failures, unmoved.blocked_until, unmoved.locked_at), (0, 0, None));
        // Also not of those who ask in the same moment.
        let mut crowd = JoinSet::new();
        for nth in 0..40 {
            let (verifier, code) = (verifier.clone(), right.text().to_owned());
            let name = if nth == 20 { "bob".to_owned() } else { format!("bo{nth}") };
            crowd.spawn(async move { (nth, accepted(&verifier.verify(attempt(&name, &code, at(now))).await.unwrap())) });
        }
        assert!(crowd.join_all().await.into_iter().all(|(nth, let_in)| let_in == (nth == 20)));
        assert_eq!(store.user(&bob).await.unwrap().failures, 0);
        // A door that is locked is not opened by it.
        store.set_setting(&database.keys, "quick_failures", Some("100"), at(0)).await.unwrap();
        for _ in 0..10 {
            verifier.verify(attempt("bob", "nonsense", at(now))).await.unwrap();
        }
        assert!(!accepted(&verifier.verify(attempt("alice", "nonsense", at(now))).await.unwrap()));
        let locked = store.user(&bob).await.unwrap();
        assert_eq!((locked.failures, locked.locked_at), (10, Some(now as i64)));
        let later = spec.code_at(now + 60).unwrap();
        assert!(!accepted(&verifier.verify(attempt("bob", later.text(), at(now + 60))).await.unwrap()));
    }

    async fn two_codes_in_a_row_bring_back_a_counter(database: &Database) {
        let store = database.open().await;
        let ada = database.add_user(&store, "ada").await;
        database.add_token(&store, &ada, &token(HOTP)).await;
        let verifier = database.verifier(Statements::REAL).await;
        let ask = async |counter: u64, now: u64| {
            let code = token(&HOTP.replace("counter=0", &format!("counter={counter}"))).code_at(0).unwrap();
            accepted(&verifier.verify(attempt("ada", code.text(), at(now))).await.unwrap())
        };
        assert!(!ask(500, 1000).await);
        // Too late: the first of the two is forgotten.
        assert!(!ask(501, 1601).await);
        assert!(ask(502, 1602).await);
        assert!(!ask(502, 1603).await);
        assert!(ask(503, 1604).await);
    }
}
