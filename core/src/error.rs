//! What can go wrong: all of it misuse, or want of threads.

use core::fmt;

/// Why a call was refused. A refused call has changed nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Error {
    /// An argument is missing, out of range, or was never initialised.
    Invalid,
    /// The work is queued or completed already, or the pool's threads are running already.
    Busy,
    /// The system would not give another thread.
    Again,
    /// The call would wait for the very thread that makes it.
    Deadlock,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "argument missing, out of range or never initialised",
            Self::Busy => "queued, completed or started already",
            Self::Again => "no thread could be started",
            Self::Deadlock => "would wait for itself",
        })
    }
}

impl core::error::Error for Error {}
