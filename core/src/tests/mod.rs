//! Tests: models under loom, and order, life cycle and misuse on real threads.

crate::sync::model_only! {
    mod model;
}

crate::sync::native_only! {
    mod life;
    #[cfg(feature = "std")]
    mod random;
    #[cfg(feature = "std")]
    mod safe;
    mod safe_static;
    #[cfg(feature = "std")]
    mod trace;
}
