//! Private keys that are encrypted with a password: PKCS #8 (RFC 5958), and the form that OpenSSL
//! wrote before (RFC 1421 headers), whose key is made of the password by MD5.

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, KeyIvInit};
use md5::{Digest, Md5};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{
    PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
};

const WRONG: &str = "its key can't be decrypted; check the password";

pub(super) fn decrypt(pem: &[u8], password: &str) -> Result<PrivateKeyDer<'static>, String> {
    let text = std::str::from_utf8(pem).map_err(|_| "its key is no PEM text")?;
    if text.contains("BEGIN ENCRYPTED PRIVATE KEY") {
        let (_, document) = pkcs8::SecretDocument::from_pem(text).map_err(|e| e.to_string())?;
        let key = pkcs8::EncryptedPrivateKeyInfoRef::try_from(document.as_bytes())
            .map_err(|error| error.to_string())?
            .decrypt(password)
            .map_err(|_| WRONG)?;
        return Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into());
    }
    if text.contains("Proc-Type: 4,ENCRYPTED") {
        return decrypt_traditional(text, password);
    }
    // It needs no password; that is no reason to refuse it.
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| error.to_string())
}

fn decrypt_traditional(text: &str, password: &str) -> Result<PrivateKeyDer<'static>, String> {
    let mut lines = text
        .lines()
        .map(str::trim)
        .skip_while(|line| !line.starts_with("-----BEGIN"));
    let label = lines.next().unwrap_or_default();
    let mut cipher = None;
    let mut body = String::new();
    for line in lines.take_while(|line| !line.starts_with("-----END")) {
        match line.split_once(':') {
            Some(("DEK-Info", info)) => cipher = info.trim().split_once(','),
            Some(_) => {}
            None => {
                body.push_str(line);
                body.push('\n');
            }
        }
    }
    let (name, iv) = cipher.ok_or("its encrypted key does not say by which cipher")?;
    let iv: [u8; 16] = hex(iv)
        .and_then(|iv| iv.try_into().ok())
        .ok_or("its encrypted key has a broken initial vector")?;
    // Without its headers it is PEM as everybody reads it, of bytes that mean nothing yet.
    let bare = format!("-----BEGIN PRIVATE KEY-----\n{body}-----END PRIVATE KEY-----\n");
    let mut data = PrivatePkcs8KeyDer::from_pem_slice(bare.as_bytes())
        .map_err(|error| error.to_string())?
        .secret_pkcs8_der()
        .to_vec();
    let plain = match name {
        "AES-128-CBC" => unlock::<cbc::Decryptor<aes::Aes128>>(&mut data, password, &iv, 16),
        "AES-192-CBC" => unlock::<cbc::Decryptor<aes::Aes192>>(&mut data, password, &iv, 24),
        "AES-256-CBC" => unlock::<cbc::Decryptor<aes::Aes256>>(&mut data, password, &iv, 32),
        other => return Err(format!("its key is encrypted by {other}, not by AES")),
    };
    let der = plain.ok_or(WRONG)?;
    Ok(match label {
        "-----BEGIN RSA PRIVATE KEY-----" => PrivatePkcs1KeyDer::from(der).into(),
        "-----BEGIN EC PRIVATE KEY-----" => PrivateSec1KeyDer::from(der).into(),
        _ => PrivatePkcs8KeyDer::from(der).into(),
    })
}

fn unlock<C: BlockModeDecrypt + KeyIvInit>(
    data: &mut [u8],
    password: &str,
    iv: &[u8; 16],
    size: usize,
) -> Option<Vec<u8>> {
    let key = derive(password.as_bytes(), &iv[..8], size);
    let cipher = C::new_from_slices(&key, iv).ok()?;
    let plain = cipher.decrypt_padded::<Pkcs7>(data).ok()?;
    Some(plain.to_vec())
}

/// OpenSSL's `EVP_BytesToKey` with MD5 and one round.
fn derive(password: &[u8], salt: &[u8], size: usize) -> Vec<u8> {
    let mut key: Vec<u8> = Vec::with_capacity(size + 16);
    let mut last: Vec<u8> = Vec::new();
    while key.len() < size {
        let digest = Md5::new()
            .chain_update(&last)
            .chain_update(password)
            .chain_update(salt)
            .finalize();
        last = digest.to_vec();
        key.extend_from_slice(&last);
    }
    key.truncate(size);
    key
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .trim()
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let pairs = digits.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    Some(pairs.map(|pair| pair[0] * 16 + pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both are of one key, made for this test, with the password "open".
    const TRADITIONAL: &str = "\
-----BEGIN RSA PRIVATE KEY-----\n\
Proc-Type: 4,ENCRYPTED\n\
DEK-Info: AES-256-CBC,FE0EEFC900AC900813760D010B19F7F4\n\
\n\
l+EOA+8WbRrFcUjSSUFCX+5l6564pq3Ec8OjUbeOf6+dYQOENqxbYe31vGGKyx5H\n\
HfyhwjDYtHJg/x9qOIq1pzscEEy1sj1A6f/EiG8wTqU6p2rbg1BqbfYsbcKxzhaW\n\
A0PIsyuMj//HWogs5ht1Kp4uZEIMFs4cqX8TYxK+lFOaogxqy2FmXeeLIYXCKt7Y\n\
Ee4Gn4yF2FqqHbEMAx6mICc/K5t+1M1Q0BtfnBFBObhHvM0Kou4KTrAWNt2ODpEk\n\
S2Zz0lBMP72MsVVcMw5TQEizU+C61929Lr0ofIdfKkDQlAqyvsf4HC4uEFsMS8am\n\
baF4D6fRXjqVoJKNDxha1SePUEOUnAPN+G6jkJXjplzwBS8rN9MKpiR5kzuYVaev\n\
tLYeRcaC9p7i9CQoQUXllkU2hIvR9Yk0GQfGLrDvxCNkYf6lBTFU3ka8KixC/5Gp\n\
pzOZQkuEviAuyQS5i9ZtdfhSaxKhqqbVFZtlAhtHF5seVLu4KbcKE5awdApGFPQR\n\
CTrHqyYvy4wIvjD5QcXlorUvatYponn7wdsaKDCZRVw0x7gW/6kesfiC43fUMp7p\n\
lkNePxH/IxCYfKcyL35c19aG8wA4SvT27At27mQ0dGzFQCuNobmIh6IkJS/CFx40\n\
SD6qXpE6mYkEOi2h4uVGSdboa3gk77Urg7nI8vSd2vnxm0QcDJL+VdeSmrezUf3z\n\
2+lVO6X47XeIriaNa/oUF5nbQqIx/uCk+2TMEQzPfYEMazSZp4oTo/AW+RRp8XtK\n\
xwbPyoeCY7sDQJ3DgDgfSuRKo20YjF3web7h0h0x0kQ7spxz0I3PdgKNktvWvqlK\n\
-----END RSA PRIVATE KEY-----\n\
";
    const PKCS8: &str = "\
-----BEGIN ENCRYPTED PRIVATE KEY-----\n\
MIIC3TBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQISBsCcV7atesCAggA\n\
MAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBBlZ+wWz1FRQEwA/hMeGD+9BIIC\n\
gIFCQIQIOJ0jAX6vlL8PvOZ1ryREWSd9HBM3ictQYemDzw7Jpc76zAICAHUQkbjX\n\
hiwu8mirsITJhdPCrkEvY4FeNeb+VCz6gfVVjKPU+kD8mKglEzEzpiQ+PhWHlIX3\n\
HpKDiUtHrC8aUQMVazTtNaz2YwbM5PM+7KkC6wK4DJPyQooLnFqpkd7b+9DwhEZj\n\
cPWAb2pdepf+opmWvTnij1XAVAARh2t3qMH7vaxm6LG3CT5PyHfDXRIQOmEZD55b\n\
Uqkz7Wag3dApFhcsBef5wpO2Q42PYyJcAYPal/EGm66r2Tw3ezm2qWwuX4d53uzB\n\
TV8uMImFYLtU+SQ7xo11HZYqq9qvNjrg/diq9Em62EBsmpUry1ll+zVqEF4HEUlz\n\
egv93sel43VyHMoxaTruG4tNwcriA9WzQtb/oM1tsM8d3375xSAJoR2kGUeTJc3n\n\
I45tDY45PZYWEbJtTW1nS0plsGm9GvMOGK+dDtmnVHhPycTJpIETjkjGDVDC5iVA\n\
CW1/o3/1h+ItB0G/qf096SU+UdPO8S5xIdfMzi9AlFwW1+R8eLwwRZenEmOfyULX\n\
tvoKYKuKewr/gHM0QRIDOXlu6V5ib8jzOE69PjnuhOMTiZYeszHxHIiipqwznr6u\n\
HqbzHduWsxrM1Y9i7dEyCcS6QS/Nob+BzBHdfRVODh5Da5T9t9te+r54PHbUP0qm\n\
F1KR0ObPjNLURBH+TXenwkyWezaUgBXtAlGxFnGrkgPkaIX5JmDwlJ/pD9/s9gCI\n\
KyR9Es/13ecqT5qW8rHEfSi7fEtICdF4m8qwb+pZiFCR1Umfym/KPM+Y0MwIN7+n\n\
jnme25Uu6jHvnueQTlh3Wok=\n\
-----END ENCRYPTED PRIVATE KEY-----\n\
";

    #[test]
    fn both_forms_open_with_their_password_only() {
        let traditional = decrypt(TRADITIONAL.as_bytes(), "open").unwrap();
        assert!(matches!(traditional, PrivateKeyDer::Pkcs1(_)));
        let modern = decrypt(PKCS8.as_bytes(), "open").unwrap();
        // The newer form is the older with the algorithm's name before it.
        assert!(modern.secret_der().ends_with(traditional.secret_der()));
        for pem in [TRADITIONAL, PKCS8] {
            assert!(decrypt(pem.as_bytes(), "shut").is_err());
        }
        let cut = TRADITIONAL.replace("AES-256-CBC", "DES-CBC");
        assert!(decrypt(cut.as_bytes(), "open").unwrap_err().contains("DES"));
    }
}
