//! Constants of the trigonometric functions; written by `generate.py`.
//!
//! [`HALF_PI`] is `π/2` in pieces, the first three of 33 bits, so that their products with an integer
//! below `2^20` are exact. [`TWO_OVER_PI`] are the first bits of `2/π`, enough for the largest number.

/// `π/2` as a sum.
pub(crate) const HALF_PI: [f64; 4] =
    [1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21, 8.4784276603689e-32];

/// `π/2` rounded.
pub(crate) const HALF_PI_HI: f64 = 1.5707963267948966;

/// The rest of `π/2`.
pub(crate) const HALF_PI_LO: f64 = 6.123233995736766e-17;

/// `2/π` rounded.
pub(crate) const INV_HALF_PI: f64 = 0.6366197723675814;

/// `(sin x - x) / x³` as a polynomial in `x²` for `|x| <= π/4`, relative to `1/x²`.
pub(crate) const SIN: [f64; 6] = [
    -0.16666666666666632,
    0.008333333333322441,
    -0.00019841269829830668,
    2.7557313700191288e-06,
    -2.5050759460703152e-08,
    1.5896876374620763e-10,
];

/// `(cos x - 1 + x²/2) / x⁴` as a polynomial in `x²` for `|x| <= π/4`.
pub(crate) const COS: [f64; 6] = [
    0.0416666666666666,
    -0.0013888888888874162,
    2.4801587289506318e-05,
    -2.7557314359615936e-07,
    2.0875724302989364e-09,
    -1.1359703069355147e-11,
];

/// 64 zeros and the binary digits of `2/π` after the point.
pub(crate) static TWO_OVER_PI: [u64; 21] = [
    0x0000000000000000,
    0xa2f9836e4e441529,
    0xfc2757d1f534ddc0,
    0xdb6295993c439041,
    0xfe5163abdebbc561,
    0xb7246e3a424dd2e0,
    0x06492eea09d1921c,
    0xfe1deb1cb129a73e,
    0xe88235f52ebb4484,
    0xe99c7026b45f7e41,
    0x3991d639835339f4,
    0x9c845f8bbdf9283b,
    0x1ff897ffde05980f,
    0xef2f118b5a0a6d1f,
    0x6d367ecf27cb09b7,
    0x4f463f669e5fea2d,
    0x7527bac7ebe5f17b,
    0x3d0739f78a5292ea,
    0x6bfb5fb11f8d5d08,
    0x56033046fc7b6bab,
    0xf0cfbc209af4361d,
];
