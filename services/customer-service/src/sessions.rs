//! Logging in, refreshing and logging out.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{Duration, Utc};
use rand::RngCore;
use service_kit::auth::{RevocationView, USER_AUDIENCE, UserClaims};
use sha2::{Digest, Sha256};
use types::views::{Role, TokenPair};
use uuid::Uuid;

use crate::app::App;
use crate::error::Error;
use crate::store::logins::StoredLogin;
use crate::store::sessions::{NewRefreshToken, Refreshed};
use crate::store::{failures, logins, sessions};
use crate::username::Username;

/// A refresh token is this many random bytes; guessing one is hopeless.
const REFRESH_TOKEN_BYTES: usize = 32;

/// Opens a session for whoever knows the password.
///
/// # Errors
/// [`Error::InvalidCredentials`], after the same work whether the user exists or not;
/// [`Error::TooManyFailures`], also with the right password; [`Error::Overloaded`].
pub(crate) async fn log_in(
    app: App,
    username: String,
    password: String,
) -> Result<TokenPair, Error> {
    let login = match Username::parse(&username) {
        Ok(username) => logins::find(&app.pool, &username).await?,
        Err(_) => None,
    };
    let username_hash = Sha256::digest(username.as_bytes()).to_vec();
    // Kept until the failure is on record: the next one under this name has to see it.
    let turn = app.passwords.turn_for(&username_hash).await?;
    let limit = app.config.failed_logins_per_minute;
    if let Some(retry_after) = failures::wait_for(&app.pool, &username_hash, limit).await? {
        metrics::counter!("logins_total", "outcome" => "refused").increment(1);
        return Err(Error::TooManyFailures { retry_after });
    }
    let stored = login.as_ref().map(|login| login.password_hash.clone());
    let right = app.passwords.verify(&turn, password, stored).await?;
    let Some(login) = login.filter(|_| right) else {
        failures::record(&app.pool, &username_hash).await?;
        metrics::counter!("logins_total", "outcome" => "failed").increment(1);
        tracing::info!(event = "LOGIN_FAILED");
        return Err(Error::InvalidCredentials);
    };
    drop(turn);
    let (pair, fresh) = issue(&app, &login)?;
    let session_id = Uuid::now_v7();
    let lasts = Duration::seconds(app.config.session_seconds.into());
    sessions::open(
        &app.pool,
        session_id,
        login.login_id,
        Utc::now() + lasts,
        &fresh,
    )
    .await?;
    metrics::counter!("logins_total", "outcome" => "succeeded").increment(1);
    tracing::info!(event = "LOGIN_SUCCEEDED", login_id = %login.login_id, role = %login.role);
    Ok(pair)
}

/// The next pair for a refresh token, which is spent with it. A token that was spent before has
/// been stolen, from one side or the other: the whole family is revoked.
///
/// # Errors
/// [`Error::InvalidRefreshToken`].
pub(crate) async fn refresh(app: App, refresh_token: String) -> Result<TokenPair, Error> {
    let hash = hash_refresh_token(&refresh_token);
    let login = sessions::login_of(&app.pool, &hash)
        .await?
        .ok_or(Error::InvalidRefreshToken)?;
    let (pair, fresh) = issue(&app, &login)?;
    match sessions::refresh(&app.pool, &hash, &fresh).await? {
        Refreshed::Done => Ok(pair),
        Refreshed::NotValid => Err(Error::InvalidRefreshToken),
        Refreshed::Reused(revoked) => {
            tracing::warn!(event = "REFRESH_TOKEN_REUSED", login_id = %login.login_id);
            app.verifier.revoke(revoked);
            Err(Error::InvalidRefreshToken)
        }
    }
}

/// Ends the session of a refresh token, whatever state it is in. The access tokens of the session
/// are refused here at once, elsewhere within seconds. A token nobody knows is no error: there is
/// nothing left to end.
pub(crate) async fn log_out(app: App, refresh_token: String) -> Result<(), Error> {
    let revoked = sessions::revoke(&app.pool, &hash_refresh_token(&refresh_token)).await?;
    app.verifier.revoke(revoked);
    tracing::info!(event = "LOGGED_OUT");
    Ok(())
}

/// All access tokens that are revoked and have not expired.
pub(crate) async fn revocations(app: App) -> Result<Vec<RevocationView>, Error> {
    sessions::revoked_tokens(&app.pool).await
}

fn hash_refresh_token(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// A new pair. Nothing is stored yet.
fn issue(app: &App, login: &StoredLogin) -> Result<(TokenPair, NewRefreshToken), Error> {
    let mut random = [0_u8; REFRESH_TOKEN_BYTES];
    rand::rngs::OsRng.fill_bytes(&mut random);
    let refresh_token = URL_SAFE_NO_PAD.encode(random);
    let now = Utc::now();
    let expires_at = now + Duration::seconds(app.config.access_token_seconds.into());
    let customer_id = login.customer_id.filter(|_| login.role == Role::Customer);
    let claims = UserClaims {
        iss: app.signer.name().to_owned(),
        aud: USER_AUDIENCE.to_owned(),
        sub: login.login_id,
        customer_id,
        role: login.role,
        iat: now.timestamp(),
        exp: expires_at.timestamp(),
        jti: Uuid::new_v4(),
    };
    let fresh = NewRefreshToken {
        hash: hash_refresh_token(&refresh_token),
        access_token_id: claims.jti,
        access_expires_at: expires_at,
    };
    let pair = TokenPair {
        access_token: app.signer.sign(&claims)?,
        refresh_token,
        token_type: "Bearer".to_owned(),
        expires_in: app.config.access_token_seconds.into(),
        role: login.role,
        customer_id,
    };
    Ok((pair, fresh))
}
