//! A first look at a component's bytes that is cheap whatever they hold: it bounds what reading the types can cost.

use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentDefinedType, ComponentDefinedTypeId, ComponentEntityType, ComponentValType,
};
use wasmparser::types::TypesRef;
use wasmparser::{Encoding, Parser, Payload, Validator, WasmFeatures};

use super::decode::ComponentError;
use crate::limits::{
    COMPONENT_DEPTH_MAX, COMPONENT_DOCS_BYTES_MAX, COMPONENT_NESTED_MAX, COMPONENT_TYPES_BYTES_MAX, COMPONENT_TYPES_MAX,
};

/// Check that `bytes` are a component whose types are of a size that can be read.
pub(super) fn survey(bytes: &[u8]) -> Result<(), ComponentError> {
    if !Parser::is_component(bytes) {
        return Err(ComponentError::NoComponent);
    }
    measure(bytes)?;
    type_size(bytes)
}

/// Sizes that need no types: sections, nesting, documentation.
fn measure(bytes: &[u8]) -> Result<(), ComponentError> {
    // Parsers of modules are stepped over, so that only components are on the stack.
    let mut kinds = Vec::new();
    let (mut types_bytes, mut nested) = (0usize, 0u32);
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(malformed)?;
        match &payload {
            Payload::Version { encoding, .. } => kinds.push(*encoding),
            Payload::End(_) => drop(kinds.pop()),
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => nested += 1,
            Payload::CustomSection(section) if section.name() == "package-docs" => {
                within("bytes of documentation", section.data().len(), COMPONENT_DOCS_BYTES_MAX)?;
            }
            Payload::CustomSection(_) => {}
            other if kinds.last() == Some(&Encoding::Component) => {
                types_bytes += other.as_section().map_or(0, |(_, range)| range.len());
            }
            _ => {}
        }
        within("bytes of types", types_bytes, COMPONENT_TYPES_BYTES_MAX)?;
        within("nested modules and components", nested as usize, COMPONENT_NESTED_MAX as usize)?;
        within("levels of components", kinds.len(), COMPONENT_DEPTH_MAX as usize)?;
    }
    Ok(())
}

/// The size of all types that cross the border, spelled out: a few bytes can name one large type often.
fn type_size(bytes: &[u8]) -> Result<(), ComponentError> {
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let mut depth = 0u32;
    let mut budget = Budget(COMPONENT_TYPES_MAX);
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(malformed)?;
        validator.payload(&payload).map_err(malformed)?;
        let item = |name: &str, imported: bool| {
            let types = validator.types(0)?;
            let item = if imported { types.component_item_for_import(name) } else { types.component_item_for_export(name) };
            item.map(|item| (item.ty, types))
        };
        match &payload {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section.clone() {
                    let name = import.map_err(malformed)?.name.name;
                    item(name, true).map_or(Some(()), |(ty, types)| budget.entity(ty, types)).ok_or_else(too_large)?;
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section.clone() {
                    let name = export.map_err(malformed)?.name.name;
                    item(name, false).map_or(Some(()), |(ty, types)| budget.entity(ty, types)).ok_or_else(too_large)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Parts that may still be counted. Every step takes one; none is returned where none is left. The validator has bounded the
/// depth of types at 100.
struct Budget(u32);

impl Budget {
    fn take(&mut self, parts: usize) -> Option<()> {
        self.0 = self.0.checked_sub(u32::try_from(parts).ok()?)?;
        Some(())
    }

    fn entity(&mut self, entity: ComponentEntityType, types: TypesRef<'_>) -> Option<()> {
        self.take(1)?;
        match entity {
            ComponentEntityType::Module(_) => Some(()),
            ComponentEntityType::Value(ty) => self.value(&ty, types),
            ComponentEntityType::Type { referenced, .. } => self.any(referenced, types),
            ComponentEntityType::Func(id) => self.any(ComponentAnyTypeId::Func(id), types),
            ComponentEntityType::Instance(id) => self.any(ComponentAnyTypeId::Instance(id), types),
            ComponentEntityType::Component(id) => self.any(ComponentAnyTypeId::Component(id), types),
        }
    }

    fn any(&mut self, id: ComponentAnyTypeId, types: TypesRef<'_>) -> Option<()> {
        match id {
            ComponentAnyTypeId::Resource(_) => Some(()),
            ComponentAnyTypeId::Defined(id) => self.defined(id, types),
            ComponentAnyTypeId::Func(id) => {
                let function = &types[id];
                function.params.iter().try_for_each(|(_, ty)| self.value(ty, types))?;
                function.result.iter().try_for_each(|ty| self.value(ty, types))
            }
            ComponentAnyTypeId::Instance(id) => types[id].exports.values().try_for_each(|item| self.entity(item.ty, types)),
            ComponentAnyTypeId::Component(id) => {
                let component = &types[id];
                component.imports.values().chain(component.exports.values()).try_for_each(|item| self.entity(item.ty, types))
            }
        }
    }

    fn value(&mut self, ty: &ComponentValType, types: TypesRef<'_>) -> Option<()> {
        self.take(1)?;
        match ty {
            ComponentValType::Primitive(_) => Some(()),
            ComponentValType::Type(id) => self.defined(*id, types),
        }
    }

    fn defined(&mut self, id: ComponentDefinedTypeId, types: TypesRef<'_>) -> Option<()> {
        match &types[id] {
            ComponentDefinedType::Primitive(_) | ComponentDefinedType::Own(_) | ComponentDefinedType::Borrow(_) => Some(()),
            ComponentDefinedType::Flags(labels) | ComponentDefinedType::Enum(labels) => self.take(labels.len()),
            ComponentDefinedType::Record(record) => record.fields.values().try_for_each(|ty| self.value(ty, types)),
            ComponentDefinedType::Tuple(tuple) => tuple.types.iter().try_for_each(|ty| self.value(ty, types)),
            ComponentDefinedType::Variant(variant) => {
                self.take(variant.cases.len())?;
                variant.cases.values().filter_map(|case| case.ty.as_ref()).try_for_each(|ty| self.value(ty, types))
            }
            ComponentDefinedType::Map { key, value, .. } => [key, value].into_iter().try_for_each(|ty| self.value(ty, types)),
            ComponentDefinedType::List { element, .. } | ComponentDefinedType::FixedLengthList { element, .. } => {
                self.value(element, types)
            }
            ComponentDefinedType::Option { ty, .. } => self.value(ty, types),
            ComponentDefinedType::Result { ok, err, .. } => {
                [ok, err].into_iter().flatten().try_for_each(|ty| self.value(ty, types))
            }
            ComponentDefinedType::Future { ty, .. } | ComponentDefinedType::Stream { ty, .. } => {
                ty.iter().try_for_each(|ty| self.value(ty, types))
            }
        }
    }
}

fn within(what: &'static str, found: usize, most: usize) -> Result<(), ComponentError> {
    match found <= most {
        true => Ok(()),
        false => Err(ComponentError::TooLarge { what, most }),
    }
}

fn too_large() -> ComponentError {
    ComponentError::TooLarge { what: "parts of types", most: COMPONENT_TYPES_MAX as usize }
}

fn malformed(error: wasmparser::BinaryReaderError) -> ComponentError {
    ComponentError::Malformed(error.to_string())
}
