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
        .routes(routes!(
            http::create_order::create_order,
            http::orders::list_orders
        ))
        .routes(routes!(http::orders::show_order))
        .routes(routes!(http::orders::show_saga))
        .routes(routes!(http::cancel_order::cancel_order))
        .routes(routes!(http::sagas::list_sagas))
        .routes(routes!(http::sagas::show_any_saga))
        .routes(routes!(http::sagas::retry_saga))
        .routes(routes!(http::sagas::skip_saga))
        .with_state(app)
}
