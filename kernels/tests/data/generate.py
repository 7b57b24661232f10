"""Writes the reference values of the kernels, one csv file a kernel.

A line is `arguments..., value, rest`: numbers as the hexadecimal bits of an f64 (integer arguments in
decimal), `value` is the true result for exactly these arguments rounded once, `rest` what the true
result lies above it, in units of its last place. Everything is computed by mpmath.
Usage: python3 generate.py [points per kernel] [directory]
"""

import math, os, random, struct, sys
from mpmath import mp, mpf

POINTS = int(sys.argv[1]) if len(sys.argv) > 1 else 900
HERE = sys.argv[2] if len(sys.argv) > 2 else os.path.dirname(os.path.abspath(__file__))
ONLY = sys.argv[3].split(",") if len(sys.argv) > 3 else None
mp.prec = 200
INF = math.inf


def bits(x):
    return struct.unpack("<Q", struct.pack("<d", x))[0]


def number(b):
    return struct.unpack("<d", struct.pack("<Q", b))[0]


def ulp(x):
    return mpf(math.ulp(x))


def to_f64(value):
    """The nearest f64, also for subnormal values, and the rest in ulps."""
    if not mp.isfinite(value):
        return float(value), 0.0
    if abs(value) >= mpf(2) ** 1024 * (1 - mpf(2) ** -54):
        return math.copysign(INF, value), 0.0
    exponent = max(mp.mag(value) - 53, -1074) if value else 0
    near = float(mp.nint(value * mpf(2) ** -exponent) * mpf(2) ** exponent)
    return near, float((value - near) / ulp(near)) if abs(near) < INF else 0.0


# ---- arguments: mixtures of generators -------------------------------------------------------------

r = random.Random(20240607)


def any_bits():
    while True:
        x = number(r.getrandbits(64))
        if math.isfinite(x):
            return x


def uniform(lo, hi):
    return lambda: r.uniform(lo, hi)


def log_uniform(lo, hi, signed=True):
    def draw():
        x = math.exp(r.uniform(math.log(lo), math.log(hi)))
        return -x if signed and r.random() < 0.5 else x
    return draw


def near(*centers, width=1e-3):
    return lambda: r.choice(centers) * (1 + r.choice([-1, 1]) * width * 10 ** r.uniform(-13, 0))


def subnormal():
    return number(r.getrandbits(r.randrange(1, 53)))


def positive(f):
    return lambda: abs(f())


def integers(lo, hi):
    return lambda: float(r.randint(lo, hi))


def near_multiples_of_half_pi():
    n = int(math.exp(r.uniform(0, 30)))
    with mp.workprec(300):
        return float(n * mp.pi / 2)


tiny = log_uniform(1e-300, 1e-3)
wide = [any_bits, tiny, subnormal]

# Known hard cases of the reduction modulo pi/2 and of the approach to other functions' limits.
TRIG_EDGES = [1e22, 1e6, 1.5707963267948966, 0.7853981633974483, 5.319372648326541e255, 6381956970095103.0 * 2.0**797,
              1.7976931348623157e308, 999999.9999999999, 1000000.0000000001, 3.141592653589793, 1e-9, 1.0000000000000001e-9]
EXP_EDGES = [709.782712893384, 709.7827128933841, -708.3964185322641, -745.1332191019411, -745.1332191019412, 708.0, -708.0,
             -745.0, 1.0, -1.0, 0.002707, -0.002708, 1e-320]
LN_EDGES = [1.0, 1.0000000000000002, 0.9999999999999999, 0.7, 1.4, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 10.0, 1000.0, 1e22, 2.0, 0.5]

trig = [uniform(-4, 4), uniform(-1e3, 1e3), uniform(-1e6, 1e6), log_uniform(1e5, 1e308), near_multiples_of_half_pi, any_bits, tiny]
above_zero = [positive(any_bits), uniform(0.5, 2), near(1.0), log_uniform(1e-5, 1e5, False), near(1.0, 0.705, 1.41, width=0.01), positive(subnormal)]
unit = [uniform(-1, 1), near(1.0, -1.0), tiny, near(0.5, -0.5), positive(subnormal)]
unit = [lambda f=f: max(-1.0, min(1.0, f())) for f in unit]

gamma_args = [uniform(0, 20), near(1.0, 2.0, 1.4616321449683622, width=0.1), log_uniform(1e-300, 1e300, False), uniform(-20, 0), log_uniform(1, 1e8, False), uniform(0, 3)]


def ln_gamma(x):
    if x == mp.floor(x) and x <= 0:
        return mp.inf
    if x > 0:
        return mp.loggamma(x)
    with mp.workprec(400):
        return mp.log(mp.pi / abs(x * mp.sinpi(x))) - mp.loggamma(-x)


def polygamma(x, k):
    with mp.workprec(300):
        return mp.polygamma(k, mpf(x))


def with_precision(f, prec):
    def g(*a):
        with mp.workprec(prec):
            return f(*a)
    return g


# name: (function, generators, edges)
UNARY = {
    "exp": (mp.exp, [uniform(-745, 710), uniform(-1, 1), tiny, uniform(-745.2, -707), uniform(707, 710)], EXP_EDGES),
    "exp2": (lambda x: mpf(2) ** x, [uniform(-1075, 1024), uniform(-1, 1), tiny, integers(-1080, 1030), uniform(-1075, -1020)], [-1074.0, -1075.0, -1074.5, 1023.9999]),
    "expm1": (mp.expm1, [uniform(-40, 710), uniform(-1, 1), tiny, uniform(-0.01, 0.01), subnormal], EXP_EDGES),
    "ln": (mp.log, above_zero, LN_EDGES),
    "log2": (lambda x: mp.log(x) / mp.log(2), above_zero, LN_EDGES + [8.0, 1024.0]),
    "log10": (mp.log10, above_zero, LN_EDGES + [10.0**i for i in range(23)]),
    "log1p": (mp.log1p, [uniform(-1, 1), log_uniform(1e-20, 1e20, False), tiny, uniform(-0.3, 0.5), uniform(-0.01, 0.01), near(-1.0, width=0.5), positive(any_bits)], [1e18, 9.99e17, -0.9999999999999999]),
    "sin": (with_precision(mp.sin, 1300), trig, TRIG_EDGES),
    "cos": (with_precision(mp.cos, 1300), trig, TRIG_EDGES),
    "tan": (with_precision(mp.tan, 1300), trig, TRIG_EDGES),
    "asin": (mp.asin, unit, [1.0, -1.0, 0.5]),
    "acos": (mp.acos, unit, [1.0, -1.0, 0.5]),
    "atan": (mp.atan, [uniform(-5, 5), any_bits, tiny], [1.0]),
    "sinh": (mp.sinh, [uniform(-710.5, 710.5), uniform(-1, 1), uniform(-20, 20), tiny, subnormal], [710.4758600739439, 708.0, 709.9]),
    "cosh": (mp.cosh, [uniform(-710.5, 710.5), uniform(-1, 1), uniform(-20, 20), tiny], [710.4758600739439, 708.0, 709.9]),
    "tanh": (mp.tanh, [uniform(-22, 22), uniform(-1, 1), uniform(-0.01, 0.01), tiny, subnormal], [20.0, 19.9, 19.0615]),
    "asinh": (mp.asinh, [uniform(-10, 10), uniform(-1, 1), any_bits, tiny, log_uniform(1, 1e20), subnormal], [1e9, 9.99e8, 1e160]),
    "acosh": (mp.acosh, [uniform(1, 10), lambda: 1 + abs(tiny()), lambda: 1 + r.random() * 0.1, log_uniform(1, 1e308, False)], [1.0, 1.0000000000000002, 1e9, 1e160]),
    "atanh": (mp.atanh, unit, [0.9999999999999999, 0.5]),
    "cbrt": (lambda x: mp.sign(x) * mp.cbrt(abs(x)), [any_bits, uniform(-10, 10), subnormal], [27.0, -8.0]),
    "erf": (mp.erf, [uniform(-6, 6), uniform(-1, 1), tiny, near(0.84375, 1.25, 2.857)], [6.0, 0.5]),
    "erfc": (mp.erfc, [uniform(-6, 27), uniform(-1, 1), tiny, near(0.84375, 1.25, 2.857)], [26.5, 27.2]),
    "gaussian": (with_precision(lambda x: mp.exp(-mpf(x) ** 2), 300), [uniform(-27.3, 27.3), uniform(-1, 1), tiny, uniform(26, 27.3)], [26.5, 26.6, 27.297]),
    "ln_gamma": (ln_gamma, gamma_args, [1.0, 2.0, 3.0, 0.5, -0.5, 1e-300]),
    "digamma": (lambda x: polygamma(x, 0), gamma_args, [1.0, 2.0, 1e10, 10.5]),
    "sigmoid": (lambda x: 1 / (1 + mp.exp(-x)), [uniform(-745, 40), uniform(-1, 1), tiny, uniform(-745.2, -707)], [-745.0, -745.2, 36.7, 708.0]),
    "softplus": (lambda x: mp.log1p(mp.exp(x)), [uniform(-745, 40), uniform(-1, 1), tiny, uniform(-745.2, -707), uniform(-40, 40)], [-745.0, 0.0, 710.0, 800.0]),
}


def near_one_power():
    x = 1 + r.choice([-1, 1]) * 10 ** r.uniform(-15, -1)
    return x, r.uniform(-700, 700) / math.log(x)


def moderate_power():
    x = log_uniform(1e-300, 1e300, False)()
    return x, r.uniform(-700, 700) / math.log(x)


def subnormal_power():
    x = log_uniform(1e-300, 1e300, False)()
    return x, r.uniform(-745, -705) / math.log(x)


def exact_power():
    return float(r.randint(2, 12)), float(r.randint(0, 20))


def pair(f, g):
    return lambda: (f(), g())


def pow_(x, y):
    with mp.workprec(400):
        return mpf(x) ** mpf(y)


def fmod(x, y):
    with mp.workprec(2300):
        return x - y * mp.floor(abs(x / y)) * mp.sign(x / y)


def log_add_exp(x, y):
    with mp.workprec(300):
        m, d = max(x, y), -abs(mpf(x) - y)
        return m + mp.log1p(mp.exp(d))


BINARY = {
    "atan2": (mp.atan2, [pair(uniform(-5, 5), uniform(-5, 5)), pair(any_bits, any_bits), pair(tiny, tiny)], [(1.0, 1.0)]),
    "pow": (pow_, [near_one_power, moderate_power, subnormal_power, exact_power, pair(uniform(0, 10), uniform(-10, 10)), pair(positive(subnormal), uniform(-1, 1.01))],
            [(10.0, 10.0), (1.0000001, 1e7), (2.0, -1074.0), (2.0, 1023.0), (5e-324, 0.5), (0.9999999999999999, 1e18), (1e308, 1.0)]),
    "hypot": (lambda x, y: mp.sqrt(mpf(x) ** 2 + mpf(y) ** 2), [pair(uniform(-5, 5), uniform(-5, 5)), pair(any_bits, any_bits), pair(log_uniform(1e-200, 1e200), log_uniform(1e-200, 1e200)), pair(subnormal, subnormal)], [(3e307, 4e307), (1e-200, 1e-200)]),
    "rem": (fmod, [pair(uniform(-50, 50), uniform(-5, 5)), pair(any_bits, any_bits), pair(integers(-1000, 1000), integers(1, 50))], []),
    "log_add_exp": (log_add_exp, [pair(uniform(0, 40), uniform(0, 40)), pair(uniform(-700, 700), uniform(-700, 700)), pair(lambda: abs(tiny()), uniform(-740, -1)), pair(uniform(20, 60), uniform(-60, 60)), pair(uniform(-800, -700), uniform(-800, -700))], [(1.0, 2.0), (0.0, 0.0), (800.0, -800.0)]),
}


def small_power():
    n = r.choice([i for i in range(-40, 41) if i])
    return r.choice([-1, 1]) * math.exp(r.uniform(-700, 700) / abs(n)), n


def any_power():
    n = r.choice([-1, 1]) * r.getrandbits(r.randrange(2, 63)) or 5
    return r.choice([-1, 1]) * math.exp(r.uniform(-700, 700) / abs(n)), n


def order(lo, hi):
    return lambda: r.randint(lo, hi)


INT = {
    "powi": (lambda x, n: pow_(x, n), [small_power, small_power, any_power, pair(uniform(-5, 5), order(-20, 20))], [(1.0000000000000002, 2**60 + 1), (10.0, 10), (-2.0, 3)]),
    "polygamma": (polygamma, [pair(uniform(0, 20), order(0, 5)), pair(log_uniform(1e-30, 1e6, False), order(0, 3)), pair(uniform(0, 100), order(0, 60)), pair(uniform(-10, 0), order(0, 4))], [(1.0, 1), (1e-70, 3), (10.5, 2), (1e10, 1)]),
}


def cancelling():
    x, y = uniform(-5, 5)(), uniform(-5, 5)()
    return x, y, -x * y * r.choice([1, 1 + 2**-52, 1.5])


def mul_add(x, y, z):
    with mp.workprec(4500):
        return x * y + z


TERNARY = {
    "mul_add": (mul_add, [cancelling, lambda: (any_bits(), any_bits(), any_bits()), lambda: (tiny(), tiny(), subnormal())], [(1e200, 1e200, -1.0)]),
}


def write(name, draws, edges, function, integer):
    seen, lines = set(), []
    def add(args):
        args = args if isinstance(args, tuple) else (args,)
        if args in seen:
            return
        seen.add(args)
        exact = function(*[a if isinstance(a, int) else mpf(a) for a in args])
        if isinstance(exact, mp.mpc) or mp.isnan(exact):
            return
        value, rest = to_f64(exact)
        words = [str(a) if isinstance(a, int) else "%016x" % bits(a) for a in args]
        lines.append(",".join(words + ["%016x" % bits(value), "%.3f" % rest]))
    for args in edges:
        add(args)
    for i in range(POINTS):
        add(draws[i % len(draws)]())
    with open(os.path.join(HERE, name + ".csv"), "w") as out:
        out.write("\n".join(lines) + "\n")


for table in (UNARY, BINARY, TERNARY, INT):
    for name, (function, draws, edges) in table.items():
        if ONLY is None or name in ONLY:
            write(name, draws, edges, function, table is INT)
