//! Records that could not be read when they came, read again: a later version may know more.

use rand_core::CryptoRng;

use super::{FORMATS, Outcome, Plan, Problem, Record, Source, record::Unread};
use crate::vault::{Content, content::KeptId};

/// Reads kept records of other apps' files again, as their formats are known now. What can be read becomes a token, or is
/// there already, and is kept no longer; the rest stays as it is. One line a record.
///
/// `ids` names the records; none means all. Groups that a record names by a number of its file are not found again.
/// The entries of this vault are no such records: they are read at each opening. `now` is in Unix seconds.
pub fn read_again(vault: &mut Content, ids: &[KeptId], rng: &mut dyn CryptoRng, now: u64) -> Plan {
    let mut source = Source::new("");
    let mut read = Vec::new();
    for (id, foreign) in vault.kept_foreign() {
        if !ids.is_empty() && !ids.contains(&id) {
            continue;
        }
        let format = FORMATS.iter().find(|format| format.name == foreign.format);
        let draft = format.map_or(Err(Problem::Shape), |format| format.record(foreign.raw.expose()));
        let outcome = match draft {
            Ok(mut draft) => {
                // A link or a secret alone has no name of its own.
                if draft.spec.title().is_empty() {
                    draft.spec.issuer.clone_from(&foreign.name);
                }
                read.push(id);
                Outcome::Token(Box::new(draft))
            }
            // What was said when it came is more to the point where the record alone is less than its file.
            Err(_) => {
                Outcome::Unreadable(Unread { problem: Problem::Kept(foreign.reason, foreign.flaw), raw: foreign.raw })
            }
        };
        source.records.push(Record { name: foreign.name, outcome });
    }
    let plan = source.add_to(vault, rng, now);
    vault.delete_kept(&read);
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        import::Fate,
        secret::SecretText,
        vault::{content::Foreign, testing::Seeded},
    };

    const LINK: &str = "otpauth://totp/Ash:ada?secret=GEZDGNBV&issuer=Ash";
    /// Of each format, a record as it stands in its file: the same token every time.
    const RECORDS: [(&str, &str); 19] = [
        ("aegis", r#"{"type":"totp","name":"ada","issuer":"Ash","groups":["x"],"info":{"secret":"GEZDGNBV"}}"#),
        ("2fas", r#"{"name":"Ash","secret":"GEZDGNBV","otp":{"account":"ada","tokenType":"TOTP"},"groupId":"x"}"#),
        ("andotp", r#"{"secret":"GEZDGNBV","issuer":"Ash","label":"ada","type":"TOTP"}"#),
        ("ente", LINK),
        ("bitwarden", LINK),
        ("bitwarden-authenticator", r#"{"name":"Ash","login":{"username":"ada","totp":"GEZDGNBV"}}"#),
        (
            "proton",
            r#"{"note":null,"content":{"name":"ada","uri":"otpauth://totp/Ash:ada?secret=GEZDGNBV&issuer=Ash"}}"#,
        ),
        ("stratum", r#"{"Type":2,"Issuer":"Ash","Username":"ada","Secret":"GEZDGNBV"}"#),
        ("freeotp", r#"{"type":"TOTP","issuerExt":"Ash","label":"ada","secret":[49,50,51,52,53]}"#),
        ("freeotp+", r#"{"type":"TOTP","issuerExt":"Ash","label":"ada","secret":[49,50,51,52,53]}"#),
        ("lastpass", r#"{"issuerName":"Ash","userName":"ada","secret":"GEZDGNBV","folderData":{"folderId":3}}"#),
        ("raivo", r#"{"kind":"TOTP","issuer":"Ash","account":"ada","secret":"GEZDGNBV","timer":"30"}"#),
        ("totp-authenticator", r#"{"issuer":"Ash","name":"ada","key":"3132333435","base":16}"#),
        ("keepass", LINK),
        ("otpclient", r#"{"type":"TOTP","issuer":"Ash","label":"ada","secret":"GEZDGNBV"}"#),
        ("duo", r#"{"serviceTypeLabel":"Ash","name":"ada","otpGenerator":{"otpSecret":"GEZDGNBV"}}"#),
        ("privacyidea", r#"{"type":"TOTP","issuer":"Ash","label":"ada","secret":"GEZDGNBV"}"#),
        ("winauth", LINK),
        ("uri", LINK),
    ];

    fn kept(vault: &mut Content, format: &str, name: &str, raw: &str) {
        vault.keep(&Foreign {
            name: name.to_owned(),
            format: crate::import::format(format).map_or(format, |format| format.name).to_owned(),
            reason: "an earlier version could not read it".to_owned(),
            flaw: None,
            raw: SecretText::new(raw.to_owned()),
            import: Some((5, "Aegis".to_owned())),
        });
    }

    #[test]
    fn what_can_be_read_by_now_becomes_a_token() {
        for (format, raw) in RECORDS {
            let mut vault = Content::default();
            kept(&mut vault, format, "Ash (ada)", raw);
            let plan = read_again(&mut vault, &[], &mut Seeded::new(1), 60);
            assert_eq!(plan.counts.added, 1, "{format}: {:?}", plan.lines);
            let token = &vault.tokens()[0];
            assert_eq!(token.spec.title(), "Ash (ada)", "{format}");
            assert_eq!(token.spec.secret.bytes().expose(), b"12345", "{format}");
            assert_eq!((token.created_at, token.groups.len()), (60, 0));
            assert!(vault.unreadable().is_empty() && vault.imports().is_empty());
        }
    }

    #[test]
    fn what_cannot_stays_and_the_counts_add_up() {
        let mut vault = Content::default();
        kept(&mut vault, "uri", "line 1", LINK);
        kept(&mut vault, "uri", "line 2", "otpauth://totp/Ash:ada?secret=1");
        kept(&mut vault, "aegis", "line 3", LINK);
        kept(&mut vault, "an app that nobody knows", "line 4", LINK);
        kept(&mut vault, "bitwarden", "Bank", "MFRGGZDF");
        let before = vault.kept();

        // Those that are named only.
        let plan = read_again(&mut vault, &[before[1].id, before[4].id], &mut Seeded::new(1), 60);
        assert_eq!((plan.counts.records, plan.counts.unreadable, plan.counts.added), (2, 1, 1));
        assert_eq!(plan.lines[0].remarks, ["an earlier version could not read it"]);
        assert_eq!(vault.tokens()[0].spec.title(), "Bank");
        assert_eq!(vault.kept(), before[..4]);

        let plan = read_again(&mut vault, &[], &mut Seeded::new(2), 60);
        let fates: Vec<Fate> = plan.lines.iter().map(|line| line.fate).collect();
        assert_eq!(fates, [Fate::Added, Fate::Unreadable, Fate::Unreadable, Fate::Unreadable]);
        assert_eq!(plan.counts.sum(), 4);
        assert_eq!(vault.kept(), before[1..4]);

        // What is there already is no loss either.
        kept(&mut vault, "uri", "line 1", LINK);
        let plan = read_again(&mut vault, &[], &mut Seeded::new(3), 60);
        assert_eq!((plan.counts.already_there, vault.tokens().len(), vault.kept().len()), (1, 2, 3));
    }
}
