//! What expressions read: the run's data.

use super::value::{Map, TooDeep, Value};

/// The run's data as expressions see it, a map: `.input`, `.steps`, `.run`, `.spent`, and by their names the items of the maps around and `.round`.
///
/// A clone shares everything, and so does a scope with one more member.
#[derive(Clone, Debug)]
pub struct Scope(Map);

impl Scope {
    /// The data of a run that has no step behind it.
    ///
    /// # Errors
    /// Something in it is too deep.
    pub fn new(input: Map, run: Map) -> Result<Scope, TooDeep> {
        let members =
            [("input", input.into()), ("run", run.into()), ("spent", Value::from(0i64)), ("steps", Map::new(Vec::new())?.into())];
        Ok(Scope(Map::new(members.map(|(name, value)| (name.into(), value)).into())?))
    }

    /// This one with `value` as `name`, for `spent`, `round`, or the item of a map. What had the name is hidden.
    ///
    /// # Errors
    /// The value is too deep.
    pub fn with(&self, name: &str, value: Value) -> Result<Scope, TooDeep> {
        self.0.clone().with(name, Some(value)).map(Scope)
    }

    /// This one with what step `id` gave.
    ///
    /// # Errors
    /// The value is too deep.
    pub fn with_step(&self, id: &str, value: Value) -> Result<Scope, TooDeep> {
        let steps = match self.0.get("steps") {
            Some(Value::Map(steps)) => steps.clone(),
            _ => Map::new(Vec::new())?,
        };
        self.with("steps", steps.with(id, Some(value))?.into())
    }

    /// All of it as a value: what `.` is.
    pub fn value(&self) -> Value {
        Value::Map(self.0.clone())
    }
}
