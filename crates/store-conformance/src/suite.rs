//! The suite: one async function a promise, grouped by what they are about. [`conformance_tests!`] lists them.
//!
//! [`conformance_tests!`]: crate::conformance_tests

// pub mod batches;
// pub mod concurrency;
// pub mod constraints;
// pub mod convergence;
// pub mod exactness;
// pub mod messages;
// pub mod notes;
pub mod orders;
// pub mod payments;
// pub mod transactions;
// pub mod waiting;

/// Makes each function of the [`suite`](crate::suite) a test, `fixture` being evaluated anew for each.
///
/// `conformance_tests!(MyFixture::new());` stands in a module of its own in the store's tests.
#[macro_export]
macro_rules! conformance_tests {
    ($fixture:expr) => {
        fn fixture() -> impl $crate::Fixture {
            $fixture
        }
        $crate::for_each_group!($crate::group_of_tests);
    };
}

/// The list of the suite: hands each group and its functions to the macro `$then`.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_group {
    ($($then:tt)+) => {
        $($then)+!(orders:
            registering_again_changes_nothing,
            other_terms_are_refused,
            an_order_that_nobody_registered_is_not_there,
            closing_a_pending_order_is_told_once,
            closing_a_paid_order_changes_nothing,
            closing_an_unknown_order_changes_nothing,
            a_notification_of_another_kind_is_passed_on_once,
        );
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! group_of_tests {
    ($group:ident: $($test:ident),+ $(,)?) => {
        mod $group {
            $(
                #[test]
                fn $test() {
                    let fixture = super::fixture();
                    $crate::run($crate::suite::$group::$test(&fixture));
                }
            )+
        }
    };
}
