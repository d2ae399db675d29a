//! Functions that a test gives to the driver: each call goes to TestKit, and its answer comes back
//! as a request of its own.

use std::sync::Arc;

use neo_bolt::BoxError;
use serde_json::{Value as Json, json};

use crate::context::Context;

/// Asks TestKit, and waits for its answer.
pub(crate) async fn ask(context: &Arc<Context>, name: &str, data: Json) -> Result<Json, BoxError> {
    let id = context.next_id();
    let answer = context.expect(&id);
    let mut data = data;
    data["id"] = json!(id);
    context.send(name, data);
    answer.await.map_err(|_| "TestKit went away".into())
}

/// The strings under `key`.
pub(crate) fn strings(data: &Json, key: &str) -> Vec<String> {
    let list = data[key].as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}
