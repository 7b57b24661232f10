//! Which primitives are calls of kernels.

use evolute_ir::{Prim, for_each_prim};
use evolute_kernels::{Kernel, Signature};

macro_rules! define_calls {
    ($($Variant:ident $name:ident ($($x:ident: $class:ident),+) -> $r:ident: $result:ident,
       { $($kind:ident $eval:tt $native:ident);+ }, $([$($partial:tt)+])* $(/ $divisor:ident)?, [$($domain:expr),+], $doc:literal;)*) => {
        /// The kernel that a row is on reals: a call, which leaves nothing in vector registers.
        const fn kernel(prim: Prim) -> Option<Kernel> {
            let mut found = None;
            match prim { $(Prim::$Variant => { $(define_calls!(found $kind $native);)+ })* }
            found
        }
    };
    ($found:ident kernel $native:ident) => { $found = Some(Kernel::$native) };
    ($found:ident $kind:ident $native:ident) => {};
}
for_each_prim!(define_calls);

/// Whether a row is a kernel on reals.
pub(crate) const fn calls_kernel(prim: Prim) -> bool {
    kernel(prim).is_some()
}

/// The kernel that a row is on reals, if it has a block form.
pub(crate) fn unary_kernel(prim: Prim) -> Option<Kernel> {
    kernel(prim).filter(|kernel| kernel.signature() == Signature::Unary)
}
