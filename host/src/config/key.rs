//! Keys: each is declared once, with its meaning, type, default and the layers that may set it.
//! Reading, the JSON Schema and the reference in `docs/` all come from that declaration.

use std::ops::Range;

use schemars::Schema;
use serde::Serialize;
use toml::de::{DeTable, DeValue};

use super::problem::{Reader, nearest};

/// Where a value comes from; a later one wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// The program.
    BuiltIn,
    /// `[defaults]`, or `[modal]` for what an entry says in `[changelings.NAME.modal]`.
    Defaults,
    /// The changeling's own entry.
    Changeling,
}

/// Which layers may set a key. `repository` is for a file in the target repository, which is not
/// read yet: whoever can commit there must never gain power through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layers {
    pub defaults: bool,
    pub changeling: bool,
    pub repository: bool,
}

impl Layers {
    /// Only `[defaults]`.
    pub const SHARED: Self = Self {
        defaults: true,
        changeling: false,
        repository: false,
    };
    /// Only the changeling's entry.
    pub const OWN: Self = Self {
        defaults: false,
        changeling: true,
        repository: false,
    };
    /// `[defaults]` and the changeling's entry.
    pub const BOTH: Self = Self {
        defaults: true,
        changeling: true,
        repository: false,
    };
    /// The changeling's entry and, one day, the repository's file.
    pub const OWN_AND_REPOSITORY: Self = Self {
        defaults: false,
        changeling: true,
        repository: true,
    };
    /// All of them.
    pub const ALL: Self = Self {
        defaults: true,
        changeling: true,
        repository: true,
    };

    const fn allows(self, layer: Layer) -> bool {
        match layer {
            Layer::BuiltIn => true,
            Layer::Defaults => self.defaults,
            Layer::Changeling => self.changeling,
        }
    }
}

/// One key of the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    pub name: &'static str,
    /// Markdown, one paragraph.
    pub doc: &'static str,
    /// The type in a few words: `string`, `duration`, ...
    pub kind: fn() -> String,
    /// As it would stand in the file; `None`: unset.
    pub default: Option<&'static str>,
    pub layers: Layers,
    pub schema: fn() -> Schema,
}

impl Key {
    pub fn allowed_in(&self, layer: Layer) -> bool {
        self.layers.allows(layer)
    }

    /// `doc` without the line breaks of the source.
    pub fn text(&self) -> String {
        self.doc.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The default as JSON; `None` when there is none.
    pub fn default_value(&self) -> Option<serde_json::Value> {
        let line = format!("default = {}", self.default?);
        let table: toml::Table = line.parse().ok()?;
        serde_json::to_value(table.get("default")?).ok()
    }
}

/// A value and the bytes of the file it stands at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Range<usize>,
}

/// A type that can stand in the configuration.
pub(crate) trait Value: Sized {
    /// A few words for the reference and for messages: `expected a {KIND}`.
    const KIND: &'static str;

    /// `KIND`, with what is in it.
    fn kind() -> String {
        Self::KIND.to_owned()
    }

    /// Reports what is wrong to the reader.
    fn read(value: &DeValue<'_>, span: Range<usize>, reader: &mut Reader<'_>) -> Option<Self>;

    fn schema() -> Schema;
}

/// A table whose keys are known.
pub(crate) trait Section: Default {
    const KEYS: &'static [Key];

    fn read(table: &DeTable<'_>, layer: Layer, reader: &mut Reader<'_>) -> Self;
}

/// Checks a key before its value is read: `false` (reported) when it is unknown here.
pub(crate) fn admit(
    name: &str,
    span: Range<usize>,
    keys: &[Key],
    layer: Layer,
    reader: &mut Reader<'_>,
) -> bool {
    match keys.iter().find(|key| key.name == name) {
        Some(key) if key.layers.allows(layer) => true,
        Some(_) => {
            let (message, help) = if layer == Layer::Defaults {
                (
                    "cannot be shared by all changelings",
                    "set it in `[changelings.NAME]`",
                )
            } else if reader.is_in("modal") {
                ("cannot be set for one changeling", "set it in `[modal]`")
            } else {
                ("cannot be set for one changeling", "set it in `[defaults]`")
            };
            reader.within(name, |reader| {
                reader.problem(span, message, Some(help.to_owned()));
            });
            false
        }
        None => {
            let allowed = keys
                .iter()
                .filter(|key| key.layers.allows(layer))
                .map(|key| key.name);
            reader.within(name, |reader| unknown(name, span, allowed, reader));
            false
        }
    }
}

/// Reports an unknown key with the one that was probably meant.
pub(crate) fn unknown<'k>(
    name: &str,
    span: Range<usize>,
    known: impl Iterator<Item = &'k str> + Clone,
    reader: &mut Reader<'_>,
) {
    let help = match nearest(name, known.clone()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("known here: {}", known.collect::<Vec<_>>().join(", ")),
    };
    reader.problem(span, "unknown key", Some(help));
}

/// Declares a section: `/// doc` `[LAYERS] key: Type = "default";`.
macro_rules! section {
    (
        $(#[doc = $about:literal])*
        pub struct $section:ident {
            $( $(#[doc = $doc:literal])+ [$layers:ident] $key:ident: $type:ty $(= $default:literal)?; )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, Default)]
        pub(crate) struct $section {
            $( $(#[doc = $doc])+ pub(crate) $key: Option<At<$type>>, )*
        }

        impl Section for $section {
            const KEYS: &'static [Key] = &[$(
                Key {
                    name: stringify!($key),
                    doc: concat!($($doc),+),
                    kind: <$type as Value>::kind,
                    default: section!(@default $($default)?),
                    layers: Layers::$layers,
                    schema: <$type as Value>::schema,
                },
            )*];

            fn read(table: &DeTable<'_>, layer: Layer, reader: &mut Reader<'_>) -> Self {
                let mut section = Self::default();
                for (key, value) in table {
                    if !admit(key.get_ref(), key.span(), Self::KEYS, layer, reader) {
                        continue;
                    }
                    match key.get_ref().as_ref() {
                        $( stringify!($key) => {
                            section.$key = reader
                                .within(stringify!($key), |reader| {
                                    <$type as Value>::read(value.get_ref(), value.span(), reader)
                                })
                                .map(|read| At { value: read, span: value.span() });
                        } )*
                        _ => {}
                    }
                }
                section
            }
        }
    };
    (@default) => { None };
    (@default $default:literal) => { Some($default) };
}
pub(crate) use section;
