//! The choice of a protocol version, before any message.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::ServeError;
use crate::protocol::handshake::MAGIC;

/// A proposal that asks for the server's own list of versions.
const MANIFEST_V1: [u8; 4] = [0, 0, 1, 0xFF];

/// A version of Bolt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    pub(super) major: u8,
    pub(super) minor: u8,
}

/// Agrees on the newest version that both ends speak.
///
/// A version that a client names outright is taken before its offer of a manifest, because that
/// saves a round trip.
pub(super) async fn negotiate<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    supported: &[(u8, u8)],
) -> Result<Version, ServeError> {
    let mut hello = [0_u8; 20];
    let (magic, proposals) = hello.split_at_mut(4);
    stream.read_exact(magic).await?;
    if magic != MAGIC {
        return Err(ServeError::NotBolt);
    }
    stream.read_exact(proposals).await?;
    let (proposals, _) = proposals.as_chunks::<4>();
    if let Some(version) = choose(proposals, supported) {
        stream
            .write_all(&[0, 0, version.minor, version.major])
            .await?;
        stream.flush().await?;
        return Ok(version);
    }
    if proposals.contains(&MANIFEST_V1) {
        return manifest(stream, supported).await;
    }
    stream.write_all(&[0; 4]).await?;
    stream.flush().await?;
    Err(ServeError::NoCommonVersion)
}

/// The first of the client's proposals (it puts what it likes best first) that is supported.
fn choose(proposals: &[[u8; 4]], supported: &[(u8, u8)]) -> Option<Version> {
    proposals
        .iter()
        .filter(|proposal| **proposal != MANIFEST_V1)
        .find_map(|&[_, range, minor, major]| {
            supported
                .iter()
                .filter(|(known_major, known_minor)| {
                    *known_major == major
                        && (minor.saturating_sub(range)..=minor).contains(known_minor)
                })
                .max()
                .map(|&(major, minor)| Version { major, minor })
        })
}

/// Sends the list of versions and reads the client's choice.
async fn manifest<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    supported: &[(u8, u8)],
) -> Result<Version, ServeError> {
    let count = u8::try_from(supported.len()).unwrap_or(127).min(127);
    let mut offer = MANIFEST_V1.to_vec();
    offer.push(count);
    for (major, minor) in supported.iter().take(count.into()) {
        offer.extend_from_slice(&[0, 0, *minor, *major]);
    }
    // No capabilities.
    offer.push(0);
    stream.write_all(&offer).await?;
    stream.flush().await?;
    let mut choice = [0_u8; 4];
    stream.read_exact(&mut choice).await?;
    read_varint(stream).await?;
    let [_, _, minor, major] = choice;
    if supported.contains(&(major, minor)) {
        Ok(Version { major, minor })
    } else {
        Err(ServeError::NoCommonVersion)
    }
}

/// Reads past the client's capabilities, of which this server knows none.
async fn read_varint<S: AsyncRead + Unpin>(stream: &mut S) -> Result<(), ServeError> {
    for _ in 0..10 {
        if stream.read_u8().await? & 0x80 == 0 {
            return Ok(());
        }
    }
    Err(ServeError::NotBolt)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUPPORTED: [(u8, u8); 3] = [(5, 4), (5, 3), (4, 4)];

    async fn answer(proposals: [[u8; 4]; 4], choice: &[u8]) -> (Vec<u8>, Option<Version>) {
        let (mut client, mut server) = tokio::io::duplex(256);
        client.write_all(&MAGIC).await.unwrap();
        client.write_all(proposals.as_flattened()).await.unwrap();
        client.write_all(choice).await.unwrap();
        let version = negotiate(&mut server, &SUPPORTED).await.ok();
        drop(server);
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        (answer, version)
    }

    #[tokio::test]
    async fn the_clients_favourite_is_taken_whatever_else_it_offers() {
        let proposals = [MANIFEST_V1, [0, 8, 8, 5], [0, 0, 4, 4], [0; 4]];
        let (bytes, version) = answer(proposals, &[]).await;
        assert_eq!(bytes, [0, 0, 4, 5]);
        assert_eq!(version, Some(Version { major: 5, minor: 4 }));
        let (bytes, _) = answer([[0, 0, 4, 4], [0, 8, 8, 5], [0; 4], [0; 4]], &[]).await;
        assert_eq!(bytes, [0, 0, 4, 4]);
    }

    #[tokio::test]
    async fn a_client_with_nothing_but_a_manifest_gets_one() {
        let proposals = [MANIFEST_V1, [0; 4], [0; 4], [0; 4]];
        let (bytes, version) = answer(proposals, &[0, 0, 3, 5, 0x81, 0x00]).await;
        assert_eq!(
            bytes,
            [0, 0, 1, 0xFF, 3, 0, 0, 4, 5, 0, 0, 3, 5, 0, 0, 4, 4, 0]
        );
        assert_eq!(version, Some(Version { major: 5, minor: 3 }));
    }

    #[tokio::test]
    async fn no_common_version_is_said_in_zeros() {
        let (bytes, version) = answer([[0, 0, 0, 3], [0; 4], [0; 4], [0; 4]], &[]).await;
        assert_eq!((bytes, version), (vec![0; 4], None));
    }
}
