//! The whole route table. Who may call what stands in each handler's signature.

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::http::{
    abort, branches, commit, console, customer_accounts, deposit, entries, evidence, force,
    get_account, ledger_check, look_up, messages, numbers, open_account, patch_account, prepare,
    steps, terminate, unsafe_withdrawals, withdraw,
};

pub(crate) fn router(app: Arc<App>, is_development: bool) -> OpenApiRouter {
    let router = OpenApiRouter::new()
        // Accounts
        .routes(routes!(open_account::open_account))
        .routes(routes!(
            get_account::get_account,
            patch_account::patch_account
        ))
        .routes(routes!(customer_accounts::customer_accounts))
        .routes(routes!(entries::entries))
        // Cash
        .routes(routes!(deposit::deposit))
        .routes(routes!(withdraw::withdraw))
        // Operations
        .routes(routes!(ledger_check::ledger_check))
        .routes(routes!(console::in_doubt))
        .routes(routes!(console::propose))
        .routes(routes!(console::confirm))
        .routes(routes!(console::audit))
        .routes(routes!(console::acknowledge))
        // Between services
        .routes(routes!(messages::messages))
        .routes(routes!(prepare::prepare))
        .routes(routes!(commit::commit))
        .routes(routes!(abort::abort))
        .routes(routes!(steps::steps))
        .routes(routes!(branches::branches))
        .routes(routes!(terminate::terminate))
        .routes(routes!(force::force))
        .routes(routes!(evidence::evidence))
        .routes(routes!(evidence::acknowledge_for_coordinator))
        .routes(routes!(numbers::compare))
        .routes(routes!(numbers::reconcile))
        .routes(routes!(look_up::look_up));
    // Outside development the demonstrations do not exist.
    let router = if is_development {
        router.routes(routes!(unsafe_withdrawals::unsafe_withdrawals))
    } else {
        router
    };
    router.with_state(app)
}
