//! What a spec hands over: the buffers of a call, the values of a closure.

use super::signature::Place;
use super::{Signature, Spec};
use crate::error::Error;
use crate::tree::Leaf;
use evolute_runtime::{CallError, Input, Output};
use smallvec::SmallVec;
use std::ops::{Deref, DerefMut};

/// As many buffers are on the stack as functions commonly have. More are kept in the
/// [`Workspace`](evolute_runtime::Workspace).
pub(crate) const INLINE: usize = 8;

/// The arguments of a call.
pub type Inputs<'a> = Buffers<Input<'a>>;
/// The results of a call.
pub type Outputs<'a> = Buffers<Output<'a>>;

/// The values that a closure gives, or a function used in one is given.
pub type Values<'t> = Buffers<Leaf<'t>>;

/// Buffers, or values, in the order of a [`Signature`].
#[derive(Debug)]
pub struct Buffers<B> {
    list: SmallVec<[B; INLINE]>,
    /// How many lists have been met.
    lists: usize,
    wrong: Option<WrongList>,
}

/// The first list of a wrong length: which one, and its length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WrongList {
    list: usize,
    found: usize,
}

impl<B> Buffers<B> {
    #[inline]
    pub(crate) fn new() -> Self {
        Buffers::within(SmallVec::new())
    }

    /// In the memory of this vector, which is empty.
    pub(crate) fn within_vec(room: Vec<B>) -> Self {
        Buffers::within(SmallVec::from_vec(room))
    }

    #[inline]
    fn within(list: SmallVec<[B; INLINE]>) -> Self {
        Buffers { list, lists: 0, wrong: None }
    }

    pub(crate) fn into_vec(self) -> Vec<B> {
        self.list.into_vec()
    }

    #[inline]
    pub(crate) fn push(&mut self, buffer: B) {
        self.list.push(buffer);
    }

    /// The items of a list of this length follow, which should have another: then they are not used.
    #[inline]
    pub(crate) fn items(&mut self, expected: usize, found: usize) {
        if expected != found {
            self.wrong.get_or_insert(WrongList { list: self.lists, found });
        }
        self.lists += 1;
    }

    /// Fails if a list has not the length of its spec.
    #[inline]
    pub(crate) fn complete(&self) -> Result<(), WrongList> {
        match self.wrong {
            Some(wrong) => Err(wrong),
            None => Ok(()),
        }
    }
}

impl WrongList {
    /// The place of the list, the length of its spec, and its own.
    pub(crate) fn of(self, spec: &impl Spec) -> (Place, usize, usize) {
        let lists = Signature::of(spec).into_lists();
        let (place, expected) = lists.into_iter().nth(self.list).unwrap_or_default();
        (place, expected, self.found)
    }

    /// The error of a call.
    #[cold]
    pub(crate) fn within(self, what: &str, spec: &impl Spec) -> Error {
        let (place, expected, found) = self.of(spec);
        let (expected, found) = (format!("{expected} items"), found.to_string());
        Error::Part { path: format!("{what}{place}"), expected, found }
    }
}

impl<'a> Inputs<'a> {
    /// The buffers of arguments.
    pub(crate) fn of<S: Spec>(spec: &S, host: S::Host<'a>) -> Result<Self, Error> {
        let mut inputs = Inputs::new();
        spec.inputs(host, &mut inputs);
        inputs.complete().map_err(|wrong| wrong.within("input", spec))?;
        Ok(inputs)
    }
}

impl<B> Deref for Buffers<B> {
    type Target = [B];
    #[inline]
    fn deref(&self) -> &[B] {
        &self.list
    }
}

impl<B> DerefMut for Buffers<B> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [B] {
        &mut self.list
    }
}

/// The error of a call, with the way to the part of a structure that does not fit.
#[cold]
pub(crate) fn located(error: CallError, inputs: &impl Spec, outputs: &impl Spec) -> Error {
    let CallError::Buffer { what, index, expected, len, elem } = &error else { return error.into() };
    let signature = if *what == "input" { Signature::of(inputs) } else { Signature::of(outputs) };
    match signature.place(*index) {
        Some(place) if place.is_structured() => {
            let (path, expected) = (format!("{what}{place}"), expected.to_string());
            Error::Part { path, expected, found: format!("{len} elements of {elem}") }
        }
        Some(_) | None => error.into(),
    }
}
