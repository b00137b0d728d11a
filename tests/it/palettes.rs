//! The built-in themes by numbers: their contrast on the backgrounds that terminals have, and how far apart their colours are for eyes
//! that see fewer.

use ratatui::style::{Color, Modifier, Style};
use stacktop::ui::theme::{BUILT_IN, Theme};

/// What a part of the screen needs of contrast (WCAG 2.1, AA).
const LEAST_CONTRAST: f64 = 4.5;
/// Two colours this far apart are not taken for each other, side by side (CIE 1976).
const APART: f64 = 15.0;

const DARK: [(&str, u32); 8] = [
    ("black", 0x00_0000),
    ("Visual Studio Code", 0x1e_1e1e),
    ("Solarized dark", 0x00_2b36),
    ("Dracula", 0x28_2a36),
    ("Gruvbox dark", 0x28_2828),
    ("Tango", 0x2e_3436),
    ("One Dark", 0x28_2c34),
    ("Nord", 0x2e_3440),
];
const LIGHT: [(&str, u32); 4] = [
    ("white", 0xff_ffff),
    ("Solarized light", 0xfd_f6e3),
    ("Gruvbox light", 0xfb_f1c7),
    ("Tango light", 0xee_eeec),
];

/// The bright green, yellow and cyan of usual palettes of sixteen colours. Not of Solarized: it has greys there.
const BRIGHT: [(&str, [u32; 3]); 6] = [
    ("VGA", [0x55_ff55, 0xff_ff55, 0x55_ffff]),
    ("xterm", [0x00_ff00, 0xff_ff00, 0x00_ffff]),
    ("Tango", [0x8a_e234, 0xfc_e94f, 0x34_e2e2]),
    ("Visual Studio Code", [0x23_d18b, 0xf5_f543, 0x29_b8db]),
    ("Dracula", [0x69_ff94, 0xff_ffa5, 0xa4_ffff]),
    ("Gruvbox", [0xb8_bb26, 0xfa_bd2f, 0x8e_c07c]),
];

const PARTS: [&str; 12] = [
    "text", "muted", "strong", "accent", "ok", "note", "warning", "critical", "stale", "selected", "tab",
    "tab_here",
];

/// How much light each channel gives.
fn linear(rgb: u32) -> [f64; 3] {
    [16, 8, 0].map(|shift| {
        let share = f64::from(rgb >> shift & 0xff) / 255.0;
        if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    })
}

fn contrast(one: u32, other: u32) -> f64 {
    let luminance = |rgb| {
        let [red, green, blue] = linear(rgb);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The colours that `colour` has: one, or as many as there are palettes of sixteen. None is the terminal's own text, which it chose itself.
#[track_caller]
fn seen(colour: Option<Color>) -> Vec<(&'static str, u32)> {
    let of = |place: usize| BRIGHT.iter().map(|(palette, colours)| (*palette, colours[place])).collect();
    match colour {
        None => Vec::new(),
        Some(Color::Rgb(red, green, blue)) => vec![("", u32::from_be_bytes([0, red, green, blue]))],
        Some(Color::LightGreen) => of(0),
        Some(Color::LightYellow) => of(1),
        Some(Color::LightCyan) => of(2),
        Some(other) => panic!("{other} looks different in every terminal"),
    }
}

#[test]
fn every_part_of_every_theme_is_readable_on_every_usual_background() {
    for (name, _) in BUILT_IN {
        let theme = Theme::built_in(name).expect("it is built in");
        let grounds: &[(&str, u32)] = if name.contains("light") { &LIGHT } else { &DARK };
        for part in PARTS {
            let style = theme.part(part);
            let below = seen(style.bg);
            let on = if below.is_empty() { grounds } else { &below };
            for (palette, colour) in seen(style.fg) {
                for (ground, rgb) in on {
                    let contrast = contrast(colour, *rgb);
                    assert!(
                        contrast >= LEAST_CONTRAST,
                        "{name}: {part} has a contrast of {contrast:.1} on {ground} {palette}"
                    );
                }
            }
        }
    }
}

#[test]
fn what_is_selected_stands_out_from_every_usual_background() {
    for (name, _) in BUILT_IN {
        let style = Theme::built_in(name).expect("it is built in").part("selected");
        let grounds: &[(&str, u32)] = if name.contains("light") { &LIGHT } else { &DARK };
        for (_, bar) in seen(style.bg) {
            for (ground, rgb) in grounds {
                let apart = apart(bar, *rgb, &SIGHTS[0]);
                assert!(apart >= APART, "{name}: {apart:.1} on {ground}");
            }
        }
        assert!(style.bg.is_some() || style.add_modifier.contains(Modifier::REVERSED), "{name}");
    }
}

/// What eyes see (Machado, Oliveira and Fernandes 2009, complete), by channel.
type Sight = (&'static str, [[f64; 3]; 3]);
const SIGHTS: [Sight; 3] = [
    ("common sight", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "protanopia",
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
    ),
    (
        "deuteranopia",
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ],
    ),
];

/// How far apart two colours are for these eyes.
fn apart(one: u32, other: u32, (_, sight): &Sight) -> f64 {
    let lab = |rgb| {
        let light = linear(rgb);
        let by = |row: &[f64; 3]| row.iter().zip(light).map(|(part, light)| part * light).sum::<f64>();
        let [red, green, blue] = sight.each_ref().map(by).map(|channel| channel.clamp(0.0, 1.0));
        let curve = |t: f64| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
        let x = curve((0.412_456 * red + 0.357_576 * green + 0.180_438 * blue) / 0.950_47);
        let y = curve(0.212_673 * red + 0.715_152 * green + 0.072_175 * blue);
        let z = curve((0.019_334 * red + 0.119_192 * green + 0.950_304 * blue) / 1.088_83);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    };
    let squares = lab(one).into_iter().zip(lab(other)).map(|(one, other)| (one - other).powi(2));
    squares.sum::<f64>().sqrt()
}

/// The least distance between the roles that say how things are.
fn closest(theme: &str, sight: &Sight) -> f64 {
    let theme = Theme::built_in(theme).expect("it is built in");
    let rgb = |style: Style| seen(style.fg)[0].1;
    let colours = ["ok", "note", "warning", "critical", "stale"].map(|part| rgb(theme.part(part)));
    let pairs = (0..colours.len()).flat_map(|one| (0..one).map(move |other| (one, other)));
    pairs.map(|(one, other)| apart(colours[one], colours[other], sight)).fold(f64::INFINITY, f64::min)
}

#[test]
fn the_colours_for_the_colour_blind_are_further_apart_for_them() {
    for (name, common) in [("colour-blind", "dark"), ("colour-blind-light", "light")] {
        let worst =
            |theme| SIGHTS[1..].iter().map(|sight| closest(theme, sight)).fold(f64::INFINITY, f64::min);
        for sight in &SIGHTS {
            let apart = closest(name, sight);
            assert!(apart >= APART, "{name}: {apart:.1} with {}", sight.0);
        }
        assert!(worst(name) >= 2.0 * worst(common), "{} against {}", worst(name), worst(common));
    }
}

#[test]
fn the_measures_are_those_of_the_books() {
    assert!((contrast(0, 0xff_ffff) - 21.0).abs() < 0.01);
    assert!((contrast(0x76_7676, 0xff_ffff) - 4.54).abs() < 0.01);
    // Red is L 53.24, a 80.09, b 67.20; black is at zero.
    assert!((apart(0xff_0000, 0, &SIGHTS[0]) - 117.34).abs() < 0.1);
    // Greens and reds that are told apart only by what is missing.
    assert!(apart(0x86_8600, 0xb0_7100, &SIGHTS[2]) < 12.0);
}
