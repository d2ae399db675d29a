//! Lets TestKit (`neo4j-drivers/testkit`), the suite that the official drivers pass, drive
//! neo-bolt. TestKit's requests are mapped one to one on the driver's public API.
//!
//! It listens on `TEST_BACKEND_HOST` (127.0.0.1) and `TEST_BACKEND_PORT` (9876). Each connection,
//! which is one test, has a thread and a runtime of its own, because some tests stop the clock.

mod auth;
mod callbacks;
mod clock;
mod context;
mod dispatch;
mod drivers;
mod failure;
mod features;
mod results;
mod sessions;
mod summary;
mod transactions;
mod values;
mod warnings;
mod wire;

use std::net::{TcpListener, TcpStream};

fn main() -> std::io::Result<()> {
    let host = std::env::var("TEST_BACKEND_HOST").unwrap_or_else(|_| "127.0.0.1".to_owned());
    let port = std::env::var("TEST_BACKEND_PORT").unwrap_or_else(|_| "9876".to_owned());
    warnings::install();
    let listener = TcpListener::bind(format!("{host}:{port}"))?;
    println!("listening on {}", listener.local_addr()?);
    for stream in listener.incoming() {
        let stream = stream?;
        std::thread::spawn(move || {
            if let Err(error) = serve(stream) {
                eprintln!("a connection ended: {error}");
            }
        });
    }
    Ok(())
}

fn serve(stream: TcpStream) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let served = runtime.block_on(dispatch::serve(stream));
    // What is still waited for, such as a stopped clock's guard, need not come to its end.
    runtime.shutdown_background();
    served
}
