//! What is in no backup.
//!
//! The vault remembers, among its private settings, which tokens the last backups held and as of when. A token counts
//! as changed where its `updated_at` moved: a counter that moves on, or a code that was copied, does not.

use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    rc::Rc,
};

use countersign_core::{
    token::Token,
    vault::{Content, content::NoSuchToken},
};
use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::controllers::{ChangeError, Door, Services};

/// The private setting that holds what is in a backup.
const KNOWN: &str = "backup";
/// The one that holds what nobody wants to be reminded of.
const DISMISSED: &str = "backup_dismissed";

/// A token as of its last change, in eight bytes: its random identifier and the time.
pub type Mark = u64;

/// The mark of a token. No protection against intent: whoever could choose identifiers has the vault.
pub fn mark(token: &Token) -> Mark {
    let id = u128::from_be_bytes(token.id.to_bytes());
    let spread = |part: u64, by: u64| part.wrapping_mul(by);
    spread((id >> 64) as u64, 0xd6e8_feb8_6659_fd93)
        .wrapping_add(spread(id as u64, 0xa076_1d64_78bd_642f))
        .wrapping_add(spread(token.updated_at, 0x9e37_79b9_7f4a_7c15))
}

/// The marks of all tokens.
pub fn marks(content: &Content) -> Vec<Mark> {
    content.tokens().iter().map(mark).collect()
}

/// What is to be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reminder {
    /// Tokens that are in no backup as they are now.
    pub tokens: usize,
    /// Some of them are not among those that were waved away.
    pub show: bool,
    /// When the last backup was taken out by hand, in Unix seconds.
    pub last: Option<u64>,
}

/// Knows what is in a backup.
pub struct ReminderController {
    services: Rc<Services>,
    door: Rc<Door>,
    /// What the newest automatic backup holds, as far as it was seen since the vault was opened.
    automatic: RefCell<HashSet<Mark>>,
    /// Where the vault's count of changes stood when it was looked at.
    changes: Cell<u64>,
}

impl ReminderController {
    /// Over that vault.
    pub fn new(services: Rc<Services>, door: Rc<Door>) -> Self {
        Self { services, door, automatic: RefCell::default(), changes: Cell::default() }
    }

    /// Whether the vault changed since this was asked last.
    pub fn changed(&self) -> bool {
        let changes = self.door.changes();
        self.changes.replace(changes) != changes
    }

    /// What is in no backup now.
    pub fn reminder(&self) -> Reminder {
        let Some(content) = self.door.content() else { return Reminder::default() };
        let (last, known) = known(&content);
        let dismissed = read_marks(content.setting(DISMISSED));
        let automatic = self.automatic.borrow();
        let mut reminder = Reminder { last, ..Reminder::default() };
        for mark in content.tokens().iter().map(mark) {
            if !known.contains(&mark) && !automatic.contains(&mark) {
                reminder.tokens += 1;
                reminder.show |= !dismissed.contains(&mark);
            }
        }
        reminder
    }

    /// Notes what a backup holds that was taken out by hand. Earlier ones keep their worth: of what they hold, what is
    /// still in the vault as it was stays known.
    pub fn remember(&self, held: &[Mark]) -> Result<(), ChangeError> {
        let now = self.services.clock.now();
        self.door.edit(&self.services, |content| {
            note(content, held, Some(now));
            Ok::<_, NoSuchToken>(())
        })
    }

    /// Notes what the newest automatic backup holds.
    pub fn remember_automatic(&self, held: &[Mark]) {
        *self.automatic.borrow_mut() = held.iter().copied().collect();
    }

    /// Nobody wants to be reminded of what is in no backup now. A later change reminds again.
    pub fn dismiss(&self) -> Result<(), ChangeError> {
        self.door.edit(&self.services, |content| {
            let now = marks(content);
            content.set_setting(DISMISSED, Some(&write_marks(&now)));
            Ok::<_, NoSuchToken>(())
        })
    }

    /// The vault is closed.
    pub fn forget(&self) {
        self.automatic.borrow_mut().clear();
    }
}

/// Adds to what the content knows of backups; `at` is when one was taken out, `None` where one came in.
pub fn note(content: &mut Content, held: &[Mark], at: Option<u64>) {
    let (last, mut known) = known(content);
    known.extend(held);
    // In the order of the vault, so that the same again is no change; what is gone is forgotten.
    let known: Vec<Mark> = marks(content).into_iter().filter(|mark| known.contains(mark)).collect();
    let value = json!({ "at": at.or(last), "marks": write_marks(&known) });
    content.set_setting(KNOWN, Some(&value));
}

fn known(content: &Content) -> (Option<u64>, HashSet<Mark>) {
    let value: Value = content.setting(KNOWN).and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    (value["at"].as_u64(), decode(&value["marks"]))
}

fn read_marks(json: Option<&str>) -> HashSet<Mark> {
    json.and_then(|json| serde_json::from_str(json).ok()).map(|value: Value| decode(&value)).unwrap_or_default()
}

/// A setting that another program broke reminds once too often, and no more.
fn decode(value: &Value) -> HashSet<Mark> {
    let bytes = value.as_str().and_then(|text| BASE64.decode(text.as_bytes()).ok()).unwrap_or_default();
    bytes.as_chunks::<8>().0.iter().map(|chunk| Mark::from_be_bytes(*chunk)).collect()
}

fn write_marks(marks: &[Mark]) -> Value {
    let bytes: Vec<u8> = marks.iter().flat_map(|mark| mark.to_be_bytes()).collect();
    BASE64.encode(&bytes).into()
}
