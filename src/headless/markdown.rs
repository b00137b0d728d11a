//! A report for tickets and chats. What comes from servers is escaped, so that it makes no table, link or heading of its own.

use super::report::{Report, Told};
use super::text::{lasting, not_yet, state};

/// Everything, ending with a line break.
pub(super) fn markdown(report: &Report) -> String {
    let mut out = format!("# {}: {}\n\n", escaped(&report.environment), report.state.word());
    out.push_str(&format!("{}\n\n", escaped(&report.verdict)));
    findings(&mut out, "Findings", &report.findings);
    if report.findings_left_out > 0 {
        out.push_str(&format!("And {} more.\n\n", report.findings_left_out));
    }
    if !report.pending.is_empty() {
        findings(&mut out, "Not yet for as long as their rules ask", &report.pending);
    }
    out.push_str("## Targets\n\n| target | system | where | state |\n|---|---|---|---|\n");
    for target in &report.targets {
        let waits = not_yet(target);
        let silence = target.silence.iter().chain(&target.unread).chain(&waits);
        let why: Vec<String> =
            std::iter::once(state(target)).chain(silence.map(|line| escaped(line))).collect();
        out.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            escaped(&target.name),
            target.system,
            escaped(&target.address),
            why.join("; ")
        ));
    }
    out.push_str(&format!("\n{}, watched for {}.\n", report.at, lasting(report.watched_seconds)));
    out
}

fn findings(out: &mut String, title: &str, findings: &[Told]) {
    out.push_str(&format!("## {title}\n\n"));
    if findings.is_empty() {
        out.push_str("Nothing is past its threshold.\n\n");
        return;
    }
    out.push_str("| | finding | for | target | rule | next step |\n|---|---|---|---|---|---|\n");
    for told in findings {
        let tie = match (told.tie, told.depth) {
            (Some(tie), 1..) => format!("{}└ {tie}: ", "  ".repeat(told.depth - 1)),
            _ => String::new(),
        };
        out.push_str(&format!(
            "| {} | {tie}{} | {} | {} | {} | {} |\n",
            told.word,
            escaped(&told.sentence),
            lasting(told.lasted_seconds),
            escaped(&told.target),
            told.rule,
            escaped(&told.next_step)
        ));
    }
    out.push('\n');
}

/// Text that is shown as it is.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => out.extend(['\\', c]),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A mention calls somebody.
            '@' => out.push_str("&#64;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_makes_no_markup() {
        assert_eq!(escaped("a|b <img> [x](y) `c` @here"), "a\\|b &lt;img&gt; \\[x\\](y) \\`c\\` &#64;here");
    }
}
