//! Moving money, after a look at what is going to happen.

use types::Text;
use types::views::{Cash, TransferRequest};

use super::Desk;
use super::prompt::{self, Step};
use crate::cli::commands::{insist, own_key};
use crate::cli::render;
use crate::cli::table::{Record, Tone};

impl Desk {
    pub(super) async fn transfer(&mut self) -> Result<(), Step> {
        let source = self.pick_account("From which account?").await?;
        let destination = self.pick_destination("To which account?").await?;
        let amount = prompt::amount("How much?")?;
        let description = prompt::optional("Description:", prompt::parsed::<Text<200>>)?;
        let money = amount
            .amount()
            .map(|amount| format!("{amount} {}", source.currency))
            .unwrap_or_default();
        let after = amount
            .amount()
            .ok()
            .and_then(|amount| source.available_balance.minus(amount));
        let summary = Record::new()
            .field("From", source.account_id)
            .field("To", destination)
            .field("Amount", &money)
            .maybe("Description", description.as_ref())
            .field("Available", source.available_balance)
            .maybe("Then", after);
        self.context.out.line("")?;
        self.context.out.sheet(summary)?;
        prompt::confirm(&format!("Move {money}?"))?;
        let request = TransferRequest {
            source_account_id: Some(source.account_id),
            destination_account_id: Some(destination),
            amount: Some(amount),
            legs: None,
            description,
            protocol: None,
        };
        let key = own_key();
        let service = self.context.bank.transactions();
        let sent = insist(&key, || service.transfer(&request, Some(&key))).await?;
        let out = &self.context.out;
        out.line(&out.painted(&format!("Transfer {}.", sent.body.status), Tone::Good))?;
        out.sheet(render::transfer(&sent.body))?;
        out.line("")?;
        Ok(())
    }

    pub(super) async fn cash(&mut self, paid_in: bool) -> Result<(), Step> {
        let (verb, question) = if paid_in {
            ("Deposit", "To which account?")
        } else {
            ("Withdraw", "From which account?")
        };
        let account = self.pick_account(question).await?;
        let amount = prompt::amount("How much?")?;
        let description = prompt::optional("Description:", prompt::parsed::<Text<200>>)?;
        let money = amount.amount().map(|a| a.to_string()).unwrap_or_default();
        let id = account.account_id;
        prompt::confirm(&format!("{verb} {money} {}?", account.currency))?;
        let cash = Cash {
            amount,
            description,
        };
        let bank = self.context.bank.account(id).await?.bank;
        let key = own_key();
        let receipt = if paid_in {
            insist(&key, || bank.deposit(id, &cash, Some(&key))).await?
        } else {
            insist(&key, || bank.withdraw(id, &cash, Some(&key))).await?
        };
        self.context.out.sheet(render::receipt(&receipt))?;
        self.context.out.line("")?;
        Ok(())
    }
}
