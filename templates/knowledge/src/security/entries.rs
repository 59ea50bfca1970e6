//! Where input from outside comes in, as data.

use super::find;

/// How an entry point shows.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// `route`, `server`, `command line`, ...
    pub kind: &'static str,
    /// 1 to 9: how far outside its callers are.
    pub weight: u32,
    pub languages: &'static [&'static str],
    pub needles: &'static [&'static str],
}

const SCRIPT: &[&str] = &["TypeScript", "JavaScript"];
const JVM: &[&str] = &["Java", "Kotlin"];

/// All that are known.
#[rustfmt::skip]
pub static ENTRIES: &[Entry] = &[
    Entry { kind: "route", weight: 9, languages: &["Python"], needles: &[
        "@app.route(", "@app.get(", "@app.post(", "@app.put(", "@app.delete(", "@app.patch(", "@router.get(", "@router.post(",
        "@router.put(", "@router.delete(", "@router.patch(", "@bp.route(", "@blueprint.route(", "@api_view(", "@csrf_exempt", "@app.websocket(",
    ] },
    Entry { kind: "route", weight: 9, languages: SCRIPT, needles: &[
        "app.get(", "app.post(", "app.put(", "app.delete(", "app.patch(", "app.all(", "router.get(", "router.post(", "router.put(",
        "router.delete(", "router.patch(", "router.all(", "fastify.get(", "fastify.post(", "fastify.route(", "@Get(", "@Post(", "@Put(",
        "@Delete(", "@Patch(", "export async function GET(", "export async function POST(", "export async function PUT(", "export async function DELETE(",
    ] },
    Entry { kind: "route", weight: 9, languages: &["Go"], needles: &[
        ".HandleFunc(", ".Handle(", "http.HandleFunc(", ".GET(", ".POST(", ".PUT(", ".DELETE(", "ServeHTTP(w",
    ] },
    Entry { kind: "route", weight: 9, languages: &["Rust"], needles: &[
        ".route(", "#[get(", "#[post(", "#[put(", "#[delete(", "#[patch(", "warp::path(",
    ] },
    Entry { kind: "route", weight: 9, languages: JVM, needles: &[
        "@RequestMapping(", "@GetMapping", "@PostMapping", "@PutMapping", "@DeleteMapping", "@PatchMapping", "@Path(",
    ] },
    Entry { kind: "route", weight: 9, languages: &["C#"], needles: &["[HttpGet", "[HttpPost", "[HttpPut", "[HttpDelete", ".MapGet(", ".MapPost("] },
    Entry { kind: "route", weight: 9, languages: &["PHP"], needles: &["Route::get(", "Route::post(", "Route::put(", "Route::delete(", "$_GET", "$_POST", "$_REQUEST", "$_FILES"] },
    Entry { kind: "server", weight: 7, languages: &["Go"], needles: &["http.ListenAndServe(", "http.ListenAndServeTLS(", "net.Listen(", "grpc.NewServer("] },
    Entry { kind: "server", weight: 7, languages: SCRIPT, needles: &["app.listen(", "server.listen(", "http.createServer(", "new WebSocketServer("] },
    Entry { kind: "server", weight: 7, languages: &["Python"], needles: &["app.run(", "uvicorn.run(", "HTTPServer(", "server.HTTPServer(", "socketserver."] },
    Entry { kind: "server", weight: 7, languages: &["Rust"], needles: &["TcpListener::bind(", "UnixListener::bind(", "axum::serve(", "HttpServer::new("] },
    Entry { kind: "message handler", weight: 6, languages: &["Python"], needles: &["@app.task", "@celery.task", "@shared_task", "lambda_handler("] },
    Entry { kind: "message handler", weight: 6, languages: SCRIPT, needles: &["exports.handler", "export const handler", ".on(\"message\"", "ipcMain.handle(", "ipcMain.on("] },
    Entry { kind: "message handler", weight: 6, languages: JVM, needles: &["@KafkaListener", "@RabbitListener", "@JmsListener"] },
    Entry { kind: "command line", weight: 3, languages: &["Python"], needles: &["ArgumentParser(", "argparse.ArgumentParser(", "@click.command", "@click.group", "typer.Typer("] },
    Entry { kind: "command line", weight: 3, languages: &["Rust"], needles: &["Args::parse(", "Cli::parse(", "Opt::parse(", "::try_parse(", "::try_parse_from(", "env::args("] },
    Entry { kind: "command line", weight: 3, languages: &["Go"], needles: &["flag.Parse(", "cobra.Command{", "os.Args"] },
    Entry { kind: "command line", weight: 3, languages: SCRIPT, needles: &["process.argv", "new Command(", "yargs("] },
];

/// The entry point a line of code is.
pub fn of_line(language: &str, code: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| {
        entry.languages.contains(&language)
            && entry
                .needles
                .iter()
                .any(|needle| find(code, needle).is_some())
    })
}

/// A regular expression for the lines that may be one.
pub fn pattern() -> String {
    let mut needles: Vec<String> = ENTRIES
        .iter()
        .flat_map(|entry| entry.needles)
        .map(|needle| crate::testing::style::escaped(needle))
        .collect();
    needles.sort();
    needles.dedup();
    needles.join("|")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language;

    #[test]
    fn entry_points() {
        let kind = |language, line| of_line(language, line).map(|entry| entry.kind);
        assert_eq!(kind("Python", "@app.post(\"\")"), Some("route"));
        assert_eq!(kind("TypeScript", "router.delete(\"\", f)"), Some("route"));
        assert_eq!(
            kind("Go", "log.Fatal(http.ListenAndServe(a, b))"),
            Some("server")
        );
        assert_eq!(
            kind("Rust", "let args = Args::parse();"),
            Some("command line")
        );
        assert_eq!(
            kind("Python", "parser = argparse.ArgumentParser(prog)"),
            Some("command line")
        );
        assert_eq!(
            kind("Python", "http.server.HTTPServer(address, Handler)"),
            Some("server")
        );
        assert_eq!(kind("TypeScript", "mapp.get(1)"), None);
    }

    #[test]
    fn the_pattern_and_the_languages_are_known() {
        assert!(regex::Regex::new(&pattern()).is_ok());
        assert!(pattern().len() <= 4_096, "{}", pattern().len());
        for name in ENTRIES.iter().flat_map(|entry| entry.languages) {
            assert!(
                language::LANGUAGES
                    .iter()
                    .any(|language| language.name == *name),
                "{name}"
            );
        }
    }
}
