//! Many accounts, with money in them, made in bulk by SQL: what a bank that has been open for years
//! has. Every one has its opening entry and the vault its counter-entry, so the ledger checks hold.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::failure::Failure;

/// Accounts 0, 1, 2, … of each bank; the ids follow from the number.
#[derive(Debug, Clone, Copy)]
pub struct Accounts {
    /// So many at each bank.
    pub each: u64,
}

/// What every account begins with: enough for any run.
pub const OPENING: &str = "1000000.00";

/// Written with one statement.
const CHUNK: u64 = 100_000;

/// How account `n` stands, as SQL. Whoever says otherwise than [`OPENED`] writes the entries.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    pub balance: &'a str,
    pub version: &'a str,
}

/// With its opening and nothing else.
pub const OPENED: Standing<'static> = Standing {
    balance: OPENING,
    version: "1",
};

impl Accounts {
    /// The id of one account.
    pub fn id(self, bank: u16, number: u64) -> Uuid {
        Uuid::from_fields(0xbe5c_0000, bank, 0x4000, &eight(number))
    }

    /// Makes them at one bank, and remembers them in the coordinator's directory, as it has after a
    /// while. `progress` is told how many there are.
    ///
    /// # Errors
    /// Any database error.
    pub async fn make(
        self,
        bank: u16,
        standing: Standing<'_>,
        accounts: &mut PgConnection,
        directory: &mut PgConnection,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<(), Failure> {
        let id = sql_id("n", bank);
        let filled = |sql: &str| {
            sql.replace("{id}", &id)
                .replace("{opening}", OPENING)
                .replace("{balance}", standing.balance)
                .replace("{version}", standing.version)
                .replace("{bank}", &bank.to_string())
        };
        for first in (0..self.each).step_by(usize::try_from(CHUNK).unwrap_or(1)) {
            let last = (first + CHUNK).min(self.each) - 1;
            for (sql, connection) in [(INSERT, &mut *accounts), (REMEMBER, &mut *directory)] {
                sqlx::query(sqlx::AssertSqlSafe(filled(sql)))
                    .bind(first.cast_signed())
                    .bind(last.cast_signed())
                    .execute(connection)
                    .await?;
            }
            progress(last + 1);
        }
        Ok(())
    }
}

/// The last eight bytes of an id: the variant's bits and the number.
fn eight(number: u64) -> [u8; 8] {
    (0x8000_0000_0000_0000 | number).to_be_bytes()
}

/// The id of account `number`, an expression in SQL, at a bank.
pub fn sql_id(number: &str, bank: u16) -> String {
    format!(
        "('be5c0000{bank:04x}4000' || lpad(to_hex(({number}) | (-9223372036854775808)), 16, '0'))::uuid"
    )
}

const INSERT: &str = "
    WITH vault AS (
        UPDATE accounts SET balance = balance - ($2 - $1 + 1) * {opening},
                            version = version + ($2 - $1 + 1)
        WHERE purpose = 'vault:USD' RETURNING account_id, balance, version
    ), opened AS (
        INSERT INTO accounts (account_id, customer_id, currency, balance, version)
        SELECT {id}, {id}, 'USD', {balance}, {version} FROM generate_series($1::bigint, $2::bigint) AS n
    ), moved AS (
        SELECT n, gen_random_uuid() AS transaction_id
        FROM generate_series($1::bigint, $2::bigint) AS n
    ), ours AS (
        INSERT INTO ledger_entries
            (account_id, version, transaction_id, transfer_index, kind, change, balance_after)
        SELECT {id}, 1, transaction_id, 0, 'opening', {opening}, {opening} FROM moved
    )
    INSERT INTO ledger_entries
        (account_id, version, transaction_id, transfer_index, kind, change, balance_after)
    SELECT vault.account_id, vault.version - ($2 - n), transaction_id, 0, 'opening',
           -{opening}, vault.balance + ($2 - n) * {opening}
    FROM moved CROSS JOIN vault";

const REMEMBER: &str = "
    INSERT INTO account_directory (account_id, participant, customer_id, currency)
    SELECT {id}, 'bank-{bank}', {id}, 'USD' FROM generate_series($1::bigint, $2::bigint) AS n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_tell_bank_and_number_apart() {
        let accounts = Accounts { each: 10 };
        let text = accounts.id(2, 255).to_string();
        assert_eq!(text, "be5c0000-0002-4000-8000-0000000000ff");
        assert_ne!(accounts.id(1, 255), accounts.id(2, 255));
    }
}
