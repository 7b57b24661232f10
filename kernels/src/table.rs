//! Code pointers of all kernels, compiled twice from one generic source.
//!
//! [`table`] gives the build for this CPU, chosen once at run time; [`baseline`] the one that every
//! CPU of the architecture can run. The two may differ in the last bits, one build never differs
//! from itself: results are reproducible for equal [`features`]. Native code is handed
//! [`Table::as_ptr`] and calls entry `i` for kernel `i` by the C calling convention.
//!
//! This is the only file of the crate with `unsafe` code.

use std::mem::MaybeUninit;
use std::sync::OnceLock;

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use crate::arithmetic::Fused;
#[cfg(not(target_arch = "aarch64"))]
use crate::arithmetic::Plain;
use crate::{Dense, Kernel, Product, Signature, branch_free, for_each_kernel, generic};

/// A code pointer; which field is valid is told by the signature of the kernel.
#[derive(Clone, Copy)]
#[repr(C)]
union Entry {
    unary: unsafe extern "C" fn(f64) -> f64,
    binary: unsafe extern "C" fn(f64, f64) -> f64,
    ternary: unsafe extern "C" fn(f64, f64, f64) -> f64,
    unary_int: unsafe extern "C" fn(f64, i64) -> f64,
}

/// One code pointer a kernel, in the order of [`Kernel`].
///
/// A table exists only where the CPU can run its functions.
#[repr(C)]
pub struct Table {
    entries: [Entry; Kernel::COUNT],
    dense: DenseFn,
    block: CallBlockFn,
    product: ProductFn,
    blocks: [Option<BlockFn>; Kernel::COUNT],
}

/// What native code calls for dense linear algebra: two operands, the result, scratch memory, two extents, and the number of
/// the function.
type DenseFn =
    unsafe extern "C" fn(*const f64, *const f64, *mut f64, *mut MaybeUninit<f64>, usize, usize, usize);

/// Calls [`Dense::run`].
///
/// # Safety
/// `number` is that of a function. The pointers address as many numbers as it takes and gives for these extents, aligned;
/// a second operand that it does not take is not looked at. Result and scratch memory overlap nothing else.
unsafe extern "C" fn dense(
    a: *const f64,
    b: *const f64,
    result: *mut f64,
    scratch: *mut MaybeUninit<f64>,
    m: usize,
    n: usize,
    number: usize,
) {
    let function = Dense::ALL[number];
    let ([len_a, len_b], len) = function.lens([m, n]);
    // SAFETY: by this function's contract.
    let (operands, result, scratch) = unsafe {
        (
            [slice(a, len_a), slice(b, len_b)],
            slice_mut(result, len),
            slice_mut(scratch, function.scratch_len([m, n])),
        )
    };
    function.run(operands, result, scratch, [m, n]);
}

/// What native code calls for the block form of a kernel: the table, which kernel, arguments, results, and how many.
type CallBlockFn = unsafe extern "C" fn(&Table, usize, *const f64, *mut f64, usize);

/// Calls [`Table::unary_block`].
///
/// # Safety
/// `number` is that of a kernel of one argument. The pointers address as many numbers, aligned, those of the results apart
/// from all else.
unsafe extern "C" fn call_block(table: &Table, number: usize, x: *const f64, out: *mut f64, len: usize) {
    // SAFETY: by this function's contract.
    let (x, out) = unsafe { (slice(x, len), slice_mut(out, len)) };
    table.unary_block(Kernel::ALL[number], x, out);
}

/// What native code calls for products: which, the operands, the result, and scratch memory.
type ProductFn = unsafe extern "C" fn(*const Product, *const f64, *const f64, *mut f64, *mut f64);

/// # Safety
/// `start` addresses `len` numbers, unless there are none.
unsafe fn slice<'a>(start: *const f64, len: usize) -> &'a [f64] {
    // SAFETY: by this function's contract.
    if len == 0 { &[] } else { unsafe { std::slice::from_raw_parts(start, len) } }
}

/// # Safety
/// As [`slice`], and nothing else accesses them.
unsafe fn slice_mut<'a, T>(start: *mut T, len: usize) -> &'a mut [T] {
    // SAFETY: by this function's contract.
    if len == 0 { &mut [] } else { unsafe { std::slice::from_raw_parts_mut(start, len) } }
}

/// The block form of a kernel of one argument: the shorter of the two lengths counts. Safe to call where the CPU has the
/// features that it was compiled for.
type BlockFn = unsafe fn(&[f64], &mut [f64]);

impl Table {
    /// The place, behind the kernels, of the function for dense linear algebra.
    pub const DENSE: usize = Kernel::COUNT;

    /// The place of the function for the kernels' block forms.
    pub const BLOCK: usize = Kernel::COUNT + 1;

    /// The place of the function for products.
    pub const PRODUCT: usize = Kernel::COUNT + 2;

    /// The array of code pointers that native code indexes by `Kernel as usize`, [`Table::DENSE`], [`Table::BLOCK`] or
    /// [`Table::PRODUCT`].
    pub fn as_ptr(&self) -> *const *const () {
        std::ptr::from_ref(self).cast()
    }

    /// Evaluates a kernel of signature [`Signature::Unary`]; panics for any other.
    #[inline]
    pub fn unary(&self, kernel: Kernel, x: f64) -> f64 {
        // SAFETY: `entry` checked the signature; the CPU has the features by the table's invariant.
        unsafe { (self.entry(kernel, Signature::Unary).unary)(x) }
    }

    /// Evaluates a kernel of signature [`Signature::Binary`]; panics for any other.
    #[inline]
    pub fn binary(&self, kernel: Kernel, x: f64, y: f64) -> f64 {
        // SAFETY: as in `unary`.
        unsafe { (self.entry(kernel, Signature::Binary).binary)(x, y) }
    }

    /// Evaluates a kernel of signature [`Signature::Ternary`]; panics for any other.
    #[inline]
    pub fn ternary(&self, kernel: Kernel, x: f64, y: f64, z: f64) -> f64 {
        // SAFETY: as in `unary`.
        unsafe { (self.entry(kernel, Signature::Ternary).ternary)(x, y, z) }
    }

    /// Evaluates a kernel of signature [`Signature::UnaryInt`]; panics for any other.
    #[inline]
    pub fn unary_int(&self, kernel: Kernel, x: f64, n: i64) -> f64 {
        // SAFETY: as in `unary`.
        unsafe { (self.entry(kernel, Signature::UnaryInt).unary_int)(x, n) }
    }

    /// Evaluates a kernel of signature [`Signature::Unary`] for many arguments: `out[i] = f(x[i])`
    /// with the bits of [`Table::unary`], up to the shorter of the two lengths. Kernels of our own
    /// run as vector code. Panics for any other signature.
    pub fn unary_block(&self, kernel: Kernel, x: &[f64], out: &mut [f64]) {
        match self.blocks[kernel as usize] {
            // SAFETY: the CPU has the features by the table's invariant.
            Some(block) => unsafe { block(x, out) },
            None => panic!("{kernel:?} is not {:?}", Signature::Unary),
        }
    }

    /// Computes a product of matrices.
    ///
    /// Slices that are too short for it, or scratch memory that is, panic; of longer ones the start is used.
    pub fn product(&self, product: &Product, a: &[f64], b: &[f64], c: &mut [f64], scratch: &mut [f64]) {
        let [len_a, len_b, len_c] = product.lens();
        let (a, b, c) = (&a[..len_a], &b[..len_b], &mut c[..len_c]);
        let scratch = &mut scratch[..product.scratch_len()];
        // SAFETY: the slices are as long as the contract says, and borrowed as it says; the CPU has the features by the
        // table's invariant.
        unsafe { (self.product)(product, a.as_ptr(), b.as_ptr(), c.as_mut_ptr(), scratch.as_mut_ptr()) }
    }

    #[inline]
    fn entry(&self, kernel: Kernel, signature: Signature) -> Entry {
        assert!(kernel.signature() == signature, "{kernel:?} is not {signature:?}");
        self.entries[kernel as usize]
    }
}

/// One extern "C" function and its entry, for each signature.
macro_rules! entry {
    (Unary $name:ident $arithmetic:ident $($attribute:tt)*) => {{
        $($attribute)*
        extern "C" fn $name(x: f64) -> f64 {
            generic::$name::<$arithmetic>(x)
        }
        Entry { unary: $name }
    }};
    (Binary $name:ident $arithmetic:ident $($attribute:tt)*) => {{
        $($attribute)*
        extern "C" fn $name(x: f64, y: f64) -> f64 {
            generic::$name::<$arithmetic>(x, y)
        }
        Entry { binary: $name }
    }};
    (Ternary $name:ident $arithmetic:ident $($attribute:tt)*) => {{
        $($attribute)*
        extern "C" fn $name(x: f64, y: f64, z: f64) -> f64 {
            generic::$name::<$arithmetic>(x, y, z)
        }
        Entry { ternary: $name }
    }};
    (UnaryInt $name:ident $arithmetic:ident $($attribute:tt)*) => {{
        $($attribute)*
        extern "C" fn $name(x: f64, n: i64) -> f64 {
            generic::$name::<$arithmetic>(x, n)
        }
        Entry { unary_int: $name }
    }};
}

/// The block form of a kernel of one argument.
macro_rules! block {
    (Unary $variant:ident $arithmetic:ident $($attribute:tt)*) => {{
        $($attribute)*
        fn block(x: &[f64], out: &mut [f64]) {
            branch_free::block::<generic::$variant, $arithmetic>(x, out);
        }
        Some(block)
    }};
    ($other:ident $variant:ident $arithmetic:ident $($attribute:tt)*) => {
        None
    };
}

/// The function for products.
///
/// Its contract: `a`, `b`, `c` address [`Product::lens`] numbers and `scratch` [`Product::scratch_len`], aligned. Those
/// of result and scratch memory overlap nothing else.
macro_rules! product {
    ($($attribute:tt)*) => {{
        $($attribute)*
        unsafe extern "C" fn product(
            product: *const Product,
            a: *const f64,
            b: *const f64,
            c: *mut f64,
            scratch: *mut f64,
        ) {
            // SAFETY: by the function's contract.
            let (product, a, b, c, scratch) = unsafe {
                let product = &*product;
                let [len_a, len_b, len_c] = product.lens();
                let (a, b, c) = (slice(a, len_a), slice(b, len_b), slice_mut(c, len_c));
                (product, a, b, c, slice_mut(scratch, product.scratch_len()))
            };
            product.run(a, b, c, scratch);
        }
        product
    }};
}

macro_rules! define_tables {
    ($($variant:ident $name:ident $signature:ident $doc:literal;)*) => {
        #[cfg(target_arch = "x86_64")]
        static FUSED: Table = Table {
            entries: [$(entry!($signature $name Fused #[target_feature(enable = "avx2,fma")])),*],
            dense,
            block: call_block,
            product: product!(#[target_feature(enable = "avx2,fma")]),
            blocks: [$(block!($signature $variant Fused #[target_feature(enable = "avx2,fma")])),*],
        };

        static BASELINE: Table = Table {
            entries: [$(entry!($signature $name Native)),*],
            dense,
            block: call_block,
            product: product!(),
            blocks: [$(block!($signature $variant Native)),*],
        };

        impl Table {
            $(entry_call!($signature $variant $name);)*
        }
    };
}

/// The typed access of the plain functions: no check of the signature at run time.
macro_rules! entry_call {
    (Unary $variant:ident $name:ident) => {
        #[inline(always)]
        pub(crate) fn $name(&self, x: f64) -> f64 {
            // SAFETY: the row of the kernel says that `unary` is the valid field; the CPU has the
            // features by the table's invariant.
            unsafe { (self.entries[Kernel::$variant as usize].unary)(x) }
        }
    };
    (Binary $variant:ident $name:ident) => {
        #[inline(always)]
        pub(crate) fn $name(&self, x: f64, y: f64) -> f64 {
            // SAFETY: as above, for `binary`.
            unsafe { (self.entries[Kernel::$variant as usize].binary)(x, y) }
        }
    };
    (Ternary $variant:ident $name:ident) => {
        #[inline(always)]
        pub(crate) fn $name(&self, x: f64, y: f64, z: f64) -> f64 {
            // SAFETY: as above, for `ternary`.
            unsafe { (self.entries[Kernel::$variant as usize].ternary)(x, y, z) }
        }
    };
    (UnaryInt $variant:ident $name:ident) => {
        #[inline(always)]
        pub(crate) fn $name(&self, x: f64, n: i64) -> f64 {
            // SAFETY: as above, for `unary_int`.
            unsafe { (self.entries[Kernel::$variant as usize].unary_int)(x, n) }
        }
    };
}

/// The arithmetic that every CPU of this architecture has.
#[cfg(target_arch = "aarch64")]
type Native = Fused;
#[cfg(not(target_arch = "aarch64"))]
type Native = Plain;

for_each_kernel!(define_tables);

static CHOSEN: OnceLock<&'static Table> = OnceLock::new();

/// The build for this CPU; after the first call the cost is one load.
#[inline]
pub fn table() -> &'static Table {
    CHOSEN.get_or_init(choose)
}

/// The build that every CPU of this architecture can run.
pub fn baseline() -> &'static Table {
    &BASELINE
}

/// The instruction set of [`table`]: results are promised to be equal only among equal features.
pub fn features() -> &'static str {
    if !std::ptr::eq(table(), baseline()) {
        "avx2+fma"
    } else if cfg!(target_arch = "x86_64") {
        "sse2"
    } else if cfg!(target_arch = "aarch64") {
        "neon"
    } else {
        "baseline"
    }
}

#[cold]
fn choose() -> &'static Table {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        return &FUSED;
    }
    &BASELINE
}
