"""The tables of waits, tests, failures and records: a row counts what its rule measures, and speaks or is silent."""

import pytest

from app.miners.idioms import failures, records, rust_style, testing, waits, wording
from app.miners.idioms.shapes import Idiom, answers, definition_of
from app.syntax import RuleTree, Source
from tests.miners.trial import Trial, trial

FAMILIES = [waits.FAMILY, testing.FAMILY, failures.FAMILY, records.FAMILY, wording.FAMILY, rust_style.FAMILY]
ROWS = [
    pytest.param(tongue, idiom, id=f"{module.__name__.rpartition('.')[2]}-{tongue}-{idiom.question}".replace(" ", "-"))
    for module in (waits, testing, failures, records, wording, rust_style)
    for tongue, table in module.TABLES.items()
    for idiom in table
]
SAMPLES = {
    "Python": """
async def run_async(): ...
async def async_run():
    async with asyncio.timeout(3): pass
    await asyncio.wait_for(it, 3)
    loop = asyncio.get_event_loop()
    loop = asyncio.get_running_loop()
    asyncio.create_task(it)
    asyncio.ensure_future(it)
    with open(it): pass
    async with aiofiles.open(it): pass
    def inner(): open(it)
with suppress(KeyError): run()
try: run()
except KeyError:
    # It may be gone.
    pass
try: run()
except KeyError:
    pass
    stop()
class A(str, Enum): ...
class B(enum.StrEnum): ...
@attr.s(slots=True)
class C: ...
@define
class D(NamedTuple): ...
E = namedtuple("E", "a")
class Test(TestCase):
    def test_it(self):
        # Given
        self.assertEqual(a, b)
def test_that() -> None:
    assert a
def tell():
    log.info("Found %s", it)
    self._logger.warning('found it.')
    logging.error(f"{it} is gone...")
    raise Error("It is gone")
    raise Error("it is gone.", it)
    raise Gone(it)
class Model:
    model_config = ConfigDict()
    class Config: pass
class ShopConfig: ...
class ShopSettings: ...
""",
    "TypeScript": """
async function runAsync() {}
class A { private async run() {} }
class Lost extends Error { constructor() { super(); this.name = 'Lost' } }
class Gone extends AppError {}
it('is old', function () {})
it('works', () => { /* */ fireEvent.click(a); userEvent.click(b); userEvent.setup() })
it('Works', () => {
  // given
  screen.getByRole('a'); getByText('b')
  expect(a).toEqual(b); expect(a).toStrictEqual(b)
  expect(a).toBe(true); expect(a).toBeTruthy(); expect(a).toBe(1)
})
import { z } from 'zod'
export const cartSchema = z.object({}), price = z.enum(['a'])
interface ShopConfig {}
type ShopSettings = {}
function tell() {
  logger.info('Found it'); this.log.warn("found it.", it)
  throw new Error('It is gone')
  throw new Error("it is gone.")
  throw new Gone(it)
  try { run() } catch { /* it may be gone */ }
  try { run() } catch (e) { // it may be gone
  }
  try { run() } catch (e) {}
  try { run() } catch (e) { stop() /* why */ }
}
""",
    "Go": """
package a
var ErrGone = errors.New("gone")
func New(a int, options ...Option) *A { return nil }
func NewB(a int) *B { return errors.New("local") }
func run(ctx context.Context, _ context.Context, c context.Context) {
	select {
	case <-ctx.Done():
	case a := <-b:
	}
	select {
	case <-b:
	}
	select {
	case <-b:
	default:
	}
	errors.As(err, &a)
	if a, ok := err.(*A); ok {}
}
func start(t *testing.T, name string) {
	// It starts.
	t.Helper()
}
func stop(t testing.TB, name string) { run() }
func TestIt_Works(t *testing.T) {
	x, err := run()
	require.NoError(t, err)
	assert.NoError(t, err)
	if err != nil { t.Fatalf("want %v", x) }
	if err != nil { return }
	t.Errorf("expected %v", x)
	t.Cleanup(stop)
	defer stop()
	for _, tt := range tests { t.Run(tt.name, nil) }
	for _, tc := range cases { run(tc) }
	time.Sleep(1)
	require.Eventually(t, x)
}
func TestThat(t *testing.T) {}
type ShopConfig struct {}
type ShopSettings struct {}
func tell() error {
	log.Info("Found it")
	s.logger.Warnf("found %s.", it)
	errors.New("It is gone")
	fmt.Errorf("unable to find %s.", it)
	fmt.Errorf("failed to find %w", err)
	return errors.Wrap(err, "HTTP is gone")
}
""",
    "Java": """
@Service
class A {
  @Autowired private B b;
  private final C c;
  A(C c) { this.c = c; }
  void run() throws Exception, IOException { latch.await(); latch.await(1, SECONDS); future.get(); future.get(1, S); }
  void stop() throws IOException {
    try { run(); } catch (InterruptedException e) { Thread.currentThread().interrupt(); }
    try { run(); } catch (IOException | InterruptedException e) { log(e); }
  }
}
record D(int a) {}
@Data
class E {}
class F extends RuntimeException { private static final long serialVersionUID = 1; }
class G extends Exception {}
class H {
  @Mock private B b;
  @Test @DisplayName("a") void one() {
    // given
    B c = mock(B.class);
    assertThrows(F.class, () -> run());
    assertThatThrownBy(() -> run());
    assertThatIllegalArgumentException().isThrownBy(() -> run());
    given(c.one()).willReturn(1);
    when(c.one()).thenThrow(e);
    assertThatThrownBy(() -> run());
    Assertions.assertEquals(1, 2);
    Thread.sleep(1);
    await().until(c);
  }
  @Test void two() {}
  @Test
  void three() {}
  void tell() {
    log.info("Found it"); LOGGER.warn("found {}.", it);
    try { run(); } catch (A e) { /* it may be gone */ }
    try { run(); } catch (A e) { }
    throw new A("It is gone");
  }
  void more() { throw new A("it is gone.", it); }
  void check() {
    Assert.notNull(a, "a cannot be null"); Objects.requireNonNull(a, "a must not be null."); requireNonNull(a);
    Preconditions.checkNotNull(a, "a is null"); Validate.notNull(a, "a == null");
    requireNonNull(a, "a may not be null");
  }
}
""",
    "Rust": """
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OneError { A }
pub enum TwoError { A }
impl A {
    #[must_use]
    pub fn with_b(mut self) -> Self { self }
    pub fn with_c(self) -> Self { self }
}
fn run() {
    a.map_err(|_| B)?;
    a.map_err(|e| C(e))?;
    a.context("a")?;
    a.with_context(|| b)?;
}
#[test]
fn one() -> Result<()> { Ok(()) }
#[tokio::test]
fn two() {}
struct ShopConfig {}
enum ShopSettings {}
enum Three {
    #[error("it is gone: {0}")]
    A,
    #[error("It is gone.")]
    B,
}
use std::{fmt, io};
use core::fmt;
use std::ops::Deref;
use std::net::TcpStream;
mod private;
pub mod public;
#[cfg(test)]
mod beside;
#[cfg(test)]
mod within {}
pub struct Told {
    /// How many.
    pub told: u32,
    pub bare: u32,
}
pub enum Kind {
    /// The first.
    First,
    Second,
}
impl Told {
    /// Returns what is told.
    ///
    /// ```
    /// told.told();
    /// ```
    pub fn told(mut self, a: u32) -> Self { Self { told: a, bare: 12_345 } }
    /// Return what is bare.
    pub fn bare(&mut self, a: u32) -> &mut Self { self }
    fn make() -> Self { Told { told: 12345, bare: 1 } }
    fn each(&self) -> impl Iterator<Item = u32> { a }
    fn all(&self) -> Box<dyn Iterator<Item = u32>> { a }
    fn call(f: impl Fn(u32)) { match self { Self::A => (), Told::B => () } }
    fn calls<F: FnOnce(u32)>(f: F) { String::from("a"); "a".to_string(); }
    fn fmt(&self, f: &mut fmt::Formatter<'_>, g: &mut fmt::Formatter) {}
    fn fail() {
        if a { return Err(anyhow!("It is gone")); }
        match a {
            A => {
                b()
            },
            B => {
                c()
            }
        }
        bail!("it is gone");
        if let Err(err) = a {}
        if let Err(e) = a {}
        info!("It came in {}", 2);
        tracing::info!(%name, "it came in");
        log::warn!("it went");
        assert!(matches!(a, B));
        assert_matches!(a, B);
    }
}
#[cfg(feature = "net")]
#[cfg_attr(docsrs, doc(cfg(feature = "net")))]
pub mod net;
#[cfg(feature = "fs")]
pub mod fs;
""",
}
SAMPLES["JavaScript"] = SAMPLES["TypeScript"].replace("private async", "async")


@pytest.mark.parametrize(("tongue", "idiom"), ROWS)
def test_a_row_counts_what_its_rule_measures(tongue: str, idiom: Idiom) -> None:
    text = SAMPLES[tongue]
    counted = [chosen for _, chosen in answers(Source("sample", tongue, text), (idiom,))]
    definition = definition_of(idiom, tongue, True)
    measured = [fine for _, _, fine in RuleTree(tongue, text).sites(definition["applicable"], definition["conforming"])]
    assert set(counted) == {True, False}, "the sample has no site of one of both ways"
    assert sorted(counted) == sorted(measured)


def mined(path: str, usual: str, other: str, others: int) -> Trial:
    return trial({path.format(n): other if n < others else usual for n in range(40)}, families=FAMILIES)


SAID = {
    "limits": (
        "a/part{}.py",
        "async def run():\n    async with asyncio.timeout(1):\n        pass\n",
        "async def run():\n    await asyncio.wait_for(it, 1)\n",
        "Python waits are limited by `asyncio.timeout`, not by `asyncio.wait_for`",
    ),
    "select": (
        "a/part{}.go",
        "package a\n\nfunc a() {\n\tselect {\n\tcase <-ctx.Done():\n\tcase <-b:\n\t}\n}\n",
        "package a\n\nfunc a() {\n\tselect {\n\tcase <-b:\n\t}\n}\n",
        "Go waits of `select` end with the context (`<-ctx.Done()`)",
    ),
    "errors": (
        "a/part{}_test.go",
        "package a\n\nfunc TestA(t *testing.T) {\n\terr := run()\n\trequire.NoError(t, err)\n}\n",
        "package a\n\nfunc TestA(t *testing.T) {\n\terr := run()\n\tif err != nil {\n\t\tt.Fatal(err)\n\t}\n}\n",
        "Go tests check errors by an assertion (`NoError`, `OK`), not by `if err != nil`",
    ),
    "interrupted": (
        "a/Part{}.java",
        "class A { void a() { try { } catch (InterruptedException e) { Thread.currentThread().interrupt(); } } }\n",
        "class A { void a() { try { } catch (InterruptedException e) { } } }\n",
        "Java handlers of `InterruptedException` interrupt the thread again",
    ),
    "options": (
        "a/part{}.go",
        "package a\n\nfunc NewA(b int, options ...Option) *A { return nil }\n",
        "package a\n\nfunc NewA(b int) *A { return nil }\n",
        "Go constructors (`New…`) take options as `...Option`",
    ),
    "logs": (
        "a/part{}.py",
        'LOG.info("found it")\n',
        'LOG.info("Found it")\n',
        "Python messages of logs begin with a small letter",
    ),
    "errors that stop": (
        "a/part{}.ts",
        "throw new Error('It is gone.')\n",
        "throw new Error('It is gone')\n",
        "TypeScript messages of errors end with a full stop",
    ),
    "silent": (
        "a/Part{}.java",
        "class A { void a() { try { } catch (Gone e) { /* fine */ } } }\n",
        "class A { void a() { try { } catch (Gone e) { } } }\n",
        "Java handlers that do nothing say why in a comment",
    ),
    "fields": (
        "src/part{}.rs",
        'use tracing::info;\n\nfn run() {\n    info!(%name, "it came in");\n}\n',
        'use tracing::info;\n\nfn run() {\n    info!("it came in {name}");\n}\n',
        "Rust values that are logged are fields of their own (`info!(%name, …)`), not part of the text",
    ),
    "variants": (
        "src/part{}.rs",
        "impl A {\n    fn a(&self) {\n        match self {\n            Self::B => c(),\n        }\n    }\n}\n",
        "impl A {\n    fn a(&self) {\n        match self {\n            A::B => c(),\n        }\n    }\n}\n",
        "Rust arms of `match self` begin with `Self::`, not with the type's name",
    ),
    "failures": (
        "a/part{}.go",
        'package a\n\nvar a = fmt.Errorf("failed to run: %w", err)\n',
        'package a\n\nvar a = fmt.Errorf("could not run: %w", err)\n',
        "Go errors that tell of a failure say `failed to …`, not `could not …`, `unable to …` or `error …`",
    ),
}


ASKED = [pytest.param(*case, id=name) for name, case in SAID.items()]


@pytest.mark.parametrize(("path", "usual", "other", "said"), ASKED)
def test_it_speaks_where_nearly_all_do_so(path: str, usual: str, other: str, said: str) -> None:
    found = mined(path, usual, other, 2).find(said)
    assert str(found) == f"{said} (38 of 40)"
    assert [place.partition(":")[0] for place in found.violations] == [path.format(0), path.format(1)]


@pytest.mark.parametrize(("path", "usual", "other", "said"), ASKED)
def test_it_is_silent_where_half_of_them_do(path: str, usual: str, other: str, said: str) -> None:
    assert said not in [each.name for each in mined(path, usual, other, 20).conventions]


def test_wording_of_a_few_folders_is_nobody_s_rule() -> None:
    small, capital = 'LOG.info("found it")\n', 'LOG.info("Found it")\n'
    files = {f"{folder}/part{n}.py": small for folder in "abc" for n in range(30)}
    files |= {f"{folder}/part{n}.py": capital for folder in "defg" for n in range(30)}
    assert not [each for each in trial(files, families=FAMILIES).said if "begin with" in each]


def test_what_everybody_does_is_not_said() -> None:
    go = "package a\n\nfunc a(ctx context.Context) {\n\tm.Lock()\n\tdefer m.Unlock()\n\tselect {\n\tcase <-b:\n\t}\n}\n"
    python = "async def run():\n    await asyncio.sleep(1)\n    with open(it):\n        pass\n"
    files = {f"a/part{n}.go": go for n in range(30)} | {f"a/part{n}.py": python for n in range(30)}
    assert trial(files, families=FAMILIES).said == []
