//! Dense linear algebra: factorisations give the matrix back, solves leave no residual, bad matrices panic nothing.

use evolute_kernels::Dense;
use std::mem::MaybeUninit;

const SIZES: [usize; 7] = [0, 1, 2, 3, 7, 33, 150];

/// Numbers between −1 and 1.
fn numbers(seed: u64, count: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// The result of a function, of so many elements.
fn run(function: Dense, operands: [&[f64]; 2], [m, n]: [usize; 2], len: usize) -> Vec<f64> {
    let mut result = vec![f64::MAX; len];
    function.run(operands, &mut result, &mut function.scratch(m, n), [m, n]);
    result
}

/// `[m, k]` times `[k, n]`.
fn product(a: &[f64], b: &[f64], [m, k, n]: [usize; 3]) -> Vec<f64> {
    let element = |i: usize, j: usize| (0..k).map(|l| a[i * k + l] * b[l * n + j]).sum();
    (0..m * n).map(|flat| element(flat / n, flat % n)).collect()
}

fn transposed(a: &[f64], [m, n]: [usize; 2]) -> Vec<f64> {
    (0..m * n).map(|flat| a[flat % m * n + flat / m]).collect()
}

fn identity(n: usize) -> Vec<f64> {
    (0..n * n).map(|flat| if flat / n == flat % n { 1.0 } else { 0.0 }).collect()
}

#[track_caller]
fn close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found - expected).abs();
        assert!(error <= tolerance * expected.abs().max(1.0), "element {i}: {found}, expected {expected}");
    }
}

/// A symmetric matrix with eigenvalues between 1 and about 3.
fn positive(seed: u64, n: usize) -> Vec<f64> {
    let a = numbers(seed, n * n);
    let mut square = product(&a, &transposed(&a, [n, n]), [n, n, n]);
    for (flat, x) in square.iter_mut().enumerate() {
        *x = *x / n as f64 + if flat / n == flat % n { 1.0 } else { 0.0 };
    }
    square
}

#[test]
fn cholesky_factors_give_the_matrix_back() {
    for n in SIZES {
        let a = positive(1, n);
        let l = run(Dense::Cholesky, [&a, &[]], [n, n], n * n);
        assert!((0..n * n).all(|flat| flat % n <= flat / n || l[flat] == 0.0));
        close(&product(&l, &transposed(&l, [n, n]), [n, n, n]), &a, 1e-13);
        // Only the symmetric part counts.
        let skew = numbers(2, n * n);
        let turned = transposed(&skew, [n, n]);
        let moved: Vec<f64> = a.iter().zip(skew.iter().zip(&turned)).map(|(a, (s, t))| a + s - t).collect();
        close(&run(Dense::Cholesky, [&moved, &[]], [n, n], n * n), &l, 1e-12);
    }
}

#[test]
fn solves_leave_no_residual() {
    for (n, columns) in SIZES.into_iter().flat_map(|n| [0, 1, 2, 40].map(|columns| (n, columns))) {
        let b = numbers(3, n * columns);
        let mut a = numbers(4, n * n);
        (0..n).for_each(|i| a[i * n + i] += n as f64);
        let turned = transposed(&a, [n, n]);
        let f = run(Dense::Lu, [&a, &[]], [n, n], (n + 1) * n);
        for (function, matrix) in [(Dense::LuSolve, &a), (Dense::LuSolveTransposed, &turned)] {
            let x = run(function, [&f, &b], [n, columns], n * columns);
            close(&product(matrix, &x, [n, n, columns]), &b, 1e-13);
        }
        let triangle = |upper: bool| -> Vec<f64> {
            let read = |flat: usize| if upper { flat / n <= flat % n } else { flat / n >= flat % n };
            (0..n * n).map(|flat| if read(flat) { a[flat] } else { 0.0 }).collect()
        };
        for (function, upper, turn) in [
            (Dense::SolveLower, false, false),
            (Dense::SolveUpper, true, false),
            (Dense::SolveLowerTransposed, false, true),
            (Dense::SolveUpperTransposed, true, true),
        ] {
            let mut matrix = triangle(upper);
            let mut unread = a.clone();
            let read: Vec<bool> = matrix.iter().map(|&x| x != 0.0).collect();
            unread.iter_mut().zip(read).filter(|(_, read)| !read).for_each(|(x, _)| *x = f64::NAN);
            let x = run(function, [&unread, &b], [n, columns], n * columns);
            if turn {
                matrix = transposed(&matrix, [n, n]);
            }
            close(&product(&matrix, &x, [n, n, columns]), &b, 1e-13);
        }
    }
}

#[test]
fn determinants() {
    let det = |a: &[f64], n: usize| {
        let f = run(Dense::Lu, [a, &[]], [n, n], (n + 1) * n);
        [Dense::Det, Dense::LogDet, Dense::DetSign].map(|function| run(function, [&f, &[]], [n + 1, n], 1)[0])
    };
    assert_eq!(det(&[], 0), [1.0, 0.0, 1.0]);
    assert_eq!(det(&[-3.0], 1), [-3.0, evolute_kernels::ln(3.0), -1.0]);
    assert_eq!(det(&[0.0, 2.0, 4.0, 1.0], 2), [-8.0, evolute_kernels::ln(8.0), -1.0]);
    // A cyclic order of three rows is even.
    assert_eq!(det(&[0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0], 3), [1.0, 0.0, 1.0]);
    for singular in [&[0.0; 9][..], &[1.0, 2.0, 3.0, 2.0, 4.0, 6.0, 1.0, 0.0, 1.0]] {
        assert_eq!(det(singular, 3), [0.0, f64::NEG_INFINITY, 0.0]);
    }
    let large = [1e200, 0.0, 0.0, 1e200];
    assert_eq!(det(&large, 2)[0], f64::INFINITY);
    close(&det(&large, 2)[1..], &[400.0 * 10f64.ln(), 1.0], 1e-15);
    assert!(det(&[1.0, f64::NAN, 0.0, 0.0], 2).iter().all(|x| x.is_nan()));
}

#[test]
fn eigenvalues_and_eigenvectors_give_the_matrix_back() {
    for (n, scale) in SIZES.into_iter().flat_map(|n| [1.0, 1e300, 1e-300].map(|scale| (n, scale))) {
        let mut a = numbers(5, n * n);
        a.iter_mut().for_each(|x| *x *= scale);
        let turned = transposed(&a, [n, n]);
        let symmetric: Vec<f64> = a.iter().zip(&turned).map(|(x, y)| (x + y) / 2.0 / scale).collect();
        let e = run(Dense::Eigen, [&a, &[]], [n, n], (n + 1) * n);
        let (w, v) = e.split_at(n);
        assert!(w.is_sorted());
        let scaled: Vec<f64> = v.iter().enumerate().map(|(flat, x)| x * (w[flat % n] / scale)).collect();
        close(&product(&scaled, &transposed(v, [n, n]), [n, n, n]), &symmetric, 1e-12);
        close(&product(&transposed(v, [n, n]), v, [n, n, n]), &identity(n), 1e-12);
        for j in 0..n {
            let vector: Vec<f64> = (0..n).map(|i| v[i * n + j]).collect();
            let largest = vector.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
            assert!(vector.iter().find(|x| x.abs() >= 0.9 * largest).is_some_and(|&x| x > 0.0));
        }
    }
}

#[test]
fn orthonormal_times_triangular_gives_the_matrix_back() {
    for (m, n) in SIZES.into_iter().flat_map(|n| [(n, n), (n + 1, n), (3 * n + 2, n)]) {
        let a = numbers(6, m * n);
        let h = run(Dense::Qr, [&a, &[]], [m, n], (m + n) * n);
        let (q, r) = h.split_at(m * n);
        close(&product(q, r, [m, n, n]), &a, 1e-12);
        close(&product(&transposed(q, [m, n]), q, [n, m, n]), &identity(n), 1e-12);
        assert!((0..n).all(|i| r[i * n + i] >= 0.0 && r[i * n..][..i].iter().all(|&x| x == 0.0)));
    }
}

/// A matrix without full rank has a factorisation too.
#[test]
fn dependent_columns() {
    for m in [2, 5, 60] {
        let column = numbers(7, m);
        let a: Vec<f64> = column.iter().flat_map(|&x| [x, 2.0 * x]).collect();
        let h = run(Dense::Qr, [&a, &[]], [m, 2], (m + 2) * 2);
        let (q, r) = h.split_at(m * 2);
        close(&product(q, r, [m, 2, 2]), &a, 1e-14);
        assert!(r[3].abs() < 1e-14);
    }
}

#[test]
fn what_has_no_factorisation_is_nan() {
    let indefinite = [1.0, 2.0, 2.0, 1.0];
    let l = run(Dense::Cholesky, [&indefinite, &[]], [2, 2], 4);
    assert!(l[1] == 0.0 && [l[0], l[2], l[3]].iter().all(|x| x.is_nan()), "{l:?}");
    for (n, bad) in [1, 2, 40].into_iter().flat_map(|n| [f64::NAN, f64::INFINITY].map(|bad| (n, bad))) {
        let mut a = positive(8, n);
        a[n * n - 1] = bad;
        let l = run(Dense::Cholesky, [&a, &[]], [n, n], n * n);
        assert!((0..n * n).all(|flat| l[flat].is_nan() || flat % n > flat / n));
        for (function, rows) in [(Dense::Lu, n + 1), (Dense::Eigen, n + 1), (Dense::Qr, 2 * n)] {
            assert!(run(function, [&a, &[]], [n, n], rows * n).iter().all(|x| x.is_nan()), "{function:?}");
        }
    }
}

/// Numbers of every kind, also where a factorisation is expected.
#[test]
fn nothing_panics_or_goes_on_forever() {
    let special = [0.0, -0.0, 1.0, -1.0, f64::NAN, f64::INFINITY, f64::MAX, f64::MIN_POSITIVE, 5e-324, 1e9];
    let mut chosen = numbers(9, 4000).into_iter().cycle().map(|x| special[((x + 1.0) * 5.0) as usize % 10]);
    for function in Dense::ALL {
        for [m, n] in [[1, 1], [2, 2], [5, 5], [17, 17]] {
            for mixed in [true, false] {
                let finite = |x: f64| if mixed || x.is_finite() { x } else { 2.0 };
                let mut array =
                    || (0..(m + n) * n).map(|_| finite(chosen.next().unwrap())).collect::<Vec<f64>>();
                let (a, b) = (array(), array());
                run(function, [&a, &b], [m, n], (m + n) * n);
            }
        }
    }
}

/// The result does not depend on where operands, result and scratch memory lie, nor on what that holds.
#[test]
fn addresses_do_not_matter() {
    for n in [3, 8, 40, 150] {
        let (a, b) = (positive(10, n), numbers(11, n * n));
        for function in Dense::ALL {
            let f = match function {
                Dense::LuSolve | Dense::LuSolveTransposed | Dense::Det | Dense::LogDet | Dense::DetSign => {
                    run(Dense::Lu, [&a, &[]], [n, n], (n + 1) * n)
                }
                _ => a.clone(),
            };
            let len = 2 * n * n;
            let expected = run(function, [&f, &b], [n, n], len);
            for shift in 1..4 {
                let moved = |x: &[f64]| [&vec![0.0; shift], x].concat();
                let (f, b) = (moved(&f), moved(&b));
                let mut result = vec![f64::MAX; len + shift];
                let mut scratch = vec![MaybeUninit::new(f64::NAN); function.scratch_len([n, n]) + shift];
                function.run([&f[shift..], &b[shift..]], &mut result[shift..], &mut scratch[shift..], [n, n]);
                let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!(
                    bits(&result[shift..]),
                    bits(&expected),
                    "{function:?}, n = {n}, moved by {shift}"
                );
            }
        }
    }
}
