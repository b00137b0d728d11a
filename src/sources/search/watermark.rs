//! Disk watermarks as the settings write them: a share in use (`85%`, `0.85`) or bytes that stay free (`500mb`). Pure.

use crate::core::search::SearchNode;
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
    /// The same for nodes that hold nothing but frozen data: they fill their disk by design.
    pub(super) frozen: Watermark,
    /// Whether the server acts on them at all.
    pub(super) enabled: bool,
    /// The settings were not read: these are the product's defaults, and whether the server acts on them is not known.
    pub(super) assumed: bool,
}

impl Default for Watermarks {
    fn default() -> Self {
        Self {
            low: Watermark::Used(0.85, None),
            high: Watermark::Used(0.9, None),
            flood: Watermark::Used(0.95, None),
            frozen: Watermark::Used(0.95, Some(20.0 * 1_073_741_824.0)),
            enabled: true,
            assumed: true,
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
    "*/cluster.routing.allocation.disk.watermark.flood_stage.frozen",
    "*/cluster.routing.allocation.disk.watermark.flood_stage.frozen.max_headroom",
    "*/cluster.routing.allocation.disk.threshold_enabled",
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
        frozen: one("flood_stage.frozen", default.frozen),
        enabled: setting(settings, "cluster.routing.allocation.disk.threshold_enabled") != Some("false"),
        assumed: false,
    }
}

impl Watermarks {
    /// Sets the marks of a node's disk. Nodes that hold no index have none, and where the server does not act on them there are none.
    pub(super) fn mark(&self, node: &mut SearchNode) {
        node.marks_assumed = self.assumed;
        if !self.enabled || !node.holds_data() {
            (node.low_free_bytes, node.high_free_bytes, node.flood_free_bytes) = (None, None, None);
            return;
        }
        let Some(total) = node.disk_total_bytes else { return };
        if node.is_frozen() {
            (node.low_free_bytes, node.high_free_bytes) = (None, None);
            node.flood_free_bytes = Some(self.frozen.free_bytes(total));
            return;
        }
        node.low_free_bytes = node.low_free_bytes.or(Some(self.low.free_bytes(total)));
        node.high_free_bytes = node.high_free_bytes.or(Some(self.high.free_bytes(total)));
        node.flood_free_bytes = node.flood_free_bytes.or(Some(self.flood.free_bytes(total)));
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
        assert!(marks.enabled && !marks.assumed && Watermarks::default().assumed);
        assert!((marks.high.free_bytes(1e13) - 150.0 * 1_073_741_824.0).abs() < 1.0);
        assert_eq!(marks.flood, Watermark::Used(0.95, None));
        assert_eq!(allocation(&settings), None);
        assert_eq!(
            allocation(&json!({"transient": {"cluster.routing.allocation.enable": "none"}})),
            Some("none".into())
        );
    }

    #[test]
    fn roles_decide_which_marks_count() {
        let marks = Watermarks::default();
        let marked = |marks: &Watermarks, roles: &[&str]| {
            let mut node = SearchNode {
                roles: roles.iter().map(|role| (*role).to_owned()).collect(),
                disk_total_bytes: Some(1000.0),
                disk_free_bytes: Some(80.0),
                low_free_bytes: Some(150.0),
                ..SearchNode::default()
            };
            marks.mark(&mut node);
            [node.low_free_bytes, node.high_free_bytes, node.flood_free_bytes]
                .map(|mark| mark.map(f64::round))
        };
        let all = [Some(150.0), Some(100.0), Some(50.0)];
        assert_eq!(marked(&marks, &["data_hot", "data_frozen"]), all);
        assert_eq!(marked(&marks, &["data", "master"]), all);
        assert_eq!(marked(&marks, &["data_frozen"]), [None, None, Some(50.0)]);
        assert_eq!(marked(&marks, &["master"]), [None; 3]);
        assert_eq!(marked(&Watermarks { enabled: false, ..marks }, &["data"]), [None; 3]);
    }
}
