//! The ciphers of other apps' files.

use aes::{Aes128, Aes192, Aes256};
use aes_gcm::{
    AesGcm,
    aead::{
        Aead, KeyInit, Payload,
        consts::{U12, U16},
    },
};
use cbc::cipher::{
    BlockCipherDecrypt, BlockModeDecrypt, KeyIvInit, StreamCipher, StreamCipherSeek, block_padding::Pkcs7,
    typenum::consts::U16 as BlockBytes,
};
use chacha20::{ChaCha20, R20, hchacha};
use poly1305::Poly1305;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What was decrypted; wiped on drop.
pub(super) type Plain = Zeroizing<Vec<u8>>;

/// Opens AES-GCM with a key of 16, 24 or 32 bytes, whose tag follows the ciphertext. The nonce has 12 or 16 bytes.
pub(super) fn gcm(key: &[u8], nonce: &[u8], aad: &[u8], sealed: &[u8]) -> Option<Plain> {
    macro_rules! open {
        ($cipher:ty, $size:ty) => {
            AesGcm::<$cipher, $size>::new_from_slice(key)
                .ok()?
                .decrypt(nonce.try_into().ok()?, Payload { msg: sealed, aad })
        };
    }
    let plain = match (key.len(), nonce.len()) {
        (16, 12) => open!(Aes128, U12),
        (16, 16) => open!(Aes128, U16),
        (24, 12) => open!(Aes192, U12),
        (24, 16) => open!(Aes192, U16),
        (32, 12) => open!(Aes256, U12),
        (32, 16) => open!(Aes256, U16),
        _ => return None,
    };
    plain.ok().map(Zeroizing::new)
}

/// Opens AES-256-CBC with PKCS#7 padding. Nothing authenticates it: what comes out must be looked at.
pub(super) fn cbc_aes256(key: &[u8], iv: &[u8], sealed: &[u8]) -> Option<Plain> {
    cbc_of::<Aes256>(key, iv, sealed)
}

/// Opens a block cipher of 16-byte blocks in CBC mode with PKCS#7 padding.
pub(super) fn cbc_of<C>(key: &[u8], iv: &[u8], sealed: &[u8]) -> Option<Plain>
where
    C: BlockCipherDecrypt<BlockSize = BlockBytes> + cbc::cipher::KeyInit,
{
    cbc_in_place::<C>(key, iv, Zeroizing::new(sealed.to_vec()))
}

/// [`cbc_of`] what may be overwritten.
pub(super) fn cbc_in_place<C>(key: &[u8], iv: &[u8], mut sealed: Plain) -> Option<Plain>
where
    C: BlockCipherDecrypt<BlockSize = BlockBytes> + cbc::cipher::KeyInit,
{
    let cipher = cbc::Decryptor::<C>::new_from_slices(key, iv).ok()?;
    let length = cipher.decrypt_padded::<Pkcs7>(&mut sealed).ok()?.len();
    sealed.truncate(length);
    Some(sealed)
}

/// Opens one message of libsodium's `crypto_secretstream_xchacha20poly1305`, the first of its stream, whatever its tag.
pub(super) fn secretstream(key: &[u8], header: &[u8], sealed: &[u8]) -> Option<Plain> {
    const BLOCK: usize = 64;
    let length = sealed.len().checked_sub(1 + 16)?;
    let (head, nonce_tail) = header.split_at_checked(16)?;
    let subkey = hchacha::<R20>(key.try_into().ok()?, head.try_into().ok()?);
    // The counter of the first message, then the rest of the header.
    let mut nonce = [0; 12];
    nonce[0] = 1;
    nonce[4..].copy_from_slice(nonce_tail.get(..8)?);
    let mut cipher = ChaCha20::new_from_slices(&subkey, &nonce).ok()?;

    let mut mac_key = Zeroizing::new([0; BLOCK]);
    cipher.apply_keystream(mac_key.as_mut_slice());
    let (encrypted_tag, rest) = sealed.split_at(1);
    let (ciphertext, mac) = rest.split_at(length);
    let mut tag_block = [0; BLOCK];
    tag_block[0] = encrypted_tag[0];
    cipher.apply_keystream(&mut tag_block);
    // What is authenticated has the tag as it is sent.
    tag_block[0] = encrypted_tag[0];

    let mut text = Vec::with_capacity(BLOCK + length + 32);
    text.extend_from_slice(&tag_block);
    text.extend_from_slice(ciphertext);
    // libsodium pads to (length - 64) modulo 16, which is what the format has.
    text.resize(text.len() + (16usize.wrapping_sub(BLOCK).wrapping_add(length) & 15), 0);
    text.extend_from_slice(&0u64.to_le_bytes());
    text.extend_from_slice(&((BLOCK + length) as u64).to_le_bytes());
    let made = Poly1305::new_from_slice(&mac_key[..32]).ok()?.compute_unpadded(&text);
    if !bool::from(made.as_slice().ct_eq(mac)) {
        return None;
    }
    let mut plain = Zeroizing::new(ciphertext.to_vec());
    cipher.try_seek(2 * BLOCK as u64).ok()?;
    cipher.apply_keystream(&mut plain);
    Some(plain)
}

/// HMAC-SHA-256.
pub(super) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    use hmac::Mac as _;

    // HMAC takes a key of any length.
    let Ok(mut mac) = hmac::Hmac::<sha2::Sha256>::new_from_slice(key) else { return [0; 32] };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
