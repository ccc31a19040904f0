//! The suite: one async function a promise, grouped by what they are about. [`conformance_tests!`] lists them.
//!
//! [`conformance_tests!`]: crate::conformance_tests

pub mod batches;
pub mod concurrency;
pub mod constraints;
pub mod convergence;
mod delivery;
pub mod exactness;
pub mod leases;
pub mod messages;
pub mod notes;
pub mod orders;
pub mod payments;
pub mod transactions;
pub mod waiting;

pub use delivery::{
    consumers, delivered_once, effects, endpoints, fanning_out, in_order, replaying, settling, taking,
};

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
        $($then)+!(payments:
            an_agreeing_payment_pays_its_order,
            a_disagreeing_payment_pays_nothing,
            an_order_is_paid_after_a_disagreeing_payment,
            the_same_statement_again_changes_nothing,
            another_content_under_one_number_is_told,
            a_second_payment_is_kept_and_told,
            a_disagreeing_second_payment_is_mismatched,
            a_payment_after_the_close_is_late,
            a_payment_without_an_order_is_kept,
            an_unknown_order_is_adopted_where_wished,
        );
        $($then)+!(waiting:
            a_registration_takes_up_the_payment_that_waits,
            the_detail_is_kept_while_it_waits,
            payments_that_wait_are_decided_in_the_order_of_their_arrival,
            contradictions_wait_as_well,
            one_payment_never_pays_two_orders,
            a_contradiction_flags_the_order_that_is_registered_after_it,
            an_adoption_takes_up_the_payments_that_wait,
        );
        $($then)+!(batches:
            a_batch_ends_like_its_facts_one_by_one,
            later_facts_of_a_batch_see_the_earlier_ones,
            a_thousand_facts_fit_into_one_batch,
            an_empty_batch_changes_nothing,
            each_callback_leaves_its_receipt,
        );
        $($then)+!(transactions:
            a_dropped_transaction_changes_nothing,
            what_is_saved_is_seen_once_it_is_committed,
            what_is_committed_outlives_the_handles,
        );
        $($then)+!(constraints:
            order_number_once,
            payment_statement_once,
            payment_settles_once,
            a_number_counts_once,
            an_incident_belongs_to_one_statement,
            message_sequence_once,
            payment_succeeded_once,
            notification_once,
            an_order_that_moved_is_a_conflict,
        );
        $($then)+!(concurrency:
            copies_that_arrive_at_once_take_effect_once,
            payments_that_compete_settle_an_order_once,
            registrations_and_payments_may_race,
            all_facts_from_all_tasks_take_effect_once,
            a_reader_beside_the_writers_sees_whole_transactions,
        );
        $($then)+!(messages:
            pages_skip_and_repeat_nothing,
            a_reader_that_follows_skips_nothing,
            an_orders_messages_are_numbered_from_one,
            a_message_never_changes,
        );
        $($then)+!(leases:
            a_lease_has_one_holder,
            a_lease_that_is_over_goes_to_the_next,
            a_lease_that_is_given_back_is_free,
            a_lease_may_last_for_ever,
            of_many_who_ask_at_once_one_gets_it,
            nodes_and_roles_are_listed,
            positions_are_given_to_the_holder_alone,
        );
        $($then)+!(notes:
            rejected_callbacks_are_kept_up_to_a_bound,
            surplus_callbacks_go_a_few_at_a_time,
            answered_callbacks_leave_receipts,
            unopened_callbacks_are_kept_once,
            unopened_callbacks_are_shared_out,
            what_came_long_ago_is_pruned,
            pruning_gets_past_what_a_clock_ahead_has_written,
            notes_change_no_order,
        );
        $($then)+!(effects:
            an_effect_commits_with_its_message,
            an_effect_that_fails_leaves_its_fact_unapplied,
            neighbours_of_a_failing_effect_are_applied,
            another_number_of_rows_is_a_failure,
            what_an_effect_did_before_it_failed_is_undone,
            a_refused_statement_fails_whatever_the_effect_returns,
            a_registration_waits_for_the_effects_of_what_waited,
            copies_on_two_nodes_run_an_effect_once,
            values_arrive_as_they_are,
            values_are_never_read_as_sql,
            arguments_have_the_statements_names,
            failures_are_counted_and_resolve_by_themselves,
            a_failure_that_comes_twice_at_once_counts_twice,
            statements_are_checked_without_being_executed,
        );
        $($then)+!(exactness:
            hostile_payments_round_trip,
            hostile_notifications_round_trip,
            hostile_notes_round_trip,
            numbers_that_differ_are_different,
        );
        $($then)+!(convergence:
            every_way_through_the_facts_ends_in_the_same_money,
            no_payment_counts_twice_whatever_wechat_says,
        );
        $($then)+!(endpoints:
            an_endpoint_is_read_as_it_was_defined,
            a_new_endpoint_begins_where_it_is_told_to,
            switching_tells_whether_anything_changed,
            a_removed_endpoint_is_gone_for_good,
        );
        $($then)+!(consumers:
            an_offset_stands_where_it_was_moved_to,
            an_offset_moves_only_from_where_it_stands,
            of_many_who_move_an_offset_at_once_one_does,
            the_newest_position_is_the_last_that_can_be_read,
        );
        $($then)+!(fanning_out:
            envelopes_are_the_messages_without_their_bodies,
            each_endpoint_gets_what_it_wants,
            a_step_counts_where_the_cursor_stands,
            a_disabled_endpoint_holds_its_messages,
            what_is_due_is_counted,
        );
        $($then)+!(taking:
            a_message_is_handed_out_as_it_was_written,
            what_one_has_taken_no_other_gets,
            those_who_take_at_once_share,
            what_was_taken_and_never_settled_comes_again,
            what_is_given_back_is_due_at_once,
            the_earliest_due_comes_first,
        );
        $($then)+!(settling:
            what_is_delivered_goes_and_its_attempt_stays,
            what_fails_comes_again_until_it_is_exhausted,
            a_batch_is_settled_one_by_one,
            an_endpoint_that_is_gone_is_disabled_and_its_message_held,
            who_lost_a_delivery_settles_nothing,
            nothing_is_settled_twice,
            an_endpoint_is_failing_until_it_succeeds,
            attempts_are_kept_as_they_were,
            old_attempts_are_pruned,
        );
        $($then)+!(in_order:
            an_orders_messages_come_one_at_a_time,
            a_failing_message_holds_its_own_order_alone,
            what_comes_to_a_held_order_waits_as_well,
            nothing_overtakes_what_a_crash_left_behind,
            an_exhausted_message_lets_its_order_go_on,
            without_order_nobody_waits,
        );
        $($then)+!(replaying:
            one_message_is_replayed_whatever_became_of_it,
            exhausted_messages_are_replayed_in_portions,
            everything_since_is_replayed_once,
            replays_of_a_disabled_endpoint_are_held,
        );
        $($then)+!(delivered_once:
            every_message_reaches_every_endpoint_that_wants_it,
            orders_stay_in_sequence_whoever_takes,
            failing_messages_do_not_stop_the_others,
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
