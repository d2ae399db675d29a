//! How a driver is made.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Driver, Shared};
use crate::auth::{AuthManager, AuthToken, Logins};
use crate::bookmark::BookmarkManager;
use crate::config::{Config, FetchSize, NotificationConfig, TrustedCertificates};
use crate::connection::{Connector, Encryption, Opening, Target, TcpConnector};
use crate::error::{Error, ErrorKind};
use crate::pool::Pool;
use crate::resolver::Resolver;
use crate::retry::RetryPolicy;
use crate::routing::Provider;

/// The options of a driver, by their official names.
#[must_use = "a builder does nothing until `build`"]
pub struct DriverBuilder {
    uri: String,
    logins: Logins,
    config: Config,
    connector: Option<Arc<dyn Connector>>,
    resolver: Option<Arc<dyn Resolver>>,
    encrypted: Option<bool>,
    #[cfg(feature = "tls")]
    client_certificate: Option<Arc<dyn crate::connection::ClientCertificateProvider>>,
}

impl fmt::Debug for DriverBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DriverBuilder")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl DriverBuilder {
    pub(super) fn new(uri: &str) -> Self {
        Self {
            uri: uri.to_owned(),
            logins: Logins::Fixed(AuthToken::none()),
            config: Config::default(),
            connector: None,
            resolver: None,
            encrypted: None,
            #[cfg(feature = "tls")]
            client_certificate: None,
        }
    }

    /// The login; none unless told.
    pub fn auth(mut self, auth: AuthToken) -> Self {
        self.logins = Logins::Fixed(auth);
        self
    }

    /// Where logins come from that change while the driver is in use.
    pub fn auth_manager(mut self, manager: Arc<dyn AuthManager>) -> Self {
        self.logins = Logins::Managed(manager);
        self
    }

    /// Which addresses the one in the URI stands for; itself unless told.
    pub fn resolver(mut self, resolver: Arc<dyn Resolver>) -> Self {
        self.resolver = Some(resolver);
        self
    }

    /// Whether connections are encrypted, where the URI's scheme leaves that open (it has neither
    /// `+s` nor `+ssc`). Certificates are checked against
    /// [`trusted_certificates`](Self::trusted_certificates).
    pub fn encrypted(mut self, encrypted: bool) -> Self {
        self.encrypted = Some(encrypted);
        self
    }

    /// The certificate that the driver shows to servers, beside its login (mutual TLS).
    #[cfg(feature = "tls")]
    pub fn client_certificate(self, certificate: crate::ClientCertificate) -> Self {
        self.client_certificate_provider(crate::RotatingClientCertificate::new(certificate))
    }

    /// Where certificates come from that change while the driver is in use.
    #[cfg(feature = "tls")]
    pub fn client_certificate_provider(
        mut self,
        provider: Arc<dyn crate::ClientCertificateProvider>,
    ) -> Self {
        self.client_certificate = Some(provider);
        self
    }

    /// Which notifications servers send; all unless told.
    pub fn notifications(mut self, notifications: NotificationConfig) -> Self {
        self.config.notifications = notifications;
        self
    }

    /// Whether servers that want to know are not told which parts of the driver are used: the
    /// kind of call, once a call (Bolt 5.4 and later). They are told unless switched off here.
    pub fn telemetry_disabled(mut self, disabled: bool) -> Self {
        self.config.telemetry = !disabled;
        self
    }

    /// Whether the manifest handshake is offered, by which a server's versions from Bolt 6 on are
    /// found; it is unless told. Without it, servers that know nothing newer than Bolt 4.2 are
    /// offered each of its versions.
    pub fn manifest_handshake(mut self, offered: bool) -> Self {
        self.config.manifest = offered;
        self
    }

    /// Whether the system looks after idle connections by TCP keep-alive; it does unless told.
    pub fn keep_alive(mut self, keep_alive: bool) -> Self {
        self.config.keep_alive = keep_alive;
        self
    }

    /// How many connections to each server there may be; 100, and at least 1.
    pub fn max_connection_pool_size(mut self, size: usize) -> Self {
        self.config.max_connection_pool_size = size.clamp(1, tokio::sync::Semaphore::MAX_PERMITS);
        self
    }

    /// How long to wait for a connection, whether one becomes free or is opened; 60 s.
    pub fn connection_acquisition_timeout(mut self, timeout: Duration) -> Self {
        self.config.connection_acquisition_timeout = timeout;
        self
    }

    /// How long it may take until a server answers, TLS included; 30 s. What follows, such as the
    /// login, is limited by [`connection_acquisition_timeout`](Self::connection_acquisition_timeout).
    pub fn connection_timeout(mut self, timeout: Duration) -> Self {
        self.config.connection_timeout = timeout;
        self
    }

    /// After how long a connection is not used again; 1 h.
    pub fn max_connection_lifetime(mut self, lifetime: Duration) -> Self {
        self.config.max_connection_lifetime = lifetime;
        self
    }

    /// After how long without use a connection is tried before it is used; never unless told.
    pub fn liveness_check_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.config.liveness_check_timeout = timeout;
        self
    }

    /// For how long transactions are tried again; 30 s.
    pub fn max_transaction_retry_time(mut self, time: Duration) -> Self {
        self.config.retry_policy.max_retry_time = time;
        self
    }

    /// All of how transactions are tried again.
    pub fn retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.config.retry_policy = policy;
        self
    }

    /// How many records are asked for at a time. Unless told, sessions ask for 1,000, and
    /// [`execute_query`](Driver::execute_query), which keeps all of them anyway, for all at once:
    /// then COMMIT need not wait for them, which is one round trip less.
    pub fn fetch_size(mut self, size: impl Into<FetchSize>) -> Self {
        self.config.fetch_size = Some(size.into());
        self
    }

    /// What the program calls itself in the server's logs.
    pub fn user_agent(mut self, name: impl Into<Arc<str>>) -> Self {
        self.config.user_agent = name.into();
        self
    }

    /// Whose certificates are taken with `+s`; the system's unless told.
    pub fn trusted_certificates(mut self, trusted: TrustedCertificates) -> Self {
        self.config.trusted_certificates = trusted;
        self
    }

    /// How byte streams are made; TCP unless told.
    pub fn connector(mut self, connector: Arc<dyn Connector>) -> Self {
        self.connector = Some(connector);
        self
    }

    /// Makes the driver. Nothing is sent yet.
    ///
    /// # Errors
    /// The URI can't be meant so, or TLS can't be set up.
    pub fn build(self) -> Result<Driver, Error> {
        let mut target = Target::parse(&self.uri)?;
        target.encryption = encryption(target.encryption, self.encrypted, &self.uri)?;
        #[cfg(feature = "tls")]
        let tls = crate::connection::Tls::new(
            target.encryption,
            &self.config.trusted_certificates,
            self.client_certificate,
        )?;
        if !cfg!(feature = "tls") && target.encryption != Encryption::Off {
            return Err(Error::new(
                ErrorKind::Configuration,
                "the URI asks for TLS, and neo-bolt was built without its feature `tls`",
            ));
        }
        let opening = Opening {
            connector: self.connector.unwrap_or_else(|| {
                Arc::new(TcpConnector {
                    keep_alive: self.config.keep_alive,
                })
            }),
            encryption: target.encryption,
            #[cfg(feature = "tls")]
            tls,
            user_agent: Arc::clone(&self.config.user_agent),
            routing: target.routing.clone(),
            notifications: self.config.notifications.clone(),
            telemetry: self.config.telemetry,
            census: Arc::default(),
            manifest: self.config.manifest,
            timeout: self.config.connection_timeout,
        };
        let encrypted = opening.encryption != Encryption::Off;
        let pool = Pool::new(opening, self.logins, self.config.clone());
        let provider = Provider::new(pool, target.address, target.routing, self.resolver);
        let provider = Arc::new(provider);
        let bookmarks = BookmarkManager::new();
        Ok(Driver {
            shared: Arc::new(Shared {
                provider,
                config: self.config,
                receipts: Arc::default(),
                bookmarks,
                encrypted,
            }),
        })
    }
}

/// What the URI's scheme and the option come to.
fn encryption(scheme: Encryption, option: Option<bool>, uri: &str) -> Result<Encryption, Error> {
    match (scheme, option) {
        (scheme, None) => Ok(scheme),
        (Encryption::Off, Some(false)) => Ok(Encryption::Off),
        (Encryption::Off, Some(true)) => Ok(Encryption::Trusted),
        (_, Some(_)) => Err(Error::new(
            ErrorKind::Configuration,
            format!(
                "the scheme of {uri:?} settles encryption and whom to trust; leave out the option \
                 `encrypted`"
            ),
        )),
    }
}
