//! Memory that was used and is not any more, where secrets would otherwise stay until something else overwrites them.

use std::{alloc::System, time::Duration};

use zeroize::Zeroize as _;
use zeroizing_alloc::ZeroAlloc;

/// What is freed is wiped: secrets pass through strings and buffers of the toolkit, of JSON and of the clipboard, whose
/// types do not wipe themselves. Memory that a C library frees is not reached.
#[global_allocator]
static HEAP: ZeroAlloc<System> = ZeroAlloc(System);

/// More than the deepest calls use (key derivation, decryption, reading the content), and a quarter of the smallest
/// stack that a window's thread has (1 MiB on Windows).
const DEPTH: usize = 256 * 1024;

/// Wipes what calls that have returned left on this thread's stack, below whoever calls this: keys are in registers
/// and on the stack while they are used, and their types wipe only the last place they were moved to.
#[inline(never)]
pub(crate) fn wipe_stack() {
    let mut below = [0u8; DEPTH];
    below.zeroize();
    std::hint::black_box(&below);
}

/// The same for the window's thread, once the event loop has it back: then as little as possible is above.
pub(crate) fn wipe_stack_when_idle() {
    slint::Timer::single_shot(Duration::ZERO, wipe_stack);
}
