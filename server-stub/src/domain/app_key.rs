//! What an app proves with its key, and what only it can read.

use countersign_core::secret::SecretBytes;
use countersign_wire::v1::registration::{SECRET_INFO, SealedSecret, transcript};
use data_encoding::BASE64URL_NOPAD;
use hpke::{Deserializable as _, OpModeS, Serializable as _, aead::AesGcm256, kdf::HkdfSha256, kem::DhP256HkdfSha256};
use p256::ecdsa::{DerSignature, VerifyingKey, signature::Verifier as _};
use sha2::{Digest as _, Sha256};

use crate::service::Random;

/// An app's public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppKey(Vec<u8>);

/// Not a point of P-256 in SEC 1's uncompressed form, Base64url without padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a P-256 public key: 65 bytes, uncompressed, in Base64url without padding")]
pub struct KeyError;

impl AppKey {
    /// Reads a key as an app sends it.
    pub fn read(text: &str) -> Result<Self, KeyError> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| KeyError)?;
        Self::from_bytes(bytes)
    }

    /// Takes a key as it was kept.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, KeyError> {
        // Compressed and hybrid forms would give one key two ids.
        if bytes.len() != 65 || bytes[0] != 4 || VerifyingKey::from_sec1_bytes(&bytes).is_err() {
            return Err(KeyError);
        }
        Ok(Self(bytes))
    }

    /// The 65 bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The app's id: SHA-256 of the key, Base64url without padding.
    pub fn id(&self) -> String {
        BASE64URL_NOPAD.encode(&Sha256::digest(&self.0))
    }

    /// Whether the key signed these fields for this purpose.
    pub fn signed(&self, purpose: &str, fields: &[&str], signature: &str) -> bool {
        // A line end would make two lists of fields one text.
        if fields.iter().any(|field| field.contains('\n')) {
            return false;
        }
        let Ok(signature) = BASE64URL_NOPAD.decode(signature.as_bytes()) else { return false };
        let Ok(signature) = DerSignature::from_bytes(&signature) else { return false };
        let Ok(key) = VerifyingKey::from_sec1_bytes(&self.0) else { return false };
        key.verify(transcript(purpose, fields).as_bytes(), &signature).is_ok()
    }

    /// Seals a token's secret so that only the holder of this key reads it, and only for this registration.
    pub fn seal(&self, secret: &SecretBytes, registration: &str, random: &Random) -> Result<SealedSecret, KeyError> {
        let key = <DhP256HkdfSha256 as hpke::Kem>::PublicKey::from_bytes(&self.0).map_err(|_| KeyError)?;
        let (enc, ciphertext) = random
            .with(|mut rng| {
                hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, DhP256HkdfSha256>(
                    &OpModeS::Base,
                    &key,
                    SECRET_INFO.as_bytes(),
                    secret.expose(),
                    registration.as_bytes(),
                    &mut rng,
                )
            })
            .map_err(|_| KeyError)?;
        Ok(SealedSecret {
            enc: BASE64URL_NOPAD.encode(&enc.to_bytes()),
            ciphertext: BASE64URL_NOPAD.encode(&ciphertext),
        })
    }
}

#[cfg(test)]
mod tests {
    use hpke::{Kem as _, OpModeR};
    use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};

    use super::*;

    fn signing_key() -> SigningKey {
        SigningKey::from_bytes(&[7; 32].into()).unwrap()
    }

    fn app_key() -> AppKey {
        AppKey::from_bytes(signing_key().verifying_key().to_sec1_point(false).as_bytes().to_vec()).unwrap()
    }

    /// The vectors of docs/api.md.
    #[test]
    fn the_documented_vectors_hold() {
        let key = app_key();
        assert_eq!(key.id(), "yPGT5njnYvnEso_J4RpuQ9XNeS0uHjduVrgKdvInRKw");
        let text = transcript("registration-activate", &["https://pam.example.org", "r", "n", "t", "123456"]);
        assert_eq!(text, "countersign/v1/registration-activate\nhttps://pam.example.org\nr\nn\nt\n123456\n");
        let signature: Signature = signing_key().sign(text.as_bytes());
        assert_eq!(
            BASE64URL_NOPAD.encode(signature.to_der().as_bytes()),
            "MEQCIFJZVaae1WavtLMLboel2_xr_3Mt-QNJpFLGUbGJS67eAiBirNKxwcGPjuo6oZSkqOYJWQyXtr3VtnqHv-EP1XW22w"
        );
    }

    #[test]
    fn a_signature_is_for_its_purpose_and_fields_only() {
        let key = app_key();
        let sign = |text: &str| {
            let signature: Signature = signing_key().sign(text.as_bytes());
            BASE64URL_NOPAD.encode(signature.to_der().as_bytes())
        };
        let signature = sign(&transcript("a", &["x", "y"]));
        assert!(key.signed("a", &["x", "y"], &signature));
        assert!(!key.signed("b", &["x", "y"], &signature));
        assert!(!key.signed("a", &["x", "z"], &signature));
        assert!(!key.signed("a", &["x\ny"], &signature));
        assert!(!key.signed("a", &["x", "y"], "nonsense"));
        for wrong in ["", "AAAA", &BASE64URL_NOPAD.encode(&[4; 65])] {
            assert_eq!(AppKey::read(wrong), Err(KeyError), "{wrong}");
        }
    }

    #[test]
    fn a_sealed_secret_opens_with_its_key_for_its_registration() {
        let random = Random::system();
        let (private, public) = random.with(|mut rng| DhP256HkdfSha256::gen_keypair_with_rng(&mut rng));
        let key = AppKey::from_bytes(public.to_bytes().to_vec()).unwrap();
        let sealed = key.seal(&SecretBytes::new(b"secret".to_vec()), "r", &random).unwrap();
        let open = |registration: &str| {
            let enc = BASE64URL_NOPAD.decode(sealed.enc.as_bytes()).unwrap();
            hpke::single_shot_open::<AesGcm256, HkdfSha256, DhP256HkdfSha256>(
                &OpModeR::Base,
                &private,
                &<DhP256HkdfSha256 as hpke::Kem>::EncappedKey::from_bytes(&enc).unwrap(),
                SECRET_INFO.as_bytes(),
                &BASE64URL_NOPAD.decode(sealed.ciphertext.as_bytes()).unwrap(),
                registration.as_bytes(),
            )
        };
        assert_eq!(open("r").unwrap(), b"secret");
        assert!(open("s").is_err());
    }
}
