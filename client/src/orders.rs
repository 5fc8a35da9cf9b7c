//! orders-service: buying from the cash desk.

use reqwest::Method;
use types::views::{
    ChangeStock, CreateProduct, Order, OrderStatus, Page, PlaceOrder, Product, SagaStatus, SagaView,
};
use types::{IdempotencyKey, OrderId, ProductId};

use crate::endpoint::Call;
use crate::{Endpoint, Error, ListQuery, Sent};

/// Calls of orders-service. Every method can fail as [`Error`] says; what a route refuses, and with
/// which code, is in the service's OpenAPI document.
#[derive(Debug, Clone)]
pub struct OrdersService(pub(crate) Endpoint);

impl OrdersService {
    /// The service itself: its address, health and readiness.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.0
    }

    /// `GET /products`.
    ///
    /// # Errors
    /// `unavailable` while the document store is down.
    pub async fn products(&self, list: &ListQuery) -> Result<Page<Product>, Error> {
        self.0
            .call(Call::get("/products").query(list.pairs()))
            .await
    }

    /// `POST /products`.
    ///
    /// # Errors
    /// `forbidden` for customers.
    pub async fn create_product(&self, product: &CreateProduct) -> Result<Product, Error> {
        self.0.call(Call::post("/products", product)).await
    }

    /// `PATCH /products/{id}/stock`. Sent again, it happens again.
    ///
    /// # Errors
    /// `forbidden` for customers, `out_of_stock` when more are to go than are available.
    pub async fn change_stock(
        &self,
        product: ProductId,
        change: &ChangeStock,
    ) -> Result<Product, Error> {
        let path = format!("/products/{product}/stock");
        self.0
            .call(Call::new(Method::PATCH, path).json(change))
            .await
    }

    /// `POST /orders`: once per key. Status 202: it still runs.
    ///
    /// # Errors
    /// What refuses a step: `out_of_stock`, `insufficient_funds`, …; nothing of the order is left.
    pub async fn place(
        &self,
        order: &PlaceOrder,
        key: Option<&IdempotencyKey>,
    ) -> Result<Sent<Order>, Error> {
        self.0.send(Call::post("/orders", order).key(key)).await
    }

    /// `GET /orders`: newest first.
    ///
    /// # Errors
    /// As for any call.
    pub async fn list(
        &self,
        status: Option<OrderStatus>,
        list: &ListQuery,
    ) -> Result<Page<Order>, Error> {
        let mut query = list.pairs();
        query.extend(status.map(|status| ("status", status.to_string())));
        self.0.call(Call::get("/orders").query(query)).await
    }

    /// `GET /orders/{id}`.
    ///
    /// # Errors
    /// `not_found`, also for another's order.
    pub async fn show(&self, order: OrderId) -> Result<Order, Error> {
        self.0.call(Call::get(format!("/orders/{order}"))).await
    }

    /// `GET /orders/{id}/saga`: step by step.
    ///
    /// # Errors
    /// `not_found`, also for another's order.
    pub async fn saga(&self, order: OrderId) -> Result<SagaView, Error> {
        self.0
            .call(Call::get(format!("/orders/{order}/saga")))
            .await
    }

    /// `GET /sagas`: orders and cancellations, newest first.
    ///
    /// # Errors
    /// `forbidden` for anyone but an admin.
    pub async fn sagas(
        &self,
        status: Option<SagaStatus>,
        list: &ListQuery,
    ) -> Result<Page<SagaView>, Error> {
        let mut query = list.pairs();
        query.extend(status.map(|status| ("status", status.to_string())));
        self.0.call(Call::get("/sagas").query(query)).await
    }

    /// `POST /orders/{id}/cancel`. Status 202: it still runs.
    ///
    /// # Errors
    /// `order_in_progress`, `order_not_cancellable`.
    pub async fn cancel(&self, order: OrderId) -> Result<Sent<Order>, Error> {
        let path = format!("/orders/{order}/cancel");
        self.0.send(Call::new(Method::POST, path)).await
    }
}
