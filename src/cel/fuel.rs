//! The budget of one evaluation. Input: costs as they arise; output: an error when they exceed the budget.

use crate::cel::error::CallError;

/// How much work one evaluation may do: about one unit a plan node, a visited element, or 32 bytes written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fuel(pub u64);

impl Default for Fuel {
    /// One million units: tens of milliseconds, at most some 32 MB written.
    fn default() -> Self {
        Self(1_000_000)
    }
}

impl Fuel {
    /// Takes `units` from the budget.
    ///
    /// # Errors
    ///
    /// When the budget is used up.
    pub fn charge(&mut self, units: u64) -> Result<(), CallError> {
        match self.0.checked_sub(units) {
            Some(left) => {
                self.0 = left;
                Ok(())
            }
            None => {
                self.0 = 0;
                Err(CallError::out_of_fuel())
            }
        }
    }

    /// Takes the cost of writing or reading `bytes` bytes.
    ///
    /// # Errors
    ///
    /// When the budget is used up.
    pub fn charge_bytes(&mut self, bytes: usize) -> Result<(), CallError> {
        self.charge(to_u64(bytes) / 32)
    }

    /// Takes the cost of `count` elements.
    ///
    /// # Errors
    ///
    /// When the budget is used up.
    pub fn charge_elements(&mut self, count: usize) -> Result<(), CallError> {
        self.charge(to_u64(count))
    }
}

pub(crate) fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
