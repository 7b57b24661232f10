//! What fields may be: lists, tuples, structs with other leaves; and lists that are arguments themselves.

use super::*;

/// A parameter may stand for anything that is an argument.
#[derive(Clone, Debug, PartialEq, Params)]
struct Pair<A, B = A>(A, B);

#[derive(Clone, Debug, PartialEq, Params)]
struct Mixed<T, U, const N: usize> {
    lists: [Vec<T>; N],
    pairs: Vec<(T, [U; 2])>,
    nested: Pair<Pair<T>, Vec<U>>,
}

#[test]
fn lists_of_lists_and_tuples() {
    let (x, n) = (scalar, scalar_of::<I64>);
    let spec = Mixed {
        lists: [vec![x(); 3], vec![], vec![x()]],
        pairs: vec![(x(), [n(), n()]), (x(), [n(), n()])],
        nested: Pair(Pair(x(), x()), vec![n(); 2]),
    };
    let f = Function::trace_to(spec.clone(), (scalar(), spec), |mixed| {
        let lists = mixed.lists.iter().flatten().sum::<Scalar>();
        let pairs = mixed.pairs.iter().map(|(x, [n, m])| x * (n - m).to_f64()).sum::<Scalar>();
        let Pair(Pair(a, b), n) = &mixed.nested;
        (lists * pairs + a * b * n[1].to_f64(), mixed.clone())
    });
    let numbers = Mixed {
        lists: [vec![1.0, 2.0, 3.0], vec![], vec![4.0]],
        pairs: vec![(5.0, [7, 6]), (6.0, [8, 6])],
        nested: Pair(Pair(0.5, 8.0), vec![0, 3]),
    };
    let f = f.unwrap();
    for options in executions() {
        let f = f.compile_with(&options).unwrap();
        assert_eq!(f.call(&numbers).unwrap(), (10.0 * 17.0 + 12.0, numbers.clone()));
    }
}

#[test]
fn parameters_stand_for_structs() {
    let layer = Layer { w: vector(2), b: vector(2) };
    let f = Function::trace(Pair(layer.clone(), vec![layer; 2]), |Pair(first, rest)| {
        rest.iter().map(|layer| (first.w * layer.b).sum()).sum::<Scalar>()
    });
    let layer = |x: f64| Layer { w: vec![x; 2], b: vec![10.0 * x; 2] };
    let numbers = Pair(layer(1.0), vec![layer(2.0), layer(3.0)]);
    let f = f.unwrap();
    assert_eq!(f.eval(&numbers).unwrap(), 100.0);
    let Pair(first, rest) = f.grad().unwrap().eval(&numbers).unwrap();
    assert_eq!((first.w, first.b), (vec![50.0; 2], vec![0.0; 2]));
    assert_eq!(rest, vec![Layer { w: vec![0.0; 2], b: vec![1.0; 2] }; 2]);
}

#[test]
fn lists_are_arguments_and_results() {
    let f = Function::trace_to(
        (vec![scalar(); 3], [vector(2), vector(2)]),
        [scalar(), scalar()],
        |(x, [a, b])| [x.iter().sum::<Scalar>(), a.inner(b)],
    );
    let f = f.unwrap();
    assert_eq!(f.eval((&[1.0, 2.0, 3.0], &[vec![1.0, 2.0], vec![3.0, 4.0]])).unwrap(), [6.0, 11.0]);
    let jacobian = f.wrt::<0>().jacobian().unwrap();
    let jacobian = jacobian.eval((&[1.0, 2.0, 3.0], &[vec![1.0, 2.0], vec![3.0, 4.0]])).unwrap();
    assert_eq!(jacobian, [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
}
