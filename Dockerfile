# One image for the services; the command says which. No failpoints are built in.

FROM rust:1.94-bookworm AS build
WORKDIR /bank
# Queries were checked against a database when they were written; what was learnt lies in .sqlx.
ENV SQLX_OFFLINE=true CARGO_TERM_COLOR=never
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/bank/target \
    cargo build --locked --release \
        -p customer-service -p accounts-service -p transactions-service -p orders-service -p client \
    && mkdir /programs \
    && cp target/release/customer-service target/release/accounts-service \
        target/release/transactions-service target/release/orders-service target/release/banking-cli /programs/

FROM debian:bookworm-slim
# Certificates for databases behind TLS, curl for the health checks.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin bank
COPY --from=build /programs/ /usr/local/bin/
USER bank
# Inside a container 127.0.0.1 is the container alone.
ENV BANK_HOST=0.0.0.0
STOPSIGNAL SIGTERM
CMD ["banking-cli", "--help"]
