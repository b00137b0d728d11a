//! Sparklines: a row of samples as block characters, or as ASCII on poor terminals. A gap is a blank, never the floor.

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 8] = ['_', '.', '-', '~', '=', '+', '*', '#'];

/// The newest `width` samples, scaled from zero (or the lowest, when that is negative) to the highest of them.
#[must_use]
pub fn draw(samples: &[Option<f64>], width: usize, ascii: bool) -> String {
    let shown = &samples[samples.len().saturating_sub(width)..];
    let low = shown.iter().flatten().copied().fold(0.0, f64::min);
    let high = shown.iter().flatten().copied().fold(low, f64::max);
    let levels = if ascii { ASCII } else { BLOCKS };
    let mut out = " ".repeat(width - shown.len().min(width));
    for sample in shown {
        out.push(sample.map_or(' ', |value| {
            let share = if high > low { (value - low) / (high - low) } else { 0.0 };
            levels[((share * 7.0).round() as usize).min(7)]
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
        assert_eq!(draw(&[Some(3.0), Some(3.0)], 2, false), "██");
        assert_eq!(draw(&[Some(0.0)], 1, false), "▁");
        assert_eq!(draw(&[], 2, false), "  ");
    }
}
