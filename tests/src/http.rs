//! A small HTTP/1.1 server on this machine: what the loopback services of the tests stand on.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// The server; ends with the test.
pub struct Server {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
}

/// One request, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    /// Without the query, as it was sent.
    pub path: String,
    /// What follows `?`; empty without one.
    pub query: String,
    /// Names in small letters.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    end: End,
}

/// How an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    /// Half of it is sent, then the connection is gone.
    Cut,
    /// Nothing of it is ever sent.
    Never,
    /// The connection is gone at once.
    Gone,
}

impl Request {
    /// A header's value; the name in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The value of `Authorization`; empty without one.
    pub fn authorization(&self) -> &str {
        self.header("authorization").unwrap_or_default()
    }

    /// A value of the query, `%` sequences decoded.
    pub fn asked_for(&self, name: &str) -> Option<String> {
        let mut pairs = self
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(given, _)| *given == name)
            .map(|(_, value)| decoded(value))
    }

    /// The body as JSON; `null` when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl Reply {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), content_type.into())],
            body: body.into(),
            end: End::Whole,
        }
    }

    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// Keeps whoever asks waiting until he goes away.
    pub fn never() -> Self {
        Self {
            end: End::Never,
            ..Self::new(200, "text/plain", "")
        }
    }

    /// Ends the connection without a word.
    pub fn gone() -> Self {
        Self {
            end: End::Gone,
            ..Self::new(200, "text/plain", "")
        }
    }

    /// Ends the connection after half of the answer.
    #[must_use]
    pub fn cut(self) -> Self {
        Self {
            end: End::Cut,
            ..self
        }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }
}

impl Server {
    /// Answers on a free port of this machine; requests of different connections at once.
    ///
    /// # Panics
    /// No port can be had.
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let server = Self {
            address: listener.local_addr().expect("a bound socket has one"),
            ended: Arc::default(),
        };
        let (ended, answer) = (Arc::clone(&server.ended), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let answer = Arc::clone(&answer);
                // A client that goes away early is its own affair.
                thread::spawn(move || serve(&stream, &*answer));
            }
        });
        server
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes it; it sees that it is over.
        let _ = TcpStream::connect(self.address);
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.url())
    }
}

fn serve(stream: &TcpStream, answer: impl Fn(&Request) -> Reply) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    while let Some(request) = read(&mut reader, &mut writer)? {
        let reply = answer(&request);
        let mut bytes = format!("HTTP/1.1 {} -\r\n", reply.status).into_bytes();
        for (name, value) in &reply.headers {
            write!(bytes, "{name}: {value}\r\n")?;
        }
        write!(bytes, "content-length: {}\r\n\r\n", reply.body.len())?;
        if request.method != "HEAD" {
            bytes.extend_from_slice(&reply.body);
        }
        match reply.end {
            End::Whole => writer.write_all(&bytes)?,
            End::Cut => {
                writer.write_all(&bytes[..bytes.len() - reply.body.len() / 2 - 1])?;
                return stream.shutdown(Shutdown::Both);
            }
            End::Gone => return stream.shutdown(Shutdown::Both),
            End::Never => return io::copy(&mut reader, &mut io::sink()).map(drop),
        }
    }
    Ok(())
}

/// The next request of a connection; `None` when there is none any more.
fn read(reader: &mut impl BufRead, writer: &mut impl Write) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            let value = value.trim().to_owned();
            request.headers.push((name.to_ascii_lowercase(), value));
        }
    }
    if request.header("expect").is_some() {
        writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    request.body = if request.header("transfer-encoding") == Some("chunked") {
        chunks(reader)?
    } else {
        let length = request
            .header("content-length")
            .and_then(|text| text.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body)?;
        body
    };
    Ok(Some(request))
}

fn chunks(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let length = u64::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
        reader.by_ref().take(length).read_to_end(&mut body)?;
        // The line break after a chunk, and after the empty one the end of the whole.
        reader.read_line(&mut line)?;
        if length == 0 {
            return Ok(body);
        }
    }
}

/// What `%` sequences and `+` stand for in a query.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex = |byte: Option<u8>| char::from(byte.unwrap_or(0)).to_digit(16);
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => match (hex(rest.next()), hex(rest.next())) {
                (Some(high), Some(low)) => u8::try_from(high * 16 + low).expect("two digits"),
                _ => b'?',
            },
            byte => byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a client gets for these bytes.
    fn exchange(server: &Server, bytes: &str) -> String {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(bytes.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn bodies_of_both_kinds_on_one_connection() {
        let server = Server::start(|request| {
            let head = format!(
                "{} {} {:?} ",
                request.method,
                request.path,
                request.asked_for("q")
            );
            Reply::new(
                200,
                "text/plain",
                [head.as_bytes(), &request.body[..]].concat(),
            )
        });
        let answer = exchange(
            &server,
            "POST /a?q=b%20c+d HTTP/1.1\r\nContent-Length: 3\r\n\r\none\
             POST /b HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\ntwo\r\n2\r\n+3\r\n0\r\n\r\n",
        );
        assert!(answer.contains("POST /a Some(\"b c d\") one"), "{answer}");
        assert!(answer.ends_with("POST /b None two+3"), "{answer}");
    }

    #[test]
    fn answers_that_fail() {
        let server = Server::start(|request| match request.path.as_str() {
            "/never" => Reply::never(),
            "/gone" => Reply::gone(),
            _ => Reply::new(200, "text/plain", "0123456789").cut(),
        });
        assert_eq!(exchange(&server, "GET /never HTTP/1.1\r\n\r\n"), "");
        assert_eq!(exchange(&server, "GET /gone HTTP/1.1\r\n\r\n"), "");
        let answer = exchange(&server, "GET /cut HTTP/1.1\r\n\r\n");
        assert!(
            answer.contains("content-length: 10") && answer.ends_with("0123"),
            "{answer}"
        );
    }
}
