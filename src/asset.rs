//! L5: AI assets. Input: objects; output: model references and providers (inventory and scores follow with the assets command).

pub mod functions;
pub mod model_ref;
pub mod model_source;
pub mod provider;

pub use model_ref::{ModelRef, Pin};
pub use model_source::model_refs;
