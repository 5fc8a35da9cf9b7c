//! The whole route table. Who may call what stands in each handler's signature.

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::http::{
    acknowledgements, audit, batch, in_doubt, inquiries, internal_transfers, participants,
    reconciliations, resolutions, sagas, timeline, transfer, transfers, unfinished,
};

pub(crate) fn router(app: Arc<App>) -> OpenApiRouter {
    OpenApiRouter::new()
        // Transfers
        .routes(routes!(transfers::index, transfer::create))
        .routes(routes!(batch::create))
        .routes(routes!(transfers::show))
        .routes(routes!(transfers::status))
        .routes(routes!(timeline::show))
        // Banks
        .routes(routes!(participants::index))
        .routes(routes!(reconciliations::propose))
        .routes(routes!(reconciliations::confirm))
        // Operations
        .routes(routes!(in_doubt::index))
        .routes(routes!(resolutions::propose))
        .routes(routes!(resolutions::confirm))
        .routes(routes!(acknowledgements::create))
        .routes(routes!(audit::show))
        // Sagas
        .routes(routes!(sagas::index))
        .routes(routes!(sagas::show))
        .routes(routes!(sagas::retry))
        .routes(routes!(sagas::skip))
        // Between services
        .routes(routes!(inquiries::create))
        .routes(routes!(unfinished::create))
        .routes(routes!(internal_transfers::create))
        .routes(routes!(internal_transfers::close))
        .with_state(app)
}
