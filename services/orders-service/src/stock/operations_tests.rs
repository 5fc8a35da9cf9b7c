use documents::body_of;
use saga::barrier::CLOSED;

use super::*;

fn lot(quantity: u32) -> Lot {
    Lot {
        product: ProductId::generate(),
        order: OrderId::generate(),
        quantity: quantity.try_into().expect("a quantity"),
    }
}

/// A document in memory: what a store does with a change, by the same pure functions.
struct Shelf(Document);

impl Shelf {
    fn with(pieces: i64) -> Self {
        let body = body_of(&StockDocument::new(ProductId::generate(), pieces));
        Self(Document {
            id: "x".to_owned(),
            version: 1,
            body: body.expect("a document"),
        })
    }

    fn perform(&mut self, lot: &Lot, way: Move, asked: Asked) -> Answer<()> {
        match decide(&self.0, lot, way, asked) {
            Err(answer) => answer,
            Ok(change) => {
                assert!(change.only_if.matches(&self.0.body), "{change:?}");
                self.0.body = change.update.apply(&self.0.body).expect("a change");
                change.answer
            }
        }
    }

    /// Available, reserved, sold; and that none was lost.
    fn counts(&self) -> (i64, i64, i64) {
        let read: StockDocument = self.0.read().expect("a stock document");
        assert_eq!(read.received, read.available + read.reserved + read.sold);
        assert_eq!(read.reserved, read.sum(StockState::Reserved));
        assert_eq!(read.sold, read.forgotten + read.sum(StockState::Sold));
        (read.available, read.reserved, read.sold)
    }
}

#[test]
fn pieces_move_once_however_often_they_are_asked_to() {
    let (mut shelf, lot) = (Shelf::with(10), lot(3));
    let [take, sell, undo] = [Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4()];
    for (way, asked, counts) in [
        (Move::Reserve, Asked::Action(take), (7, 3, 0)),
        (Move::Sell, Asked::Action(sell), (7, 0, 3)),
        (Move::TakeBack, Asked::Action(undo), (10, 0, 0)),
    ] {
        for _ in 0..3 {
            assert_eq!(shelf.perform(&lot, way, asked), Answer::Done);
            assert_eq!(shelf.counts(), counts, "{way:?}");
        }
    }
}

#[test]
fn what_is_not_there_is_refused_for_good() {
    let (mut shelf, lot) = (Shelf::with(2), lot(3));
    let take = Uuid::new_v4();
    for _ in 0..2 {
        let answer = shelf.perform(&lot, Move::Reserve, Asked::Action(take));
        assert_eq!(answer, Answer::Refused(OUT_OF_STOCK));
    }
    // More pieces come: under this operation it stays refused.
    shelf.0.body = Update::new()
        .increment("available", 5)
        .increment("received", 5)
        .apply(&shelf.0.body)
        .expect("a change");
    let answer = shelf.perform(&lot, Move::Reserve, Asked::Action(take));
    assert_eq!(answer, Answer::Refused(OUT_OF_STOCK));
    let back = Asked::Compensation(Uuid::new_v4(), take);
    assert_eq!(shelf.perform(&lot, Move::GiveBack, back), Answer::Done);
    assert_eq!(shelf.counts(), (7, 0, 0));
}

#[test]
fn pieces_that_were_given_back_before_they_were_taken_are_never_taken() {
    let (mut shelf, lot) = (Shelf::with(10), lot(3));
    let take = Uuid::new_v4();
    let back = Asked::Compensation(Uuid::new_v4(), take);
    for _ in 0..2 {
        assert_eq!(shelf.perform(&lot, Move::GiveBack, back), Answer::Done);
    }
    let late = shelf.perform(&lot, Move::Reserve, Asked::Action(take));
    assert_eq!(late, Answer::Refused(CLOSED));
    assert_eq!(shelf.counts(), (10, 0, 0));
}

#[test]
fn pieces_are_given_back_once() {
    let (mut shelf, lot) = (Shelf::with(10), lot(3));
    let take = Uuid::new_v4();
    let back = Asked::Compensation(Uuid::new_v4(), take);
    let taken = shelf.perform(&lot, Move::Reserve, Asked::Action(take));
    assert_eq!(taken, Answer::Done);
    for _ in 0..3 {
        assert_eq!(shelf.perform(&lot, Move::GiveBack, back), Answer::Done);
        assert_eq!(shelf.counts(), (10, 0, 0));
    }
}

#[test]
fn of_an_order_that_is_forgotten_nothing_is_taken_and_what_was_sold_can_come_back() {
    let (mut shelf, sold) = (Shelf::with(10), lot(3));
    let mut document: StockDocument = shelf.0.read().expect("a stock document");
    (document.available, document.sold, document.forgotten) = (7, 3, 3);
    document.forgotten_until = sold.order;
    shelf.0.body = body_of(&document).expect("a document");
    let late = shelf.perform(&sold, Move::Reserve, Asked::Action(Uuid::new_v4()));
    assert_eq!(late, Answer::Refused(CLOSED));
    let late = shelf.perform(&sold, Move::Sell, Asked::Action(Uuid::new_v4()));
    assert_eq!(late, Answer::NotNow(NOT_AS_EXPECTED));
    let undo = Asked::Action(Uuid::new_v4());
    for _ in 0..3 {
        assert_eq!(shelf.perform(&sold, Move::TakeBack, undo), Answer::Done);
        assert_eq!(shelf.counts(), (10, 0, 0));
    }
    let next = lot(1);
    let taken = shelf.perform(&next, Move::Reserve, Asked::Action(Uuid::new_v4()));
    assert_eq!(taken, Answer::Done);
}

#[test]
fn a_document_that_contradicts_the_saga_is_left_alone() {
    let (mut shelf, lot) = (Shelf::with(10), lot(3));
    let answer = shelf.perform(&lot, Move::Sell, Asked::Action(Uuid::new_v4()));
    assert_eq!(answer, Answer::NotNow(NOT_AS_EXPECTED));
    assert_eq!(shelf.counts(), (10, 0, 0));
}
