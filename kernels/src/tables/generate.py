"""Writes the tables exp.rs, ln.rs, trig.rs and erfc.rs of this directory.

Every number is computed with mpmath at 200 digits and rounded once. Polynomials are weighted
minimax fits (Remez). Usage: python3 generate.py; rustfmt *.rs
"""

from mpmath import mp, mpf, matrix, lu_solve
import struct

mp.prec = 1500
EPS = mpf("1e-30")


def bits(x):
    return struct.unpack("<Q", struct.pack("<d", float(x)))[0]


def from_bits(b):
    return struct.unpack("<d", struct.pack("<Q", b))[0]


def rounded(x, grid):
    """The multiple of 2^-grid nearest to x."""
    return mp.nint(mpf(x) * mpf(2) ** grid) / mpf(2) ** grid


def remez(f, weight, lo, hi, terms):
    """Coefficients of the polynomial p that minimises max |weight * (f - p)| on [lo, hi]."""
    lo, hi = mpf(lo), mpf(hi)
    n = terms + 1
    points = [(lo + hi) / 2 + (hi - lo) / 2 * mp.cos(mp.pi * (i + mpf(1) / 2) / n) for i in range(n)]
    scale = max(abs(lo), abs(hi))
    for _ in range(12):
        a, b = matrix(n, n), matrix(n, 1)
        for i, t in enumerate(points):
            for j in range(terms):
                a[i, j] = (t / scale) ** j
            a[i, terms] = (-1) ** i / weight(t)
            b[i] = f(t)
        solution = lu_solve(a, b)
        coefficients = [solution[j] / scale**j for j in range(terms)]
        error = lambda t: weight(t) * (f(t) - mp.polyval(coefficients[::-1], t))
        grid = [lo + (hi - lo) * i / 2001 for i in range(1, 2001)]
        values = [error(t) for t in grid]
        peaks, current = [], 0
        for i in range(1, len(values)):
            if values[i] * values[current] < 0:
                peaks.append(current)
                current = i
            elif abs(values[i]) > abs(values[current]):
                current = i
        peaks.append(current)
        if len(peaks) < n:
            break
        while len(peaks) > n:
            peaks.pop(0 if abs(values[peaks[0]]) < abs(values[peaks[-1]]) else -1)
        points = [grid[i] for i in peaks]
    print("  fit of %d terms: 2^%.2f" % (terms, float(mp.log(max(abs(v) for v in values), 2))))
    return coefficients


def literal(x):
    text = repr(float(x))
    return text if "." in text or "e" in text else text + ".0"


def const(name, x, doc):
    return "/// %s\npub(crate) const %s: f64 = %s;\n" % (doc, name, literal(x))


def poly(name, coefficients, doc):
    body = ", ".join(literal(c) for c in coefficients)
    return "/// %s\npub(crate) const %s: [f64; %d] = [%s];\n" % (doc, name, len(coefficients), body)


def header(text):
    return "\n".join("//! " + l if l else "//!" for l in text.strip().split("\n")) + "\n"


def write(name, *parts):
    with open(name, "w") as out:
        out.write("\n".join(parts))


# ---- exp -----------------------------------------------------------------------------------------

N = 128
rows = []
for i in range(N):
    exact = mpf(2) ** (mpf(i) / N)
    head = mpf(float(exact))
    tail = exact / head - 1
    rows.append("    (%s, 0x%016x)," % (literal(tail), (bits(head) - (i << 45)) & (2**64 - 1)))

half = mp.log(2) / N / 2 * mpf("1.001")
p_exp = remez(lambda r: (mp.expm1(r) - r) / r**2 if abs(r) > EPS else mpf(1) / 2, lambda r: abs(r) + half / 1000, -half, half, 4)
half2 = mpf(1) / N / 2 * mpf("1.001")
p_exp2 = remez(lambda r: (mpf(2) ** r - 1 - r * mp.log(2)) / r**2 if abs(r) > EPS else mp.log(2) ** 2 / 2,
               lambda r: abs(r) + half / 1000, -half2, half2, 4)
ln2 = mp.log(2)
ln2_n_hi = rounded(ln2 / N, 43)
write("exp.rs",
      header("""
Constants of the exponentials; written by `generate.py`.

The argument is split into `k ln2 / 128 + r`. Row `i` of [`POWERS`] holds `2^(i/128) = h (1 + tail)`
as `(tail, bits(h) - (i << 45))`: adding `k << 45` to the second gives the bits of `2^(k/128)`.
"""),
      const("STEPS_PER_LN2", N / ln2, "`128 / ln 2`."),
      const("LN2_STEP_HI", ln2_n_hi, "`ln 2 / 128`, so short that its product with any `k` in use is exact."),
      const("LN2_STEP_LO", ln2 / N - ln2_n_hi, "The rest of `ln 2 / 128`."),
      const("LN2_HI", mpf(float(ln2)), "`ln 2` rounded."),
      const("LN2_LO", ln2 - mpf(float(ln2)), "The rest of `ln 2`."),
      poly("EXP", p_exp, "`(e^r - 1 - r) / r²` for `|r| <= ln 2 / 256`, relative to `r`."),
      poly("EXP2", p_exp2, "`(2^r - 1 - r ln 2) / r²` for `|r| <= 1 / 256`, relative to `r`."),
      "/// `2^(i/128)` as `(tail, bits)`.\npub(crate) static POWERS: [(f64, u64); %d] = [\n%s\n];\n" % (N, "\n".join(rows)))

# ---- ln ------------------------------------------------------------------------------------------

OFFSET = 0x3FE6955500000000


def best_inverse(a, b):
    """The short number near 1/z for a <= z <= b with all z * inverse - 1 exact and smallest."""
    best = None
    for grid in (6, 7, 8, 9):
        near = rounded(2 / (a + b), grid)
        size = max(abs(a * near - 1), abs(b * near - 1))
        exact = size <= mpf(2) ** (-grid if b < 1 else 1 - grid)
        if exact and (best is None or size < best[0]):
            best = (size, near)
    return best[1]


rows, worst, ratio = [], (mpf(0), mpf(0)), mpf(0)
for i in range(N):
    first, last = OFFSET + (i << 45), OFFSET + ((i + 1) << 45) - 1
    a, b = mpf(from_bits(first)), mpf(from_bits(last))
    if a <= 1 <= b:
        inverse = mpf(1)
    else:
        inverse = best_inverse(a, b)
    log = -mp.log(inverse)
    log_hi = rounded(log, 42)
    lo, hi = a * inverse - 1, b * inverse - 1
    worst = (min(worst[0], lo), max(worst[1], hi))
    if log_hi:
        ratio = max(ratio, max(abs(lo), abs(hi)) / abs(log_hi))
    rows.append("    (%s, %s, %s)," % (literal(inverse), literal(log_hi), literal(log - log_hi)))
print("  ln: r in [%.6f, %.6f], |r| / |ln c| <= %.3f" % (*map(float, worst), float(ratio)))
lo, hi = worst[0] * mpf("1.0001"), worst[1] * mpf("1.0001")
q_ln = remez(lambda r: (mp.log1p(r) - r) / r**2 if abs(r) > EPS else -mpf(1) / 2, lambda r: abs(r) + hi / 1000, lo, hi, 6)
p_ln = remez(lambda r: (mp.log1p(r) - r + r * r / 2) / r**3 if abs(r) > EPS else mpf(1) / 3, lambda r: (abs(r) + hi / 1000) ** 2, lo, hi, 6)
ln2_hi = rounded(ln2, 42)
inv_ln2, inv_ln10, log10_2 = 1 / ln2, 1 / mp.log(10), mp.log10(2)
log10_2_hi = rounded(log10_2, 42)
write("ln.rs",
      header("""
Constants of the logarithms; written by `generate.py`.

A positive number is `2^k z` with `z` from the bits [`OFFSET`] to those plus one octave, which is cut
into 128 cells. The row of a cell is `(inverse, hi, lo)`: `inverse` is about `1/z` and so short that
`z * inverse - 1` is exact, `hi + lo = -ln(inverse)` where `hi` has no bits below `2^-42`, so
`k * LN2_SHORT + hi` is exact. In the cell of 1 the row is `(1, 0, 0)`: nothing cancels there.
"""),
      "/// Bits of the smallest `z`.\npub(crate) const OFFSET: u64 = 0x%016x;\n" % OFFSET,
      const("LN2_SHORT", ln2_hi, "`ln 2` down to `2^-42`."),
      const("LN2_REST", ln2 - ln2_hi, "The rest of `ln 2`."),
      const("INV_LN2_HI", mpf(float(inv_ln2)), "`1 / ln 2` rounded."),
      const("INV_LN2_LO", inv_ln2 - mpf(float(inv_ln2)), "The rest of `1 / ln 2`."),
      const("INV_LN10_HI", mpf(float(inv_ln10)), "`1 / ln 10` rounded."),
      const("INV_LN10_LO", inv_ln10 - mpf(float(inv_ln10)), "The rest of `1 / ln 10`."),
      const("LOG10_2_SHORT", log10_2_hi, "`log10 2` down to `2^-42`."),
      const("LOG10_2_REST", log10_2 - log10_2_hi, "The rest of `log10 2`."),
      poly("LN_SQUARE", q_ln, "`(ln(1 + r) - r) / r²`, relative to `r`."),
      poly("LN_CUBE", p_ln, "`(ln(1 + r) - r + r²/2) / r³`, relative to `1 / r`."),
      "/// `(inverse, hi, lo)` of each cell.\npub(crate) static CELLS: [(f64, f64, f64); %d] = [\n%s\n];\n" % (N, "\n".join(rows)))

# ---- trigonometric reduction ----------------------------------------------------------------------

words = 21
two_over_pi = int(mp.floor(2 / mp.pi * mpf(2) ** (64 * (words - 1))))
rows = ["    0x%016x," % ((two_over_pi >> (64 * (words - 1 - i))) & (2**64 - 1)) for i in range(words)]


def chunks(x, sizes):
    """x as a sum of numbers of so many bits, the last one rounded to all 53."""
    parts = []
    for size in sizes:
        grid = size - 1 - int(mp.floor(mp.log(abs(x), 2)))
        part = mp.floor(x * mpf(2) ** grid) / mpf(2) ** grid
        parts.append(part)
        x -= part
    return parts + [mpf(float(x))]


half_pi = mp.pi / 2
p = chunks(half_pi, [33, 33, 33])
quarter = mp.pi / 4 * mpf("1.0001")
over = lambda f, limit: (lambda t: f(mp.sqrt(t)) if t > EPS else mpf(limit))
s = remez(over(lambda x: (mp.sin(x) - x) / x**3, -mpf(1) / 6), lambda t: t, mpf("1e-6"), quarter**2, 6)
c = remez(over(lambda x: (mp.cos(x) - 1 + x * x / 2) / x**4, mpf(1) / 24), lambda t: t * t, mpf("1e-6"), quarter**2, 6)
write("trig.rs",
      header("""
Constants of the trigonometric functions; written by `generate.py`.

[`HALF_PI`] is `π/2` in pieces, the first three of 33 bits, so that their products with an integer
below `2^20` are exact. [`TWO_OVER_PI`] are the first bits of `2/π`, enough for the largest number.
"""),
      poly("HALF_PI", p, "`π/2` as a sum."),
      const("HALF_PI_HI", mpf(float(half_pi)), "`π/2` rounded."),
      const("HALF_PI_LO", half_pi - mpf(float(half_pi)), "The rest of `π/2`."),
      const("INV_HALF_PI", 1 / half_pi, "`2/π` rounded."),
      poly("SIN", s, "`(sin x - x) / x³` as a polynomial in `x²` for `|x| <= π/4`, relative to `1/x²`."),
      poly("COS", c, "`(cos x - 1 + x²/2) / x⁴` as a polynomial in `x²` for `|x| <= π/4`."),
      "/// 64 zeros and the binary digits of `2/π` after the point.\npub(crate) static TWO_OVER_PI: [u64; %d] = [\n%s\n];\n" % (words, "\n".join(rows)))

# ---- erfc ----------------------------------------------------------------------------------------

center = mpf("0.9765625")
at_center = mp.erfc(center)
with mp.workprec(400):
    slope = remez(lambda s: (mp.erfc(center + s) - at_center) / s if abs(s) > EPS else -2 / mp.sqrt(mp.pi) * mp.exp(-center**2),
                  lambda s: (abs(s) + mpf("1e-4")) / mp.erfc(center + s), mpf("0.7") - center, mpf("1.25") - center, 15)
write("erfc.rs",
      header("""
Constants of `erfc` between 0.7 and 1.25; written by `generate.py`.
"""),
      const("ERFC_CENTER", center, "Where the polynomial is centred."),
      const("ERFC_AT_CENTER", mpf(float(at_center)), "`erfc` there, rounded."),
      const("ERFC_AT_CENTER_LO", at_center - mpf(float(at_center)), "The rest of it."),
      poly("ERFC", slope, "`(erfc(c + s) - erfc c) / s`."))
