"""Question: what does a Hessian-vector product of each workload cost with JAX on this machine? Beside it:
`cargo bench --bench scaling`. Unit: microseconds, the median of many calls, and seconds to compile.

    pip install jax && taskset -c 1 python benches/peers/jax_hvp.py [filter]

The programs are those of `tests/workloads/cases`, with the same inputs and directions `vᵢ = cos i`, written as one writes
them in JAX: whole arrays, `vmap`, `lax.scan`. Each product is compared with the known norm before it is timed.
"""

import os
import sys
import time

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"
import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)


def sines(n, base, swing):
    return base + swing * np.sin(np.arange(n, dtype=float))


def rosenbrock(x):
    return jnp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def regression(m=10_000, n=100):
    r, j = np.arange(m)[:, None], np.arange(n)[None, :]
    a = jnp.array(np.sin(0.01 * ((r + 1) * (j + 1)) + 0.5 * j))
    y = jnp.array(np.where(np.cos(3.0 * np.arange(m)) > 0, 1.0, -1.0))
    return lambda w: jnp.mean(jax.nn.softplus(-(y * (a @ w)))) + 0.005 * (w @ w)


def mixture(n=1000, d=10, k=25):
    i, j = np.arange(n)[:, None], np.arange(d)[None, :]
    x = jnp.array(np.sin(0.7 * i + 1.3 * j + 0.01 * i * j))
    rows, columns = zip(*[(r, c) for c in range(d) for r in range(c + 1, d)])

    def f(p):
        alphas, means = p[:k], p[k : k + k * d].reshape(k, d)
        factors = p[k + k * d :].reshape(k, d * (d + 1) // 2)
        logs, lower = factors[:, :d], factors[:, d:]
        matrices = jnp.zeros((k, d, d)).at[:, np.array(rows), np.array(columns)].set(lower)
        matrices += jnp.exp(logs)[:, :, None] * jnp.eye(d)
        y = jnp.einsum("krc,nkc->nkr", matrices, x[:, None, :] - means[None])
        terms = alphas + logs.sum(1) - 0.5 * (y * y).sum(-1)
        prior = 0.5 * ((jnp.exp(logs) ** 2).sum() + (lower**2).sum())
        return jax.nn.logsumexp(terms, axis=1).sum() - n * jax.nn.logsumexp(alphas) + prior

    return f


def adjustment(n=10_000, cameras=100, points=1000):
    i = np.arange(n)
    camera_of, point_of = i % cameras, (7 * i + 13 * (i // 1000)) % points
    feature = jnp.array(0.1 * np.sin(2.0 * i[:, None] + np.arange(2)[None, :]))

    def residual(camera, point, w, feature):
        omega, centre, focal, offset, radial = camera[:3], camera[3:6], camera[6], camera[7:9], camera[9:]
        theta = jnp.sqrt(omega @ omega)
        u, d = omega / theta, point - centre
        seen = d * jnp.cos(theta) + jnp.cross(u, d) * jnp.sin(theta) + u * (u @ d) * (1.0 - jnp.cos(theta))
        p = seen[:2] / seen[2]
        rho = p @ p
        return w * (p * (1.0 + radial[0] * rho + radial[1] * rho * rho) * focal + offset - feature)

    def f(p):
        end = 11 * cameras
        camera, point, w = p[:end].reshape(-1, 11), p[end : end + 3 * points].reshape(-1, 3), p[end + 3 * points :]
        r = jax.vmap(residual)(camera[camera_of], point[point_of], w, feature)
        return (r * r).sum() + ((1.0 - w * w) ** 2).sum()

    base = np.array([0.1, 0.2, -0.1, 0.0, 0.0, -5.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    swing = np.array([0.05, 0.05, 0.05, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.01, 0.001])
    c = base + swing * np.sin(11.0 * np.arange(cameras)[:, None] + np.arange(11)[None, :])
    x = np.sin(3.0 * np.arange(points)[:, None] + np.arange(3)[None, :])
    return f, np.concatenate([c.ravel(), x.ravel(), 1.0 + 0.1 * np.sin(i)])


def network(batch=256):
    b, j = np.arange(batch)[:, None], np.arange(16)[None, :]
    x, y = jnp.array(np.sin(0.3 * b + 1.7 * j + 0.05 * b * j)), jnp.array(np.cos(0.2 * np.arange(batch)))

    def f(p):
        w1, b1, w2, b2, w3, b3 = jnp.split(p, np.cumsum([1024, 64, 4096, 64, 64]))
        h = jnp.tanh(x @ w1.reshape(64, 16).T + b1)
        h = jnp.tanh(h @ w2.reshape(64, 64).T + b2)
        return 0.5 * jnp.mean((h @ w3 + b3 - y) ** 2)

    return f


def cluster(s, n):
    a = np.arange(n)
    grid = np.stack([a % s, a // s % s, a // s**2], 1)
    x = (1.2 * grid + 0.05 * np.sin(3.0 * a[:, None] + np.arange(3)[None, :])).ravel()

    def f(p):
        r = p.reshape(-1, 3)
        square = ((r[:, None] - r[None]) ** 2).sum(-1)
        inverse = jnp.where(jnp.eye(n, dtype=bool), 0.0, 1.0 / jnp.where(jnp.eye(n, dtype=bool), 1.0, square)) ** 3
        return 0.5 * (4.0 * (inverse**2 - inverse)).sum()

    return f, x


def bratu(n):
    def f(p):
        u = jnp.pad(p.reshape(n, n), 1)
        down, right = u[1:, 1:-1] - u[:-1, 1:-1], u[1:-1, 1:] - u[1:-1, :-1]
        return 0.5 * ((down**2).sum() + (right**2).sum()) - 5.0 / (n + 1) ** 2 * jnp.exp(p).sum()

    return f


def surface(n):
    def f(p):
        u = p.reshape(n, n)
        a, b, c, d = u[:-1, :-1], u[:-1, 1:], u[1:, :-1], u[1:, 1:]
        return jnp.sqrt(1.0 + ((a - d) ** 2 + (b - c) ** 2) / 2.0).sum()

    return f


def lorenz(p, steps=1000, dt=0.002):
    sigma, rho, beta = p[3:]

    def field(s):
        return jnp.stack([sigma * (s[1] - s[0]), s[0] * (rho - s[2]) - s[1], s[0] * s[1] - beta * s[2]])

    def step(s, _):
        k1 = field(s)
        k2 = field(s + 0.5 * dt * k1)
        k3 = field(s + 0.5 * dt * k2)
        k4 = field(s + dt * k3)
        return s + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4), None

    end, _ = jax.lax.scan(step, p[:3], None, length=steps)
    return ((end - jnp.array([1.0, 2.0, 20.0])) ** 2).sum()


# The name that `scaling` prints, the function, the point, the norm of the product.
WORKLOADS = [
    ("W1 n=1000", rosenbrock, sines(1000, 0.5, 0.3), 4200.745277932027),
    ("W1 n=100000", rosenbrock, sines(100_000, 0.5, 0.3), 41990.3631270012),
    ("W2 m=10000 n=100", regression(), sines(100, 0.5, 0.3), 0.3158591885597386),
    ("W3 N=1000", mixture(), sines(1650, 0.0, 0.3), 848.3830853237671),
    ("W4b P=10000", *adjustment(), 6581.50814083498),
    ("W5 batch=256", network(), sines(5313, 0.0, 0.2), 8.460162150497942),
    ("W6 N=38", *cluster(4, 38), 335.7407883230014),
    ("W6 N=500", *cluster(8, 500), 1556.2037496526202),
    ("W7 100²", bratu(100), sines(10_000, 0.5, 0.3), 87.54491118700288),
    ("W7 1000²", bratu(1000), sines(1_000_000, 0.5, 0.3), 1271.3404434018207),
    ("W7m 100²", surface(100), sines(10_000, 0.5, 0.3), 72.31302928273705),
    ("W7m 1000²", surface(1000), sines(1_000_000, 0.5, 0.3), 940.3974613039538),
    ("W8 steps=1000", lorenz, np.array([1.0, 1.0, 1.0, 10.0, 28.0, 8.0 / 3.0]), 231.28847699138967),
]


def measure(f, x, norm):
    x, v = jnp.array(x), jnp.cos(jnp.arange(len(x), dtype=float))
    start = time.perf_counter()
    hvp = jax.jit(lambda x, v: jax.jvp(jax.grad(f), (x,), (v,))[1]).lower(x, v).compile()
    compile_time = time.perf_counter() - start
    found = float(jnp.linalg.norm(hvp(x, v)))
    assert abs(found - norm) < 1e-9 * norm, f"{found}, not {norm}"
    times, end = [], time.perf_counter() + 1.0
    while time.perf_counter() < end or len(times) < 10:
        start = time.perf_counter()
        hvp(x, v).block_until_ready()
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1e6, compile_time


if __name__ == "__main__":
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    print(f"| HVP by JAX {jax.__version__} | a call, µs | compile, s |\n| --- | --- | --- |")
    for name, f, x, norm in WORKLOADS:
        if wanted in name:
            call, compiling = measure(f, x, norm)
            print(f"| {name} | {call:.1f} | {compiling:.2f} |", flush=True)
