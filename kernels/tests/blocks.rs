//! The block form of every kernel of one argument has the bits of its scalar form, in both builds.
//!
//! Blocks of random bits, of moderate arguments, and mixtures: a block takes another path when one
//! of its arguments is rare, and its last elements when its length is no multiple of the lanes.

use evolute_kernels::{Kernel, Signature, Table, baseline, table};

/// A reproducible stream of 64 random bits (splitmix64).
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in `[-range, range)`.
    fn moderate(&mut self, range: f64) -> f64 {
        ((self.bits() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0) * range
    }

    fn block(&mut self, kind: u64, len: usize) -> Vec<f64> {
        (0..len)
            .map(|i| match (kind, i % 7) {
                (0, _) | (1, 0) => f64::from_bits(self.bits()),
                (1 | 2, _) => self.moderate(5.0),
                _ => self.moderate(800.0),
            })
            .collect()
    }
}

fn assert_same_bits(table: &Table, kernel: Kernel, x: &[f64]) {
    let mut out = vec![f64::NAN; x.len()];
    table.unary_block(kernel, x, &mut out);
    for (&x, &block) in x.iter().zip(&out) {
        let scalar = table.unary(kernel, x);
        let same = scalar.to_bits() == block.to_bits() || (scalar.is_nan() && block.is_nan());
        assert!(same, "{kernel:?}({x:e}): scalar {scalar:e}, block {block:e}");
    }
}

#[test]
fn block_equals_scalar() {
    let mut random = Random(7);
    for kernel in Kernel::ALL.into_iter().filter(|k| k.signature() == Signature::Unary) {
        for kind in 0..4 {
            for len in [0, 1, 3, 4, 8, 13, 64, 1000] {
                let x = random.block(kind, len);
                assert_same_bits(table(), kernel, &x);
                assert_same_bits(baseline(), kernel, &x);
            }
        }
    }
}

#[test]
#[should_panic(expected = "Pow is not Unary")]
fn block_of_two_arguments_is_refused() {
    table().unary_block(Kernel::Pow, &[1.0], &mut [0.0]);
}
