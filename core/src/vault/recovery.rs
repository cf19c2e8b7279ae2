//! The recovery key as it is printed: 30 random characters and two that check them.

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::secret::SecretText;

/// Crockford's Base32: no I, L, O and U, so that nothing on paper looks like something else.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters that carry the key: 150 bits.
const KEY_CHARACTERS: usize = 30;
/// Characters in all.
const CHARACTERS: usize = 32;
/// The largest prime that two characters can hold: one wrong character, or any two exchanged, always shows.
const MODULUS: u32 = 1021;

/// Why a text is no recovery key. Found before any key is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecoveryKeyError {
    /// Too few or too many characters.
    #[error("a recovery key has 32 letters and digits, this one has {found}")]
    Length {
        /// Letters and digits that are there.
        found: usize,
    },
    /// A character that recovery keys do not have.
    #[error("character {position}, {character:?}, is not of a recovery key")]
    Character {
        /// Which character, from 1, counting all that were typed.
        position: usize,
        /// The character itself.
        character: char,
    },
    /// The check characters do not agree: something was mistyped.
    #[error("the recovery key was mistyped")]
    Mistyped,
}

/// A recovery key that is whole: 32 characters of the alphabet, without the dashes.
pub(super) struct RecoveryKey(Zeroizing<[u8; CHARACTERS]>);

impl RecoveryKey {
    /// Makes a new one.
    pub(super) fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut values = Zeroizing::new([0; CHARACTERS]);
        rng.fill_bytes(&mut values[..KEY_CHARACTERS]);
        for value in &mut values[..KEY_CHARACTERS] {
            *value &= 31;
        }
        let check = check(&values[..KEY_CHARACTERS]);
        values[KEY_CHARACTERS] = (check >> 5) as u8;
        values[KEY_CHARACTERS + 1] = (check & 31) as u8;
        Self::from_values(&values)
    }

    /// Reads what was typed: any case, any spaces and dashes, O for 0, I and L for 1, U for V.
    pub(super) fn read(typed: &str) -> Result<Self, RecoveryKeyError> {
        let mut values = Zeroizing::new([0; CHARACTERS]);
        let mut found = 0;
        for (index, character) in typed.chars().enumerate() {
            if character.is_whitespace() || matches!(character, '-' | '_' | '.' | '\u{2010}'..='\u{2015}') {
                continue;
            }
            let meant = match character.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                'U' => 'V',
                other => other,
            };
            let value = ALPHABET
                .iter()
                .position(|&known| char::from(known) == meant)
                .ok_or(RecoveryKeyError::Character { position: index + 1, character })?;
            if let Some(slot) = values.get_mut(found) {
                *slot = value as u8;
            }
            found += 1;
        }
        if found != CHARACTERS {
            return Err(RecoveryKeyError::Length { found });
        }
        let written = u32::from(values[KEY_CHARACTERS]) << 5 | u32::from(values[KEY_CHARACTERS + 1]);
        if written != check(&values[..KEY_CHARACTERS]) {
            return Err(RecoveryKeyError::Mistyped);
        }
        Ok(Self::from_values(&values))
    }

    fn from_values(values: &[u8; CHARACTERS]) -> Self {
        Self(Zeroizing::new(values.map(|value| ALPHABET[usize::from(value & 31)])))
    }

    /// The 32 characters in ASCII.
    pub(super) fn characters(&self) -> &[u8] {
        &*self.0
    }

    /// Eight groups of four with dashes between, as it is printed.
    pub(super) fn printed(&self) -> SecretText {
        let mut text = String::with_capacity(CHARACTERS + 7);
        for (index, &byte) in self.0.iter().enumerate() {
            if index > 0 && index % 4 == 0 {
                text.push('-');
            }
            text.push(char::from(byte));
        }
        SecretText::new(text)
    }
}

fn check(values: &[u8]) -> u32 {
    values.iter().fold(0, |sum, &value| (sum * 32 + u32::from(value)) % MODULUS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> String {
        let mut rng = crate::vault::testing::Seeded::new(1);
        RecoveryKey::generate(&mut rng).printed().expose().to_owned()
    }

    #[test]
    fn printed_in_eight_groups_and_read_however_it_is_typed() {
        let printed = sample();
        assert_eq!(printed.split('-').map(str::len).collect::<Vec<_>>(), [4; 8]);
        let typed = printed.to_lowercase().replace('-', "  ").replace('0', "o").replace('1', "l").replace('v', "U");
        let read = RecoveryKey::read(&format!("\n{typed}\t")).unwrap();
        assert_eq!(read.printed().expose(), printed);
    }

    #[test]
    fn one_wrong_character_or_two_exchanged_always_show() {
        let plain: Vec<char> = sample().replace('-', "").chars().collect();
        for at in 0..CHARACTERS {
            for &other in ALPHABET {
                let mut wrong = plain.clone();
                wrong[at] = char::from(other);
                let expected = if wrong == plain { None } else { Some(RecoveryKeyError::Mistyped) };
                assert_eq!(RecoveryKey::read(&String::from_iter(&wrong)).err(), expected, "{at}");
            }
            for with in 0..KEY_CHARACTERS.min(at) {
                let mut wrong = plain.clone();
                wrong.swap(at, with);
                if at < KEY_CHARACTERS && wrong != plain {
                    assert_eq!(RecoveryKey::read(&String::from_iter(&wrong)).err(), Some(RecoveryKeyError::Mistyped));
                }
            }
        }
    }

    #[test]
    fn what_is_no_key_is_named() {
        let printed = sample();
        assert_eq!(RecoveryKey::read("").err(), Some(RecoveryKeyError::Length { found: 0 }));
        assert_eq!(RecoveryKey::read(&printed[..38]).err(), Some(RecoveryKeyError::Length { found: 31 }));
        assert_eq!(RecoveryKey::read(&format!("{printed}A")).err(), Some(RecoveryKeyError::Length { found: 33 }));
        let error = RecoveryKeyError::Character { position: 3, character: '!' };
        assert_eq!(RecoveryKey::read("AB!C").err(), Some(error));
    }
}
