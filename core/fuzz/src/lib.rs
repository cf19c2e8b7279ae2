//! The doors through which foreign bytes come in, and what must hold for whatever comes.
//!
//! Each function takes one input. The fuzz targets call them with random ones, and `core/tests/it/corpus.rs` with the
//! committed ones, so that every check runs without a nightly compiler, too.

mod database;
mod import;
mod sealed;
mod text;

use countersign_core::{
    otp::CodeError,
    qr::{self, Luma},
    token::TokenSpec,
    uri::{self, migration},
};

pub use import::{import_binary, import_database, import_json, import_text};
pub use sealed::vault_file;
pub use text::backup_text;

/// A picture larger than this says nothing new and takes long.
const MAX_FUZZED_PIXELS: u64 = 256 * 256;

/// `otpauth://`, `motp://`, `steam://`: what is read is written and read again without a loss, and has a code.
pub fn uri(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(parsed) = uri::parse(text) {
        check_spec(&parsed.spec);
    }
}

/// `otpauth-migration://`: entries like any token, and the parts in any order.
pub fn migration(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(part) = migration::parse(text) else { return };
    for parsed in part.entries.iter().flatten() {
        check_spec(&parsed.spec);
    }
    let mut collector = migration::Collector::default();
    let once = collector.add(part.clone());
    let again = collector.add(part);
    assert!(again.repeated && again.entries.is_empty(), "a part that came before brings nothing");
    assert_eq!(once.progress, again.progress);
    assert!(once.progress.have >= 1 && once.progress.have <= once.progress.of);
}

/// A picture file: decoded within limits, looked through without a panic.
pub fn picture(data: &[u8]) {
    let Ok(picture) = Luma::from_file_bytes(data) else { return };
    if u64::from(picture.width()) * u64::from(picture.height()) <= MAX_FUZZED_PIXELS {
        for text in qr::read(&picture) {
            uri(text.as_bytes());
        }
    }
}

fn check_spec(spec: &TokenSpec) {
    let written = uri::write(spec);
    let again = uri::parse(written.expose()).expect("what was written is read").spec;
    let name = |spec: &TokenSpec| (spec.issuer.clone(), spec.account.clone(), spec.label_issuer.clone());
    assert!(again.kind == spec.kind && again.secret.bytes() == spec.secret.bytes(), "a link keeps the codes");
    assert_eq!(name(&again), name(spec), "a link keeps the names");
    assert_eq!(again.uri_parameters, spec.uri_parameters, "a link keeps what it does not know");
    assert!(uri::write(&again) == written, "there is one way to write a token");
    check_codes(spec);
}

fn check_codes(spec: &TokenSpec) {
    for at in [0, 59, 1_700_000_000, u64::MAX] {
        match spec.code_at(at) {
            Ok(code) => assert!(!code.text().is_empty()),
            Err(CodeError::PinMissing | CodeError::YandexSecret(_) | CodeError::NoNext) => {}
            Err(other) => panic!("{other}"),
        }
    }
}
