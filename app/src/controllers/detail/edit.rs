//! Changing a token: the form is judged while it is typed, and saved as one change.

use countersign_core::{
    secret::SecretText,
    token::{Algorithm, GroupId, Kind, KindName, Token, TokenId, TokenSpec},
    vault::content::{Change, Content, NoSuchToken},
};
use rand_core::Rng as _;

use super::DetailController;
use crate::controllers::{
    ChangeError,
    form::{self, Checked, Form, SecretProblem},
};

/// A token that is being changed, as it was when that began.
pub struct Edit {
    before: Token,
    secret_shown: bool,
}

/// What the page says now.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The names and how codes are made. Its secret counts only where [`Edit::show_secret`] was called; an empty PIN
    /// leaves the one that is there.
    pub form: Form,
    /// The note.
    pub note: String,
    /// The groups that it is in.
    pub groups: Vec<GroupDraft>,
    /// Whether it is shown first.
    pub favourite: bool,
    /// The chosen icon, as `Token::icon` has it.
    pub icon: Option<String>,
}

/// A group that a token is put into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupDraft {
    /// One that there is.
    Known(GroupId),
    /// One that is made by the save.
    New(String),
}

/// A draft, judged.
#[derive(Debug, Default)]
pub struct Judged {
    /// What is wrong with the form.
    pub checked: Checked,
    /// Neither issuer nor account.
    pub nameless: bool,
    /// The secret was emptied.
    pub secretless: bool,
    /// Leaving would lose something.
    pub changed: bool,
    /// The token's parameters differ from the saved ones, so its codes may, too.
    pub other_codes: bool,
    /// The name and parameters, where all is well.
    pub spec: Option<TokenSpec>,
}

/// Why a draft was not saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaveProblem {
    /// Something in the form is wrong.
    Invalid,
    /// The vault did not take it.
    Change(ChangeError),
}

impl Edit {
    /// The token.
    pub fn id(&self) -> TokenId {
        self.before.id
    }

    /// As it was.
    pub fn before(&self) -> &Token {
        &self.before
    }

    /// Whether the secret is in the form.
    pub fn secret_shown(&self) -> bool {
        self.secret_shown
    }

    /// From now on the form's secret counts. Gives it as that kind writes it.
    pub fn show_secret(&mut self, kind: KindName) -> SecretText {
        self.secret_shown = true;
        self.secret_text(kind)
    }

    /// What the page says at the beginning, without the secret and the PIN.
    pub fn draft(&self) -> Draft {
        let Token { spec, note, groups, favourite, icon, .. } = &self.before;
        let (algorithm, digits) = match &spec.kind {
            Kind::Totp { algorithm, digits, .. } | Kind::Hotp { algorithm, digits, .. } => (*algorithm, digits.get()),
            _ => (Algorithm::Sha1, 6),
        };
        let period = match &spec.kind {
            Kind::Totp { period, .. } => period.seconds(),
            _ => 30,
        };
        Draft {
            form: Form {
                issuer: spec.issuer.clone(),
                account: spec.account.clone(),
                secret: SecretText::new(String::new()),
                kind: spec.kind.name(),
                algorithm,
                digits: digits.to_string(),
                period: period.to_string(),
                counter: spec.kind.counter().unwrap_or(0).to_string(),
                pin: SecretText::new(String::new()),
            },
            note: note.clone(),
            groups: groups.iter().map(|id| GroupDraft::Known(*id)).collect(),
            favourite: *favourite,
            icon: icon.clone(),
        }
    }

    /// Judges a draft while it is typed.
    pub fn judge(&self, draft: &Draft) -> Judged {
        let mut form = draft.form.clone();
        if !self.secret_shown {
            form.secret = self.secret_text(form.kind);
        }
        if form.pin.is_empty()
            && form.kind == self.before.spec.kind.name()
            && let Some(pin) = self.before.spec.kind.pin()
        {
            form.pin = pin.clone();
        }
        let mut checked = form::check(&form);
        if checked.tokens.len() > 1 {
            checked.secret = Some(SecretProblem::Link);
        }
        let nameless = form.issuer.trim().is_empty() && form.account.trim().is_empty();
        let good = checked.secret.is_none() && !nameless;
        let spec = checked.tokens.first().filter(|_| good).map(|found| self.spec(found.spec.clone(), &form));
        let saved = &self.before;
        let changed = spec.as_ref() != Some(&saved.spec)
            || draft.note != saved.note
            || draft.favourite != saved.favourite
            || draft.icon != saved.icon
            || self.groups_changed(draft);
        Judged {
            nameless,
            secretless: self.secret_shown && form.secret.expose().trim().is_empty(),
            changed,
            other_codes: spec.as_ref().is_some_and(|spec| !spec.same_codes(&saved.spec)),
            spec,
            checked,
        }
    }

    /// What was typed, with what the form does not show.
    fn spec(&self, found: TokenSpec, form: &Form) -> TokenSpec {
        let before = &self.before.spec;
        // Names that nobody touched stay as they are, spaces and all.
        let kept = |typed: &str, before: &String| {
            if typed == before { before.clone() } else { typed.trim().to_owned() }
        };
        let (issuer, account) = (kept(&form.issuer, &before.issuer), kept(&form.account, &before.account));
        let label_issuer = before.label_issuer.clone().filter(|_| issuer == before.issuer);
        let same_secret = found.secret.bytes() == before.secret.bytes();
        // A link that took the secret's place brings its own.
        let uri_parameters =
            if found.uri_parameters.is_empty() { before.uri_parameters.clone() } else { found.uri_parameters };
        let secret = if same_secret { before.secret.clone() } else { found.secret };
        TokenSpec { issuer, account, label_issuer, kind: found.kind, secret, uri_parameters }
    }

    fn groups_changed(&self, draft: &Draft) -> bool {
        let known = |id: &GroupId| draft.groups.contains(&GroupDraft::Known(*id));
        draft.groups.len() != self.before.groups.len() || !self.before.groups.iter().all(known)
    }

    fn secret_text(&self, kind: KindName) -> SecretText {
        match kind {
            KindName::Motp => self.before.spec.secret.hex(),
            _ => self.before.spec.secret.base32(),
        }
    }
}

impl DetailController {
    /// Begins to change a token; says whether there is one.
    pub fn begin_edit(&self, id: TokenId) -> bool {
        let before = self.door.content().and_then(|content| content.token(id).cloned());
        let edit = before.map(|before| Edit { before, secret_shown: false });
        let begun = edit.is_some();
        *self.edit.borrow_mut() = edit;
        begun
    }

    /// Saves a draft as one change.
    pub fn save_edit(&self, draft: &Draft) -> Result<(), SaveProblem> {
        let edit = self.edit.borrow();
        let edit = edit.as_ref().ok_or(SaveProblem::Change(ChangeError::NoSuchToken))?;
        let judged = edit.judge(draft);
        let spec = judged.spec.ok_or(SaveProblem::Invalid)?;
        let before = &edit.before;
        // What the page did not change is left to whatever else changed it meanwhile.
        let mut change = Change {
            spec: (spec != before.spec).then_some(spec),
            groups: None,
            favourite: (draft.favourite != before.favourite).then_some(draft.favourite),
            note: (draft.note != before.note).then(|| draft.note.clone()),
            icon: (draft.icon != before.icon).then(|| draft.icon.clone()),
        };
        let regroup = edit.groups_changed(draft);
        let now = self.services.clock.now();
        let mut random = (self.services.random)();
        self.door
            .edit(&self.services, |content| {
                let token = content.token(before.id).ok_or(NoSuchToken)?;
                if let Some(spec) = &mut change.spec {
                    keep_counter(spec, &before.spec, &token.spec);
                }
                if regroup {
                    change.groups = Some(groups(content, &draft.groups, || {
                        let mut bytes = [0; 16];
                        random.fill_bytes(&mut bytes);
                        GroupId::from_random(bytes)
                    }));
                }
                content.change(before.id, change, now)
            })
            .map_err(SaveProblem::Change)
    }
}

/// Codes may have been made while the page was open: a counter that was not typed anew is the vault's.
fn keep_counter(spec: &mut TokenSpec, before: &TokenSpec, current: &TokenSpec) {
    if let (Kind::Hotp { counter, .. }, Some(old), Some(new)) =
        (&mut spec.kind, before.kind.counter(), current.kind.counter())
        && *counter == old
    {
        *counter = new;
    }
}

fn groups(content: &mut Content, drafts: &[GroupDraft], mut new_id: impl FnMut() -> GroupId) -> Vec<GroupId> {
    let mut ids = Vec::new();
    for draft in drafts {
        let id = match draft {
            // Removed meanwhile: nothing to be in.
            GroupDraft::Known(id) if !content.groups().iter().any(|group| group.id == *id) => continue,
            GroupDraft::Known(id) => *id,
            GroupDraft::New(name) => content.group(new_id(), name),
        };
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use countersign_core::token::{Digits, Period, TokenSecret};

    use super::*;

    fn edit(kind: Kind) -> Edit {
        let mut content = Content::default();
        let id = TokenId::from_random([1; 16]);
        let spec = TokenSpec {
            issuer: " Example ".into(),
            account: "me".into(),
            kind,
            secret: TokenSecret::from_base32("jbsw y3dp ehpk 3pxp").unwrap(),
            label_issuer: Some("Old".into()),
            uri_parameters: vec![("image".into(), "x".into())],
        };
        content.add(id, spec, 1);
        Edit { before: content.token(id).unwrap().clone(), secret_shown: false }
    }

    fn totp() -> Kind {
        Kind::Totp { algorithm: Algorithm::Sha1, digits: Digits::SIX, period: Period::THIRTY }
    }

    #[test]
    fn a_page_that_was_only_looked_at_changes_nothing() {
        for kind in [totp(), Kind::Steam, Kind::Motp { pin: Some(SecretText::new("1234".into())) }] {
            let mut edit = edit(kind);
            let draft = edit.draft();
            let judged = edit.judge(&draft);
            assert!(!judged.changed && !judged.nameless, "{judged:?}");
            let mut shown = draft;
            shown.form.secret = edit.show_secret(shown.form.kind);
            assert!(!edit.judge(&shown).changed);
        }
    }

    #[test]
    fn what_the_form_does_not_show_stays() {
        let edit = edit(totp());
        let mut draft = edit.draft();
        draft.form.account = "you".into();
        draft.form.digits = "8".into();
        let judged = edit.judge(&draft);
        let spec = judged.spec.unwrap();
        assert!(judged.changed && judged.other_codes);
        assert_eq!(spec.secret.text().expose(), "jbsw y3dp ehpk 3pxp");
        assert_eq!(spec.issuer, " Example ");
        assert_eq!(spec.label_issuer.as_deref(), Some("Old"));
        assert_eq!(spec.uri_parameters.len(), 1);
        draft.form.issuer = "Example".into();
        assert_eq!(edit.judge(&draft).spec.unwrap().label_issuer, None);
    }

    #[test]
    fn a_wrong_draft_is_a_change_that_cannot_be_saved() {
        let mut edit = edit(totp());
        let mut draft = edit.draft();
        draft.form.issuer = " ".into();
        draft.form.account.clear();
        let judged = edit.judge(&draft);
        assert!(judged.nameless && judged.changed && judged.spec.is_none());
        let mut draft = edit.draft();
        edit.show_secret(KindName::Totp);
        let judged = edit.judge(&draft);
        assert!(judged.secretless && judged.spec.is_none());
        draft.form.secret = SecretText::new("JBSWY3DPEHP1".into());
        assert!(edit.judge(&draft).checked.secret.is_some());
    }

    #[test]
    fn a_link_in_the_secret_brings_parameters_and_leaves_the_names() {
        let mut edit = edit(totp());
        edit.show_secret(KindName::Totp);
        let mut draft = edit.draft();
        draft.form.secret =
            SecretText::new("otpauth://totp/Other:x?secret=GEZDGNBVGY3TQOJQ&issuer=Other&digits=8".into());
        let spec = edit.judge(&draft).spec.unwrap();
        assert_eq!((spec.issuer.as_str(), spec.account.as_str()), (" Example ", "me"));
        assert_eq!(spec.kind.digits(), 8);
        assert_eq!(spec.secret.base32().expose(), "GEZDGNBVGY3TQOJQ");
    }

    #[test]
    fn codes_made_meanwhile_are_not_made_again() {
        let hotp = |counter| edit(Kind::Hotp { algorithm: Algorithm::Sha1, digits: Digits::SIX, counter }).before.spec;
        let mut saved = hotp(5);
        keep_counter(&mut saved, &hotp(5), &hotp(7));
        assert_eq!(saved.kind.counter(), Some(7));
        let mut typed = hotp(9);
        keep_counter(&mut typed, &hotp(5), &hotp(7));
        assert_eq!(typed.kind.counter(), Some(9));
    }
}
