//! Programs whose loops become one, on inputs of which some make them fail: by an index out of range, a division by zero, a
//! count past its cap, a loop without an end.

use evolute_ir::{Buffer, Program, text};

/// A name, how many loops are left, and the program's parameters and instructions after the first line.
pub(crate) const PROGRAMS: [(&str, usize, &str); 10] = [
    ("maps that fail in their own ways", 1, MAPS),
    ("maps of a count", 1, COUNTED_MAPS),
    ("maps of which one has checkpoints", 1, CHECKPOINTED_MAP),
    ("a map whose failure nobody asks for", 1, UNUSED_FAILURE),
    ("a map beside a loop that may not end", 2, MAP_AND_WHILE),
    ("one loop that may not end, twice", 1, WHILES),
    ("one scan, twice, one of which may fail", 1, SCANS),
    ("one scan, twice, in each iteration", 2, SCANS_IN_MAP),
    ("a scan of rows and one of the whole array", 2, ROW_AND_CAPTURED),
    ("scans that begin alike and go on differently", 2, OTHER_SCANS),
];

const MAPS: &str = "-> (f64[4], i64[4]) {
  v9 = loop v1, v0 trips 4 carries 0 rows 1 sums 0 (v5: i64, v6: i64, v7: f64[4]) {
    v8 = at v7, v6 @\"user.rs\":1
    yield v8
  }
  v14 = loop v1, v2 trips 4 carries 0 rows 2 sums 0 (v10: i64, v11: i64, v12: i64) {
    v13 = div v11, v12 @\"user.rs\":2
    yield v13
  }
  return v9, v14
}";

const COUNTED_MAPS: &str = "-> (f64[4], i64[4]) {
  v9 = loop v3, v1, v0 counted 4 carries 0 rows 1 sums 0 (v5: i64, v6: i64, v7: f64[4]) {
    v8 = at v7, v6 @\"user.rs\":1
    yield v8
  } @\"user.rs\":3
  v14 = loop v3, v1, v2 counted 4 carries 0 rows 2 sums 0 (v10: i64, v11: i64, v12: i64) {
    v13 = div v11, v12 @\"user.rs\":2
    yield v13
  } @\"user.rs\":4
  return v9, v14
}";

const CHECKPOINTED_MAP: &str = "-> (f64[4], f64) {
  v9 = loop v1, v0 trips 4 carries 0 rows 1 sums 0 checkpoint sqrt (v5: i64, v6: i64, v7: f64[4]) {
    v8 = at v7, v6 @\"user.rs\":1
    yield v8
  }
  v10 = const 0.0
  v15 = loop v0, v10 trips 4 carries 0 rows 1 sums 1 (v11: i64, v12: f64, v13: f64) {
    v14 = add_at v13, v12
    yield v14
  }
  return v9, v15
}";

const UNUSED_FAILURE: &str = "-> (f64[4], i64[4]) {
  v10, v11 = loop v1, v0 trips 4 carries 0 rows 1 sums 0 (v5: i64, v6: i64, v7: f64[4]) {
    v8 = at v7, v6 @\"user.rs\":1
    v9 = add v6, v6
    yield v8, v9
  }
  v16, v17 = loop v1, v2 trips 4 carries 0 rows 2 sums 0 (v12: i64, v13: i64, v14: i64) {
    v15 = div v13, v14 @\"user.rs\":2
    yield v15, v13
  }
  return v10, v17
}";

const MAP_AND_WHILE: &str = "-> (f64, f64[4]) {
  v15, v16 = loop v4, v0 while 20 carries 1 rows 0 sums 0 (v5: i64, v6: f64, v7: f64[4]) {
    v8 = const 9.0
    v9 = lt v6, v8
    yield v9
  } do (v10: i64, v11: f64, v12: f64[4]) {
    v13 = reduce sum f64 v12
    v14 = add v11, v13
    yield v14
  } @\"user.rs\":1
  v21 = loop v1, v0 trips 4 carries 0 rows 1 sums 0 (v17: i64, v18: i64, v19: f64[4]) {
    v20 = at v19, v18 @\"user.rs\":2
    yield v20
  }
  return v16, v21
}";

const WHILES: &str = "-> (i64, f64, f64[20], i64[20]) {
  v12, v13 = loop v4 while 20 carries 1 rows 0 sums 0 (v5: i64, v6: f64) {
    v7 = const 9.0
    v8 = lt v6, v7
    yield v8
  } do (v9: i64, v10: f64) {
    v11 = add v10, v10
    yield v11
  } @\"user.rs\":1
  v26, v27, v28, v29 = loop v4, v2 while 20 carries 1 rows 0 sums 0 (v14: i64, v15: f64, v16: i64[4]) {
    v17 = const 9.0
    v18 = lt v15, v17
    yield v18
  } do (v19: i64, v20: f64, v21: i64[4]) {
    v22 = add v20, v20
    v23 = const 0:i64
    v24 = at v21, v23
    v25 = div v19, v24 @\"user.rs\":2
    yield v22, v20, v25
  } @\"user.rs\":3
  return v12, v27, v28, v29
}";

const SCANS: &str = "-> (f64, f64[4], f64) {
  v9 = loop v4, v0 trips 4 carries 1 rows 1 sums 0 (v5: i64, v6: f64, v7: f64) {
    v8 = add v6, v7
    yield v8
  }
  v10 = const 0.0
  v20, v21, v22 = loop v4, v0, v1, v10, v0 trips 4 carries 1 rows 2 sums 1 (v11: i64, v12: f64, v13: f64, v14: i64, v15: f64, v16: f64[4]) {
    v17 = add v12, v13
    v18 = at v16, v14 @\"user.rs\":1
    v19 = add_at v15, v18
    yield v17, v12, v19
  }
  return v9, v21, v22
}";

const SCANS_IN_MAP: &str = "-> (f64[4], f64[4, 4]) {
  v26, v27 = loop v3, v0, v0, v1 counted 4 carries 0 rows 1 sums 0 (v5: i64, v6: f64, v7: f64[4], v8: i64[4]) {
    v14 = loop v5, v6, v7 counted 4 carries 1 rows 1 sums 0 (v9: i64, v10: f64, v11: f64) {
      v12 = mul v10, v11
      v13 = sin v12
      yield v13
    }
    v24, v25 = loop v5, v6, v7, v8, v7 counted 4 carries 1 rows 2 sums 0 (v15: i64, v16: f64, v17: f64, v18: i64, v19: f64[4]) {
      v20 = mul v16, v17
      v21 = sin v20
      v22 = at v19, v18 @\"user.rs\":1
      v23 = add v22, v16
      yield v21, v23
    }
    yield v14, v25
  } @\"user.rs\":2
  return v26, v27
}";

const ROW_AND_CAPTURED: &str = "-> (f64, f64) {
  v5 = view f64[4, 4] v0 from 0 by [1, 0]
  v6 = exp v5
  v12 = loop v4, v6 trips 4 carries 1 rows 1 sums 0 (v7: i64, v8: f64, v9: f64[4]) {
    v10 = reduce sum f64 v9
    v11 = add v8, v10
    yield v11
  }
  v18 = loop v4, v6 trips 4 carries 1 rows 0 sums 0 (v13: i64, v14: f64, v15: f64[4, 4]) {
    v16 = reduce sum f64 v15
    v17 = add v14, v16
    yield v17
  }
  return v12, v18
}";

const OTHER_SCANS: &str = "-> (f64, f64) {
  v9 = loop v4, v0 trips 4 carries 1 rows 1 sums 0 (v5: i64, v6: f64, v7: f64) {
    v8 = add v6, v7
    yield v8
  }
  v14 = loop v4, v0 trips 4 carries 1 rows 1 sums 0 (v10: i64, v11: f64, v12: f64) {
    v13 = mul v11, v12
    yield v13
  }
  return v9, v14
}";

pub(crate) fn program(rest: &str) -> Program {
    let params = "v0: f64[4], v1: i64[4], v2: i64[4], v3: i64, v4: f64";
    let source = format!("evolute 0\nprogram ({params}) {rest}\n");
    text::parse(&source).unwrap_or_else(|error| panic!("{error}\n{source}"))
}

/// All combinations of what does and does not fail.
pub(crate) fn inputs() -> Vec<Vec<Buffer>> {
    let mut all = Vec::new();
    for indices in [[0, 3, 3, 1], [0, 1, 4, -1]] {
        for divisors in [[1, 2, -3, 5], [7, 0, 1, 0], [0, 1, 1, 1]] {
            for count in [0, 2, 4, 5, -1] {
                for start in [1.0, -1.0, 100.0] {
                    all.push(vec![
                        Buffer::F64(vec![0.5, -0.25, 2.0, 1.5]),
                        Buffer::I64(indices.to_vec()),
                        Buffer::I64(divisors.to_vec()),
                        Buffer::I64(vec![count]),
                        Buffer::F64(vec![start]),
                    ]);
                }
            }
        }
    }
    all
}
