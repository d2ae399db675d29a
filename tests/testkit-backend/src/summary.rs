//! Summaries as TestKit wants them.

use neo_bolt::value::Map;
use neo_bolt::{
    GqlStatusObject, InputPosition, Notification, NotificationClassification, NotificationSeverity,
    Plan, ProfiledPlan, QueryType, ResultSummary, ServerInfo, Version,
};
use serde_json::{Value as Json, json};

use crate::values;

pub(crate) fn server(info: &ServerInfo) -> Json {
    json!({
        "address": info.address().to_string(),
        "agent": info.agent(),
        "protocolVersion": info.protocol_version().to_string(),
    })
}

pub(crate) fn to_json(summary: &ResultSummary, parameters: &Map) -> Json {
    let counters = summary.counters();
    let counters = json!({
        "constraintsAdded": counters.constraints_added(),
        "constraintsRemoved": counters.constraints_removed(),
        "containsSystemUpdates": counters.contains_system_updates(),
        "containsUpdates": counters.contains_updates(),
        "indexesAdded": counters.indexes_added(),
        "indexesRemoved": counters.indexes_removed(),
        "labelsAdded": counters.labels_added(),
        "labelsRemoved": counters.labels_removed(),
        "nodesCreated": counters.nodes_created(),
        "nodesDeleted": counters.nodes_deleted(),
        "propertiesSet": counters.properties_set(),
        "relationshipsCreated": counters.relationships_created(),
        "relationshipsDeleted": counters.relationships_deleted(),
        "systemUpdates": counters.system_updates(),
    });
    let notifications = summary.notifications();
    let notifications = if notifications.is_empty()
        && summary.server().protocol_version() < Version::new(5, 5)
        && !summary.has_notifications()
    {
        Json::Null
    } else {
        notifications.iter().map(notification).collect()
    };
    let statuses: Vec<_> = summary.gql_status_objects().iter().map(status).collect();
    let parameters: serde_json::Map<_, _> = parameters
        .iter()
        .map(|(key, value)| (key.clone(), values::to_json(value)))
        .collect();
    json!({
        "serverInfo": server(summary.server()),
        "counters": counters,
        "database": summary.database(),
        "notifications": notifications,
        "gqlStatusObjects": statuses,
        "plan": summary.plan().as_ref().map(plan),
        "profile": summary.profile().as_ref().map(profile),
        "query": { "text": &**summary.query(), "parameters": parameters },
        "queryType": summary.query_type().map(query_type),
        "resultAvailableAfter": summary.result_available_after().map(|time| time.as_millis()),
        "resultConsumedAfter": summary.result_consumed_after().map(|time| time.as_millis()),
    })
}

fn query_type(query_type: QueryType) -> &'static str {
    match query_type {
        QueryType::Read => "r",
        QueryType::Write => "w",
        QueryType::ReadWrite => "rw",
        QueryType::Schema => "s",
    }
}

fn position(position: Option<InputPosition>) -> Json {
    match position {
        None => Json::Null,
        Some(at) => json!({ "offset": at.offset, "line": at.line, "column": at.column }),
    }
}

fn severity(severity: NotificationSeverity) -> &'static str {
    match severity {
        NotificationSeverity::Warning => "WARNING",
        NotificationSeverity::Information => "INFORMATION",
        _ => "UNKNOWN",
    }
}

fn classification(classification: NotificationClassification) -> &'static str {
    use NotificationClassification as C;
    match classification {
        C::Hint => "HINT",
        C::Unrecognized => "UNRECOGNIZED",
        C::Unsupported => "UNSUPPORTED",
        C::Performance => "PERFORMANCE",
        C::Deprecation => "DEPRECATION",
        C::Security => "SECURITY",
        C::Topology => "TOPOLOGY",
        C::Schema => "SCHEMA",
        C::Generic => "GENERIC",
        _ => "UNKNOWN",
    }
}

fn notification(notification: &Notification) -> Json {
    let mut data = json!({
        "title": notification.title(),
        "code": notification.code(),
        "description": notification.description(),
        "severityLevel": severity(notification.severity()),
        "category": classification(notification.category()),
        "severity": notification.raw_severity().unwrap_or_default(),
        "rawCategory": notification.raw_category().unwrap_or_default(),
        "rawSeverityLevel": notification.raw_severity().unwrap_or_default(),
    });
    if notification.position().is_some() {
        data["position"] = position(notification.position());
    }
    data
}

fn status(status: &GqlStatusObject) -> Json {
    let record: serde_json::Map<_, _> = status
        .diagnostic_record()
        .iter()
        .map(|(key, value)| (key.clone(), values::to_json(value)))
        .collect();
    json!({
        "isNotification": status.is_notification(),
        "gqlStatus": status.gql_status(),
        "statusDescription": status.status_description(),
        "rawClassification": status.raw_classification(),
        "classification": classification(status.classification()),
        "rawSeverity": status.raw_severity(),
        "severity": severity(status.severity()),
        "diagnosticRecord": record,
        "position": position(status.position()),
    })
}

fn plan(step: &Plan) -> Json {
    json!({
        "operatorType": step.operator_type(),
        "identifiers": step.identifiers(),
        "args": values::plain_json(step.arguments()),
        "children": step.children().iter().map(plan).collect::<Vec<_>>(),
    })
}

fn profile(step: &ProfiledPlan) -> Json {
    let mut data = json!({
        "operatorType": step.operator_type(),
        "identifiers": step.identifiers(),
        "args": values::plain_json(step.arguments()),
        "dbHits": step.db_hits(),
        "rows": step.rows(),
        "children": step.children().iter().map(profile).collect::<Vec<_>>(),
    });
    let counts = [
        ("pageCacheMisses", step.page_cache_misses()),
        ("pageCacheHits", step.page_cache_hits()),
        ("time", step.time()),
    ];
    for (key, count) in counts {
        if let Some(count) = count {
            data[key] = json!(count);
        }
    }
    if let Some(ratio) = step.page_cache_hit_ratio() {
        data["pageCacheHitRatio"] = json!(ratio);
    }
    data
}
