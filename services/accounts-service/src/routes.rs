//! The whole route table. Who may call what stands in each handler's signature.

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::http::{abort, branches, commit, force, get_account, look_up, prepare, terminate};

pub(crate) fn router(app: Arc<App>) -> OpenApiRouter {
    OpenApiRouter::new()
        // Accounts
        .routes(routes!(get_account::get_account))
        // Between services
        .routes(routes!(prepare::prepare))
        .routes(routes!(commit::commit))
        .routes(routes!(abort::abort))
        .routes(routes!(branches::branches))
        .routes(routes!(terminate::terminate))
        .routes(routes!(force::force))
        .routes(routes!(look_up::look_up))
        .with_state(app)
}
