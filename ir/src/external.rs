//! Functions of the user's that a program calls.

use crate::error::IrError;
use crate::program::SourceLoc;
use crate::types::{Elem, Type};
use std::fmt;
use std::panic::{AssertUnwindSafe, RefUnwindSafe};
use std::sync::Arc;

/// What an external function does: reads its arguments, one slice each, and writes all of its result.
pub type ExternalFn = dyn Fn(&[&[f64]], &mut [f64]) + Send + Sync + RefUnwindSafe;

/// A Rust function as an operation on `f64` scalars and arrays, which are slices of their elements, row-major.
///
/// It is called by the interpreter and by machine code alike, from whatever thread runs the program, as often as the
/// program's simplification leaves of it; so it should give equal results for equal arguments and do nothing else. A
/// panic passes through the call. It has no derivative of its own.
#[derive(Clone)]
pub struct External {
    name: Arc<str>,
    params: Arc<[Type]>,
    result: Type,
    function: Arc<ExternalFn>,
    defined: Option<SourceLoc>,
}

impl External {
    /// The most arguments that an external function may have.
    pub const MAX_PARAMS: usize = 16;

    /// A function of these parameters with this result; the name is for dumps and for reading texts.
    ///
    /// # Errors
    /// Types other than `f64` scalars and arrays; too many parameters.
    pub fn new(
        name: &str,
        params: &[Type],
        result: Type,
        function: impl Fn(&[&[f64]], &mut [f64]) + Send + Sync + 'static,
    ) -> Result<External, IrError> {
        let mismatch = |expected: String, found: String| {
            let op = format!("external {name:?}");
            Err(IrError::Type { op, expected, found })
        };
        if let Some(ty) = params.iter().chain([&result]).find(|ty| ty.elem != Elem::F64) {
            return mismatch("arguments and a result of f64".into(), ty.to_string());
        }
        if params.len() > Self::MAX_PARAMS {
            return mismatch(format!("at most {} arguments", Self::MAX_PARAMS), params.len().to_string());
        }
        // What a panic leaves behind is the function's own state, and its author's to say.
        let function = AssertUnwindSafe(function);
        let function = Arc::new(move |arguments: &[&[f64]], result: &mut [f64]| {
            let function = &function;
            function(arguments, result);
        });
        Ok(External { name: name.into(), params: params.into(), result, function, defined: None })
    }

    /// The same function, made at this line.
    pub fn defined_at(self, line: SourceLoc) -> External {
        External { defined: Some(line), ..self }
    }

    /// The line where it was made, if that is known.
    pub fn defined(&self) -> Option<&SourceLoc> {
        self.defined.as_ref()
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The types of the arguments.
    pub fn params(&self) -> &[Type] {
        &self.params
    }

    /// The type of the result.
    pub fn result(&self) -> &Type {
        &self.result
    }

    /// Calls the function. It gets as many elements as the types say, or the call is the caller's mistake.
    #[inline]
    pub fn call(&self, arguments: &[&[f64]], result: &mut [f64]) {
        (self.function)(arguments, result);
    }

    /// Whether it is the same function, under whatever name.
    pub(crate) fn is_same(&self, other: &External) -> bool {
        Arc::ptr_eq(&self.function, &other.function) && self.name == other.name
    }

    /// The same function under another name.
    pub(crate) fn renamed(&self, name: String) -> External {
        External { name: name.into(), ..self.clone() }
    }
}

/// By name and signature, as texts compare.
impl PartialEq for External {
    fn eq(&self, other: &External) -> bool {
        self.name == other.name && self.params == other.params && self.result == other.result
    }
}

impl Eq for External {}

impl fmt::Debug for External {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "external {:?}", self.name)
    }
}
