use types::views::{Failure, FailureKind, FailureWhen, ItemRequest, OrderStep};
use types::{AccountId, ProductId};

use super::*;

fn product(price: &str, currency: &str) -> Listed {
    Listed {
        product_id: ProductId::generate(),
        name: "A coin".parse().expect("a name"),
        price: price.parse().expect("a price"),
        currency: currency.parse().expect("a currency"),
    }
}

fn item(product: &Listed, quantity: u32) -> ItemRequest {
    ItemRequest {
        product_id: product.product_id,
        quantity: quantity.try_into().expect("a quantity"),
    }
}

fn request(items: Vec<ItemRequest>) -> PlaceOrder {
    PlaceOrder {
        account_id: AccountId::generate(),
        items,
        customer_id: None,
        coordination: None,
        failure: None,
    }
}

const TELLER: Orderer = Orderer {
    role: Role::Teller,
    customer_id: None,
};

#[test]
fn an_order_costs_what_its_pieces_cost_to_the_last_place() {
    let (one, two) = (product("0.0001", "USD"), product("32.50", "USD"));
    let wanted = request(vec![item(&one, 3), item(&two, 2)]);
    let wanted = check(wanted, TELLER, true).expect("an order");
    let sales = SalesAccounts::default();
    let drafted = draft(OrderId::generate(), &wanted, &[two, one], &sales);
    let (ordered, items) = drafted.expect("an order");
    assert_eq!(ordered.total.to_string(), "65.0003");
    assert_eq!(items.len(), 2);
}

#[test]
fn what_cannot_be_one_order_is_refused_before_anything_begins() {
    let (dollars, euros) = (product("1", "USD"), product("1", "EUR"));
    let dear = product("999999999999999", "USD");
    let unknown = product("1", "USD");
    let known = [dollars.clone(), euros.clone(), dear.clone()];
    let refusal = |items| {
        let drafted = check(request(items), TELLER, true).and_then(|request| {
            draft(
                OrderId::generate(),
                &request,
                &known,
                &SalesAccounts::default(),
            )
        });
        drafted.expect_err("refused").0
    };
    assert_eq!(refusal(vec![]), Code::InvalidBody);
    assert_eq!(
        refusal(vec![item(&dollars, 1), item(&dollars, 2)]),
        Code::InvalidBody
    );
    assert_eq!(refusal(vec![item(&unknown, 1)]), Code::ProductNotFound);
    assert_eq!(
        refusal(vec![item(&dollars, 1), item(&euros, 1)]),
        Code::CurrencyMismatch
    );
    assert_eq!(refusal(vec![item(&euros, 1)]), Code::CurrencyMismatch);
    assert_eq!(refusal(vec![item(&dear, 2)]), Code::InvalidAmount);
}

#[test]
fn failures_are_for_development_and_customers_order_for_themselves() {
    let coin = product("1", "USD");
    let failing = PlaceOrder {
        failure: Some(Failure {
            step: OrderStep::Pay,
            when: FailureWhen::After,
            kind: FailureKind::Error,
        }),
        ..request(vec![item(&coin, 1)])
    };
    assert!(check(failing.clone(), TELLER, true).is_ok());
    let refused = check(failing, TELLER, false).expect_err("refused");
    assert_eq!(refused.0, Code::InvalidBody);

    let own = CustomerId::generate();
    let customer = Orderer {
        role: Role::Customer,
        customer_id: Some(own),
    };
    let checked = check(request(vec![item(&coin, 1)]), customer, true);
    assert_eq!(checked.expect("an order").customer_id, Some(own));
    let for_another = PlaceOrder {
        customer_id: Some(CustomerId::generate()),
        ..request(vec![item(&coin, 1)])
    };
    let refused = check(for_another, customer, true).expect_err("refused");
    assert_eq!(refused.0, Code::Forbidden);
}

#[test]
fn the_order_of_the_items_does_not_make_another_request() {
    let (one, two) = (product("1", "USD"), product("2", "USD"));
    let forth = request(vec![item(&one, 1), item(&two, 2)]);
    let back = PlaceOrder {
        items: vec![item(&two, 2), item(&one, 1)],
        ..forth.clone()
    };
    let of = |request| fingerprint(&check(request, TELLER, true).expect("an order"));
    assert_eq!(of(forth.clone()), of(back));
    let more = PlaceOrder {
        items: vec![item(&one, 2), item(&two, 2)],
        ..forth.clone()
    };
    assert_ne!(of(forth), of(more));
}
