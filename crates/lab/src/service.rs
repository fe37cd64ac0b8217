// SPDX-License-Identifier: GPL-2.0-or-later
//! The service the lab keeps alive: a real process with shared data and real clients.
//!
//! `lab-service journal FILE` appends a line to shared data twenty times a second; `lab-service web ADDRESS FILE` answers
//! HTTP on a loopback address with who serves and how far the journal is. Both end on SIGTERM, as services do.

use crate::trace::now_us;
use anyhow::{Context, Result, bail};
use model::ExitCode;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

/// How often the journal grows.
pub const BEAT: Duration = Duration::from_millis(50);

/// The program.
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    let words: Vec<String> = arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        [_, "journal", file] => journal(Path::new(file)),
        [_, "web", address, file] => web(address, Path::new(file)),
        _ => {
            eprintln!("Usage: lab-service journal FILE | lab-service web ADDRESS FILE");
            return ExitCode::USAGE;
        }
    };
    match result {
        Ok(()) => ExitCode::OK,
        Err(error) => {
            eprintln!("lab-service: {error:#}");
            ExitCode::ERROR
        }
    }
}

fn node() -> String {
    std::env::var("SYSTOLE_NODE").unwrap_or_else(|_| "?".to_owned())
}

fn journal(file: &Path) -> Result<()> {
    let mut out = OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .with_context(|| format!("cannot open {}", file.display()))?;
    let (node, pid) = (node(), std::process::id());
    for number in 1u64.. {
        let now = now_us();
        out.write_all(
            format!("{}.{:06} {node} {pid} {number}\n", now / 1_000_000, now % 1_000_000).as_bytes(),
        )?;
        std::thread::sleep(BEAT);
    }
    Ok(())
}

fn web(address: &str, file: &Path) -> Result<()> {
    let address: SocketAddr = address.parse().with_context(|| format!("'{address}' is no address"))?;
    if !address.ip().is_loopback() {
        bail!("{address} is not on the loopback interface, and the lab serves nobody else");
    }
    let listener = TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    for stream in listener.incoming().flatten() {
        // A client that breaks off is its own affair.
        let _ = serve(stream, file);
    }
    Ok(())
}

fn serve(mut stream: TcpStream, file: &Path) -> Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    let mut request = String::new();
    BufReader::new((&stream).take(4096)).read_line(&mut request)?;
    let body =
        format!("served by {} (process {}); last entry: {}\n", node(), std::process::id(), last_line(file));
    write!(
        stream,
        "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    Ok(())
}

fn last_line(file: &Path) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = std::fs::File::open(file)?;
        let start = file.seek(SeekFrom::End(0))?.saturating_sub(256);
        file.seek(SeekFrom::Start(start))?;
        let mut tail = String::new();
        file.read_to_string(&mut tail)?;
        Ok(tail.lines().next_back().unwrap_or_default().to_owned())
    };
    read().unwrap_or_default()
}

/// Asks the web service, as any client would: the node that served, or `None` if nobody answered in time.
pub fn ask(address: SocketAddr, timeout: Duration) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&address, timeout).ok()?;
    stream.set_read_timeout(Some(timeout)).ok()?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.take(4096).read_to_string(&mut answer).ok()?;
    let served_by = answer.split("served by ").nth(1)?;
    Some(served_by.split_whitespace().next()?.to_owned())
}
