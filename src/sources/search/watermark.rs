//! Disk watermarks as the settings write them: a share in use (`85%`, `0.85`) or bytes that stay free (`500mb`). Pure.

use serde_json::Value;

/// One watermark.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Watermark {
    /// A share of the disk in use, 0–1, with the free space that is enough in any case.
    Used(f64, Option<f64>),
    /// Bytes that must stay free.
    Free(f64),
}

impl Watermark {
    /// Free bytes below which it is passed on a disk of `total` bytes.
    pub(super) fn free_bytes(self, total: f64) -> f64 {
        match self {
            Self::Used(share, headroom) => {
                let free = total * (1.0 - share);
                headroom.map_or(free, |headroom| free.min(headroom))
            }
            Self::Free(bytes) => bytes,
        }
    }
}

/// The three of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Watermarks {
    pub(super) low: Watermark,
    pub(super) high: Watermark,
    pub(super) flood: Watermark,
}

impl Default for Watermarks {
    fn default() -> Self {
        Self {
            low: Watermark::Used(0.85, None),
            high: Watermark::Used(0.9, None),
            flood: Watermark::Used(0.95, None),
        }
    }
}

/// A setting, transient before persistent before default.
fn setting<'a>(settings: &'a Value, name: &str) -> Option<&'a str> {
    ["transient", "persistent", "defaults"].iter().find_map(|level| settings.get(level)?.get(name)?.as_str())
}

/// What is read of the settings.
pub(super) const SETTINGS: &[&str] = &[
    "*/cluster.routing.allocation.enable",
    "*/cluster.routing.allocation.disk.watermark.low",
    "*/cluster.routing.allocation.disk.watermark.low.max_headroom",
    "*/cluster.routing.allocation.disk.watermark.high",
    "*/cluster.routing.allocation.disk.watermark.high.max_headroom",
    "*/cluster.routing.allocation.disk.watermark.flood_stage",
    "*/cluster.routing.allocation.disk.watermark.flood_stage.max_headroom",
];

const DISK: &str = "cluster.routing.allocation.disk.watermark";

/// The watermarks in force; what is not said is the product's default.
pub(super) fn read(settings: &Value) -> Watermarks {
    let one = |name: &str, default: Watermark| {
        let headroom = setting(settings, &format!("{DISK}.{name}.max_headroom")).and_then(bytes);
        setting(settings, &format!("{DISK}.{name}")).and_then(|text| parse(text, headroom)).unwrap_or(default)
    };
    let default = Watermarks::default();
    Watermarks {
        low: one("low", default.low),
        high: one("high", default.high),
        flood: one("flood_stage", default.flood),
    }
}

/// `cluster.routing.allocation.enable`, where it is not `all`.
pub(super) fn allocation(settings: &Value) -> Option<String> {
    setting(settings, "cluster.routing.allocation.enable").filter(|mode| *mode != "all").map(str::to_owned)
}

fn parse(text: &str, headroom: Option<f64>) -> Option<Watermark> {
    if let Some(percent) = text.strip_suffix('%') {
        return Some(Watermark::Used(percent.trim().parse::<f64>().ok()? / 100.0, headroom));
    }
    match text.parse::<f64>() {
        Ok(share) if share <= 1.0 => Some(Watermark::Used(share, headroom)),
        _ => bytes(text).map(Watermark::Free),
    }
}

fn bytes(text: &str) -> Option<f64> {
    let text = text.trim().to_ascii_lowercase();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(split);
    let scale = match unit.trim() {
        "b" => 1.0,
        "k" | "kb" => 1024.0,
        "m" | "mb" => 1_048_576.0,
        "g" | "gb" => 1_073_741_824.0,
        "t" | "tb" => 1_099_511_627_776.0,
        _ => return None,
    };
    // A headroom of -1 means that there is none.
    Some(number.parse::<f64>().ok()? * scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn shares_bytes_and_headroom() {
        let settings = json!({
            "persistent": {"cluster.routing.allocation.disk.watermark.low": "1gb"},
            "defaults": {
                "cluster.routing.allocation.disk.watermark.low": "85%",
                "cluster.routing.allocation.disk.watermark.high": "90%",
                "cluster.routing.allocation.disk.watermark.high.max_headroom": "150gb",
                "cluster.routing.allocation.disk.watermark.flood_stage": "0.95",
                "cluster.routing.allocation.disk.watermark.flood_stage.max_headroom": "-1",
                "cluster.routing.allocation.enable": "all"}});
        let bytes = settings.to_string();
        let settings = crate::sources::json::read(bytes.as_bytes(), SETTINGS).expect("JSON");
        let marks = read(&settings);
        assert_eq!(marks.low, Watermark::Free(1_073_741_824.0));
        assert!((marks.high.free_bytes(1e13) - 150.0 * 1_073_741_824.0).abs() < 1.0);
        assert_eq!(marks.flood, Watermark::Used(0.95, None));
        assert_eq!(allocation(&settings), None);
        assert_eq!(
            allocation(&json!({"transient": {"cluster.routing.allocation.enable": "none"}})),
            Some("none".into())
        );
    }
}
