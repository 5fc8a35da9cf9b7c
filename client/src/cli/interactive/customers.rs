//! Customers and their logins.

use types::Text;
use types::views::{ContactInfo, CreateCustomer, CreateLogin, Role};

use super::Desk;
use super::prompt::{self, Step};
use crate::cli::render;

impl Desk {
    pub(super) async fn profile(&mut self) -> Result<(), Step> {
        let Some(id) = self.context.customer() else {
            self.context.out.line("This login has no profile.\n")?;
            return Ok(());
        };
        let customer = self.context.bank.customers().show(id).await?.body;
        self.context.out.sheet(render::customer(&customer))?;
        self.context.out.line("")?;
        Ok(())
    }

    pub(super) async fn find_customer(&mut self) -> Result<(), Step> {
        let customer = self.pick_customer().await?;
        let merged = self.context.bank.accounts_of(customer.customer_id).await;
        let out = &self.context.out;
        out.sheet(render::customer(&customer))?;
        out.line("")?;
        out.sheet(render::accounts(&merged?.items))?;
        out.line("")?;
        Ok(())
    }

    pub(super) async fn create_customer(&mut self) -> Result<(), Step> {
        const BACK: &str = "Esc goes back";
        let name = prompt::text("Full name:", BACK, prompt::parsed::<Text<200>>)?;
        let address = prompt::text("Postal address:", BACK, prompt::parsed::<Text<500>>)?;
        let email = prompt::optional("E-mail:", prompt::parsed::<Text<254>>)?;
        let phone = prompt::optional("Phone:", prompt::parsed::<Text<40>>)?;
        prompt::confirm(&format!("Create {name}?"))?;
        let request = CreateCustomer {
            name,
            address,
            contact_info: ContactInfo { email, phone },
        };
        let customer = self.context.bank.customers().create(&request).await?;
        self.context.out.sheet(render::customer(&customer))?;
        self.context.out.line("")?;
        Ok(())
    }

    pub(super) async fn create_login(&mut self) -> Result<(), Step> {
        let customer = self.pick_customer().await?;
        let username = prompt::text("User name:", "Esc goes back", |typed| match typed {
            "" => Err("A user name, please.".to_owned()),
            name => Ok(name.to_owned()),
        })?;
        let password = prompt::password("Password:", "at least 10 characters; Esc goes back")?;
        let again = prompt::password("The same again:", "Esc goes back")?;
        if password != again {
            self.context.out.line("The two are not the same.\n")?;
            return Err(Step::Back);
        }
        let request = CreateLogin {
            username,
            password,
            role: Role::Customer,
        };
        let customers = self.context.bank.customers();
        let login = customers
            .create_login(customer.customer_id, &request)
            .await?;
        self.context.out.sheet(render::login(&login))?;
        self.context.out.line("")?;
        Ok(())
    }
}
