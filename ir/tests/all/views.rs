//! Views of views: the builder reads through them, and the elements are the same.

use crate::support::Rng;
use evolute_ir::{Buffer, Builder, Elem, Interpreter, Op, Strides, Type};

fn shape(rng: &mut Rng) -> Vec<usize> {
    (0..rng.below(4)).map(|_| 1 + rng.below(4)).collect()
}

/// Strides from an array of these extents into one of `len` elements.
fn strides(rng: &mut Rng, extents: &[usize], len: usize) -> Strides {
    let (mut low, mut high) = (0i64, 0i64);
    let mut strides = Vec::new();
    for &extent in extents {
        let room = len as i64 - 1 - (high - low);
        let reach = extent as i64 - 1;
        let largest = if reach == 0 { 5 } else { room / reach };
        let stride = rng.below(largest as usize + 1) as i64;
        let stride = if rng.below(3) == 0 { -stride } else { stride };
        low += (stride * reach).min(0);
        high += (stride * reach).max(0);
        strides.push(stride);
    }
    let offset = -low + rng.below((len as i64 - (high - low)) as usize) as i64;
    Strides { offset, strides: strides.into() }
}

#[test]
fn views_of_views_have_the_same_elements() {
    let mut folded = 0;
    for seed in 0..2000 {
        let rng = &mut Rng::new(seed);
        let first = [2 + rng.below(3), 3, 4];
        let mut elements: Vec<i64> = (0..first.iter().product::<usize>() as i64).collect();
        let mut builder = Builder::new();
        let mut value = builder.param(&Type::array(Elem::I64, &first).expect("small"));
        let input = Buffer::I64(elements.clone());
        for _ in 0..3 {
            let extents = shape(rng);
            let strides = strides(rng, &extents, elements.len());
            let ty = Type::array(Elem::I64, &extents).expect("small");
            let index = |mut flat: usize| {
                let mut index = vec![0; extents.len()];
                for (i, &extent) in index.iter_mut().zip(&extents).rev() {
                    *i = (flat % extent) as u32;
                    flat /= extent;
                }
                index
            };
            elements = (0..ty.shape.len()).map(|k| elements[strides.flat(&index(k)) as usize]).collect();
            let (id, strides) = (builder.intern(&ty), builder.strides(&strides));
            value = builder.insert(Op::View(id, strides), &[value]).expect("in range");
        }
        if elements.len() > 1 {
            let number = rng.below(elements.len());
            let element = builder.insert(Op::Element(number as u32), &[value]).expect("in range");
            let program = builder.finish_live(&[value, element]).expect("of the root");
            folded += usize::from(program.len() < 4);
            let found = Interpreter::new(&program).expect("small").eval(&[input]).expect("fits");
            let expected = [Buffer::I64(elements.clone()), Buffer::I64(vec![elements[number]])];
            assert_eq!(found, expected, "seed {seed}\n{program}");
        }
    }
    assert!(folded > 300, "only {folded} programs were folded");
}
