//! The app's key at a server: P-256, made here, never exported.

use countersign_core::secret::SecretBytes;
use countersign_wire::v1::registration::{SECRET_INFO, SealedSecret, transcript};
use data_encoding::BASE64URL_NOPAD;
use hpke::{Deserializable as _, OpModeR, aead::AesGcm256, kdf::HkdfSha256, kem::DhP256HkdfSha256};
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// What came is not what the protocol says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the delivered secret does not open")]
pub struct NotSealed;

/// A key that signs.
#[derive(Clone)]
pub struct Signer {
    key: SigningKey,
}

impl Signer {
    /// A new key.
    pub fn new(rng: &mut dyn CryptoRng) -> Self {
        loop {
            let mut bytes = Zeroizing::new([0; 32]);
            rng.fill_bytes(bytes.as_mut_slice());
            // Zero and what lies beyond the group's order are no keys: one draw in 2^32.
            if let Ok(key) = SigningKey::from_slice(bytes.as_slice()) {
                return Self { key };
            }
        }
    }

    /// The key with that scalar of 32 bytes; `None` where there is none.
    pub fn from_secret(secret: &SecretBytes) -> Option<Self> {
        // The library would fill a shorter one up with zeros.
        let whole = Some(secret.expose()).filter(|bytes| bytes.len() == 32);
        whole.and_then(|bytes| SigningKey::from_slice(bytes).ok()).map(|key| Self { key })
    }

    /// The scalar: 32 bytes.
    pub fn secret(&self) -> SecretBytes {
        let bytes = Zeroizing::new(self.key.to_bytes());
        SecretBytes::new(bytes.to_vec())
    }

    /// The public half: 65 bytes, uncompressed.
    pub fn public(&self) -> Vec<u8> {
        self.key.verifying_key().to_sec1_point(false).as_bytes().to_vec()
    }

    /// The public half as it travels.
    pub fn public_text(&self) -> String {
        BASE64URL_NOPAD.encode(&self.public())
    }

    /// Signs fields for a purpose: ECDSA with SHA-256 in DER, deterministic (RFC 6979).
    pub fn sign(&self, purpose: &str, fields: &[&str]) -> String {
        let signature: Signature = self.key.sign(transcript(purpose, fields).as_bytes());
        BASE64URL_NOPAD.encode(signature.to_der().as_bytes())
    }

    /// Opens a secret that was sealed to this key for this registration (HPKE, RFC 9180).
    pub fn open(&self, sealed: &SealedSecret, registration: &str) -> Result<SecretBytes, NotSealed> {
        type Kem = DhP256HkdfSha256;
        let bytes = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| NotSealed);
        let secret = self.secret();
        let key = <Kem as hpke::Kem>::PrivateKey::from_bytes(secret.expose()).map_err(|_| NotSealed)?;
        let enc = <Kem as hpke::Kem>::EncappedKey::from_bytes(&bytes(&sealed.enc)?).map_err(|_| NotSealed)?;
        let opened = hpke::single_shot_open::<AesGcm256, HkdfSha256, Kem>(
            &OpModeR::Base,
            &key,
            &enc,
            SECRET_INFO.as_bytes(),
            &bytes(&sealed.ciphertext)?,
            registration.as_bytes(),
        );
        opened.map(SecretBytes::new).map_err(|_| NotSealed)
    }
}

/// An app's id: SHA-256 of its public key, Base64url without padding.
pub fn app_id(public: &[u8]) -> String {
    BASE64URL_NOPAD.encode(&Sha256::digest(public))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> Signer {
        Signer::from_secret(&SecretBytes::new(vec![7; 32])).unwrap()
    }

    /// The vector of the server's docs/api.md.
    #[test]
    fn signs_as_documented() {
        assert_eq!(app_id(&signer().public()), "yPGT5njnYvnEso_J4RpuQ9XNeS0uHjduVrgKdvInRKw");
        assert_eq!(
            signer().sign("registration-activate", &["https://pam.example.org", "r", "n", "t", "123456"]),
            "MEQCIFJZVaae1WavtLMLboel2_xr_3Mt-QNJpFLGUbGJS67eAiBirNKxwcGPjuo6oZSkqOYJWQyXtr3VtnqHv-EP1XW22w"
        );
    }

    #[test]
    fn what_does_not_open_is_an_error() {
        let sealed = |enc: &str, ciphertext: &str| SealedSecret { enc: enc.into(), ciphertext: ciphertext.into() };
        let point = signer().public_text();
        for sealed in [sealed("", ""), sealed("??", "AAAA"), sealed(&point, "AAAA"), sealed("BAAA", "AAAA")] {
            assert_eq!(signer().open(&sealed, "r").unwrap_err(), NotSealed);
        }
        assert!(Signer::from_secret(&SecretBytes::new(vec![0; 32])).is_none());
        assert!(Signer::from_secret(&SecretBytes::new(vec![1; 31])).is_none());
    }
}
