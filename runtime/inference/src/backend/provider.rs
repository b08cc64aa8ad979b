//! Which execution provider really got a session's nodes, read back from ONNX Runtime.
//!
//! A provider that cannot take a node leaves it to the processor without a word, so that what was asked for proves nothing.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::ptr;

use ort::AsPointer;
use ort::session::Session;
use ort::sys;

use crate::info::{Provider, ProviderKind};

/// Session option that makes ONNX Runtime keep the assignment.
pub(super) const RECORD_KEY: &str = "session.record_ep_graph_assignment_info";

/// The share of a session's nodes that a provider has.
pub(super) fn on(session: &Session, kind: ProviderKind) -> ort::Result<Provider> {
    let nodes = nodes_by_provider(session)?;
    let total: usize = nodes.values().sum();
    if total == 0 {
        return Err(ort::Error::new("it does not say where the graph's nodes run"));
    }
    let count = nodes.get(kind.onnx_name()).copied().unwrap_or(0);
    let (name, share) = (kind.onnx_name().to_owned(), count as f32 / total as f32);
    Ok(Provider { name, share, device: kind.device(), passed_over: Vec::new() })
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
