//! The ledger of an import: it adds up, keeps what it cannot read, and goes as one step.

use countersign_core::{
    import::{Counts, Fate},
    vault::Content,
};

use super::kit::{Counting, NOW, read};

/// An Aegis export with a good entry, one without a counter, one that cannot be read, and one twice.
const MIXED: &str = r#"{"version":1,"header":{"slots":null,"params":null},"db":{"version":3,
    "groups":[{"uuid":"g1","name":"Work"}],"entries":[
    {"type":"totp","uuid":"1","name":"ada","issuer":"Ash","note":"n","favorite":true,"groups":["g1"],
     "info":{"secret":"GEZDGNBVGY3TQOJQ","algo":"SHA1","digits":6,"period":30}},
    {"type":"hotp","uuid":"2","name":"ada","issuer":"Birch","info":{"secret":"GEZDGNBV","algo":"SHA1","digits":6}},
    {"type":"totp","uuid":"3","name":"ada","issuer":"Cedar","info":{"secret":"GEZDGNBV","algo":"SHA3","digits":6,"period":30}},
    {"type":"totp","uuid":"4","name":"ada","issuer":"Ash",
     "info":{"secret":"GEZDGNBVGY3TQOJQ","algo":"SHA1","digits":6,"period":30}},
    {"type":"totp","uuid":"5","name":"ada","issuer":"Ash",
     "info":{"secret":"MFRGGZDFMZTWQ2LK","algo":"SHA1","digits":6,"period":30}}]}}"#;

#[test]
fn every_record_has_one_fate_and_the_counts_add_up() {
    let source = read(MIXED.as_bytes(), None).unwrap();
    let mut vault = Content::default();
    let planned = source.plan(&vault, &mut Counting::default(), NOW);
    assert!(vault.tokens().is_empty(), "a plan changes nothing");
    let done = source.merge_into(&mut vault, &mut Counting::default(), NOW);
    let counts =
        Counts { records: 5, added: 1, repaired: 1, already_there: 1, conflict: 1, unreadable: 1, without_token: 0 };
    assert_eq!((planned.counts, done.counts), (counts, counts));
    assert_eq!(counts.sum(), source.count());
    assert_eq!(vault.tokens().len(), counts.new_tokens());
    let fates: Vec<bool> = done.lines.iter().map(|line| line.code.is_some()).collect();
    assert_eq!(fates, [true, true, false, true, true], "a first code for each that has one");
    let first = vault.tokens()[0].id;
    assert_eq!(done.lines[3].fate, Fate::AlreadyThere(first));
    assert_eq!(done.lines[4].fate, Fate::Conflict(first));
    assert_eq!(done.lines[2].remarks, [r#"unknown algorithm "SHA3": SHA1, SHA256 and SHA512 are known"#]);
    let token = &vault.tokens()[0];
    assert_eq!((token.note.as_str(), token.favourite, token.groups.len()), ("n", true, 1));
    assert_eq!(vault.groups()[0].name, "Work");
}

#[test]
fn what_cannot_be_read_stays_until_the_import_is_taken_back() {
    let source = read(MIXED.as_bytes(), None).unwrap();
    let mut vault = Content::default();
    source.merge_into(&mut vault, &mut Counting::default(), NOW);
    let name = |vault: &Content| vault.unreadable().iter().map(|kept| kept.name.clone()).collect::<Vec<_>>();
    assert_eq!(name(&vault), ["Cedar (ada)"]);

    let again = source.merge_into(&mut vault, &mut Counting::default(), NOW + 1);
    assert_eq!((again.counts.already_there, again.counts.new_tokens()), (4, 0));
    assert_eq!(name(&vault), ["Cedar (ada)"], "it is kept once");

    assert_eq!(vault.imports().len(), 1, "an import that changes nothing is none");
    assert_eq!(vault.undo_import(NOW + 2), 3);
    assert!(vault.tokens().is_empty() && vault.unreadable().is_empty() && vault.groups().is_empty());
}
