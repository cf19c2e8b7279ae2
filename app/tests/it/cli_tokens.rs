//! Adding, listing, changing and using tokens.

use serde_json::{Value, json};

use crate::cli_kit::{Desk, RFC_SECRET, run};

fn rfc(account: &str, more: &str) -> String {
    format!("otpauth://totp/RFC:{account}?secret={RFC_SECRET}&issuer=RFC{more}")
}

/// The list without identifiers, which are random.
fn list(desk: &Desk, arguments: &[&str]) -> Vec<Value> {
    let mut records = desk.json(arguments).as_array().unwrap().clone();
    for record in &mut records {
        let id = record.as_object_mut().unwrap().remove("id").unwrap();
        assert_eq!(id.as_str().unwrap().len(), 36);
    }
    records
}

#[test]
fn the_list_has_exactly_the_promised_shape() {
    let desk = Desk::with(&[
        &rfc("alice", "&digits=8&period=60&algorithm=SHA256"),
        &format!("otpauth://hotp/Counter?secret={RFC_SECRET}&counter=7"),
        &format!("otpauth://steam/Steam:gabe?secret={RFC_SECRET}"),
        "motp://Old:bob?secret=0123456789abcdef",
        "otpauth://yaotp/Yandex:eve?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY",
    ]);
    assert_eq!(desk.done(&["list", "--json", "alice"]).matches(r#""kind""#).count(), 1);
    let keys = desk.done(&["--json", "list", "alice"]);
    let order = [
        "id",
        "issuer",
        "account",
        "kind",
        "algorithm",
        "digits",
        "period",
        "counter",
        "groups",
        "favourite",
        "note",
        "registered",
    ];
    let places: Vec<usize> = order.iter().map(|key| keys.find(&format!("{key:?}:")).unwrap()).collect();
    assert!(places.is_sorted(), "{keys}");
    let record =
        |issuer: &str, account: &str, kind: &str, algorithm: Value, digits: u8, period: Value, counter: Value| {
            json!({ "issuer": issuer, "account": account, "kind": kind, "algorithm": algorithm, "digits": digits,
                "period": period, "counter": counter, "groups": [], "favourite": false, "note": "",
                "registered": null })
        };
    assert_eq!(
        list(&desk, &["list"]),
        [
            record("RFC", "alice", "totp", json!("SHA256"), 8, json!(60), Value::Null),
            record("", "Counter", "hotp", json!("SHA1"), 6, Value::Null, json!(7)),
            record("Steam", "gabe", "steam", json!("SHA1"), 5, json!(30), Value::Null),
            record("Old", "bob", "motp", Value::Null, 6, json!(10), Value::Null),
            record("Yandex", "eve", "yandex", json!("SHA256"), 8, json!(30), Value::Null),
        ]
    );
}

#[test]
fn the_list_for_a_person_lines_up() {
    let desk = Desk::with(&[&rfc("alice", ""), &format!("otpauth://totp/日本:x?secret={RFC_SECRET}")]);
    desk.done(&["edit", "日本", "--favourite", "yes", "--group", "Work"]);
    let text = desk.done(&["list"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].starts_with("   ISSUER  ACCOUNT  KIND  GROUPS  ID"), "{text}");
    assert!(lines[1].starts_with("   RFC     alice    totp          "), "{text}");
    assert!(lines[2].starts_with("*  日本    x        totp  Work    "), "{text}");
}

#[test]
fn an_empty_list_is_no_failure_but_a_query_without_an_answer_is() {
    let desk = Desk::new();
    assert_eq!(desk.json(&["list"]), json!([]));
    assert_eq!(desk.done(&["list"]), "");
    let none = desk.run(["--json", "list", "nobody"]);
    assert_eq!((none.code, none.stdout.as_str()), (3, "[]\n"));
}

#[test]
fn a_code_is_all_there_is_on_standard_output() {
    let desk = Desk::with(&[&rfc("alice", "&digits=8"), &rfc("bob", "&algorithm=SHA512&digits=8")]);
    // RFC 6238, appendix B, for SHA-1; its SHA-512 vectors have another secret.
    for (at, code) in [("59", "94287082"), ("1111111109", "07081804"), ("20000000000", "65353130")] {
        let run = desk.run(["code", "alice", "--at", at]);
        assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (0, &*format!("{code}\n"), ""));
    }
    assert_eq!(desk.done(&["code", "alice", "--at", "29", "--next"]), desk.done(&["code", "alice", "--at", "59"]));
    let value = desk.json(&["code", "alice", "--at", "59"]);
    assert_eq!(
        (&value["code"], &value["from"], &value["until"], &value["counter"]),
        (&json!("94287082"), &json!(30), &json!(60), &Value::Null)
    );
    assert_eq!(desk.done(&["code", "bob"]).trim_end().len(), 8);
}

#[test]
fn a_time_based_code_saves_nothing() {
    let desk = Desk::with(&[&rfc("alice", "")]);
    let before = desk.files();
    desk.done(&["code", "alice"]);
    assert_eq!(desk.files(), before);
}

#[test]
fn a_counter_based_code_is_given_once() {
    let desk = Desk::with(&[&format!("otpauth://hotp/Bank?secret={RFC_SECRET}&counter=0")]);
    // RFC 4226, appendix D.
    for code in ["755224", "287082", "359152"] {
        assert_eq!(desk.done(&["code", "Bank"]), format!("{code}\n"));
    }
    assert_eq!(desk.json(&["code", "Bank"])["counter"], 3);
    assert_eq!(desk.json(&["list"])[0]["counter"], 4);
    for option in [&["--next"][..], &["--at", "59"]] {
        desk.fails(2, ["code", "Bank"].iter().chain(option));
    }
    assert_eq!(desk.json(&["list"])[0]["counter"], 4, "a refused question uses no counter");
    assert_eq!(desk.open().content().tokens()[0].use_count, 4);
}

#[test]
fn thousands_of_links_are_one_save() {
    let desk = Desk::new();
    let before = desk.open().generation();
    let links: String = (0..3_000).map(|number| rfc(&format!("user{number}"), "") + "\n").collect();
    let run = run(&mut desk.command(["--json", "add", "-"]), links.as_bytes());
    assert_eq!(run.code, 0, "{}", run.stderr);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["added"].as_array().unwrap().len(), 3_000);
    let session = desk.open();
    assert_eq!(session.content().tokens().len(), 3_000, "the same secret under other names is another token");
    assert_eq!(session.generation(), before + 1);

    let arguments: Vec<String> = (0..1_000).map(|number| rfc(&format!("arg{number}"), "")).collect();
    let run = desk.run(std::iter::once("add").chain(arguments.iter().map(String::as_str)));
    assert_eq!((run.code, run.stderr.as_str()), (0, "Added 1,000 tokens.\n"));
    assert_eq!(desk.open().generation(), before + 2);
}

#[test]
fn links_come_from_files_too() {
    let desk = Desk::new();
    let file = desk.file("links.txt", rfc("alice", "") + "\r\n\n" + &rfc("bob", "") + "\n");
    desk.done(&["add", &file]);
    assert_eq!(desk.json(&["list"]).as_array().unwrap().len(), 2);
}

#[test]
fn what_is_there_is_not_added_again() {
    let desk = Desk::with(&[&rfc("alice", "")]);
    let again = desk.json(&["add", &rfc("alice", ""), &rfc("bob", "")]);
    let count = |key: &str| again[key].as_array().unwrap().len();
    assert_eq!((count("added"), count("already_there"), count("problems")), (1, 1, 0));
    assert_eq!(desk.json(&["list"]).as_array().unwrap().len(), 2);
}

#[test]
fn one_bad_link_does_not_keep_the_others_out() {
    let desk = Desk::new();
    let bad = "otpauth://totp/Bad?secret=GEZDGNBVGY3TQ0JQ";
    let run = desk.run(["--json", "add", &rfc("alice", ""), bad]);
    assert_eq!(run.code, 1);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["added"].as_array().unwrap().len(), 1);
    assert_eq!(report["problems"][0]["source"], "argument 2");
    assert!(!run.stderr.contains("GEZDGNBVGY3TQ0JQ") && !run.stdout.contains("GEZDGNBVGY3TQ0JQ"), "{run:?}");
    assert_eq!(desk.json(&["list"]).as_array().unwrap().len(), 1);
    let said = desk.fails(1, ["add", bad]);
    assert!(said.contains("argument 1") && !said.contains("GEZDGNBVGY3TQ0JQ"), "{said}");
}

#[test]
fn a_token_by_hand() {
    let desk = Desk::new();
    desk.done(&["add", "--issuer", "RFC", "--account", "alice", "--secret", RFC_SECRET, "--digits", "8"]);
    assert_eq!(desk.done(&["code", "alice", "--at", "59"]), "94287082\n");
    desk.done(&["add", "--issuer", "Bank", "--secret", RFC_SECRET, "--kind", "HOTP", "--counter", "1"]);
    assert_eq!(desk.done(&["code", "Bank"]), "287082\n");
    desk.done(&["add", "--account", "old", "--secret", "0123456789abcdef", "--kind", "motp", "--pin", "1234"]);
    assert_eq!(desk.done(&["code", "old"]).trim_end().len(), 6);
    let secret = run(&mut desk.command(["add", "--account", "typed", "--secret", "-"]), b"GEZD GNBV GY3T QOJQ\r\n");
    assert_eq!(secret.code, 0, "{secret:?}");
    assert_eq!(desk.json(&["list"]).as_array().unwrap().len(), 4);
    for wrong in [
        &["--secret", "0000"][..],
        &["--secret", RFC_SECRET],
        &["--secret", RFC_SECRET, "--issuer", "x", "--digits", "13"],
        &["--secret", RFC_SECRET, "--issuer", "x", "--period", "0"],
        &["--secret", RFC_SECRET, "--issuer", "x", "--kind", "steam", "--digits", "8"],
        &["--secret", RFC_SECRET, "--issuer", "x", "--counter", "1"],
        &["--secret", RFC_SECRET, "--issuer", "x", "--algorithm", "MD5"],
        &["--secret", RFC_SECRET, "--issuer", "x", "--kind", "push"],
        &["--issuer", "x"],
        &["--digits", "8", &rfc("bob", "")],
    ] {
        desk.fails(2, ["add"].iter().chain(wrong));
    }
    assert_eq!(desk.json(&["list"]).as_array().unwrap().len(), 4);
}

#[test]
fn editing_changes_what_was_named_and_nothing_else() {
    let desk = Desk::with(&[&rfc("alice", "&image=https%3A%2F%2Fx")]);
    let id = desk.json(&["list"])[0]["id"].as_str().unwrap().to_owned();
    let edited = desk.json(&[
        "edit",
        &id,
        "--issuer",
        "Ünïcode 🔑",
        "--digits",
        "8",
        "--group",
        "Work",
        "--group",
        "Home",
        "--favourite",
        "yes",
        "--note",
        "two\nlines",
    ]);
    assert_eq!(
        edited,
        json!({ "id": id, "issuer": "Ünïcode 🔑", "account": "alice", "kind": "totp", "algorithm": "SHA1", "digits": 8,
                "period": 30, "counter": null, "groups": ["Work", "Home"], "favourite": true, "note": "two\nlines",
                "registered": null })
    );
    assert_eq!(desk.json(&["list"])[0], edited);
    assert_eq!(desk.done(&["code", &id, "--at", "59"]), "94287082\n");
    let session = desk.open();
    let token = &session.content().tokens()[0];
    assert_eq!(token.history.len(), 1, "the earlier values are kept");
    assert_eq!(token.spec.uri_parameters, [("image".to_owned(), "https://x".to_owned())]);
    drop(session);
    assert_eq!(desk.json(&["edit", &id, "--no-groups"])["groups"], json!([]));
    let hotp = desk.json(&["edit", &id, "--kind", "hotp", "--counter", "1", "--digits", "6"]);
    assert_eq!((&hotp["kind"], &hotp["period"]), (&json!("hotp"), &Value::Null));
    assert_eq!(desk.done(&["code", &id]), "287082\n");
    desk.fails(2, ["edit", &id]);
    desk.fails(2, ["edit", &id, "--period", "60"]);
    desk.fails(3, ["edit", "nobody", "--note", "x"]);
}

#[test]
fn the_trash_gives_back() {
    let desk = Desk::with(&[&rfc("alice", ""), &rfc("bob", "")]);
    let code = desk.done(&["code", "alice", "--at", "59"]);
    let removed = desk.json(&["remove", "alice"]);
    desk.fails(3, ["code", "alice"]);
    desk.fails(3, ["remove", "alice"]);
    assert_eq!(desk.json(&["list", "--trash"]), json!([removed]));
    assert_eq!(desk.json(&["restore", removed["id"].as_str().unwrap()]), removed);
    assert_eq!(desk.done(&["code", "alice", "--at", "59"]), code);
    desk.fails(3, ["restore", "alice"]);
}

#[test]
fn a_query_means_one_token_or_nothing() {
    let desk = Desk::with(&[&rfc("alice", ""), &rfc("alina", "")]);
    let said = desk.fails(3, ["code", "ali"]);
    for named in ["2 tokens match", "RFC (alice)", "RFC (alina)"] {
        assert!(said.contains(named), "{said}");
    }
    assert_eq!(desk.run(["code", "ALICE"]).code, 0, "case does not matter");
    desk.fails(3, ["code", "00000000-0000-4000-8000-000000000000"]);
}

#[test]
fn a_token_has_a_name_of_its_own() {
    let link = |issuer: &str, account: &str| {
        format!("otpauth://totp/{issuer}:{account}?secret={RFC_SECRET}&issuer={issuer}&digits=8")
    };
    let desk = Desk::with(&[
        &link("Git", "me"),
        &link("GitHub", "me"),
        &link("Acme", "alice"),
        &link("Acme", "alice2"),
        &link("%C4%B0stanbul", "j%C3%BCrgen"),
    ]);
    let ids = desk.json(&["list"]);
    let id = |at: usize| ids[at]["id"].as_str().unwrap().to_owned();
    desk.done(&["add", &link(&id(0), "x")]);
    for (query, at) in [
        ("Git", 0),
        ("github", 1),
        ("Acme alice", 2),
        ("acme:alice", 2),
        ("Acme (alice)", 2),
        ("alice2 acme", 3),
        ("hub me", 1),
        ("istanbul", 4),
        ("ISTANBUL", 4),
        ("jurgen", 4),
        (&id(0)[..], 0),
        (&id(3)[..8], 3),
        (&id(3)[..13], 3),
        (&id(3).replace('-', "")[..13], 3),
    ] {
        assert_eq!(desk.json(&["code", query])["id"], id(at), "{query}");
    }
    for query in ["me", "acme", "Git bob", &id(3)[..7]] {
        desk.fails(3, ["code", query]);
    }
    assert_eq!(list(&desk, &["list", "git"]).len(), 2, "a list shows all that may be meant");
    let removed = desk.json(&["remove", "Git"]);
    desk.done(&["remove", "GitHub"]);
    assert_eq!(desk.json(&["restore", "git"]), removed);
}

#[test]
fn a_token_that_its_server_refuses_says_so() {
    use countersign_core::token::Registration;

    let desk = Desk::with(&[&rfc("alice", ""), &rfc("bob", ""), &rfc("carol", "")]);
    assert!(!desk.done(&["list"]).contains("REGISTERED"));
    let mut session = desk.open();
    let register = |content: &mut countersign_core::vault::Content| {
        let ids: Vec<_> = content.tokens().iter().map(|token| token.id).collect();
        for (id, moved_at) in [(ids[0], None), (ids[1], Some(2_000))] {
            let registration = Registration {
                server: "https://pam.example".into(),
                token_id: "t".into(),
                app_id: "a".into(),
                registered_at: 1_000,
                moved_at,
                taken_back: false,
                exportable: true,
            };
            content.set_registration(id, Some(registration)).unwrap();
        }
        Ok::<_, std::convert::Infallible>(())
    };
    session.edit(&mut rand_core::UnwrapErr(getrandom::SysRng), 3_000, register).unwrap();
    let registered: Vec<Value> = list(&desk, &["list"]).iter().map(|record| record["registered"].clone()).collect();
    assert_eq!(registered, [json!("elsewhere"), json!("moved"), Value::Null]);
    assert!(desk.done(&["list"]).contains("REGISTERED"));
    for (account, words) in [("alice", "not registered in this app"), ("bob", "in another app since")] {
        let code = desk.run(["code", account]);
        assert!(code.code == 0 && code.stderr.contains(words), "{code:?}");
    }
    assert_eq!(desk.run(["code", "carol"]).stderr, "");
    assert!(desk.run(["remove", "bob"]).stderr.contains("pam.example has registered it"));
    assert!(!desk.run(["remove", "carol"]).stderr.contains("registered"));
}

#[test]
fn an_enrollment_link_is_no_token_and_says_where_it_goes() {
    let desk = Desk::new();
    let said = desk.fails(2, ["add", "countersign://enroll?server=https%3A%2F%2Fpam.example&code=x"]);
    assert!(said.contains("server add") && said.contains("register"), "{said}");
}

#[test]
fn a_token_without_a_name_is_warned_of_in_a_sentence() {
    let desk = Desk::new();
    let added = desk.run(["add", &format!("otpauth://totp/?secret={RFC_SECRET}")]);
    assert!(added.stderr.contains("warning: a token: "), "{added:?}");
}

#[test]
fn a_counter_at_its_end_gives_no_code_again() {
    let desk = Desk::with(&[&format!("otpauth://hotp/Counter?secret={RFC_SECRET}&counter=7")]);
    desk.done(&["edit", "Counter", "--counter", "18446744073709551614"]);
    desk.done(&["code", "Counter"]);
    assert!(desk.fails(1, ["code", "Counter"]).contains("at its end"));
}

#[test]
fn an_empty_query_means_no_token() {
    let desk = Desk::with(&[&rfc("alice", "")]);
    let before = desk.files();
    for empty in ["", " "] {
        for arguments in [
            &["code", empty][..],
            &["remove", empty],
            &["restore", empty],
            &["edit", empty, "--note", "x"],
            &["qr", "show", empty],
            &["unreadable", empty, "--delete"],
            &["edit", "alice", "--group", empty],
        ] {
            let said = desk.fails(2, arguments);
            assert!(said.contains("it is empty"), "{said}");
        }
    }
    assert_eq!(desk.files(), before);
}

#[test]
fn a_hostile_name_cannot_steer_the_terminal() {
    let desk =
        Desk::with(&[&format!("otpauth://totp/%1B%5D0%3Bowned%07%0D%0A%C2%9B2J:x%E2%80%AEtxt?secret={RFC_SECRET}")]);
    let harmless = |text: &str| text.chars().all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}'));
    for arguments in [&["list"][..], &["--json", "list"], &["remove", "x"], &["restore", "x"], &["--json", "code", "x"]]
    {
        let run = desk.run(arguments);
        assert_eq!(run.code, 0, "{run:?}");
        assert!(harmless(&run.stdout) && harmless(&run.stderr), "{run:?}");
    }
    desk.done(&["edit", "x", "--note", "\u{1b}[31m"]);
    assert!(harmless(&desk.done(&["list"])));
    assert_eq!(desk.json(&["list"])[0]["note"], "\u{1b}[31m", "JSON keeps what was given");
    let said = desk.fails(3, ["code", "\u{1b}[31mnobody\u{7}"]);
    assert!(harmless(&said), "{said:?}");
}
