//! What neo-bolt can do, in TestKit's words, and which tests are left out.

use serde_json::{Value as Json, json};

use crate::values;
use crate::wire::response;

const FEATURES: &[&str] = &[
    "AuthorizationExpiredTreatment",
    "Backend:MockTime",
    "Backend:RTFetch",
    "Backend:RTForceUpdate",
    "ConfHint:connection.recv_timeout_seconds",
    "Feature:API:BookmarkManager",
    "Feature:API:ConnectionAcquisitionTimeout",
    "Feature:API:Driver.ExecuteQuery",
    "Feature:API:Driver.ExecuteQuery:WithAuth",
    "Feature:API:Driver.IsEncrypted",
    "Feature:API:Driver.SupportsSessionAuth",
    "Feature:API:Driver.VerifyAuthentication",
    "Feature:API:Driver.VerifyConnectivity",
    "Feature:API:Driver:GetServerInfo",
    "Feature:API:Driver:NotificationsConfig",
    "Feature:API:Liveness.Check",
    "Feature:API:Result.List",
    "Feature:API:Result.Peek",
    "Feature:API:Result.Single",
    "Feature:API:Result.SingleOptional",
    "Feature:API:RetryableExceptions",
    "Feature:API:SSLClientCertificate",
    "Feature:API:SSLConfig",
    "Feature:API:SSLSchemes",
    "Feature:API:Session:AuthConfig",
    "Feature:API:Session:NotificationsConfig",
    "Feature:API:Summary:GqlStatusObjects",
    "Feature:API:Type.Spatial",
    "Feature:API:Type.Temporal",
    "Feature:Auth:Bearer",
    "Feature:Auth:Custom",
    "Feature:Auth:Kerberos",
    "Feature:Auth:Managed",
    "Feature:Bolt:3.0",
    "Feature:Bolt:4.1",
    "Feature:Bolt:4.2",
    "Feature:Bolt:4.3",
    "Feature:Bolt:4.4",
    "Feature:Bolt:5.0",
    "Feature:Bolt:5.1",
    "Feature:Bolt:5.2",
    "Feature:Bolt:5.3",
    "Feature:Bolt:5.4",
    "Feature:Bolt:5.5",
    "Feature:Bolt:5.6",
    "Feature:Bolt:5.7",
    "Feature:Bolt:Patch:UTC",
    "Feature:Impersonation",
    "Feature:TLS:1.2",
    "Feature:TLS:1.3",
    "Optimization:AuthPipelining",
    "Optimization:ConnectionReuse",
    "Optimization:EagerTransactionBegin",
    "Optimization:ExecuteQueryPipelining",
    "Optimization:ImplicitDefaultArguments",
    "Optimization:MinimalBookmarksSet",
    "Optimization:MinimalResets",
    "Optimization:PullPipelining",
];

/// Tests that are left out, by the end of their name, with the reason.
const SKIPPED: &[(&str, &str)] = &[(
    "test_server_side_routing.TestServerSideRouting.test_direct_connection_with_url_params",
    "TestKit asks for the class ValueError; neo-bolt's error is of the kind Configuration. The \
     official Python driver's backend leaves it out, too.",
)];

/// Tests of which each part is looked at by itself: what a zone was in the past differs between
/// databases of zones, and some zones are in few of them.
const ECHO_ZONES: &str = "TestDataTypes.test_should_echo_all_timezone_ids";
const READ_ZONES: &str = "TestDataTypes.test_date_time_cypher_created_tz_id";

/// A part of a test; the official Python driver's backend leaves out parts for the same reasons.
pub(crate) fn start_subtest(data: &Json) -> Json {
    let arguments = &data["subtestArguments"];
    let reason = match arguments["tz_id"].as_str() {
        Some(zone) => (!values::knows_zone(zone)).then(|| format!("no zone {zone} is known")),
        None => (!values::has_offset(&arguments["dt"]))
            .then(|| "the zone had another offset then, as far as is known".to_owned()),
    };
    match reason {
        Some(reason) => response("SkipTest", json!({ "reason": reason })),
        None => response("RunTest", json!({})),
    }
}

pub(crate) fn list() -> Json {
    response("FeatureList", json!({ "features": FEATURES }))
}

pub(crate) fn start_test(data: &Json) -> Json {
    let name = data["testName"].as_str().unwrap_or_default();
    let skipped = SKIPPED.iter().find(|(end, _)| name.ends_with(end));
    if name.ends_with(ECHO_ZONES) || name.ends_with(READ_ZONES) {
        return response("RunSubTests", json!({}));
    }
    match skipped {
        Some((_, reason)) => response("SkipTest", json!({ "reason": reason })),
        None => response("RunTest", json!({})),
    }
}
