//! What is wrong on either side, and what is right: pure.

use types::OrderId;
use types::views::StockState;

use crate::stock::StockDocument;
use crate::stock::document::Pieces;
use crate::store::facts::Fact;

/// One thing in a document that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// Of which order; `None`: of the document's own sums.
    pub(super) order_id: Option<OrderId>,
    pub(super) found: String,
    pub(super) corrected: String,
}

/// What an order should say of its pieces; `None`: what it does.
pub(super) fn order_side(fact: &Fact) -> Option<StockState> {
    let is_right = match fact.stock {
        StockState::Sold => fact.came_about,
        StockState::None | StockState::Returned => !fact.came_about,
        StockState::Reserved => false,
    };
    let right = if fact.came_about {
        StockState::Sold
    } else {
        StockState::Returned
    };
    (!is_right).then_some(right)
}

/// What a document should be, given what became of these orders, and what in it is not so.
pub(super) fn stock_side<'a>(
    document: &StockDocument,
    facts: impl IntoIterator<Item = &'a Fact>,
) -> (StockDocument, Vec<Finding>) {
    let mut right = document.clone();
    let mut findings = Vec::new();
    for fact in facts {
        let found = document.orders.get(&fact.order_id).copied();
        if document.has_forgotten(fact.order_id) {
            continue;
        }
        let Some(pieces) = entry(fact, found) else {
            continue;
        };
        findings.push(Finding {
            order_id: Some(fact.order_id),
            found: found.map_or_else(|| "nothing".to_owned(), words),
            corrected: words(pieces),
        });
        right.orders.insert(fact.order_id, pieces);
    }
    let before = sums(document);
    add_up(&mut right);
    // Where an order's pieces were wrong, that the sums follow is no finding of its own.
    if findings.is_empty() && sums(&right) != before {
        findings.push(Finding {
            order_id: None,
            found: before,
            corrected: sums(&right),
        });
    }
    (right, findings)
}

/// What should stand of an order; `None`: what does.
fn entry(fact: &Fact, found: Option<Pieces>) -> Option<Pieces> {
    let sold = Pieces {
        quantity: fact.quantity,
        state: StockState::Sold,
    };
    match found {
        Some(pieces) if fact.came_about => (pieces != sold).then_some(sold),
        None => fact.came_about.then_some(sold),
        Some(pieces) => match pieces.state {
            StockState::None | StockState::Returned => None,
            StockState::Reserved | StockState::Sold => Some(Pieces {
                state: StockState::Returned,
                ..pieces
            }),
        },
    }
}

/// Makes the sums those of the orders. Pieces that nobody has can be ordered.
fn add_up(document: &mut StockDocument) {
    document.reserved = document.sum(StockState::Reserved);
    document.sold = document
        .forgotten
        .saturating_add(document.sum(StockState::Sold));
    let gone = document.reserved.saturating_add(document.sold);
    // More are gone than ever came: then more came than was written down.
    document.received = document.received.max(gone);
    document.available = document.received - gone;
}

fn words(pieces: Pieces) -> String {
    format!("{} {}", pieces.quantity, pieces.state.as_str())
}

fn sums(document: &StockDocument) -> String {
    format!(
        "received {}, available {}, reserved {}, sold {}",
        document.received, document.available, document.reserved, document.sold
    )
}

#[cfg(test)]
mod tests {
    use types::ProductId;
    use types::views::Quantity;

    use super::*;

    fn quantity(pieces: u32) -> Quantity {
        pieces.try_into().expect("a quantity")
    }

    fn fact(product: ProductId, came_about: bool, stock: StockState) -> Fact {
        Fact {
            order_id: OrderId::generate(),
            product_id: product,
            quantity: quantity(3),
            stock,
            came_about,
        }
    }

    fn with(fact: &Fact, state: StockState) -> StockDocument {
        let mut document = StockDocument::new(fact.product_id, 10);
        let pieces = Pieces {
            quantity: fact.quantity,
            state,
        };
        document.orders.insert(fact.order_id, pieces);
        add_up(&mut document);
        document
    }

    #[test]
    fn what_became_of_an_order_decides_what_it_says_of_its_pieces() {
        use StockState::{None as Never, Reserved, Returned, Sold};
        for (came_about, stock, right) in [
            (true, Sold, None),
            (true, Reserved, Some(Sold)),
            (true, Never, Some(Sold)),
            (true, Returned, Some(Sold)),
            (false, Never, None),
            (false, Returned, None),
            (false, Reserved, Some(Returned)),
            (false, Sold, Some(Returned)),
        ] {
            let fact = fact(ProductId::generate(), came_about, stock);
            assert_eq!(order_side(&fact), right, "{came_about} {stock:?}");
        }
    }

    #[test]
    fn a_document_that_is_right_is_left_alone() {
        let product = ProductId::generate();
        let sold = fact(product, true, StockState::Sold);
        let document = with(&sold, StockState::Sold);
        assert_eq!(stock_side(&document, [&sold]), (document.clone(), vec![]));
        // An order that was refused before it took anything.
        let refused = fact(product, false, StockState::None);
        assert_eq!(
            stock_side(&document, [&refused]),
            (document.clone(), vec![])
        );
        // One that nobody knows anything about may be under way.
        let open = with(&sold, StockState::Reserved);
        assert_eq!(stock_side(&open, []), (open.clone(), vec![]));
    }

    #[test]
    fn pieces_go_where_the_order_went_and_the_sums_follow() {
        let product = ProductId::generate();
        let sold = fact(product, true, StockState::Sold);
        let (right, findings) = stock_side(&with(&sold, StockState::Reserved), [&sold]);
        assert_eq!((right.available, right.reserved, right.sold), (7, 0, 3));
        assert_eq!(findings[0].found, "3 reserved");
        assert_eq!(findings[0].corrected, "3 sold");

        let (right, findings) = stock_side(&StockDocument::new(product, 10), [&sold]);
        assert_eq!((right.available, right.sold), (7, 3));
        assert_eq!(findings[0].found, "nothing");

        let undone = fact(product, false, StockState::Returned);
        let (right, findings) = stock_side(&with(&undone, StockState::Sold), [&undone]);
        assert_eq!((right.available, right.sold), (10, 0));
        assert_eq!(findings.len(), 1);
    }

    #[test]
    fn sums_that_do_not_add_up_are_added_up_again() {
        let sold = fact(ProductId::generate(), true, StockState::Sold);
        let mut document = with(&sold, StockState::Sold);
        document.available = 99;
        let (right, findings) = stock_side(&document, [&sold]);
        assert_eq!((right.available, right.sold), (7, 3));
        assert_eq!(findings[0].order_id, None);
        assert_eq!(
            findings[0].found,
            "received 10, available 99, reserved 0, sold 3"
        );
    }
}
