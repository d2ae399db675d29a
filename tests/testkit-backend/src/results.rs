//! Results and their records.

use std::sync::Arc;

use neo_bolt::value::{Map, Value};
use neo_bolt::{Record, RecordStream};
use serde_json::{Value as Json, json};

use crate::context::Context;
use crate::drivers::text;
use crate::failure::Failure;
use crate::wire::response;
use crate::{summary, values, warnings};

/// A result, and the parameters that led to it: in Rust the caller has them still.
pub(crate) struct ResultEntry {
    stream: RecordStream,
    parameters: Map,
}

pub(crate) fn put(context: &Context, stream: RecordStream, parameters: Map) -> Json {
    let id = context.next_id();
    let keys = stream.keys().to_vec();
    let result = ResultEntry { stream, parameters };
    context
        .results
        .put(&id, Arc::new(tokio::sync::Mutex::new(result)));
    response("Result", json!({ "id": id, "keys": keys }))
}

pub(crate) fn record(record: &Record) -> Result<Json, Failure> {
    let values = (0..record.len())
        .map(|index| {
            let value: Value = record.get_at(index)?;
            values::field(&value)
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    Ok(json!({ "values": values }))
}

pub(crate) async fn read(context: &Context, name: &str, data: &Json) -> Result<Json, Failure> {
    let result = context.results.get(text(data, "resultId"))?;
    let mut entry = result.lock().await;
    let ResultEntry {
        stream: result,
        parameters,
    } = &mut *entry;
    let none = || response("NullRecord", json!({}));
    Ok(match name {
        "ResultNext" => match result.next().await {
            Some(found) => response("Record", record(&found?)?),
            None => none(),
        },
        "ResultPeek" => match result.peek().await? {
            Some(found) => response("Record", record(found)?),
            None => none(),
        },
        "ResultSingle" => response("Record", record(&result.single().await?)?),
        "ResultSingleOptional" => {
            warnings::take();
            let found = result.single_optional().await?;
            let found = found.as_ref().map(record).transpose()?;
            let data = json!({ "record": found, "warnings": warnings::take() });
            response("RecordOptional", data)
        }
        "ResultList" => {
            let records = result.collect().await?;
            let records = records.iter().map(record).collect::<Result<Vec<_>, _>>()?;
            response("RecordList", json!({ "records": records }))
        }
        "ResultConsume" => {
            let summary = result.consume().await?;
            response("Summary", summary::to_json(&summary, parameters))
        }
        other => return Err(Failure::Backend(format!("{other} is not known"))),
    })
}
