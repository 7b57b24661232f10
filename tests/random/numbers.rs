//! Random numbers of every kind, and comparing results bit for bit.

use crate::choices::Choices;
use evolute::ir::{Buffer, Elem, Literal, Type};

/// Where floating-point arithmetic has its edges, the simplest first.
pub(crate) const EDGES: [f64; 20] = [
    0.0,
    1.0,
    -1.0,
    2.0,
    0.5,
    -0.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    3.0,
    -2.5,
    5e-324,
    -2.225_073_858_507_201e-308,
    f64::MIN_POSITIVE,
    f64::MAX,
    f64::MIN,
    1e300,
    1e-300,
    f64::EPSILON,
    709.8,
];

/// A constant of this kind: any at all if `wild`, else a finite real number of moderate size.
pub(crate) fn literal(choices: &mut Choices, elem: Elem, wild: bool) -> Literal {
    match elem {
        Elem::F64 | Elem::F32 if !wild => Literal::from_f64(elem, choices.between(-2.0, 2.0)),
        Elem::F64 | Elem::F32 => match choices.below(6) {
            0 | 1 => Literal::from_f64(elem, choices.pick(&EDGES)),
            2 if elem == Elem::F64 => Literal::F64(choices.bits()),
            2 => Literal::F32(choices.bits() as u32),
            _ => Literal::from_f64(elem, choices.between(-3.0, 3.0)),
        },
        Elem::I64 if choices.chance(5) => Literal::I64(choices.bits() as i64),
        Elem::I64 if choices.chance(8) => Literal::I64(choices.pick(&[i64::MIN, i64::MAX])),
        Elem::I64 => Literal::I64(choices.below(9) as i64 - 3),
        Elem::Bool => Literal::Bool(choices.chance(2)),
    }
}

/// A buffer of this type.
pub(crate) fn buffer(choices: &mut Choices, ty: &Type, wild: bool) -> Buffer {
    let slots: Vec<u64> = (0..ty.shape.len()).map(|_| literal(choices, ty.elem, wild).to_slot()).collect();
    from_slots(ty.elem, slots)
}

/// Buffers for parameters of these types; now and then all of them tame, as one NaN makes many.
pub(crate) fn inputs(choices: &mut Choices, types: &[Type]) -> Vec<Buffer> {
    let wild = choices.chance(2);
    types.iter().map(|ty| buffer(choices, ty, wild)).collect()
}

/// A buffer of these numbers, all of this kind.
pub(crate) fn from_literals(elem: Elem, literals: &[Literal]) -> Buffer {
    from_slots(elem, literals.iter().map(|x| x.to_slot()).collect())
}

fn from_slots(elem: Elem, slots: Vec<u64>) -> Buffer {
    let slots = slots.into_iter();
    match elem {
        Elem::F64 => Buffer::F64(slots.map(f64::from_bits).collect()),
        Elem::F32 => Buffer::F32(slots.map(|slot| f32::from_bits(slot as u32)).collect()),
        Elem::I64 => Buffer::I64(slots.map(|slot| slot as i64).collect()),
        Elem::Bool => Buffer::Bool(slots.map(|slot| slot == 1).collect()),
    }
}

/// NaNs are one class, signed zeros are two.
fn canonical(x: Literal) -> Literal {
    match x {
        Literal::F64(bits) if f64::from_bits(bits).is_nan() => Literal::F64(f64::NAN.to_bits()),
        Literal::F32(bits) if f32::from_bits(bits).is_nan() => Literal::F32(f32::NAN.to_bits()),
        other => other,
    }
}

/// The first difference between two lists of results, in words.
pub(crate) fn difference(found: &[Buffer], expected: &[Buffer]) -> Option<String> {
    if found.len() != expected.len() {
        return Some(format!("{} results instead of {}", found.len(), expected.len()));
    }
    for (result, (a, b)) in found.iter().zip(expected).enumerate() {
        if a.len() != b.len() {
            return Some(format!("result {result}: {} elements instead of {}", a.len(), b.len()));
        }
        for i in 0..a.len() {
            if canonical(a.get(i)) != canonical(b.get(i)) {
                return Some(format!("result {result}[{i}]: {} instead of {}", a.get(i), b.get(i)));
            }
        }
    }
    None
}
