//! `wasi:nn/errors`: why something failed, as a resource with a code and a text.

use wasmtime::component::Resource;

use crate::{
    capability::{
        bindings::wasi::nn::errors::{ErrorCode, Host, HostError},
        inference,
    },
    limits::FAULT_TEXT_BYTES_MAX,
    state::State,
};

/// The resource behind `wasi:nn/errors.error`.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
#[derive(Debug, PartialEq)]
pub struct Error {
    pub(super) code: ErrorCode,
    pub(super) data: String,
}

impl Error {
    pub(super) fn new(code: ErrorCode, data: impl Into<String>) -> Error {
        let mut data = data.into();
        data.truncate(data.floor_char_boundary(FAULT_TEXT_BYTES_MAX));
        data.shrink_to_fit();
        Error { code, data }
    }
}

impl From<inference::Error> for Error {
    /// The standard has fewer codes than `hansa:inference`; where several fall together the text begins with which it was.
    fn from(error: inference::Error) -> Error {
        use inference::Error as E;
        let (code, data) = match error {
            E::NotFound(what) => (ErrorCode::NotFound, what),
            E::NotPermitted(why) => (ErrorCode::Security, why),
            E::BadInput(why) => (ErrorCode::InvalidArgument, why),
            E::Shape(shape) => (ErrorCode::InvalidArgument, shape_text(&shape)),
            E::TooLarge(limit) => (ErrorCode::TooLarge, format!("larger than the limit of {limit}")),
            E::NonFinite(output) => (ErrorCode::RuntimeError, format!("non-finite: infinities or NaN in `{output}`")),
            E::Budget(quote) => (ErrorCode::RuntimeError, format!("budget: it would cost {quote}")),
            E::Overloaded(retry_ms) => (ErrorCode::RuntimeError, format!("overloaded: try again in {retry_ms} ms")),
            E::Deadline => (ErrorCode::Timeout, "not done before the deadline".to_owned()),
            E::Cancelled => (ErrorCode::RuntimeError, "cancelled".to_owned()),
            E::NoProvider(why) => (ErrorCode::RuntimeError, format!("no-provider: {why}")),
            E::OutOfMemory => (ErrorCode::RuntimeError, "out-of-memory: try again later, or with less".to_owned()),
            E::Backend(why) => (ErrorCode::RuntimeError, format!("backend: {why}")),
        };
        Error::new(code, data)
    }
}

fn shape_text(shape: &inference::BadShape) -> String {
    let dim = |dim: &inference::Dim| match (dim.size, &dim.name) {
        (Some(size), _) => size.to_string(),
        (None, Some(name)) => name.clone(),
        (None, None) => "any".to_owned(),
    };
    let want: Vec<_> = shape.want.iter().map(dim).collect();
    format!("`{}` takes the shape [{}], not {:?}", shape.port, want.join(", "), shape.got)
}

impl State {
    /// The value for the guest: what was made, or the error as a resource. A full table ends the call.
    pub(super) fn answer<T>(&mut self, result: Result<T, Error>) -> wasmtime::Result<Result<T, Resource<Error>>> {
        match result {
            Ok(value) => Ok(Ok(value)),
            Err(error) => Ok(Err(self.table.push(error).map_err(|_| table_full())?)),
        }
    }
}

/// Not even an error has room.
pub(super) fn table_full() -> wasmtime::Error {
    let text = format!("it holds {} resources of the host; drop some", crate::limits::RESOURCES_MAX);
    wasmtime::format_err!("{text}")
}

impl Host for State {}

impl HostError for State {
    async fn code(&mut self, error: Resource<Error>) -> wasmtime::Result<ErrorCode> {
        Ok(self.table.get(&error)?.code)
    }

    async fn data(&mut self, error: Resource<Error>) -> wasmtime::Result<String> {
        Ok(self.table.get(&error)?.data.clone())
    }

    async fn drop(&mut self, error: Resource<Error>) -> wasmtime::Result<()> {
        self.table.delete(error)?;
        Ok(())
    }
}
