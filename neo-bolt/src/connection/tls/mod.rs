//! TLS for `+s` and `+ssc`.

mod client_certificate;
#[cfg(feature = "encrypted-keys")]
mod encrypted_key;

pub use client_certificate::{
    ClientCertificate, ClientCertificateProvider, RotatingClientCertificate,
};

use std::fmt;
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{self, CryptoProvider};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    self, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

use super::{Address, BoxedStream, Encryption};
use crate::callback::failed;
use crate::config::TrustedCertificates;
use crate::error::{Error, ErrorKind};

/// How TLS connections are made.
#[derive(Clone)]
pub(crate) struct Tls {
    /// Without a client's certificate.
    verifier: Verifier,
    provider: Arc<CryptoProvider>,
    client: Option<Arc<dyn ClientCertificateProvider>>,
    /// As the client's certificate was last.
    connector: Arc<tokio::sync::Mutex<TlsConnector>>,
}

/// How servers' certificates are checked.
#[derive(Clone)]
enum Verifier {
    Any,
    Roots(Arc<RootCertStore>),
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// What `encryption` calls for; `None` where it calls for nothing.
    pub(crate) fn new(
        encryption: Encryption,
        trusted: &TrustedCertificates,
        client: Option<Arc<dyn ClientCertificateProvider>>,
    ) -> Result<Option<Self>, Error> {
        let provider = Arc::new(crypto::ring::default_provider());
        let verifier = match (encryption, trusted) {
            (Encryption::Off, _) if client.is_some() => {
                return Err(Error::new(
                    ErrorKind::Configuration,
                    "a client certificate goes with encrypted connections only; use neo4j+s:// or \
                     bolt+s:// (or +ssc:// for a self-signed certificate)",
                ));
            }
            (Encryption::Off, _) => return Ok(None),
            (Encryption::SelfSigned, _) | (_, TrustedCertificates::Any) => Verifier::Any,
            (Encryption::Trusted, trusted) => Verifier::Roots(Arc::new(roots(trusted)?)),
        };
        let connector = make_connector(&verifier, &provider, None)?;
        Ok(Some(Self {
            verifier,
            provider,
            client,
            connector: Arc::new(tokio::sync::Mutex::new(connector)),
        }))
    }

    /// As the client's certificate is now.
    async fn connector(&self) -> Result<TlsConnector, Error> {
        // Held while the provider is asked, so that a change is not overtaken.
        let mut connector = self.connector.lock().await;
        if let Some(client) = &self.client {
            let certificate = client.get_certificate().await;
            let certificate = certificate
                .map_err(|error| failed("the provider of the client certificate", error))?;
            if let Some(certificate) = certificate {
                *connector = make_connector(&self.verifier, &self.provider, Some(&certificate))?;
            }
        }
        Ok(connector.clone())
    }

    pub(crate) async fn connect(
        &self,
        address: &Address,
        stream: BoxedStream,
    ) -> Result<BoxedStream, Error> {
        let name = ServerName::try_from(address.host().to_owned()).map_err(|error| {
            configuration(&format_args!(
                "{:?} is no name for TLS: {error}",
                address.host()
            ))
        })?;
        let connector = self.connector().await?;
        let encrypted = connector.connect(name, stream).await.map_err(|error| {
            Error::new(
                ErrorKind::Tls,
                format!(
                    "the TLS handshake with {address} failed: {error}; if the certificate is \
                     self-signed, use the scheme +ssc; if the server has no TLS, use neo4j:// or \
                     bolt://"
                ),
            )
            .with_source(error)
        })?;
        Ok(Box::new(encrypted))
    }
}

fn make_connector(
    verifier: &Verifier,
    provider: &Arc<CryptoProvider>,
    certificate: Option<&ClientCertificate>,
) -> Result<TlsConnector, Error> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| configuration(&error))?;
    let builder = match verifier {
        Verifier::Any => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(Arc::clone(provider)))),
        Verifier::Roots(roots) => builder.with_root_certificates(Arc::clone(roots)),
    };
    let config = match certificate {
        None => builder.with_no_client_auth(),
        Some(certificate) => {
            let (certificates, key) = certificate.parse()?;
            builder
                .with_client_auth_cert(certificates, key)
                .map_err(|error| configuration(&error))?
        }
    };
    Ok(TlsConnector::from(Arc::new(config)))
}

fn configuration(error: &impl fmt::Display) -> Error {
    Error::new(
        ErrorKind::Configuration,
        format!("TLS can't be set up: {error}"),
    )
}

fn roots(trusted: &TrustedCertificates) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    match trusted {
        TrustedCertificates::Custom(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|error| configuration(&error))?;
                roots
                    .add(certificate)
                    .map_err(|error| configuration(&error))?;
            }
        }
        TrustedCertificates::System | TrustedCertificates::Any => {
            // Single certificates that can't be read are no reason to trust none of the others.
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
        }
    }
    if roots.is_empty() {
        return Err(configuration(&"no trusted certificate was found"));
    }
    Ok(roots)
}

/// Takes any certificate, as `+ssc` asks for; signatures are checked all the same.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
