//! One role and one database per service.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::{Error, Result, data_dir::random_hex, postgres::Cluster, topology::Database};

/// A database that is there, and how to get in.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The service that owns it, as in state.json.
    pub name: String,
    /// For the service: its own role, and nobody else's rights.
    pub service_url: String,
    /// For tools and tests: a superuser's, where we have one.
    pub tools_url: String,
    /// What to drop at the end, in a cluster that is somebody else's.
    pub borrowed: Option<Borrowed>,
}

/// A database and its role in a cluster that outlives the bank.
#[derive(Debug, Clone)]
pub struct Borrowed {
    superuser_url: String,
    database: String,
    role: String,
}

/// Makes what is missing in a cluster of our own, and remembers its passwords in `cluster`.
///
/// # Errors
/// Those of the server.
pub async fn in_private_cluster(
    cluster: &mut Cluster,
    wanted: &[Database],
) -> Result<Vec<Prepared>> {
    let mut connection = connect(&cluster.url("postgres")).await?;
    // Otherwise every role may look around in the databases that come with a cluster.
    for shared in ["postgres", "template1"] {
        execute(
            &mut connection,
            format!("REVOKE CONNECT ON DATABASE {shared} FROM PUBLIC"),
        )
        .await?;
    }
    let mut prepared = Vec::new();
    for one in wanted {
        let password = match cluster.saved().passwords.get(&one.role) {
            Some(password) => password.clone(),
            None => random_hex(16)?,
        };
        create(&mut connection, &one.role, &password, &one.database).await?;
        cluster
            .saved()
            .passwords
            .insert(one.role.clone(), password.clone());
        prepared.push(Prepared {
            name: one.name.clone(),
            service_url: cluster.url_of(&one.role, &password, &one.database),
            tools_url: cluster.url(&one.database),
            borrowed: None,
        });
    }
    close(connection).await;
    Ok(prepared)
}

/// Makes databases and roles with names that nobody else has in the cluster at `superuser_url`.
///
/// # Errors
/// Those of the server, or when the URL is not one.
pub async fn in_existing_cluster(
    superuser_url: &str,
    wanted: &[Database],
) -> Result<Vec<Prepared>> {
    let mut connection = connect(superuser_url).await?;
    let suffix = random_hex(4)?;
    let mut prepared = Vec::new();
    for one in wanted {
        let role = format!("{}_{suffix}", one.role);
        let database = format!("{}_{suffix}", one.database);
        let password = random_hex(16)?;
        create(&mut connection, &role, &password, &database).await?;
        prepared.push(Prepared {
            name: one.name.clone(),
            service_url: readdress(superuser_url, Some((&role, &password)), &database)?,
            tools_url: readdress(superuser_url, None, &database)?,
            borrowed: Some(Borrowed {
                superuser_url: superuser_url.to_owned(),
                database,
                role,
            }),
        });
    }
    close(connection).await;
    Ok(prepared)
}

/// The superuser's URL of the cluster that tests are to use.
pub const CLUSTER_VARIABLE: &str = "TEST_POSTGRES_URL";

/// Set where that whole cluster goes when the tests are done. Its databases are not dropped one by
/// one: dropping one waits for every process of the server, which takes longer than most tests.
pub const THROW_AWAY_VARIABLE: &str = "TEST_POSTGRES_THROW_AWAY";

/// Drops what [`in_existing_cluster`] made, whoever is still connected; nothing in a cluster that
/// is thrown away as a whole.
///
/// # Errors
/// Those of the server.
pub async fn give_back(borrowed: &[Borrowed]) -> Result<()> {
    let thrown_away = std::env::var_os(THROW_AWAY_VARIABLE)
        .and_then(|_| std::env::var(CLUSTER_VARIABLE).ok())
        .unwrap_or_default();
    for one in borrowed {
        if one.superuser_url == thrown_away {
            continue;
        }
        let mut connection = connect(&one.superuser_url).await?;
        let Borrowed { database, role, .. } = one;
        execute(
            &mut connection,
            format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"),
        )
        .await?;
        execute(&mut connection, format!("DROP ROLE IF EXISTS {role}")).await?;
        close(connection).await;
    }
    Ok(())
}

/// All names and passwords here are made of letters, digits and underscores by this crate, so that
/// they can stand in statements that take no parameters.
async fn create(
    connection: &mut PgConnection,
    role: &str,
    password: &str,
    database: &str,
) -> Result<()> {
    let verb = if exists(
        connection,
        "SELECT 1 FROM pg_roles WHERE rolname = $1",
        role,
    )
    .await?
    {
        "ALTER"
    } else {
        "CREATE"
    };
    execute(
        connection,
        format!("{verb} ROLE {role} LOGIN PASSWORD '{password}'"),
    )
    .await?;
    if !exists(
        connection,
        "SELECT 1 FROM pg_database WHERE datname = $1",
        database,
    )
    .await?
    {
        execute(
            connection,
            format!("CREATE DATABASE {database} OWNER {role} TEMPLATE template0"),
        )
        .await?;
    }
    execute(
        connection,
        format!("REVOKE CONNECT ON DATABASE {database} FROM PUBLIC"),
    )
    .await
}

async fn connect(url: &str) -> Result<PgConnection> {
    PgConnection::connect(url)
        .await
        .map_err(Error::database("cannot connect to PostgreSQL"))
}

async fn close(connection: PgConnection) {
    // The server notices a lost connection as well as a closed one.
    let _ = connection.close().await;
}

async fn exists(connection: &mut PgConnection, query: &'static str, name: &str) -> Result<bool> {
    let found: Option<i32> = sqlx::query_scalar(query)
        .bind(name)
        .fetch_optional(connection)
        .await
        .map_err(Error::database("cannot read PostgreSQL's catalogue"))?;
    Ok(found.is_some())
}

async fn execute(connection: &mut PgConnection, statement: String) -> Result<()> {
    // The statement may hold a password, so the error names its first words only.
    let words: Vec<_> = statement.split(' ').take(3).map(str::to_owned).collect();
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(connection)
        .await
        .map_err(Error::database(format!("{} failed", words.join(" "))))?;
    Ok(())
}

/// The same server, another database, and if wanted another role.
///
/// # Errors
/// When `url` is not a PostgreSQL URL.
pub fn readdress(url: &str, role: Option<(&str, &str)>, database: &str) -> Result<String> {
    let malformed =
        || Error::Refused("a database URL has the form postgres://user:password@host/name".into());
    let (scheme, rest) = url.split_once("://").ok_or_else(malformed)?;
    let (rest, parameters) = rest
        .split_once('?')
        .map_or((rest, None), |(rest, more)| (rest, Some(more)));
    let authority = rest.split('/').next().unwrap_or_default();
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let user = role.map_or_else(
        || user.to_owned(),
        |(role, password)| format!("{role}:{password}"),
    );
    let at = if user.is_empty() { "" } else { "@" };
    let parameters = parameters
        .map(|more| format!("?{more}"))
        .unwrap_or_default();
    Ok(format!(
        "{scheme}://{user}{at}{host}/{database}{parameters}"
    ))
}

/// `host:port` of a database URL.
///
/// # Errors
/// When `url` is not a PostgreSQL URL.
pub fn server_of(url: &str) -> Result<&str> {
    let authority = url.split_once("://").and_then(|(_, rest)| {
        let authority = rest.split(['/', '?']).next()?;
        Some(authority.rsplit_once('@').map_or(authority, |(_, at)| at))
    });
    authority
        .filter(|server| server.contains(':'))
        .ok_or_else(|| Error::Refused("the database URL names no host and port".into()))
}

/// The same database, reached through a port of this machine.
///
/// # Errors
/// When `url` is not a PostgreSQL URL.
pub fn by_port(url: &str, port: u16) -> Result<String> {
    Ok(url.replacen(server_of(url)?, &format!("127.0.0.1:{port}"), 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_server_and_parameters() {
        let moved = |url, role| readdress(url, role, "new").unwrap();
        assert_eq!(
            moved("postgres://a:b@h:5/old?x=y", None),
            "postgres://a:b@h:5/new?x=y"
        );
        assert_eq!(
            moved("postgres://a@h:5", Some(("r", "p"))),
            "postgres://r:p@h:5/new"
        );
        assert_eq!(moved("postgres://h/old", None), "postgres://h/new");
        assert!(readdress("h/old", None, "new").is_err());
    }

    #[test]
    fn an_address_keeps_everything_but_its_server() {
        let url = "postgres://a:b@h:5/old?x=y";
        assert_eq!(server_of(url).unwrap(), "h:5");
        let moved = by_port(url, 9).unwrap();
        assert_eq!(moved, "postgres://a:b@127.0.0.1:9/old?x=y");
        assert!(by_port("postgres://h/old", 9).is_err());
    }
}
