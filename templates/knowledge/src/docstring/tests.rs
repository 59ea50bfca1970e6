use super::*;
use crate::language;

/// `line kind name`, with a plus when it is documented.
fn shown(path: &str, text: &str) -> Vec<String> {
    let language = language::of(path).unwrap();
    convention(language)
        .unwrap()
        .items(text, language)
        .iter()
        .map(|item| {
            let mark = if item.is_documented { "+" } else { "-" };
            format!("{mark}{} {} {}", item.line, item.kind, item.name)
        })
        .collect()
}

#[test]
fn rust() {
    let text = r#"//! Module.

/// Says it.
#[derive(Debug, Clone)]
#[serde(
    rename_all = "kebab-case",
)]
pub struct A {
    pub field: u8,
}

pub(crate) fn inner() {}

// Not documentation.
pub const fn b() -> &'static str { "pub fn in_string() {}" }

/** Block. */
pub async unsafe fn c() {}

#[doc = "x"]
pub const D: u8 = 1;

#[doc(hidden)]
pub fn hidden() {}

pub trait E {
    fn one(&self);
    /// Two.
    fn two(&self) {
        fn local() {}
    }
}
pub use std::fmt;
pub mod f;

#[cfg(test)]
mod tests {
    pub fn helper() {}
}
pub static mut G: u8 = 1;
impl<T: Into<u8>> super::Trait for H<T>
where
    T: Copy,
{
    pub fn three() {
    }
}
"#;
    assert_eq!(
        shown("a.rs", text),
        [
            "+8 struct A",
            "-15 fn b",
            "+18 fn c",
            "+21 const D",
            "-26 trait E",
            "-27 fn E::one",
            "+29 fn E::two",
            "-40 static G",
            "-45 fn H::three",
        ]
    );
}

#[test]
fn python() {
    let text = r#"# coding: utf-8
"""Module."""

class A:
    r"""Doc ä."""

    def one(self, x: dict[str, int] = {"a": 1}, *,
            y=":") -> None:
        # comment
        """Doc."""

    def two(self):
        def local():
            pass
        return "no docstring"

    def _private(self): ...

    def __init__(self): ...

    @one.setter
    def one(self, x): ...

def b(): f"not a docstring"

async def c(): "doc"

class _D:
    def hidden(self): ...

text = """
def in_string(): ...
"""
"#;
    assert_eq!(
        shown("a.py", text),
        [
            "+1 module the module itself",
            "+4 class A",
            "+7 method A.one",
            "-12 method A.two",
            "-24 function b",
            "+26 function c",
        ]
    );
}

#[test]
fn scripts() {
    let text = r#"
/** Doc. */
export function a(): void;
export function a(x?: string): void {}
/* not doc */
export default async function* b() {}
/** Doc */
@component({
  tag: "x",
})
export abstract class C {}
export { d } from "./d";
export * from "./e";
export type { F } from "./f";
export type G = string; // export const no = 1
export const h = `
export const inTemplate = 1;
`;
export default class extends X {}
export const enum I { A }
"#;
    assert_eq!(
        shown("a.ts", text),
        [
            "+3 function a",
            "-6 function b",
            "+11 class C",
            "-15 type G",
            "-16 const h",
            "-19 class default",
            "-20 enum I",
        ]
    );
}

#[test]
fn go() {
    let text = "// Package a.
package a

// A is it.
type A struct{}

//nolint:revive
func B() {}

// C does.
func (a *A) C() {}
func (a A) String() string { return \"\" }
func (a *hidden) D() {}

// old

func E() {}
type (
\t// F is.
\tF int
\tG int
)
const H = 1
const (
\tI = 2
)
";
    assert_eq!(
        shown("a.go", text),
        [
            "+5 type A",
            "-8 func B",
            "+11 method A.C",
            "-17 func E",
            "+20 type F",
            "-21 type G",
            "-23 const H",
        ]
    );
    assert!(shown("m.go", "package main\n\nfunc A() {}\n").is_empty());
}

#[test]
fn java_and_its_like() {
    let java = r#"
/** Doc. */
@Entity(
    name = "x")
public final class A<T> extends B {
    public static final String NAME = of("x");
    public A(int x) {}
    public <T> Map<String, T> one(int x) throws E {
    }
    @Override
    public String toString() { return ""; }
    private void two() {}
}
"#;
    assert_eq!(shown("A.java", java), ["+5 class A", "-8 method one"]);
    let c_sharp = "/// <summary>Doc</summary>\n[Serializable]\npublic record struct A\n{\n    public int X { get; set; }\n    public async Task<int> Run() => 1;\n    public override string ToString() => \"\";\n}\n";
    assert_eq!(shown("A.cs", c_sharp), ["+3 struct A", "-6 method Run"]);
    let php = "<?php\nclass A {\n  /** Doc. */\n  public static function one() {}\n  public function __construct() {}\n  public function two() {}\n}\n";
    assert_eq!(shown("A.php", php), ["+4 method one", "-6 method two"]);
    let swift =
        "/// Doc.\npublic struct A {\n  public class func one() {}\n  public var x = 1\n}\n";
    assert_eq!(shown("A.swift", swift), ["+2 struct A", "-3 method one"]);
}

#[test]
fn every_convention_is_of_a_known_language() {
    for convention in CONVENTIONS {
        assert!(
            language::LANGUAGES
                .iter()
                .any(|language| language.name == convention.language),
            "{}",
            convention.language
        );
    }
}
