//! From a request to a transfer: what can be judged before anything begins.

use std::collections::BTreeSet;

use types::views::{LegRequest, Protocol, TransferRequest};
use types::{AccountId, Amount, Balance, Change, Code, Text};

/// A transfer that makes sense in itself: its legs sum to zero, no account stands twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Transfer {
    /// Debits and credits, in the order they were asked for.
    pub(crate) legs: Vec<(AccountId, Change)>,
    /// For the statements.
    pub(crate) description: Option<Text<200>>,
    /// How it is carried out.
    pub(crate) protocol: Protocol,
}

/// Why a request is no transfer, with the words for the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invalid {
    pub(crate) code: Code,
    pub(crate) detail: String,
}

fn invalid(code: Code, detail: impl Into<String>) -> Invalid {
    Invalid {
        code,
        detail: detail.into(),
    }
}

/// The most legs one transfer may have; more would make one statement list per request.
const MAX_LEGS: usize = 100;

impl Transfer {
    /// The accounts that money is taken from.
    pub(crate) fn debited(&self) -> impl Iterator<Item = AccountId> {
        self.legs
            .iter()
            .filter(|(_, change)| change.is_debit())
            .map(|(account, _)| *account)
    }
}

impl TryFrom<TransferRequest> for Transfer {
    type Error = Invalid;

    fn try_from(request: TransferRequest) -> Result<Self, Invalid> {
        let legs = match (
            request.source_account_id,
            request.destination_account_id,
            request.amount,
            request.legs,
        ) {
            (Some(source), Some(destination), Some(amount), None) => {
                let amount = amount
                    .amount()
                    .map_err(|error| invalid(Code::InvalidAmount, format!("amount: {error}")))?;
                if source == destination {
                    return Err(invalid(
                        Code::SameAccount,
                        "source and destination are the same account",
                    ));
                }
                vec![(source, amount.debit()), (destination, amount.credit())]
            }
            (None, None, None, Some(legs)) => read_legs(&legs)?,
            _ => {
                return Err(invalid(
                    Code::InvalidBody,
                    "expected source_account_id, destination_account_id and amount, or else legs",
                ));
            }
        };
        Ok(Self {
            legs,
            description: request.description,
            protocol: request.protocol.unwrap_or_default(),
        })
    }
}

fn read_legs(requested: &[LegRequest]) -> Result<Vec<(AccountId, Change)>, Invalid> {
    if requested.len() < 2 || requested.len() > MAX_LEGS {
        return Err(invalid(
            Code::UnbalancedLegs,
            format!("a transfer has 2 to {MAX_LEGS} legs"),
        ));
    }
    let mut seen = BTreeSet::new();
    let mut legs = Vec::with_capacity(requested.len());
    for leg in requested {
        let change = leg
            .amount
            .change()
            .map_err(|error| invalid(Code::InvalidAmount, format!("amount: {error}")))?;
        if !seen.insert(leg.account_id) {
            return Err(invalid(
                Code::DuplicateAccount,
                format!("account {} stands in two legs", leg.account_id),
            ));
        }
        legs.push((leg.account_id, change));
    }
    if !Balance::sum(legs.iter().map(|(_, change)| *change)).is_some_and(Balance::is_zero) {
        return Err(invalid(Code::UnbalancedLegs, "the legs do not sum to zero"));
    }
    Ok(legs)
}

/// How much moves in all: the sum of the credits.
///
/// `None` only when there is no credit, which no valid transfer is without.
pub(crate) fn total(changes: impl IntoIterator<Item = Change>) -> Option<Amount> {
    let credits = changes.into_iter().filter(|change| !change.is_debit());
    Amount::try_from(Balance::sum(credits)?.decimal()).ok()
}

#[cfg(test)]
mod tests {
    use types::DecimalText;

    use super::*;

    fn legs(amounts: &[&str]) -> TransferRequest {
        TransferRequest {
            legs: Some(
                amounts
                    .iter()
                    .map(|amount| LegRequest {
                        account_id: AccountId::generate(),
                        amount: DecimalText::from((*amount).to_owned()),
                    })
                    .collect(),
            ),
            ..TransferRequest::default()
        }
    }

    fn refusal(request: TransferRequest) -> Option<Code> {
        Transfer::try_from(request)
            .err()
            .map(|invalid| invalid.code)
    }

    #[test]
    fn legs_must_balance_and_be_money() {
        assert_eq!(refusal(legs(&["-3", "1", "2"])), None);
        assert_eq!(refusal(legs(&["-3", "1"])), Some(Code::UnbalancedLegs));
        assert_eq!(refusal(legs(&["0", "0"])), Some(Code::InvalidAmount));
        assert_eq!(refusal(legs(&["-1"])), Some(Code::UnbalancedLegs));
        assert_eq!(
            refusal(legs(&["-0.00001", "0.00001"])),
            Some(Code::InvalidAmount)
        );
    }

    #[test]
    fn case_104_an_account_twice_in_one_transfer_is_refused() {
        let account = AccountId::generate();
        let leg = |amount: &str| LegRequest {
            account_id: account,
            amount: DecimalText::from(amount.to_owned()),
        };
        let request = TransferRequest {
            legs: Some(vec![leg("-1"), leg("1")]),
            ..TransferRequest::default()
        };
        assert_eq!(refusal(request), Some(Code::DuplicateAccount));
        let request = TransferRequest {
            source_account_id: Some(account),
            destination_account_id: Some(account),
            amount: Some(DecimalText::from("1".to_owned())),
            ..TransferRequest::default()
        };
        assert_eq!(refusal(request), Some(Code::SameAccount));
    }

    #[test]
    fn half_a_shape_is_no_transfer() {
        let request = TransferRequest {
            source_account_id: Some(AccountId::generate()),
            ..legs(&["-1", "1"])
        };
        assert_eq!(refusal(request), Some(Code::InvalidBody));
        assert_eq!(refusal(TransferRequest::default()), Some(Code::InvalidBody));
    }

    #[test]
    fn the_total_is_what_is_credited() {
        let changes = |texts: &[&str]| -> Vec<Change> {
            texts
                .iter()
                .map(|text| text.parse().expect("a change"))
                .collect()
        };
        assert_eq!(
            total(changes(&["-3", "1", "2"])).map(|amount| amount.to_string()),
            Some("3.00".to_owned())
        );
    }
}
