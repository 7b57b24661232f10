//! Programs over arrays of `N` elements, which is a multiple of 8.

pub(crate) const TEXTS: [(&str, &str); 18] = [
    (
        "element",
        "evolute 0
program (v0: f64[N]) -> (f64) {
  v1 = element v0, LAST
  v2 = mul v1, v1
  return v2
}",
    ),
    (
        "unused",
        "evolute 0
program (v0: f64[N], v1: f64) -> (f64) {
  v2 = sin v1
  return v2
}",
    ),
    (
        "passed",
        "evolute 0
program (v0: f64[N]) -> (f64[N], f64[N]) {
  return v0, v0
}",
    ),
    (
        "repeated",
        "evolute 0
program (v0: f64) -> (f64[N]) {
  v1 = exp v0
  v2 = view f64[N] v1 from 0 by [0]
  return v2
}",
    ),
    (
        "packed",
        "evolute 0
program (v0: f64[HALF], v1: f64[HALF]) -> (f64) {
  v2 = pack f64[N] v0, v1
  v3 = mul v2, v2
  v4 = element v3, 5
  return v4
}",
    ),
    (
        "sum",
        "evolute 0
program (v0: f64[N], v1: f64[N]) -> (f64) {
  v2 = sin v0
  v3 = mul v2, v1
  v4 = reduce sum f64 v3
  return v4
}",
    ),
    (
        "product",
        "evolute 0
program (v0: f64[EIGHTH, 8]) -> (f64) {
  v1 = reduce prod f64[EIGHTH] v0
  v2 = reduce max f64 v1
  return v2
}",
    ),
    (
        "minimum",
        "evolute 0
program (v0: f32[8, EIGHTH]) -> (f32) {
  v1 = reduce min f32[8] v0
  v2 = reduce prod f32 v1
  return v2
}",
    ),
    (
        "views",
        "evolute 0
program (v0: f64[EIGHTH, 8]) -> (f64) {
  v1 = view f64[8, EIGHTH] v0 from 0 by [1, 8]
  v2 = view f64[N] v1 from LAST by [-1]
  v3 = exp v2
  v4 = spread f64[N] v3 from 0 by [1]
  v5 = mul v4, v2
  v6 = reduce sum f64 v5
  return v6
}",
    ),
    (
        "matrices",
        "evolute 0
program (v0: f64[1, EIGHTH, 8], v1: f64[1, 8, 1]) -> (f64) {
  v2 = dot v0, v1
  v3 = mul v2, v2
  v4 = reduce sum f64 v3
  return v4
}",
    ),
    (
        "computed",
        "evolute 0
program (v0: f64[N], v1: i64) -> (f64) {
  v2 = at v0, v1
  v3 = mul v2, v2
  v4 = add_at v0, v3, v1
  v5 = mul v4, v4
  v6 = reduce sum f64 v5
  return v6
}",
    ),
    (
        "integers",
        "evolute 0
program (v0: i64[N], v1: f64) -> (f64) {
  v2 = iota i64[N]
  v3 = div v2, v0
  v4 = rem v3, v0
  v5 = cast f64 v4
  v6 = reduce sum f64 v5
  v7 = mul v6, v1
  return v7
}",
    ),
    (
        "selected",
        "evolute 0
program (v0: f64[N], v1: f64[N]) -> (f64) {
  v2 = lt v0, v1
  v3 = select v2, v0, v1
  v4 = reduce sum f64 v3
  return v4
}",
    ),
    (
        "carried",
        "evolute 0
program (v0: f64[HALF], v1: f64[HALF]) -> (f64) {
  v6 = loop v0, v1 trips 1000000 carries 1 rows 0 sums 0 (v2: i64, v3: f64[HALF], v4: f64[HALF]) {
    v5 = mul v3, v4
    yield v5
  }
  v7 = reduce sum f64 v6
  return v7
}",
    ),
    (
        "mapped",
        "evolute 0
program (v0: f64[N]) -> (f64) {
  v4 = loop v0 trips N carries 0 rows 1 sums 0 (v1: i64, v2: f64) {
    v3 = sin v2
    yield v3
  }
  v5 = reduce sum f64 v4
  return v5
}",
    ),
    (
        "summed",
        "evolute 0
program (v0: f64[EIGHTH], v1: f64[8, EIGHTH]) -> (f64) {
  v8 = loop v0, v1 trips 8 carries 0 rows 0 sums 1 (v2: i64, v3: f64[EIGHTH], v4: f64[8, EIGHTH]) {
    v5 = at v4, v2
    v6 = mul v5, v5
    v7 = add_at v3, v6
    yield v7
  }
  v9 = reduce sum f64 v8
  return v9
}",
    ),
    (
        "while",
        "evolute 0
program (v0: f64[EIGHTH]) -> (f64) {
  v9, v10 = loop v0 while 8 carries 1 rows 0 sums 0 (v1: i64, v2: f64[EIGHTH]) {
    v3 = element v2, 0
    v4 = const 10.0
    v5 = lt v3, v4
    yield v5
  } do (v6: i64, v7: f64[EIGHTH]) {
    v8 = exp v7
    yield v8
  }
  v11 = element v10, 1
  return v11
}",
    ),
    (
        "branches",
        "evolute 0
program (v0: bool, v1: f64[N]) -> (f64) {
  v5 = cond v0, v1 sums 0 (v2: f64[N]) {
    v3 = sin v2
    yield v3
  } else (v4: f64[N]) {
    yield v4
  }
  v6 = reduce sum f64 v5
  return v6
}",
    ),
];
