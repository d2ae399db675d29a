//! Certificates that clients show to servers (mutual TLS).

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::callback::{BoxError, BoxFuture};
use crate::error::{Error, ErrorKind};

/// A certificate that the driver shows to servers, with its private key; both in PEM form. It
/// goes with encrypted connections, beside the login. Secrets never show in its `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    certificates: Arc<[u8]>,
    key: Arc<[u8]>,
    password: Option<Arc<str>>,
}

impl ClientCertificate {
    /// A certificate, with those of the authorities between it and the root, and its key.
    ///
    /// ```no_run
    /// # fn main() -> std::io::Result<()> {
    /// use neo_bolt::ClientCertificate;
    ///
    /// let certificate =
    ///     ClientCertificate::from_pem(std::fs::read("client.pem")?, std::fs::read("client.key")?);
    /// # let _ = certificate;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_pem(certificates: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        Self {
            certificates: certificates.into().into(),
            key: key.into().into(),
            password: None,
        }
    }

    /// What the key is encrypted with. Takes the feature `encrypted-keys`.
    #[must_use]
    pub fn password(mut self, password: impl Into<Arc<str>>) -> Self {
        self.password = Some(password.into());
        self
    }

    pub(super) fn parse(
        &self,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Error> {
        let broken = |what: &dyn fmt::Display| {
            Error::new(
                ErrorKind::Configuration,
                format!("the client certificate can't be used: {what}"),
            )
        };
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(&self.certificates)
            .collect::<Result<_, _>>()
            .map_err(|error| broken(&error))?;
        if certificates.is_empty() {
            return Err(broken(&"there is none in the PEM text"));
        }
        let key = match &self.password {
            None => PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| broken(&error))?,
            Some(password) => decrypt(&self.key, password).map_err(|error| broken(&error))?,
        };
        Ok((certificates, key))
    }
}

#[cfg(feature = "encrypted-keys")]
use super::encrypted_key::decrypt;

#[cfg(not(feature = "encrypted-keys"))]
fn decrypt(_: &[u8], _: &str) -> Result<PrivateKeyDer<'static>, &'static str> {
    Err("its key has a password, and neo-bolt was built without its feature `encrypted-keys`")
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate").finish_non_exhaustive()
    }
}

/// Gives out the certificate that a driver shows to servers, which may change while the driver is
/// in use.
pub trait ClientCertificateProvider: Send + Sync + 'static {
    /// The certificate from now on; `None` where it is the one that was given out last. It is
    /// asked for each connection that is opened, within the connection timeout.
    ///
    /// # Errors
    /// There is none; whoever wanted a connection is told.
    fn get_certificate(&self) -> BoxFuture<'_, Result<Option<ClientCertificate>, BoxError>>;
}

/// A [`ClientCertificateProvider`] whose certificate is changed by a call.
#[derive(Debug)]
pub struct RotatingClientCertificate {
    state: Mutex<(ClientCertificate, bool)>,
}

impl RotatingClientCertificate {
    /// Begins with `certificate`.
    pub fn new(certificate: ClientCertificate) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new((certificate, true)),
        })
    }

    /// Shows another certificate on connections that are opened from now on.
    pub fn update_certificate(&self, certificate: ClientCertificate) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = (certificate, true);
    }
}

impl ClientCertificateProvider for RotatingClientCertificate {
    fn get_certificate(&self) -> BoxFuture<'_, Result<Option<ClientCertificate>, BoxError>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = std::mem::take(&mut state.1);
        let certificate = is_new.then(|| state.0.clone());
        Box::pin(async move { Ok(certificate) })
    }
}
