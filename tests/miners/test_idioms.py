"""Idioms: each row of the tables counts what its own rule measures, and says so where a repository has settled it."""

import pytest

from app.miners import idioms
from app.miners.idioms.shapes import Idiom, answers, definition_of
from app.syntax import RuleTree, Source
from tests.miners.trial import trial

ROWS = [(tongue, idiom) for tongue, table in idioms.TABLES.items() for idiom in table]

SAMPLES = {
    "Python": """
import pytest
from a import b
from a import (b, c as d)
from e import *
def f(a, b):
    x = f'{a}'
    y = '%s and %s' % (a, b)
    z = 'a {}'.format(b)
    assert x
    super().f()
    super(A, self).f()
    g(
        a,
        b,
    )
    g(
        a,
        b
    )
    raise Error()
    raise Error
    raise Error(a)
    raise Error(msg) from exc
    raise a.Error(f"{a} is not b")
    when = datetime.now()
    when = datetime.datetime.now(tz=utc)
@pytest.fixture
def one(): pass
@pytest.fixture()
def two(): pass
@pytest.mark.parametrize("one, two", [(1, 2)])
@pytest.mark.parametrize(("one", "two"), ((1, 2),))
@mock.patch("a.b")
def test_it(monkeypatch):
    monkeypatch.setattr(a, "b", 1)
    with patch("a.b"): pass
a = 1  # type: ignore
b = 1  # type: ignore[arg-type]
import c  # noqa
import d  # noqa: F401
try:
    pass
except (A, B):
    pass
""",
    "TypeScript": """
import { a } from './a'
import {f} from './f'
import * as b from './b'
var x = 1
let y: any = { a: 1,
  b: 2,
}
const z: string = [
  1,
  2
]
if (x == y) return
if (x !== y) { f() }
if (x == null) { f() }
f(q => q); f((q) => q); f((q, r) => q)
await p; p.then(f)
for (const o of list) { f(o) }
list.forEach(f)
const c = { ...d }; Object.assign({}, d)
function spaced (a) {}
function tight(a) { const b = 1; let c = 2 }
process.exit(1)
// @ts-ignore
// @ts-expect-error for a reason
const enum E { A }
export enum F { A }
type G = 'a' | 'b'
const h = i!
const u = `${a} b`, w = 'a' + b
f(function () {}); f(async function() {}); f(function named() {})
if (x === undefined) { f() }
if (x !== null) { Object.hasOwn(x, 1); x.hasOwnProperty(1); Object.prototype.hasOwnProperty.call(x, 1) }
/** What it does. */
function told() {}
/**
 * @api private
 */
/**
 * Whatever.
 */
class K {
  m() {}
}
/**
 * What it gives.
 *
 * @param {string} a
 * @return {string} b
 */
/**
 * @returns what it gives
 */
const Page: React.FC<Props> = ({ a }) => '</'
const Plain = (props) => '</'
interface Props { a: 1 }
type PageProps = { b: 2 }
this._a = 1; this.b_ = 2; this.#c = 3; this.d = 4
const onClick = () => '</', handleIt = useCallback(() => 1)
""",
    "Go": """
package one_test
var ErrGone = errors.New("gone")
var one = &cobra.Command{
	Use: "one",
	Args: cobra.NoArgs,
	RunE: func(cmd *cobra.Command, args []string) error { return nil },
}
var two = &cobra.Command{
	Use: "two",
	Run: run,
}
var _ I = (*T)(nil)
var _ J = T{}
func (s *Server) Run(v interface{}, w any) error {
	if err == io.EOF { return fmt.Errorf("plain") }
	if errors.Is(err, io.EOF) { panic("x") }
	ctx := context.Background()
	dir := t.TempDir()
	os.Setenv("a", "b")
	log.Fatal("x")
	var errInner = errors.New("inner")
	return fmt.Errorf("with %d", 1)
}
func (server Server) Stop() { ctx := t.Context(); os.Exit(1) }
func (e *ParseError) Error() string { return "" } //nolint:errcheck
func (e gone) Error() string { return "" } // nolint
func Get(ctx context.Context, id string) { v, ok := x.(T); w := x.(T) }
func Put(id string, ctx context.Context) {
	http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	http.NewRequest("GET", url, nil)
}
""",
    "Java": """
/** One. @author ada */
public final class OneTest {
  private final int a;
  int b;
  OneTest(final int a, int b) {
    this.a = a;
    b = 1;
    final int c = 1;
    var d = Objects.requireNonNull(a, "a");
    Objects.requireNonNull(b);
    if (a) return;
    if (b) { f(x -> 1); g((x) -> 2); }
    var e = (a == 1) ? f() : a ? "x".toLowerCase() : "y".toUpperCase(Locale.ROOT);
    try (Reader r = new FileReader(a)) { Reader s = new FileReader(b); }
    f(List.of(a), Arrays.asList(a, b), Collections.singletonList(a), List.of());
  }
}
""",
    "Rust": """
#![cfg(unix)]
//! # Example
use a::*;
use super::*;
use anyhow::{Context, Result};
use a::{b::{c, d}, e};
fn failing() -> anyhow::Result<()> {}
impl One {
    fn new() -> Self {}
    fn new() -> One<'a> {}
    fn new() -> Result<Self> {}
}
/// One.
///
/// # Safety
///
/// Never.
#[inline]
pub unsafe fn one() {}
/// Two.
#[allow(dead_code)]
#[expect(clippy::all, reason = "It is old.")]
pub unsafe fn two() {}
/// Three.
///
/// # Examples
///
/// # Errors
pub fn three() -> io::Result<()> {}
/// Four.
pub fn four() -> Result<u8, E> {}
pub fn five() -> Result<u8, E> {}
fn told() {
    log::info!("a");
    tracing::warn!("b");
    debug!("c");
}
use b::{c, d};
impl fmt::Display for A {}
impl std::fmt::Debug for A {}
fn f() -> Vec<u8> {
    let a = Vec::new();
    let b: Vec<u8> = vec![];
    match x { A => (), B => {}, ref c => g() }
    let t = "a".to_owned();
    let u = "a".to_string();
    return Err(format_err!("x {a}"));
    return Err(anyhow!("x {}", a));
    // SAFETY: it is ours,
    // and nobody else's
    let v = unsafe { g() };
    unsafe { dbg!(1) }
}
fn by_default() {
    let a = One::default();
    let b: One = Default::default();
    let c = One { a: 1, ..Default::default() };
}
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OneError {
    #[error("Not found.")]
    A,
    #[error(
        "it is {0}",
        .0,
    )]
    B(u8),
}
#[derive(Debug, Clone, Error)]
pub(super) enum TwoError { C }
/// Five.
pub enum ErrorKind { D }
impl Two {
    #[must_use]
    /// Six.
    pub fn with(mut self, name: impl Into<String>) -> Self { self }
    pub(crate) fn without<T: AsRef<str>>(self, name: T) -> Option<Self> { None }
    pub fn wide<T>(self) -> Self where T: Into<u8> { self }
    pub(in crate::a) fn lasting<'a: 'b, 'b>(self) {}
}
fn left() {
    let Some(a) = g() else { return };
    let b = match g() { Some(b) => b, None => return Err(1) };
    let b = match g() { Err(_) => { continue; } Ok(b) => b };
    let b = match g() { Some(b) => b, None => 1 };
    let c: Vec<u8> = g().collect();
    let d = g().collect::<Result<Vec<_>, _>>()?;
}
#[tokio::test]
async fn outside() {
    assert_eq!(expected, actual);
    assert_eq!(result, &expected_one, "told");
    assert_eq!(1, actual);
}
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn beside() {}
#[cfg(test)]
mod more_tests;
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    #[should_panic]
    fn one() {}
    #[test]
    #[ignore]
    fn two() {}
}
""",
}
SAMPLES["JavaScript"] = "'use strict'\n" + SAMPLES["TypeScript"].replace(": any", "").replace(": string", "").replace(
    "i!", "i"
).replace(": React.FC<Props>", "")


@pytest.mark.parametrize(("tongue", "idiom"), ROWS, ids=[f"{tongue}-{idiom.question}" for tongue, idiom in ROWS])
def test_a_row_counts_what_its_rule_measures(tongue: str, idiom: Idiom) -> None:
    text = SAMPLES[tongue]
    counted = [chosen for _, chosen in answers(Source("sample", tongue, text), (idiom,))]
    definition = definition_of(idiom, tongue, True)
    measured = [fine for _, _, fine in RuleTree(tongue, text).sites(definition["applicable"], definition["conforming"])]
    assert counted, "the sample has no site of this row"
    assert sorted(counted) == sorted(measured)


@pytest.mark.parametrize(("tongue", "idiom"), ROWS, ids=[f"{tongue}-{idiom.question}" for tongue, idiom in ROWS])
def test_the_other_way_is_the_same_sites_turned_round(tongue: str, idiom: Idiom) -> None:
    chosen, other = (definition_of(idiom, tongue, way) for way in (True, False))
    tree = RuleTree(tongue, SAMPLES[tongue])
    one = [fine for _, _, fine in tree.sites(chosen["applicable"], chosen["conforming"])]
    two = [not fine for _, _, fine in tree.sites(other["applicable"], other["conforming"])]
    assert one == two


@pytest.mark.parametrize(
    ("suffix", "line", "other", "sentence"),
    [
        ("py", "x = f'{a}'", "x = '%s' % a", "Python texts are put together by f-strings, not by `%` or `.format`"),
        ("js", "f(a => 1)", "f((a) => 1)", "JavaScript single parameters of arrow functions stand without parentheses"),
        ("ts", "if (a === b) { f() }", "if (a == b) { f() }", "TypeScript values are compared by `===`"),
        ("js", "/** One. */\nfunction f() {}", "function g() {}", "JavaScript functions and methods have JSDoc"),
        ("ts", "const a = `${b} c`", "const a = b + 'c'", "TypeScript texts are put together by template literals"),
        ("js", "f(function () {})", "f(() => {})", "JavaScript callbacks are written `function () {…}`"),
        ("js", "var a = 1", "const a = 1", "JavaScript variables are declared by `var`, not by `const` and `let`"),
        (
            "go",
            "package a\nfunc f(v any) {}",
            "package a\nfunc f(v interface{}) {}",
            "Go values of any type are written `any`",
        ),
        ("java", "class A { void f(final int a) {} }", "class A { void f(int a) {} }", "Java parameters are `final`"),
        ("rs", "fn f() { a(Vec::new()) }", "fn f() { a(vec![]) }", "Rust empty vectors are made by `Vec::new()`"),
    ],
    ids=["py", "js", "ts", "js-documented", "ts-texts", "js-callbacks", "js-var", "go", "java", "rs"],
)
def test_it_speaks_where_a_repository_has_settled_it(suffix: str, line: str, other: str, sentence: str) -> None:
    files = {f"src/part{number}.{suffix}": f"{line}\n" for number in range(30)}
    files[f"src/odd.{suffix}"] = f"{other}\n"
    found = trial(files, families=[idioms.FAMILY]).find(sentence)
    assert (found.conforming, found.applicable) == (30, 31)
    assert [place.partition(":")[0] for place in found.violations] == [f"src/odd.{suffix}"]


def test_it_is_silent_where_both_ways_are_taken() -> None:
    files = {
        f"src/part{number}.py": "x = f'{a}'\n" if number % 2 else "x = '%s' % a\nraise Error()\nraise Other\n"
        for number in range(40)
    }
    assert trial(files, families=[idioms.FAMILY]).said == []


def test_what_is_asked_of_tests_counts_only_tests() -> None:
    files = {f"tests/test_part{number}.py": "with patch('a.b'):\n    pass\n" for number in range(20)}
    files |= {f"src/part{number}.py": "with patch('a.b'):\n    pass\n" for number in range(20)}
    found = trial(files, families=[idioms.FAMILY]).find("put doubles in place by `patch`")
    assert found.applicable == 20
