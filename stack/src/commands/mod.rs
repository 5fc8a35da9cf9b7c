//! One file per subcommand.

pub mod databases;
pub mod only;
pub mod psql;
pub mod start;
pub mod status;
pub mod stop;
pub mod with_postgres;
