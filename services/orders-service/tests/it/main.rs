//! orders-service over HTTP, on a real port and a real PostgreSQL.
