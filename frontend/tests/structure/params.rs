//! `Params` where Evolute is not at `::evolute`: here, and where it is renamed.

use evolute_frontend::{Function, Params, matrix, vector};

mod renamed {
    pub(crate) use evolute_frontend as autodiff;
}

#[derive(Clone, Params)]
#[params(crate = "evolute_frontend")]
struct Affine<T> {
    a: T,
    b: T,
}

#[derive(Clone, Params)]
#[params(crate = crate::params::renamed::autodiff)]
struct Chain<T>(Vec<Affine<T>>);

#[test]
fn paths_begin_where_the_attribute_says() {
    let affine = Affine { a: matrix(2, 2), b: vector(2) };
    let f = Function::trace((Chain(vec![affine; 2]), vector(2)), |(chain, x)| {
        chain.0.iter().fold(*x, |x, affine| affine.a.dot(x) + affine.b)
    });
    let affine = |b: f64| Affine { a: vec![0.0, 1.0, 1.0, 0.0], b: vec![b, 0.0] };
    let f = f.unwrap();
    assert_eq!(f.eval((&Chain(vec![affine(1.0), affine(2.0)]), &[3.0, 4.0])).unwrap(), [5.0, 5.0]);
}

/// What the macro makes of a struct that a macro makes.
macro_rules! structure {
    ($Name:ident<$T:ident> { $($field:ident)* }) => {
        #[derive(Clone, Params)]
        #[params(crate = evolute_frontend)]
        struct $Name<$T> { $($field: Vec<$T>),* }
    };
}
structure!(Lists<S> { values leaves store traced made host cursor fits inputs });

#[test]
fn fields_are_named_as_one_likes() {
    let list = || vec![evolute_frontend::scalar()];
    let lists = Lists {
        values: list(),
        leaves: list(),
        store: list(),
        traced: list(),
        made: list(),
        host: list(),
        cursor: list(),
        fits: list(),
        inputs: list(),
    };
    let f = Function::trace_to(lists.clone(), lists, |lists| lists.clone()).unwrap();
    let x = || vec![1.0];
    let lists = Lists {
        values: x(),
        leaves: x(),
        store: x(),
        traced: x(),
        made: x(),
        host: x(),
        cursor: x(),
        fits: x(),
        inputs: vec![2.0],
    };
    assert_eq!(f.eval(&lists).unwrap().inputs, [2.0]);
}
