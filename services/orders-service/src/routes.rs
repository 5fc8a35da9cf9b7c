//! The whole route table. The routes every service has are added by the kit.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::http;

pub(crate) fn all(app: App) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(
            http::list_products::list_products,
            http::create_product::create_product
        ))
        .routes(routes!(http::change_stock::change_stock))
        .with_state(app)
}
