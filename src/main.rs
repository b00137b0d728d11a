//! stacktop: `top` for a whole stack.

fn main() {}
