//! Which step of a token a code belongs to. The same work for one token, whatever the code that is refused.

use countersign_core::{
    secret::SecretText,
    token::{Kind, TokenSpec},
};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use super::policy::Policy;

/// How far ahead a counter may have run for two codes in a row to bring it back.
pub const RESYNC_WINDOW: u64 = 1000;
/// How long the first of the two is remembered, in seconds.
pub const RESYNC_SECONDS: i64 = 600;

/// A code as it was typed: its digits. Wiped when it is dropped, never shown.
#[derive(Clone, Debug)]
pub struct TypedCode(SecretText);

impl TypedCode {
    /// Takes what was typed, without the spaces that people put between groups. Any text will do: one that cannot be a
    /// code is a wrong code.
    pub fn new(typed: &str) -> Self {
        let mut clean = String::with_capacity(typed.len().min(64));
        clean.extend(typed.chars().filter(|c| !c.is_whitespace()).take(16));
        Self(SecretText::new(clean))
    }

    fn matches(&self, code: &str) -> Choice {
        self.0.expose().as_bytes().ct_eq(code.as_bytes())
    }
}

/// What a code is to a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The code of this step or counter. Whether the step is still to be had is the store's to decide.
    Step(i64),
    /// The code of a counter beyond the look-ahead: the next one will confirm it.
    Far(i64),
    /// Of none that counts.
    Wrong,
}

/// Compares with the code of each step in the window.
///
/// `last_step` is where a counting token stands; `resync` the counter that an earlier code was beyond the look-ahead
/// with, while it is remembered. The time is in Unix seconds.
pub fn judge(
    token: &TokenSpec,
    last_step: i64,
    resync: Option<i64>,
    code: &TypedCode,
    policy: &Policy,
    now: i64,
) -> Judgement {
    match &token.kind {
        Kind::Hotp { .. } => counter(token.clone(), last_step, resync, code, policy),
        kind => match kind.period() {
            Some(period) => time(token, period.seconds(), code, policy, now),
            None => Judgement::Wrong,
        },
    }
}

fn time(token: &TokenSpec, period: u64, code: &TypedCode, policy: &Policy, now: i64) -> Judgement {
    let present = u64::try_from(now).unwrap_or(0) / period;
    let mut found = -1;
    // Latest first, so that the earliest of two equal codes is what stays.
    for step in (present.saturating_sub(policy.drift_steps)..=present + policy.drift_steps).rev() {
        let matches = token.code_at(step * period).map_or(Choice::from(0), |at| code.matches(at.text()));
        found.conditional_assign(&signed(step), matches);
    }
    if found < 0 { Judgement::Wrong } else { Judgement::Step(found) }
}

fn counter(mut token: TokenSpec, last_step: i64, resync: Option<i64>, code: &TypedCode, policy: &Policy) -> Judgement {
    let next = u64::try_from(last_step.saturating_add(1)).unwrap_or(0);
    let mut is_code_of = |at: u64| {
        if let Kind::Hotp { counter, .. } = &mut token.kind {
            *counter = at;
        }
        token.code_at(0).map_or(Choice::from(0), |made| code.matches(made.text()))
    };
    let mut near = -1;
    for at in (0..policy.look_ahead).rev().map(|ahead| next.saturating_add(ahead)) {
        near.conditional_assign(&signed(at), is_code_of(at));
    }
    // What ends here is accepted, which the answer says anyway. Only for the others it is worth to look further out.
    if near >= 0 {
        return Judgement::Step(near);
    }
    let mut far = -1;
    for at in (policy.look_ahead..RESYNC_WINDOW).rev().map(|ahead| next.saturating_add(ahead)) {
        // A code that follows the remembered one confirms it, and nothing takes its place.
        let open = far < 0 || resync != Some(far - 1);
        far.conditional_assign(&signed(at), is_code_of(at) & Choice::from(u8::from(open)));
    }
    match far {
        0.. if resync == Some(far - 1) => Judgement::Step(far),
        0.. => Judgement::Far(far),
        _ => Judgement::Wrong,
    }
}

fn signed(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use countersign_core::uri;

    use super::*;

    /// RFC 4226, appendix D, and RFC 6238, appendix B.
    const KEY: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    const HOTP: [&str; 10] =
        ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];

    fn token(text: &str) -> TokenSpec {
        uri::parse(text).unwrap().spec
    }

    fn code_of(token: &TokenSpec, at: u64) -> TypedCode {
        TypedCode::new(token.code_at(at).unwrap().text())
    }

    fn counted(counter: u64) -> TypedCode {
        code_of(&token(&format!("otpauth://hotp/a?secret={KEY}&counter={counter}")), 0)
    }

    #[test]
    fn a_code_is_of_its_step_within_the_window_only() {
        let token = token(&format!("otpauth://totp/a?secret={KEY}&digits=8"));
        let policy = Policy::default();
        // RFC 6238: at 59 seconds, step 1.
        let code = TypedCode::new("9428 7082");
        for (now, judged) in [
            (-5, Judgement::Step(1)),
            (29, Judgement::Step(1)),
            (59, Judgement::Step(1)),
            (89, Judgement::Step(1)),
            (90, Judgement::Wrong),
            (i64::MAX, Judgement::Wrong),
        ] {
            assert_eq!(judge(&token, -1, None, &code, &policy, now), judged, "{now}");
        }
        let narrow = Policy { drift_steps: 0, ..policy.clone() };
        assert_eq!(judge(&token, -1, None, &code, &narrow, 29), Judgement::Wrong);
        let wide = Policy { drift_steps: 480, ..policy };
        assert_eq!(judge(&token, -1, None, &code, &wide, 481 * 30), Judgement::Step(1));
        assert_eq!(judge(&token, -1, None, &code, &wide, 482 * 30), Judgement::Wrong);
    }

    #[test]
    fn what_is_no_code_is_wrong() {
        let token = token(&format!("otpauth://totp/a?secret={KEY}&digits=8"));
        for typed in ["", "9428708", "942870820", "９４２８７０８２", "94287082\0", "-94287082", "0x9428708"] {
            let judged = judge(&token, -1, None, &TypedCode::new(typed), &Policy::default(), 59);
            assert_eq!(judged, Judgement::Wrong, "{typed:?}");
        }
    }

    #[test]
    fn a_counter_moves_forward_within_the_look_ahead() {
        let token = token(&format!("otpauth://hotp/a?secret={KEY}&counter=0"));
        let policy = Policy { look_ahead: 3, ..Policy::default() };
        let judged = |last, code: &str| judge(&token, last, None, &TypedCode::new(code), &policy, 0);
        assert_eq!(judged(-1, HOTP[0]), Judgement::Step(0));
        assert_eq!(judged(-1, HOTP[2]), Judgement::Step(2));
        assert_eq!(judged(-1, HOTP[3]), Judgement::Far(3));
        assert_eq!(judged(2, HOTP[2]), Judgement::Wrong);
        assert_eq!(judged(2, HOTP[5]), Judgement::Step(5));
    }

    #[test]
    fn two_codes_in_a_row_bring_a_counter_back() {
        let token = token(&format!("otpauth://hotp/a?secret={KEY}&counter=0"));
        let policy = Policy::default();
        let judged = |resync, counter| judge(&token, -1, resync, &counted(counter), &policy, 0);
        assert_eq!(judged(None, 500), Judgement::Far(500));
        assert_eq!(judged(Some(500), 501), Judgement::Step(501));
        assert_eq!(judged(Some(500), 500), Judgement::Far(500));
        assert_eq!(judged(Some(500), 502), Judgement::Far(502));
        assert_eq!(judged(None, 999), Judgement::Far(999));
        assert_eq!(judged(None, 1000), Judgement::Wrong);
    }
}
