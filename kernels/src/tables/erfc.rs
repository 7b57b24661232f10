//! Constants of `erfc` between 0.7 and 1.25; written by `generate.py`.

/// Where the polynomial is centred.
pub(crate) const ERFC_CENTER: f64 = 0.9765625;

/// `erfc` there, rounded.
pub(crate) const ERFC_AT_CENTER: f64 = 0.16725807446154595;

/// The rest of it.
pub(crate) const ERFC_AT_CENTER_LO: f64 = 1.1554456791923112e-17;

/// `(erfc(c + s) - erfc c) / s`.
pub(crate) const ERFC: [f64; 15] = [
    -0.4347900192649356,
    0.42459962818841374,
    -0.13150204318018574,
    -0.07732322737459044,
    0.06965499864712046,
    -0.0020546259023330386,
    -0.01601124616261028,
    0.004349272447050645,
    0.002169445084373777,
    -0.001196918535818512,
    -0.0001424751677522035,
    0.00020445704360060315,
    -1.0650743819063483e-05,
    -2.4780672740681728e-05,
    4.547721639101111e-06,
];
