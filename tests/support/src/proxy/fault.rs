//! What can go wrong on the way, and when.

use std::time::Duration;

use crate::message::{Direction, Message};

/// What is done to a connection when a chosen message comes by. Cuts are hard: both sides get a
/// reset, as when a machine on the way dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The message is not forwarded; the connection is cut. What came before it in the same burst
    /// is forwarded.
    CutBefore,
    /// The first half of the message's bytes is forwarded, then the connection is cut.
    CutInside,
    /// The message is forwarded and the connection cut at once. After a request, whether the
    /// server still acts on it is open, and its answer never arrives.
    CutAfter,
    /// The request is forwarded; when its answer has come back from the server (so the server has
    /// acted on it), that answer is dropped and the connection cut. Records of the answer and
    /// answers to earlier requests are forwarded. On a message of the server this is
    /// [`CutBefore`](Action::CutBefore).
    CutAfterAnswer,
    /// The message is not forwarded, nor is anything after it on this connection, in either
    /// direction; the connection stays open.
    HangBefore,
    /// The message, and whatever follows it in its direction, is held back for so long.
    Delay(Duration),
    /// The message is not forwarded; what follows it is. No network does that to a stream, but a
    /// broken intermediary may.
    Drop,
    /// The message is forwarded twice.
    Duplicate,
}

/// Which of the matching messages are hit, counted from the moment of
/// [`Proxy::inject`](super::Proxy::inject) over all connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The n-th only; the first is 1.
    Nth(u64),
    /// The next n.
    Next(u64),
    /// Every k-th: 1 hits all, 3 hits the third, sixth and so on. 0 hits none.
    Every(u64),
}

impl When {
    fn hits(self, number: u64) -> bool {
        match self {
            When::Nth(n) => number == n,
            When::Next(n) => number <= n,
            When::Every(k) => number.checked_rem(k) == Some(0),
        }
    }
}

/// Names a fault that was injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultId(u64);

/// What a fault does to the message that it hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) action: Action,
    /// Whether nothing is forwarded any more once the connection is cut.
    pub(super) hold: bool,
}

#[derive(Debug)]
struct Fault {
    id: FaultId,
    message: Message,
    hit: Hit,
    when: When,
    seen: u64,
    fired: u64,
}

/// All faults of a proxy.
#[derive(Debug, Default)]
pub(super) struct Faults {
    faults: Vec<Fault>,
    next: u64,
}

impl Faults {
    pub(super) fn inject(&mut self, message: Message, hit: Hit, when: When) -> FaultId {
        let id = FaultId(self.next);
        self.next += 1;
        self.faults.push(Fault {
            id,
            message,
            hit,
            when,
            seen: 0,
            fired: 0,
        });
        id
    }

    pub(super) fn clear(&mut self) {
        self.faults.clear();
    }

    pub(super) fn fired(&self, id: FaultId) -> u64 {
        self.faults
            .iter()
            .find(|fault| fault.id == id)
            .map_or(0, |fault| fault.fired)
    }

    /// What to do with a message that came by: the first fault that hits it says so.
    pub(super) fn meet(&mut self, message: Message) -> Option<Hit> {
        let mut met = None;
        for fault in self
            .faults
            .iter_mut()
            .filter(|fault| fault.message == message)
        {
            fault.seen += 1;
            if met.is_none() && fault.when.hits(fault.seen) {
                fault.fired += 1;
                let mut hit = fault.hit;
                if (hit.action, message.direction())
                    == (Action::CutAfterAnswer, Direction::ToClient)
                {
                    hit.action = Action::CutBefore;
                }
                met = Some(hit);
            }
        }
        met
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(when: When) -> Vec<u64> {
        let mut faults = Faults::default();
        let cut = Hit {
            action: Action::CutAfter,
            hold: false,
        };
        let id = faults.inject(Message::Commit, cut, when);
        let mut hit = || {
            assert_eq!(faults.meet(Message::Run), None);
            faults.meet(Message::Commit) == Some(cut)
        };
        let hits: Vec<_> = (1..=7).filter(|_| hit()).collect();
        assert_eq!(faults.fired(id), u64::try_from(hits.len()).unwrap());
        hits
    }

    #[test]
    fn the_right_ones_are_hit() {
        assert_eq!(hits(When::Nth(3)), [3]);
        assert_eq!(hits(When::Next(2)), [1, 2]);
        assert_eq!(hits(When::Every(3)), [3, 6]);
        assert_eq!(hits(When::Every(0)), [0_u64; 0]);
    }
}
