//! L5: AI assets. Input: objects; output: what is an asset, of which class and how surely; its model references and providers.

pub mod class;
pub mod family;
pub mod functions;
pub mod governance;
pub mod grade;
pub mod inventory;
pub mod lineage;
pub mod link;
pub mod model_ref;
pub mod model_source;
pub mod provider;
pub mod record;
pub mod signal;
pub mod stated;

pub use class::Class;
pub use inventory::{Asset, Inventory};
pub use model_ref::{ModelRef, Pin};
pub use model_source::model_refs;
