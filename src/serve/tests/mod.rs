//! The server asked without a socket: who may do what, what is refused and how, and that every
//! protocol gives the scores of the program.

mod access;
mod operators;
mod refusals;
mod scores;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};

use super::protocol::Limits;
use super::route::{Access, router};
use super::run::server_of;
use super::server::{Options, Server};
use super::testing::{table, trained};
use super::*;
use crate::jobs::Ctx;
use crate::models::Model;
use crate::registry::model_bytes;
use crate::registry::store::{
    Actor, Done, EventFilter, KeySpec, ModelName, NewVersion, Split, Store, Via,
};

pub(super) fn actor() -> Actor {
    Actor { who: "ann".into(), via: Via::Login }
}

fn options(dir: &Path) -> Options {
    Options {
        workspace: dir.to_owned(),
        addr: "127.0.0.1:0".parse().unwrap(),
        tls: None,
        needs_key: true,
        limits: Limits { max_body: 100_000, ..Limits::default() },
        max_in_flight: 64,
        max_connections: 64,
        max_lag: std::time::Duration::from_secs(10),
        max_wait: std::time::Duration::from_secs(10),
        log_days: 30,
        encrypt_log: false,
        alert_command: None,
        alert_webhook: None,
    }
}

/// An answer: status, headers, body.
pub(super) type Told = (u16, HeaderMap, Vec<u8>);

pub(super) struct Place {
    _dir: tempfile::TempDir,
    pub(super) server: Arc<Server>,
    pub(super) router: Router,
    pub(super) credit: Model,
    pub(super) runtime: tokio::runtime::Runtime,
}

impl Place {
    /// A server with the models `credit` (logistic, two versions) and `net`.
    pub(super) fn new() -> Self {
        Self::with(|_| ())
    }

    /// The same with other options.
    pub(super) fn with(change: impl FnOnce(&mut Options)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let register = |name: &str, run: &crate::train::Run| {
            let about = NewVersion { kind: run.model.kind.clone(), ..NewVersion::default() };
            let bytes = model_bytes(run).unwrap();
            let name = ModelName::new(name).unwrap();
            store.register(&name, &bytes, &about, &actor(), "").unwrap();
        };
        let credit = trained("logistic", &[]);
        register("credit", &credit);
        register("credit", &trained("logistic", &[("alpha", "50")]));
        let mut steep = trained("logistic", &[]);
        if let crate::models::Predictor::Linear { coefficients, .. } = &mut steep.model.predictor {
            for own in coefficients {
                *own *= 1e300;
            }
        }
        register("steep", &steep);
        register("net", &trained("mlp", &[("epochs", "3")]));
        for name in ["credit", "net"] {
            let done = Done::Promote { name: name.into(), version: 1, alias: "champion".into() };
            store.decide(&done, &actor(), "").unwrap();
        }
        let mut options = options(dir.path());
        change(&mut options);
        let server = Arc::new(server_of(options, "http://test".into()).unwrap());
        server.renew();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let router = router(&server, ROUTES);
        Self { _dir: dir, server, router, credit: credit.model, runtime }
    }

    pub(super) fn key(&self, scopes: &[Scope], models: &[&str]) -> String {
        let spec = KeySpec {
            scopes: scopes.to_vec(),
            models: models.iter().map(|m| (*m).to_owned()).collect(),
            ..KeySpec::default()
        };
        let key = self.server.store.create_key(&spec, &actor(), "").unwrap().shown;
        self.server.renew();
        key
    }

    pub(super) fn all(&self) -> String {
        self.key(&Scope::ALL.iter().map(|(scope, ..)| *scope).collect::<Vec<_>>(), &[])
    }

    pub(super) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Told {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_vec())).unwrap();
        let service = TowerToHyperService::new(self.router.clone());
        self.runtime.block_on(async {
            let response = service.call(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let body = body.collect().await.unwrap().to_bytes().to_vec();
            (parts.status.as_u16(), parts.headers, body)
        })
    }

    pub(super) fn send(&self, method: &str, path: &str, key: &str, body: &Value) -> (u16, Value) {
        let bearer = format!("Bearer {key}");
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let (status, _, body) = self.ask(method, path, &[("authorization", &bearer)], &body);
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }
}

pub(super) fn row() -> Value {
    json!({ "age": 33, "debt": 700, "job": "smith" })
}

/// A path that a route has, with something that is there.
pub(super) fn path_of(route: &Route) -> String {
    let path = route
        .path
        .replace("{version}", "1")
        .replace("{alert}", "1")
        .replace("{key}", "none")
        .replace("{pending}", "1");
    if route.path == "/v1/models/{model}" && route.method == "POST" {
        return path.replace("{model}", "credit:predict");
    }
    path.replace("{model}", "credit")
}
