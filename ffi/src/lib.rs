//! The C ABI of btwq, and nothing else: check, convert, call the core.
//!
//! `include/btwq.h` is generated from this package, comments included: they are written for people
//! who read C. Each type here mirrors one of the core's as plain fields of fixed size, so that C
//! can allocate and initialise it, statically too; that the two agree is asserted at compile time.
#![allow(non_camel_case_types)]
#![deny(missing_docs)]

mod check;

// In the order in which the header is to be read, which is why there are lines between them.
pub mod status;

pub mod work;

pub mod queue;

pub mod end;

pub mod control;

pub mod executor;

pub mod pool;

pub mod timers;

pub mod worker;
