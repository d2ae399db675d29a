//! Forwarding the bytes of one connection.

use std::cell::RefCell;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};

use super::fault::{Action, Hit};
use super::state::{Connection, State};
use crate::framing::{Framer, MANIFEST, Unit};
use crate::message::Direction;

/// The connection is to be reset on both sides.
struct Hard;

impl From<io::Error> for Hard {
    fn from(_: io::Error) -> Self {
        // One side is gone; the other learns of it the same way.
        Hard
    }
}

/// Serves a client's connection until it ends.
pub(super) async fn serve(mut client: TcpStream, upstream: &str, state: &State) {
    let number = {
        let mut book = state.book();
        book.counts.connections += 1;
        book.opened += 1;
        book.opened
    };
    let refuse = state.book().manner.refuse;
    let server = if refuse {
        None
    } else {
        TcpStream::connect(upstream).await.ok()
    };
    let Some(mut server) = server else {
        reset(&client);
        return;
    };
    for stream in [&client, &server] {
        // Only fails on a socket that is dead already, which the relay will see.
        let _ = stream.set_nodelay(true);
    }
    let connection = RefCell::new(Connection::new(number));
    let mut cut = state.cut.subscribe();
    let mut lost = state.lost.subscribe();
    let lost_before = *lost.borrow();
    let ended = {
        let (client_in, client_out) = client.split();
        let (server_in, server_out) = server.split();
        let pump = |direction| Pump {
            direction,
            connection: &connection,
            state,
        };
        tokio::select! {
            both = async {
                tokio::try_join!(
                    pump(Direction::ToServer).run(client_in, server_out),
                    pump(Direction::ToClient).run(server_in, client_out),
                )
            } => both.map(drop),
            _ = cut.changed() => Err(Hard),
            _ = lost.changed() => Ok(()),
        }
    };
    if *lost.borrow() > lost_before {
        reset(&client);
        drop(client);
        let _ = cut.changed().await;
        reset(&server);
        return;
    }
    if ended.is_err() {
        reset(&client);
        reset(&server);
    }
}

/// Makes the coming drop of the socket a reset instead of an orderly end.
fn reset(stream: &TcpStream) {
    // Only fails on a socket that is dead already.
    let _ = stream.set_zero_linger();
}

/// One direction of a connection.
struct Pump<'a> {
    direction: Direction,
    connection: &'a RefCell<Connection>,
    state: &'a State,
}

impl Pump<'_> {
    /// Forwards until the sender ends its side, which is passed on.
    async fn run(self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> Result<(), Hard> {
        let mut framer = Framer::new(self.direction);
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let len = from.read(&mut buffer).await?;
            if len == 0 {
                self.write(&mut to, &framer.take_rest()).await?;
                to.shutdown().await?;
                return Ok(());
            }
            framer.feed(&buffer[..len]);
            // What left the sender together stays together.
            while let Ok(more @ 1..) = from.try_read(&mut buffer) {
                framer.feed(&buffer[..more]);
            }
            self.forward(&mut framer, &mut to).await?;
        }
    }

    /// Forwards what is complete, all in one write unless each message is delayed.
    async fn forward(&self, framer: &mut Framer, to: &mut WriteHalf<'_>) -> Result<(), Hard> {
        let mut out = Vec::new();
        loop {
            let manifest = self.connection.borrow().manifest;
            let Some(unit) = framer.next(manifest) else {
                break;
            };
            let hit = self.note(&unit, framer.has_partial());
            match hit.map(|hit| hit.action) {
                None => {}
                Some(
                    action @ (Action::CutBefore
                    | Action::CutAfterAnswer
                    | Action::CutInside
                    | Action::CutAfter),
                ) => {
                    let bytes = unit.bytes();
                    out.extend_from_slice(match action {
                        Action::CutInside => &bytes[..bytes.len() / 2],
                        Action::CutAfter => bytes,
                        _ => &[],
                    });
                    self.write(to, &out).await?;
                    if hit.is_some_and(|hit| hit.hold) {
                        self.state.black_hole.send_replace(true);
                    }
                    return Err(Hard);
                }
                Some(Action::HangBefore) => {
                    self.write(to, &out).await?;
                    self.connection.borrow_mut().hung = true;
                    std::future::pending::<()>().await;
                }
                Some(Action::Delay(delay)) => {
                    self.write(to, &out).await?;
                    out.clear();
                    tokio::time::sleep(delay).await;
                }
                Some(Action::Drop) => continue,
                Some(Action::Duplicate) => out.extend_from_slice(unit.bytes()),
            }
            let delay = self.delay();
            if matches!(unit, Unit::Message(..)) && !delay.is_zero() {
                self.write(to, &out).await?;
                out.clear();
                tokio::time::sleep(delay).await;
            }
            out.extend_from_slice(unit.bytes());
        }
        let latency = self.state.book().manner.latency;
        if self.direction == Direction::ToServer && !latency.is_zero() && !out.is_empty() {
            tokio::time::sleep(latency).await;
        }
        self.write(to, &out).await
    }

    /// Counts a unit before it goes on, so that who has got an answer also finds it counted.
    fn note(&self, unit: &Unit, more: bool) -> Option<Hit> {
        let mut connection = self.connection.borrow_mut();
        let mut book = self.state.book();
        if self.direction == Direction::ToServer {
            connection.client_partial = more;
        } else if connection.manifest.is_none() {
            connection.manifest = Some(unit.bytes().starts_with(&MANIFEST));
            if matches!(unit, Unit::Handshake(_)) {
                book.counts.handshakes += 1;
            }
        }
        match unit {
            Unit::Message(message, _) => connection.meet(&mut book, *message),
            _ => None,
        }
    }

    fn delay(&self) -> Duration {
        let manner = self.state.book().manner;
        match self.direction {
            Direction::ToServer => manner.delay_to_server,
            Direction::ToClient => manner.delay_to_client,
        }
    }

    async fn write(&self, to: &mut WriteHalf<'_>, bytes: &[u8]) -> Result<(), Hard> {
        if bytes.is_empty() {
            return Ok(());
        }
        // Fails only when the proxy is gone, and this task with it.
        let _ = self.state.black_hole.subscribe().wait_for(|on| !on).await;
        if self.connection.borrow().hung {
            std::future::pending::<()>().await;
        }
        let manner = self.state.book().manner;
        if manner.byte_at_a_time {
            for byte in bytes {
                to.write_all(std::slice::from_ref(byte)).await?;
                tokio::task::yield_now().await;
            }
        } else if let Some(bandwidth) = manner.bandwidth {
            // A hundredth of a second's worth at a time.
            for piece in bytes.chunks(usize::try_from(bandwidth / 100).unwrap_or(1).max(1)) {
                to.write_all(piece).await?;
                let share = piece.len() as f64 / bandwidth.max(1) as f64;
                tokio::time::sleep(Duration::from_secs_f64(share)).await;
            }
        } else {
            to.write_all(bytes).await?;
        }
        Ok(())
    }
}
