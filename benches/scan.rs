//! How long our scanner takes for a large exposition, kube-state-metrics in style: about 4.8 MB, 34 000 samples.

use divan::counter::BytesCount;

fn exposition() -> String {
    let mut text = String::new();
    for family in 0..30 {
        text.push_str(&format!(
            "# HELP kube_thing_{family} Something about a thing.\n# TYPE kube_thing_{family} gauge\n"
        ));
        for pod in 0..1130 {
            text.push_str(&format!(
                "kube_thing_{family}{{namespace=\"team-{}\",pod=\"checkout-api-7d9f8b6c5d-{pod:05}\",container=\"app\",uid=\"0f4d2c1a-{pod:04}-4b7e-9a31-5c6d7e8f9a0b\"}} {}.5\n",
                pod % 40,
                pod * family
            ));
        }
    }
    text
}

fn main() {
    divan::main();
}

#[divan::bench]
fn scan(bencher: divan::Bencher<'_, '_>) {
    let text = exposition();
    bencher
        .counter(BytesCount::new(text.len()))
        .bench(|| stacktop::sources::metrics::scan::scan(divan::black_box(&text)));
}
