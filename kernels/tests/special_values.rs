//! Values at the ends of the number range, exact results, symmetries and shapes, in both builds.

use evolute_kernels::{Kernel, Signature, Table, baseline, table};
use std::f64::consts::{FRAC_PI_2, LN_2, PI};

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;
const MIN_SUBNORMAL: f64 = 5e-324;

fn builds() -> [&'static Table; 2] {
    [table(), baseline()]
}

/// Equality of bits, where all NaNs are equal.
fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

fn check_unary(kernel: Kernel, cases: &[(f64, f64)]) {
    for table in builds() {
        for &(x, expected) in cases {
            let got = table.unary(kernel, x);
            assert!(same(got, expected), "{kernel:?}({x:e}) = {got:e}, expected {expected:e}");
        }
    }
}

fn check_binary(kernel: Kernel, cases: &[(f64, f64, f64)]) {
    for table in builds() {
        for &(x, y, expected) in cases {
            let got = table.binary(kernel, x, y);
            assert!(same(got, expected), "{kernel:?}({x:e}, {y:e}) = {got:e}, expected {expected:e}");
        }
    }
}

fn check_int(kernel: Kernel, cases: &[(f64, i64, f64)]) {
    for table in builds() {
        for &(x, n, expected) in cases {
            let got = table.unary_int(kernel, x, n);
            assert!(same(got, expected), "{kernel:?}({x:e}, {n}) = {got:e}, expected {expected:e}");
        }
    }
}

#[test]
fn nan_gives_nan() {
    for kernel in Kernel::ALL {
        let got = match kernel.signature() {
            Signature::Unary => table().unary(kernel, NAN),
            Signature::Binary => table().binary(kernel, NAN, 2.5),
            Signature::Ternary => table().ternary(kernel, NAN, 2.5, 1.0),
            Signature::UnaryInt => table().unary_int(kernel, NAN, 5),
        };
        assert!(got.is_nan(), "{kernel:?}");
    }
}

#[test]
fn exponentials() {
    let exp = [(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (1e308, INF), (-1e308, 0.0), (710.0, INF)];
    check_unary(Kernel::Exp, &exp);
    check_unary(Kernel::Exp, &[(-745.0, MIN_SUBNORMAL), (-746.0, 0.0), (MIN_SUBNORMAL, 1.0)]);
    check_unary(Kernel::Exp2, &exp[..6]);
    check_unary(
        Kernel::Exp2,
        &[(10.0, 1024.0), (-1074.0, MIN_SUBNORMAL), (1023.0, 2f64.powi(1023)), (1024.0, INF)],
    );
    check_unary(
        Kernel::Expm1,
        &[(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -1.0), (-1e3, -1.0), (1e3, INF)],
    );
    check_unary(Kernel::Expm1, &[(MIN_SUBNORMAL, MIN_SUBNORMAL), (-1e-310, -1e-310)]);
    check_unary(Kernel::Gaussian, &[(0.0, 1.0), (INF, 0.0), (-INF, 0.0), (1e300, 0.0), (1e-300, 1.0)]);
}

#[test]
fn logarithms() {
    for kernel in [Kernel::Ln, Kernel::Log2, Kernel::Log10] {
        check_unary(kernel, &[(1.0, 0.0), (0.0, -INF), (-0.0, -INF), (-1.0, NAN), (-INF, NAN), (INF, INF)]);
        check_unary(kernel, &[(-MIN_SUBNORMAL, NAN)]);
    }
    for i in -1074..1024 {
        let power = f64::from_bits(if i < -1022 { 1 << (i + 1074) } else { ((i + 1023) as u64) << 52 });
        check_unary(Kernel::Log2, &[(power, f64::from(i))]);
    }
    for i in 0..23 {
        let power: f64 = format!("1e{i}").parse().expect("number");
        check_unary(Kernel::Log10, &[(power, f64::from(i))]);
    }
    let log1p = [(0.0, 0.0), (-0.0, -0.0), (-1.0, -INF), (-1.5, NAN), (INF, INF), (-INF, NAN)];
    check_unary(Kernel::Log1p, &log1p);
    check_unary(Kernel::Log1p, &[(MIN_SUBNORMAL, MIN_SUBNORMAL), (-1e-310, -1e-310), (1e-20, 1e-20)]);
}

#[test]
fn circular() {
    for kernel in [Kernel::Sin, Kernel::Tan] {
        check_unary(
            kernel,
            &[(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN), (MIN_SUBNORMAL, MIN_SUBNORMAL)],
        );
    }
    check_unary(Kernel::Cos, &[(0.0, 1.0), (-0.0, 1.0), (INF, NAN), (-INF, NAN), (MIN_SUBNORMAL, 1.0)]);
    check_unary(Kernel::Sin, &[(1e22, -0.852_200_849_767_188_8), (PI, 1.224_646_799_147_353_2e-16)]);
    check_unary(Kernel::Tan, &[(FRAC_PI_2, 1.633_123_935_319_537e16), (1e6, -0.373_624_453_987_599)]);
    for kernel in [Kernel::Asin, Kernel::Acos] {
        check_unary(kernel, &[(1.1, NAN), (-INF, NAN)]);
    }
    check_unary(Kernel::Atan, &[(-0.0, -0.0), (INF, FRAC_PI_2), (-INF, -FRAC_PI_2)]);
    check_binary(
        Kernel::Atan2,
        &[(0.0, -1.0, PI), (-0.0, -1.0, -PI), (0.0, 0.0, 0.0), (1.0, 0.0, FRAC_PI_2)],
    );
}

#[test]
fn hyperbolic() {
    check_unary(
        Kernel::Sinh,
        &[(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF), (711.0, INF), (-1e300, -INF)],
    );
    check_unary(Kernel::Cosh, &[(0.0, 1.0), (INF, INF), (-INF, INF), (711.0, INF)]);
    check_unary(Kernel::Tanh, &[(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (30.0, 1.0)]);
    check_unary(Kernel::Tanh, &[(MIN_SUBNORMAL, MIN_SUBNORMAL), (-1e-310, -1e-310)]);
    check_unary(Kernel::Asinh, &[(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF), (1e-310, 1e-310)]);
    check_unary(Kernel::Acosh, &[(1.0, 0.0), (0.9, NAN), (INF, INF), (-INF, NAN)]);
    check_unary(Kernel::Atanh, &[(0.0, 0.0), (-0.0, -0.0), (1.0, INF), (-1.0, -INF), (1.1, NAN), (INF, NAN)]);
}

#[test]
fn statistics() {
    check_unary(
        Kernel::Sigmoid,
        &[(0.0, 0.5), (INF, 1.0), (-INF, 0.0), (-745.0, MIN_SUBNORMAL), (800.0, 1.0)],
    );
    check_unary(
        Kernel::Softplus,
        &[(0.0, LN_2), (INF, INF), (-INF, 0.0), (-745.0, MIN_SUBNORMAL), (800.0, 800.0)],
    );
    check_unary(Kernel::Erf, &[(-0.0, -0.0), (INF, 1.0), (-INF, -1.0)]);
    check_unary(Kernel::Erfc, &[(0.0, 1.0), (INF, 0.0), (-INF, 2.0), (28.0, 0.0), (-7.0, 2.0)]);
    let log_add_exp =
        [(INF, 1.0, INF), (-INF, 1.0, 1.0), (-INF, -INF, -INF), (INF, INF, INF), (INF, -INF, INF)];
    check_binary(Kernel::LogAddExp, &log_add_exp);
    let extreme = [(1e308, -1e308, 1e308), (0.0, 0.0, LN_2), (800.0, -800.0, 800.0), (1e308, 1e308, 1e308)];
    check_binary(Kernel::LogAddExp, &extreme);
}

#[test]
fn gamma_family() {
    check_unary(Kernel::LnGamma, &[(1.0, 0.0), (2.0, 0.0), (0.0, INF), (-1.0, INF), (-3.0, INF), (INF, INF)]);
    check_unary(
        Kernel::Digamma,
        &[
            (0.0, NAN),
            (-0.0, NAN),
            (-1.0, NAN),
            (INF, INF),
            (-INF, NAN),
            (1e-300, -9.999999999999999e299),
            (1e-310, -INF),
        ],
    );
    check_int(
        Kernel::Polygamma,
        &[(1.0, -1, NAN), (0.0, 1, NAN), (-2.0, 3, NAN), (INF, 1, 0.0), (-INF, 1, NAN)],
    );
    check_int(
        Kernel::Polygamma,
        &[(1e-200, 3, INF), (1e-200, 2, -INF), (1e200, 5, 0.0), (1.0, i64::MAX, INF)],
    );
    for k in [150, 171, 500, 4095, 5000, 1 << 40, i64::MAX] {
        for x in [1e-300, 0.5, 1.0, 100.0, 1e5, 1e300, -0.5, -100.3] {
            let values = builds().map(|t| t.unary_int(Kernel::Polygamma, x, k));
            assert!(x < 0.0 || values.iter().all(|v| !v.is_nan()), "polygamma({x}, {k}) = {values:?}");
        }
    }
}

#[test]
fn powers() {
    let bases = [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, 1e-310, -1e-310, 1e308, INF, -INF, NAN, 0.999];
    let exponents =
        [0.0, -0.0, 1.0, -1.0, 2.0, 3.0, -3.0, 0.5, -0.5, 1e19, -1e300, 1e308, INF, -INF, NAN, 2.5];
    for x in bases {
        for y in exponents {
            let expected = x.powf(y);
            if !expected.is_finite() || expected == 0.0 || expected.abs() == 1.0 {
                check_binary(Kernel::Pow, &[(x, y, expected)]);
            }
        }
    }
    check_binary(Kernel::Pow, &[(10.0, 10.0, 1e10), (2.0, -1074.0, MIN_SUBNORMAL), (10.0, 22.0, 1e22)]);
    check_binary(
        Kernel::Pow,
        &[
            (-2.0, 3.0, -8.0),
            (-8.0, 1.0 / 3.0, NAN),
            (5e-324, 1.0, 5e-324),
            (3.0, 33.0, 5_559_060_566_555_523.0),
        ],
    );
}

#[test]
fn integer_powers() {
    for x in [0.1, -3.7, 1e200, 1e-200, 0.0, -0.0, INF, -INF, 1e-310] {
        check_int(
            Kernel::Powi,
            &[(x, 0, 1.0), (x, 1, x), (x, 2, x * x), (x, 3, (x * x) * x), (x, -1, 1.0 / x)],
        );
    }
    check_int(
        Kernel::Powi,
        &[(NAN, 0, 1.0), (NAN, 5, NAN), (0.0, -3, INF), (-0.0, -3, -INF), (-0.0, -4, INF)],
    );
    check_int(
        Kernel::Powi,
        &[(2.0, i64::MIN, 0.0), (0.5, i64::MIN, INF), (1.0, i64::MIN, 1.0), (-1.0, i64::MIN, 1.0)],
    );
    check_int(
        Kernel::Powi,
        &[(-1.0, i64::MAX, -1.0), (10.0, 22, 1e22), (-2.0, -1074, MIN_SUBNORMAL), (-INF, -3, -0.0)],
    );
}

/// Halfway between two poles the periodic part of the reflection formula is 0 in even orders, and the rest may be small.
#[test]
fn even_polygammas_halfway_between_poles() {
    for table in builds() {
        for k in [0, 2, 4, 10] {
            for x in [-0.5, -3.5, -1021.5, -1e6 - 0.5, -1e12 - 0.5] {
                let far = table.unary_int(Kernel::Polygamma, 1.0 - x, k);
                assert_eq!(table.unary_int(Kernel::Polygamma, x, k), far, "order {k} at {x}");
            }
        }
        // Of the digits by multi-precision arithmetic.
        let found = table.unary_int(Kernel::Polygamma, -1021.5, 2);
        assert!((found / -9.574_103_199_737_827e-7 - 1.0).abs() < 1e-15, "{found:e}");
    }
}

#[test]
fn arithmetic() {
    check_binary(Kernel::Hypot, &[(INF, NAN, INF), (3.0, 4.0, 5.0), (3e307, 4e307, 5e307), (0.0, -0.0, 0.0)]);
    check_binary(
        Kernel::Rem,
        &[(5.5, 2.0, 1.5), (-5.5, 2.0, -1.5), (-4.0, 2.0, -0.0), (1.0, 0.0, NAN), (1.0, INF, 1.0)],
    );
    let z = -(1.0 + 2f64.powi(-26));
    for table in builds() {
        let x = 1.0 + 2f64.powi(-27);
        assert_eq!(table.ternary(Kernel::MulAdd, x, x, z), 2f64.powi(-54));
        assert_eq!(table.ternary(Kernel::MulAdd, 1e200, 1e200, -INF), -INF);
        assert_eq!(table.ternary(Kernel::MulAdd, 1e-200, 1e-200, MIN_SUBNORMAL), MIN_SUBNORMAL);
    }
}

#[test]
fn odd_and_even_functions() {
    use Kernel::*;
    for i in 0..4000 {
        let x = f64::from(i) * 0.17 - 300.0;
        for table in builds() {
            for kernel in [Sin, Tan, Sinh, Tanh, Asinh, Atan, Erf, Cbrt] {
                assert!(same(table.unary(kernel, -x), -table.unary(kernel, x)), "{kernel:?} at {x}");
            }
            for kernel in [Cos, Cosh, Gaussian] {
                assert!(same(table.unary(kernel, -x), table.unary(kernel, x)), "{kernel:?} at {x}");
            }
        }
    }
}

#[test]
fn monotone_across_table_cells() {
    use Kernel::*;
    for table in builds() {
        for kernel in [Exp, Exp2, Expm1, Ln, Log2, Log10, Log1p, Tanh, Sinh, Asinh, Sigmoid, Erf] {
            let at = |i: u64| table.unary(kernel, f64::from_bits(i));
            for center in (0..600).map(|i| (0.02 + f64::from(i) * 0.013_f64).to_bits()) {
                assert!((center..center + 8).all(|i| at(i) <= at(i + 1)), "{kernel:?} near {center:x}");
            }
        }
    }
}
