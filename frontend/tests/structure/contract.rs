use crate::operations;
use evolute_frontend::{Array, Error, Function, array, einsum, matrix, vector};

fn numbers(count: usize) -> Vec<f64> {
    (0..count).map(|i| (i * i % 7) as f64 - 2.5).collect()
}

#[test]
fn products_of_matrices_are_one_dot() -> Result<(), Error> {
    let f = Function::trace((matrix(2, 3), matrix(3, 2)), |(a, b)| a.dot(b))?;
    assert_eq!(operations(&f), ["view", "view", "dot", "view"]);
    let product = f.eval((&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[1.0, 0.0, 0.0, 1.0, 1.0, 1.0]))?;
    assert_eq!(product, [4.0, 5.0, 10.0, 11.0]);
    let f = Function::trace((matrix(2, 3), vector(3)), |(a, x)| x.dot(a.transpose()))?;
    assert_eq!(f.eval((&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[1.0, 1.0, 1.0]))?, [6.0, 15.0]);
    Ok(())
}

#[test]
fn dot_of_higher_ranks_and_matmul() -> Result<(), Error> {
    let (a, b) = (numbers(12), numbers(18));
    let f = Function::trace((array(&[2, 2, 3]), array(&[3, 3, 2])), |(a, b)| {
        assert_eq!(a.dot(b).shape(), [2, 2, 3, 2]);
        a.dot(b)
    })?;
    let result = f.eval((&a, &b))?;
    for (flat, value) in result.iter().enumerate() {
        let (i, j, k) = (flat / 6, flat / 2 % 3, flat % 2);
        let plain: f64 = (0..3).map(|s| a[i * 3 + s] * b[s * 6 + j * 2 + k]).sum();
        assert_eq!(*value, plain);
    }
    let f = Function::trace((array(&[2, 2, 3]), array(&[2, 3, 3])), |(a, b)| a.matmul(b))?;
    let result = f.eval((&a, &b))?;
    for (flat, value) in result.iter().enumerate() {
        let (n, i, j) = (flat / 6, flat / 3 % 2, flat % 3);
        let plain: f64 = (0..3).map(|s| a[n * 6 + i * 3 + s] * b[n * 9 + s * 3 + j]).sum();
        assert_eq!(*value, plain);
    }
    Ok(())
}

/// The sums of products by loops over all labels.
fn naive(subscripts: &str, data: [(&[f64], &[usize]); 2]) -> Vec<f64> {
    let (inputs, result) = subscripts.split_once("->").unwrap();
    let inputs: Vec<&str> = inputs.split(',').collect();
    let mut labels: Vec<(char, usize)> = Vec::new();
    for (input, (_, extents)) in inputs.iter().zip(data) {
        for (c, &extent) in input.chars().zip(extents) {
            if !labels.iter().any(|&(l, _)| l == c) {
                labels.push((c, extent));
            }
        }
    }
    let extent = |c: char| labels.iter().find(|&&(l, _)| l == c).unwrap().1;
    let flat = |text: &str, at: &[usize]| {
        let index = |c: char| at[labels.iter().position(|&(l, _)| l == c).unwrap()];
        text.chars().fold(0, |flat, c| flat * extent(c) + index(c))
    };
    let mut sums = vec![0.0; result.chars().map(extent).product()];
    for number in 0..labels.iter().map(|l| l.1).product::<usize>() {
        let mut rest = number;
        let at: Vec<usize> = labels
            .iter()
            .map(|&(_, extent)| {
                let index = rest % extent;
                rest /= extent;
                index
            })
            .collect();
        let factors = inputs.iter().zip(data).map(|(input, (x, _))| x[flat(input, &at)]);
        sums[flat(result, &at)] += factors.product::<f64>();
    }
    sums
}

#[test]
fn einsum_is_the_sum_over_all_labels() -> Result<(), Error> {
    let cases: [(&str, &[usize], &[usize]); 10] = [
        ("ij,jk->ik", &[2, 3], &[3, 2]),
        ("ij,jk->ki", &[2, 3], &[3, 2]),
        ("ij,ij->", &[2, 3], &[2, 3]),
        ("i,j->ji", &[2], &[3]),
        ("bij,bjk->bik", &[2, 2, 3], &[2, 3, 2]),
        ("ijk,kjl->il", &[2, 3, 2], &[2, 3, 4]),
        ("ii,ij->j", &[3, 3], &[3, 2]),
        ("abi,jcb->acbij", &[2, 3, 2], &[3, 2, 3]),
        ("ij,kl->jl", &[2, 3], &[4, 2]),
        ("i,->i", &[3], &[]),
    ];
    for (subscripts, left, right) in cases {
        let f = Function::trace((array(left), array(right)), |(a, b)| einsum(subscripts, &[*a, *b]))?;
        let (a, b) = (numbers(left.iter().product()), numbers(right.iter().product()));
        assert_eq!(f.eval((&a, &b))?, naive(subscripts, [(&a, left), (&b, right)]), "{subscripts}");
    }
    Ok(())
}

#[test]
fn einsum_of_one_operand() -> Result<(), Error> {
    let cases: [(&str, &[usize]); 6] = [
        ("ij->ji", &[2, 3]),
        ("ij->", &[2, 3]),
        ("ii->", &[3, 3]),
        ("ii->i", &[3, 3]),
        ("iji->j", &[2, 3, 2]),
        ("ijk->kj", &[2, 3, 4]),
    ];
    for (subscripts, extents) in cases {
        let f = Function::trace(array(extents), |a| einsum(subscripts, &[*a]))?;
        let a = numbers(extents.iter().product());
        let expected = naive(subscripts, [(&a, extents), (&[], &[])]);
        assert_eq!(f.eval(&a)?, expected, "{subscripts}");
    }
    Ok(())
}

#[test]
fn diagonals_outer_and_inner_products() -> Result<(), Error> {
    let f = Function::trace(array(&[2, 2, 2]), |a| a.trace())?;
    assert_eq!(f.eval(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])?, [5.0, 13.0]);
    let f = Function::trace((matrix(1, 2), vector(2)), |(a, x)| {
        let outer: Array = a.outer(x);
        assert_eq!(outer.shape(), [1, 2, 2]);
        outer.sum() + a.inner(x.reshape(&[1, 2]))
    })?;
    assert_eq!(f.eval((&[1.0, 2.0], &[3.0, 5.0]))?, 24.0 + 13.0);
    Ok(())
}

#[test]
fn einsum_of_several_operands() -> Result<(), Error> {
    let (a, b, c) = (numbers(6), numbers(8), numbers(8));
    let term = |i: usize, j: usize, k: usize, l: usize| a[2 * i + j] * b[4 * j + k] * c[2 * k + l];
    for (subscripts, shape) in [("ij,jk,kl->il", &[3, 2][..]), ("ij,jk,kl->", &[]), ("ij,jk,kl->lj", &[2, 2])]
    {
        let f = Function::trace((matrix(3, 2), matrix(2, 4), matrix(4, 2)), |(a, b, c)| {
            let product = einsum(subscripts, &[*a, *b, *c]);
            assert_eq!(product.shape(), shape);
            product
        })?;
        assert!(!operations(&f).contains(&"loop".to_string()), "{f}");
        let mut expected = vec![0.0; shape.iter().product()];
        for flat in 0..3 * 2 * 4 * 2 {
            let (i, j, k, l) = (flat / 16, flat / 8 % 2, flat / 2 % 4, flat % 2);
            let place = match shape {
                [3, 2] => 2 * i + l,
                [] => 0,
                _ => 2 * l + j,
            };
            expected[place] += term(i, j, k, l);
        }
        assert_eq!(f.eval((&a, &b, &c))?, expected, "{subscripts}");
        assert!(f.check_derivatives((&a, &b, &c))?.passed(), "{subscripts}");
    }
    Ok(())
}
