//! The parameters or results that a spec stands for, each with its place in the structure.

use super::Spec;
use evolute_ir::{Elem, Shape, Type};
use std::fmt;

/// One parameter or result of a program.
#[derive(Clone, Debug)]
pub(crate) struct Extents {
    pub(crate) elem: Elem,
    /// `None` for a scalar.
    pub(crate) extents: Option<Vec<usize>>,
    /// Whether an array is one value in the closure, not a scalar an element.
    pub(crate) whole: bool,
    pub(crate) place: Place,
}

impl Extents {
    /// The type, or the number of elements along its axes if there are too many.
    pub(crate) fn ty(&self) -> Result<Type, usize> {
        match &self.extents {
            None => Ok(Type::scalar(self.elem)),
            Some(extents) => match Shape::new(extents) {
                Some(shape) => Ok(Type { elem: self.elem, shape }),
                None => Err(Shape::asked(extents)),
            },
        }
    }

    /// How many values there are of it in the closure.
    pub(crate) fn values(&self) -> usize {
        match &self.extents {
            Some(extents) if !self.whole => extents.iter().product(),
            Some(_) | None => 1,
        }
    }
}

/// The way to a part of a structure, printed as Rust writes it: `.layers[2].w`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place(Vec<Step>);

#[derive(Clone, Copy, Debug)]
enum Step {
    Field(&'static str),
    Component(usize),
    Item(usize),
}

impl Place {
    /// Whether it lies in a struct or a list: a tuple's component is as well known by its number.
    pub(crate) fn is_structured(&self) -> bool {
        self.0.iter().any(|step| !matches!(step, Step::Component(_)))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| match step {
            Step::Field(name) => write!(f, ".{name}"),
            Step::Component(index) => write!(f, ".{index}"),
            Step::Item(index) => write!(f, "[{index}]"),
        })
    }
}

/// What a function takes or gives, in order. A [`Spec`] that consists of others appends them to it, by the methods
/// here.
#[derive(Debug, Default)]
pub struct Signature {
    list: Vec<Extents>,
    lists: Vec<(Place, usize)>,
    place: Place,
}

impl Signature {
    pub(crate) fn of(spec: &impl Spec) -> Signature {
        let mut signature = Signature::default();
        spec.sign(&mut signature);
        signature
    }

    /// A field of a struct.
    pub fn field<S: Spec>(&mut self, name: &'static str, spec: &S) {
        self.step(Step::Field(name), spec);
    }

    /// A component of a tuple.
    pub fn component(&mut self, index: usize, spec: &impl Spec) {
        self.step(Step::Component(index), spec);
    }

    /// The items of a list.
    pub fn items(&mut self, items: &[impl Spec]) {
        self.lists.push((self.place.clone(), items.len()));
        items.iter().enumerate().for_each(|(index, item)| self.step(Step::Item(index), item));
    }

    fn step(&mut self, step: Step, spec: &impl Spec) {
        self.place.0.push(step);
        spec.sign(self);
        self.place.0.pop();
    }

    pub(crate) fn push(&mut self, elem: Elem, extents: Option<Vec<usize>>, whole: bool) {
        self.list.push(Extents { elem, extents, whole, place: self.place.clone() });
    }

    pub(crate) fn into_list(self) -> Vec<Extents> {
        self.list
    }

    /// The place of a parameter or result.
    pub(crate) fn place(&self, index: usize) -> Option<&Place> {
        self.list.get(index).map(|extents| &extents.place)
    }

    /// The lists, in the order in which they are met, and their lengths.
    pub(crate) fn into_lists(self) -> Vec<(Place, usize)> {
        self.lists
    }
}
