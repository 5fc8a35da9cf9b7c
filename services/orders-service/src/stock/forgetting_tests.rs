use saga::barrier::Recorded;
use types::ProductId;
use types::views::Quantity;

use super::*;
use crate::stock::document::{Operation, Pieces};

fn quantity(pieces: u32) -> Quantity {
    pieces.try_into().expect("a quantity")
}

fn order(number: u128) -> OrderId {
    OrderId::from_uuid(Uuid::from_u128(number << 80))
}

/// Orders 1, 2, … of two pieces each, in these states, each with one operation.
fn document(states: &[StockState]) -> StockDocument {
    let mut document = StockDocument::new(ProductId::generate(), 100);
    for (number, state) in (1..).zip(states) {
        let pieces = Pieces {
            quantity: quantity(2),
            state: *state,
        };
        document.orders.insert(order(number), pieces);
        let operation = Operation {
            order: order(number),
            recorded: Recorded::Done,
        };
        document
            .operations
            .insert(Uuid::from_u128(number), operation);
    }
    document.reserved = document.sum(StockState::Reserved);
    document.sold = document.sum(StockState::Sold);
    document.available = 100 - document.reserved - document.sold;
    document
}

fn fact(document: &StockDocument, number: u128, came_about: bool) -> Fact {
    Fact {
        order_id: order(number),
        product_id: document.product_id,
        quantity: quantity(2),
        stock: StockState::Sold,
        came_about,
    }
}

#[test]
fn the_last_orders_and_the_young_ones_are_kept() {
    let document = document(&[StockState::Sold; 5]);
    let numbers = |keep, before| -> Vec<u128> {
        let old = old_orders(&document, keep, order(before));
        old.iter()
            .map(|order| order.uuid().as_u128() >> 80)
            .collect()
    };
    assert_eq!(numbers(2, 100), [1, 2, 3]);
    assert_eq!(numbers(0, 3), [1, 2]);
    assert!(numbers(5, 100).is_empty());
}

#[test]
fn what_was_sold_stays_in_the_sums_and_what_is_open_stays_listed() {
    use StockState::{Reserved, Returned, Sold};
    let document = document(&[Sold, Returned, Reserved, Sold]);
    let old = old_orders(&document, 0, order(100));
    // Of the third nothing is settled; the last is said to be sold and was undone.
    let facts = [
        fact(&document, 1, true),
        fact(&document, 2, false),
        fact(&document, 4, false),
    ];
    let shorter = without(&document, &old, &facts).expect("something to forget");
    assert_eq!(
        shorter.orders.keys().copied().collect::<Vec<_>>(),
        [order(3), order(4)]
    );
    assert_eq!(shorter.operations.len(), 2);
    assert_eq!(shorter.forgotten, 2);
    assert_eq!(shorter.sold, shorter.forgotten + shorter.sum(Sold));
    assert_eq!(
        (shorter.available, shorter.reserved),
        (document.available, 2)
    );
    assert_eq!(shorter.forgotten_until, order(2));
    assert!(shorter.has_forgotten(order(1)) && !shorter.has_forgotten(order(3)));
    let old = old_orders(&shorter, 0, order(100));
    assert_eq!(without(&shorter, &old, &facts), None);
}
