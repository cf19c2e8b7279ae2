//! The window meets the server: the real pages, the real requests, a real process at the other end.

use countersign::bind;
use countersign_e2e::server::{ACCOUNT_PASSWORD, Server, Wire};
use countersign_ui::{AccountProblem, NavigationAdapter, Page, RegisterStep, SignInStep};
use slint::ComponentHandle as _;

use crate::stage::{Stage, quick};

#[test]
fn a_person_registers_signs_in_and_loses_the_token_to_another_app() {
    registers_signs_in_and_loses_the_token(&Server::start());
}

#[test]
fn a_person_does_the_same_on_postgresql() {
    if let Some(server) = Server::on_postgres() {
        registers_signs_in_and_loses_the_token(&server);
    }
}

fn registers_signs_in_and_loses_the_token(server: &Server) {
    quick(server);
    server.add_user("operator");
    let first = Stage::new();
    first.add_server(&server.url());
    assert_eq!(first.page(), Page::Server);
    first.register(server, "operator");
    assert!(first.shows("The token works"));
    first.press("Sign in");
    first.sign_in(" Operator");
    assert!(first.shows("You are signed in"));
    first.press("Done");
    assert_eq!(first.page(), Page::Server);
    assert!(first.shows("Sign out"));

    let second = Stage::new();
    second.add_server(&server.url());
    server.forget_messages();
    second.ask_for_message("operator");
    // A whole message that was pasted is enough.
    second.fill("Code of the message", &format!("{} is your code. Tell it nobody.", server.sms_code()));
    second.work();
    assert_eq!(second.account().get_register_step(), RegisterStep::Takes, "{:?}", second.account().get_problem());
    assert!(second.shows("Take it from the other app?"));
    second.press("Use it in this app");
    assert_eq!(second.account().get_register_step(), RegisterStep::Done);

    first.press("Ask the server again");
    assert!(first.shows("Register a token"), "the way to register again");
    assert!(!first.shows("Sign out"), "the session went with the token");
    first.press("Sign in");
    first.fill("Password at the server", ACCOUNT_PASSWORD);
    first.press("Continue");
    assert_eq!(first.account().get_sign_in_step(), SignInStep::None, "a moved token is not offered");
}

#[test]
fn every_refusal_stands_beside_what_caused_it_and_nothing_half_done_is_a_token() {
    let mut server = Server::start();
    server.add_user("ada");
    let stage = Stage::new();
    let problem = || stage.account().get_problem();
    stage.window.global::<NavigationAdapter<'_>>().invoke_go(Page::Account);
    stage.settle();
    stage.press("Add a server");
    for (typed, told) in [
        ("http://pam.example.org", AccountProblem::NotEncrypted),
        ("a b", AccountProblem::AddressUnreadable),
        ("countersign://enroll?server=https%3A%2F%2Fa.example&code=x", AccountProblem::LinkNotWhole),
        ("http://127.0.0.1:1", AccountProblem::Unreachable),
    ] {
        stage.fill("Address or link", typed);
        stage.press("Continue");
        assert_eq!(problem(), told, "{typed}");
    }
    let wire = Wire::to(server.place());
    server.set("public_url", &server.url());
    stage.fill("Address or link", &wire.url());
    stage.press("Continue");
    assert_eq!(problem(), AccountProblem::OtherAddress);
    stage.fill("Address or link", &server.url());
    stage.press("Continue");

    stage.press("Register a token");
    stage.fill("User name", "ada");
    stage.fill("Password at the server", "not it");
    stage.press("Send me a code");
    assert_eq!(problem(), AccountProblem::Credentials);
    stage.fill("Password at the server", ACCOUNT_PASSWORD);
    stage.press("Send me a code");
    let code = server.sms_code();
    stage.fill("Code of the message", if code == "000000" { "111111" } else { "000000" });
    stage.press("Register");
    assert_eq!(problem(), AccountProblem::SmsWrong);

    // The server goes away and comes back: the same code goes on from where it was.
    server.kill();
    stage.fill("Code of the message", &code);
    stage.press("Register");
    assert_eq!(problem(), AccountProblem::Unreachable);
    assert!(stage.parts.door.content().unwrap().tokens().is_empty());
    server.wake();
    stage.press("Register");
    assert_eq!(stage.account().get_register_step(), RegisterStep::Done, "{:?}", problem());
    assert_eq!(stage.parts.door.content().unwrap().tokens().len(), 1);
}

#[test]
fn a_wrong_clock_is_named_and_codes_can_follow_the_servers() {
    let server = Server::start();
    quick(&server);
    server.add_user("ada");
    let stage = Stage::new();
    stage.clock.0.set(-3600);
    stage.add_server(&server.url());
    assert!(stage.account().get_facts().clock_matters);
    stage.register(&server, "ada");
    stage.press("Sign in");
    stage.sign_in("ada");
    stage.press("Done");
    stage.press("Sign out");

    stage.press("Codes follow the server's clock");
    stage.press("Sign in");
    stage.fill("Password at the server", ACCOUNT_PASSWORD);
    stage.press("Continue");
    stage.press("Sign in with this code");
    assert_eq!(stage.account().get_problem(), AccountProblem::ClockWrong);
}

#[test]
fn the_token_is_found_however_its_name_is_written_and_asked_about_where_it_is_not_sure() {
    let server = Server::start();
    quick(&server);
    server.set("issuer", "Caf\u{e9} PAM");
    server.add_user("ada");
    let stage = Stage::new();
    stage.add_server(&server.url());
    stage.register(&server, "ada");
    let rename = |issuer: &str| {
        let services = &stage.parts.services;
        let renamed = stage.parts.door.edit(services, |content| {
            let token = content.tokens()[0].clone();
            let spec = countersign_core::token::TokenSpec { issuer: issuer.to_owned(), ..token.spec };
            let change = countersign_core::vault::content::Change { spec: Some(spec), ..Default::default() };
            content.change(token.id, change, services.clock.now())
        });
        renamed.unwrap();
    };
    let to_the_token = || {
        stage.press("Sign in");
        stage.fill("User name", "ada");
        stage.fill("Password at the server", ACCOUNT_PASSWORD);
        stage.press("Continue");
        stage.account().get_sign_in_step()
    };
    // Other case, spaces, and an accent that is composed of two characters.
    rename(" caFE\u{301} pam ");
    assert_eq!(to_the_token(), SignInStep::Token);
    assert!(stage.shows("Not the right one? Choose another token"));
    stage.window.global::<NavigationAdapter<'_>>().invoke_back();
    stage.settle();

    rename("My work");
    assert_eq!(to_the_token(), SignInStep::Choose, "renamed: the user is asked");
    stage.press("My work: ada");
    assert_eq!(stage.account().get_sign_in_step(), SignInStep::Token);
    stage.window.global::<NavigationAdapter<'_>>().invoke_back();
    stage.settle();
    // What was chosen is remembered.
    assert_eq!(to_the_token(), SignInStep::Token);
    stage.sign_in("ada");
}

/// A server that takes connections and says nothing: what waits for it waits elsewhere.
#[test]
fn a_server_that_stalls_does_not_hold_the_window() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    let stage = Stage::new();
    stage.window.global::<NavigationAdapter<'_>>().invoke_go(Page::Account);
    stage.settle();
    stage.find("Add a server").invoke_accessible_default_action();
    stage.settle();
    stage.fill("Address or link", &address);
    // The request is under way from here on, and nobody answers it.
    stage.find("Continue").invoke_accessible_default_action();
    stage.settle();
    assert!(stage.account().get_busy());
    stage.window.global::<NavigationAdapter<'_>>().invoke_go(Page::Tokens);
    stage.settle();
    stage.fill("Search issuer or account", "corp");
    assert_eq!(stage.find("Search issuer or account").accessible_value().unwrap_or_default(), "corp");
    stage.tick();
    // What comes late is dropped: the page is another one.
    assert!(!stage.account().get_busy());
    drop(silent);
    stage.work();
    assert_eq!((stage.page(), stage.account().get_problem()), (Page::Tokens, AccountProblem::None));
}

/// A certificate that nobody vouches for is shown, pinned, and missed when another one takes its place.
#[test]
fn a_certificate_is_trusted_after_it_was_compared_and_no_other_one() {
    let mut server = Server::with_certificate();
    server.kill();
    let fingerprint = server.renew_certificate();
    server.wake();
    server.add_user("ada");
    let stage = Stage::new();
    stage.window.global::<NavigationAdapter<'_>>().invoke_go(Page::Account);
    stage.settle();
    stage.press("Add a server");
    stage.fill("Address or link", &server.url());
    stage.press("Continue");
    assert_eq!(stage.account().get_problem(), AccountProblem::Untrusted);
    let asked: String = stage.account().get_asked_fingerprint().chars().filter(char::is_ascii_hexdigit).collect();
    assert_eq!(asked.to_uppercase(), fingerprint, "what openssl says of it");
    assert!(stage.parts.door.content().unwrap().servers().is_empty(), "nothing is kept before somebody compared");
    stage.press("It is the same: trust it");
    assert_eq!((stage.page(), stage.account().get_problem()), (Page::Server, AccountProblem::None));
    stage.register(&server, "ada");
    stage.window.global::<NavigationAdapter<'_>>().invoke_back();
    stage.settle();

    server.kill();
    server.renew_certificate();
    server.wake();
    stage.press("Ask the server again");
    assert_eq!(stage.account().get_problem(), AccountProblem::CertificateChanged);
    // Nor does it get a password.
    stage.press("Sign in");
    stage.fill("Password at the server", ACCOUNT_PASSWORD);
    stage.press("Continue");
    assert_eq!(stage.account().get_problem(), AccountProblem::CertificateChanged);
    assert_eq!(stage.account().get_sign_in_step(), SignInStep::Password);
    assert_eq!(stage.parts.door.content().unwrap().tokens().len(), 1, "the token stays");
}

/// A message that is too old, and tries that run out: no token comes of either, and the way on is another message.
#[test]
fn an_old_message_and_too_many_wrong_codes_lead_to_another_message() {
    let server = Server::start();
    server.add_user("ada");
    let stage = Stage::new();
    let problem = || stage.account().get_problem();
    stage.add_server(&server.url());
    stage.ask_for_message("ada");
    let code = server.sms_code();
    server.sql("UPDATE registrations SET expires_at = 1");
    stage.fill("Code of the message", &code);
    stage.press("Register");
    // The server tells nobody whether a code was right once.
    assert_eq!((problem(), stage.account().get_register_step()), (AccountProblem::SmsWrong, RegisterStep::Sms));

    server.forget_messages();
    // By this app's clock the message is old, too.
    stage.clock.0.set(700);
    bind::locking::touched(&stage.window, &stage.parts);
    stage.tick();
    assert_eq!(problem(), AccountProblem::RegistrationEnded);
    stage.clock.0.set(0);
    bind::locking::touched(&stage.window, &stage.parts);
    stage.fill("Password at the server", ACCOUNT_PASSWORD);
    stage.press("Send me a code");
    assert_eq!(stage.account().get_register_step(), RegisterStep::Sms, "{:?}", problem());
    let right = server.sms_code();
    let wrong = if right == "000000" { "111111" } else { "000000" };
    for _ in 0..5 {
        stage.fill("Code of the message", wrong);
        stage.press("Register");
        assert_eq!(problem(), AccountProblem::SmsWrong);
    }
    stage.fill("Code of the message", &right);
    stage.press("Register");
    assert_eq!(problem(), AccountProblem::SmsWrong, "the tries are over");
    assert!(stage.parts.door.content().unwrap().tokens().is_empty());
}

/// An answer breaks off after any number of bytes, again and again: the same press goes on in the end, and until then
/// nothing half registered is a token.
#[test]
fn an_answer_that_breaks_off_anywhere_is_asked_for_again() {
    let server = Server::start();
    quick(&server);
    server.add_user("ada");
    server.set("address_attempts", "1000000");
    let wire = Wire::to(server.place());
    server.set("public_url", &wire.url());
    let stage = Stage::new();
    stage.add_server(&wire.url());
    stage.ask_for_message("ada");
    assert_eq!(stage.account().get_register_step(), RegisterStep::Sms, "{:?}", stage.account().get_problem());
    stage.fill("Code of the message", &server.sms_code());
    let mut cuts = 0;
    // The status line and the headers byte by byte, the body in steps; the last step lets everything through.
    let places = (0..32).chain((32..2_000).step_by(24));
    for bytes in places {
        wire.cut_after(bytes);
        // Once the token is there, its button is another one.
        let takes = stage.account().get_register_step() == RegisterStep::Takes;
        stage.press(if takes { "Finish" } else { "Register" });
        if stage.account().get_register_step() == RegisterStep::Done {
            break;
        }
        assert_eq!(stage.account().get_problem(), AccountProblem::Unreachable, "after {bytes} bytes");
        let works = stage.parts.door.content().unwrap().tokens().iter().any(|token| token.registration.is_some());
        assert!(!works || stage.account().get_register_step() != RegisterStep::Done, "after {bytes} bytes");
        cuts += 1;
    }
    wire.cut_after(countersign_e2e::server::WHOLE);
    while stage.account().get_register_step() != RegisterStep::Done {
        let takes = stage.account().get_register_step() == RegisterStep::Takes;
        stage.press(if takes { "Finish" } else { "Register" });
        assert_eq!(stage.account().get_problem(), AccountProblem::None);
    }
    assert!(cuts > 40, "{cuts} cuts");
    assert_eq!(stage.parts.door.content().unwrap().tokens().len(), 1);
    stage.press("Sign in");
    stage.sign_in("ada");
}
