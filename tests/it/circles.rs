//! No circle of files: which file uses what another one defines, read from the syntax of every file. `mod.rs` passes names on; who takes
//! one from there uses the file that defines it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree};

type Module = Vec<String>;

/// What stands in one file.
#[derive(Default)]
struct File {
    path: String,
    /// What it defines itself.
    defines: BTreeSet<String>,
    /// Names that it takes from elsewhere: as they are called here, and their path as written.
    takes: BTreeMap<String, Vec<String>>,
    /// Paths of which it takes everything.
    globs: Vec<Vec<String>>,
    /// Every path that it writes.
    paths: BTreeSet<Vec<String>>,
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|inside| inside.is_ident("test"))
    })
}

impl File {
    fn learn(&mut self, items: &[Item]) {
        for item in items {
            let name = match item {
                Item::Use(item) => {
                    self.tree(&item.tree, &mut Vec::new());
                    continue;
                }
                Item::Const(item) => item.ident.to_string(),
                Item::Enum(item) => item.ident.to_string(),
                Item::Fn(item) => item.sig.ident.to_string(),
                Item::Static(item) => item.ident.to_string(),
                Item::Struct(item) => item.ident.to_string(),
                Item::Trait(item) => item.ident.to_string(),
                Item::Type(item) => item.ident.to_string(),
                Item::Macro(item) => item.ident.as_ref().map(ToString::to_string).unwrap_or_default(),
                _ => continue,
            };
            self.defines.insert(name);
        }
    }

    fn tree(&mut self, tree: &UseTree, before: &mut Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.tree(&path.tree, before);
                before.pop();
            }
            UseTree::Name(name) if name.ident == "self" => {
                let last = before.last().cloned().unwrap_or_default();
                self.takes.insert(last, before.clone());
            }
            UseTree::Name(name) => {
                let whole = [before.as_slice(), &[name.ident.to_string()]].concat();
                self.takes.insert(name.ident.to_string(), whole);
            }
            UseTree::Rename(name) => {
                let whole = [before.as_slice(), &[name.ident.to_string()]].concat();
                self.takes.insert(name.rename.to_string(), whole);
            }
            UseTree::Glob(_) => self.globs.push(before.clone()),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree, before)),
        }
    }
}

impl<'ast> Visit<'ast> for File {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            _ => &Vec::new(),
        };
        // What a file takes to pass it on is no use of it; what only tests need is none either.
        if !is_test(attributes)
            && !matches!(item, Item::Use(item) if !matches!(item.vis, syn::Visibility::Inherited))
        {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut only = Self::default();
        only.tree(&item.tree, &mut Vec::new());
        self.paths.extend(only.takes.into_values());
        self.paths.extend(only.globs);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.paths.insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, given: &'ast syn::Macro) {
        self.visit_path(&given.path);
        // The paths inside: runs of words with `::` between them.
        let mut run: Vec<String> = Vec::new();
        self.tokens(given.tokens.clone(), &mut run);
    }
}

impl File {
    /// What the macros of this file make of a closed list: with each line of the list put into their bodies.
    fn fill(&mut self, items: &[Item], list: &[Line]) {
        let macros = items.iter().filter_map(|item| match item {
            Item::Macro(item) if item.mac.path.is_ident("macro_rules") => Some(item.mac.tokens.to_string()),
            _ => None,
        });
        for body in macros.filter(|body| body.contains("$ Kind") || body.contains("$Kind")) {
            for line in list {
                let filled = line.iter().fold(body.replace("$ ", "$"), |text, (name, word)| {
                    text.replace(&format!("${name}"), word)
                });
                let tokens: proc_macro2::TokenStream = filled.parse().expect("tokens");
                self.names(tokens.clone());
                self.tokens(tokens, &mut Vec::new());
            }
        }
    }

    /// The types and constants that tokens define.
    fn names(&mut self, tokens: proc_macro2::TokenStream) {
        use proc_macro2::TokenTree;
        let mut before = String::new();
        for token in tokens {
            match token {
                TokenTree::Ident(word) => {
                    if matches!(before.as_str(), "enum" | "struct" | "const") {
                        self.defines.insert(word.to_string());
                    }
                    before = word.to_string();
                }
                TokenTree::Group(group) => self.names(group.stream()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => before.clear(),
            }
        }
    }

    fn tokens(&mut self, tokens: proc_macro2::TokenStream, run: &mut Vec<String>) {
        use proc_macro2::TokenTree;
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(word) => {
                    if colons != 2 {
                        self.end(run);
                    }
                    run.push(word.to_string());
                    colons = 0;
                }
                TokenTree::Punct(point) if point.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.end(run);
                    self.tokens(group.stream(), &mut Vec::new());
                    colons = 0;
                }
                _ => {
                    self.end(run);
                    colons = 0;
                }
            }
        }
        self.end(run);
    }

    fn end(&mut self, run: &mut Vec<String>) {
        if run.len() > 1 {
            self.paths.insert(std::mem::take(run));
        }
        run.clear();
    }
}

/// The words of one line of a closed list, by the names that macros have for them.
type Line = Vec<(&'static str, String)>;

/// The lines of the list in `path`: a kind, its module, and its types in brackets.
fn lines(path: &Path, names: &[&'static str]) -> Vec<Line> {
    use proc_macro2::TokenTree;
    let text = std::fs::read_to_string(path).expect("a list");
    let syntax = syn::parse_file(&text).expect("Rust");
    let rules = syntax.items.iter().find_map(|item| match item {
        Item::Macro(item) => Some(item.mac.tokens.clone()),
        _ => None,
    });
    let group = |tokens: proc_macro2::TokenStream| {
        let last = tokens.into_iter().filter_map(|token| match token {
            TokenTree::Group(group) => Some(group.stream()),
            _ => None,
        });
        last.last().expect("a group")
    };
    // The body of the only arm, and what it gives to the macro.
    let rows: Vec<TokenTree> = group(group(rules.expect("a macro"))).into_iter().collect();
    let words = rows.windows(3).filter_map(|row| match row {
        [TokenTree::Ident(kind), TokenTree::Ident(module), TokenTree::Group(types)] => {
            let types = types.stream().into_iter().filter_map(|token| match token {
                TokenTree::Ident(word) => Some(word.to_string()),
                _ => None,
            });
            Some([kind.to_string(), module.to_string()].into_iter().chain(types).collect::<Vec<_>>())
        }
        _ => None,
    });
    words.map(|row| names.iter().copied().zip(row).collect()).collect()
}

struct House {
    files: BTreeMap<Module, File>,
}

impl House {
    fn read(src: &Path) -> Self {
        let mut list: Vec<PathBuf> = Vec::new();
        crate::architecture::rust_files(src, &mut list);
        let lists = [
            ("core", lines(&src.join("core/systems.rs"), &["Kind", "module", "Reading", "State", "Row"])),
            ("config", lines(&src.join("config/systems.rs"), &["Kind", "table", "Entry", "Connect"])),
        ];
        let [core, config] = &lists;
        assert!(!core.1.is_empty() && core.1.len() == config.1.len(), "{lists:?}");
        let mut files = BTreeMap::new();
        // What only tests need is no use of it.
        for path in list.into_iter().filter(|path| !crate::architecture::is_tests(path)) {
            let shown = path.strip_prefix(src).expect("below src").display().to_string();
            let mut module: Module =
                shown.trim_end_matches(".rs").split('/').map(ToOwned::to_owned).collect();
            if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
                module.pop();
            }
            let text = std::fs::read_to_string(&path).expect("text");
            let syntax = syn::parse_file(&text).expect("Rust");
            let mut file = File { path: shown, ..File::default() };
            file.learn(&syntax.items);
            file.visit_file(&syntax);
            for (_, lines) in lists.iter().filter(|(layer, _)| module.first().is_some_and(|top| top == layer))
            {
                file.fill(&syntax.items, lines);
            }
            files.insert(module, file);
        }
        Self { files }
    }

    /// The module that defines what `path` names, seen from `from`.
    fn defines(&self, from: &Module, path: &[String], depth: usize) -> Option<Module> {
        if depth > 12 {
            return None;
        }
        let mut at = from.clone();
        let mut rest = path;
        match rest.first()?.as_str() {
            "crate" => {
                at.clear();
                rest = &rest[1..];
            }
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|word| word == "super") {
                    at.pop();
                    rest = &rest[1..];
                }
            }
            first => {
                let file = self.files.get(from)?;
                if let Some(whole) = file.takes.get(first).filter(|whole| whole.as_slice() != path) {
                    let whole = [whole.as_slice(), &rest[1..]].concat();
                    return self.defines(from, &whole, depth + 1);
                }
                let child = [from.as_slice(), &[first.to_owned()]].concat();
                if !self.files.contains_key(&child) {
                    return file
                        .defines
                        .contains(first)
                        .then(|| from.clone())
                        .or_else(|| self.through_globs(from, rest, depth));
                }
            }
        }
        while let Some(word) = rest.first() {
            let child = [at.as_slice(), std::slice::from_ref(word)].concat();
            if !self.files.contains_key(&child) {
                break;
            }
            at = child;
            rest = &rest[1..];
        }
        let file = self.files.get(&at)?;
        // A module alone is a way to what it holds; who names that is seen there.
        let name = rest.first()?;
        if file.defines.contains(name) {
            return Some(at);
        }
        if let Some(whole) = file.takes.get(name) {
            let whole = [whole.as_slice(), &rest[1..]].concat();
            return self.defines(&at, &whole, depth + 1);
        }
        self.through_globs(&at, rest, depth)
    }

    fn through_globs(&self, at: &Module, rest: &[String], depth: usize) -> Option<Module> {
        let file = self.files.get(at)?;
        file.globs.iter().find_map(|glob| self.defines(at, &[glob.as_slice(), rest].concat(), depth + 1))
    }

    /// Which files each file uses, and one path by which it does.
    fn uses(&self) -> BTreeMap<&str, BTreeMap<&str, String>> {
        let mut all = BTreeMap::new();
        for (module, file) in &self.files {
            let mine: &mut BTreeMap<&str, String> = all.entry(file.path.as_str()).or_default();
            for path in &file.paths {
                if let Some(other) = self.defines(module, path, 0)
                    && other != *module
                {
                    mine.entry(self.files[&other].path.as_str()).or_insert_with(|| path.join("::"));
                }
            }
        }
        all
    }
}

/// The circles: sets of files that use each other, directly or around.
fn circles<'a>(uses: &BTreeMap<&'a str, BTreeMap<&'a str, String>>) -> Vec<BTreeSet<&'a str>> {
    let reach = |start: &'a str| {
        let mut seen = BTreeSet::new();
        let mut open = vec![start];
        while let Some(file) = open.pop() {
            for next in uses.get(file).into_iter().flat_map(BTreeMap::keys) {
                if seen.insert(*next) {
                    open.push(next);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&str, BTreeSet<&str>> = uses.keys().map(|file| (*file, reach(file))).collect();
    let mut found: Vec<BTreeSet<&str>> = Vec::new();
    for (file, there) in &reached {
        let circle: BTreeSet<&str> =
            there.iter().filter(|other| reached[*other].contains(file)).copied().collect();
        if circle.len() > 1 && !found.contains(&circle) {
            found.push(circle);
        }
    }
    found
}

fn house() -> House {
    House::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

/// The clock of the wall and the one that goes on in sleep are read in one place. What takes long measures itself by tokio's, which a
/// test can stop.
#[test]
fn one_clock() {
    const CLOCKS: [&[&str]; 4] = [
        &["std", "time", "Instant"],
        &["std", "time", "SystemTime"],
        &["chrono", "Utc", "now"],
        &["chrono", "Local", "now"],
    ];
    for file in house().files.values().filter(|file| file.path != "runtime/clock.rs") {
        for path in &file.paths {
            let whole = match file.takes.get(&path[0]) {
                Some(taken) if taken != path => [taken.as_slice(), &path[1..]].concat(),
                _ => path.clone(),
            };
            let read =
                CLOCKS.iter().find(|clock| whole.len() >= clock.len() && whole[..clock.len()] == ***clock);
            assert_eq!(read, None, "{} reads a clock", file.path);
        }
    }
}

#[test]
fn nobody_climbs_two_floors_by_super() {
    for file in house().files.values() {
        for path in file.paths.iter().chain(file.takes.values()).chain(&file.globs) {
            assert!(!path.starts_with(&["super".to_owned(), "super".to_owned()]), "{}: {path:?}", file.path);
        }
    }
}

#[test]
fn no_circle_of_files() {
    let house = house();
    let uses = house.uses();
    let edges: usize = uses.values().map(BTreeMap::len).sum();
    assert!(edges > 1500, "the test reads the imports: {edges}");
    // What macros make of the lists of systems counts, too.
    for (user, used) in [
        ("core/reading.rs", "core/redis/reading.rs"),
        ("core/system.rs", "core/search/rules.rs"),
        ("core/row.rs", "core/metrics/row.rs"),
        ("core/target.rs", "core/system.rs"),
        ("config/target.rs", "config/http.rs"),
        ("config/file.rs", "config/entry.rs"),
    ] {
        assert!(uses[user].contains_key(used), "{user} uses {used}");
    }
    let mut told = String::new();
    for circle in circles(&uses) {
        told.push_str(&format!("a circle of {} files:\n", circle.len()));
        for file in &circle {
            for (other, path) in uses[file].iter().filter(|(other, _)| circle.contains(*other)) {
                told.push_str(&format!("  {file} uses {other}: {path}\n"));
            }
        }
    }
    assert!(told.is_empty(), "{told}");
}
