//! The side that shows tokens.

use hpke::{
    Deserializable as _, Kem, OpModeS, Serializable as _,
    aead::{AeadCtxS, AesGcm256},
    kdf::HkdfSha256,
    kem::X25519HkdfSha256,
    setup_sender_with_rng,
};
use rand_core::CryptoRng;
use raptorq::{Encoder, EncodingPacket, ObjectTransmissionInformation};

use super::{
    Code, INFO,
    frame::{Frame, FrameError, MAX_BYTES, Session},
    session,
};
use crate::{
    backup::packing,
    vault::{Content, kdf::KdfFailed},
};

/// Bytes of a piece: a frame with it is a QR code of version 13, which cameras read at arm's length.
const PIECE_BYTES: u16 = 256;

/// Why nothing can be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The content is larger than what can be shown.
    #[error("{bytes} bytes are too many to be shown as QR codes")]
    TooLarge {
        /// Its size in bytes, before it is packed or after.
        bytes: usize,
    },
    /// The library refused; it has no reason to.
    #[error("it could not be encrypted")]
    NotSealed,
}

/// An invitation was read. Its answer is shown, and nothing else, until the codes are compared.
pub struct Greeting {
    frame: Frame,
    code: Code,
    session: Session,
    context: AeadCtxS<AesGcm256, HkdfSha256, X25519HkdfSha256>,
}

impl Greeting {
    /// Answers the receiver's invitation, scanned or typed.
    ///
    /// # Errors
    ///
    /// Where the text is no invitation, or there is no memory for the code.
    pub fn new(invitation: &str, rng: &mut dyn CryptoRng) -> Result<Self, FrameError> {
        let Frame::Invitation(receiver) = Frame::read(invitation)? else { return Err(FrameError::OtherStep) };
        let key = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&receiver).map_err(|_| FrameError::Damaged)?;
        let mut rng = rng;
        let (encapsulated, context) =
            setup_sender_with_rng::<AesGcm256, HkdfSha256, X25519HkdfSha256>(&OpModeS::Base, &key, INFO, &mut rng)
                // A key of the few that agree on a secret that anybody knows.
                .map_err(|_| FrameError::Damaged)?;
        let sender = encapsulated.to_bytes().into();
        let code = Code::of(&receiver, &sender).map_err(|KdfFailed| FrameError::Memory(KdfFailed))?;
        Ok(Self { frame: Frame::Greeting(sender), code, session: session(&receiver, &sender), context })
    }

    /// The text to show as a QR code.
    pub fn frame(&self) -> String {
        self.frame.text()
    }

    /// What the person compares with the receiver's.
    pub fn code(&self) -> &Code {
        &self.code
    }

    /// The person said that the codes agree: encrypts the content to whoever invited. It holds what a backup does.
    ///
    /// # Errors
    ///
    /// Where the content is too large.
    pub fn agreed(mut self, content: &Content) -> Result<Sender, SendError> {
        let packed = packing::pack(content).map_err(|bytes| SendError::TooLarge { bytes })?;
        let sealed = self.context.seal(&packed.bytes, &self.session).map_err(|_| SendError::NotSealed)?;
        let length = sealed.len();
        if length > MAX_BYTES {
            return Err(SendError::TooLarge { bytes: length });
        }
        let encoder = Encoder::new(&sealed, shape(length as u32));
        Ok(Sender { session: self.session, length: length as u32, pieces: pieces(&encoder), encoder })
    }
}

/// How a content of so many bytes is cut up. Both sides work it out, so that no frame can ask for another shape.
pub(super) fn shape(length: u32) -> ObjectTransmissionInformation {
    ObjectTransmissionInformation::with_defaults(length.into(), PIECE_BYTES)
}

/// The pieces themselves, block by block in turn.
fn pieces(encoder: &Encoder) -> Vec<EncodingPacket> {
    let mut blocks: Vec<_> =
        encoder.get_block_encoders().iter().map(|block| block.source_packets().into_iter()).collect();
    let mut pieces = Vec::new();
    loop {
        let before = pieces.len();
        pieces.extend(blocks.iter_mut().filter_map(Iterator::next));
        if pieces.len() == before {
            return pieces;
        }
    }
}

/// Shows an encrypted content, frame by frame, for as long as it takes.
pub struct Sender {
    session: Session,
    length: u32,
    pieces: Vec<EncodingPacket>,
    encoder: Encoder,
}

impl Sender {
    /// How many frames there are at least to be seen.
    pub fn least(&self) -> u32 {
        u32::try_from(self.pieces.len()).unwrap_or(u32::MAX)
    }

    /// Frame `n`, counted from 0, as the text of a QR code. First come the pieces, then ever new sums of them.
    pub fn frame(&self, n: u32) -> String {
        let packet = self.pieces.get(n as usize).cloned().or_else(|| {
            let blocks = self.encoder.get_block_encoders();
            let (count, beyond) = (blocks.len().max(1) as u32, n - self.least());
            // RFC 6330 numbers pieces with 24 bits.
            blocks[(beyond % count) as usize].repair_packets(beyond / count % (1 << 23), 1).pop()
        });
        let packet = packet.map(|packet| packet.serialize()).unwrap_or_default();
        Frame::Piece { session: self.session, length: self.length, packet }.text()
    }
}
