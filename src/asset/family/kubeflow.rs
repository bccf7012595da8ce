//! Kubeflow notebooks, training, pipelines. Input: its objects; output: classes. Kinds: `kubeflow/manifests`, `kubeflow/trainer`.

use crate::asset::class::Class;
use crate::asset::family::{Family, Kind, kind, no_refs};

const GROUP: &str = "kubeflow.org";
const TRAINER: &str = "trainer.kubeflow.org";
const PIPELINES: &str = "pipelines.kubeflow.org";

pub(super) const FAMILY: Family = Family {
    name: "Kubeflow",
    kinds: KINDS,
    refs: no_refs,
};

#[rustfmt::skip]
const KINDS: &[Kind] = &[
    kind(GROUP, "Notebook", Class::Notebook),
    kind(GROUP, "PyTorchJob", Class::Training),
    kind(GROUP, "TFJob", Class::Training),
    kind(GROUP, "MPIJob", Class::Training),
    kind(GROUP, "XGBoostJob", Class::Training),
    kind(GROUP, "JAXJob", Class::Training),
    kind(GROUP, "PaddleJob", Class::Training),
    kind(GROUP, "Experiment", Class::Training),
    kind(TRAINER, "TrainJob", Class::Training),
    kind(TRAINER, "TrainingRuntime", Class::ModelTemplate),
    kind(TRAINER, "ClusterTrainingRuntime", Class::ModelTemplate),
    kind(PIPELINES, "Pipeline", Class::Pipeline),
    kind(PIPELINES, "PipelineVersion", Class::Pipeline),
    kind("tensorboard.kubeflow.org", "Tensorboard", Class::Mlops),
];
