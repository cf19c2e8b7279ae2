//! Which token answers to a server.

#![allow(clippy::expect_used)]

use countersign_core::{
    matching::{Answer, Ask, NoToken, pick},
    token::{Kind, Registration, Token, TokenId, TokenSecret, TokenSpec},
};

const HERE: &str = "https://pam.example";
const THERE: &str = "https://other.example";

fn id(number: u8) -> TokenId {
    TokenId::from_random([number; 16])
}

fn token(number: u8, issuer: &str, server: Option<&str>) -> Token {
    let secret = TokenSecret::from_bytes(vec![number; 20]).expect("a secret");
    Token {
        id: id(number),
        spec: TokenSpec {
            issuer: issuer.into(),
            account: "ada".into(),
            kind: Kind::Steam,
            secret,
            label_issuer: None,
            uri_parameters: vec![],
        },
        groups: vec![],
        favourite: false,
        note: String::new(),
        icon: None,
        created_at: 0,
        updated_at: 0,
        used_at: None,
        use_count: 0,
        registration: server.map(|server| Registration {
            server: server.into(),
            token_id: "t".into(),
            app_id: "a".into(),
            registered_at: 0,
            moved_at: None,
            taken_back: false,
            exportable: true,
        }),
        history: vec![],
    }
}

#[test]
fn the_servers_own_token_is_taken() {
    let tokens = [
        token(1, "Corp PAM", Some(THERE)),
        token(2, " corp pam", Some("https://PAM.example/")),
        token(3, "Corp PAM", None),
        token(4, "Mail", Some(HERE)),
    ];
    assert_eq!(pick(&tokens, HERE, "CORP PAM", "a"), Answer::One(id(2)));
}

#[test]
fn several_are_the_users_choice() {
    let tokens = [token(1, "Corp", Some(HERE)), token(2, "corp", Some(HERE)), token(3, "Corp", Some(THERE))];
    assert_eq!(pick(&tokens, HERE, "Corp", "a"), Answer::Ask { tokens: vec![id(1), id(2)], because: Ask::Several });
}

#[test]
fn another_issuer_at_the_server_is_asked_about() {
    let tokens = [token(1, "Old name", Some(HERE)), token(2, "Corp", Some(THERE))];
    assert_eq!(pick(&tokens, HERE, "Corp", "a"), Answer::Ask { tokens: vec![id(1)], because: Ask::OtherIssuer });
    assert_eq!(pick(&tokens[..1], HERE, "", "a"), Answer::Ask { tokens: vec![id(1)], because: Ask::OtherIssuer });
}

/// A server that only calls itself like another must not get its code without a question.
#[test]
fn another_server_of_that_name_is_asked_about() {
    let tokens = [token(1, "Corp", Some(THERE)), token(2, "Corp", None)];
    assert_eq!(pick(&tokens, HERE, "Corp", "a"), Answer::Ask { tokens: vec![id(1)], because: Ask::OtherServer });
}

#[test]
fn without_a_match_the_way_is_to_registration() {
    let tokens = [token(1, "Corp", None), token(2, "Mail", Some(THERE))];
    assert_eq!(pick(&tokens, HERE, "Corp", "a"), Answer::None(NoToken::NotRegistered(vec![id(1)])));
    assert_eq!(pick(&tokens, HERE, "Bank", "a"), Answer::None(NoToken::NoMatch));
    assert_eq!(pick(&[], HERE, "", "a"), Answer::None(NoToken::NoMatch));
}

#[test]
fn a_token_of_another_app_is_not_registered_here() {
    let mut moved = token(1, "Corp", Some(HERE));
    moved.registration.as_mut().expect("registered").moved_at = Some(7);
    assert_eq!(pick(&[moved], HERE, "Corp", "a"), Answer::None(NoToken::NotRegistered(vec![id(1)])));
    let tokens = [token(1, "Corp", Some(HERE))];
    assert_eq!(pick(&tokens, HERE, "Corp", "b"), Answer::None(NoToken::NotRegistered(vec![id(1)])));
}
