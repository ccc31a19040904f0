//! Named fault points: places where a test makes the process die, to prove that nothing is lost or doubled.
//!
//! `fault!("apply: before commit")` costs nothing unless the crate is built with the feature `fault-points`
//! (tests are); then the point that [`arm`] named ends the process at once, as a power cut would. A name that
//! no list here has does not compile.

/// Every point on the way of a callback, in the order in which it passes them.
pub const POINTS: &[&str] = &[
    "ingest: verified, before the queue",
    "apply: begun, nothing read",
    "apply: decided, nothing saved",
    "save: orders written, payments not yet",
    "save: payments written, messages not yet",
    "apply: saved, before commit",
    "apply: after commit",
    "ingest: after commit, before ack",
];

/// Every point on the way of a callback that only one with an effect passes.
pub const EFFECT_POINTS: &[&str] = &["effects: saved, none run", "effects: all run, before commit"];

/// Every point of `payonce copy`, likewise. The second one is passed once for each portion.
pub const COPY_POINTS: &[&str] = &[
    "copy: begun, nothing copied",
    "copy: a portion written",
    "copy: all copied, nothing compared",
    "copy: compared, the source not marked",
    "copy: the source marked, the target not finished",
];

/// Every point on the way of a message to an endpoint, likewise.
pub const DISPATCH_POINTS: &[&str] = &[
    "dispatch: fanned out",
    "dispatch: taken, not called",
    "dispatch: called, not settled",
    "dispatch: settled",
];

/// Whether `name` is listed; evaluated by the compiler for each `fault!`.
#[must_use]
pub const fn is_listed(name: &str) -> bool {
    is_among(POINTS, name)
        || is_among(EFFECT_POINTS, name)
        || is_among(COPY_POINTS, name)
        || is_among(DISPATCH_POINTS, name)
}

const fn is_among(points: &[&str], name: &str) -> bool {
    let mut i = 0;
    while i < points.len() {
        if same(points[i].as_bytes(), name.as_bytes()) {
            return true;
        }
        i += 1;
    }
    false
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// Dies here if this point is armed.
#[macro_export]
macro_rules! fault {
    ($name:literal) => {{
        const { assert!($crate::fault::is_listed($name), "listed nowhere in payonce_core::fault") };
        $crate::fault::reach($name);
    }};
}

#[cfg(feature = "fault-points")]
mod armed {
    use std::sync::OnceLock;

    static ARMED: OnceLock<String> = OnceLock::new();

    /// Arms one point for the life of the process; `false` if there is no such point or one is armed already.
    pub fn arm(name: &str) -> bool {
        super::is_listed(name) && ARMED.set(name.to_owned()).is_ok()
    }

    /// Where `fault!` ends up.
    pub fn reach(name: &'static str) {
        if ARMED.get().is_some_and(|armed| armed == name) {
            std::process::abort();
        }
    }
}

#[cfg(not(feature = "fault-points"))]
mod armed {
    /// This build has no fault points: always `false`.
    pub fn arm(_name: &str) -> bool {
        false
    }

    /// Does nothing in this build.
    #[inline(always)]
    pub fn reach(_name: &'static str) {}
}

pub use armed::{arm, reach};

#[cfg(test)]
mod tests {
    #[test]
    fn only_listed_points_can_be_armed() {
        assert!(!super::is_listed("apply: nowhere"));
        assert!(!super::arm("apply: nowhere"));
        assert!(
            [super::POINTS, super::EFFECT_POINTS, super::COPY_POINTS]
                .concat()
                .into_iter()
                .all(super::is_listed)
        );
    }
}
