//! The content as JSON text, version 1.

use std::io::{self, Write};

use data_encoding::BASE32_NOPAD;
use zeroize::{Zeroize, Zeroizing};

use super::{Content, Extra, Fields, Import, Kept, Section};
use crate::token::{Group, Kind, Registration, Revision, Token, TokenSpec};

/// The version that is written.
pub(super) const CONTENT_VERSION: u64 = 1;

impl Content {
    /// The content as the vault keeps it.
    pub(in crate::vault) fn to_json(&self) -> Zeroizing<Vec<u8>> {
        self.write(true)
    }

    /// The content as a backup takes it along: without what was deleted, the list of imports, the keys of this app, its
    /// private settings, and whatever a newer program keeps beside them.
    pub(crate) fn to_backup_json(&self) -> Zeroizing<Vec<u8>> {
        self.write(false)
    }

    fn write(&self, with_private: bool) -> Zeroizing<Vec<u8>> {
        let mut json = JsonText::with_capacity(1024 + 512 * (self.tokens.len() + self.trash.len()));
        json.open('{');
        json.number("content_version", CONTENT_VERSION);
        self.section(&mut json, "tokens", Section::Tokens, &self.tokens, |json, token| {
            json.token(token, None, self.extra.tokens.get(&token.id));
        });
        self.section(&mut json, "groups", Section::Groups, &self.groups, |json, group| {
            json.group(group, self.extra.groups.get(&group.id));
        });
        self.section(&mut json, "trash", Section::Trash, only(with_private, &self.trash), |json, trashed| {
            json.token(&trashed.token, Some(trashed.removed_at), self.extra.tokens.get(&trashed.token.id));
        });
        self.section(&mut json, "imports", Section::Imports, only(with_private, &self.imports), |json, import| {
            json.import(import, self.extra.imports.get(&(import.at, import.source.clone())));
        });
        if with_private {
            json.key("settings");
            json.open('{');
            json.fields(&self.settings);
            json.close('}');
            json.key("app_keys");
            json.open('{');
            json.fields(&self.app_keys);
            json.close('}');
            json.fields(&self.extra.content);
        }
        json.close('}');
        json.text
    }

    /// A list, with the entries that could not be read at their places.
    fn section<T>(
        &self,
        json: &mut JsonText,
        name: &str,
        section: Section,
        items: &[T],
        write: impl Fn(&mut JsonText, &T),
    ) {
        let mut kept: Vec<&Kept> = self.kept.iter().filter(|kept| kept.section == section).collect();
        kept.sort_by_key(|kept| kept.place);
        let mut kept = kept.into_iter().peekable();
        let mut place = 0;
        json.key(name);
        json.open('[');
        for item in items {
            while let Some(entry) = kept.next_if(|entry| entry.place <= place) {
                json.item(entry.json.expose());
                place += 1;
            }
            json.comma();
            write(json, item);
            place += 1;
        }
        for entry in kept {
            json.item(entry.json.expose());
        }
        json.close(']');
    }
}

/// The items, or none of them.
fn only<T>(wanted: bool, items: &[T]) -> &[T] {
    if wanted { items } else { &[] }
}

/// JSON text in memory that is wiped, also where it had to grow.
pub(super) struct JsonText {
    pub(super) text: Zeroizing<Vec<u8>>,
}

impl Write for JsonText {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl JsonText {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { text: Zeroizing::new(Vec::with_capacity(bytes)) }
    }

    fn push(&mut self, bytes: &[u8]) {
        let needed = self.text.len() + bytes.len();
        if needed > self.text.capacity() {
            let mut larger = Vec::with_capacity(needed.max(2 * self.text.capacity()));
            larger.extend_from_slice(&self.text);
            std::mem::swap(&mut *self.text, &mut larger);
            larger.zeroize();
        }
        self.text.extend_from_slice(bytes);
    }

    /// A comma, unless an object or a list has just begun.
    fn comma(&mut self) {
        if !matches!(self.text.last(), None | Some(b'{' | b'[')) {
            self.push(b",");
        }
    }

    pub(super) fn open(&mut self, bracket: char) {
        self.push(&[bracket as u8]);
    }

    pub(super) fn close(&mut self, bracket: char) {
        self.push(&[bracket as u8]);
    }

    pub(super) fn key(&mut self, name: &str) {
        self.comma();
        self.string(name);
        self.push(b":");
    }

    /// An item of a list, given as JSON.
    pub(super) fn item(&mut self, json: &str) {
        self.comma();
        self.push(json.as_bytes());
    }

    /// A field, given as JSON.
    pub(super) fn raw(&mut self, name: &str, json: &str) {
        self.key(name);
        self.push(json.as_bytes());
    }

    fn string(&mut self, text: &str) {
        // Neither this writer nor the text of a string can fail.
        let _ = serde_json::to_writer(self, text);
    }

    fn text(&mut self, name: &str, text: &str) {
        self.key(name);
        self.string(text);
    }

    fn number(&mut self, name: &str, number: u64) {
        self.key(name);
        // As above.
        let _ = write!(self, "{number}");
    }

    fn id(&mut self, id: impl std::fmt::Display) {
        // As above; an identifier has nothing to escape.
        let _ = write!(self, "\"{id}\"");
    }

    fn fields(&mut self, fields: &Fields) {
        for (name, json) in fields {
            self.raw(name, json.expose());
        }
    }

    fn token(&mut self, token: &Token, removed_at: Option<u64>, extra: Option<&Extra>) {
        self.open('{');
        self.key("id");
        self.id(token.id);
        if let Some(removed_at) = removed_at {
            self.number("removed_at", removed_at);
        }
        self.key("spec");
        self.spec(&token.spec, extra.map(|extra| &extra.spec));
        if !token.groups.is_empty() {
            self.key("groups");
            self.ids(&token.groups);
        }
        if token.favourite {
            self.raw("favourite", "true");
        }
        if !token.note.is_empty() {
            self.text("note", &token.note);
        }
        if let Some(icon) = &token.icon {
            self.text("icon", icon);
        }
        self.number("created_at", token.created_at);
        self.number("updated_at", token.updated_at);
        if let Some(used_at) = token.used_at {
            self.number("used_at", used_at);
        }
        if token.use_count > 0 {
            self.number("use_count", token.use_count);
        }
        if let Some(registration) = &token.registration {
            self.key("registration");
            self.registration(registration, extra.map(|extra| &extra.registration));
        }
        if !token.history.is_empty() {
            self.key("history");
            self.open('[');
            for (index, revision) in token.history.iter().enumerate() {
                self.comma();
                self.revision(revision, extra.and_then(|extra| extra.history.get(index)));
            }
            self.close(']');
        }
        if let Some(extra) = extra {
            self.fields(&extra.fields);
        }
        self.close('}');
    }

    fn spec(&mut self, spec: &TokenSpec, extra: Option<&Fields>) {
        self.open('{');
        self.text("issuer", &spec.issuer);
        self.text("account", &spec.account);
        self.text("kind", spec.kind.name().name());
        match &spec.kind {
            Kind::Totp { algorithm, digits, period } => {
                self.text("algorithm", algorithm.name());
                self.number("digits", u64::from(digits.get()));
                self.number("period", period.seconds());
            }
            Kind::Hotp { algorithm, digits, counter } => {
                self.text("algorithm", algorithm.name());
                self.number("digits", u64::from(digits.get()));
                self.number("counter", *counter);
            }
            Kind::Steam => {}
            Kind::Motp { pin } | Kind::Yandex { pin } => {
                if let Some(pin) = pin {
                    self.text("pin", pin.expose());
                }
            }
        }
        let canonical = Zeroizing::new(BASE32_NOPAD.encode(spec.secret.bytes().expose()));
        self.text("secret", &canonical);
        if spec.secret.text().expose() != *canonical {
            self.text("secret_text", spec.secret.text().expose());
        }
        if let Some(issuer) = &spec.label_issuer {
            self.text("label_issuer", issuer);
        }
        if !spec.uri_parameters.is_empty() {
            self.key("uri_parameters");
            self.open('[');
            for (name, value) in &spec.uri_parameters {
                self.comma();
                self.open('[');
                self.string(name);
                self.comma();
                self.string(value);
                self.close(']');
            }
            self.close(']');
        }
        if let Some(extra) = extra {
            self.fields(extra);
        }
        self.close('}');
    }

    fn registration(&mut self, registration: &Registration, extra: Option<&Fields>) {
        self.open('{');
        self.text("server", &registration.server);
        self.text("token_id", &registration.token_id);
        self.text("app_id", &registration.app_id);
        self.number("registered_at", registration.registered_at);
        if let Some(moved_at) = registration.moved_at {
            self.number("moved_at", moved_at);
        }
        if registration.taken_back {
            self.raw("taken_back", "true");
        }
        if !registration.exportable {
            self.raw("exportable", "false");
        }
        if let Some(extra) = extra {
            self.fields(extra);
        }
        self.close('}');
    }

    fn revision(&mut self, revision: &Revision, extra: Option<&(Fields, Fields)>) {
        self.open('{');
        self.number("replaced_at", revision.replaced_at);
        self.key("spec");
        self.spec(&revision.spec, extra.map(|(_, spec)| spec));
        if !revision.note.is_empty() {
            self.text("note", &revision.note);
        }
        if let Some((fields, _)) = extra {
            self.fields(fields);
        }
        self.close('}');
    }

    fn group(&mut self, group: &Group, extra: Option<&Fields>) {
        self.open('{');
        self.key("id");
        self.id(group.id);
        self.text("name", &group.name);
        if let Some(extra) = extra {
            self.fields(extra);
        }
        self.close('}');
    }

    fn import(&mut self, import: &Import, extra: Option<&Fields>) {
        self.open('{');
        self.number("at", import.at);
        self.text("source", &import.source);
        self.key("added");
        self.ids(&import.added);
        if !import.groups.is_empty() {
            self.key("groups");
            self.ids(&import.groups);
        }
        if let Some(extra) = extra {
            self.fields(extra);
        }
        self.close('}');
    }

    fn ids<T: std::fmt::Display>(&mut self, ids: &[T]) {
        self.open('[');
        for id in ids {
            self.comma();
            self.id(id);
        }
        self.close(']');
    }
}
