//! The cash desk: products, orders for them, and what was mended of either.

use std::fmt;
use std::num::NonZeroI32;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    AccountId, Amount, Currency, CustomerId, OrderId, ProductId, Text, Timestamp, TransactionId,
};

/// Pieces of one product in one order: 1 to 1,000,000.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(try_from = "u32", into = "u32")]
#[schema(value_type = u32, minimum = 1, maximum = 1_000_000)]
pub struct Quantity(u32);

/// Not a number of pieces.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a quantity is 1 to 1000000")]
pub struct QuantityError;

impl Quantity {
    /// As a number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Quantity {
    type Error = QuantityError;

    fn try_from(pieces: u32) -> Result<Self, QuantityError> {
        if (1..=1_000_000).contains(&pieces) {
            Ok(Self(pieces))
        } else {
            Err(QuantityError)
        }
    }
}

impl From<Quantity> for u32 {
    fn from(quantity: Quantity) -> Self {
        quantity.0
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Something the cash desk sells, and how much of it there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Product {
    /// Which product.
    pub product_id: ProductId,
    /// What it is called.
    #[schema(value_type = String)]
    pub name: Text<200>,
    /// For one piece.
    pub price: Amount,
    /// Of the price.
    pub currency: Currency,
    /// Pieces that can be ordered.
    pub available: i64,
    /// Pieces of orders that are not finished.
    pub reserved: i64,
}

/// `POST /products`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateProduct {
    /// What it is called.
    #[schema(value_type = String)]
    pub name: Text<200>,
    /// For one piece.
    pub price: Amount,
    /// Of the price.
    pub currency: Currency,
}

/// `PATCH /products/{id}/stock`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeStock {
    /// Pieces that come (positive) or go (negative); never more than are available.
    #[schema(value_type = i32)]
    pub delta: NonZeroI32,
}

/// How the stores and services of an order are kept together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Coordination {
    /// One saga asks for each step.
    #[default]
    Orchestration,
}

/// A step of an order's saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderStep {
    /// The order is opened.
    CreateOrder,
    /// Its pieces are reserved.
    ReserveStock,
    /// It is paid.
    Pay,
    /// Its pieces are sold and it is confirmed.
    Confirm,
}

impl OrderStep {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [
        Self::CreateOrder,
        Self::ReserveStock,
        Self::Pay,
        Self::Confirm,
    ];

    /// Its name, in the log and in requests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreateOrder => "create_order",
            Self::ReserveStock => "reserve_stock",
            Self::Pay => "pay",
            Self::Confirm => "confirm",
        }
    }
}

/// When a step is made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureWhen {
    /// Before its effect: nothing has happened.
    Before,
    /// Half-way, or where there is no half-way, with its effect under way.
    During,
    /// After its effect, which nobody hears of.
    After,
}

/// How a step is made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// It says that it failed.
    Error,
    /// It says nothing.
    Timeout,
    /// The process dies, once.
    Crash,
}

/// A failure that is asked for, to see what becomes of it. In development only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// Which step.
    pub step: OrderStep,
    /// When.
    pub when: FailureWhen,
    /// How.
    pub kind: FailureKind,
}

/// One product of an order request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemRequest {
    /// Which product.
    pub product_id: ProductId,
    /// How many pieces.
    pub quantity: Quantity,
}

/// `POST /orders`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceOrder {
    /// Which account pays.
    pub account_id: AccountId,
    /// 1 to 50 products, each once.
    #[schema(min_items = 1, max_items = 50)]
    pub items: Vec<ItemRequest>,
    /// Whose order it is, when a teller or an admin places it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// `orchestration` unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordination: Option<Coordination>,
    /// In development: a failure to see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// How an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderStatus {
    /// Its saga goes forward.
    Started,
    /// Its saga goes back.
    Compensating,
    /// Neither works: an operator is needed.
    Stuck,
    /// Paid, and its pieces are the customer's.
    Committed,
    /// It did not come about; nothing of it is left.
    Compensated,
    /// It came about and was undone later, on demand.
    Cancelled,
}

impl OrderStatus {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Started,
        Self::Compensating,
        Self::Stuck,
        Self::Committed,
        Self::Compensated,
        Self::Cancelled,
    ];

    /// The status as text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "STARTED",
            Self::Compensating => "COMPENSATING",
            Self::Stuck => "STUCK",
            Self::Committed => "COMMITTED",
            Self::Compensated => "COMPENSATED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Where the pieces of an order are, as the order and the stock each know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StockState {
    /// Never taken.
    None,
    /// Taken for the order.
    Reserved,
    /// The customer's.
    Sold,
    /// Taken, and put back.
    Returned,
}

impl StockState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::None, Self::Reserved, Self::Sold, Self::Returned];

    /// The state as text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Reserved => "reserved",
            Self::Sold => "sold",
            Self::Returned => "returned",
        }
    }
}

impl std::str::FromStr for StockState {
    type Err = UnknownStockState;

    fn from_str(text: &str) -> Result<Self, UnknownStockState> {
        let mut all = Self::ALL.into_iter();
        all.find(|state| state.as_str() == text)
            .ok_or(UnknownStockState)
    }
}

/// No state of pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a state of stock")]
pub struct UnknownStockState;

/// One product of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OrderItem {
    /// Which product.
    pub product_id: ProductId,
    /// What it was called when it was ordered.
    pub name: String,
    /// How many pieces.
    pub quantity: Quantity,
    /// What one piece cost when it was ordered.
    pub price: Amount,
    /// Where the pieces are, as the order knows it.
    pub stock: StockState,
}

/// One of two stores that disagreed, and was mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RepairedSide {
    /// What the order says of its pieces.
    Order,
    /// What the stock says of the order's pieces, or of itself.
    Stock,
}

/// A correction that was made when somebody read an order or the products.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Repair {
    /// When.
    pub at: Timestamp,
    /// What was wrong.
    pub side: RepairedSide,
    /// Of which product.
    pub product_id: ProductId,
    /// What stood there.
    pub found: String,
    /// What stands there now.
    pub corrected: String,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Order {
    /// Which order; its saga has the same id.
    pub order_id: OrderId,
    /// How it stands.
    pub status: OrderStatus,
    /// Why it did not come about: a code, as in problems.
    pub reason: Option<String>,
    /// How it was carried out.
    pub coordination: Coordination,
    /// Whose it is; `null` where a teller placed it for nobody in particular.
    pub customer_id: Option<CustomerId>,
    /// Which account pays.
    pub account_id: AccountId,
    /// What it costs in all.
    pub total: Amount,
    /// Of the total and all prices.
    pub currency: Currency,
    /// What was ordered.
    pub items: Vec<OrderItem>,
    /// The transfer that paid it.
    pub payment_transaction_id: Option<TransactionId>,
    /// When it was placed.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// What was mended when it was read.
    pub repairs: Vec<Repair>,
}
