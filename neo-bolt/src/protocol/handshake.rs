//! The first bytes of a connection: which version both sides speak.
//!
//! <https://neo4j.com/docs/bolt/current/bolt/handshake/>: a client sends a magic number and four
//! proposals. A server that knows the manifest answers with the list of its versions, from which
//! the client picks; an older one answers with one version.

use super::version::Version;
use crate::error::{Error, ErrorKind};

#[cfg(feature = "server")]
pub(crate) const MAGIC: [u8; 4] = [0x60, 0x60, 0xB0, 0x17];
/// The proposal, and the answer, that stand for a manifest of the first kind.
pub(crate) const MANIFEST_V1: [u8; 4] = [0x00, 0x00, 0x01, 0xFF];
/// More versions than any server has: a longer list is no manifest.
const MAX_OFFERS: u64 = 64;

/// What the client sends where the manifest is switched off: 5.8 to 5.0, 4.4 to 4.2, 4.1, and 3.
pub(crate) const CLASSIC_PROPOSAL: [u8; 20] = [
    0x60, 0x60, 0xB0, 0x17, // magic
    0x00, 0x08, 0x08, 0x05, // 5.8, and 8 minor versions before it
    0x00, 0x02, 0x04, 0x04, // 4.4, and 2 minor versions before it
    0x00, 0x00, 0x01, 0x04, // 4.1, whose servers know of no ranges
    0x00, 0x00, 0x00, 0x03, // 3
];

/// What the client sends: manifest, 5.8 to 5.0, 4.4 to 4.1, and 3.
pub(crate) const PROPOSAL: [u8; 20] = [
    0x60, 0x60, 0xB0, 0x17, // magic
    0x00, 0x00, 0x01, 0xFF, // manifest
    0x00, 0x08, 0x08, 0x05, // 5.8, and 8 minor versions before it
    0x00, 0x03, 0x04, 0x04, // 4.4, and 3 minor versions before it
    0x00, 0x00, 0x00, 0x03, // 3
];

/// What the server's answer came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// More bytes must come.
    NeedMore,
    /// The version is settled. The answer took so many bytes, and so many are to be sent back.
    Done {
        version: Version,
        consumed: usize,
        reply: Vec<u8>,
    },
}

/// Reads a server's answer to [`PROPOSAL`], as far as it has come.
pub(crate) fn answer(received: &[u8]) -> Result<Step, Error> {
    let Some((first, rest)) = received.split_first_chunk::<4>() else {
        return Ok(Step::NeedMore);
    };
    match *first {
        MANIFEST_V1 => manifest(received.len() - rest.len(), rest),
        [0, 0, 0, 0] => Err(Error::new(
            ErrorKind::UnsupportedVersion,
            "the server speaks none of Bolt 3, 4.1 to 4.4, 5.0 to 5.8, 6.0 and 6.1; use a newer Neo4j",
        )),
        [0, 0, minor, major] => settled(Version::new(major, minor), 4, Vec::new()),
        bytes => Err(not_bolt(bytes)),
    }
}

fn manifest(header: usize, mut rest: &[u8]) -> Result<Step, Error> {
    let whole = rest.len();
    let Some(count) = varint(&mut rest)? else {
        return Ok(Step::NeedMore);
    };
    if count > MAX_OFFERS {
        return Err(Error::new(
            ErrorKind::Protocol,
            format!("the server's handshake offers {count} versions, more than there are"),
        ));
    }
    let mut best: Option<Version> = None;
    for _ in 0..count {
        let Some((offer, behind)) = rest.split_first_chunk::<4>() else {
            return Ok(Step::NeedMore);
        };
        rest = behind;
        let [_, range, newest, major] = *offer;
        for minor in newest.saturating_sub(range)..=newest {
            let version = Version::new(major, minor);
            if version.is_supported() && best.is_none_or(|best| best < version) {
                best = Some(version);
            }
        }
    }
    // Capabilities; none are known yet, so none are asked for.
    if varint(&mut rest)?.is_none() {
        return Ok(Step::NeedMore);
    }
    let version = best.ok_or_else(|| {
        Error::new(
            ErrorKind::UnsupportedVersion,
            "the server's list of Bolt versions has none that this driver speaks (3 to 6.1)",
        )
    })?;
    let reply = vec![0, 0, version.minor, version.major, 0];
    settled(version, header + whole - rest.len(), reply)
}

fn settled(version: Version, consumed: usize, reply: Vec<u8>) -> Result<Step, Error> {
    if version.is_supported() {
        Ok(Step::Done {
            version,
            consumed,
            reply,
        })
    } else {
        Err(Error::new(
            ErrorKind::UnsupportedVersion,
            format!("the server chose Bolt {version}, which was not proposed to it"),
        ))
    }
}

fn not_bolt(bytes: [u8; 4]) -> Error {
    let what = match &bytes {
        b"HTTP" => "an HTTP server answers; Neo4j's Bolt port is another one, 7687 by default",
        [0x15, 0x03, ..] => {
            "a TLS server answers, and the URI asks for an unencrypted connection; use neo4j+s:// \
             or bolt+s:// (or +ssc:// for a self-signed certificate)"
        }
        _ => "whatever answers does not speak Bolt; check host and port",
    };
    Error::new(ErrorKind::NotBolt, what)
}

/// A number in 7-bit groups, least significant first.
fn varint(rest: &mut &[u8]) -> Result<Option<u64>, Error> {
    let mut value = 0_u64;
    for (index, byte) in rest.iter().enumerate() {
        if index == 9 {
            return Err(Error::new(
                ErrorKind::Protocol,
                "a number in the handshake has no end",
            ));
        }
        value |= u64::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            *rest = &rest[index + 1..];
            return Ok(Some(value));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_classic_answer() {
        assert_eq!(answer(&[0, 0, 4]).unwrap(), Step::NeedMore);
        assert_eq!(
            answer(&[0, 0, 4, 5, 99]).unwrap(),
            Step::Done {
                version: Version::new(5, 4),
                consumed: 4,
                reply: vec![]
            }
        );
    }

    #[test]
    fn a_manifest_at_every_cut() {
        let manifest = [
            0, 0, 1, 0xFF, 3, 0, 4, 8, 5, 0, 9, 9, 7, 0, 3, 3, 6, 0x80, 0x01, 0xAA,
        ];
        for cut in 0..manifest.len() - 1 {
            assert_eq!(answer(&manifest[..cut]).unwrap(), Step::NeedMore, "{cut}");
        }
        assert_eq!(
            answer(&manifest).unwrap(),
            Step::Done {
                version: Version::new(6, 1),
                consumed: manifest.len() - 1,
                reply: vec![0, 0, 1, 6, 0]
            }
        );
    }

    #[test]
    fn what_is_no_bolt_says_so() {
        for (bytes, part) in [
            (*b"HTTP", "HTTP"),
            ([0x15, 3, 3, 0], "TLS"),
            (*b"SSH-", "does not speak Bolt"),
            ([0, 0, 0, 0], "a newer Neo4j"),
            ([0, 0, 0, 4], "not proposed"),
        ] {
            let error = answer(&bytes).unwrap_err();
            assert!(error.message().contains(part), "{error}");
        }
    }

    #[test]
    fn an_endless_manifest_is_refused() {
        let mut bytes = MANIFEST_V1.to_vec();
        bytes.extend([0xFF; 10]);
        assert!(answer(&bytes).is_err());
        assert!(answer(&[0, 0, 1, 0xFF, 0xFF, 0x7F]).is_err());
    }
}
