//! What can be chosen, and by whom.

use std::fmt;

use types::views::Role;

use crate::cli::demo::Demo;

/// One line of a menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    LogIn,
    LogOut,
    Health,
    MyAccounts,
    Profile,
    Transfer,
    Deposit,
    Withdraw,
    History,
    Statement,
    Products,
    Buy,
    Orders,
    CancelOrder,
    ChangeStock,
    Open,
    Show,
    ChangeStatus,
    FindCustomer,
    CreateCustomer,
    CreateLogin,
    InDoubt,
    LedgerCheck,
    RotateKeys,
    Demo(Demo),
    Submenu(&'static str, &'static [Choice]),
    Leave,
}

const MONEY: &[Choice] = &[Choice::Transfer, Choice::Deposit, Choice::Withdraw];

/// What customers do at the cash desk.
const DESK: &[Choice] = &[
    Choice::Products,
    Choice::Buy,
    Choice::Orders,
    Choice::CancelOrder,
];

/// And what those behind it do.
const BEHIND_THE_DESK: &[Choice] = &[
    Choice::Products,
    Choice::Buy,
    Choice::Orders,
    Choice::CancelOrder,
    Choice::ChangeStock,
];

const ACCOUNTS: &[Choice] = &[
    Choice::Show,
    Choice::Open,
    Choice::Statement,
    Choice::ChangeStatus,
];

const CUSTOMERS: &[Choice] = &[
    Choice::FindCustomer,
    Choice::CreateCustomer,
    Choice::CreateLogin,
];

const OPERATIONS: &[Choice] = &[
    Choice::InDoubt,
    Choice::LedgerCheck,
    Choice::RotateKeys,
    Choice::Health,
];

const DEMOS: &[Choice] = &[
    Choice::Demo(Demo::Race),
    Choice::Demo(Demo::Concurrent),
    Choice::Demo(Demo::Protocol),
    Choice::Demo(Demo::Comparison),
    Choice::Demo(Demo::Crash),
    Choice::Demo(Demo::SagaFailure),
];

/// The main menu of somebody with this role. Eight lines at most: more would scroll.
pub fn main(role: Option<Role>) -> Vec<Choice> {
    let staff = [
        Choice::Submenu("Money", MONEY),
        Choice::Submenu("Accounts", ACCOUNTS),
        Choice::Submenu("Customers", CUSTOMERS),
        Choice::Submenu("Cash desk", BEHIND_THE_DESK),
        Choice::History,
    ];
    let mut choices = match role {
        None => vec![Choice::LogIn],
        Some(Role::Customer) => vec![
            Choice::MyAccounts,
            Choice::Transfer,
            Choice::History,
            Choice::Statement,
            Choice::Submenu("Cash desk", DESK),
            Choice::Profile,
        ],
        Some(Role::Teller) => staff.to_vec(),
        Some(Role::Admin) => {
            let mut choices = staff.to_vec();
            choices.push(Choice::Submenu("Operations", OPERATIONS));
            choices
        }
    };
    if role == Some(Role::Admin) {
        // Nine lines would scroll: health is among the operations.
    } else {
        choices.push(Choice::Health);
    }
    if role != Some(Role::Customer) {
        choices.push(Choice::Submenu("Demonstrations", DEMOS));
    }
    if role.is_some() {
        choices.push(Choice::LogOut);
    }
    // With Esc there is always a way out; this one is for those who look for it.
    if choices.len() < 8 {
        choices.push(Choice::Leave);
    }
    choices
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LogIn => "Log in",
            Self::LogOut => "Switch user",
            Self::Health => "Service health",
            Self::MyAccounts => "My accounts",
            Self::Profile => "My profile",
            Self::Transfer => "Transfer money",
            Self::Deposit => "Deposit cash",
            Self::Withdraw => "Withdraw cash",
            Self::History => "History of transfers",
            Self::Statement => "Statement of an account",
            Self::Products => "What is sold",
            Self::Buy => "Buy something",
            Self::Orders => "Orders, and how they came about",
            Self::CancelOrder => "Cancel an order",
            Self::ChangeStock => "Change the stock of a product",
            Self::Open => "Open an account",
            Self::Show => "Show an account",
            Self::ChangeStatus => "Freeze, unfreeze or close an account",
            Self::FindCustomer => "Find a customer",
            Self::CreateCustomer => "Create a customer",
            Self::CreateLogin => "Create a login for a customer",
            Self::InDoubt => "Transactions in doubt",
            Self::LedgerCheck => "Check the ledgers",
            Self::RotateKeys => "Rotate the signing keys",
            Self::Demo(Demo::Race) => "Race condition",
            Self::Demo(Demo::Concurrent) => "Concurrent operations",
            Self::Demo(Demo::Protocol) => "Two-phase commit, message by message",
            Self::Demo(Demo::Comparison) => "Two-phase commit and saga, side by side",
            Self::Demo(Demo::Crash) => "Crash of the coordinator or of a bank",
            Self::Demo(Demo::SagaFailure) => "An order that fails at every step",
            Self::Submenu(title, _) => return write!(f, "{title} ..."),
            Self::Leave => "Leave",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_menu_fits_on_half_a_small_terminal() {
        for role in [
            None,
            Some(Role::Customer),
            Some(Role::Teller),
            Some(Role::Admin),
        ] {
            for choice in main(role) {
                if let Choice::Submenu(_, choices) = choice {
                    assert!(choices.len() <= 8, "{choice}");
                }
            }
            assert!(main(role).len() <= 8, "{role:?}");
        }
    }

    #[test]
    fn customers_are_not_offered_what_they_may_not_do() {
        let offered = main(Some(Role::Customer));
        let submenus = offered.iter().filter_map(|choice| match choice {
            Choice::Submenu(_, choices) => Some(*choices),
            _ => None,
        });
        assert!(
            submenus
                .flatten()
                .all(|choice| *choice != Choice::ChangeStock)
        );
        assert!(!offered.contains(&Choice::Deposit));
    }
}
