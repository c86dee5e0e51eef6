//! What travels between the server and its callers, as bytes: no sockets, no models, no clock.
//!
//! Everything in here takes bytes and gives values, or takes values and gives bytes; what cannot
//! be read is a [`Refusal`]. The ways in are [`unpack`], then [`parse_infer`].

mod answer;
mod compression;
mod datatype;
mod elements;
mod infer;
mod infer_json;
mod limits;
mod reading;
mod refusal;
mod tensor;
#[cfg(test)]
mod tests;

pub use answer::{Answer, InferResponse, OutTensor, OutValues};
pub use compression::{pack, unpack};
pub use datatype::Datatype;
pub use infer::{HEADER_LENGTH, InferRequest, Parameters, RequestedOutput, Scalar, parse_infer};
pub use limits::Limits;
pub use reading::read_json;
pub use refusal::{Refusal, shown};
pub use tensor::{Tensor, Values};
