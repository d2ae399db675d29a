//! Drivers: made, asked and closed.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use neo_bolt::{
    AccessMode, Address, AsyncStream, BookmarkManager, Bookmarks, BoxError, BoxFuture, Connector,
    Driver, DriverBuilder, FetchSize, NotificationClassification, NotificationConfig,
    NotificationMinimumSeverity, Resolver, TrustedCertificates,
};
use serde_json::{Value as Json, json};
use tokio::net::TcpStream;

use crate::callbacks::{ask, strings};
use crate::context::Context;
use crate::failure::Failure;
use crate::wire::response;
use crate::{auth, results, summary, values};

/// Where the files of `trustedCertificates` are, unless `TEST_CUSTOM_CA_PATH` says otherwise.
const CUSTOM_CAS: &str = "/usr/local/share/custom-ca-certificates";

pub(crate) fn text<'a>(data: &'a Json, key: &str) -> &'a str {
    data[key].as_str().unwrap_or_default()
}

fn millis(data: &Json, key: &str) -> Option<Duration> {
    data[key].as_u64().map(Duration::from_millis)
}

pub(crate) fn new(context: &Arc<Context>, data: &Json) -> Result<Json, Failure> {
    let backend = |error: BoxError| Failure::Backend(error.to_string());
    // TestKit knows nothing of the manifest, and tests versions that take its place.
    let mut builder = Driver::builder(text(data, "uri")).manifest_handshake(false);
    if let Some(manager) = data["authTokenManagerId"].as_str() {
        builder = builder.auth_manager(context.auth_managers.get(manager)?);
    } else if let Some(token) = auth::token(&data["authorizationToken"])? {
        builder = builder.auth(token);
    }
    if let Some(provider) = data["clientCertificateProviderId"].as_str() {
        builder = builder.client_certificate_provider(context.certificates.get(provider)?);
    } else if let Some(certificate) =
        auth::certificate(&data["clientCertificate"]).map_err(backend)?
    {
        builder = builder.client_certificate(certificate);
    }
    builder = with_times(builder, data);
    if let Some(agent) = data["userAgent"].as_str() {
        builder = builder.user_agent(agent);
    }
    if let Some(size) = data["fetchSize"].as_i64() {
        builder = builder.fetch_size(fetch_size(size));
    } else if std::env::var_os("TEST_BACKEND_OWN_FETCH_SIZE").is_none() {
        // Scripts of `execute_query` expect the official drivers' default; neo-bolt's own is to pull
        // everything at once there.
        builder = builder.fetch_size(1000);
    }
    if let Some(size) = data["maxConnectionPoolSize"].as_u64() {
        builder = builder.max_connection_pool_size(usize::try_from(size).unwrap_or(usize::MAX));
    }
    if let Some(disabled) = data["telemetryDisabled"].as_bool() {
        builder = builder.telemetry_disabled(disabled);
    }
    if let Some(encrypted) = data["encrypted"].as_bool() {
        builder = builder.encrypted(encrypted);
    }
    if let Some(certificates) = data.get("trustedCertificates") {
        builder = builder.trusted_certificates(trusted(certificates).map_err(backend)?);
    }
    builder = builder.notifications(notifications(data));
    if data["resolverRegistered"] == json!(true) {
        builder = builder.resolver(Arc::new(FrontendResolver(Arc::clone(context))));
    }
    if data["domainNameResolverRegistered"] == json!(true) {
        builder = builder.connector(Arc::new(FrontendLookup(Arc::clone(context))));
    }
    let id = context.next_id();
    context.drivers.put(&id, builder.build()?);
    Ok(response("Driver", json!({ "id": id })))
}

/// TestKit says -1 for all.
pub(crate) fn fetch_size(size: i64) -> FetchSize {
    u32::try_from(size).map_or(FetchSize::All, FetchSize::Records)
}

fn with_times(mut builder: DriverBuilder, data: &Json) -> DriverBuilder {
    if let Some(time) = millis(data, "connectionTimeoutMs") {
        builder = builder.connection_timeout(time);
    }
    if let Some(time) = millis(data, "maxTxRetryTimeMs") {
        builder = builder.max_transaction_retry_time(time);
    }
    if let Some(time) = millis(data, "connectionAcquisitionTimeoutMs") {
        builder = builder.connection_acquisition_timeout(time);
    }
    if let Some(time) = millis(data, "livenessCheckTimeoutMs") {
        builder = builder.liveness_check_timeout(Some(time));
    }
    builder
}

fn trusted(certificates: &Json) -> Result<TrustedCertificates, BoxError> {
    let Some(files) = certificates.as_array() else {
        return Ok(TrustedCertificates::System);
    };
    if files.is_empty() {
        return Ok(TrustedCertificates::Any);
    }
    let folder = std::env::var("TEST_CUSTOM_CA_PATH").unwrap_or_else(|_| CUSTOM_CAS.to_owned());
    let mut pem = Vec::new();
    for file in files.iter().filter_map(Json::as_str) {
        pem.extend(std::fs::read(format!("{folder}/{file}"))?);
        pem.push(b'\n');
    }
    Ok(TrustedCertificates::Custom(pem.into()))
}

pub(crate) fn notifications(data: &Json) -> NotificationConfig {
    let mut config = NotificationConfig::default();
    match data["notificationsMinSeverity"].as_str() {
        Some("OFF") => config = config.minimum_severity(NotificationMinimumSeverity::Off),
        Some("WARNING") => config = config.minimum_severity(NotificationMinimumSeverity::Warning),
        Some("INFORMATION") => {
            config = config.minimum_severity(NotificationMinimumSeverity::Information);
        }
        _ => {}
    }
    for key in [
        "notificationsDisabledCategories",
        "notificationsDisabledClassifications",
    ] {
        if data[key].is_array() {
            let names = strings(data, key);
            config = config.disabled_classifications(names.iter().map(|name| classification(name)));
        }
    }
    config
}

fn classification(name: &str) -> NotificationClassification {
    use NotificationClassification as C;
    match name {
        "HINT" => C::Hint,
        "UNRECOGNIZED" => C::Unrecognized,
        "UNSUPPORTED" => C::Unsupported,
        "PERFORMANCE" => C::Performance,
        "DEPRECATION" => C::Deprecation,
        "SECURITY" => C::Security,
        "TOPOLOGY" => C::Topology,
        "SCHEMA" => C::Schema,
        "GENERIC" => C::Generic,
        _ => C::Unknown,
    }
}

struct FrontendResolver(Arc<Context>);

impl Resolver for FrontendResolver {
    fn resolve<'a>(
        &'a self,
        address: &'a Address,
    ) -> BoxFuture<'a, Result<Vec<Address>, BoxError>> {
        Box::pin(async move {
            let data = json!({ "address": address.to_string() });
            let answer = ask(&self.0, "ResolverResolutionRequired", data).await?;
            strings(&answer, "addresses")
                .iter()
                .map(|address| Ok(address.parse::<Address>()?))
                .collect()
        })
    }
}

/// TCP, with the test in the place of the name service.
struct FrontendLookup(Arc<Context>);

impl Connector for FrontendLookup {
    fn connect<'a>(
        &'a self,
        address: &'a Address,
    ) -> BoxFuture<'a, std::io::Result<Box<dyn AsyncStream>>> {
        Box::pin(async move {
            let data = json!({ "name": address.host() });
            let answer = ask(&self.0, "DomainNameResolutionRequired", data).await;
            let answer = answer.map_err(std::io::Error::other)?;
            let mut last = std::io::Error::from(std::io::ErrorKind::HostUnreachable);
            for name in strings(&answer, "addresses") {
                let ip: IpAddr = name.parse().map_err(std::io::Error::other)?;
                match TcpStream::connect(SocketAddr::new(ip, address.port())).await {
                    Ok(stream) => {
                        stream.set_nodelay(true)?;
                        return Ok(Box::new(stream) as Box<dyn AsyncStream>);
                    }
                    Err(error) => last = error,
                }
            }
            Err(last)
        })
    }
}

/// What is asked of a driver.
pub(crate) async fn ask_driver(
    context: &Arc<Context>,
    name: &str,
    data: &Json,
) -> Result<Json, Failure> {
    let id = text(data, "driverId");
    let driver = context.drivers.get(id)?;
    let same = || response("Driver", json!({ "id": id }));
    let available = |name: &str, yes: bool| {
        response(name, json!({ "id": context.next_id(), "available": yes }))
    };
    Ok(match name {
        "VerifyConnectivity" => {
            driver.verify_connectivity().await?;
            same()
        }
        "GetServerInfo" => response("ServerInfo", summary::server(&driver.server_info().await?)),
        "CheckMultiDBSupport" => available("MultiDBSupport", driver.supports_multi_db().await?),
        "CheckSessionAuthSupport" => {
            available("SessionAuthSupport", driver.supports_session_auth().await?)
        }
        "VerifyAuthentication" => {
            let token = auth::token(&data["authorizationToken"])?;
            let token = token.ok_or_else(|| Failure::Backend("a login is missing".to_owned()))?;
            let yes = driver.verify_authentication(token).await?;
            let data = json!({ "id": context.next_id(), "authenticated": yes });
            response("DriverIsAuthenticated", data)
        }
        "CheckDriverIsEncrypted" => response(
            "DriverIsEncrypted",
            json!({ "encrypted": driver.is_encrypted() }),
        ),
        "DriverClose" => {
            driver.close().await;
            same()
        }
        "ForcedRoutingTableUpdate" => {
            let bookmarks = Bookmarks::from_raw_values(strings(data, "bookmarks"));
            driver
                .update_routing_table(data["database"].as_str(), bookmarks)
                .await?;
            same()
        }
        "GetRoutingTable" => {
            let names = |list: &[Address]| list.iter().map(Address::to_string).collect::<Vec<_>>();
            let data = match driver.routing_table(data["database"].as_str()) {
                Some(table) => json!({
                    "database": table.database(), "ttl": table.ttl().as_secs(),
                    "routers": names(table.routers()), "readers": names(table.readers()),
                    "writers": names(table.writers()),
                }),
                None => json!({
                    "database": null, "ttl": 0, "routers": [], "readers": [], "writers": [],
                }),
            };
            response("RoutingTable", data)
        }
        "GetConnectionPoolMetrics" => {
            let metrics = driver.connection_pool_metrics();
            let address = text(data, "address");
            let of = metrics.iter().find(|of| of.address.to_string() == address);
            let (in_use, idle) = of.map_or((0, 0), |of| (of.in_use, of.idle));
            response(
                "ConnectionPoolMetrics",
                json!({ "inUse": in_use, "idle": idle }),
            )
        }
        other => return Err(Failure::Backend(format!("{other} is not known"))),
    })
}

pub(crate) async fn execute_query(context: &Arc<Context>, data: &Json) -> Result<Json, Failure> {
    let driver = context.drivers.get(text(data, "driverId"))?;
    let parameters = values::parameters(data)?;
    let mut query = driver.execute_query(text(data, "cypher"), parameters.clone());
    let config = &data["config"];
    if let Some(database) = config["database"].as_str() {
        query = query.database(database);
    }
    if config["routing"] == json!("r") {
        query = query.routing(AccessMode::Read);
    }
    if let Some(user) = config["impersonatedUser"].as_str() {
        query = query.impersonated_user(user);
    }
    match &config["bookmarkManagerId"] {
        Json::String(id) => {
            query = query.bookmark_manager(Some(context.bookmark_managers.get(id)?));
        }
        Json::Number(_) => query = query.bookmark_manager(None),
        _ => {}
    }
    if let Some(token) = auth::token(&config["authorizationToken"])? {
        query = query.auth(token);
    }
    if let Some(timeout) = millis(config, "timeout") {
        query = query.timeout(timeout);
    }
    if let Some(metadata) = config["txMeta"].as_object() {
        query = query.metadata(values::map_of(metadata)?);
    }
    let result = query.await?;
    let records = result
        .records
        .iter()
        .map(results::record)
        .collect::<Result<Vec<_>, _>>()?;
    let summary = summary::to_json(&result.summary, &parameters);
    let data = json!({ "keys": &*result.keys, "records": records, "summary": summary });
    Ok(response("EagerResult", data))
}

pub(crate) fn new_bookmark_manager(context: &Arc<Context>, data: &Json) -> Json {
    let id = context.next_id();
    let initial = Bookmarks::from_raw_values(strings(data, "initialBookmarks"));
    let mut builder = BookmarkManager::builder().initial_bookmarks(initial);
    if data["bookmarksSupplierRegistered"] == json!(true) {
        let (asked, manager) = (Arc::clone(context), id.clone());
        builder = builder.supplier(move || {
            let (context, data) = (Arc::clone(&asked), json!({ "bookmarkManagerId": manager }));
            async move {
                let answer = ask(&context, "BookmarksSupplierRequest", data).await?;
                Ok(Bookmarks::from_raw_values(strings(&answer, "bookmarks")))
            }
        });
    }
    if data["bookmarksConsumerRegistered"] == json!(true) {
        let (asked, manager) = (Arc::clone(context), id.clone());
        builder = builder.consumer(move |bookmarks| {
            let values: Vec<&str> = bookmarks.raw_values().collect();
            let data = json!({ "bookmarkManagerId": manager, "bookmarks": values });
            let context = Arc::clone(&asked);
            async move {
                ask(&context, "BookmarksConsumerRequest", data)
                    .await
                    .map(|_| ())
            }
        });
    }
    context.bookmark_managers.put(&id, builder.build());
    response("BookmarkManager", json!({ "id": id }))
}

pub(crate) fn close_bookmark_manager(context: &Context, data: &Json) -> Json {
    let id = text(data, "id");
    context.bookmark_managers.take(id);
    response("BookmarkManager", json!({ "id": id }))
}
