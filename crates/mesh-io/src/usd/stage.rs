//! Composition: the opinions of all layers about a prim, the strongest first. Sublayers, inherits, variants, references, payloads and
//! specializes are followed; relocates and value clips are not.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::assets::Assets;
use super::layer::{Layer, Property, Reference, Specifier, Value};
use super::{binary, text};

/// Arcs inside arcs; deeper ones only come from prims that refer to themselves.
const MAX_DEPTH: usize = 32;
/// Arcs of one stage, opinions of one prim, and layers.
const MAX_ARCS: usize = 200_000;
const MAX_OPINIONS: usize = 1024;
const MAX_LAYERS: usize = 1024;

/// A prim of a layer, and how paths there become paths of the stage.
#[derive(Clone)]
pub(super) struct Opinion {
    layer: usize,
    prim: usize,
    /// A path of the layer, and the path of the stage that it is.
    stage_from_layer: Option<Rc<(String, String)>>,
}

/// A prim of the stage.
#[derive(Clone)]
pub(super) struct ComposedPrim {
    pub path: String,
    opinions: Vec<Opinion>,
}

/// A property's value, and the layer that has it.
pub(super) struct Found {
    pub value: Value,
    pub layer: usize,
}

/// Layers, loaded when a prim refers to them.
pub(super) struct Stage<'a> {
    pub assets: Assets<'a>,
    layers: Vec<Rc<Layer>>,
    names: Vec<String>,
    by_name: HashMap<String, Option<usize>>,
    arcs: usize,
    pub notes: Vec<String>,
}

impl<'a> Stage<'a> {
    /// Opens the root layer.
    pub fn open(assets: Assets<'a>) -> Result<Self, String> {
        let (name, bytes) = assets.root_layer()?;
        let mut stage = Self {
            assets,
            layers: Vec::new(),
            names: Vec::new(),
            by_name: HashMap::new(),
            arcs: 0,
            notes: Vec::new(),
        };
        let layer = parse(&bytes)?;
        stage.add_layer(name, layer);
        Ok(stage)
    }

    fn add_layer(&mut self, name: String, layer: Layer) -> usize {
        self.notes.extend(layer.notes.iter().cloned());
        self.by_name.insert(name.clone(), Some(self.layers.len()));
        self.names.push(name);
        self.layers.push(Rc::new(layer));
        self.layers.len() - 1
    }

    /// A field of the root layer.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.layers[0].field(name)
    }

    /// The name of a layer.
    pub fn layer_name(&self, layer: usize) -> &str {
        &self.names[layer]
    }

    /// The root of the stage.
    pub fn root(&mut self) -> ComposedPrim {
        let opinions =
            self.layer_stack(0).into_iter().map(|layer| Opinion { layer, prim: 0, stage_from_layer: None });
        ComposedPrim { path: String::new(), opinions: opinions.collect() }
    }

    /// A layer and its sublayers, the strongest first.
    fn layer_stack(&mut self, layer: usize) -> Vec<usize> {
        let (mut stack, mut pending) = (Vec::new(), vec![layer]);
        while let Some(layer) = pending.pop() {
            if stack.contains(&layer) || stack.len() >= MAX_LAYERS {
                continue;
            }
            stack.push(layer);
            let names = match self.layers[layer].field("subLayers") {
                Some(Value::Texts(names)) => names.clone(),
                _ => Vec::new(),
            };
            let sublayers: Vec<usize> = names.iter().filter_map(|name| self.load(layer, name)).collect();
            pending.extend(sublayers.into_iter().rev());
        }
        stack
    }

    /// The layer that another one refers to; `None`, with a note, if it cannot be read.
    fn load(&mut self, from: usize, asset: &str) -> Option<usize> {
        let quoted = asset.escape_debug().to_string();
        let Some(name) = Assets::resolve(&self.names[from], asset) else {
            self.note(format!("layer \"{quoted}\" is outside the file's folder and not read"));
            return None;
        };
        if let Some(&known) = self.by_name.get(&name) {
            return known;
        }
        if self.layers.len() >= MAX_LAYERS {
            return None;
        }
        let layer = self.assets.layer_name(name.clone()).and_then(|layer_name| {
            let layer = self.assets.read(&layer_name).and_then(|bytes| parse(&bytes))?;
            Ok((layer_name, layer))
        });
        match layer {
            Ok((layer_name, layer)) => {
                let id = self.add_layer(layer_name, layer);
                self.by_name.insert(name, Some(id));
                Some(id)
            }
            Err(message) => {
                self.by_name.insert(name, None);
                self.note(format!("layer \"{quoted}\" cannot be read: {message}"));
                None
            }
        }
    }

    fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Names of all children, in the order of the strongest layer that has them.
    pub fn children(&self, prim: &ComposedPrim) -> Vec<String> {
        let mut known = HashSet::new();
        let mut names = Vec::new();
        for opinion in &prim.opinions {
            let layer = &self.layers[opinion.layer];
            for &child in &layer.prims[opinion.prim].children {
                let name = &layer.prims[child].name;
                if known.insert(name.as_str()) {
                    names.push(name.clone());
                }
            }
        }
        names
    }

    /// A child with everything that other prims add to it.
    pub fn child(&mut self, parent: &ComposedPrim, name: &str) -> ComposedPrim {
        let path = format!("{}/{name}", parent.path);
        let local = self.local(&parent.opinions, name);
        let opinions = self.expand(&path, local, 0);
        ComposedPrim { path, opinions }
    }

    /// The prim at a path of the stage.
    pub fn at(&mut self, path: &str) -> Option<ComposedPrim> {
        let mut prim = self.root();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            prim = self.child(&prim, name);
            if prim.opinions.is_empty() {
                return None;
            }
        }
        Some(prim)
    }

    fn local(&self, parents: &[Opinion], name: &str) -> Vec<Opinion> {
        let child = |parent: &Opinion| {
            let prim = self.layers[parent.layer].find(parent.prim, name)?;
            Some(Opinion { prim, ..parent.clone() })
        };
        parents.iter().filter_map(child).collect()
    }

    /// Adds weaker opinions: of inherited prims, of selected variants, of references and of payloads.
    fn expand(&mut self, path: &str, local: Vec<Opinion>, depth: usize) -> Vec<Opinion> {
        let mut all = local;
        if depth > MAX_DEPTH {
            self.note("prims that refer to themselves are truncated".to_owned());
            return all;
        }
        self.add_arcs(path, &mut all, "inheritPaths", depth);
        self.add_variants(path, &mut all, depth);
        for arc in ["references", "payload", "specializes"] {
            self.add_arcs(path, &mut all, arc, depth);
        }
        all.truncate(MAX_OPINIONS);
        all
    }

    fn add_arcs(&mut self, path: &str, all: &mut Vec<Opinion>, arc: &str, depth: usize) {
        // Opinions that an arc adds have followed their own arcs already.
        for at in 0..all.len() {
            let opinion = all[at].clone();
            let layer = Rc::clone(&self.layers[opinion.layer]);
            let targets: Vec<Reference> = match layer.prims[opinion.prim].fields.get(arc) {
                Some(Value::References(references)) => references.clone(),
                Some(Value::Paths(prims)) => prims
                    .iter()
                    .map(|prim| Reference { prim: prim.clone(), ..Reference::default() })
                    .collect(),
                _ => continue,
            };
            for target in targets {
                self.arcs += 1;
                if self.arcs > MAX_ARCS || all.len() > MAX_OPINIONS {
                    self.note("references above the limit are skipped".to_owned());
                    return;
                }
                let more = self.follow(path, opinion.layer, &target, depth);
                all.extend(more);
            }
        }
    }

    /// The opinions about the prim that a reference means.
    fn follow(&mut self, path: &str, from: usize, target: &Reference, depth: usize) -> Vec<Opinion> {
        let layer = if target.asset.is_empty() { Some(from) } else { self.load(from, &target.asset) };
        let Some(layer) = layer else { return Vec::new() };
        let default = self.layers[layer].field("defaultPrim").and_then(Value::as_text).unwrap_or_default();
        let prim = if target.prim.is_empty() { format!("/{default}") } else { target.prim.clone() };
        let mapping = Rc::new((prim.clone(), path.to_owned()));
        let root = |layer| Opinion { layer, prim: 0, stage_from_layer: Some(Rc::clone(&mapping)) };
        let mut opinions: Vec<Opinion> = self.layer_stack(layer).into_iter().map(root).collect();
        let mut names = prim.split('/').filter(|name| !name.is_empty()).peekable();
        if names.peek().is_none() {
            return Vec::new();
        }
        while let Some(name) = names.next() {
            let local = self.local(&opinions, name);
            // The prims around the target may get it from elsewhere.
            let is_needed = names.peek().is_none()
                || local.is_empty()
                || self.local(&local, names.peek().unwrap_or(&"")).is_empty();
            opinions = if is_needed { self.expand(path, local, depth + 1) } else { local };
        }
        opinions
    }

    fn add_variants(&mut self, path: &str, all: &mut Vec<Opinion>, depth: usize) {
        let mut at = 0;
        // A variant may have variant sets itself.
        while at < all.len() && all.len() <= MAX_OPINIONS {
            let opinion = all[at].clone();
            at += 1;
            let layer = Rc::clone(&self.layers[opinion.layer]);
            for (set, variants) in &layer.prims[opinion.prim].variant_sets {
                let Some(selected) = self.selection(all, set) else { continue };
                if let Some(&(_, prim)) = variants.iter().find(|(name, _)| *name == selected) {
                    let mut content = vec![Opinion { prim, ..opinion.clone() }];
                    for arc in ["inheritPaths", "references", "payload"] {
                        self.add_arcs(path, &mut content, arc, depth);
                    }
                    all.extend(content);
                }
            }
        }
    }

    /// The strongest selection of a variant set.
    fn selection(&self, opinions: &[Opinion], set: &str) -> Option<String> {
        opinions.iter().find_map(|opinion| {
            let fields = &self.layers[opinion.layer].prims[opinion.prim].fields;
            match fields.get("variantSelection") {
                Some(Value::Dictionary(selection)) => selection.get(set)?.as_text().map(str::to_owned),
                _ => None,
            }
        })
    }

    /// Whether the prim is part of the scene: defined, active and not a class.
    pub fn is_defined(&self, prim: &ComposedPrim) -> bool {
        let specifiers = prim.opinions.iter().map(|o| self.layers[o.layer].prims[o.prim].specifier);
        let is_active = self.prim_field(prim, "active").and_then(|active| active.as_number()) != Some(0.0);
        is_active && specifiers.into_iter().find(|&s| s != Specifier::Over) == Some(Specifier::Def)
    }

    /// The type, such as `Mesh`.
    pub fn type_name(&self, prim: &ComposedPrim) -> String {
        let names = prim.opinions.iter().map(|o| &self.layers[o.layer].prims[o.prim].type_name);
        names.into_iter().find(|name| !name.is_empty()).cloned().unwrap_or_default()
    }

    fn prim_field(&self, prim: &ComposedPrim, name: &str) -> Option<&Value> {
        prim.opinions.iter().find_map(|o| self.layers[o.layer].prims[o.prim].fields.get(name))
    }

    fn properties<'s>(
        &'s self,
        prim: &'s ComposedPrim,
        name: &'s str,
    ) -> impl Iterator<Item = (&'s Opinion, &'s Property)> {
        let property = move |opinion: &'s Opinion| {
            Some((opinion, self.layers[opinion.layer].prims[opinion.prim].properties.get(name)?))
        };
        prim.opinions.iter().filter_map(property)
    }

    /// The value of an attribute, and the layer that has it: its default, or else that of the earliest time.
    fn strongest<'s>(&'s self, prim: &'s ComposedPrim, name: &'s str) -> Option<(&'s Value, usize)> {
        let mut values = self.properties(prim, name).filter_map(|(opinion, property)| {
            Some((property.get("default").or_else(|| property.get("timeSamples"))?, opinion.layer))
        });
        values.next().filter(|(value, _)| **value != Value::Blocked)
    }

    /// The value of an attribute.
    pub fn value(&self, prim: &ComposedPrim, name: &str) -> Option<Found> {
        let (value, layer) = self.strongest(prim, name)?;
        Some(Found { value: value.clone(), layer })
    }

    /// The numbers of an attribute, which are not copied.
    pub fn slice<'s>(&'s self, prim: &'s ComposedPrim, name: &'s str) -> Option<&'s [f64]> {
        match self.strongest(prim, name)?.0 {
            Value::Numbers { values, .. } => Some(values),
            _ => None,
        }
    }

    /// The numbers of an attribute.
    pub fn numbers(&self, prim: &ComposedPrim, name: &str) -> Option<Vec<f64>> {
        self.slice(prim, name).map(<[f64]>::to_vec)
    }

    /// The text of an attribute.
    pub fn text(&self, prim: &ComposedPrim, name: &str) -> Option<String> {
        self.strongest(prim, name)?.0.as_text().map(str::to_owned)
    }

    /// A field of a property, such as `interpolation`.
    pub fn property_text(&self, prim: &ComposedPrim, name: &str, field: &str) -> Option<String> {
        self.properties(prim, name)
            .find_map(|(_, property)| property.get(field)?.as_text().map(str::to_owned))
    }

    /// Paths of the stage that a relationship (`targetPaths`) or a connection (`connectionPaths`) has.
    pub fn targets(&self, prim: &ComposedPrim, name: &str, field: &str) -> Vec<String> {
        for (opinion, property) in self.properties(prim, name) {
            if let Some(value) = property.get(field) {
                return value.as_paths().iter().map(|path| in_stage(opinion, &prim.path, path)).collect();
            }
        }
        Vec::new()
    }

    /// What identifies a prim's content: instances have the same.
    pub fn identity(prim: &ComposedPrim) -> Vec<(usize, usize)> {
        prim.opinions.iter().map(|opinion| (opinion.layer, opinion.prim)).collect()
    }
}

fn parse(bytes: &[u8]) -> Result<Layer, String> {
    if binary::is_binary(bytes) { binary::parse(bytes) } else { text::parse(bytes) }
}

/// A path of an opinion's layer as a path of the stage.
fn in_stage(opinion: &Opinion, prim: &str, path: &str) -> String {
    if !path.starts_with('/') {
        return relative(prim, path);
    }
    let Some(mapping) = &opinion.stage_from_layer else { return path.to_owned() };
    let (from, to) = &**mapping;
    match path.strip_prefix(from.as_str()) {
        Some(rest) if rest.is_empty() || rest.starts_with(['/', '.']) => format!("{to}{rest}"),
        _ => path.to_owned(),
    }
}

fn relative(prim: &str, path: &str) -> String {
    let mut base: Vec<&str> = prim.split('/').filter(|name| !name.is_empty()).collect();
    let mut rest = path;
    while let Some(after) = rest.strip_prefix("..") {
        base.pop();
        rest = after.trim_start_matches('/');
    }
    let joint = if rest.starts_with('.') || rest.is_empty() { "" } else { "/" };
    format!("/{}{joint}{rest}", base.join("/"))
}
