//! Reads requests and has each of them done.

use std::sync::Arc;

use neo_bolt::AccessMode;
use serde_json::Value as Json;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::context::Context;
use crate::drivers::text;
use crate::failure::Failure;
use crate::sessions::retry_id;
use crate::wire::{self, Requests};
use crate::{auth, clock, drivers, features, results, sessions, transactions};

pub(crate) async fn serve(stream: std::net::TcpStream) -> std::io::Result<()> {
    stream.set_nonblocking(true)?;
    let (read, mut write) = TcpStream::from_std(stream)?.into_split();
    let (out, mut responses) = mpsc::unbounded_channel();
    let writer = tokio::spawn(async move {
        while let Some(response) = responses.recv().await {
            wire::send(&mut write, &response).await?;
        }
        Ok::<_, std::io::Error>(())
    });
    let context = Context::new(out.clone());
    let mut requests = Requests::new(read);
    while let Some(request) = requests.next().await? {
        let name = text(&request, "name").to_owned();
        let data = request["data"].clone();
        if let Some(id) = answered(&name, &data) {
            context.answered(&id, data);
            continue;
        }
        // A request may wait for answers of TestKit's, which come as requests.
        let (context, out) = (Arc::clone(&context), out.clone());
        tokio::spawn(async move {
            let done = handle(&context, &name, &data).await;
            let response = done.unwrap_or_else(|failure| failure.into_response(&context));
            // Where TestKit is gone, nobody misses it.
            let _ = out.send(response);
        });
    }
    drop((context, out));
    writer.abort();
    Ok(())
}

/// Which request of ours it answers, if it is an answer.
fn answered(name: &str, data: &Json) -> Option<String> {
    match name {
        "RetryablePositive" | "RetryableNegative" => Some(retry_id(text(data, "sessionId"))),
        _ if name.ends_with("Completed") => Some(text(data, "requestId").to_owned()),
        _ => None,
    }
}

async fn handle(context: &Arc<Context>, name: &str, data: &Json) -> Result<Json, Failure> {
    match name {
        "GetFeatures" => Ok(features::list()),
        "StartTest" => Ok(features::start_test(data)),
        "StartSubTest" => Ok(features::start_subtest(data)),
        "NewDriver" => drivers::new(context, data),
        "ExecuteQuery" => drivers::execute_query(context, data).await,
        "NewBookmarkManager" => Ok(drivers::new_bookmark_manager(context, data)),
        "BookmarkManagerClose" => Ok(drivers::close_bookmark_manager(context, data)),
        "NewAuthTokenManager" => Ok(auth::new_manager(context)),
        "NewBasicAuthTokenManager" => Ok(auth::new_basic(context)),
        "NewBearerAuthTokenManager" => Ok(auth::new_bearer(context)),
        "AuthTokenManagerClose" => Ok(auth::close_manager(context, data)),
        "NewClientCertificateProvider" => Ok(auth::new_certificates(context)),
        "ClientCertificateProviderClose" => Ok(auth::close_certificates(context, data)),
        "NewSession" => sessions::new(context, data),
        "SessionRun" => sessions::run(context, data).await,
        "SessionClose" => sessions::close(context, data).await,
        "SessionBeginTransaction" => sessions::begin(context, data).await,
        "SessionReadTransaction" => sessions::managed(context, data, AccessMode::Read).await,
        "SessionWriteTransaction" => sessions::managed(context, data, AccessMode::Write).await,
        "SessionLastBookmarks" => sessions::last_bookmarks(context, data).await,
        "TransactionRun" => transactions::run(context, data).await,
        "TransactionCommit" | "TransactionRollback" | "TransactionClose" => {
            transactions::end(context, name, data).await
        }
        "FakeTimeInstall" => clock::install(context),
        "FakeTimeTick" => clock::tick(data).await,
        "FakeTimeUninstall" => clock::uninstall(context),
        _ if name.starts_with("Result") => results::read(context, name, data).await,
        _ => drivers::ask_driver(context, name, data).await,
    }
}
