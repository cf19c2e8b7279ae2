//! Messages on their way out, to gateways that answer as the real ones are documented to.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use countersign_server::{
    domain::{policy::Setting, users::Name},
    outbox::{self, Outbox},
    service::Clock,
    store::{
        Store,
        admin::UserChange,
        outbox::{Channel, Message, Outgoing},
        verify::Statements,
    },
};

use crate::kit::{
    Database, at, attempt, on_both,
    twins::{Answer, Authority, HttpTwin, SmtpTwin},
};

const NOW: u64 = 1_000_000_000;
const ACCOUNT: &str = "AC00000000000000000000000000000000";
const TOKEN: &str = "the token of the account";
const TO: &str = "+15005550006";
const TEXT: &str = "123456 is your code";

/// A process that sends.
struct Post {
    store: Store,
    outbox: Outbox,
    clock: Arc<AtomicU64>,
}

impl Post {
    async fn new(database: &Database) -> Self {
        let store = database.open().await;
        let clock = Arc::new(AtomicU64::new(NOW * 1000));
        let read = clock.clone();
        let outbox = Outbox::new(
            store.clone(),
            database.keys.clone(),
            Clock::new(move || read.load(Ordering::SeqCst)),
            database.random.clone(),
            Duration::from_millis(300),
        )
        .unwrap();
        Self { store, outbox, clock }
    }

    async fn set(&self, database: &Database, settings: &[(&str, &str)]) {
        for (name, value) in settings {
            let setting = Setting::find(name).unwrap();
            self.store.change_setting(&database.keys, &database.random, setting, Some(value), at(NOW)).await.unwrap();
        }
    }

    async fn write(&self, database: &Database, new: &Outgoing<'_>) {
        // One after another, so that the newest is the newest.
        let now = countersign_server::service::Now { millis: self.clock.fetch_add(1, Ordering::SeqCst) };
        let mut transaction = self.store.begin().await.unwrap();
        countersign_server::store::outbox::write(&mut transaction, &database.keys, &database.random, new, now)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }

    async fn sms(&self, database: &Database, text: &str) {
        let new = Outgoing { channel: Channel::Sms, recipient: TO, subject: "", body: text, expires_at: None };
        self.write(database, &new).await;
    }

    async fn mail(&self, database: &Database, subject: &str, text: &str) {
        let new =
            Outgoing { channel: Channel::Mail, recipient: "ada@example.org", subject, body: text, expires_at: None };
        self.write(database, &new).await;
    }

    fn earlier(&self, seconds: u64) {
        self.clock.fetch_sub(seconds * 1000, Ordering::SeqCst);
    }

    fn later(&self, seconds: u64) {
        self.clock.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    async fn newest(&self, database: &Database) -> Message {
        self.store.messages(&database.keys, 1).await.unwrap().remove(0)
    }

    /// Sends what is due; state and reason of the newest message then.
    async fn send(&self, database: &Database) -> (String, String) {
        self.outbox.send_due().await.unwrap();
        let newest = self.newest(database).await;
        (newest.state, newest.reason.unwrap_or_default())
    }
}

async fn twilio(database: &Database) -> (Post, HttpTwin) {
    let (post, twin) = (Post::new(database).await, HttpTwin::start().await);
    post.set(
        database,
        &[
            ("twilio_account", ACCOUNT),
            ("twilio_token", TOKEN),
            ("twilio_from", "+15005550001"),
            ("twilio_url", &twin.url),
            ("sms_sender", "twilio"),
        ],
    )
    .await;
    (post, twin)
}

fn refusal(status: u16, code: u32) -> Answer {
    let message = format!("The 'To' number {TO} is not good");
    let more = format!("https://www.twilio.com/docs/errors/{code}");
    let body = serde_json::json!({ "code": code, "message": message, "more_info": more, "status": status });
    Answer::new(status, body.to_string()).with("content-type", "application/json")
}

fn taken() -> Answer {
    Answer::new(201, r#"{"sid":"SM11111111111111111111111111111111","status":"queued","error_code":null}"#)
}

on_both! {
    async fn twilio_takes_a_message_as_its_api_asks(database: &Database) {
        let (post, twin) = twilio(database).await;
        twin.will(taken());
        post.sms(database, "Code 12 34 & 100 % für Zoë").await;
        assert_eq!(post.send(database).await.0, "sent");
        let sent = post.newest(database).await;
        assert_eq!(sent.gateway_id.as_deref(), Some("SM11111111111111111111111111111111"));
        let asked = twin.asked();
        assert_eq!(asked.len(), 1);
        assert_eq!((asked[0].method.as_str(), asked[0].path.as_str()), ("POST", "/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages.json"));
        assert_eq!(asked[0].header("content-type"), "application/x-www-form-urlencoded");
        let login = data_encoding::BASE64.encode(format!("{ACCOUNT}:{TOKEN}").as_bytes());
        assert_eq!(asked[0].header("authorization"), format!("Basic {login}"));
        assert_eq!(asked[0].body, "To=%2B15005550006&From=%2B15005550001&Body=Code+12+34+%26+100+%25+f%C3%BCr+Zo%C3%AB");
        // Once.
        assert_eq!(post.outbox.send_due().await.unwrap(), 0);

        // A messaging service chooses the number; an API key signs.
        let service = "MG22222222222222222222222222222222";
        post.set(database, &[("twilio_from", service), ("twilio_key", "SK33333333333333333333333333333333")]).await;
        post.sms(database, TEXT).await;
        post.send(database).await;
        let asked = twin.asked();
        assert!(asked[0].body.contains("&MessagingServiceSid=MG2222"), "{}", asked[0].body);
        let login = data_encoding::BASE64.encode(format!("SK33333333333333333333333333333333:{TOKEN}").as_bytes());
        assert_eq!(asked[0].header("authorization"), format!("Basic {login}"));
    }

    async fn what_twilio_refuses_for_good_is_given_up_with_its_reason(database: &Database) {
        let (post, twin) = twilio(database).await;
        for code in [21211, 21610, 21614, 21408, 21617, 99999] {
            twin.will(refusal(400, code));
            post.sms(database, TEXT).await;
            let (state, reason) = post.send(database).await;
            assert_eq!(state, "failed", "{code}");
            assert!(reason.starts_with(&format!("Twilio {code}")) && !reason.contains(TO), "{reason}");
            post.later(100_000);
            assert_eq!(post.outbox.send_due().await.unwrap(), 0);
            assert_eq!(twin.asked().len(), 1);
        }
        let events = post.store.audit_newest(None, 100).await.unwrap();
        assert_eq!(events.iter().filter(|event| event.event == "message.failed").count(), 6);
    }

    async fn what_twilio_puts_off_comes_again(database: &Database) {
        let (post, twin) = twilio(database).await;
        // As long as it asks for, at least.
        twin.will(refusal(429, 20429).with("retry-after", "30"));
        post.sms(database, TEXT).await;
        assert_eq!(post.send(database).await.0, "waiting");
        post.later(29);
        assert_eq!(post.outbox.send_due().await.unwrap(), 0);
        post.later(1);
        // What is set wrong may be set right.
        twin.will(refusal(401, 20003));
        let (state, reason) = post.send(database).await;
        assert_eq!(state, "waiting");
        assert!(reason.contains("20003"), "{reason}");
        post.later(60);
        twin.will(taken());
        assert_eq!(post.send(database).await, ("sent".to_owned(), String::new()));
        let methods: Vec<String> = twin.asked().into_iter().map(|asked| asked.method).collect();
        assert_eq!(methods, ["POST", "POST", "POST"]);

        // Not for ever.
        post.set(database, &[("outbox_tries", "3")]).await;
        post.sms(database, TEXT).await;
        for state in ["waiting", "waiting", "failed"] {
            twin.will(refusal(429, 20429));
            assert_eq!(post.send(database).await.0, state);
            post.later(3600);
        }
        assert!(post.newest(database).await.reason.unwrap().starts_with("given up after 3 tries: Twilio 20429"));
    }

    /// Twilio knows no key for a message that comes twice: what may be there is looked for.
    async fn after_a_try_without_an_answer_twilio_is_asked_first(database: &Database) {
        let (post, twin) = twilio(database).await;
        let page = |text: &str, date: &str, status: &str| {
            let message = serde_json::json!({
                "sid": "SM44444444444444444444444444444444", "body": format!("Sent from your Twilio trial account - {text}"),
                "status": status, "direction": "outbound-api", "date_created": date, "to": TO,
            });
            Answer::new(200, serde_json::json!({ "messages": [message] }).to_string())
        };
        let (today, yesterday) = ("Sun, 09 Sep 2001 01:46:41 +0000", "Sat, 08 Sep 2001 01:46:41 +0000");

        // The message got there, the answer did not get here.
        for answer in [Answer::new(500, "oops"), taken().after(Duration::from_millis(900))] {
            twin.will(answer);
            post.sms(database, TEXT).await;
            let (state, reason) = post.send(database).await;
            assert_eq!(state, "waiting", "{reason}");
            post.later(10);
            twin.will(page(TEXT, today, "sent"));
            assert_eq!(post.send(database).await.0, "sent");
            let asked = twin.asked();
            assert_eq!(asked.len(), 2);
            let path = "/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages.json?To=%2B15005550006&PageSize=50";
            assert_eq!((asked[1].method.as_str(), asked[1].path.as_str()), ("GET", path));
            assert_eq!(post.newest(database).await.gateway_id.as_deref(), Some("SM44444444444444444444444444444444"));
        }
        // It did not: another text, an older one, one that failed.
        for (text, date, status) in [("654321 is your code", today, "sent"), (TEXT, yesterday, "sent"), (TEXT, today, "failed")] {
            twin.will(Answer::new(502, ""));
            post.sms(database, TEXT).await;
            post.send(database).await;
            post.later(10);
            twin.will(page(text, date, status));
            twin.will(taken());
            assert_eq!(post.send(database).await.0, "sent");
            let methods: Vec<String> = twin.asked().into_iter().map(|asked| asked.method).collect();
            assert_eq!(methods, ["POST", "GET", "POST"], "{text} {date} {status}");
        }
        // A key that may not look may still send.
        twin.will(Answer::new(500, ""));
        post.sms(database, TEXT).await;
        post.send(database).await;
        post.later(10);
        twin.will(refusal(403, 20003));
        twin.will(taken());
        assert_eq!(post.send(database).await.0, "sent");
    }

    /// The process is gone between sending and saying so: its claim runs out, and the next one asks first.
    async fn a_worker_that_dies_while_it_sends_loses_nothing(database: &Database) {
        let (post, twin) = twilio(database).await;
        twin.will(taken().after(Duration::from_millis(200)));
        post.sms(database, TEXT).await;
        let dying = post.outbox.clone();
        let task = tokio::spawn(async move { dying.send_due().await });
        while twin.script_is_untouched() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(twin.asked().len(), 1);
        let other = Post::new(database).await;
        assert_eq!(other.send(database).await.0, "sending");
        other.later(61);
        twin.will(Answer::new(200, r#"{"messages":[]}"#));
        twin.will(taken());
        assert_eq!(other.send(database).await.0, "sent");
        let methods: Vec<String> = twin.asked().into_iter().map(|asked| asked.method).collect();
        assert_eq!(methods, ["GET", "POST"]);
    }

    async fn a_clock_that_steps_holds_back_no_message_and_sends_none_twice(database: &Database) {
        let (post, twin) = twilio(database).await;
        // How many were tried, and how many are sent by now.
        let go = async || {
            let tried = post.outbox.send_due().await.unwrap();
            let messages = post.store.messages(&database.keys, 10).await.unwrap();
            (tried, messages.iter().filter(|message| message.state == "sent").count())
        };
        let later = || refusal(429, 20429).with("retry-after", "30");
        // Written under a clock that ran an hour ahead.
        post.later(3600);
        post.sms(database, TEXT).await;
        post.earlier(3600);
        assert_eq!(go().await, (1, 1));
        // Put off under such a clock.
        post.later(3600);
        twin.will(later());
        post.sms(database, TEXT).await;
        assert_eq!(go().await, (1, 1));
        post.earlier(3600);
        assert_eq!(go().await, (1, 2));
        // Put off, and the clock jumps: at once, and once.
        twin.will(later());
        post.sms(database, TEXT).await;
        assert_eq!(go().await, (1, 2));
        assert_eq!(go().await, (0, 2));
        post.later(3600);
        assert_eq!(go().await, (1, 3));
        post.earlier(3600);
        assert_eq!(go().await, (0, 3));
        assert_eq!(twin.asked().len(), 5);
        // Of no use any more on one clock, of none on any.
        let until = i64::try_from(post.clock.load(Ordering::SeqCst) / 1000).unwrap() + 600;
        let new = Outgoing { channel: Channel::Sms, recipient: TO, subject: "", body: TEXT, expires_at: Some(until) };
        post.write(database, &new).await;
        post.later(3600);
        assert_eq!(go().await, (1, 3));
        post.earlier(3600);
        assert_eq!(go().await, (0, 3));
        assert!(twin.asked().is_empty());
    }

    async fn two_processes_send_each_message_once(database: &Database) {
        let (post, twin) = twilio(database).await;
        let other = Post::new(database).await;
        for number in 0..30 {
            post.sms(database, &format!("{number} is your number")).await;
        }
        let (a, b) = tokio::join!(post.outbox.send_due(), other.outbox.send_due());
        assert_eq!(a.unwrap() + b.unwrap(), 30);
        let mut bodies: Vec<String> = twin.asked().into_iter().map(|asked| asked.body).collect();
        bodies.sort();
        bodies.dedup();
        assert_eq!(bodies.len(), 30);
    }

    async fn what_came_too_late_is_not_sent(database: &Database) {
        let (post, twin) = twilio(database).await;
        let until = Some(NOW as i64 + 600);
        post.write(database, &Outgoing { channel: Channel::Sms, recipient: TO, subject: "", body: TEXT, expires_at: until }).await;
        post.later(600);
        let (state, reason) = post.send(database).await;
        assert_eq!(state, "failed");
        assert!(reason.contains("of use"), "{reason}");
        assert!(twin.asked().is_empty());
    }

    async fn a_gateway_is_asked_by_its_template(database: &Database) {
        let (post, twin) = (Post::new(database).await, HttpTwin::start().await);
        let nasty = "é\" \\ ',\"admin\":true}\r\nX: y&to=%2B1&<b>%SECRET% %TO%";
        post.set(
            database,
            &[
                ("http_url", &format!("{}/send/%TO%?key=%SECRET%&text=%TEXT%", twin.url)),
                ("http_headers", "Content-Type: application/json\nAuthorization: Bearer %SECRET%"),
                ("http_body", r#"{"to":"%TO%","text":"%TEXT%","id":"%ID%"}"#),
                ("http_secret", "s/e c?ret"),
                ("sms_sender", "http"),
            ],
        )
        .await;
        // The second try is the same message to the gateway.
        twin.will(Answer::new(503, ""));
        post.sms(database, nasty).await;
        assert_eq!(post.send(database).await.0, "waiting");
        post.later(10);
        assert_eq!(post.send(database).await.0, "sent");
        let asked = twin.asked();
        assert_eq!(asked.len(), 2);
        let message = post.newest(database).await;
        for asked in &asked {
            assert_eq!(asked.method, "POST");
            let json: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
            assert_eq!(json, serde_json::json!({ "to": TO, "text": nasty, "id": message.id }));
            assert_eq!(asked.header("authorization"), "Bearer s/e c?ret");
            assert_eq!(asked.header("idempotency-key"), message.id);
            assert!(asked.path.starts_with("/send/%2B15005550006?key=s%2Fe%20c%3Fret&text=%C3%A9%22"), "{}", asked.path);
            assert_eq!(asked.path.matches('&').count(), 1);
            assert!(asked.headers.get("x").is_none());
        }

        // Forms and XML.
        post.set(database, &[("http_headers", "Content-Type: application/x-www-form-urlencoded\\nIdempotency-Key: own-%ID%"), ("http_body", "to=%TO%&text=%TEXT%")]).await;
        post.sms(database, "a&b=c").await;
        post.send(database).await;
        let asked = twin.asked().remove(0);
        assert_eq!(asked.body, "to=%2B15005550006&text=a%26b%3Dc");
        assert!(asked.header("idempotency-key").starts_with("own-"));
        post.set(database, &[("http_headers", "Content-Type: text/xml; charset=utf-8"), ("http_body", "<sms to='%TO%'>%TEXT%</sms>")]).await;
        post.sms(database, "</sms><sms to='+1'>").await;
        post.send(database).await;
        assert_eq!(twin.asked().remove(0).body, "<sms to='+15005550006'>&lt;/sms&gt;&lt;sms to=&#39;+1&#39;&gt;</sms>");

        // A redirection would take text and key elsewhere.
        let elsewhere = HttpTwin::start().await;
        for (answer, state) in [
            (Answer::new(307, "").with("location", &elsewhere.url), "waiting"),
            (Answer::new(400, "the text again: a&b=c"), "failed"),
        ] {
            twin.will(answer);
            post.sms(database, "a&b=c").await;
            let (is, reason) = post.send(database).await;
            assert_eq!(is, state);
            assert!(!reason.contains("a&b"), "{reason}");
        }
        assert!(elsewhere.asked().is_empty());
    }

    async fn mail_goes_to_the_server_that_is_set(database: &Database) {
        let (post, twin) = (Post::new(database).await, SmtpTwin::start().await);
        post.set(
            database,
            &[
                ("smtp_host", "127.0.0.1"),
                ("smtp_port", &twin.port.to_string()),
                ("smtp_tls", "none"),
                ("smtp_user", "pam"),
                ("smtp_password", "the password"),
                ("mail_from", "Corp PAM <pam@corp.example>"),
                ("mail_sender", "smtp"),
            ],
        )
        .await;
        // Greylisted at first.
        twin.will("RCPT", "451 4.7.1 later, <ada@example.org>");
        post.mail(database, "Corp: Änderung", "Zoë,\nso it is.\n.\nBcc: eve@example.org\n").await;
        assert_eq!(post.send(database).await, ("waiting".to_owned(), "the mail server answered 451".to_owned()));
        post.later(10);
        assert_eq!(post.send(database).await.0, "sent");
        let mails = twin.mails();
        assert_eq!(mails.len(), 1);
        let mail = &mails[0];
        assert!(mail.from.starts_with("<pam@corp.example>") && mail.to == ["<ada@example.org>"], "{mail:?}");
        let id = post.newest(database).await.id;
        let (head, body) = mail.text.split_once("\n\n").unwrap();
        assert!(head.contains(&format!("Message-ID: <{id}@corp.example>")), "{head}");
        assert!(head.contains("Auto-Submitted: auto-generated") && head.contains("charset=utf-8"), "{head}");
        assert!(head.contains("From: \"Corp PAM\" <pam@corp.example>") && head.contains("Subject: Corp: =?utf-8?"), "{head}");
        assert!(!head.contains("Bcc") && body.contains("so it is."), "{body}");
        let login = data_encoding::BASE64.encode(b"\0pam\0the password");
        assert!(twin.logins().iter().all(|used| *used == login));

        // The same mail twice has the same id; an answer that is lost makes it come twice.
        twin.will(".", "421 going down");
        post.mail(database, "again", "text").await;
        post.send(database).await;
        post.later(10);
        post.send(database).await;
        let ids: Vec<String> = twin.mails().iter().map(|mail| mail.text.lines().find(|line| line.starts_with("Message-ID")).unwrap().to_owned()).collect();
        assert_eq!(ids.len(), 2);
        assert_eq!(ids[0], ids[1]);

        for (command, answer, state) in [("RCPT", "550 5.1.1 <ada@example.org> unknown", "failed"), ("AUTH", "535 no", "waiting")] {
            twin.will(command, answer);
            post.mail(database, "s", "t").await;
            let (is, reason) = post.send(database).await;
            assert_eq!(is, state, "{reason}");
            assert!(!reason.contains('@'), "{reason}");
        }
        // A subject that tries to be more than one header.
        post.later(4000);
        post.send(database).await;
        twin.mails();
        post.mail(database, "a\r\nBcc: eve@example.org\r\n\r\nbody", "t").await;
        post.send(database).await;
        let mail = twin.mails().remove(0);
        assert!(!mail.text.lines().any(|line| line.starts_with("Bcc")), "{}", mail.text);
        // Where STARTTLS is asked for and not offered, nothing goes in the clear.
        post.set(database, &[("smtp_tls", "starttls")]).await;
        post.mail(database, "s", "t").await;
        assert_eq!(post.send(database).await.0, "waiting");
        assert!(twin.mails().is_empty() && twin.logins().iter().all(|used| *used == login));
    }

    async fn what_is_not_set_is_named(database: &Database) {
        let post = Post::new(database).await;
        post.set(database, &[("sms_sender", "twilio")]).await;
        post.sms(database, TEXT).await;
        let (state, reason) = post.send(database).await;
        assert_eq!(state, "waiting");
        assert!(reason.contains("twilio_account is not set"), "{reason}");
        let stored = post.store.stored_settings().await.unwrap();
        assert!(outbox::check(&stored, &database.keys).unwrap_err().to_string().contains("twilio_account"));
        for (headers, body, wrong) in [
            ("Content-Type: application/json", r#"{"text":%TEXT%}"#, "no JSON"),
            ("Content-Type: image/png", "%TEXT%", "Content-Type"),
            ("Content-Type: text/plain", "hello", "%TEXT%"),
            ("Content-Type: text/plain", "%TEXT% %SECRET%", "http_secret"),
        ] {
            let settings = [("sms_sender", "http"), ("http_url", "https://gateway.example/"), ("http_headers", headers), ("http_body", body)];
            post.set(database, &settings).await;
            let stored = post.store.stored_settings().await.unwrap();
            let refused = outbox::check(&stored, &database.keys).unwrap_err().to_string();
            assert!(refused.contains(wrong), "{refused}");
        }
    }

    async fn a_secret_is_sealed_and_moves_to_a_new_key(database: &Database) {
        let (post, twin) = twilio(database).await;
        let stored = post.store.stored_settings().await.unwrap();
        assert!(!format!("{stored:?}").contains(TOKEN));
        let rotated = Arc::new(database.keys.rotated(&database.random));
        post.store.reseal(&rotated, &database.random, at(NOW)).await.unwrap();
        assert!(outbox::check(&post.store.stored_settings().await.unwrap(), &rotated).is_ok());
        assert!(outbox::check(&post.store.stored_settings().await.unwrap(), &database.keys).is_err());
        // The log has none of it.
        for event in post.store.audit_newest(None, 100).await.unwrap() {
            assert!(!event.detail.contains(TOKEN), "{}", event.detail);
        }
        drop(twin);
    }

    async fn a_user_is_told_of_what_others_could_have_done(database: &Database) {
        let post = Post::new(database).await;
        let (keys, random) = (&database.keys, &database.random);
        let ada = database.add_user(&post.store, "ada").await;
        let change = |phone: Option<&str>, email: Option<&str>| UserChange {
            phone: phone.map(|phone| Some(phone.to_owned())),
            email: email.map(|email| Some(email.to_owned())),
            ..UserChange::default()
        };
        let told = async || {
            let messages = post.store.messages(keys, 100).await.unwrap();
            messages.into_iter().map(|message| (message.channel, message.recipient, message.body)).collect::<Vec<_>>()
        };
        // Nobody to tell so far.
        post.store.change_user(keys, random, &ada, &change(Some(TO), None), at(NOW)).await.unwrap();
        assert!(told().await.is_empty());
        // The number that was there, not the new one.
        post.store.change_user(keys, random, &ada, &change(Some("+491701234567"), None), at(NOW + 1)).await.unwrap();
        let newest = told().await.remove(0);
        assert_eq!((newest.0, newest.1.as_str()), (Channel::Sms, TO));
        post.store.change_user(keys, random, &ada, &change(None, Some("ada@example.org")), at(NOW + 2)).await.unwrap();
        assert_eq!(told().await.remove(0).1, "+491701234567");
        // What stays is told to nobody.
        post.store.change_user(keys, random, &ada, &change(None, Some("ada@example.org")), at(NOW + 3)).await.unwrap();
        assert_eq!(told().await.len(), 2);

        // Locked: once, by mail, in the language that is set.
        post.set(database, &[("language", "de"), ("issuer", "%CODE% Corp")]).await;
        database.add_token(&post.store, &ada, &crate::kit::token(crate::kit::TOTP)).await;
        let verifier = database.verifier(Statements::REAL).await;
        for wrong in 0..20 {
            verifier.verify(attempt("ada", "nonsense", at(NOW + wrong * 3600))).await.unwrap();
        }
        let all = told().await;
        assert_eq!(all.len(), 3);
        assert_eq!((all[0].0, all[0].1.as_str()), (Channel::Mail, "ada@example.org"));
        assert!(all[0].2.starts_with("%CODE% Corp: Ihr zweiter Faktor ist"), "{}", all[0].2);
        post.store.clear_user(keys, random, &Name::new("ada").unwrap(), at(NOW + 99)).await.unwrap();
        assert_eq!(told().await.len(), 4);
    }
}

/// A minute later, without the minute.
async fn now_due(data: &std::path::Path) {
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(&format!("sqlite://{}", data.join("server.db").display())).await.unwrap();
    sqlx::query("UPDATE outbox SET next_at = 0").execute(&pool).await.unwrap();
    pool.close().await;
}

/// `kill -9` while a gateway has the message and has not answered: it comes again under the same key, and the log of all that
/// at its most talkative has none of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_sends_again_under_the_same_key() {
    use crate::cli::{Serving, done};

    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let twin = HttpTwin::start().await;
    for (name, value) in [
        ("http_url", format!("{}/send?key=%SECRET%&to=%TO%&text=%TEXT%", twin.url).as_str()),
        ("http_method", "GET"),
        ("http_secret", "the gateway's secret"),
        ("sms_sender", "http"),
    ] {
        let shown = done(data, &["settings", "set", name, value]);
        assert!(!shown.to_string().contains("gateway's"), "{shown}");
    }
    assert!(done(data, &["settings", "get"]).to_string().contains("(set)"));
    std::fs::write(data.join("password"), "seven calm otters\n").unwrap();
    let password = data.join("password");
    done(data, &["user", "add", "ada", "--phone", "+491701234567", "--password-file", password.to_str().unwrap()]);

    let serving = Serving::start(data);
    twin.will(Answer::new(200, "").after(Duration::from_secs(30)));
    let key = p256::ecdsa::SigningKey::from_bytes(&[7; 32].into()).unwrap();
    let key = data_encoding::BASE64URL_NOPAD.encode(key.verifying_key().to_sec1_point(false).as_bytes());
    let app = serde_json::json!({ "name": "Phone", "platform": "test", "public_key": key });
    let body = serde_json::json!({ "username": "ada", "password": "seven calm otters", "app": app }).to_string();
    let answer = serving.ask(&format!(
        "POST /api/v1/registrations HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    while twin.script_is_untouched() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Killed, not ended.
    drop(serving);
    let first = twin.asked().remove(0);
    let listed = done(data, &["outbox", "list"]);
    assert_eq!((&listed[0]["state"], &listed[0]["text"]), (&"sending".into(), &serde_json::Value::Null));

    now_due(data).await;
    let serving = Serving::start(data);
    while done(data, &["outbox", "list"])[0]["state"] != "sent" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let second = twin.asked();
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].header("idempotency-key"), first.header("idempotency-key"));
    assert_eq!(second[0].path, first.path);
    drop(serving);

    let text = first.path.split("&text=").nth(1).unwrap();
    let code = &text[..6];
    assert!(code.bytes().all(|b| b.is_ascii_digit()), "{text}");
    let log = std::fs::read_to_string(data.join("log")).unwrap();
    for hidden in ["gateway's", "gateway%27s", "seven calm otters", text, "is your code", &format!("={code}")] {
        assert!(!log.contains(hidden), "{hidden} is in the log");
    }
}

/// HTTPS and SMTPS, with a certificate that this process is told to trust, and with the same where it is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_gateway_with_a_trusted_certificate_gets_messages() {
    use crate::cli::{Serving, done};

    let folder = tempfile::tempdir().unwrap();
    let Some(authority) = Authority::new(folder.path()) else {
        println!("skipped: openssl is not installed");
        return;
    };
    let (sms, mail) = (HttpTwin::start_tls(&authority).await, SmtpTwin::start_tls(&authority).await);
    let data = folder.path().join("data");
    done(&data, &["user", "add", "ada", "--phone", TO, "--email", "ada@example.org"]);
    for (name, value) in [
        ("twilio_account", ACCOUNT),
        ("twilio_token", TOKEN),
        ("twilio_from", "Corp"),
        ("twilio_url", &sms.url),
        ("sms_sender", "twilio"),
        ("mail_from", "pam@corp.example"),
        ("smtp_host", "localhost"),
        ("smtp_port", &mail.port.to_string()),
        ("smtp_tls", "tls"),
        ("mail_sender", "smtp"),
        ("public_url", "https://pam.corp.example"),
    ] {
        done(&data, &["settings", "set", name, value]);
    }
    let settled = async |state: &str| {
        loop {
            let listed = done(&data, &["outbox", "list"]);
            let all = listed.as_array().unwrap();
            if all.len() == 2 && all.iter().all(|message| message["state"] == state && message["tries"] != 0) {
                return listed;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };

    // Its own roots are those of the system, which do not know it.
    let stranger = folder.path().join("stranger");
    std::fs::create_dir(&stranger).unwrap();
    let stranger = Authority::new(&stranger).unwrap().root();
    let serving = Serving::start_with(&data, &[("SSL_CERT_FILE", &stranger)]);
    done(&data, &["token", "send", "ada", "--via", "sms,email"]);
    let listed = settled("waiting").await;
    for message in listed.as_array().unwrap() {
        let reason = message["reason"].as_str().unwrap_or_default();
        assert!(reason.contains("certificate"), "{listed}");
    }
    assert!(sms.asked().is_empty() && mail.mails().is_empty());
    drop(serving);

    now_due(&data).await;
    let _serving = Serving::start_with(&data, &[("SSL_CERT_FILE", &authority.root())]);
    settled("sent").await;
    assert_eq!(mail.mails().len(), 1);
    assert!(sms.asked().last().unwrap().body.starts_with("To=%2B15005550006&From=Corp&Body="));
}
