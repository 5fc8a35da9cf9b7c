//! The whole route table. The routes every service has are added by the kit.

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::http;

pub(crate) fn all(app: App) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(http::login::login))
        .routes(routes!(http::refresh::refresh))
        .routes(routes!(http::logout::logout))
        .routes(routes!(http::revocations::revocations))
        .routes(routes!(http::rotate_keys::rotate_keys))
        .routes(routes!(
            http::create_customer::create_customer,
            http::list_customers::list_customers
        ))
        .routes(routes!(
            http::show_customer::show_customer,
            http::patch_customer::patch_customer
        ))
        .routes(routes!(http::create_login::create_login))
        .with_state(app)
}
