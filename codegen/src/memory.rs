//! Memory for machine code: mapped writable, made executable once, unmapped by its owner.
//!
//! [`CodeMemory`] hands memory to Cranelift's `JITModule`; [`Mappings`] is what remains when the
//! module is gone: the only owner of the executable pages. No page is ever writable and executable
//! at once, and `JITModule`, which leaks its memory unless told otherwise, never owns any.

use cranelift_jit::{BranchProtection, JITMemoryKind, JITMemoryProvider};
use cranelift_module::{ModuleError, ModuleResult};
use memmap2::{Mmap, MmapMut};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Executable pages, unmapped on drop.
pub(crate) struct Mappings {
    maps: Vec<Mmap>,
}

/// The two hands on memory under construction: the module's and its maker's.
#[derive(Clone, Default)]
pub(crate) struct CodeMemory(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    filling: Vec<MmapMut>,
    /// The bytes given away of the last map.
    used: usize,
    executable: Vec<Mmap>,
    /// Why the system refused, which `ModuleError` does not keep as an `io::Error`.
    refusal: Option<io::Error>,
}

/// Code comes function by function, so each map is larger than the last up to this size.
const LARGEST_STEP: usize = 1 << 24;
const PAGE: usize = 1 << 12;

impl CodeMemory {
    /// The pages made executable so far; whoever holds them decides how long the code lives.
    pub(crate) fn take(&self) -> Mappings {
        Mappings { maps: std::mem::take(&mut self.lock().executable) }
    }

    /// The system's reason if it refused memory.
    pub(crate) fn take_refusal(&self) -> Option<io::Error> {
        self.lock().refusal.take()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn allocate(&mut self, size: usize, align: usize) -> io::Result<*mut u8> {
        let start = self.used.next_multiple_of(align.max(1));
        let fits = self.filling.last().is_some_and(|map| start + size <= map.len());
        if !fits {
            let step = self.filling.last().map_or(PAGE, |map| (map.len() * 2).min(LARGEST_STEP));
            self.filling.push(MmapMut::map_anon(size.max(step).next_multiple_of(PAGE))?);
        }
        let start = if fits { start } else { 0 };
        self.used = start + size;
        let map = self.filling.last_mut().expect("a map with room");
        Ok(map[start..].as_mut_ptr())
    }

    fn make_executable(&mut self) -> io::Result<()> {
        for map in self.filling.drain(..) {
            self.executable.push(map.make_exec()?);
        }
        Ok(())
    }

    /// The result, with a refusal kept for [`CodeMemory::take_refusal`].
    fn note<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let copy = io::Error::new(error.kind(), error.to_string());
            self.refusal = Some(error);
            copy
        })
    }
}

impl JITMemoryProvider for CodeMemory {
    fn allocate(&mut self, size: usize, align: u64, _kind: JITMemoryKind) -> io::Result<*mut u8> {
        let mut state = self.lock();
        let result = state.allocate(size, align as usize);
        state.note(result)
    }

    // SAFETY: the trait lets the caller decide when code dies; here nothing does but dropping
    // `Mappings`, so there is nothing to free and nothing to require.
    unsafe fn free_memory(&mut self) {}

    fn finalize(&mut self, _: BranchProtection) -> ModuleResult<()> {
        let mut state = self.lock();
        let result = state.make_executable();
        state.note(result).map_err(|err| ModuleError::Allocation { err })
    }
}

impl Mappings {
    /// Bytes mapped.
    pub(crate) fn bytes(&self) -> usize {
        self.maps.iter().map(|map| map.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_an_error_that_keeps_the_system_s_reason() {
        let mut memory = CodeMemory::default();
        assert!(memory.allocate(1 << 60, 16, JITMemoryKind::Executable).is_err());
        assert!(memory.take_refusal().is_some());
        assert!(memory.allocate(100, 16, JITMemoryKind::Executable).is_ok());
        assert!(memory.take_refusal().is_none());
    }

    #[test]
    fn functions_share_pages_until_these_are_full() {
        let mut state = State::default();
        let addresses = [10, 20, 5000, 100].map(|size| state.allocate(size, 32).expect("memory").addr());
        assert_eq!(addresses[1], addresses[0] + 32);
        assert!(addresses.iter().all(|address| address % 32 == 0));
        assert_eq!(state.filling.len(), 2);
        state.make_executable().expect("the system allows it");
        assert_eq!(Mappings { maps: state.executable }.bytes(), PAGE + 2 * PAGE);
    }
}
