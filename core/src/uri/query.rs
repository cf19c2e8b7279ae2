//! The parameters of a link.

use zeroize::Zeroizing;

use super::{Part, UriError, Warning, percent};
use crate::token::MAX_TEXT_BYTES;

/// The parameters that were not taken yet, in their order. Split first and decoded after, so that an escaped `&` or
/// `=` is a part of its value.
pub(super) struct Query<'a> {
    pairs: Vec<Pair<'a>>,
    /// The label, decoded: it tells whether a `+` is itself.
    label: String,
}

struct Pair<'a> {
    name: String,
    /// As it is written; `None` without a `=`.
    value: Option<&'a str>,
}

impl<'a> Query<'a> {
    pub(super) fn new(raw: &'a str, label: String) -> Result<Self, UriError> {
        let pairs = raw.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').map_or((pair, None), |(name, value)| (name, Some(value)));
            let name = percent::decode(&name.replace('+', " ")).text;
            if name.len() > MAX_TEXT_BYTES { Err(UriError::TooLong(Part::Other)) } else { Ok(Pair { name, value }) }
        });
        Ok(Self { pairs: pairs.collect::<Result<_, _>>()?, label })
    }

    /// Takes a parameter out, the first one where there are many.
    pub(super) fn take(
        &mut self,
        part: Part,
        name: &str,
        warnings: &mut Vec<Warning>,
    ) -> Result<Option<Zeroizing<String>>, UriError> {
        let mut first: Option<Zeroizing<String>> = None;
        let mut differs = false;
        for pair in self.pairs.extract_if(.., |pair| pair.name.eq_ignore_ascii_case(name)) {
            let value = decode(part, pair.value.unwrap_or_default(), &self.label, warnings)?;
            match &first {
                Some(first) => differs |= *first != value,
                None => first = Some(value),
            }
        }
        if differs {
            warnings.push(Warning::Duplicate(part));
        }
        Ok(first)
    }

    /// Takes the flag `steam` out, as Stratum writes it.
    pub(super) fn take_steam_flag(&mut self) -> bool {
        let is_flag = |pair: &mut Pair<'_>| {
            let value = pair.value.unwrap_or_default();
            pair.name.eq_ignore_ascii_case("steam")
                && ["", "1", "true", "yes"].iter().any(|yes| value.eq_ignore_ascii_case(yes))
        };
        self.pairs.extract_if(.., is_flag).count() > 0
    }

    /// What was not taken. Parameters of `fixed` that say what goes without saying are dropped.
    pub(super) fn rest(
        self,
        fixed: &[(Part, &str, &[&str])],
        warnings: &mut Vec<Warning>,
    ) -> Result<Vec<(String, String)>, UriError> {
        let mut rest = Vec::with_capacity(self.pairs.len());
        for Pair { name, value } in self.pairs {
            let mut value = decode(Part::Other, value.unwrap_or_default(), &self.label, warnings)?;
            if let Some((part, _, usual)) = fixed.iter().find(|(_, fixed, _)| name.eq_ignore_ascii_case(fixed)) {
                if usual.iter().any(|usual| value.eq_ignore_ascii_case(usual)) {
                    continue;
                }
                warnings.push(Warning::Fixed { part: *part, given: value.to_string() });
            }
            rest.push((name, std::mem::take(&mut *value)));
        }
        Ok(rest)
    }
}

/// `%2B` is always `+`; a bare `+` is a space unless the label has the same text with `+`: issuers write it both ways.
fn decode(part: Part, raw: &str, label: &str, warnings: &mut Vec<Warning>) -> Result<Zeroizing<String>, UriError> {
    let mut decoded = percent::decode(raw);
    if raw.contains('+') && !label.contains(&decoded.text) {
        decoded = percent::decode(&Zeroizing::new(raw.replace('+', " ")));
    }
    let text = Zeroizing::new(decoded.text);
    if text.len() > MAX_TEXT_BYTES {
        return Err(UriError::TooLong(part));
    }
    if decoded.bad && !warnings.contains(&Warning::BadPercent(part)) {
        warnings.push(Warning::BadPercent(part));
    }
    Ok(text)
}
