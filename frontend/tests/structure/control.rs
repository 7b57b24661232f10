use evolute_frontend::{
    Array, Count, Error, Function, I64, Int, Scalar, cond, map, map_rows, matrix, matrix_of, scalar,
    scalar_of, scan, scan_stacked, sum, sum_rows, vector, vmap, while_loop,
};

/// The text without the places that end lines and stand behind parameters.
fn without_places(text: &str) -> String {
    let mut parts = text.split(" @\"");
    let mut rest = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let place = part.find("\":").map_or(0, |quote| quote + 2);
        rest.push_str(part[place..].trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    rest
}

#[test]
fn the_text_of_a_sum() -> Result<(), Error> {
    let f = Function::trace((vector(4), scalar()), |(x, t)| sum(4, |i| x.at(i) * t))?;
    let text = without_places(&f.to_string());
    let expected = "\
program (v0: f64[4], v1: f64) -> (f64) {
  v2 = const 0.0
  v9 = loop v0, v2, v1 trips 4 carries 0 rows 1 sums 1 (v3: i64, v4: f64, v5: f64, v6: f64) {
    v7 = mul v4, v6
    v8 = add_at v5, v7
    yield v8
  }
  return v9
}
";
    assert!(text.contains(expected), "{text}");
    Ok(())
}

#[test]
fn sums_of_trees_and_empty_sums() -> Result<(), Error> {
    let outputs = (scalar(), vector(2), scalar_of::<I64>());
    let f = Function::trace_to(matrix(3, 2), outputs, |a| {
        sum(a.rows(), |i| (a.at((i, 0)), a.row(i) * i.to_f64(), i))
    })?;
    assert_eq!(f.eval(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?, (9.0, vec![13.0, 16.0], 3));
    let f = Function::trace(scalar(), |x| sum(0, |_| *x))?;
    assert_eq!(f.eval(&1.0)?, 0.0);
    Ok(())
}

#[test]
fn maps_of_trees() -> Result<(), Error> {
    let f = Function::trace_to(vector(2), (vector(3), matrix(3, 2), matrix_of::<I64>(3, 2)), |x| {
        let (a, b, [c, d]) = map(3, |i| (x.sum() * i.to_f64(), x + i.to_f64(), [i, i * i]));
        (a, b, evolute_frontend::stack(&[c, d], 1))
    })?;
    let expected = (vec![0.0, 3.0, 6.0], vec![1.0, 2.0, 2.0, 3.0, 3.0, 4.0], vec![0, 0, 1, 1, 2, 4]);
    assert_eq!(f.eval(&[1.0, 2.0])?, expected);
    Ok(())
}

#[test]
fn counts_known_at_run_time() -> Result<(), Error> {
    let f = Function::trace((vector(5), scalar_of::<I64>()), |(x, n)| map(n.at_most(5), |i| x.at(i) * 2.0))?;
    assert_eq!(f.eval((&[1.0, 2.0, 3.0, 4.0, 5.0], &2))?, [2.0, 4.0, 0.0, 0.0, 0.0]);
    assert!(f.eval((&[1.0; 5], &6)).is_err() && f.eval((&[1.0; 5], &-1)).is_err());
    Ok(())
}

#[test]
fn inner_counts_are_bounded_by_outer_indices() -> Result<(), Error> {
    let f = Function::trace(scalar(), |x| sum(4, |i| sum(2 * i + 1, |j| sum(j, |_| *x))))?;
    let text = f.to_string();
    assert!(text.contains("counted 7") && text.contains("counted 6"), "{text}");
    let pairs: usize = (0..4).flat_map(|i| 0..2 * i + 1).sum();
    assert_eq!(f.eval(&1.0)?, pairs as f64);
    // `j < n - i`: the bound is that of the difference.
    let f = Function::trace(scalar(), |x| sum(4, |i| sum(3 - i, |_| *x)))?;
    assert!(f.to_string().contains("counted 3"), "{f}");
    assert_eq!(f.eval(&1.0)?, 6.0);
    Ok(())
}

#[test]
fn scans_with_trees_as_carries() -> Result<(), Error> {
    let fibonacci = Function::trace(scalar_of::<I64>(), |n| {
        scan(n.at_most(50), (Int::from(0), Int::from(1)), |(a, b), _| (b, a + b)).0
    })?;
    assert_eq!(fibonacci.eval(&10)?, 55);
    let f = Function::trace_to(matrix(2, 2), (vector(2), matrix(3, 2)), |a| {
        scan_stacked(3, a.row(0), |x, i| (a.dot(x), x * i.to_f64()))
    })?;
    let result = f.eval(&[1.0, 1.0, 1.0, 0.0])?;
    assert_eq!(result, (vec![5.0, 3.0], vec![0.0, 0.0, 2.0, 1.0, 6.0, 4.0]));
    let vectors = Function::trace(scalar(), |x| {
        let [last, _] =
            scan(3, [vec![*x, Scalar::from(0.0)], vec![*x, *x]], |[a, b], _| [vec![a[0] + b[0], a[1]], b]);
        last[0] + last[1]
    })?;
    assert_eq!(vectors.eval(&2.0)?, 8.0);
    Ok(())
}

#[test]
fn while_loops_with_arrays() -> Result<(), Error> {
    // Power iteration until the vector settles.
    let f = Function::trace(matrix(2, 2), |a| {
        let start = (Array::constants(&[2], &[1.0, 0.0]), Scalar::from(1.0));
        let (x, _) = while_loop(
            start,
            |(_, change)| change.gt(1e-12),
            |(x, _)| {
                let y = a.dot(x);
                let y = y / y.norm2();
                (y, (y - x).norm2())
            },
        );
        x.inner(a.dot(x))
    })?;
    assert!((f.eval(&[2.0, 1.0, 1.0, 2.0])? - 3.0).abs() < 1e-12);
    Ok(())
}

#[test]
fn conditionals_capture_and_nest() -> Result<(), Error> {
    let f = Function::trace((vector(2), scalar_of::<I64>()), |(x, n)| {
        cond(n.gt(0), || cond(n.gt(1), || x * 3.0, || x + 1.0), || sum(2, |i| x.at(i) * x))
    })?;
    assert_eq!(f.eval((&[1.0, 2.0], &2))?, [3.0, 6.0]);
    assert_eq!(f.eval((&[1.0, 2.0], &1))?, [2.0, 3.0]);
    assert_eq!(f.eval((&[1.0, 2.0], &0))?, [3.0, 6.0]);
    let constant = Function::trace(scalar(), |x| cond(Scalar::from(1.0).gt(0.0), || x * 2.0, || *x))?;
    assert!(!constant.to_string().contains("cond"), "{constant}");
    Ok(())
}

#[test]
fn rows_of_several_arrays() -> Result<(), Error> {
    let f = Function::trace((matrix(2, 3), vector(2)), |(a, b)| map_rows((*a, *b), |(row, b)| row * b))?;
    assert_eq!(f.eval((&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[1.0, 10.0]))?, [1.0, 2.0, 3.0, 40.0, 50.0, 60.0]);
    let f = Function::trace(matrix(2, 3), |a| {
        vmap(|row| row.softmax(0).sum(), *a) + sum_rows(*a, |row| row.sum())
    })?;
    assert_eq!(f.eval(&[0.0; 6])?, [1.0, 1.0]);
    Ok(())
}

#[test]
fn loops_outside_of_traces_are_evaluated() {
    assert_eq!(sum(4, |i| i.to_f64()).as_constant(), Some(6.0));
    assert_eq!(scan(3, Scalar::from(1.0), |x, _| x + x).as_constant(), Some(8.0));
    let array: Array<'_> = map(4, |i| i.to_f64());
    assert!(array.error().is_some_and(|error| error.to_string().contains("outside of a trace")));
    assert!((array + 1.0).sum().error().is_some());
}

#[test]
fn loops_backwards() -> Result<(), Error> {
    let suffix_sums = Function::trace(vector(3), |x| {
        let (_, sums) = scan_stacked(Count::from(3).rev(), Scalar::from(0.0), |sum, i| {
            let sum = sum + x.at(i);
            (sum, sum * sum)
        });
        sums
    })?;
    assert!(suffix_sums.to_string().contains("trips 3 reverse"), "{suffix_sums}");
    assert_eq!(suffix_sums.eval(&[1.0, 2.0, 3.0])?, [36.0, 25.0, 9.0]);
    assert!(suffix_sums.check_derivatives(&[1.0, 2.0, 3.0])?.passed());
    let counted = Function::trace((vector(4), scalar_of::<I64>()), |(x, n)| {
        scan(n.at_most(4).rev(), Scalar::from(0.0), |y, i| 10.0 * y + x.at(i))
    })?;
    assert_eq!(counted.eval((&[1.0, 2.0, 3.0, 4.0], &3))?, 321.0);
    Ok(())
}
