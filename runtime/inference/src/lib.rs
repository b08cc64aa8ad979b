//! ONNX Runtime: model packages, sessions, text pipelines
