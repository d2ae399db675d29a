//! TLS: whose certificates are taken, and what is said where they are not.

use std::sync::Arc;
use std::time::Duration;

use neo_bolt::{ErrorKind, TrustedCertificates};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::peer::Server;

/// A server with a certificate of its own for the name, and that certificate in PEM form.
fn encrypted(name: &str) -> (Arc<Server>, Arc<[u8]>) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let server = Server::new(move |mut peer| {
        let acceptor = acceptor.clone();
        async move {
            // A client that does not trust the certificate ends it here.
            if let Ok(stream) = acceptor.accept(peer.stream).await {
                peer.stream = Box::new(stream);
                peer.log_in().await;
                peer.serve().await;
            }
        }
    });
    (server, made.cert.pem().into_bytes().into())
}

#[tokio::test]
async fn a_trusted_certificate_of_the_right_name_is_taken() {
    let (server, pem) = encrypted("peer");
    let driver = server
        .builder_for("bolt+s://peer")
        .trusted_certificates(TrustedCertificates::Custom(pem))
        .build()
        .unwrap();
    let found = driver.execute_query("1000", ()).await.unwrap();
    assert_eq!(found.records.len(), 1000);
    driver.execute_query("1", ()).await.unwrap();
    assert_eq!(server.opened(), 1);
    driver.close().await;
}

#[tokio::test]
async fn any_certificate_is_taken_where_the_caller_says_so() {
    let (server, _) = encrypted("somebody.else");
    server
        .builder_for("bolt+ssc://peer")
        .build()
        .unwrap()
        .verify_connectivity()
        .await
        .unwrap();
    let (server, _) = encrypted("somebody.else");
    let driver = server
        .builder_for("bolt+s://peer")
        .trusted_certificates(TrustedCertificates::Any)
        .build()
        .unwrap();
    driver.verify_connectivity().await.unwrap();
}

#[tokio::test]
async fn a_wrong_name_or_authority_is_refused_at_once() {
    let (server, pem) = encrypted("somebody.else");
    let (_, other) = encrypted("peer");
    for trusted in [
        TrustedCertificates::Custom(pem),
        TrustedCertificates::Custom(other),
    ] {
        let driver = server
            .builder_for("bolt+s://peer")
            .trusted_certificates(trusted)
            .build()
            .unwrap();
        let queried = tokio::time::timeout(Duration::from_secs(5), driver.execute_query("1", ()));
        let error = queried.await.expect("no retry").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
        assert!(error.to_string().contains("peer:7687"), "{error}");
        assert!(error.to_string().contains("+ssc"), "{error}");
    }
}

#[test]
fn roots_that_are_none_are_a_mistake_of_configuration() {
    for pem in [
        &b""[..],
        b"no certificate",
        b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
    ] {
        let built = neo_bolt::Driver::builder("neo4j+s://peer")
            .trusted_certificates(TrustedCertificates::Custom(pem.into()))
            .build();
        assert_eq!(built.unwrap_err().kind(), ErrorKind::Configuration);
    }
}
