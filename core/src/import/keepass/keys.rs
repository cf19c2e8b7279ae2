//! What a database is locked with: a password, a key file, or both.

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::KeePass;
use crate::import::{ImportError, Unlock, prefs, table::Importer as _};

/// A key of 32 bytes; wiped on drop.
pub(super) type Key = Zeroizing<[u8; 32]>;

/// The keys that password and key file together may mean.
pub(super) struct Composite(Vec<Key>);

impl Composite {
    pub(super) fn new(unlock: Unlock<'_>, key_file: Option<&[u8]>) -> Result<Self, ImportError> {
        let password = unlock.password.map(|password| password.expose().as_bytes());
        let key_file = key_file.map(key_of_file).transpose()?;
        let key = |password: Option<&[u8]>| {
            let mut hash = Sha256::new();
            if let Some(password) = password {
                hash.update(Sha256::digest(password));
            }
            if let Some(key_file) = &key_file {
                hash.update(&**key_file);
            }
            Zeroizing::new(hash.finalize().into())
        };
        match (password, &key_file) {
            (None, None) => Err(ImportError::PasswordNeeded { format: KeePass::NAME }),
            // With a key file, an empty password is mostly none; it can be one, too.
            (Some(b""), Some(_)) => Ok(Self(vec![key(None), key(Some(b""))])),
            (password, _) => Ok(Self(vec![key(password)])),
        }
    }

    /// Tries the keys until one is not wrong.
    pub(super) fn open<T>(&self, mut open: impl FnMut(&Key) -> Result<T, ImportError>) -> Result<T, ImportError> {
        let mut last = ImportError::WrongPassword { format: KeePass::NAME };
        for key in &self.0 {
            match open(key) {
                Err(error @ ImportError::WrongPassword { .. }) => last = error,
                other => return other,
            }
        }
        Err(last)
    }
}

/// The key in a key file: XML of version 1 or 2, 32 bytes, 64 hexadecimal digits; of any other file its SHA-256.
fn key_of_file(file: &[u8]) -> Result<Zeroizing<Vec<u8>>, ImportError> {
    if let Some(key) = std::str::from_utf8(file).ok().and_then(key_of_xml) {
        return key;
    }
    if file.len() == 32 {
        return Ok(Zeroizing::new(file.to_vec()));
    }
    if file.len() == 64
        && let Ok(key) = HEXLOWER_PERMISSIVE.decode(file)
    {
        return Ok(Zeroizing::new(key));
    }
    Ok(Zeroizing::new(Sha256::digest(file).to_vec()))
}

/// The key in an XML key file; `None` where the text is none.
fn key_of_xml(text: &str) -> Option<Result<Zeroizing<Vec<u8>>, ImportError>> {
    let text = text.trim_start_matches('\u{feff}').trim_ascii();
    if !text.starts_with('<') {
        return None;
    }
    let document = prefs::parse(text, text.len())?;
    let root = document.root_element();
    if !root.has_tag_name("KeyFile") {
        return None;
    }
    let child = |outer: &str, inner: &str| {
        let outer = root.children().find(|node| node.has_tag_name(outer))?;
        outer.children().find(|node| node.has_tag_name(inner))
    };
    let bad = |what| Some(Err(ImportError::KeyFile { what }));
    let version = child("Meta", "Version").and_then(|node| node.text()).unwrap_or("1.0").trim();
    let Some(data) = child("Key", "Data") else { return bad("it holds no key") };
    let text: Zeroizing<String> = Zeroizing::new(data.text().unwrap_or_default().split_whitespace().collect());
    let major = version.split('.').next().unwrap_or_default();
    let key = match major {
        "1" => BASE64.decode(text.as_bytes()).ok(),
        "2" => HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok(),
        _ => return bad("its version is newer than what is known here"),
    };
    let Some(key) = key.filter(|key| !key.is_empty()).map(Zeroizing::new) else {
        return bad("its key is no key");
    };
    // The start of the key's hash, against slips of the pen.
    if let Some(hash) = data.attribute("Hash").filter(|_| major == "2") {
        let digest = Sha256::digest(&*key);
        if HEXLOWER_PERMISSIVE.decode(hash.trim().as_bytes()).ok().as_deref() != Some(&digest[..4]) {
            return bad("its key was changed");
        }
    }
    Some(Ok(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(file: &str) -> Result<Vec<u8>, ImportError> {
        key_of_file(file.as_bytes()).map(|key| key.to_vec())
    }

    #[test]
    fn a_key_file_is_read_as_what_it_is() {
        let bytes: Vec<u8> = (0..32).collect();
        let hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        assert_eq!(key_of_file(&bytes).unwrap().to_vec(), bytes);
        assert_eq!(key(hex).unwrap(), bytes);
        assert_eq!(key(&hex.to_uppercase()).unwrap(), bytes);
        // One digit is none: a file like any other.
        let other = hex.replace('f', "g");
        assert_eq!(key(&other).unwrap(), Sha256::digest(&other).to_vec());
        assert_eq!(key("").unwrap(), Sha256::digest(b"").to_vec());
        assert_eq!(key("<svg/>").unwrap(), Sha256::digest(b"<svg/>").to_vec());
    }

    #[test]
    fn a_wrong_xml_key_file_is_told() {
        let xml = |version: &str, data: &str| {
            format!("<KeyFile><Meta><Version>{version}</Version></Meta><Key>{data}</Key></KeyFile>")
        };
        let told = |version: &str, data: &str| key(&xml(version, data)).unwrap_err().to_string();
        assert_eq!(
            told("2.0", "<Data Hash=\"00000000\">0001</Data>"),
            "the key file cannot be used: its key was changed"
        );
        assert_eq!(told("2.0", "<Data>xyz</Data>"), "the key file cannot be used: its key is no key");
        assert_eq!(told("1.00", "<Data></Data>"), "the key file cannot be used: its key is no key");
        assert_eq!(told("1.00", ""), "the key file cannot be used: it holds no key");
        assert_eq!(
            told("3.0", "<Data>0001</Data>"),
            "the key file cannot be used: its version is newer than what is known here"
        );
        assert_eq!(key(&xml("1.00", "<Data>AAE=</Data>")).unwrap(), [0, 1]);
        assert_eq!(key(&xml("2.0", "<Data Hash=\"B413F47D\">\n00 01\n</Data>")).unwrap(), [0, 1]);
    }
}
