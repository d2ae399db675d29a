//! The names of Bolt's messages.

use std::fmt;

/// Which way bytes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// From the driver to the server: requests.
    ToServer,
    /// From the server to the driver: answers.
    ToClient,
}

macro_rules! messages {
    ($($(#[$doc:meta])* $variant:ident = $tag:literal, $name:literal, $direction:ident;)*) => {
        /// A Bolt message by its tag. A tag belongs to one direction only.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Message {
            $($(#[$doc])* $variant,)*
            /// A tag that no version of Bolt defines, with the way it went.
            Unknown(u8, Direction),
        }

        impl Message {
            /// The message with this tag, seen in this direction.
            pub fn from_tag(tag: u8, direction: Direction) -> Self {
                match (tag, direction) {
                    $(($tag, Direction::$direction) => Message::$variant,)*
                    _ => Message::Unknown(tag, direction),
                }
            }

            /// The structure tag that stands for this message on the wire.
            pub fn tag(self) -> u8 {
                match self {
                    $(Message::$variant => $tag,)*
                    Message::Unknown(tag, _) => tag,
                }
            }

            /// The name in Bolt's specification, or `?` for an unknown tag.
            pub fn name(self) -> &'static str {
                match self {
                    $(Message::$variant => $name,)*
                    Message::Unknown(..) => "?",
                }
            }

            /// Which way this message travels.
            pub fn direction(self) -> Direction {
                match self {
                    $(Message::$variant => Direction::$direction,)*
                    Message::Unknown(_, direction) => direction,
                }
            }
        }
    };
}

messages! {
    /// Opens a connection.
    Hello = 0x01, "HELLO", ToServer;
    /// Says good-bye; it has no answer.
    Goodbye = 0x02, "GOODBYE", ToServer;
    /// Clears failures and whatever is running.
    Reset = 0x0F, "RESET", ToServer;
    /// Runs a statement.
    Run = 0x10, "RUN", ToServer;
    /// Starts an explicit transaction.
    Begin = 0x11, "BEGIN", ToServer;
    /// Commits it.
    Commit = 0x12, "COMMIT", ToServer;
    /// Rolls it back.
    Rollback = 0x13, "ROLLBACK", ToServer;
    /// Throws records away.
    Discard = 0x2F, "DISCARD", ToServer;
    /// Asks for records.
    Pull = 0x3F, "PULL", ToServer;
    /// Tells which API was used.
    Telemetry = 0x54, "TELEMETRY", ToServer;
    /// Asks for a routing table.
    Route = 0x66, "ROUTE", ToServer;
    /// Authenticates.
    Logon = 0x6A, "LOGON", ToServer;
    /// Ends an authentication.
    Logoff = 0x6B, "LOGOFF", ToServer;
    /// A request is done.
    Success = 0x70, "SUCCESS", ToClient;
    /// One record of a result.
    Record = 0x71, "RECORD", ToClient;
    /// A request was ignored after an earlier failure.
    Ignored = 0x7E, "IGNORED", ToClient;
    /// A request failed.
    Failure = 0x7F, "FAILURE", ToClient;
}

impl Message {
    /// Whether this ends the answer to one request (everything a server sends but `RECORD`).
    pub fn ends_answer(self) -> bool {
        matches!(self, Message::Success | Message::Ignored | Message::Failure)
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Message::Unknown(tag, _) => write!(f, "?{tag:02X}"),
            known => f.write_str(known.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_go_both_ways() {
        let (mut known, mut unknown) = (0, 0);
        for tag in 0..=u8::MAX {
            for direction in [Direction::ToServer, Direction::ToClient] {
                let message = Message::from_tag(tag, direction);
                assert_eq!((message.tag(), message.direction()), (tag, direction));
                match message {
                    Message::Unknown(..) => unknown += 1,
                    _ => known += 1,
                }
            }
        }
        assert_eq!((known, unknown), (17, 512 - 17));
        assert_eq!(
            Message::from_tag(0x12, Direction::ToServer).to_string(),
            "COMMIT"
        );
        assert_eq!(
            Message::from_tag(0x12, Direction::ToClient).to_string(),
            "?12"
        );
    }
}
