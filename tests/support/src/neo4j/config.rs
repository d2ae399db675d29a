//! The configuration and the certificate of a server.

use std::fs;
use std::io;
use std::path::Path;

/// Writes `conf/neo4j.conf`, and with `tls` a key and a certificate, into a fresh home.
/// Gives the certificate as PEM.
pub(crate) fn write(home: &Path, logs: &Path, port: u16, tls: bool) -> io::Result<Option<String>> {
    let conf = home.join("conf");
    fs::create_dir_all(&conf)?;
    let mut text = format!(
        "server.bolt.listen_address=127.0.0.1:{port}\n\
         server.bolt.advertised_address=127.0.0.1:{port}\n\
         server.http.enabled=false\n\
         server.https.enabled=false\n\
         server.memory.heap.initial_size=512m\n\
         server.memory.pagecache.size=128m\n\
         server.directories.logs={}\n\
         db.tx_log.preallocate=false\n\
         dbms.usage_report.enabled=false\n\
         dbms.security.auth_enabled=true\n\
         dbms.security.auth_lock_time=0s\n",
        logs.display()
    );
    let mut certificate = None;
    if tls {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
        let dir = home.join("certificates").join("bolt");
        fs::create_dir_all(&dir)?;
        fs::write(dir.join("private.key"), made.signing_key.serialize_pem())?;
        fs::write(dir.join("public.crt"), made.cert.pem())?;
        text.push_str(&format!(
            "server.bolt.tls_level=OPTIONAL\n\
             dbms.ssl.policy.bolt.enabled=true\n\
             dbms.ssl.policy.bolt.base_directory={}\n\
             dbms.ssl.policy.bolt.private_key=private.key\n\
             dbms.ssl.policy.bolt.public_certificate=public.crt\n\
             dbms.ssl.policy.bolt.client_auth=NONE\n",
            dir.display()
        ));
        certificate = Some(made.cert.pem());
    }
    fs::write(conf.join("neo4j.conf"), text)?;
    Ok(certificate)
}
