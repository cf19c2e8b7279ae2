//! Frames as texts that QR codes hold tightly: `CSX1:` and Base32, all of QR's alphanumeric characters.

use data_encoding::BASE32_NOPAD;
use sha2::{Digest as _, Sha256};

/// The most bytes of an encrypted content: some ten thousand tokens.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of a public key of X25519, and of HPKE's encapsulated key with it.
pub(super) const KEY_BYTES: usize = 32;
/// Tells the frames of one transfer from those of another.
pub(super) type Session = [u8; 8];

/// What every frame starts with.
const START: &str = "CSX1:";
/// A misread frame must not get among the pieces: the first bytes of SHA-256 over the others.
const CHECK_BYTES: usize = 4;
/// The longest frame that is looked at, in characters; a QR code holds 4,296.
const MAX_CHARACTERS: usize = 4296;

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// The receiver's public key.
    Invitation([u8; KEY_BYTES]),
    /// The sender's half of the agreement: HPKE's encapsulated key.
    Greeting([u8; KEY_BYTES]),
    /// A piece of the content.
    Piece {
        session: Session,
        /// Bytes of the whole encrypted content.
        length: u32,
        /// RaptorQ's packet: its number and the piece.
        packet: Vec<u8>,
    },
}

/// Why a text is no frame that could be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// It is something else.
    #[error("this is no part of a transfer between two Countersigns")]
    NotAFrame,
    /// Some characters changed or are missing.
    #[error("the frame was not read well")]
    Damaged,
    /// A newer program shows it.
    #[error("the other Countersign is newer: update this one")]
    Newer,
    /// It belongs to another step: an invitation where a greeting was expected, say.
    #[error("this belongs to another step of a transfer")]
    OtherStep,
    /// It belongs to another sender than the one that was greeted first.
    #[error("this comes from another sender than before")]
    OtherSender,
    /// Nobody has said yet that the codes agree.
    #[error("compare the codes on both screens first")]
    NotAgreed,
    /// All pieces are there, and they do not open.
    #[error("what was received cannot be opened: start again on both sides")]
    NotAuthentic,
    /// It opened, and what is inside cannot be read.
    #[error("what was received cannot be read: {0}")]
    Content(String),
    /// The system has less memory than comparing codes asks for.
    #[error(transparent)]
    Memory(#[from] crate::vault::kdf::KdfFailed),
}

/// Whether a text is a frame of a transfer, of this version or another.
pub fn is_frame(text: &str) -> bool {
    let start = text.trim_start().as_bytes();
    matches!(start, [b'C' | b'c', b'S' | b's', b'X' | b'x', version, b':', ..] if version.is_ascii_digit())
}

impl Frame {
    pub(super) fn text(&self) -> String {
        let mut bytes = Vec::new();
        match self {
            Self::Invitation(key) => {
                bytes.push(0);
                bytes.extend_from_slice(key);
            }
            Self::Greeting(key) => {
                bytes.push(1);
                bytes.extend_from_slice(key);
            }
            Self::Piece { session, length, packet } => {
                bytes.push(2);
                bytes.extend_from_slice(session);
                bytes.extend_from_slice(&length.to_be_bytes());
                bytes.extend_from_slice(packet);
            }
        }
        let check = check(&bytes);
        bytes.extend_from_slice(&check);
        format!("{START}{}", BASE32_NOPAD.encode(&bytes))
    }

    /// Reads a frame, typed or scanned: in any case, with any spaces and dashes.
    pub(super) fn read(text: &str) -> Result<Self, FrameError> {
        if !is_frame(text) {
            return Err(FrameError::NotAFrame);
        }
        if text.len() > 2 * MAX_CHARACTERS {
            return Err(FrameError::Damaged);
        }
        let plain: String =
            text.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_uppercase()).collect();
        let Some(body) = plain.strip_prefix(START) else { return Err(FrameError::Newer) };
        let bytes = BASE32_NOPAD.decode(body.as_bytes()).map_err(|_| FrameError::Damaged)?;
        let (bytes, found) = bytes.split_last_chunk::<CHECK_BYTES>().ok_or(FrameError::Damaged)?;
        if *found != check(bytes) {
            return Err(FrameError::Damaged);
        }
        let (kind, rest) = bytes.split_first().ok_or(FrameError::Damaged)?;
        let key = || <[u8; KEY_BYTES]>::try_from(rest).map_err(|_| FrameError::Damaged);
        match kind {
            0 => Ok(Self::Invitation(key()?)),
            1 => Ok(Self::Greeting(key()?)),
            2 => {
                let (session, rest) = rest.split_first_chunk().ok_or(FrameError::Damaged)?;
                let (length, packet) = rest.split_first_chunk().ok_or(FrameError::Damaged)?;
                Ok(Self::Piece { session: *session, length: u32::from_be_bytes(*length), packet: packet.to_vec() })
            }
            _ => Err(FrameError::Newer),
        }
    }
}

fn check(bytes: &[u8]) -> [u8; CHECK_BYTES] {
    Sha256::digest(bytes).first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_however_they_are_typed() {
        for frame in [
            Frame::Invitation([7; 32]),
            Frame::Greeting([9; 32]),
            Frame::Piece { session: [1; 8], length: 70_000, packet: vec![5; 300] },
        ] {
            let text = frame.text();
            assert!(is_frame(&text));
            assert!(text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase() || b == b':'));
            assert_eq!(Frame::read(&text), Ok(frame.clone()));
            let typed: String = text.to_lowercase().chars().flat_map(|c| [c, '-', ' ']).collect();
            assert_eq!(Frame::read(&typed.replacen("- ", "", 5)), Ok(frame));
        }
    }

    #[test]
    fn a_changed_character_always_shows() {
        let text = Frame::Greeting([9; 32]).text();
        for at in 5..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(Frame::read(&String::from_utf8(changed).unwrap()), Err(FrameError::Damaged), "{at}");
            assert_eq!(Frame::read(&text[..at]), Err(FrameError::Damaged), "{at}");
        }
        for (text, error) in [
            ("", FrameError::NotAFrame),
            ("otpauth://totp/a?secret=AA", FrameError::NotAFrame),
            ("CSX2:AAAA", FrameError::Newer),
            ("CSX1:", FrameError::Damaged),
            ("CSX1:\u{fc}", FrameError::Damaged),
        ] {
            assert_eq!(Frame::read(text), Err(error), "{text}");
        }
        let mut bytes = vec![9, 1, 2];
        bytes.extend(check(&[9, 1, 2]));
        assert_eq!(Frame::read(&format!("CSX1:{}", BASE32_NOPAD.encode(&bytes))), Err(FrameError::Newer));
    }
}
