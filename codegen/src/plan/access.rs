//! Affine access: where the elements of an array lie within memory, as offset and strides in elements.
//!
//! A view of an array that lies in memory is the same memory with other strides, if the strides of the one
//! can be expressed by those of the other ([`through`]). A flat index is taken apart into one digit an axis;
//! where no digit leaves its axis, whatever the index, the composition is affine.

use evolute_ir::Strides;

/// The strides of a row-major array of these extents.
pub(crate) fn row_major(extents: &[u32]) -> Vec<i64> {
    let mut strides = vec![0; extents.len()];
    let mut step = 1;
    for (stride, &extent) in strides.iter_mut().zip(extents).rev() {
        *stride = step;
        step *= i64::from(extent);
    }
    strides
}

/// The number of elements.
pub(crate) fn count(extents: &[u32]) -> usize {
    extents.iter().map(|&extent| extent as usize).product()
}

/// Whether these strides lead through consecutive elements in row-major order. An axis of one element, and
/// an array of none, may have any.
pub(crate) fn is_row_major(strides: &[i64], extents: &[u32]) -> bool {
    let same = |((&stride, expected), &extent): ((&i64, i64), &u32)| extent == 1 || stride == expected;
    count(extents) == 0 || strides.iter().zip(row_major(extents)).zip(extents).all(same)
}

/// A flat index as a step along each axis, with the sign of the index.
fn digits(flat: i64, extents: &[u32]) -> Vec<i64> {
    let mut rest = flat;
    let digit = |&size: &i64| match size {
        0 => 0,
        size => {
            let digit = rest / size;
            rest %= size;
            digit
        }
    };
    row_major(extents).iter().map(digit).collect()
}

/// The same access without the strides of axes along which there is no step: those may be any number.
fn without_idle(strides: &Strides, shape: &[u32]) -> Strides {
    if count(shape) == 0 {
        return Strides { offset: 0, strides: vec![0; shape.len()].into() };
    }
    let kept = |(&stride, &extent): (&i64, &u32)| if extent == 1 { 0 } else { stride };
    Strides { offset: strides.offset, strides: strides.strides.iter().zip(shape).map(kept).collect() }
}

/// The access to elements that lie at `inner` from an index of an array of `extents`, when `outer` gives flat
/// indices of that array for indices of `shape`; `None` if that is not affine.
pub(crate) fn through(outer: &Strides, shape: &[u32], inner: &Strides, extents: &[u32]) -> Option<Strides> {
    let outer = &without_idle(outer, shape);
    if is_row_major(&inner.strides, extents) {
        return Some(Strides { offset: inner.offset + outer.offset, strides: outer.strides.clone() });
    }
    let start = digits(outer.offset, extents);
    let steps: Vec<Vec<i64>> = outer.strides.iter().map(|&stride| digits(stride, extents)).collect();
    for (axis, &extent) in extents.iter().enumerate() {
        let (mut low, mut high) = (start[axis], start[axis]);
        for (step, &count) in steps.iter().zip(shape) {
            let reach = step[axis] * (i64::from(count) - 1);
            low += reach.min(0);
            high += reach.max(0);
        }
        if low < 0 || high >= i64::from(extent) {
            return None;
        }
    }
    let along = |digits: &Vec<i64>| digits.iter().zip(&inner.strides).map(|(d, s)| d * s).sum::<i64>();
    let strides = steps.iter().map(along).collect();
    Some(Strides { offset: inner.offset + along(&start), strides })
}

/// The place of flat element `index` of an array of these extents.
pub(crate) fn element(inner: &Strides, extents: &[u32], index: u32) -> i64 {
    let along = digits(i64::from(index), extents);
    inner.offset + along.iter().zip(&inner.strides).map(|(d, s)| d * s).sum::<i64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strides(offset: i64, strides: &[i64]) -> Strides {
        Strides { offset, strides: strides.into() }
    }

    #[test]
    fn a_row_of_a_transpose_is_a_column() {
        let transpose = strides(0, &[1, 4]);
        let row = strides(3, &[1]);
        assert_eq!(through(&row, &[3], &transpose, &[4, 3]), Some(strides(1, &[4])));
    }

    #[test]
    fn reading_a_transpose_flat_is_not_affine() {
        assert_eq!(through(&strides(0, &[1]), &[12], &strides(0, &[1, 4]), &[4, 3]), None);
    }

    #[test]
    fn steps_back_through_a_transpose() {
        let back = strides(11, &[-3]);
        assert_eq!(through(&back, &[4], &strides(0, &[1, 4]), &[4, 3]), Some(strides(11, &[-1])));
    }

    #[test]
    fn elements_of_a_transpose() {
        assert_eq!(element(&strides(0, &[1, 4]), &[4, 3], 4), 5);
    }
}
