//! The protocols under loom: one model, one protocol, small enough to be explored.
//!
//! Each model says which threads meet, and what must not happen. What is checked in all of them:
//!
//! - causality: `func` of a job writes plain memory, its ordered callback reads it; the ordered
//!   callbacks of a lane write one plain counter. loom fails on any two accesses without an order,
//!   so that a missing Acquire or Release, or an overlap, is a fault;
//! - order: the counter gives each job its number in the order;
//! - exactly once: each job says at the end how often each callback ran;
//! - last touch: the last callback revokes the work, after which any use of any field is a fault;
//! - lost turns and lost wakes: somebody waits then for ever, which loom reports as a deadlock.

mod count;
mod end;
mod limit;
mod ordered;
mod pool;
mod ready;
mod rig;
