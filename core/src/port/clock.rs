//! The time on a host, and the thread that lets delayed works go on.

use crate::pool::{Pool, Run};
use crate::timer::NEVER;

/// Ticks in a second: milliseconds.
const TICKS: u64 = 1000;

/// Ticks between two looks when another thread is in `tick`, or where a wait can not have an end.
const SOON: u32 = 1;

/// Calls `tick` whenever something is due, until `run` is over.
pub(super) fn run(pool: &Pool, run: Run) {
    let Some(timers) = pool.timers() else { return };
    loop {
        // Read first: what changes after this lets the wait return.
        let (word, value) = timers.bell();
        if pool.current_run() != Some(run) {
            return;
        }
        wait(word, value, pool.tick().unwrap_or(SOON));
    }
}

/// Milliseconds since some moment, modulo 2^32.
#[expect(clippy::cast_possible_truncation, reason = "modulo 2^32")]
#[expect(clippy::cast_sign_loss, reason = "the clock does not go below 0")]
#[cfg(target_os = "linux")]
pub(super) fn now() -> u32 {
    // Not `Instant`, which can not be made a number without a first one, to be kept somewhere.
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    (time.tv_sec as u64 * TICKS + time.tv_nsec as u64 / (1_000_000_000 / TICKS)) as u32
}

/// Sleeps while `*word` is `value`, at most so many ticks.
#[cfg(target_os = "linux")]
fn wait(word: *const u32, value: u32, ticks: u32) {
    use crate::sync::AtomicU32;
    use core::time::Duration;
    use rustix::thread::futex;

    // SAFETY: the word is the timers', which stay as long as the pool; only used atomically.
    let word = unsafe { AtomicU32::from_ptr(word.cast_mut()) };
    let duration = Duration::from_millis(u64::from(ticks) * 1000 / TICKS);
    let timeout = (ticks != NEVER).then(|| duration.try_into().ok()).flatten();
    // However it returns, the caller looks again.
    let _ = futex::wait(word, futex::Flags::PRIVATE, value, timeout.as_ref());
}

/// Milliseconds since the first call, modulo 2^32.
#[expect(clippy::cast_possible_truncation, reason = "modulo 2^32")]
#[cfg(not(target_os = "linux"))]
pub(super) fn now() -> u32 {
    use std::sync::OnceLock;
    use std::time::Instant;

    static FIRST: OnceLock<Instant> = OnceLock::new();
    (FIRST.get_or_init(Instant::now).elapsed().as_nanos() / (1_000_000_000 / u128::from(TICKS)))
        as u32
}

/// Sleeps while `*word` is `value`, at most so many ticks: in small pieces, since what the system
/// has for waiting on a word takes no end of the wait here.
#[cfg(not(target_os = "linux"))]
fn wait(word: *const u32, value: u32, ticks: u32) {
    use crate::sync::AtomicU32;
    use core::time::Duration;

    // SAFETY: the word is the timers', which stay as long as the pool; only used atomically.
    let word = unsafe { AtomicU32::from_ptr(word.cast_mut()) };
    if ticks == NEVER {
        atomic_wait::wait(word, value);
    } else {
        std::thread::sleep(Duration::from_millis(u64::from(SOON) * 1000 / TICKS));
    }
}
