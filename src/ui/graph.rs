//! A number over time as a field of blocks: rows from top to bottom, one column a sample. A gap is a blank, never the floor.

const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// `samples` between `low` and `high` on so many rows, the top row first. The smallest known number is seen, too.
#[must_use]
pub fn draw(samples: &[Option<f64>], (low, high): (f64, f64), rows: usize) -> Vec<String> {
    let full = rows * 8;
    let height = |value: f64| {
        let share = if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 1.0 };
        ((share * full as f64).round() as usize).max(1)
    };
    let heights: Vec<usize> = samples.iter().map(|sample| sample.map_or(0, height)).collect();
    (0..rows)
        .rev()
        .map(|row| heights.iter().map(|height| EIGHTHS[height.saturating_sub(row * 8).min(8)]).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_grow_from_the_floor_and_gaps_stay_blank() {
        let samples = [Some(0.0), None, Some(5.0), Some(10.0)];
        assert_eq!(draw(&samples, (0.0, 10.0), 2), ["   █", "▁ ██"]);
        assert_eq!(draw(&samples, (0.0, 10.0), 1), ["▁ ▄█"]);
        assert_eq!(draw(&[Some(3.0)], (3.0, 3.0), 1), ["█"], "one that never changes");
        assert_eq!(draw(&[Some(99.0)], (0.0, 10.0), 1), ["█"]);
        assert_eq!(draw(&[], (0.0, 1.0), 2), ["", ""]);
    }
}
