//! What moving in with 10,000 tokens costs beside the key derivation: reading, the preview with its codes, adding and
//! saving. Prints a table; the best of several runs, so that a busy machine shows less.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods)]

use std::time::{Duration, Instant};

use countersign_core::{
    export,
    import::{self, Unlock},
    secret::Password,
    vault::{Content, KdfParams, Session, store::FileStore},
};
use data_encoding::BASE32_NOPAD;
use getrandom::SysRng;
use rand_core::UnwrapErr;

const NOW: u64 = 1_790_000_000;
const TOKENS: usize = 10_000;
const RUNS: usize = 5;

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let value = work();
    (start.elapsed(), value)
}

fn main() {
    let rng = &mut UnwrapErr(SysRng);
    let links: String = (0..TOKENS)
        .map(|at| {
            // Some apps have one token for each secret.
            let secret = BASE32_NOPAD.encode(format!("{at:020}").as_bytes());
            format!("otpauth://totp/Issuer%20{at}:user{at}@example.org?secret={secret}&issuer=Issuer%20{at}\n")
        })
        .collect();
    let mut content = Content::default();
    import::read(links.as_bytes(), None, Unlock::default()).unwrap().merge_into(&mut content, rng, NOW);
    println!("{TOKENS} tokens, ms, best of {RUNS}");
    println!("format                        read   preview       add  and save   in all");
    for format in export::FORMATS.iter().filter(|format| !format.encrypted && format.extension != "html") {
        let file = export::write(&content, format, None, rng, NOW).unwrap().bytes;
        let best = (0..RUNS)
            .map(|_| {
                let folder = tempfile::tempdir().unwrap();
                let store = Box::new(FileStore::new(folder.path().join("vault.json")));
                let kdf = KdfParams::new(8, 1, 1).unwrap();
                let mut session = Session::create(store, &Password::new("benchmark"), kdf, rng, NOW).unwrap();
                let (read, source) = timed(|| import::read(&file, None, Unlock::default()).unwrap());
                let (preview, plan) = timed(|| source.plan(session.content(), rng, NOW));
                let mut add = Duration::ZERO;
                let (save, _) = timed(|| {
                    let mut merge = UnwrapErr(SysRng);
                    session.edit(rng, NOW, |vault| {
                        let (took, plan) = timed(|| source.merge_into(vault, &mut merge, NOW));
                        add = took;
                        Ok::<_, ()>(plan)
                    })
                });
                assert_eq!((plan.counts.records, plan.counts.sum()), (TOKENS, TOKENS));
                (read + preview + save, read, preview, add, save)
            })
            .min()
            .unwrap();
        let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
        let (all, read, preview, add, save) = best;
        println!(
            "{:<24} {:>9.1} {:>9.1} {:>9.1} {:>9.1} {:>8.1}",
            format.id,
            ms(read),
            ms(preview),
            ms(add),
            ms(save),
            ms(all)
        );
    }
}
