use super::*;
use crate::testing::style;

/// What was read, a line each: tests with their lines and strength, functions, marks.
fn shown(path: &str, text: &str) -> Vec<String> {
    let (style, language) = style::of_path(path).expect("a language with tests");
    let file = read(text, style, language.syntax);
    let class = |test: &Test| {
        if test.class.is_empty() {
            String::new()
        } else {
            format!("{}.", test.class)
        }
    };
    let mut shown: Vec<String> = file
        .tests
        .iter()
        .map(|test| {
            let mut line = format!("{}-{} {}{}", test.line, test.end, class(test), test.name);
            if test.checks == 0 {
                line.push_str(if test.constants > 0 {
                    " constant"
                } else {
                    " weak"
                });
            }
            if test.is_skipped {
                line.push_str(" skipped");
            }
            if let Some(by) = test.replaced_by {
                line = format!("{line} replaced by {by}");
            }
            line
        })
        .collect();
    shown.extend(file.functions.iter().map(|function| {
        let checks = if function.checks { " checks" } else { "" };
        format!("fn {}{checks}", function.name)
    }));
    shown.extend(file.marks.iter().map(|mark| {
        let reason = mark
            .reason
            .map(|reason| format!(": {reason}"))
            .unwrap_or_default();
        format!("{} {:?} {}{reason}", mark.line, mark.kind, mark.name)
    }));
    shown
}

#[track_caller]
fn check(path: &str, text: &str, expected: &[&str]) {
    assert_eq!(shown(path, text), expected);
}

#[test]
fn rust() {
    check(
        "src/a.rs",
        r##"
/// ```
/// #[test]
/// fn in_a_comment() {}
/// ```
pub fn parse(text: &str) -> u32 { text.len() }

#[cfg(test)]
mod tests {
    const SOURCE: &str = "#[test]\nfn in_a_string() {}";

    #[test]
    fn nothing() {
        let _ = parse("a");
    }

    #[tokio::test(flavor = "current_thread")]
    #[ignore = "needs a server"]
    async fn slow() { assert!(true); }

    // Flaky, see #12
    #[test] #[ignore]
    fn flaky() { std::thread::sleep(Duration::from_millis(50)); }

    #[test]
    #[should_panic(expected = "empty")]
    fn panics() { parse(""); }

    #[test]
    #[cfg_attr(windows, ignore)]
    fn waits() {
        while !ready() {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_secs(1)); // for the flush
        round_trip("x");
    }

    fn round_trip(text: &str) -> Result<(), E> { parse(text)?; Ok(()) }
}
"##,
        &[
            "13-15 nothing weak",
            "19-19 slow constant skipped",
            "23-23 flaky weak skipped",
            "27-27 panics",
            "31-37 waits weak",
            "fn parse",
            "fn round_trip checks",
            "18 Skipped slow: needs a server",
            "22 Skipped flaky: Flaky, see #12",
            "35 Sleeps waits: for the flush",
        ],
    );
}

#[test]
fn rust_modules_can_be_skipped_by_nobody_else() {
    check(
        "a.rs",
        "#[test]\n#[ignore]\nfn a() {\n}\n#[derive(Ignore)]\nmod b {}\n",
        &["3-4 a weak skipped", "2 Skipped a"],
    );
}

#[test]
fn python() {
    check(
        "tests/test_a.py",
        r#"
"""def test_in_a_docstring(): pass"""
import pytest

def check_all(x):
    assert x

def test_calls():
    client.get("/")

    # said later
    client.post(
        "/",
    )

async def test_strong(): assert await f() == 1

class TestStore:
    def test_put(self):
        store.put(1)

    @pytest.mark.skip(reason="broken since 2.0")
    def test_get(self):
        assert store.get() == 1

    @pytest.mark.skipif(sys.platform == "win32", reason="posix")
    @pytest.mark.parametrize(
        "a", [1, 2],
    )
    def test_put(self, a):
        time.sleep(0.5)
        self.assertEqual(a, 1)

def test_inside():
    if not server:
        pytest.skip("no server")
    assert f()

@pytest.fixture
def test_app():
    return App()

def test_given_up():
    pytest.skip("rewrite me")
    assert f()

def test_polls():
    for _ in range(10):
        if ready():
            break
        time.sleep(1)
    assert ready()
"#,
        &[
            "8-14 test_calls weak",
            "16-16 test_strong",
            "19-20 TestStore.test_put weak replaced by 30",
            "23-24 TestStore.test_get skipped",
            "30-32 TestStore.test_put",
            "34-37 test_inside",
            "43-45 test_given_up skipped",
            "47-52 test_polls",
            "fn check_all checks",
            "fn test_app",
            "22 Skipped test_get: broken since 2.0",
            "31 Sleeps test_put",
            "44 Skipped test_given_up: rewrite me",
        ],
    );
}

#[test]
fn python_files_and_classes_can_be_skipped() {
    check(
        "tests/test_a.py",
        "pytestmark = pytest.mark.skip(reason='later')\ndef test_a():\n    assert 1 == f()\n",
        &["2-3 test_a skipped", "1 Skipped the whole file: later"],
    );
    check(
        "tests/test_a.py",
        "@unittest.skip('later')\nclass A(TestCase):\n    def test_a(self):\n        self.fail()\ndef test_b():\n    f()\n",
        &[
            "3-4 A.test_a skipped",
            "5-6 test_b weak",
            "1 Skipped A: later",
        ],
    );
}

#[test]
fn scripts() {
    check(
        "web/a.test.ts",
        r#"
import { test } from "vitest";
const check = async (a: number) => { expect(a).toBe(1); };

describe("cart", () => {
  it("adds", async () => {
    cart.add("it('in a string')");
  });
  it.each([1, 2])("takes %s", (n) => {
    expect(n).toBeTruthy();
  });
  it.only("alone", () => check(1));
  // broken by the new parser
  it.skip("later", () => {
    expect(1).toBe(2);
  });
  xit('old style', function () { f(); });
  test("waits", async () => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(true).toBe(true);
  });
  it.todo("write me");
  it.skipIf(process.env.CI)("sometimes", () => { f() });
});

describe.skip("checkout", () => {
  test("pays", () => { expect(pay()).toBe(1); });
});
"#,
        &[
            "6-8 adds weak",
            "9-11 takes %s",
            "12-12 alone",
            "14-16 later skipped",
            "17-17 old style weak skipped",
            "18-21 waits constant",
            "23-23 sometimes weak",
            "27-27 pays skipped",
            "fn check checks",
            "12 Focused alone",
            "14 Skipped later: broken by the new parser",
            "17 Skipped old style",
            "19 Sleeps waits",
            "26 Skipped checkout",
        ],
    );
    check(
        "a.test.js",
        "jest.useFakeTimers();\ntest('a', () => { sleep(100); });\n",
        &["2-2 a weak"],
    );
    check(
        "a.test.js",
        "const sleep = (ms) => new Promise((r) => setTimeout(r, ms));\n",
        &["fn sleep"],
    );
}

#[test]
fn go() {
    check(
        "pkg/a_test.go",
        r#"package a

func TestMain(m *testing.M) { os.Exit(m.Run()) }

func TestParse(t *testing.T) {
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			Parse(tt.in)
		})
	}
}

func TestShort(t *testing.T) {
	if testing.Short() {
		t.Skip("slow")
	}
	require.NoError(t, Run())
}

func TestSkipped(t *testing.T) {
	t.Skip("flaky on CI")
	time.Sleep(2 * time.Second)
}

func TestWaits(t *testing.T) {
	time.Sleep(100 * time.Millisecond)
	helper(t)
}

func (s *server) helper(t *testing.T) { t.Fatal("x") }
func Testify(t *testing.T) {}
"#,
        &[
            "5-11 TestParse weak",
            "13-18 TestShort",
            "20-23 TestSkipped weak skipped",
            "25-28 TestWaits",
            "fn TestMain",
            "fn helper checks",
            "fn Testify",
            "21 Skipped TestSkipped: flaky on CI",
            "26 Sleeps TestWaits",
        ],
    );
}

#[test]
fn jvm() {
    check(
        "src/test/java/ATest.java",
        r#"
@Disabled("until #7")
class ATest {
    @Test
    void adds() { assertEquals(1, a()); }
}
class BTest {
    @Test
    @DisplayName("runs")
    void runs() throws Exception
    {
        service.start();
        Thread.sleep(1000);
    }

    @Test(expected = IOException.class)
    public void fails() { read(); }

    @Ignore @Test public void old() { helper(1); }

    private <T> void helper(T value) { assertThat(value).isNotNull(); }
}
"#,
        &[
            "5-5 adds skipped",
            "10-14 runs weak",
            "17-17 fails",
            "19-19 old weak skipped",
            "fn helper checks",
            "2 Skipped ATest: until #7",
            "13 Sleeps runs",
            "19 Skipped old",
        ],
    );
    check(
        "src/test/kotlin/ATest.kt",
        "class ATest {\n  @Test\n  fun `adds two numbers`() = runTest {\n    add(1, 2)\n  }\n  @Test fun one() = assertEquals(1, f())\n}\n",
        &["3-5 adds two numbers weak", "6-6 one"],
    );
    check(
        "src/test/groovy/ASpec.groovy",
        "class ASpec extends Specification {\n  def \"adds two\"() {\n    expect:\n    add(1) == 2\n  }\n}\n",
        &["2-5 adds two"],
    );
}

#[test]
fn ruby() {
    check(
        "spec/a_spec.rb",
        r#"
RSpec.describe Cart do
  it "adds" do
    cart.add(1)
  end
  it { is_expected.to be_valid }
  xit "later" do
    expect(1).to eq 2
  end
  it "waits", skip: "slow" do
    sleep 2
  end
  it "polls" do
    sleep 0.1 until ready?
    pending "no server"
    expect(1).to eq 2
  end

  it "helped" do
    cart.add(1)
    results_in 'a' => 1
  end

  def results_in(x)
    expect(x).to be
  end
end
"#,
        &[
            "3-5 adds weak",
            "6-6 ",
            "7-9 later skipped",
            "10-12 waits weak skipped",
            "13-17 polls skipped",
            "19-22 helped weak",
            "fn results_in checks",
            "7 Skipped later",
            "10 Skipped waits: slow",
            "15 Skipped polls: no server",
        ],
    );
    check(
        "test/a_test.rb",
        "class ATest < Minitest::Test\n  def test_a\n    A.new.b(1)\n  end\n  test \"b\" do\n    assert_equal 1, b(1)\n  end\nend\n",
        &["2-4 test_a weak", "5-7 b"],
    );
}

#[test]
fn helpers_check_for_tests() {
    let text = "it 'a' do\n  x\n  results_in 'a' => 1\nend\ndef results_in(x)\n  really x\nend\n\
                def really(x)\n  expect(x).to be\nend\nit 'b' do\n  x\nend\n";
    let (style, language) = style::of_path("spec/a_spec.rb").unwrap();
    let file = read(text, style, language.syntax);
    let helpers = crate::testing::Helpers::among(&file.functions);
    let can_fail: Vec<bool> = file
        .tests
        .iter()
        .map(|test| helpers.can_fail(test))
        .collect();
    assert_eq!(can_fail, [true, false]);
}

#[test]
fn others() {
    check(
        "ATest.cs",
        "public class ATest {\n  [Fact(Skip = \"flaky\")]\n  public void A() => B();\n  [Theory, InlineData(1)]\n  public async Task C(int x)\n  {\n    await Task.Delay(100);\n    Assert.Equal(1, x);\n  }\n  [Fact]\n  public void D() { E(); }\n}\n",
        &[
            "3-3 A weak skipped",
            "5-9 C",
            "11-11 D weak",
            "2 Skipped A: flaky",
            "7 Sleeps C",
        ],
    );
    check(
        "tests/ATest.php",
        "<?php\nclass ATest extends TestCase {\n  public function testA(): void {\n    $this->markTestSkipped('later');\n  }\n  public function testB(): void { f(); }\n}\n",
        &[
            "3-5 testA weak skipped",
            "6-6 testB weak",
            "4 Skipped testA: later",
        ],
    );
    check(
        "test/a_test.exs",
        "defmodule ATest do\n  @tag :skip\n  test \"adds\", %{conn: conn} do\n    assert add(1) == 2\n  end\n  test \"runs\" do\n    Process.sleep(100)\n    run(1)\n  end\nend\n",
        &[
            "3-5 adds skipped",
            "6-9 runs weak",
            "2 Skipped adds",
            "7 Sleeps runs",
        ],
    );
    check(
        "Tests/ATests.swift",
        "final class ATests: XCTestCase {\n  func testA() async {\n    run(1)\n  }\n  func testB() throws {\n    throw XCTSkip(\"later\")\n  }\n}\n",
        &[
            "2-4 testA weak",
            "5-7 testB skipped",
            "6 Skipped testB: later",
        ],
    );
    check(
        "test/a_test.dart",
        "void main() {\n  test('adds', () {\n    add(1);\n  });\n  test('skips', () => expect(add(1), 2), skip: 'later');\n}\n",
        &[
            "2-4 adds weak",
            "5-5 skips skipped",
            "fn main checks",
            "5 Skipped skips: later",
        ],
    );
    check(
        "a_test.cc",
        "TEST(Parser, Empty) {\n  Parse(\"\");\n}\nTEST_F(Parser, Full) {\n  EXPECT_EQ(Parse(\"a\"), 1);\n}\n",
        &["1-3 Parser, Empty weak", "4-6 Parser, Full"],
    );
}

#[test]
fn long_tests_count_lines_of_code() {
    let body = "    f(1)\n\n    # a comment\n".repeat(30);
    let text = format!("def test_a():\n{body}");
    let (style, language) = style::of_path("test_a.py").unwrap();
    assert_eq!(read(&text, style, language.syntax).tests[0].code_lines, 30);
}

#[test]
fn nothing_makes_it_panic() {
    let pieces = [
        "#[test]",
        "@",
        "fn a(",
        "def test_a",
        "it(",
        "it.each(",
        "class ",
        "(",
        ")",
        "{",
        "}",
        "\n",
        "  ",
        "\"",
        "'",
        "`",
        "=>",
        "end",
        " do",
        "sleep(1",
        "ö",
        ":",
    ];
    for style in style::STYLES {
        let language = crate::language::LANGUAGES
            .iter()
            .find(|known| known.name == style.languages[0])
            .unwrap();
        let n = pieces.len();
        for number in 0..n.pow(3) {
            let text = [
                pieces[number % n],
                pieces[number / n % n],
                pieces[number / n / n % n],
            ]
            .concat();
            read(&text.repeat(2), style, language.syntax);
        }
    }
}
