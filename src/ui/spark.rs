//! Sparklines: a row of samples as block characters, or as ASCII on poor terminals. A gap is a blank, never the floor; what hardly
//! changes is a low level line, not a wall.

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 8] = ['_', '.', '-', '~', '=', '+', '*', '#'];

/// What changes by a smaller share of itself is flat, and is drawn at this level.
const FLAT: f64 = 0.1;
const CALM: usize = 2;

/// The newest `width` samples, scaled from zero (or the lowest, when that is negative) to the highest of them.
#[must_use]
pub fn draw(samples: &[Option<f64>], width: usize, ascii: bool) -> String {
    let shown = &samples[samples.len().saturating_sub(width)..];
    let low = shown.iter().flatten().copied().fold(0.0, f64::min);
    let high = shown.iter().flatten().copied().fold(low, f64::max);
    let lowest = shown.iter().flatten().copied().fold(high, f64::min);
    let flat = low >= 0.0 && lowest > 0.0 && high - lowest <= high * FLAT;
    let levels = if ascii { ASCII } else { BLOCKS };
    let mut out = " ".repeat(width - shown.len().min(width));
    for sample in shown {
        out.push(sample.map_or(' ', |value| {
            let share = if high > low { (value - low) / (high - low) } else { 0.0 };
            if flat { levels[CALM] } else { levels[((share * 7.0).round() as usize).min(7)] }
        }));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_and_keeps_gaps() {
        let samples = [Some(0.0), None, Some(5.0), Some(10.0)];
        assert_eq!(draw(&samples, 6, false), "  ▁ ▅█");
        assert_eq!(draw(&samples, 2, true), "=#");
        assert_eq!(draw(&[Some(3.0), Some(3.0)], 2, false), "▃▃");
        assert_eq!(draw(&[Some(97.0), None, Some(100.0)], 3, true), "- -");
        assert_eq!(draw(&[Some(80.0), Some(100.0)], 2, false), "▇█");
        assert_eq!(draw(&[Some(0.0)], 1, false), "▁");
        assert_eq!(draw(&[], 2, false), "  ");
    }
}
