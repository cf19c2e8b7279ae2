//! The side that looks.

use std::collections::HashSet;

use hpke::{
    Deserializable as _, Kem, OpModeR, Serializable as _, aead::AesGcm256, kdf::HkdfSha256, kem::X25519HkdfSha256,
    setup_receiver,
};
use rand_core::CryptoRng;
use raptorq::{Decoder, EncodingPacket, ObjectTransmissionInformation, PayloadId};
use zeroize::Zeroizing;

use super::{
    Code, INFO,
    frame::{Frame, FrameError, KEY_BYTES, MAX_BYTES, Session},
    sender::shape,
    session,
};
use crate::{backup::packing, vault::Content};

/// The fewest bytes of an encrypted content: its smallest size class and the tag.
const LEAST_BYTES: usize = 1024 + 16;
/// Of all frames a third may be lost and more; three times as many as are needed were forged.
const MOST_PIECES: usize = 3;

/// Receives a content. It lives as long as its page: another one has another key.
pub struct Receiver {
    private: <X25519HkdfSha256 as Kem>::PrivateKey,
    public: [u8; KEY_BYTES],
    peer: Option<Peer>,
}

/// The sender that was greeted.
struct Peer {
    key: [u8; KEY_BYTES],
    code: Code,
    session: Session,
    is_agreed: bool,
    pieces: Option<Pieces>,
}

/// What came so far.
struct Pieces {
    length: u32,
    shape: ObjectTransmissionInformation,
    decoder: Decoder,
    seen: HashSet<[u8; 4]>,
    needed: u32,
}

/// What a frame brought.
#[derive(Debug)]
pub enum Taken {
    /// The sender's greeting. Show the code.
    Greeting(Code),
    /// A piece, or one that was there already.
    Piece {
        /// Pieces that came so far.
        have: u32,
        /// About how many are needed.
        need: u32,
    },
    /// Everything is there, came from the sender whose code was compared, and is unchanged. Nothing is added yet.
    Whole(Box<Content>),
}

impl Receiver {
    /// Makes a key for one transfer.
    pub fn new(rng: &mut dyn CryptoRng) -> Self {
        let mut material = Zeroizing::new([0; 32]);
        rng.fill_bytes(material.as_mut_slice());
        let (private, public) = X25519HkdfSha256::derive_keypair(material.as_slice());
        Self { private, public: public.to_bytes().into(), peer: None }
    }

    /// The text to show as a QR code, or to be typed where the sender has no camera.
    pub fn invitation(&self) -> String {
        Frame::Invitation(self.public).text()
    }

    /// The code to compare, once the sender was greeted.
    pub fn code(&self) -> Option<&Code> {
        self.peer.as_ref().map(|peer| &peer.code)
    }

    /// The person said that the codes agree. Before that no piece is taken: whoever holds another screen into the
    /// camera must not be believed.
    pub fn agreed(&mut self) {
        if let Some(peer) = &mut self.peer {
            peer.is_agreed = true;
        }
    }

    /// Takes what a QR code held.
    ///
    /// # Errors
    ///
    /// [`FrameError`] says why it was of no use. After any of them the next frame may be.
    pub fn take(&mut self, text: &str) -> Result<Taken, FrameError> {
        match Frame::read(text)? {
            Frame::Invitation(_) => Err(FrameError::OtherStep),
            Frame::Greeting(key) => self.greet(key),
            Frame::Piece { session, length, packet } => {
                let Some(peer) = &mut self.peer else { return Err(FrameError::NotAgreed) };
                if peer.session != session {
                    return Err(FrameError::OtherSender);
                }
                if !peer.is_agreed {
                    return Err(FrameError::NotAgreed);
                }
                let Some(sealed) = peer.add(length, &packet)? else { return Ok(peer.progress()) };
                // Whatever came, it is over: pieces that do not open are not kept.
                peer.pieces = None;
                let key = peer.key;
                self.open(&key, &session, &sealed).map(|content| Taken::Whole(Box::new(content)))
            }
        }
    }

    fn greet(&mut self, key: [u8; KEY_BYTES]) -> Result<Taken, FrameError> {
        match &self.peer {
            // The first stays: its code is what the person looks at.
            Some(peer) if peer.key != key => return Err(FrameError::OtherSender),
            Some(peer) => return Ok(Taken::Greeting(peer.code.clone())),
            None => {}
        }
        let code = Code::of(&self.public, &key)?;
        let session = session(&self.public, &key);
        self.peer = Some(Peer { key, code: code.clone(), session, is_agreed: false, pieces: None });
        Ok(Taken::Greeting(code))
    }

    fn open(&self, key: &[u8; KEY_BYTES], session: &Session, sealed: &[u8]) -> Result<Content, FrameError> {
        let encapsulated =
            <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(key).map_err(|_| FrameError::NotAuthentic)?;
        let plaintext = setup_receiver::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.private,
            &encapsulated,
            INFO,
        )
        .and_then(|mut context| context.open(sealed, session))
        .map_err(|_| FrameError::NotAuthentic)?;
        packing::unpack(&Zeroizing::new(plaintext)).map_err(FrameError::Content)
    }
}

impl Peer {
    /// Adds a piece; the whole, when it is there.
    fn add(&mut self, length: u32, packet: &[u8]) -> Result<Option<Vec<u8>>, FrameError> {
        if !(LEAST_BYTES..=MAX_BYTES).contains(&(length as usize)) {
            return Err(FrameError::Damaged);
        }
        let pieces = match &mut self.pieces {
            Some(pieces) if pieces.length == length => pieces,
            Some(_) => return Err(FrameError::Damaged),
            None => {
                let shape = shape(length);
                let needed = length.div_ceil(shape.symbol_size().into());
                let decoder = Decoder::new(shape);
                self.pieces.insert(Pieces { length, shape, decoder, seen: HashSet::new(), needed })
            }
        };
        let (id, data) = packet.split_first_chunk::<4>().ok_or(FrameError::Damaged)?;
        let number = PayloadId::deserialize(id);
        // The library takes both for granted.
        if number.source_block_number() >= pieces.shape.source_blocks()
            || data.len() != usize::from(pieces.shape.symbol_size())
        {
            return Err(FrameError::Damaged);
        }
        if !pieces.seen.insert(*id) {
            return Ok(None);
        }
        if pieces.seen.len() > MOST_PIECES * pieces.needed as usize + 100 {
            self.pieces = None;
            return Err(FrameError::NotAuthentic);
        }
        Ok(pieces.decoder.decode(EncodingPacket::deserialize(packet)))
    }

    fn progress(&self) -> Taken {
        let (have, need) = self.pieces.as_ref().map_or((0, 0), |pieces| (pieces.seen.len(), pieces.needed));
        Taken::Piece { have: u32::try_from(have).unwrap_or(u32::MAX), need }
    }
}
