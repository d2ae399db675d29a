//! The few words of Bolt that starting a server takes.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::framing::{Framer, MAGIC, Unit, chunked, dechunked};
use crate::message::{Direction, Message};
use crate::packstream::Value;

/// A blocking Bolt 5.4 connection without any comfort.
pub(crate) struct Client {
    stream: TcpStream,
    framer: Framer,
}

/// Why a request did not succeed.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The connection does not work.
    Io(io::Error),
    /// The server said no: code and message.
    Server(String, String),
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refused::Io(error) => write!(f, "{error}"),
            Refused::Server(code, message) => write!(f, "{code}: {message}"),
        }
    }
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Refused::Io(error)
    }
}

impl Client {
    /// Connects and logs in.
    pub(crate) fn login(address: SocketAddr, user: &str, password: &str) -> Result<Self, Refused> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut client = Client {
            stream,
            framer: Framer::new(Direction::ToClient),
        };
        let mut hello = MAGIC.to_vec();
        hello.extend_from_slice(&[0, 0, 4, 5]);
        hello.extend_from_slice(&[0; 12]);
        client.stream.write_all(&hello)?;
        match client.read()? {
            Unit::Handshake(chosen) if chosen == [0, 0, 4, 5] => {}
            other => {
                let message = format!("no Bolt 5.4 but {:02X?}", other.bytes());
                return Err(io::Error::new(io::ErrorKind::InvalidData, message).into());
            }
        }
        let product = "neo-test-support/0.1";
        let agent = Value::map([
            ("user_agent", Value::from(product)),
            ("bolt_agent", Value::map([("product", product)])),
        ]);
        client.request(Message::Hello, vec![agent])?;
        let token = Value::map([
            ("scheme", "basic"),
            ("principal", user),
            ("credentials", password),
        ]);
        client.request(Message::Logon, vec![token])?;
        Ok(client)
    }

    /// Runs a statement on a database and gives its records.
    pub(crate) fn run(
        &mut self,
        database: &str,
        statement: &str,
        parameters: Value,
    ) -> Result<Vec<Vec<Value>>, Refused> {
        let extra = Value::map([("db", database)]);
        self.request(Message::Run, vec![statement.into(), parameters, extra])?;
        self.request(Message::Pull, vec![Value::map([("n", -1)])])
    }

    fn request(
        &mut self,
        message: Message,
        fields: Vec<Value>,
    ) -> Result<Vec<Vec<Value>>, Refused> {
        self.send(&[(message, fields)])?;
        let mut records = Vec::new();
        loop {
            match self.answer()? {
                (Message::Success, _) => return Ok(records),
                (Message::Record, Value::List(values)) => records.push(values),
                (_, field) => {
                    let text = |key| field.get(key).and_then(Value::as_str).unwrap_or_default();
                    return Err(Refused::Server(text("code").into(), text("message").into()));
                }
            }
        }
    }

    /// Sends messages in one write.
    pub(crate) fn send(&mut self, messages: &[(Message, Vec<Value>)]) -> io::Result<()> {
        let mut out = Vec::new();
        for (message, fields) in messages {
            out.extend(chunked(
                &Value::Struct(message.tag(), fields.clone()).encode(),
            ));
        }
        self.stream.write_all(&out)
    }

    /// Reads one message: what it is and its only field.
    pub(crate) fn answer(&mut self) -> io::Result<(Message, Value)> {
        loop {
            let Unit::Message(answer, bytes) = self.read()? else {
                continue;
            };
            match Value::decode(&dechunked(&bytes)) {
                Ok(Value::Struct(_, mut fields)) => {
                    return Ok((answer, fields.pop().unwrap_or(Value::Null)));
                }
                Ok(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, "no message")),
                Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
            }
        }
    }

    /// The socket, to set its timeouts.
    #[cfg(test)]
    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    fn read(&mut self) -> io::Result<Unit> {
        loop {
            if let Some(unit) = self.framer.next(None) {
                return Ok(unit);
            }
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                len => self.framer.feed(&buffer[..len]),
            }
        }
    }
}
