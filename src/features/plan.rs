//! How large a matrix will be, known before it is made.

use super::Error;

/// The size of a matrix that has not been made yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Rows of the matrix.
    pub rows: usize,
    /// Columns of the matrix.
    pub columns: usize,
    /// Bytes it takes.
    pub bytes: u64,
}

impl Plan {
    /// A matrix of this size, of 8 bytes a number.
    pub fn new(rows: usize, columns: usize) -> Self {
        Self { rows, columns, bytes: rows as u64 * columns as u64 * 8 }
    }

    /// Refuses a matrix above the budget, usually [`memory_budget`].
    pub fn check(&self, budget: u64) -> Result<(), Error> {
        let Self { rows, columns, bytes } = *self;
        if bytes > budget {
            return Err(Error::TooLarge { rows, columns, bytes, budget });
        }
        Ok(())
    }
}

/// The bytes a matrix may take: 70 % of the memory that the system says is available, and no
/// limit where it does not say.
pub fn memory_budget() -> u64 {
    let Ok(text) = std::fs::read_to_string("/proc/meminfo") else { return u64::MAX };
    available(&text).map_or(u64::MAX, |bytes| bytes / 10 * 7)
}

fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_above_the_budget_is_refused_with_its_size() {
        let plan = Plan::new(1 << 20, 30);
        assert!(plan.check(plan.bytes).is_ok());
        let refusal = plan.check(200 << 20).unwrap_err().to_string();
        assert!(refusal.contains("would take 240 MB, and 200 MB may be used"), "{refusal}");
    }

    #[test]
    fn available_memory_is_read_from_the_systems_table() {
        let text = "MemTotal:       24682820 kB\nMemAvailable:   24119808 kB\n";
        assert_eq!(available(text), Some(24_119_808 << 10));
        assert_eq!(available("nothing"), None);
    }
}
