//! Which of a vault's generations open.

use super::{
    session::{Key, OpenError, Unlocker},
    store::{GENERATIONS, Part, Store},
};

/// What is known of one generation.
#[derive(Debug)]
pub struct GenerationReport {
    /// 0 for the current file, 1 for the one before it, up to 3.
    pub earlier: u8,
    /// What it holds, or why it does not open.
    pub outcome: Result<GenerationContent, OpenError>,
}

/// What a generation that opens holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GenerationContent {
    /// The number of saves up to it.
    pub generation: u64,
    /// Tokens, without those in the trash.
    pub tokens: usize,
    /// Tokens in the trash.
    pub trash: usize,
    /// Entries that could not be read and are kept word for word.
    pub unreadable: usize,
}

/// Opens the current file and the earlier generations that are there, and says what each holds. The first report is of
/// the current file, also where it is missing. Nothing is changed.
pub fn verify(store: &dyn Store, key: &Key) -> Vec<GenerationReport> {
    let mut unlocker = match Unlocker::new(key) {
        Ok(unlocker) => unlocker,
        Err(error) => return vec![GenerationReport { earlier: 0, outcome: Err(error.into()) }],
    };
    let mut reports = Vec::new();
    for earlier in 0..=GENERATIONS {
        let part = if earlier == 0 { Part::Current } else { Part::Earlier(earlier) };
        let outcome = match store.read(part) {
            Ok(None) if earlier > 0 => continue,
            Ok(None) => Err(OpenError::Missing(store.path().to_owned())),
            Ok(Some(bytes)) => unlocker.open(&bytes).map(|(generation, content)| GenerationContent {
                generation,
                tokens: content.tokens().len(),
                trash: content.trash().len(),
                unreadable: content.unreadable().len(),
            }),
            Err(error) => Err(error.into()),
        };
        reports.push(GenerationReport { earlier, outcome });
    }
    reports
}

/// The newest earlier generation that opens, for [`super::Session::restore_generation`].
pub fn newest_good(store: &dyn Store, key: &Key) -> Option<u8> {
    let good = |report: &GenerationReport| report.earlier > 0 && report.outcome.is_ok();
    verify(store, key).into_iter().find(good).map(|report| report.earlier)
}
