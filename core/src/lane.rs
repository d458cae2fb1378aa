//! The two lanes, and what there is one of in each.

use crate::sync::{const_fn, model_only};

/// Which lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lane {
    /// What most works go by.
    Normal,
    /// What workers prefer.
    High,
}

/// One thing for each lane.
#[repr(C)]
pub(crate) struct PerLane<T> {
    normal: T,
    high: T,
}

impl<T> PerLane<T> {
    const_fn! {
        /// These two.
        pub(crate) const fn new(normal: T, high: T) -> Self {
            Self { normal, high }
        }
    }

    /// The one of `lane`.
    pub(crate) fn of(&self, lane: Lane) -> &T {
        match lane {
            Lane::Normal => &self.normal,
            Lane::High => &self.high,
        }
    }

    /// Both, high first.
    pub(crate) fn both(&self) -> [&T; 2] {
        [&self.high, &self.normal]
    }
}

model_only! {
    impl<T> PerLane<T> {
        /// Both, high first.
        pub(crate) fn both_mut(&mut self) -> [&mut T; 2] {
            [&mut self.high, &mut self.normal]
        }
    }
}
