//! Calls and settings that are dangerous when what they get comes from outside, as data.

use super::find;

/// One kind of danger.
#[derive(Debug, PartialEq, Eq)]
pub struct Risk {
    /// What can go wrong, as a heading.
    pub name: &'static str,
    /// 1 to 9: how bad it is when it is real.
    pub weight: u32,
    pub signs: &'static [Sign],
}

/// How a danger shows in some languages.
#[derive(Debug, PartialEq, Eq)]
pub struct Sign {
    /// Names in [`crate::language::LANGUAGES`].
    pub languages: &'static [&'static str],
    /// One of them stands in the code.
    pub needles: &'static [&'static str],
    /// And none of these, which make it safe.
    pub unless: &'static [&'static str],
    /// Looked for in strings too.
    pub in_strings: bool,
}

const fn code(languages: &'static [&'static str], needles: &'static [&'static str]) -> Sign {
    Sign {
        languages,
        needles,
        unless: &[],
        in_strings: false,
    }
}

const fn text(languages: &'static [&'static str], needles: &'static [&'static str]) -> Sign {
    Sign {
        in_strings: true,
        ..code(languages, needles)
    }
}

const PYTHON: &[&str] = &["Python"];
const SCRIPT: &[&str] = &["TypeScript", "JavaScript", "Vue", "Svelte", "Astro"];
const GO: &[&str] = &["Go"];
const RUST: &[&str] = &["Rust"];
const JVM: &[&str] = &["Java", "Kotlin", "Scala", "Groovy"];
const PHP: &[&str] = &["PHP"];
const RUBY: &[&str] = &["Ruby"];
const C: &[&str] = &["C", "C++", "Objective-C"];
const C_SHARP: &[&str] = &["C#"];
/// No line of these is ever shown: what they hold need not be in quotes.
const SHELL: &[&str] = &["Shell", "Dockerfile", "Makefile", "Just", "YAML"];

/// All dangers known; SQL put together from strings is told by [`is_built_sql`].
#[rustfmt::skip]
pub static RISKS: &[Risk] = &[
    Risk { name: "commands run by a shell", weight: 9, signs: &[
        code(PYTHON, &["shell=True", "os.system(", "os.popen(", "commands.getoutput("]),
        Sign { unless: &["execFile"], ..code(SCRIPT, &["exec(", "execSync(", "child_process.exec(", "cp.exec(", "shell: true"]) },
        text(GO, &["exec.Command(\"sh\"", "exec.Command(\"bash\"", "exec.Command(\"/bin/sh\"", "exec.CommandContext(ctx, \"sh\"", "exec.CommandContext(ctx, \"bash\""]),
        text(RUST, &["Command::new(\"sh\")", "Command::new(\"bash\")", "Command::new(\"/bin/sh\")"]),
        code(JVM, &["Runtime.getRuntime().exec("]),
        code(PHP, &["system(", "shell_exec(", "passthru(", "proc_open(", "popen("]),
        code(RUBY, &["system(", "Open3.capture2e(", "IO.popen("]),
        code(C, &["system(", "popen("]),
    ] },
    Risk { name: "SQL put together from strings", weight: 9, signs: &[] },
    Risk { name: "code made from text", weight: 8, signs: &[
        code(PYTHON, &["eval(", "exec("]),
        code(SCRIPT, &["eval(", "new Function(", "vm.runInNewContext(", "vm.runInThisContext("]),
        code(PHP, &["eval(", "create_function(", "assert($"]),
        code(RUBY, &["eval(", "instance_eval(", "class_eval(", ".constantize"]),
        code(JVM, &["ScriptEngineManager(", "GroovyShell("]),
        Sign { unless: &["ssh-agent", "direnv"], ..code(&["Shell"], &["eval"]) },
    ] },
    Risk { name: "objects made from bytes", weight: 8, signs: &[
        code(PYTHON, &["pickle.load(", "pickle.loads(", "cPickle.loads(", "marshal.loads(", "dill.load(", "dill.loads(", "shelve.open(", "joblib.load("]),
        Sign { unless: &["SafeLoader", "safe_load"], ..code(PYTHON, &["yaml.load(", "yaml.load_all(", "yaml.unsafe_load("]) },
        code(JVM, &["ObjectInputStream(", "XMLDecoder(", ".enableDefaultTyping("]),
        code(PHP, &["unserialize("]),
        Sign { unless: &["safe_load"], ..code(RUBY, &["Marshal.load", "YAML.load(", "YAML.unsafe_load"]) },
        code(C_SHARP, &["BinaryFormatter(", "TypeNameHandling.All", "LosFormatter("]),
    ] },
    Risk { name: "certificates that are not checked", weight: 8, signs: &[
        code(PYTHON, &["verify=False", "ssl._create_unverified_context", "ssl.CERT_NONE", "check_hostname = False"]),
        text(SCRIPT, &["rejectUnauthorized: false", "NODE_TLS_REJECT_UNAUTHORIZED", "strictSSL: false"]),
        code(GO, &["InsecureSkipVerify: true", "InsecureSkipVerify = true", "ssh.InsecureIgnoreHostKey("]),
        code(RUST, &["danger_accept_invalid_certs(true)", "danger_accept_invalid_hostnames(true)"]),
        code(JVM, &["X509TrustManager", "ALLOW_ALL_HOSTNAME_VERIFIER", "NoopHostnameVerifier"]),
        code(PHP, &["CURLOPT_SSL_VERIFYPEER, false", "CURLOPT_SSL_VERIFYPEER, 0"]),
        code(RUBY, &["OpenSSL::SSL::VERIFY_NONE"]),
        code(C_SHARP, &["ServerCertificateValidationCallback", "DangerousAcceptAnyServerCertificateValidator"]),
        text(SHELL, &["curl -k", "curl -sk", "--insecure", "--no-check-certificate", "http.sslVerify false", "StrictHostKeyChecking=no"]),
    ] },
    Risk { name: "scripts from the network, run at once", weight: 7, signs: &[
        Sign { unless: &["sha256sum", "shasum"], ..text(SHELL, &["| sh", "|sh", "| bash", "|bash", "| sudo bash", "| sudo sh", "bash <(curl"]) },
    ] },
    Risk { name: "markup that is not escaped", weight: 7, signs: &[
        code(SCRIPT, &["dangerouslySetInnerHTML", ".innerHTML =", ".outerHTML =", ".insertAdjacentHTML(", "document.write(", "v-html", "{@html", "bypassSecurityTrustHtml("]),
        code(PYTHON, &["mark_safe(", "Markup(", "autoescape=False", "render_template_string("]),
        code(GO, &["template.HTML(", "template.JS(", "template.URL("]),
        code(RUBY, &[".html_safe", "raw("]),
    ] },
    Risk { name: "memory that the compiler does not check", weight: 6, signs: &[
        code(RUST, &["unsafe {", "unsafe fn", "unsafe impl", "transmute(", "from_utf8_unchecked(", ".get_unchecked(", "from_raw_parts("]),
        code(GO, &["unsafe.Pointer"]),
        code(C, &["strcpy(", "strcat(", "sprintf(", "gets(", "alloca("]),
    ] },
    Risk { name: "paths and archives from outside", weight: 6, signs: &[
        Sign { unless: &["filter="], ..code(PYTHON, &[".extractall("]) },
        code(PYTHON, &["tempfile.mktemp(", "send_file(", "yaml.full_load("]),
        code(SCRIPT, &["res.sendFile(", "response.sendFile("]),
        code(PHP, &["include($_", "require($_", "move_uploaded_file("]),
    ] },
    Risk { name: "debugging left on", weight: 5, signs: &[
        code(PYTHON, &["debug=True", "DEBUG = True"]),
        code(GO, &["\"net/http/pprof\""]),
    ] },
    Risk { name: "weak hashes and random numbers", weight: 4, signs: &[
        code(PYTHON, &["hashlib.md5(", "hashlib.sha1(", "random.choice(", "random.randint("]),
        text(SCRIPT, &["createHash(\"md5\")", "createHash('md5')", "createHash(\"sha1\")", "createHash('sha1')"]),
        code(GO, &["md5.Sum(", "md5.New(", "sha1.Sum(", "sha1.New(", "rand.Intn("]),
        text(JVM, &["getInstance(\"MD5\")", "getInstance(\"SHA-1\")", "getInstance(\"DES"]),
        code(PHP, &["md5(", "sha1(", "mt_rand("]),
        code(C_SHARP, &["MD5.Create(", "SHA1.Create("]),
    ] },
    Risk { name: "input without a limit", weight: 4, signs: &[
        Sign { unless: &["LimitReader", "MaxBytesReader"], ..code(GO, &["io.ReadAll(req.Body", "io.ReadAll(r.Body", "ioutil.ReadAll(r.Body", "io.ReadAll(request.Body"]) },
    ] },
    Risk { name: "server without time-outs", weight: 4, signs: &[
        code(GO, &["http.ListenAndServe("]),
    ] },
];

/// The danger a line shows, by its code and by its code with strings.
pub fn of_line(language: &str, code: &str, with_strings: &str) -> Option<&'static Risk> {
    let shows = |sign: &Sign| {
        let line = if sign.in_strings { with_strings } else { code };
        sign.languages.contains(&language)
            && sign
                .needles
                .iter()
                .any(|needle| find(line, needle).is_some())
            && !sign.unless.iter().any(|safe| with_strings.contains(safe))
    };
    let by_sign = RISKS.iter().find(|risk| risk.signs.iter().any(shows));
    by_sign.or_else(|| {
        is_built_sql(code, with_strings)
            .then(|| RISKS.iter().find(|risk| risk.signs.is_empty()))
            .flatten()
    })
}

/// Whether lines of this language may be shown once their strings are redacted.
pub fn can_be_shown(language: &str) -> bool {
    !SHELL.contains(&language)
}

/// A statement in a string and something put into it on the same line.
pub fn is_built_sql(code: &str, with_strings: &str) -> bool {
    let lower = with_strings.to_lowercase();
    let has = |first: &str, second: &str| {
        find(&lower, first).is_some_and(|at| {
            let quoted = lower[..at].contains(['"', '\'', '`']);
            quoted && lower[at + first.len()..].contains(second)
        })
    };
    let is_statement = has("select ", " from ")
        || has("insert into ", "")
        || has("delete from ", "")
        || has("update ", " set ");
    // Joined, formatted, or a string with places to fill in.
    let joined = code.contains("\"\" +")
        || code.contains("+ \"\"")
        || code.contains("\"\" %")
        || code.contains("\"\".format(");
    let formatted = ["Sprintf(", "format!(", "String.format("]
        .iter()
        .any(|call| code.contains(call));
    let filled = lower.contains("${")
        || (lower.contains("f\"") || lower.contains("f'")) && lower.contains('{')
        || lower.contains("#{");
    is_statement && (joined || formatted || filled)
}

/// A regular expression for the lines that may show a danger of at least this weight, and below the
/// other.
pub fn pattern(weights: std::ops::Range<u32>) -> String {
    let mut needles: Vec<String> = RISKS
        .iter()
        .filter(|risk| weights.contains(&risk.weight))
        .flat_map(|risk| risk.signs)
        .flat_map(|sign| sign.needles)
        .map(|needle| {
            let word = needle.starts_with(|c: char| c.is_alphanumeric());
            format!(
                "{}{}",
                if word { r"\b" } else { "" },
                crate::testing::style::escaped(needle)
            )
        })
        .collect();
    needles.sort();
    needles.dedup();
    if weights.contains(&9) {
        needles.push(
            r"(?i:\bselect\b.+\bfrom\b|\binsert\s+into\b|\bdelete\s+from\b|\bupdate\b.+\bset\b)"
                .into(),
        );
    }
    needles.join("|")
}

#[cfg(test)]
mod tests {
    use super::super::Redacted;
    use super::*;
    use crate::language;

    fn of(path: &str, line: &str) -> Option<&'static str> {
        let language = language::of(path).unwrap();
        let redacted = Redacted::new(line, language.syntax);
        let risk = of_line(language.name, &redacted.code[0], &redacted.with_strings[0]);
        risk.map(|risk| risk.name)
    }

    #[test]
    fn dangers_and_what_only_looks_like_one() {
        let cases = [
            (
                "a.py",
                "subprocess.run(f\"x {y}\", shell=True)",
                Some("commands run by a shell"),
            ),
            ("a.py", "help = \"shell=True is bad\"", None),
            ("a.py", "# shell=True", None),
            ("a.py", "yaml.load(x, Loader=yaml.SafeLoader)", None),
            ("a.py", "yaml.load(x)", Some("objects made from bytes")),
            (
                "a.py",
                "q = \"SELECT a FROM b WHERE c = '\" + d + \"'\"",
                Some("SQL put together from strings"),
            ),
            (
                "a.py",
                "execute(\"INSERT INTO b VALUES (?, ?)\", (a, b))",
                None,
            ),
            (
                "a.py",
                "q = f\"delete from b where c = {d}\"",
                Some("SQL put together from strings"),
            ),
            (
                "a.py",
                "print(\"select one from the list\" + x)",
                Some("SQL put together from strings"),
            ),
            ("a.ts", "exec(`tar ${x}`);", Some("commands run by a shell")),
            ("a.ts", "const m = PATTERN.exec(text);", None),
            (
                "a.go",
                "tls.Config{InsecureSkipVerify: true}",
                Some("certificates that are not checked"),
            ),
            (
                "a.go",
                "fmt.Sprintf(\"SELECT a FROM b WHERE c = %s\", d)",
                Some("SQL put together from strings"),
            ),
            (
                "a.rs",
                "let x = unsafe { y() };",
                Some("memory that the compiler does not check"),
            ),
            ("a.rs", "fn is_unsafe() {", None),
            (
                "a.sh",
                "curl https://x | sh",
                Some("scripts from the network, run at once"),
            ),
        ];
        for (path, line, expected) in cases {
            assert_eq!(of(path, line), expected, "{line}");
        }
    }

    #[test]
    fn patterns_are_regular_expressions_within_the_host_s_bound() {
        for weights in [7..10, 1..7] {
            let pattern = pattern(weights);
            assert!(regex::Regex::new(&pattern).is_ok(), "{pattern}");
            assert!(pattern.len() <= 4_096, "{}", pattern.len());
        }
        let heavy = regex::Regex::new(&pattern(7..10)).unwrap();
        assert!(heavy.is_match("x.innerHTML = y"));
        assert!(heavy.is_match("q = 'Update a SET b'"));
        assert!(!heavy.is_match("hashlib.md5(x)"));
    }

    #[test]
    fn every_language_is_known() {
        let signs = RISKS.iter().flat_map(|risk| risk.signs);
        for name in signs.flat_map(|sign| sign.languages) {
            assert!(
                language::LANGUAGES
                    .iter()
                    .any(|language| language.name == *name),
                "{name}"
            );
        }
    }
}
