//! TLS for `+s` and `+ssc`.

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
use crate::config::TrustedCertificates;
use crate::error::{Error, ErrorKind};

/// How TLS connections are made.
#[derive(Clone)]
pub(crate) struct Tls {
    connector: TlsConnector,
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
    ) -> Result<Option<Self>, Error> {
        let provider = Arc::new(crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| configuration(&error))?;
        let config = match (encryption, trusted) {
            (Encryption::Off, _) => return Ok(None),
            (Encryption::SelfSigned, _) | (_, TrustedCertificates::Any) => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
                .with_no_client_auth(),
            (Encryption::Trusted, trusted) => builder
                .with_root_certificates(roots(trusted)?)
                .with_no_client_auth(),
        };
        Ok(Some(Self {
            connector: TlsConnector::from(Arc::new(config)),
        }))
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
        let encrypted = self
            .connector
            .connect(name, stream)
            .await
            .map_err(|error| {
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
