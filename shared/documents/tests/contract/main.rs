//! What every store promises, asked of each of them. `TEST_POSTGRES_URL` names the PostgreSQL
//! server and `TEST_DOCUMENT_SERVER` the program that speaks MongoDB's protocol; `scripts/test` sets
//! both.

#![allow(clippy::unwrap_used)] // A panic is how tests fail; these are called by the functions that carry the attribute.

mod bench;
mod conditional;
mod finding;
mod outages;
mod same;
mod server;
mod single;

use bench::Bench;

/// Each function once for each store.
macro_rules! contract {
    ($($module:ident :: $name:ident),* $(,)?) => {
        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    crate::$module::$name(&crate::Bench::postgres().await).await;
                }
            )*
        }

        mod mongodb {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    if let Some(bench) = crate::Bench::mongodb().await {
                        crate::$module::$name(&bench).await;
                    }
                }
            )*
        }
    };
}

contract![
    single::a_document_is_read_as_it_was_written,
    single::of_several_with_one_id_exactly_one_is_inserted,
    single::a_version_grows_by_one_with_each_change,
    single::what_was_replaced_meanwhile_is_not_overwritten,
    single::what_the_filter_does_not_match_is_not_deleted,
    single::a_change_that_makes_no_sense_changes_nothing,
    single::what_is_not_a_document_is_refused,
    single::collections_do_not_see_each_other,
    conditional::of_a_hundred_who_want_one_of_ten_pieces_ten_get_one,
    conditional::increments_at_once_are_all_counted,
    conditional::one_of_two_who_replace_the_same_version_succeeds,
    finding::pages_hold_every_document_once_in_order,
    finding::a_page_survives_what_changes_before_it,
    finding::descending_is_ascending_backwards,
    finding::a_sort_by_what_is_no_scalar_is_refused,
    finding::filters_choose_and_count_the_same,
    same::filters_match_as_the_pure_function_does,
    same::updates_end_as_the_pure_function_does,
];
