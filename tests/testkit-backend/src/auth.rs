//! Logins, and what gives them out.

use std::sync::Arc;
use std::time::Duration;

use neo_bolt::{
    AuthManager, AuthManagers, AuthToken, BoxError, BoxFuture, ClientCertificate,
    ClientCertificateProvider, Error, ExpiringAuth,
};
use serde_json::{Value as Json, json};

use crate::callbacks::ask;
use crate::context::Context;
use crate::failure::Failure;
use crate::values;
use crate::wire::response;

/// The login under TestKit's `AuthorizationToken`; `None` where there is none.
pub(crate) fn token(data: &Json) -> Result<Option<AuthToken>, Failure> {
    let data = &data["data"];
    if data.is_null() {
        return Ok(None);
    }
    let text = |key: &str| data[key].as_str().unwrap_or_default().to_owned();
    Ok(Some(match data["scheme"].as_str().unwrap_or_default() {
        "none" => AuthToken::none(),
        "basic" => match data["realm"].as_str() {
            Some(realm) => {
                AuthToken::basic_with_realm(text("principal"), text("credentials"), realm)
            }
            None => AuthToken::basic(text("principal"), text("credentials")),
        },
        "bearer" => AuthToken::bearer(text("credentials")),
        "kerberos" => AuthToken::kerberos(text("credentials")),
        scheme => {
            let parameters = match data["parameters"].as_object() {
                Some(parameters) => values::plain_map(parameters)?,
                None => neo_bolt::value::Map::new(),
            };
            let (principal, credentials) = (text("principal"), text("credentials"));
            AuthToken::custom(principal, credentials, text("realm"), scheme, parameters)
        }
    }))
}

fn some_token(data: &Json) -> Result<AuthToken, BoxError> {
    match token(data) {
        Ok(Some(token)) => Ok(token),
        other => Err(format!("not a login: {other:?}").into()),
    }
}

/// As TestKit writes logins.
fn to_json(token: &AuthToken) -> Json {
    let mut data = serde_json::Map::new();
    for (key, value) in token.entries() {
        let value = match value {
            neo_bolt::value::Value::String(text) => json!(text),
            other => values::to_json(other),
        };
        data.insert(key.clone(), value);
    }
    response("AuthorizationToken", data.into())
}

struct FrontendManager {
    context: Arc<Context>,
    id: String,
}

impl AuthManager for FrontendManager {
    fn get_auth(&self) -> BoxFuture<'_, Result<AuthToken, BoxError>> {
        Box::pin(async {
            let data = json!({ "authTokenManagerId": self.id });
            let answer = ask(&self.context, "AuthTokenManagerGetAuthRequest", data).await?;
            some_token(&answer["auth"])
        })
    }

    fn handle_security_error<'a>(
        &'a self,
        auth: &'a AuthToken,
        error: &'a Error,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async move {
            let data = json!({
                "authTokenManagerId": self.id, "auth": to_json(auth), "errorCode": error.code(),
            });
            let name = "AuthTokenManagerHandleSecurityExceptionRequest";
            let answer = ask(&self.context, name, data).await?;
            Ok(answer["handled"] == json!(true))
        })
    }
}

pub(crate) fn new_manager(context: &Arc<Context>) -> Json {
    let id = context.next_id();
    let manager = FrontendManager {
        context: Arc::clone(context),
        id: id.clone(),
    };
    context.auth_managers.put(&id, Arc::new(manager));
    response("AuthTokenManager", json!({ "id": id }))
}

pub(crate) fn new_basic(context: &Arc<Context>) -> Json {
    let id = context.next_id();
    let (asked, manager_id) = (Arc::clone(context), id.clone());
    let manager = AuthManagers::basic(move || {
        let (context, id) = (Arc::clone(&asked), manager_id.clone());
        async move {
            let data = json!({ "basicAuthTokenManagerId": id });
            let answer = ask(&context, "BasicAuthTokenProviderRequest", data).await?;
            some_token(&answer["auth"])
        }
    });
    context.auth_managers.put(&id, manager);
    response("BasicAuthTokenManager", json!({ "id": id }))
}

pub(crate) fn new_bearer(context: &Arc<Context>) -> Json {
    let id = context.next_id();
    let (asked, manager_id) = (Arc::clone(context), id.clone());
    let manager = AuthManagers::bearer(move || {
        let (context, id) = (Arc::clone(&asked), manager_id.clone());
        async move {
            let data = json!({ "bearerAuthTokenManagerId": id });
            let answer = ask(&context, "BearerAuthTokenProviderRequest", data).await?;
            let data = &answer["auth"]["data"];
            let auth = ExpiringAuth::new(some_token(&data["auth"])?);
            Ok(match data["expiresInMs"].as_u64() {
                Some(time) => auth.expires_in(Duration::from_millis(time)),
                None => auth,
            })
        }
    });
    context.auth_managers.put(&id, manager);
    response("BearerAuthTokenManager", json!({ "id": id }))
}

pub(crate) fn close_manager(context: &Context, data: &Json) -> Json {
    let id = data["id"].as_str().unwrap_or_default();
    context.auth_managers.take(id);
    response("AuthTokenManager", json!({ "id": id }))
}

/// The certificate under TestKit's `ClientCertificate`, which names files.
pub(crate) fn certificate(data: &Json) -> Result<Option<ClientCertificate>, BoxError> {
    let data = &data["data"];
    let Some(file) = data["certfile"].as_str() else {
        return Ok(None);
    };
    let key = data["keyfile"].as_str().unwrap_or(file);
    let certificate = ClientCertificate::from_pem(std::fs::read(file)?, std::fs::read(key)?);
    Ok(Some(match data["password"].as_str() {
        Some(password) => certificate.password(password),
        None => certificate,
    }))
}

struct FrontendCertificates {
    context: Arc<Context>,
    id: String,
}

impl ClientCertificateProvider for FrontendCertificates {
    fn get_certificate(&self) -> BoxFuture<'_, Result<Option<ClientCertificate>, BoxError>> {
        Box::pin(async {
            let data = json!({ "clientCertificateProviderId": self.id });
            let answer = ask(&self.context, "ClientCertificateProviderRequest", data).await?;
            if answer["hasUpdate"] == json!(true) {
                certificate(&answer["clientCertificate"])
            } else {
                Ok(None)
            }
        })
    }
}

pub(crate) fn new_certificates(context: &Arc<Context>) -> Json {
    let id = context.next_id();
    let provider = FrontendCertificates {
        context: Arc::clone(context),
        id: id.clone(),
    };
    context.certificates.put(&id, Arc::new(provider));
    response("ClientCertificateProvider", json!({ "id": id }))
}

pub(crate) fn close_certificates(context: &Context, data: &Json) -> Json {
    let id = data["id"].as_str().unwrap_or_default();
    context.certificates.take(id);
    response("ClientCertificateProvider", json!({ "id": id }))
}
