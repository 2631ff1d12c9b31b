//! Encrypted connections: the authorities of the system are trusted, and no others.

use crate::open;
use crate::server::{Limits, Server};
use orm_core::backend::BaseDBAsyncClient;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::{net::SocketAddr, path::Path, process::Command, sync::Arc};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

/// The authority in PEM, and what a server for `localhost` needs that it signed.
fn certificates() -> (String, ServerConfig) {
    let authority_key = KeyPair::generate().expect("a key");
    let mut authority = CertificateParams::new(Vec::new()).expect("no names");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = authority.self_signed(&authority_key).expect("signs").pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().expect("a key");
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let leaf = leaf.signed_by(&key, &issuer).expect("signs");
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .expect("a certificate");
    (pem, config)
}

/// Speaks TLS with clients and plain text with the server.
async fn encrypt(config: ServerConfig, server: SocketAddr) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut client) = acceptor.accept(client).await else {
                    return;
                };
                let mut server = tokio::net::TcpStream::connect(server).await.expect("runs");
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    port
}

const URL: &str = "FD_TLS_URL";

/// Runs this test again in a process that trusts these authorities, and gives what it says.
async fn try_with(authorities: &Path, url: String) -> String {
    let mut child = Command::new(std::env::current_exe().expect("this program"));
    child.args(["--exact", "--nocapture", "tls::certificates_are_verified"]);
    child.env(URL, url).env("SSL_CERT_FILE", authorities);
    let output = tokio::task::spawn_blocking(move || child.output()).await;
    let output = output.expect("no panic").expect("runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_verified() {
    if let Ok(url) = std::env::var(URL) {
        match open(&url).await {
            Ok(db) => {
                db.execute_query("SELECT 1", vec![]).await.expect("runs");
                println!("it opens");
            }
            Err(error) => println!("refused: {:?} {error}", error.kind()),
        }
        return;
    }
    let server = Server::start(None, Limits::default());
    let (pem, config) = certificates();
    let port = encrypt(config, server.address()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let (right, wrong) = (
        folder.path().join("ca.pem"),
        folder.path().join("other.pem"),
    );
    std::fs::write(&right, pem).expect("a file");
    std::fs::write(&wrong, certificates().0).expect("a file");

    let said = try_with(&right, format!("libsql://localhost:{port}")).await;
    assert!(said.contains("it opens"), "{said}");
    let said = try_with(&wrong, format!("libsql://localhost:{port}")).await;
    assert!(said.contains("refused: ConnectionLost"), "{said}");
    assert!(said.contains("certificate"), "{said}");
    let said = try_with(&right, format!("libsql://127.0.0.1:{port}")).await;
    assert!(said.contains("refused: ConnectionLost"), "{said}");
}
