//! Battle.net: the preferences of its Android app, hidden behind a mask.

use data_encoding::HEXLOWER_PERMISSIVE;

use super::{
    Draft, ImportError, PasswordUse, Problem, Recognised, Source, Unlock, input::Input, prefs, table::Importer,
    text::Said,
};
use crate::token::TokenSecret;

/// Battle.net's preferences.
pub(super) struct BattleNet;

const SECRET: &str = "com.blizzard.messenger.AUTHENTICATOR_DEVICE_SECRET";
const SERIAL: &str = "com.blizzard.messenger.AUTHENTICATOR_SERIAL";
/// What every byte is combined with.
const MASK: &[u8] = &[
    0x39, 0x8e, 0x27, 0xfc, 0x50, 0x27, 0x6a, 0x65, 0x60, 0x65, 0xb0, 0xe5, 0x25, 0xf4, 0xc0, 0x6c, 0x04, 0xc6, 0x10,
    0x75, 0x28, 0x6b, 0x8e, 0x7a, 0xed, 0xa5, 0x9d, 0xa9, 0x81, 0x3b, 0x5d, 0xd6, 0xc8, 0x0d, 0x2f, 0xb3, 0x80, 0x68,
    0x77, 0x3f, 0xa5, 0x9b, 0xa4, 0x7c, 0x17, 0xca, 0x6c, 0x64, 0x79, 0x01, 0x5c, 0x1d, 0x5b, 0x8b, 0x8f, 0x6b, 0x9a,
];

impl Importer for BattleNet {
    const ID: &'static str = "battle-net";
    const NAME: &'static str = "Battle.net";
    const EXTENSIONS: &'static [&'static str] = &["xml"];
    const PASSWORD: PasswordUse = PasswordUse::Never;

    fn recognise(input: &Input<'_>) -> Recognised {
        let strings = prefs::strings(input).unwrap_or_default();
        if strings.iter().any(|(name, _)| name == SECRET) { Recognised::Yes } else { Recognised::No }
    }

    fn read(input: &Input<'_>, _: Unlock<'_>) -> Result<Source, ImportError> {
        let strings = prefs::strings(input).ok_or(ImportError::NotThis { format: Self::NAME })?;
        let text = |wanted| strings.iter().find(|(name, _)| name == wanted).map(|(_, text)| text.as_str());
        let serial = text(SERIAL).and_then(unmasked).unwrap_or_default();
        let secret = text(SECRET).unwrap_or_default();
        let mut source = Source::new(Self::NAME);
        source.push(format!("Battle.net ({serial})"), draft(secret, serial), secret);
        Ok(source)
    }
}

fn draft(secret: &str, serial: String) -> Result<Draft, Problem> {
    let hex = unmasked(secret).ok_or(Problem::Malformed("AUTHENTICATOR_DEVICE_SECRET"))?;
    let said = Said { issuer: "Battle.net".into(), account: serial, digits: Some(8), ..Said::default() };
    said.with(TokenSecret::from_hex(&hex)?)
}

fn unmasked(text: &str) -> Option<String> {
    let bytes = HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).ok().filter(|bytes| bytes.len() <= MASK.len())?;
    String::from_utf8(bytes.iter().zip(MASK).map(|(byte, mask)| byte ^ mask).collect()).ok()
}
