//! What a URI says.

use super::Address;
use crate::error::{Error, ErrorKind};
use crate::value::{Map, Value};

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// Not at all.
    Off,
    /// By TLS with a certificate that is checked.
    Trusted,
    /// By TLS with whatever certificate the server has.
    SelfSigned,
}

/// A URI, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Target {
    pub(crate) address: Address,
    pub(crate) encryption: Encryption,
    /// For `neo4j` schemes, what the server's routing is told.
    pub(crate) routing: Option<Map>,
}

impl Target {
    pub(crate) fn parse(uri: &str) -> Result<Self, Error> {
        let wrong = |why: String| {
            Error::new(
                ErrorKind::Configuration,
                format!(
                    "the URI {uri:?} {why}; expected something like \"neo4j://localhost:7687\""
                ),
            )
        };
        let (scheme, rest) = uri
            .split_once("://")
            .ok_or_else(|| wrong("has no scheme".to_owned()))?;
        let (family, protection) = scheme.split_once('+').unwrap_or((scheme, ""));
        let encryption = match protection {
            "" => Encryption::Off,
            "s" => Encryption::Trusted,
            "ssc" => Encryption::SelfSigned,
            other => {
                return Err(wrong(format!(
                    "ends its scheme in +{other}, not +s or +ssc"
                )));
            }
        };
        let routed = match family {
            "neo4j" => true,
            "bolt" => false,
            "http" | "https" => {
                return Err(wrong(
                    "is of the HTTP port; Bolt has its own, 7687 by default".to_owned(),
                ));
            }
            other => return Err(wrong(format!("has the scheme {other}, not neo4j or bolt"))),
        };
        if scheme.ends_with('+') {
            return Err(wrong("ends its scheme in +".to_owned()));
        }
        let (authority, query) = match rest.split_once('?') {
            Some((authority, query)) => (authority, Some(query)),
            None => (rest, None),
        };
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        if authority.contains('@') {
            // The text is not repeated: it may have a password in it.
            return Err(Error::new(
                ErrorKind::Configuration,
                "the URI has a login in it; give it as AuthToken::basic(user, password)",
            ));
        }
        if authority.contains('/') {
            return Err(wrong(
                "has a path; name the database by the session's or graph's own option".to_owned(),
            ));
        }
        let address = Address::parse(authority)
            .ok_or_else(|| wrong(format!("has no host and port that {authority:?} could be")))?;
        let context = match query {
            None => Map::new(),
            Some(_) if !routed => {
                return Err(wrong(
                    "has a routing context, which goes with neo4j only".to_owned(),
                ));
            }
            Some(query) => context(query).map_err(wrong)?,
        };
        let routing = routed.then(|| {
            let mut routing = context;
            routing.insert("address".to_owned(), address.to_string().into());
            routing
        });
        Ok(Self {
            address,
            encryption,
            routing,
        })
    }
}

fn context(query: &str) -> Result<Map, String> {
    let mut context = Map::new();
    for pair in query.split('&') {
        let (key, value) = pair
            .split_once('=')
            .filter(|(key, value)| !key.is_empty() && !value.is_empty())
            .ok_or_else(|| format!("has {pair:?} in its routing context, not key=value"))?;
        if key == "address" {
            return Err("sets address in its routing context, which the driver does".to_owned());
        }
        let (key, value) = (decode(key)?, decode(value)?);
        if context.insert(key.clone(), Value::String(value)).is_some() {
            return Err(format!("has {key:?} twice in its routing context"));
        }
    }
    Ok(context)
}

fn decode(text: &str) -> Result<String, String> {
    let wrong = || format!("has a broken percent escape in {text:?}");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || {
                let digit = rest.next().and_then(|byte| char::from(byte).to_digit(16));
                digit
                    .and_then(|digit| u8::try_from(digit).ok())
                    .ok_or_else(wrong)
            };
            bytes.push(digit()? * 16 + digit()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_ports_and_contexts() {
        let plain = Target::parse("bolt://localhost").unwrap();
        assert_eq!((plain.encryption, &plain.routing), (Encryption::Off, &None));
        assert_eq!(plain.address.port(), 7687);
        let routed = Target::parse("neo4j+ssc://[::1]:7/?policy=a%20b&region=eu").unwrap();
        assert_eq!(routed.encryption, Encryption::SelfSigned);
        let expected =
            crate::params! { "policy" => "a b", "region" => "eu", "address" => "[::1]:7" };
        assert_eq!(routed.routing.unwrap(), expected);
        let trusted = Target::parse("bolt+s://h").unwrap();
        assert_eq!(trusted.encryption, Encryption::Trusted);
    }

    #[test]
    fn each_mistake_has_its_own_text() {
        for (uri, part) in [
            ("localhost:7687", "no scheme"),
            ("http://localhost:7474", "HTTP port"),
            ("postgres://h", "scheme postgres"),
            ("neo4j+x://h", "+x"),
            ("neo4j+://h", "ends its scheme in +"),
            ("neo4j://", "host and port"),
            ("neo4j://h:port", "host and port"),
            ("neo4j://h/db", "path"),
            ("bolt://h?a=b", "neo4j only"),
            ("neo4j://h?a", "key=value"),
            ("neo4j://h?a=1&a=2", "twice"),
            ("neo4j://h?a=%zz", "percent"),
        ] {
            let error = Target::parse(uri).unwrap_err();
            assert!(error.message().contains(part), "{uri}: {error}");
            assert_eq!(error.kind(), ErrorKind::Configuration);
        }
        let error = Target::parse("neo4j://me:secret@h").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
