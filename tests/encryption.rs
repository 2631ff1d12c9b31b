//! Encrypted connections to a MariaDB whose certificate an authority made here has signed.
#![cfg(all(feature = "mysql", feature = "tls"))]

#[path = "support/private.rs"]
#[allow(
    dead_code,
    reason = "the other server and its restarts are for other tests"
)]
mod private;

use fast_django::orm::prelude::*;
use fast_django::orm::{ErrorKind, Value};
use private::{Kind, Private};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// An authority, and a certificate for `db.internal` with its key, in PEM.
fn certificates() -> (String, String, String) {
    let authority_key = KeyPair::generate().expect("a key");
    let mut authority = CertificateParams::new(Vec::new()).expect("no names");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = authority.self_signed(&authority_key).expect("signs");
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().expect("a key");
    let leaf = CertificateParams::new(vec!["db.internal".to_owned()]).expect("a name");
    let leaf = leaf.signed_by(&key, &issuer).expect("signs");
    (root.pem(), leaf.pem(), key.serialize_pem())
}

async fn cipher(url: &str) -> Result<Value> {
    Tortoise::init(url).await?;
    let connection = Tortoise::get_connection("default")?;
    let sql = "SHOW SESSION STATUS LIKE 'Ssl_version'";
    let rows = connection.execute_query(sql, Vec::new()).await?;
    Tortoise::close_connections().await?;
    Ok(rows.rows()[0][1].clone())
}

#[test]
fn a_certificate_is_verified_with_its_chain_and_its_name() {
    let (root, leaf, key) = certificates();
    let server = Private::with_certificate(Kind::MariaDb, Some((&leaf, &key)));
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("writes");
        path.display().to_string()
    };
    let (ours, theirs) = (
        write("ca.pem", &root),
        write("other.pem", &certificates().0),
    );
    let empty = write("empty.pem", "nothing");
    let url = |options: &str| server.url(&format!("?ssl_mode=required{options}"));
    run_async(async {
        let encrypted: Value = "TLSv1.3".into();
        for good in [
            format!("&ssl_ca={ours}&ssl_host_name=db.internal"),
            "&danger_accept_invalid_certs=true".to_owned(),
        ] {
            assert_eq!(cipher(&url(&good)).await.expect(&good), encrypted);
        }
        // Nobody is believed without the authority, for another name, or by another authority.
        for bad in [
            String::new(),
            "&ssl_host_name=db.internal".to_owned(),
            format!("&ssl_ca={ours}"),
            format!("&ssl_ca={ours}&ssl_host_name=db.external"),
            format!("&ssl_ca={theirs}&ssl_host_name=db.internal"),
        ] {
            let error = cipher(&url(&bad)).await.expect_err(&bad);
            assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{bad}: {error}");
            let shown = format!("{error} {error:?}");
            assert!(
                shown.contains("`ssl_ca`") && shown.contains(&server.place()),
                "{shown}"
            );
            assert!(!shown.contains("canary"), "{shown}");
        }
        for (bad, said) in [
            ("/nowhere.pem", "No such file"),
            (&*empty, "no certificate"),
        ] {
            let error = cipher(&url(&format!("&ssl_ca={bad}")))
                .await
                .expect_err(bad);
            assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
            let shown = error.to_string();
            assert!(shown.contains(bad) && shown.contains(said), "{shown}");
        }
    });
}
