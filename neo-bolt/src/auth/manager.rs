//! Logins that change while a driver is in use.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::AuthToken;
use crate::callback::{BoxError, BoxFuture, failed};
use crate::error::Error;

/// Gives out the login of a driver, which may change while the driver is in use.
///
/// Each connection is logged in with what [`get_auth`](Self::get_auth) gives when it is taken out
/// of the pool, so it should answer at once nearly always: [`AuthManagers::basic`] and
/// [`AuthManagers::bearer`] do, and ask a function of yours only when they have to.
///
/// All logins of one manager must be of the same identity: connections, and the results that are
/// being read from them, go from one login to the next. For different users there is
/// [`SessionConfig::auth`](crate::SessionConfig::auth).
pub trait AuthManager: Send + Sync + 'static {
    /// The login to use now.
    ///
    /// # Errors
    /// There is none; whoever wanted a connection is told.
    fn get_auth(&self) -> BoxFuture<'_, Result<AuthToken, BoxError>>;

    /// The server has refused `auth` with `error`, a code of `Neo.ClientError.Security`. Whether
    /// there is another login now, so that what failed may be tried again.
    ///
    /// # Errors
    /// It could not be found out; whoever ran into the refusal is told.
    fn handle_security_error<'a>(
        &'a self,
        auth: &'a AuthToken,
        error: &'a Error,
    ) -> BoxFuture<'a, Result<bool, BoxError>>;
}

/// A login, and until when it is good.
#[derive(Debug, Clone)]
pub struct ExpiringAuth {
    auth: AuthToken,
    expires: Option<Instant>,
}

impl ExpiringAuth {
    /// A login that is good until the server says otherwise.
    pub fn new(auth: AuthToken) -> Self {
        Self {
            auth,
            expires: None,
        }
    }

    /// Good for so long from now.
    #[must_use]
    pub fn expires_in(mut self, time: Duration) -> Self {
        // What is beyond all measure is good for ever.
        self.expires = Instant::now().checked_add(time);
        self
    }

    fn is_good(&self) -> bool {
        self.expires.is_none_or(|expires| Instant::now() < expires)
    }
}

/// Ready-made [`AuthManager`]s.
#[derive(Debug)]
pub struct AuthManagers {
    _none: (),
}

impl AuthManagers {
    /// For passwords that are changed now and then: `provider` is asked for the login at first,
    /// and again when the server refuses the one it gave
    /// (`Neo.ClientError.Security.Unauthorized`).
    ///
    /// ```
    /// use neo_bolt::{AuthManagers, AuthToken};
    ///
    /// let manager = AuthManagers::basic(|| async {
    ///     let password = std::fs::read_to_string("/run/secrets/neo4j")?;
    ///     Ok(AuthToken::basic("neo4j", password.trim()))
    /// });
    /// # let _ = manager;
    /// ```
    pub fn basic<F, Fut>(provider: F) -> Arc<dyn AuthManager>
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<AuthToken, BoxError>> + Send + 'static,
    {
        let provider = move || {
            let auth = provider();
            Box::pin(async move { auth.await.map(ExpiringAuth::new) }) as BoxFuture<'static, _>
        };
        Arc::new(Cached {
            provider: Box::new(provider),
            handled: &["Neo.ClientError.Security.Unauthorized"],
            current: Mutex::new(None),
        })
    }

    /// For tokens of a single sign-on service: `provider` is asked for a login at first, when the
    /// last one has expired, and when the server refuses it
    /// (`Neo.ClientError.Security.TokenExpired` or `Unauthorized`).
    pub fn bearer<F, Fut>(provider: F) -> Arc<dyn AuthManager>
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<ExpiringAuth, BoxError>> + Send + 'static,
    {
        Arc::new(Cached {
            provider: Box::new(move || Box::pin(provider())),
            handled: &[
                "Neo.ClientError.Security.TokenExpired",
                "Neo.ClientError.Security.Unauthorized",
            ],
            current: Mutex::new(None),
        })
    }
}

type Provider = dyn Fn() -> BoxFuture<'static, Result<ExpiringAuth, BoxError>> + Send + Sync;

/// Keeps a login for as long as it is good.
struct Cached {
    provider: Box<Provider>,
    handled: &'static [&'static str],
    /// Held while the provider is asked: once for all who want to know.
    current: Mutex<Option<ExpiringAuth>>,
}

impl AuthManager for Cached {
    fn get_auth(&self) -> BoxFuture<'_, Result<AuthToken, BoxError>> {
        Box::pin(async move {
            let mut current = self.current.lock().await;
            if let Some(known) = current.as_ref().filter(|known| known.is_good()) {
                return Ok(known.auth.clone());
            }
            let new = (self.provider)().await?;
            Ok(current.insert(new).auth.clone())
        })
    }

    fn handle_security_error<'a>(
        &'a self,
        auth: &'a AuthToken,
        error: &'a Error,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async move {
            if !error
                .code()
                .is_some_and(|code| self.handled.contains(&code))
            {
                return Ok(false);
            }
            let mut current = self.current.lock().await;
            // Somebody else may have run into the same refusal before.
            if current.as_ref().is_some_and(|known| known.auth == *auth) {
                *current = Some((self.provider)().await?);
            }
            Ok(true)
        })
    }
}

/// Where a driver's login comes from.
#[derive(Clone)]
pub(crate) enum Logins {
    Fixed(AuthToken),
    Managed(Arc<dyn AuthManager>),
}

impl Logins {
    /// The login to use now.
    pub(crate) async fn current(&self) -> Result<AuthToken, Error> {
        match self {
            Self::Fixed(auth) => Ok(auth.clone()),
            Self::Managed(manager) => {
                let auth = manager.get_auth().await;
                auth.map_err(|error| failed("the auth manager", error))
            }
        }
    }

    /// Tells of a refusal. Where there is another login now, the error may be retried.
    pub(crate) async fn refused(&self, auth: &AuthToken, error: Error) -> Error {
        let Self::Managed(manager) = self else {
            return error;
        };
        match manager.handle_security_error(auth, &error).await {
            Ok(true) => error.with_new_login(),
            Ok(false) => error,
            Err(failure) => failed("the auth manager", failure),
        }
    }

    pub(crate) fn are_managed(&self) -> bool {
        matches!(self, Self::Managed(_))
    }
}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(auth) => auth.fmt(f),
            Self::Managed(_) => f.write_str("Managed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn counted() -> (Arc<AtomicUsize>, impl Fn() -> AuthToken + Clone) {
        let count = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&count);
        let next = move || {
            let number = counter.fetch_add(1, Ordering::Relaxed);
            AuthToken::basic("me", number.to_string())
        };
        (count, next)
    }

    fn unauthorized() -> Error {
        Error::server("Neo.ClientError.Security.Unauthorized", "", None)
    }

    #[tokio::test]
    async fn a_password_is_asked_for_again_when_it_is_refused() {
        let (count, next) = counted();
        let manager = AuthManagers::basic(move || {
            let auth = next();
            async move { Ok(auth) }
        });
        let first = manager.get_auth().await.unwrap();
        assert_eq!(manager.get_auth().await.unwrap(), first);
        let other = Error::server("Neo.ClientError.Security.TokenExpired", "", None);
        assert!(!manager.handle_security_error(&first, &other).await.unwrap());
        for _ in 0..2 {
            let handled = manager.handle_security_error(&first, &unauthorized()).await;
            assert!(handled.unwrap());
        }
        assert_eq!(count.load(Ordering::Relaxed), 2);
        assert_ne!(manager.get_auth().await.unwrap(), first);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_asked_for_again_when_it_has_expired() {
        let (count, next) = counted();
        let manager = AuthManagers::bearer(move || {
            let auth = ExpiringAuth::new(next()).expires_in(Duration::from_secs(10));
            async move { Ok(auth) }
        });
        let first = manager.get_auth().await.unwrap();
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(manager.get_auth().await.unwrap(), first);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_ne!(manager.get_auth().await.unwrap(), first);
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }
}
