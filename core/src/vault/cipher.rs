//! AES-256-GCM and what surrounds it: keys, nonces, size classes.

use aes_gcm::{
    Aes256Gcm, Key, Nonce, Tag,
    aead::{AeadInOut, KeyInit},
};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Bytes of a nonce.
pub(crate) const NONCE_BYTES: usize = 12;
/// Bytes of an authentication tag, which follows the ciphertext.
pub(crate) const TAG_BYTES: usize = 16;

/// A 256-bit key; wiped on drop. Boxed, so that moving it leaves no copy of it behind on the stack.
pub(crate) type SecretKey = Box<Zeroizing<[u8; 32]>>;

/// The key is another one, or something was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotAuthentic;

/// `N` bytes of randomness.
pub(crate) fn random<const N: usize>(rng: &mut dyn CryptoRng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// A new key.
pub(crate) fn random_key(rng: &mut dyn CryptoRng) -> SecretKey {
    let mut key = SecretKey::default();
    rng.fill_bytes(key.as_mut_slice());
    key
}

/// Encrypts; the tag follows the ciphertext. `None` only for lengths that AES-GCM does not have (64 GiB).
pub(crate) fn seal(key: &SecretKey, nonce: &[u8; NONCE_BYTES], aad: &[u8], plaintext: &[u8]) -> Option<Vec<u8>> {
    let mut buffer = Vec::with_capacity(plaintext.len() + TAG_BYTES);
    buffer.extend_from_slice(plaintext);
    let tag = cipher(key).encrypt_inout_detached(&Nonce::from(*nonce), aad, buffer.as_mut_slice().into()).ok()?;
    buffer.extend_from_slice(&tag);
    Some(buffer)
}

/// Decrypts what [`seal`] made.
pub(crate) fn open(
    key: &SecretKey,
    nonce: &[u8; NONCE_BYTES],
    aad: &[u8],
    mut sealed: Vec<u8>,
) -> Result<Zeroizing<Vec<u8>>, NotAuthentic> {
    let text_bytes = sealed.len().checked_sub(TAG_BYTES).ok_or(NotAuthentic)?;
    let tag: [u8; TAG_BYTES] = sealed[text_bytes..].try_into().map_err(|_| NotAuthentic)?;
    sealed.truncate(text_bytes);
    let mut plaintext = Zeroizing::new(sealed);
    cipher(key)
        .decrypt_inout_detached(&Nonce::from(*nonce), aad, plaintext.as_mut_slice().into(), &Tag::from(tag))
        .map_err(|_| NotAuthentic)?;
    Ok(plaintext)
}

fn cipher(key: &SecretKey) -> Aes256Gcm {
    Aes256Gcm::new(<&Key<Aes256Gcm>>::from(&***key))
}

/// The size class of a text of `bytes`: 4 KiB doubled until it fits, from 1 MiB on whole MiB.
pub(crate) fn size_class(bytes: usize) -> usize {
    const SMALLEST: usize = 4 * 1024;
    const MIB: usize = 1024 * 1024;
    if bytes <= MIB { bytes.max(SMALLEST).next_power_of_two() } else { bytes.div_ceil(MIB) * MIB }
}

/// Fills a JSON text with spaces up to its size class; JSON readers skip them.
pub(crate) fn pad(text: &mut Zeroizing<Vec<u8>>) {
    let class = size_class(text.len());
    if text.capacity() < class {
        // Growing in place would leave the text behind in memory that is not wiped.
        let mut larger = Vec::with_capacity(class);
        larger.extend_from_slice(text);
        *text = Zeroizing::new(larger);
    }
    text.resize(class, b' ');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_classes() {
        const KIB: usize = 1024;
        for (bytes, class) in [
            (0, 4 * KIB),
            (4 * KIB, 4 * KIB),
            (4 * KIB + 1, 8 * KIB),
            (KIB * KIB, KIB * KIB),
            (KIB * KIB + 1, 2 * KIB * KIB),
            (2 * KIB * KIB + 1, 3 * KIB * KIB),
        ] {
            assert_eq!(size_class(bytes), class, "{bytes}");
        }
    }

    #[test]
    fn whatever_is_changed_does_not_open() {
        let key = SecretKey::new(Zeroizing::new([1; 32]));
        let sealed = seal(&key, &[2; 12], b"aad", b"text").unwrap();
        assert_eq!(open(&key, &[2; 12], b"aad", sealed.clone()).unwrap().as_slice(), b"text");
        assert!(open(&key, &[3; 12], b"aad", sealed.clone()).is_err());
        assert!(open(&key, &[2; 12], b"aae", sealed.clone()).is_err());
        assert!(open(&SecretKey::default(), &[2; 12], b"aad", sealed.clone()).is_err());
        for length in 0..sealed.len() {
            assert!(open(&key, &[2; 12], b"aad", sealed[..length].to_vec()).is_err());
        }
    }
}
