//! The server: registered models as an HTTP service, in a process of its own.
//!
//! Three protocols lead to one way of scoring ([`scoring`]): karat's own form for people and
//! `curl` ([`score`]), the Open Inference Protocol ([`oip`]), and the first version of `KServe`'s
//! ([`v1`]). [`ROUTES`] is the only list of what can be asked, and says of each route who may; all
//! else does not exist. Models and keys come from the store of the workspace, and whatever anyone
//! decides there is in force within a second. This is the only room that knows axum and tokio; it
//! knows nothing of the screen.

mod about;
mod admin;
mod ahead;
mod body;
mod caller;
mod catalogue;
mod csv;
mod drift;
mod error;
mod feedback;
mod form;
mod lag;
mod limit;
mod listen;
mod load;
mod log;
mod metrics;
mod oip;
mod pool;
mod process;
pub mod protocol;
mod pulse;
mod route;
mod run;
mod score;
mod scoring;
mod sent;
mod served;
mod server;
mod shadow;
mod socket;
pub mod status;
mod table;
mod tell;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod told;
mod v1;
mod watch;
mod window;

pub use drift::watch_table;
pub use error::Error;
pub use load::{Answered, Load, load};
pub use process::{log_path, start};
pub use run::run;
pub use served::Policy;
pub use server::Options;
pub use socket::{status, stop};
pub use status::Status;

use crate::registry::store::Scope;
use route::{Access, Route};

const fn get(
    path: &'static str,
    access: Access,
    about: &'static str,
    handle: fn(&std::sync::Arc<server::Server>, &mut route::Call) -> route::Reply,
) -> Route {
    Route { method: "GET", path, access, about, handle }
}

const fn post(
    path: &'static str,
    access: Access,
    about: &'static str,
    handle: fn(&std::sync::Arc<server::Server>, &mut route::Call) -> route::Reply,
) -> Route {
    Route { method: "POST", path, access, about, handle }
}

const INFER: Access = Access::Needs(Scope::Infer);
const READ: Access = Access::Needs(Scope::Read);
const OPERATE: Access = Access::Needs(Scope::Operate);
const ADMIN: Access = Access::Needs(Scope::Admin);

/// Everything that can be asked, and who may.
#[rustfmt::skip]
const ROUTES: &[Route] = &[
    get("/", Access::Open, "Whether the server lives", about::alive),
    get("/v2/health/live", Access::Open, "Whether the server lives", about::live),
    get("/v2/health/ready", Access::Open, "Whether the server is ready", about::ready),
    get("/v2", Access::AnyKey, "What the server is", about::server),
    get("/v2/", Access::AnyKey, "What the server is", about::server),
    get("/v2/models", Access::AnyKey, "The models", about::list),
    get("/v2/models/{model}", Access::AnyKey, "Inputs and outputs of a model", about::metadata),
    get("/v2/models/{model}/versions/{version}", Access::AnyKey, "Inputs and outputs of a version", about::metadata),
    get("/v2/models/{model}/ready", Access::AnyKey, "Whether a model is ready", about::model_ready),
    get("/v2/models/{model}/versions/{version}/ready", Access::AnyKey, "Whether a version is ready", about::model_ready),
    get("/v2/models/{model}/config", Access::AnyKey, "The configuration of a model", about::config),
    get("/v2/models/{model}/versions/{version}/config", Access::AnyKey, "The configuration of a version", about::config),
    get("/v2/models/stats", READ, "Statistics of all models", about::stats),
    get("/v2/models/{model}/stats", READ, "Statistics of a model", about::stats),
    get("/v2/models/{model}/versions/{version}/stats", READ, "Statistics of a version", about::stats),
    post("/v2/models/{model}/infer", INFER, "Scores for tensors", oip::infer),
    post("/v2/models/{model}/versions/{version}/infer", INFER, "Scores of a version for tensors", oip::infer),
    post("/v2/repository/index", Access::AnyKey, "The versions of all models", about::index),
    post("/v2/repository/models/{model}/load", OPERATE, "Takes a model into service", about::load),
    post("/v2/repository/models/{model}/unload", OPERATE, "Takes a model out of service", about::unload),
    get("/v1/models", Access::AnyKey, "The models", about::list),
    get("/v1/models/{model}", Access::AnyKey, "Whether a model is ready", v1::status),
    post("/v1/models/{model}", Access::AnyKey, "`NAME:predict` and `NAME:explain`, as KServe asks", v1::call),
    post("/v1/models/{model}/score", INFER, "Scores for rows", score::score),
    post("/v1/models/{model}/versions/{version}/score", INFER, "Scores of a version for rows", score::score),
    post("/v1/feedback", Access::Needs(Scope::Feedback), "Labels for predictions", feedback::feedback),
    get("/v1/models/{model}/monitor", READ, "Drift and alerts of a model", admin::monitor),
    get("/v1/audit", READ, "Who decided what, and when", admin::audit),
    post("/v1/models/{model}/promote", OPERATE, "Points an alias to a version", admin::promote),
    post("/v1/models/{model}/rollback", OPERATE, "Points an alias to the version before", admin::rollback),
    post("/v1/models/{model}/retire", OPERATE, "Takes a version out of service", admin::retire),
    post("/v1/alerts/{alert}/acknowledge", OPERATE, "Takes notice of an alert", admin::acknowledge),
    get("/v1/pending", READ, "Decisions that wait for a second person", admin::pending),
    post("/v1/pending/{pending}/approve", OPERATE, "Carries out what someone else asked for", admin::approve),
    post("/v1/pending/{pending}/reject", OPERATE, "Refuses what someone asked for", admin::reject),
    get("/v1/keys", ADMIN, "The keys, without their secrets", admin::keys),
    post("/v1/keys", ADMIN, "Makes a key", admin::create_key),
    Route { method: "DELETE", path: "/v1/keys/{key}", access: ADMIN, about: "Revokes a key", handle: admin::revoke_key },
    get("/metrics", READ, "Everything measured, for Prometheus", catalogue::metrics),
    get("/openapi.json", Access::AnyKey, "This list, as OpenAPI 3.1", catalogue::openapi),
];
