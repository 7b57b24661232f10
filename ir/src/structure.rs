//! What structural instructions are made of: strided access, reductions, loops.

use crate::interp::FailureKind;
use crate::summation::SumOrder;
use crate::types::Shape;
use std::fmt;

/// An affine map from the index of one array to the flat index of another: `offset + Σ strideₖ · iₖ`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Strides {
    /// The flat index of element (0, 0, …).
    pub offset: i64,
    /// What a step along each axis adds to it; 0 repeats, negative numbers go backwards.
    pub strides: Box<[i64]>,
}

impl Strides {
    /// The map of a row-major array of this shape to itself.
    pub fn row_major(shape: &Shape) -> Strides {
        let mut strides = vec![0; shape.extents().len()];
        let mut step = 1;
        for (stride, &extent) in strides.iter_mut().zip(shape.extents()).rev() {
            *stride = step;
            step *= i64::from(extent);
        }
        Strides { offset: 0, strides: strides.into() }
    }

    /// The smallest and the largest flat index over all indices of `shape`, or `None` if that is empty or
    /// an index overflows.
    pub fn range(&self, shape: &Shape) -> Option<(i64, i64)> {
        let (mut low, mut high) = (self.offset, self.offset);
        for (&stride, &extent) in self.strides.iter().zip(shape.extents()) {
            let reach = stride.checked_mul(i64::from(extent.checked_sub(1)?))?;
            low = low.checked_add(reach.min(0))?;
            high = high.checked_add(reach.max(0))?;
        }
        Some((low, high))
    }

    /// The flat index of an index.
    pub fn flat(&self, index: &[u32]) -> i64 {
        self.offset + self.strides.iter().zip(index).map(|(&s, &i)| s * i64::from(i)).sum::<i64>()
    }
}

/// How [`Op::Reduce`](crate::Op::Reduce) combines elements.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reduction {
    /// The sum, in lanes and segments (Note \[Summation\] in `summation.rs`); 0 of no elements.
    Sum,
    /// The product, in the same order; 1 of no elements.
    Prod,
    /// The largest element; a NaN wins. −∞ or `i64::MIN` of no elements.
    Max,
    /// The smallest element; a NaN wins. +∞ or `i64::MAX` of no elements.
    Min,
    /// The flat index of the first largest element among those reduced; of the first NaN if there is one.
    ArgMax,
    /// The flat index of the first smallest element among those reduced; of the first NaN if there is one.
    ArgMin,
}

impl Reduction {
    /// Every reduction.
    pub const ALL: [Reduction; 6] = [
        Reduction::Sum,
        Reduction::Prod,
        Reduction::Max,
        Reduction::Min,
        Reduction::ArgMax,
        Reduction::ArgMin,
    ];

    /// The name in the text form.
    pub const fn name(self) -> &'static str {
        match self {
            Reduction::Sum => "sum",
            Reduction::Prod => "prod",
            Reduction::Max => "max",
            Reduction::Min => "min",
            Reduction::ArgMax => "argmax",
            Reduction::ArgMin => "argmin",
        }
    }

    /// The reduction of this name.
    pub fn from_name(name: &str) -> Option<Reduction> {
        Reduction::ALL.into_iter().find(|reduction| reduction.name() == name)
    }

    /// Whether the result is an index.
    pub const fn is_index(self) -> bool {
        matches!(self, Reduction::ArgMax | Reduction::ArgMin)
    }
}

/// How often a loop runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Trips {
    /// Always so often.
    Fixed(u32),
    /// As often as the first operand, an `i64`, says: at most so often. A count outside is an error of the call.
    Counted(u32),
    /// As long as the condition holds, which is asked before each iteration: at most so often. A condition
    /// that still holds then is an error of the call. The first result is the number of iterations.
    While(u32),
}

impl Trips {
    /// The most iterations: the extent of arrays that have a row for each.
    pub const fn cap(self) -> u32 {
        match self {
            Trips::Fixed(n) | Trips::Counted(n) | Trips::While(n) => n,
        }
    }
}

/// Of how many iterations reverse mode stores the carries; the others are computed again. Without carries there is
/// nothing to store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Checkpoint {
    /// Of about 2√N of N.
    Sqrt,
    /// At the beginning of so many segments of equal length, and then of one segment after the other.
    Segments(u32),
    /// Of as many as the bytes hold.
    Memory(u64),
}

/// What a `while` is to reach: what the call's error says if it still goes on at its cap.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Aim {
    /// Its own end.
    #[default]
    End,
    /// The convergence of iterations.
    Converge,
    /// The solution of a linear system that is not singular.
    Solve,
    /// A solution of the user's that is one.
    Accept,
}

impl Aim {
    /// Every aim but the first, which is not written.
    pub(crate) const NAMED: [Aim; 3] = [Aim::Converge, Aim::Solve, Aim::Accept];

    /// The name in the text form.
    pub const fn name(self) -> &'static str {
        match self {
            Aim::End => "end",
            Aim::Converge => "converge",
            Aim::Solve => "solve",
            Aim::Accept => "accept",
        }
    }

    /// What has failed if it is not reached.
    pub const fn missed(self) -> FailureKind {
        match self {
            Aim::End => FailureKind::Endless,
            Aim::Converge => FailureKind::NotConverged,
            Aim::Solve => FailureKind::Singular,
            Aim::Accept => FailureKind::Rejected,
        }
    }
}

/// What a loop's operands, parameters and results are. With `c` carries, `r` rows, `s` sums:
///
/// | | |
/// | --- | --- |
/// | operands | a count if the trips are counted, `c` initial carries, `r` arrays, `s` initial sums, captures |
/// | parameters of the body | the iteration number `i`, `c` carries, row `i` of the `r` arrays, `s` sums, captures |
/// | results of the body | `c` carries, any number of rows to stack, `s` sums |
/// | results | the count if the trips are a `while`, `c` carries, the stacks, `s` sums |
///
/// Arrays of rows have one row for each of the trips' cap; rows of a stack that no iteration gives are zeros. The
/// condition of a `while` has the iteration number, the carries and the captures as parameters and one `bool` as
/// result. A sum is only added to: its parameter is used once, as what `add_at` adds to, as a sum of a nested loop
/// or conditional, or as the sum's result. So iterations without carries are independent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LoopSpec {
    /// How often it runs.
    pub trips: Trips,
    /// Whether it runs from the last iteration number to 0.
    pub reverse: bool,
    /// The number of carries.
    pub carries: u32,
    /// The number of arrays of which iteration `i` gets row `i`.
    pub rows: u32,
    /// The number of sums.
    pub sums: u32,
    /// Whether its sums are taken one term after the other, without lanes and segments. (Note \[Summation\] in
    /// `summation.rs`.)
    pub ordered: bool,
    /// How reverse mode is to save memory. A loop that has both this and sums is ordered.
    pub checkpoint: Option<Checkpoint>,
    /// What a `while` is to reach.
    pub aim: Aim,
}

impl LoopSpec {
    /// A loop that runs so often, forwards, and has nothing else yet.
    pub const fn new(trips: Trips) -> LoopSpec {
        LoopSpec {
            trips,
            reverse: false,
            carries: 0,
            rows: 0,
            sums: 0,
            ordered: false,
            checkpoint: None,
            aim: Aim::End,
        }
    }

    /// The order of a sum of so many elements.
    pub const fn order(&self, elements: usize) -> SumOrder {
        if self.ordered { SumOrder::ORDERED } else { SumOrder::of(self.trips.cap(), elements) }
    }

    /// The body's parameters before the captures.
    pub const fn own_params(&self) -> usize {
        1 + (self.carries + self.rows + self.sums) as usize
    }

    /// The operands before the captures.
    pub const fn own_operands(&self) -> usize {
        self.first_carry_operand() + (self.carries + self.rows + self.sums) as usize
    }

    /// The number of the first initial carry among the operands.
    pub const fn first_carry_operand(&self) -> usize {
        matches!(self.trips, Trips::Counted(_)) as usize
    }

    /// The number of the first carry among the results.
    pub const fn first_carry_result(&self) -> usize {
        matches!(self.trips, Trips::While(_)) as usize
    }
}

/// ` from 2 by [4, 1]`.
impl fmt::Display for Strides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from {} by {:?}", self.offset, self.strides)
    }
}

/// `sqrt`, `segments 10`, `memory 4096`.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Checkpoint::Sqrt => write!(f, "sqrt"),
            Checkpoint::Segments(count) => write!(f, "segments {count}"),
            Checkpoint::Memory(bytes) => write!(f, "memory {bytes}"),
        }
    }
}

/// `trips 10 reverse carries 1 rows 2 sums 0 ordered checkpoint sqrt`, or `while 100 to converge carries 3 …`.
impl fmt::Display for LoopSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LoopSpec { trips, reverse, carries, rows, sums, ordered, checkpoint, aim } = self;
        let word = match trips {
            Trips::Fixed(_) => "trips",
            Trips::Counted(_) => "counted",
            Trips::While(_) => "while",
        };
        write!(f, "{word} {}", trips.cap())?;
        if *aim != Aim::End {
            write!(f, " to {}", aim.name())?;
        }
        let reverse = if *reverse { " reverse" } else { "" };
        write!(f, "{reverse} carries {carries} rows {rows} sums {sums}")?;
        if *ordered {
            write!(f, " ordered")?;
        }
        checkpoint.map_or(Ok(()), |checkpoint| write!(f, " checkpoint {checkpoint}"))
    }
}
