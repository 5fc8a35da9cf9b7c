//! What crosses HTTP: requests and replies as clients see them. Absent values are `null`.

mod accounts;
mod audit;
mod auth;
mod customers;
mod evidence;
mod in_doubt;
mod internal_transfers;
mod ledger;
mod orders;
mod sagas;
mod service;
mod transfers;

pub use accounts::{
    Account, AccountStatus, Cash, CashReceipt, Entry, EntryKind, Locking, OpenAccount, PatchAccount,
};
pub use audit::{AuditAction, AuditEntry};
pub use auth::{Login, Refresh, Role, TokenPair};
pub use customers::{ContactInfo, CreateCustomer, CreateLogin, Customer, LoginView, PatchCustomer};
pub use evidence::{
    Acknowledge, AcknowledgeHere, Acknowledged, BranchFacts, BranchInDoubt, Choice, ChoiceAction,
    CoordinatorEvidence, DeliveryView, ForceHere, HazardView, LegEvidence,
};
pub use in_doubt::{
    BranchEvidence, Force, HazardAbout, InDoubt, ParticipantState, ParticipantView, Reconcile,
    ReconciliationAccepted, ResolutionAccepted, ResolutionOutcome,
};
pub use internal_transfers::{CloseOutcome, CloseReply, CloseRequest, InternalTransferRequest};
pub use ledger::{LedgerCheck, LedgerCheckItem};
pub use orders::{
    ChangeStock, Coordination, CreateProduct, Failure, FailureKind, FailureWhen, ItemRequest,
    Order, OrderItem, OrderStatus, OrderStep, PlaceOrder, Product, Quantity, QuantityError, Repair,
    RepairedSide, StockState, UnknownStockState,
};
pub use sagas::{SagaLogView, SagaOrder, SagaStatus, SagaStepStatus, SagaStepView, SagaView};
pub use service::{Health, Page, ProblemView, Readiness, ReadinessItem};
pub use transfers::{
    BatchRequest, BatchResult, BatchResults, LegRequest, LegView, Protocol, Status, Timeline,
    TimelineEvent, TimelineItem, TransferRequest, TransferView,
};
