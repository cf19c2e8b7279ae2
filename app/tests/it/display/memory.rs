//! What is left in the memory of the window after a lock: no secret, no key, no password.

use std::{collections::BTreeMap, time::Duration};

use aes_gcm::{
    Aes256Gcm, Key, KeyInit as _, Nonce,
    aead::{Aead as _, Payload},
};
use countersign_core::{token::TokenSpec, vault::KdfParams};
use data_encoding::{BASE32_NOPAD, BASE64};
use serde_json::{Value, json};

use super::{
    Display, PASSWORD, fill,
    scan::{Hit, Needles},
    wait_for,
};

#[test]
fn nothing_of_the_vault_is_left_in_memory_after_a_lock() {
    let Some(display) = Display::start() else { return };
    // The work of the real derivation, once instead of three times.
    let specs = fill(&display.vault(), 1_000, KdfParams::new(64 * 1024, 1, 4).unwrap());
    let (password, keys, secrets) = (password_needles(), key_needles(&display), secret_needles(&specs));
    let names = name_needles(&specs);
    let window = display.open();
    let found = |needles: &Needles| needles.in_memory_of(window.pid());
    if let Err(error) = found(&password) {
        eprintln!("skipped: the memory of a child cannot be read here: {error}");
        return;
    }

    // First that each of them is found while it is there.
    assert_eq!(found(&password).unwrap().len(), 0, "nothing is typed yet");
    display.write(PASSWORD);
    wait_for("the password in memory", || !found(&password).unwrap().is_empty());
    display.keys(&["Return"]);
    wait_for("1,000 secrets in memory", || {
        let hits = found(&secrets).unwrap();
        (0..1_000).all(|at| hits.iter().any(|hit| hit.name.starts_with(&format!("secret {at:04} bytes"))))
    });
    assert!(!found(&keys).unwrap().is_empty(), "the master key is there while the vault is open");

    look_around(&display);
    assert!(!found(&names).unwrap().is_empty(), "names are shown");
    display.keys(&["ctrl+l"]);
    std::thread::sleep(Duration::from_millis(2_500));

    for (what, needles) in [("the password", password), ("a key", keys), ("a secret", secrets), ("a name", names)] {
        let hits = found(&needles).unwrap();
        assert!(hits.is_empty(), "{what} is still in memory, {} places:\n{}", hits.len(), places(&hits));
    }
}

/// What a person does before the lock: scrolls, searches, looks at a token, copies a code.
fn look_around(display: &Display) {
    for _ in 0..20 {
        display.click(300, 400, 5);
    }
    display.write("0077");
    display.keys(&["Down", "Return"]);
    std::thread::sleep(Duration::from_millis(1_200));
    display.keys(&["Escape"]);
    display.click(300, 300, 1);
    display.click(300, 500, 3);
    display.keys(&["Escape", "Escape"]);
}

fn password_needles() -> Needles {
    let mut needles = Needles::new();
    let (first, last) = PASSWORD.split_at(PASSWORD.len() / 2);
    needles.add_text("password, first half", first);
    needles.add_text("password, second half", last);
    needles
}

/// Each half alone too: what was freed may be overwritten at its beginning.
fn secret_needles(specs: &[TokenSpec]) -> Needles {
    let mut needles = Needles::new();
    for (at, spec) in specs.iter().enumerate() {
        let bytes = spec.secret.bytes().expose();
        needles.add(format!("secret {at:04} bytes, first half"), &bytes[..10]);
        needles.add(format!("secret {at:04} bytes, second half"), &bytes[10..]);
        let text = BASE32_NOPAD.encode(bytes);
        let (first, last) = text.split_at(16);
        for (half, text) in [("first", first), ("second", last)] {
            let grouped: Vec<&str> = [0, 4, 8, 12].iter().map(|&from| &text[from..from + 4]).collect();
            needles.add_text(&format!("secret {at:04} as text, {half} half"), text);
            needles.add_text(&format!("secret {at:04} as lower text, {half} half"), &text.to_lowercase());
            needles.add_text(&format!("secret {at:04} in groups, {half} half"), &grouped.join(" "));
            needles
                .add_text(&format!("secret {at:04} in lower groups, {half} half"), &grouped.join(" ").to_lowercase());
        }
    }
    needles
}

/// Whose tokens they are.
fn name_needles(specs: &[TokenSpec]) -> Needles {
    let mut needles = Needles::new();
    for spec in specs {
        needles.add_text(&spec.account, &spec.account);
        needles.add_text(&spec.issuer, &spec.issuer);
    }
    needles
}

/// The master key, and the one that the password gives, worked out of the file as its document says.
fn key_needles(display: &Display) -> Needles {
    let file: Value = serde_json::from_slice(&std::fs::read(display.vault()).unwrap()).unwrap();
    let decode = |value: &Value| BASE64.decode(value.as_str().unwrap().as_bytes()).unwrap();
    let slot = file["slots"].as_array().unwrap().iter().find(|slot| slot["type"] == "password").unwrap();
    let kdf = &slot["kdf"];
    let number = |name: &str| u32::try_from(kdf[name].as_u64().unwrap()).unwrap();
    let params = argon2::Params::new(number("memory_kib"), number("passes"), number("lanes"), Some(32)).unwrap();
    let mut derived = [0; 32];
    argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
        .hash_password_into(PASSWORD.as_bytes(), &decode(&kdf["salt"]), &mut derived)
        .unwrap();
    // Keys in the order of the alphabet, which is that of serde_json's map.
    let bound = json!({
        "context": "countersign-vault/1/password", "kdf": kdf, "slot": slot["id"], "vault": file["vault_id"],
    });
    let nonce: [u8; 12] = decode(&slot["nonce"]).try_into().unwrap();
    let (wrapped, bound) = (decode(&slot["key"]), bound.to_string());
    let sealed = Payload { msg: &wrapped, aad: bound.as_bytes() };
    let master = Aes256Gcm::new(&Key::<Aes256Gcm>::from(derived)).decrypt(&Nonce::from(nonce), sealed).unwrap();
    assert_eq!(master.len(), 32);

    let mut needles = Needles::new();
    for (name, key) in [("master key", &master[..]), ("password's key", &derived[..])] {
        needles.add(format!("{name}, first half"), &key[..16]);
        needles.add(format!("{name}, second half"), &key[16..]);
    }
    needles
}

/// What was found where, told by kind instead of one by one.
fn places(hits: &[Hit]) -> String {
    let mut kinds: BTreeMap<(String, String), (usize, u64)> = BTreeMap::new();
    for hit in hits {
        let kind = hit.name.chars().filter(|c| !c.is_ascii_digit()).collect();
        let entry = kinds.entry((kind, hit.region.clone())).or_insert((0, hit.address));
        entry.0 += 1;
    }
    let line = |((kind, region), (count, address)): (&(String, String), &(usize, u64))| {
        format!("{count:6} x {kind} in {region:?}, the first at {address:#x}\n")
    };
    kinds.iter().map(line).collect()
}
