//! The command line meets the server.

use countersign_e2e::{
    Desk, Run,
    server::{ACCOUNT_PASSWORD, Server, WHOLE, Wire},
};
use serde_json::Value;

/// A desk that knows a server, with the account's password in a file.
struct Person {
    desk: Desk,
    url: String,
}

impl Person {
    fn at(url: &str) -> Self {
        let person = Self::without_server(url);
        person.done(&["server", "add", url]);
        person
    }

    fn without_server(url: &str) -> Self {
        let desk = Desk::new();
        std::fs::write(desk.path("account"), ACCOUNT_PASSWORD).unwrap();
        Self { desk, url: url.to_owned() }
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.desk.run([&["--json"], arguments].concat())
    }

    fn done(&self, arguments: &[&str]) -> Value {
        let run = self.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {run:?}");
        serde_json::from_str(&run.stdout).unwrap_or(Value::Null)
    }

    /// What a server said no with.
    fn refused(&self, arguments: &[&str]) -> String {
        let run = self.run(arguments);
        assert_eq!(run.code, 6, "{arguments:?}: {run:?}");
        let line = run.stderr.lines().find(|line| line.contains("\"error\"")).unwrap_or_default();
        let error: Value = serde_json::from_str(line).unwrap();
        error["error"]["server_code"].as_str().unwrap().to_owned()
    }

    fn ask<'a>(&'a self, user: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let fixed = ["register", "--server", &self.url, "--user", user, "--account-password-file", "account"];
        [&fixed[..], more].concat()
    }

    fn register(&self, server: &Server, user: &str) -> Value {
        let sent = self.done(&self.ask(user, &[]));
        assert_eq!(sent["state"], "sms_sent", "{sent}");
        let code = server.sms_code();
        let done = self.done(&self.ask(user, &["--sms-code", &code]));
        assert_eq!(done["state"], "registered", "{done}");
        done
    }

    fn sign_in(&self, user: &str) -> Run {
        self.run(&["sign-in", "--server", &self.url, "--user", user, "--account-password-file", "account"])
    }

    fn status(&self) -> Value {
        self.done(&["server", "status"])[0].clone()
    }
}

/// Signs in, once the code that registered the token is no longer the current one.
fn sign_in_with_a_fresh_code(person: &Person, user: &str) -> Value {
    for _ in 0..40 {
        let run = person.sign_in(user);
        if run.code == 0 {
            return serde_json::from_str(&run.stdout).unwrap();
        }
        assert!(run.code == 6 && run.stderr.contains("code_wrong"), "{run:?}");
        std::thread::sleep(std::time::Duration::from_millis(1000));
    }
    panic!("no code signed in");
}

/// A server whose codes change every five seconds and whose wrong ones cost no time, so that journeys need not wait.
fn quick(server: &Server) {
    for (name, value) in [("period", "5"), ("quick_failures", "90"), ("max_failures", "100")] {
        server.set(name, value);
    }
}

#[test]
fn a_token_is_registered_and_moves_to_the_second_app() {
    registered_and_moved(&Server::start());
}

#[test]
fn a_token_of_another_user_is_not_sent() {
    let server = Server::start();
    quick(&server);
    server.add_user("ada");
    server.add_user("bob");
    let (person, other) = (Person::at(&server.url()), Person::at(&server.url()));
    person.register(&server, "ada");
    other.register(&server, "bob");
    let run = person.sign_in("bob");
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("The token here is ada's, not bob's."), "{run:?}");
    sign_in_with_a_fresh_code(&person, "ada");
}

#[test]
fn a_token_does_the_same_on_postgresql() {
    if let Some(server) = Server::on_postgres() {
        registered_and_moved(&server);
    }
}

fn registered_and_moved(server: &Server) {
    quick(server);
    server.add_user("ada");
    let (first, second) = (Person::at(&server.url()), Person::at(&server.url()));

    let token = first.register(server, "ada");
    assert_eq!(token["replaces"], Value::Null);
    let signed = sign_in_with_a_fresh_code(&first, "ADA");
    assert_eq!((&signed["why"], &signed["token"]), (&Value::from("issuer"), &token["id"]));
    let status = first.status();
    assert_eq!((&status["token"], &status["signed_in"]), (&Value::from("works"), &Value::from(true)));

    std::thread::sleep(std::time::Duration::from_millis(1));
    server.done(&["user", "unlock", "ada"], "");
    let taken = register_later(&second, server, "ada");
    assert!(taken["replaces"].is_string(), "{taken}");
    sign_in_with_a_fresh_code(&second, "ada");

    // The first app hears of it, whether it looks or signs in.
    assert_eq!(
        first.refused(&[
            "sign-in",
            "--server",
            &first.url,
            "--user",
            "ada",
            "--account-password-file",
            "account",
            "--token",
            "ada"
        ]),
        "token_bound_elsewhere"
    );
    let status = first.status();
    assert_eq!((&status["token"], &status["signed_in"]), (&Value::from("moved"), &Value::from(false)));
    // It is not offered any more.
    let run = first.sign_in("ada");
    assert_eq!(run.code, 3, "{run:?}");

    let out = second.done(&["sign-out"]);
    assert_eq!(out["signed_out"], true);
    assert_eq!(second.status()["signed_in"], false);
}

/// Registers as soon as the server sends another message: it sends one a minute.
fn register_later(person: &Person, server: &Server, user: &str) -> Value {
    server.forget_messages();
    person.register(server, user)
}

#[test]
fn a_restored_backup_on_another_device_is_not_registered_there() {
    let server = Server::start();
    quick(&server);
    server.add_user("ada");
    let first = Person::at(&server.url());
    first.register(&server, "ada");
    std::fs::write(first.desk.path("backup-password"), "one more calm otter").unwrap();
    let backup = ["backup", "--output", "backup.txt", "--backup-password-file", "backup-password"];
    assert_eq!(first.desk.run(backup).code, 0);

    let second = Person::at(&server.url());
    for file in ["backup.txt", "backup-password"] {
        std::fs::copy(first.desk.path(file), second.desk.path(file)).unwrap();
    }
    let restore = ["restore-backup", "backup.txt", "--backup-password-file", "backup-password"];
    assert_eq!(second.desk.run(restore).code, 0);
    assert_eq!(second.status()["token"], "elsewhere");
    let run = second.sign_in("ada");
    assert_eq!(run.code, 3, "{run:?}");
    // Where it came from it works as before.
    sign_in_with_a_fresh_code(&first, "ada");
}

#[test]
fn what_is_wrong_is_said_with_its_code() {
    let mut server = Server::start();
    quick(&server);
    server.add_user("ada");
    let person = Person::at(&server.url());
    assert_eq!(person.refused(&person.ask("nobody", &[])), "credentials_wrong");
    std::fs::write(person.desk.path("account"), "not it").unwrap();
    assert_eq!(person.refused(&person.ask("ada", &[])), "credentials_wrong");
    std::fs::write(person.desk.path("account"), ACCOUNT_PASSWORD).unwrap();

    person.done(&person.ask("ada", &[]));
    assert_eq!(person.refused(&person.ask("ada", &[])), "too_many_messages");
    let right = server.sms_code();
    let wrong = if right == "000000" { "111111" } else { "000000" };
    for _ in 0..5 {
        assert_eq!(person.refused(&person.ask("ada", &["--sms-code", wrong])), "sms_wrong");
    }
    // Tried too often.
    assert_eq!(person.refused(&person.ask("ada", &["--sms-code", &right])), "sms_wrong");
    assert_eq!(person.done(&["list"]), Value::Array(vec![]), "nothing half-registered is a token");

    server.kill();
    let run = person.sign_in("ada");
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("cannot be reached"), "{run:?}");
    let run = person.run(&["server", "add", "http://pam.example.org"]);
    assert_eq!(run.code, 2, "{run:?}");
    let run = person.run(&["sign-in", "--server", "nowhere", "--user", "ada", "--account-password-file", "account"]);
    assert_eq!(run.code, 3, "{run:?}");
}

#[test]
fn a_connection_lost_at_any_step_is_taken_up_again() {
    let server = Server::start();
    quick(&server);
    let wire = Wire::to(server.place());
    server.set("public_url", &wire.url());
    // Nothing of the answer, within its head, within its body, and all but its last byte.
    for (number, cut) in [0, 40, 400, 1].into_iter().enumerate() {
        let user = format!("user{number}");
        server.add_user(&user);
        let person = Person::at(&wire.url());

        // The message goes out, and its answer is lost: the next one comes a minute later, or at once here.
        wire.cut_after(cut);
        let run = person.run(&person.ask(&user, &[]));
        assert_eq!(run.code, 1, "{cut}: {run:?}");
        wire.cut_after(WHOLE);
        server.forget_messages();
        person.done(&person.ask(&user, &[]));
        let code = server.sms_code();

        // The token's delivery is lost, then its activation.
        wire.cut_after(cut);
        let run = person.run(&person.ask(&user, &["--sms-code", &code]));
        assert_eq!(run.code, 1, "{cut}: {run:?}");
        assert_eq!(person.done(&["list"]), Value::Array(vec![]));
        // Enough for the delivery, not for what follows: each answer has several hundred bytes.
        wire.cut_after(1100);
        let run = person.run(&person.ask(&user, &["--sms-code", &code]));
        wire.cut_after(WHOLE);
        if run.code != 0 {
            assert_eq!(run.code, 1, "{cut}: {run:?}");
            let done = person.done(&person.ask(&user, &["--sms-code", &code]));
            assert_eq!(done["state"], "registered", "{done}");
        }
        assert_eq!(person.status()["token"], "works");
        sign_in_with_a_fresh_code(&person, &user);
    }
}

#[test]
fn an_enrollment_link_registers_without_a_password() {
    let server = Server::start();
    server.add_user("ada");
    let sent = server.done(&["token", "send", "ada", "--via", "link"], "");
    let text = sent.to_string();
    let at = text.find("/enroll/").expect("a link in the answer");
    let code: String =
        text[at + 8..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_').collect();
    let link = format!("{}/enroll/{code}", server.url());
    let person = Person::without_server(&server.url());
    person.done(&["server", "add", &link]);
    let ask = ["register", "--server", &person.url, "--link", &link];
    assert_eq!(person.done(&ask)["state"], "sms_sent");
    let sms = server.sms_code();
    let done = person.done(&[&ask[..], &["--sms-code", &sms]].concat());
    assert_eq!((&done["state"], &done["account"]), (&Value::from("registered"), &Value::from("ada")));
    server.forget_messages();
    assert_eq!(person.refused(&ask), "link_ended");
}
