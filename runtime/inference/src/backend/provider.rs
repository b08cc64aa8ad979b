//! Which execution provider really got a session's nodes, read back from ONNX Runtime.
//!
//! A provider that cannot take a node leaves it to the processor without a word, so that what was asked for proves nothing.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::ptr;

use ort::AsPointer;
use ort::session::Session;
use ort::sys;

use crate::info::{DeviceClass, Provider};

/// Session option that makes ONNX Runtime keep the assignment.
pub(super) const RECORD_KEY: &str = "session.record_ep_graph_assignment_info";

/// The provider with most nodes and its share of them.
pub(super) fn of(session: &Session) -> ort::Result<Provider> {
    let nodes = nodes_by_provider(session)?;
    let total: usize = nodes.values().sum();
    let Some((name, count)) = nodes.into_iter().max_by_key(|(_, count)| *count) else {
        return Err(ort::Error::new("it does not say where the graph's nodes run"));
    };
    let device = device_of(&name);
    Ok(Provider { name, share: count as f32 / total.max(1) as f32, device })
}

fn nodes_by_provider(session: &Session) -> ort::Result<BTreeMap<String, usize>> {
    let api = ort::api();
    let mut nodes = BTreeMap::new();
    let (mut subgraphs, mut count) = (ptr::null(), 0);
    // SAFETY: the session outlives the call, which fills both out-parameters; the array belongs to the session.
    let subgraphs: &[*const sys::OrtEpAssignedSubgraph] = unsafe {
        ort::Error::result_from_status((api.Session_GetEpGraphAssignmentInfo)(
            session.ptr(),
            &raw mut subgraphs,
            &raw mut count,
        ))?;
        if count == 0 { &[] } else { std::slice::from_raw_parts(subgraphs, count) }
    };
    for subgraph in subgraphs {
        let (mut name, mut list, mut count) = (ptr::null(), ptr::null(), 0);
        // SAFETY: the subgraph came from the live session; the name is a C string that the session owns.
        let name = unsafe {
            ort::Error::result_from_status((api.EpAssignedSubgraph_GetEpName)(*subgraph, &raw mut name))?;
            ort::Error::result_from_status((api.EpAssignedSubgraph_GetNodes)(*subgraph, &raw mut list, &raw mut count))?;
            CStr::from_ptr(name).to_string_lossy().into_owned()
        };
        *nodes.entry(name).or_insert(0) += count;
    }
    Ok(nodes)
}

fn device_of(provider: &str) -> DeviceClass {
    match provider {
        "CUDAExecutionProvider"
        | "WebGpuExecutionProvider"
        | "ROCMExecutionProvider"
        | "MIGraphXExecutionProvider"
        | "TensorrtExecutionProvider"
        | "DmlExecutionProvider" => DeviceClass::Gpu,
        "QNNExecutionProvider" | "VitisAIExecutionProvider" | "CoreMLExecutionProvider" => DeviceClass::Npu,
        _ => DeviceClass::Cpu,
    }
}
