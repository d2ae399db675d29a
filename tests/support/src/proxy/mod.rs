//! A TCP proxy that understands enough of Bolt to count messages and to break connections at a
//! chosen one.
//!
//! It runs on a thread of its own with its own runtime, so it works whatever the test's runtime
//! does: block, pause its clock, or not exist. Bytes are forwarded as they are, in whole messages.
//! What is not Bolt (TLS) passes without being counted.
//!
//! ```no_run
//! use neo_test_support::proxy::{Action, Proxy, When};
//! use neo_test_support::Message;
//!
//! let proxy = Proxy::start("127.0.0.1:7687")?;
//! // connect a driver to proxy.uri() …
//! proxy.reset_counts();
//! // … run one query …
//! assert_eq!(proxy.counts().round_trips, 1);
//! proxy.inject(Message::Commit, Action::CutAfterAnswer, When::Next(1));
//! // … the next COMMIT is done, but its answer is lost.
//! # Ok::<_, std::io::Error>(())
//! ```

mod fault;
mod relay;
mod state;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::LocalSet;

pub use fault::{Action, FaultId, When};
pub use state::{Counts, Seen};

use crate::message::{Direction, Message};
use fault::Hit;
use state::{Manner, State};

/// A proxy in front of one server. It ends, and with it its connections, when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts a proxy on a free loopback port. `upstream` is `HOST:PORT` or a Bolt URI; it is
    /// connected to once per client connection, so it need not be up yet.
    ///
    /// # Errors
    /// When no port or thread is to be had.
    pub fn start(upstream: &str) -> io::Result<Proxy> {
        let upstream = upstream
            .split_once("://")
            .map_or(upstream, |(_, rest)| rest);
        let upstream = upstream
            .split(['/', '?'])
            .next()
            .unwrap_or(upstream)
            .to_owned();
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::new());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let shared = Arc::clone(&state);
        let thread = std::thread::Builder::new()
            .name("bolt-proxy".into())
            .spawn(move || {
                let local = LocalSet::new();
                local.block_on(&runtime, accept(listener, upstream, shared));
            })?;
        Ok(Proxy {
            address,
            state,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `bolt://127.0.0.1:PORT`.
    pub fn uri(&self) -> String {
        format!("bolt://{}", self.address)
    }

    /// `neo4j://127.0.0.1:PORT`, for routing. A single Neo4j names in its routing table the
    /// address that the driver put into its routing context, so what follows goes by the proxy
    /// too if the driver does so.
    pub fn routing_uri(&self) -> String {
        format!("neo4j://{}", self.address)
    }

    /// What was counted so far. A message is counted before it is forwarded: who has an answer in
    /// hand finds it here.
    pub fn counts(&self) -> Counts {
        self.state.book().counts.clone()
    }

    /// Every message since the counts were reset, in the order in which they came by.
    pub fn trace(&self) -> Vec<Seen> {
        self.state.book().trace.clone()
    }

    /// Sets all counts to zero and empties the trace. Open connections stay.
    pub fn reset_counts(&self) {
        let mut book = self.state.book();
        book.counts = Counts::default();
        book.trace.clear();
    }

    /// Does `action` to the connection when `message` comes by, as often as `when` says. When
    /// several faults hit one message, the oldest acts.
    pub fn inject(&self, message: Message, action: Action, when: When) -> FaultId {
        let hit = Hit {
            action,
            hold: false,
        };
        self.state.book().faults.inject(message, hit, when)
    }

    /// As [`inject`](Self::inject), and turns the [black hole](Self::set_black_hole) on in the moment
    /// in which the connection is cut: what the client sends next, on this connection's successor or
    /// on any other, waits for [`release`](Self::release). So a test can act between a lost answer
    /// and whatever the client does about it. Actions that do not cut hold nothing.
    pub fn inject_and_hold(&self, message: Message, action: Action, when: When) -> FaultId {
        let hit = Hit { action, hold: true };
        self.state.book().faults.inject(message, hit, when)
    }

    /// Whether the black hole is on, as it is after a cut of
    /// [`inject_and_hold`](Self::inject_and_hold).
    pub fn is_held(&self) -> bool {
        *self.state.black_hole.borrow()
    }

    /// Waits until a cut of [`inject_and_hold`](Self::inject_and_hold) has happened. With
    /// [`Action::CutAfterAnswer`] the server has acted on the request by then.
    pub async fn held(&self) {
        // Fails only when the proxy is gone, which `self` prevents.
        let _ = self.state.black_hole.subscribe().wait_for(|on| *on).await;
    }

    /// Turns the black hole off; what was held back goes on.
    pub fn release(&self) {
        self.set_black_hole(false);
    }

    /// How often a fault has acted; 0 for one that was cleared.
    pub fn fired(&self, fault: FaultId) -> u64 {
        self.state.book().faults.fired(fault)
    }

    /// Forgets all faults. Connections that hang go on hanging until they are cut, and answers
    /// that are awaited to be dropped are still dropped.
    pub fn clear_faults(&self) {
        self.state.book().faults.clear();
    }

    /// Resets all open connections now.
    pub fn cut_all(&self) {
        self.state.cut.send_modify(|epoch| *epoch += 1);
    }

    /// Resets the client's side of all open connections now. The server's side stays open until
    /// [`cut_all`](Self::cut_all): the server does not learn that its client is gone.
    pub fn lose_clients(&self) {
        self.state.lost.send_modify(|epoch| *epoch += 1);
    }

    /// Holds each message in this direction back for so long; zero for no delay.
    pub fn set_delay(&self, direction: Direction, delay: Duration) {
        let mut book = self.state.book();
        let Manner {
            delay_to_server,
            delay_to_client,
            ..
        } = &mut book.manner;
        match direction {
            Direction::ToServer => *delay_to_server = delay,
            Direction::ToClient => *delay_to_client = delay,
        }
    }

    /// Holds what arrives together from the client back for so long, as a network with that latency
    /// does; zero for none. A timer of the proxy has a resolution of 1 ms.
    pub fn set_latency(&self, latency: Duration) {
        self.state.book().manner.latency = latency;
    }

    /// Forwards each byte on its own. (The official Python driver 6 opens connections that end at
    /// the handshake while this is on, and goes on with others: count its connections with care.)
    pub fn set_byte_at_a_time(&self, on: bool) {
        self.state.book().manner.byte_at_a_time = on;
    }

    /// Forwards no more than so many bytes in a second, in each direction of each connection; as
    /// many as there are with `None`.
    pub fn set_bandwidth(&self, bytes_per_second: Option<u64>) {
        self.state.book().manner.bandwidth = bytes_per_second;
    }

    /// While on, nothing is forwarded on any connection, new ones included; all stay open. What
    /// was held back goes on when it is switched off.
    pub fn set_black_hole(&self, on: bool) {
        self.state.black_hole.send_replace(on);
    }

    /// While on, new connections are reset as soon as they are accepted.
    pub fn set_refuse(&self, on: bool) {
        self.state.book().manner.refuse = on;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A panic of the proxy has been printed; a second one here would hide the test's own.
            let _ = thread.join();
        }
    }
}

async fn accept(listener: std::net::TcpListener, upstream: String, state: Arc<State>) {
    let listener = TcpListener::from_std(listener).expect("a socket that was just bound");
    let upstream: Rc<str> = upstream.into();
    let mut stop = state.stop.subscribe();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        // A client that was gone before it was accepted needs no service.
        let Ok((client, _)) = accepted else { continue };
        let (upstream, state) = (Rc::clone(&upstream), Arc::clone(&state));
        tokio::task::spawn_local(async move { relay::serve(client, &upstream, &state).await });
    }
}
