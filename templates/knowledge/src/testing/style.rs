//! How tests look in each language: what declares one, skips one, checks something, waits.

use crate::language::{self, Language};

/// The tests of a family of languages.
#[derive(Debug, PartialEq, Eq)]
pub struct Style {
    /// Names in [`language::LANGUAGES`].
    pub languages: &'static [&'static str],
    pub body: Body,
    /// Opens an attribute, annotation or decorator; empty: there are none.
    pub attribute: &'static str,
    /// Last words of attributes that make a function a test.
    pub test_attributes: &'static [&'static str],
    /// Last words of attributes that skip what is below.
    pub skip_attributes: &'static [&'static str],
    /// Words inside an attribute that skip what is below.
    pub skip_arguments: &'static [&'static str],
    /// Keywords that declare a function; empty: `name(...) {` does.
    pub functions: &'static [&'static str],
    /// Beginnings of the names of functions that are tests.
    pub test_names: &'static [&'static str],
    /// What the declaration of such a function must contain.
    pub signature: &'static str,
    /// Called with a title and a body.
    pub test_calls: &'static [&'static str],
    /// The same for groups of tests.
    pub group_calls: &'static [&'static str],
    /// `xit` skips and `fit` runs alone.
    pub x_and_f: bool,
    /// Statements that skip the test they are in.
    pub skip_statements: &'static [&'static str],
    /// Words of names whose call can fail the test, besides [`CHECKS`].
    pub checks: &'static [&'static str],
    /// Pieces of a line that can fail the test.
    pub check_code: &'static [&'static str],
    /// Calls that wait for a fixed time, up to the parenthesis.
    pub sleeps: &'static [&'static str],
    /// Where one of these stands in the file, time is simulated.
    pub fake_clocks: &'static [&'static str],
}

/// Where the body of a function ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// With the brace that closes it.
    Braces,
    /// As braces, or it is one expression after `=` or `=>`.
    BracesOrExpression,
    /// Before the first line that is indented no more than the declaration.
    Indentation,
    /// With an `end` as far to the left as the declaration.
    End,
}

/// Words of names whose call can fail a test, in all languages.
#[rustfmt::skip]
pub const CHECKS: &[&str] = &[
    "assert", "asserts", "asserting", "expect", "expects", "should", "verify", "verifies", "fail", "fails",
    "panic", "panics", "raises", "throws", "throw", "raise", "snapshot", "golden", "check", "checks", "ensure",
    "approve", "approvals",
];

/// Statements that assert a constant.
#[rustfmt::skip]
pub const CONSTANTS: &[&str] = &[
    "assert!(true)", "assert_eq!(1, 1)", "assert_eq!(true, true)", "assert True", "assert 1", "assert 1 == 1",
    "self.assertTrue(True)", "self.assertEqual(1, 1)", "expect(true).toBe(true)", "expect(true).toEqual(true)",
    "expect(true).toBeTruthy()", "expect(true).to.be.true", "expect(1).toBe(1)", "assert(true)", "assert.ok(true)",
    "assertTrue(true)", "Assertions.assertTrue(true)", "Assert.assertTrue(true)", "Assert.True(true)",
    "Assert.IsTrue(true)", "Assert.Pass()", "$this->assertTrue(true)", "self::assertTrue(true)", "assert true",
    "expect(true).to be true", "expect(true).to be(true)", "expect(true).to eq(true)", "XCTAssertTrue(true)",
    "assert.True(t, true)", "require.True(t, true)", "EXPECT_TRUE(true)", "ASSERT_TRUE(true)", "SUCCEED()",
];

const NONE: Style = Style {
    languages: &[],
    body: Body::Braces,
    attribute: "",
    test_attributes: &[],
    skip_attributes: &[],
    skip_arguments: &[],
    functions: &[],
    test_names: &[],
    signature: "",
    test_calls: &[],
    group_calls: &[],
    x_and_f: false,
    skip_statements: &[],
    checks: &[],
    check_code: &[],
    sleeps: &[],
    fake_clocks: &[],
};

#[rustfmt::skip]
const JVM: Style = Style {
    attribute: "@",
    test_attributes: &["Test", "ParameterizedTest", "RepeatedTest", "TestFactory", "Property"],
    skip_attributes: &["Disabled", "Ignore"],
    test_calls: &["test", "it", "should"],
    group_calls: &["describe", "context"],
    checks: &["verifier", "expected", "require"],
    sleeps: &["Thread.sleep", "TimeUnit.SECONDS.sleep", "TimeUnit.MILLISECONDS.sleep", "SystemClock.sleep", "delay"],
    fake_clocks: &["runTest", "runBlockingTest", "VirtualTimeScheduler", "TestScheduler"],
    ..NONE
};

/// All styles known.
#[rustfmt::skip]
pub static STYLES: &[Style] = &[
    Style {
        languages: &["Rust"],
        attribute: "#[",
        test_attributes: &["test", "rstest", "test_case", "wasm_bindgen_test", "quickcheck", "proptest", "case"],
        skip_attributes: &["ignore"],
        functions: &["fn", "macro_rules!"],
        checks: &["unwrap", "unreachable", "todo", "must", "quickcheck", "pass", "model"],
        check_code: &["?"],
        sleeps: &["thread::sleep", "time::sleep", "sleep_ms", "sleep", "Delay::new", "Timer::after"],
        fake_clocks: &["start_paused", "time::pause", "time::advance"],
        ..NONE
    },
    Style {
        languages: &["Python"],
        body: Body::Indentation,
        attribute: "@",
        skip_attributes: &["skip", "xfail", "expectedFailure"],
        functions: &["def", "async def"],
        test_names: &["test"],
        skip_statements: &["pytest.skip(", "self.skipTest(", "raise unittest.SkipTest", "raise SkipTest"],
        checks: &["warns", "page"],
        sleeps: &["time.sleep", "asyncio.sleep", "gevent.sleep", "trio.sleep", "anyio.sleep", "sleep"],
        fake_clocks: &["freezegun", "freeze_time", "time_machine", "MockClock", "looptime"],
        ..NONE
    },
    Style {
        languages: &["TypeScript", "JavaScript"],
        functions: &["function", "async function"],
        test_calls: &["it", "test", "specify"],
        group_calls: &["describe", "context", "suite"],
        x_and_f: true,
        skip_statements: &["this.skip()", "t.skip(", "test.skip()", "ctx.skip("],
        checks: &["wait", "rejects", "tsd", "page", "fc"],
        check_code: &["t.", "cy.", "page.", "getBy", "getAllBy", "findBy", "findAllBy", ".should", "done"],
        sleeps: &["setTimeout", "sleep", "delay", ".waitForTimeout", "cy.wait", "browser.pause", "setImmediate"],
        fake_clocks: &["useFakeTimers", "fakeTimers", "FakeTimers", "mock.timers", "fakeAsync", "cy.clock"],
        ..NONE
    },
    Style {
        languages: &["Go"],
        functions: &["func"],
        test_names: &["Test"],
        signature: "testing.T",
        skip_statements: &["t.Skip(", "t.SkipNow(", "t.Skipf("],
        checks: &["require", "error", "errorf", "fatal", "fatalf", "must", "diff"],
        // A helper that gets the test can fail it.
        check_code: &["(t,", "(t)", ", t,", ", t)"],
        sleeps: &["time.Sleep"],
        fake_clocks: &["synctest.", "clockwork", "clock.NewMock", "testing/synctest"],
        ..NONE
    },
    Style { languages: &["Java"], ..JVM },
    Style { languages: &["Kotlin"], body: Body::BracesOrExpression, functions: &["fun"], ..JVM },
    Style {
        languages: &["Groovy"],
        functions: &["def", "void"],
        check_code: &["expect:", "then:"],
        ..JVM
    },
    Style {
        languages: &["Scala"],
        body: Body::BracesOrExpression,
        functions: &["def"],
        group_calls: &["describe"],
        checks: &["must", "intercept", "require"],
        ..JVM
    },
    Style {
        languages: &["C#"],
        body: Body::BracesOrExpression,
        attribute: "[",
        test_attributes: &["Fact", "Theory", "Test", "TestCase", "TestMethod", "DataTestMethod", "TestCaseSource"],
        skip_attributes: &["Ignore"],
        skip_arguments: &["Skip"],
        skip_statements: &["Assert.Ignore(", "Assert.Inconclusive("],
        checks: &["throws", "received", "expected"],
        sleeps: &["Thread.Sleep", "Task.Delay"],
        fake_clocks: &["FakeTimeProvider", "TestScheduler"],
        ..NONE
    },
    Style {
        languages: &["Ruby"],
        body: Body::End,
        functions: &["def"],
        test_names: &["test_"],
        test_calls: &["it", "specify", "test", "scenario", "example"],
        group_calls: &["describe", "context", "feature"],
        x_and_f: true,
        skip_statements: &["skip", "pending"],
        checks: &["must", "wont", "refute", "expected", "flunk", "matcher"],
        sleeps: &["sleep", "Kernel.sleep"],
        fake_clocks: &["Timecop", "travel_to", "freeze_time"],
        ..NONE
    },
    Style {
        languages: &["PHP"],
        functions: &["function"],
        test_names: &["test"],
        test_calls: &["it", "test"],
        group_calls: &["describe"],
        skip_statements: &["$this->markTestSkipped(", "$this->markTestIncomplete(", "self::markTestSkipped("],
        sleeps: &["sleep", "usleep"],
        fake_clocks: &["ClockMock", "travelTo"],
        ..NONE
    },
    Style {
        languages: &["Elixir"],
        body: Body::End,
        attribute: "@",
        skip_arguments: &["skip"],
        functions: &["def", "defp"],
        test_calls: &["test", "property"],
        group_calls: &["describe"],
        checks: &["refute", "flunk"],
        sleeps: &["Process.sleep", "timer.sleep"],
        ..NONE
    },
    Style {
        languages: &["Swift"],
        attribute: "@",
        test_attributes: &["Test"],
        skip_arguments: &["disabled"],
        functions: &["func"],
        test_names: &["test"],
        test_calls: &["it"],
        group_calls: &["describe", "context"],
        x_and_f: true,
        skip_statements: &["throw XCTSkip("],
        checks: &["require", "wait", "fulfillment"],
        check_code: &["XCT", "#expect", "#require", "try"],
        sleeps: &["Thread.sleep", "Task.sleep", "sleep", "usleep"],
        ..NONE
    },
    Style {
        languages: &["Dart"],
        attribute: "@",
        skip_attributes: &["Skip"],
        test_calls: &["test", "testWidgets"],
        group_calls: &["group"],
        sleeps: &["Future.delayed", "sleep"],
        fake_clocks: &["fakeAsync", "FakeAsync", "testWidgets"],
        ..NONE
    },
    Style {
        languages: &["C", "C++"],
        test_calls: &["TEST", "TEST_F", "TEST_P", "TYPED_TEST", "TEST_CASE", "SCENARIO", "BOOST_AUTO_TEST_CASE"],
        skip_statements: &["GTEST_SKIP()", "SKIP("],
        checks: &["require", "boost", "ck", "cmocka", "tassert"],
        sleeps: &["this_thread::sleep_for", "usleep", "sleep", "absl::SleepFor"],
        ..NONE
    },
];

/// The style of a path's language.
pub fn of_path(path: &str) -> Option<(&'static Style, &'static Language)> {
    let language = language::of(path)?;
    Some((of_language(language.name)?, language))
}

/// The style of a language.
pub fn of_language(name: &str) -> Option<&'static Style> {
    STYLES.iter().find(|style| style.languages.contains(&name))
}

impl Style {
    /// A regular expression for lines worth a closer look: they may skip, single out or wait.
    pub fn suspicious(&self) -> String {
        let words = |words: &[&str]| {
            words
                .iter()
                .map(|word| escaped(word))
                .collect::<Vec<_>>()
                .join("|")
        };
        let mut parts = Vec::new();
        let skips = words(&[self.skip_attributes, self.skip_arguments].concat());
        if !skips.is_empty() {
            parts.push(format!("{}.*\\b({skips})\\b", escaped(self.attribute)));
        }
        let calls = words(&[self.test_calls, self.group_calls].concat());
        if !calls.is_empty() {
            parts.push(format!("\\b({calls})(\\.\\w+)*\\.(skip|only|fixme)\\b"));
        }
        if self.x_and_f {
            parts.push(format!("^\\s*[xf]({calls})\\b"));
        }
        if !self.skip_statements.is_empty() {
            parts.push(format!("^\\s*({})", words(self.skip_statements)));
        }
        if !self.sleeps.is_empty() {
            parts.push(format!("\\b({})\\b", words(self.sleeps)));
        }
        parts.join("|")
    }
}

/// With a meaning in regular expressions taken away.
pub fn escaped(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let is_plain = c.is_alphanumeric() || c == '_' || c == ' ';
            [(!is_plain).then_some('\\'), Some(c)]
        })
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style_has_a_language_and_every_language_one_style() {
        let mut seen = std::collections::HashSet::new();
        for style in STYLES {
            for language in style.languages {
                assert!(seen.insert(language), "{language} twice");
                assert!(
                    language::LANGUAGES
                        .iter()
                        .any(|known| known.name == *language),
                    "{language} is no language"
                );
            }
        }
    }

    #[test]
    fn suspicious_lines() {
        let cases = [
            ("Rust", "#[ignore]", "#[test]"),
            ("Rust", "std::thread::sleep(x);", "let sleepy = 1;"),
            (
                "Python",
                "@pytest.mark.skip(reason='x')",
                "@pytest.mark.skipif(x)",
            ),
            (
                "TypeScript",
                "  xdescribe('a', () => {",
                "  describe('a', () => {",
            ),
            ("TypeScript", "test.only('a')", "test('only')"),
            ("Go", "\tt.Skip(\"x\")", "\tt.Skipped()"),
            ("C#", "[Fact(Skip = \"x\")]", "[Fact]"),
            ("Elixir", "@tag :skip", "@tag :slow"),
            ("Ruby", "  xit 'a' do", "  exit 1"),
        ];
        for (language, yes, no) in cases {
            let pattern = of_language(language).unwrap().suspicious();
            let pattern = regex::Regex::new(&pattern).unwrap();
            assert!(pattern.is_match(yes), "{language}: {yes}");
            assert!(!pattern.is_match(no), "{language}: {no}");
        }
        for style in STYLES {
            assert!(
                regex::Regex::new(&style.suspicious()).is_ok(),
                "{:?}",
                style.languages
            );
        }
    }
}
