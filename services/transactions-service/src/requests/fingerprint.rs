//! Is this the same request? Compared after parsing, so that spelling does not matter.

use sha2::{Digest, Sha256};

use types::views::Protocol;

use crate::transfer::Transfer;

/// SHA-256 over the meaning of a transfer.
pub(crate) fn of_transfer(transfer: &Transfer) -> Vec<u8> {
    let mut hash = Sha256::new();
    add(&mut hash, transfer);
    hash.finalize().to_vec()
}

/// SHA-256 over the meaning of a batch; an item that is no transfer counts by its refusal.
pub(crate) fn of_batch<'a>(
    items: impl IntoIterator<Item = Result<&'a Transfer, types::Code>>,
    linked: bool,
) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(if linked { b"linked" } else { b"batch_" });
    for item in items {
        match item {
            Ok(transfer) => add(&mut hash, transfer),
            Err(code) => hash.update(code.as_str()),
        }
        hash.update([0]);
    }
    hash.finalize().to_vec()
}

fn add(hash: &mut Sha256, transfer: &Transfer) {
    for (account, change) in &transfer.legs {
        hash.update(account.uuid().as_bytes());
        hash.update(change.to_string());
        hash.update([0]);
    }
    if let Some(description) = &transfer.description {
        hash.update([1]);
        hash.update(description.as_str());
    }
    // Only where it is not the usual one: keys that are older know of no other.
    if transfer.protocol == Protocol::Saga {
        hash.update([2]);
    }
}

#[cfg(test)]
mod tests {
    use types::views::TransferRequest;
    use types::{AccountId, DecimalText};

    use super::*;

    #[test]
    fn the_spelling_of_an_amount_does_not_make_another_request() {
        let (source, destination) = (AccountId::generate(), AccountId::generate());
        let fingerprint = |amount: &str| {
            let request = TransferRequest {
                source_account_id: Some(source),
                destination_account_id: Some(destination),
                amount: Some(DecimalText::from(amount.to_owned())),
                ..TransferRequest::default()
            };
            of_transfer(&Transfer::try_from(request).expect("a transfer"))
        };
        assert_eq!(fingerprint("1"), fingerprint("1.00"));
        assert_eq!(fingerprint("1e1"), fingerprint("10.0000"));
        assert_ne!(fingerprint("1"), fingerprint("1.0001"));
    }
}
