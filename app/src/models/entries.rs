//! What a backup and another app's file bring, entry by entry.

use countersign_core::{
    import::{Fate, Outcome, Remark},
    token::TokenSpec,
    uri::{Part, Warning},
    vault::{content::Flaw, ledger},
};
use countersign_ui::{LedgerCounts, LedgerPart, LedgerRemark, Verdict};

use super::{
    ledger::{Entries, Entry, RemarkRow},
    number,
};
use crate::controllers::{
    backup::restore::{Opened, RestoreController},
    moving::import::ImportController,
};

/// A backup: its tokens, then the entries that cannot be read.
impl Entries for RestoreController {
    fn count(&self) -> usize {
        self.opened().map_or(0, |opened| opened.ledger.lines.len() + opened.source.unreadable().len())
    }

    fn counts(&self) -> LedgerCounts {
        let Some(opened) = self.opened() else { return LedgerCounts::default() };
        let Opened { source, ledger, .. } = &*opened;
        let mut counts = LedgerCounts {
            total: number(ledger.lines.len() + source.unreadable().len()),
            unreadable: number(source.unreadable().len()),
            ..LedgerCounts::default()
        };
        for line in &ledger.lines {
            match line.verdict {
                ledger::Verdict::AlreadyThere(_) => counts.already_here += 1,
                ledger::Verdict::Differs(_) => counts.conflicts += 1,
                _ => counts.new += 1,
            }
        }
        counts
    }

    fn show(&self, at: usize, to: &mut dyn FnMut(Entry<'_>)) {
        let Some(opened) = self.opened() else { return };
        let Opened { source, ledger, .. } = &*opened;
        let Some(line) = ledger.lines.get(at) else {
            if let Some(unreadable) = source.unreadable().get(at - ledger.lines.len()) {
                to(Entry {
                    verdict: Verdict::Unreadable,
                    name: &unreadable.name,
                    token: None,
                    here: None,
                    remark: Some(unread(unreadable.flaw.as_ref())),
                    more: 0,
                });
            }
            return;
        };
        let (verdict, conflict) = match &line.verdict {
            ledger::Verdict::AlreadyThere(_) => (Verdict::AlreadyHere, None),
            ledger::Verdict::Differs(id) => (Verdict::Conflict, Some(*id)),
            _ => (Verdict::New, None),
        };
        let vault = self.vault();
        // A record may also differ from an earlier one of the same backup.
        let here = conflict.and_then(|id| {
            let earlier = || ledger.lines.iter().map(|line| &line.token).find(|token| token.id == id);
            vault.as_ref().and_then(|vault| vault.token(id)).or_else(earlier)
        });
        to(Entry {
            verdict,
            name: "",
            token: Some((&line.token.spec, line.token.icon.as_deref())),
            here: here.map(|token| &token.spec),
            remark: None,
            more: 0,
        });
    }
}

/// Another app's file, record by record.
impl Entries for ImportController {
    fn count(&self) -> usize {
        self.opened().map_or(0, |opened| opened.plan.lines.len())
    }

    fn counts(&self) -> LedgerCounts {
        let Some(opened) = self.opened() else { return LedgerCounts::default() };
        let counts = opened.plan.counts;
        LedgerCounts {
            total: number(counts.records),
            new: number(counts.added),
            repaired: number(counts.repaired),
            already_here: number(counts.already_there),
            conflicts: number(counts.conflict),
            unreadable: number(counts.unreadable),
            without_token: number(counts.without_token),
        }
    }

    fn show(&self, at: usize, to: &mut dyn FnMut(Entry<'_>)) {
        let Some(opened) = self.opened() else { return };
        let (Some(line), Some(record)) = (opened.plan.lines.get(at), opened.source.records.get(at)) else { return };
        let vault = self.vault();
        let (verdict, conflict) = match line.fate {
            Fate::Added => (Verdict::New, None),
            Fate::Repaired => (Verdict::Repaired, None),
            Fate::AlreadyThere(_) => (Verdict::AlreadyHere, None),
            Fate::Conflict(id) => (Verdict::Conflict, Some(id)),
            _ => (Verdict::Unreadable, None),
        };
        let here = conflict.and_then(|id| {
            let tokens = || opened.plan.lines.iter().filter_map(|line| line.token.as_ref());
            vault.as_ref().and_then(|vault| vault.token(id)).or_else(|| tokens().find(|token| token.id == id))
        });
        let (spec, remarks): (Option<&TokenSpec>, Vec<RemarkRow>) = match &record.outcome {
            Outcome::Token(draft) => (Some(&draft.spec), draft.remarks.iter().map(remark).collect()),
            Outcome::Unreadable(unread) => (None, vec![self::unread(unread.problem.flaw().as_ref())]),
        };
        let more = remarks.len().saturating_sub(1);
        to(Entry {
            verdict,
            name: &line.name,
            token: spec.map(|spec| (spec, None)),
            here: here.map(|token| &token.spec),
            // What was put right comes before what was only noted.
            remark: remarks.into_iter().min_by_key(|row| row.remark as i32),
            more,
        });
    }
}

fn row(remark: LedgerRemark) -> RemarkRow {
    RemarkRow { remark, part: LedgerPart::None, found: String::new(), taken: String::new() }
}

/// What was unusual about an entry, or put right.
fn remark(remark: &Remark) -> RemarkRow {
    match remark {
        Remark::Link(warning) => of_link(warning),
        Remark::Assumed { part: about, taken } => {
            RemarkRow { part: part(*about), taken: taken.clone(), ..row(LedgerRemark::Assumed) }
        }
        Remark::Replaced { part: about, found, taken } => {
            RemarkRow { part: part(*about), found: found.clone(), taken: taken.clone(), ..row(LedgerRemark::Replaced) }
        }
        Remark::Trashed => row(LedgerRemark::Trashed),
        Remark::Unsaid => row(LedgerRemark::Unsaid),
        _ => row(LedgerRemark::Unusual),
    }
}

fn of_link(warning: &Warning) -> RemarkRow {
    match warning {
        Warning::UnusualDigits(_) => row(LedgerRemark::UnusualDigits),
        Warning::CounterMissing => row(LedgerRemark::NoCounter),
        Warning::Duplicate(about) => RemarkRow { part: part(*about), ..row(LedgerRemark::Repeated) },
        Warning::Empty(about) => RemarkRow { part: part(*about), ..row(LedgerRemark::Empty) },
        Warning::BadPercent(about) => RemarkRow { part: part(*about), ..row(LedgerRemark::Percent) },
        Warning::Fixed { part: about, given } => {
            RemarkRow { part: part(*about), found: given.clone(), ..row(LedgerRemark::Fixed) }
        }
        Warning::LabelIssuer { label, issuer } => {
            RemarkRow { found: label.clone(), taken: issuer.clone(), ..row(LedgerRemark::OtherIssuer) }
        }
        Warning::NameMissing => row(LedgerRemark::NoName),
        Warning::RawHash => row(LedgerRemark::Hash),
        Warning::PinMissing => row(LedgerRemark::NoPin),
        Warning::MaybeSteam => row(LedgerRemark::MaybeSteam),
        Warning::SteamBase64 => row(LedgerRemark::SteamBase64),
        Warning::TypeMissing => row(LedgerRemark::NoType),
        _ => row(LedgerRemark::Unusual),
    }
}

/// Why an entry of another app could not be read.
pub fn unread(flaw: Option<&Flaw>) -> RemarkRow {
    let about = |remark, found: &String| RemarkRow { found: found.clone(), ..row(remark) };
    match flaw {
        Some(Flaw::Missing(field)) => about(LedgerRemark::NoField, field),
        Some(Flaw::Malformed(field)) => about(LedgerRemark::BadField, field),
        Some(Flaw::Shape) => row(LedgerRemark::NoRecord),
        Some(Flaw::Secret) => row(LedgerRemark::BadSecret),
        Some(Flaw::Character(position, character)) => {
            RemarkRow { found: character.to_string(), taken: position.to_string(), ..row(LedgerRemark::BadCharacter) }
        }
        Some(Flaw::Algorithm) => row(LedgerRemark::BadAlgorithm),
        Some(Flaw::Digits) => row(LedgerRemark::BadDigits),
        Some(Flaw::Period) => row(LedgerRemark::BadPeriod),
        Some(Flaw::Kind(kind)) => about(LedgerRemark::OtherKind, kind),
        Some(Flaw::Sealed) => row(LedgerRemark::Sealed),
        Some(Flaw::TooMany) => row(LedgerRemark::TooMany),
        Some(Flaw::TooLong) => row(LedgerRemark::TooLong),
        Some(Flaw::Link) => row(LedgerRemark::BadLink),
        _ => row(LedgerRemark::Unread),
    }
}

/// Why an entry of a vault itself could not be read.
pub fn by_a_newer_one() -> RemarkRow {
    row(LedgerRemark::Newer)
}

fn part(part: Part) -> LedgerPart {
    match part {
        Part::Label => LedgerPart::Label,
        Part::Issuer => LedgerPart::Issuer,
        Part::Secret => LedgerPart::Secret,
        Part::Algorithm => LedgerPart::Algorithm,
        Part::Digits => LedgerPart::Digits,
        Part::Period => LedgerPart::Period,
        Part::Counter => LedgerPart::Counter,
        Part::Encoder => LedgerPart::Encoder,
        Part::Pin => LedgerPart::Pin,
        _ => LedgerPart::None,
    }
}
