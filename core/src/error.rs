//! What can go wrong: misuse, want of threads or room, or too late.

use core::fmt;

/// Why a call was refused. A refused call has changed nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Error {
    /// An argument is missing, out of range, or was never initialised.
    Invalid,
    /// It is done already, or being done: the work is queued, claimed or completed, the pool's
    /// threads are running, the queue is being destroyed.
    Busy,
    /// There is no room, or no thread, at present.
    Again,
    /// The call would wait for the very thread that makes it.
    Deadlock,
    /// The queue is being drained or destroyed.
    Shutdown,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "argument missing, out of range or never initialised",
            Self::Busy => "done already, or being done",
            Self::Again => "no room, or no thread, at present",
            Self::Deadlock => "would wait for itself",
            Self::Shutdown => "the queue is being drained or destroyed",
        })
    }
}

impl core::error::Error for Error {}
