//! Borrowed arrays at the border of a call: row-major elements, checked against the signature.

use crate::error::CallError;
use evolute_ir::{Elem, Interpreter, Literal, Machine, Type};

/// An argument of a call.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// `f64` elements.
    F64(&'a [f64]),
    /// `f32` elements.
    F32(&'a [f32]),
    /// `i64` elements.
    I64(&'a [i64]),
    /// `bool` elements.
    Bool(&'a [bool]),
}

/// Where a result of a call goes.
#[derive(Debug)]
pub enum Output<'a> {
    /// `f64` elements.
    F64(&'a mut [f64]),
    /// `f32` elements.
    F32(&'a mut [f32]),
    /// `i64` elements.
    I64(&'a mut [i64]),
    /// `bool` elements.
    Bool(&'a mut [bool]),
}

impl Input<'_> {
    /// The element kind and the number of elements.
    #[inline]
    pub(crate) fn extent(&self) -> (Elem, usize) {
        match self {
            Input::F64(x) => (Elem::F64, x.len()),
            Input::F32(x) => (Elem::F32, x.len()),
            Input::I64(x) => (Elem::I64, x.len()),
            Input::Bool(x) => (Elem::Bool, x.len()),
        }
    }

    #[inline]
    pub(crate) fn as_ptr(&self) -> *const u8 {
        match self {
            Input::F64(x) => x.as_ptr().cast(),
            Input::F32(x) => x.as_ptr().cast(),
            Input::I64(x) => x.as_ptr().cast(),
            Input::Bool(x) => x.as_ptr().cast(),
        }
    }

    /// Writes the elements to parameter `param` of an interpreter's state.
    pub(crate) fn set(&self, interpreter: &Interpreter, machine: &mut Machine, param: usize) {
        match self {
            Input::F64(x) => interpreter.set_all(machine, param, x.iter().map(|x| x.to_bits())),
            Input::F32(x) => interpreter.set_all(machine, param, x.iter().map(|x| x.to_bits().into())),
            Input::I64(x) => interpreter.set_all(machine, param, x.iter().map(|&x| x as u64)),
            Input::Bool(x) => interpreter.set_all(machine, param, x.iter().map(|&x| x.into())),
        }
    }

    /// The element at `index`.
    ///
    /// # Panics
    /// If there is none.
    pub fn get(&self, index: usize) -> Literal {
        match self {
            Input::F64(x) => Literal::F64(x[index].to_bits()),
            Input::F32(x) => Literal::F32(x[index].to_bits()),
            Input::I64(x) => Literal::I64(x[index]),
            Input::Bool(x) => Literal::Bool(x[index]),
        }
    }
}

impl Output<'_> {
    /// The element kind and the number of elements.
    #[inline]
    pub(crate) fn extent(&self) -> (Elem, usize) {
        match self {
            Output::F64(x) => (Elem::F64, x.len()),
            Output::F32(x) => (Elem::F32, x.len()),
            Output::I64(x) => (Elem::I64, x.len()),
            Output::Bool(x) => (Elem::Bool, x.len()),
        }
    }

    #[inline]
    pub(crate) fn as_mut_ptr(&mut self) -> *mut u8 {
        match self {
            Output::F64(x) => x.as_mut_ptr().cast(),
            Output::F32(x) => x.as_mut_ptr().cast(),
            Output::I64(x) => x.as_mut_ptr().cast(),
            Output::Bool(x) => x.as_mut_ptr().cast(),
        }
    }

    /// Writes the elements from an interpreter's slots.
    pub(crate) fn fill(&mut self, slots: impl Iterator<Item = u64>) {
        match self {
            Output::F64(x) => x.iter_mut().zip(slots).for_each(|(x, s)| *x = f64::from_bits(s)),
            Output::F32(x) => x.iter_mut().zip(slots).for_each(|(x, s)| *x = f32::from_bits(s as u32)),
            Output::I64(x) => x.iter_mut().zip(slots).for_each(|(x, s)| *x = s as i64),
            Output::Bool(x) => x.iter_mut().zip(slots).for_each(|(x, s)| *x = s & 1 == 1),
        }
    }
}

/// What a function takes or gives at one place, in the form that a call compares with.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) ty: Type,
    extent: (Elem, usize),
}

impl Slot {
    pub(crate) fn new(ty: Type) -> Slot {
        let extent = (ty.elem, ty.shape.len());
        Slot { ty, extent }
    }
}

/// Whether the buffers have the extents of the signature.
#[inline]
pub(crate) fn fit(slots: &[Slot], extents: impl ExactSizeIterator<Item = (Elem, usize)>) -> bool {
    slots.len() == extents.len() && slots.iter().zip(extents).all(|(slot, extent)| slot.extent == extent)
}

/// Compares the extents of all buffers with the signature.
pub(crate) fn check(
    what: [&'static str; 2],
    slots: &[Slot],
    extents: impl ExactSizeIterator<Item = (Elem, usize)>,
) -> Result<(), CallError> {
    let [singular, plural] = what;
    if extents.len() != slots.len() {
        return Err(CallError::Count { what: plural, expected: slots.len(), found: extents.len() });
    }
    for (index, (slot, extent)) in slots.iter().zip(extents).enumerate() {
        if slot.extent != extent {
            let (elem, len) = extent;
            return Err(CallError::Buffer { what: singular, index, expected: slot.ty.clone(), len, elem });
        }
    }
    Ok(())
}
