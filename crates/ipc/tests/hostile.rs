// SPDX-License-Identifier: GPL-2.0-or-later
//! Peers that do not keep to the protocol: nothing falls over, nothing grows without bound, the others are served.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Place, echo, large};
use ipc::{ConnectError, Dialect, ServerEvent, ServerOptions};
use std::io::{Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixStream};
use std::time::Duration;
use xml::Element;

fn address(name: &str) -> SocketAddr {
    let mut bytes = name.as_bytes().to_vec();
    bytes.resize(107, 0);
    SocketAddr::from_abstract_name(bytes).unwrap()
}

/// A client made of bare sockets.
struct Raw {
    stream: UnixStream,
    requests: UnixDatagram,
    control: String,
    _events: UnixDatagram,
}

impl Raw {
    fn dial(place: &Place) -> UnixStream {
        let stream = UnixStream::connect_addr(&address(&format!("{}cib_rw", place.prefix))).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    }

    fn connect(place: &Place) -> Raw {
        let mut stream = Raw::dial(place);
        let mut request = [0u8; 24];
        request[..4].copy_from_slice(&(-1i32).to_ne_bytes());
        request[8] = 24;
        stream.write_all(&request).unwrap();
        let mut answer = vec![0; 12_328];
        stream.read_exact(&mut answer).unwrap();
        let name = |offset: usize| {
            String::from_utf8(answer[offset..].iter().copied().take_while(|byte| *byte != 0).collect())
                .unwrap()
        };
        let base = name(40 + 4096);
        let requests = UnixDatagram::bind_addr(&address(&format!("{base}-response"))).unwrap();
        requests.connect_addr(&address(&format!("{base}-request"))).unwrap();
        let events = UnixDatagram::bind_addr(&address(&format!("{base}-event"))).unwrap();
        Raw { stream, requests, control: name(40), _events: events }
    }

    /// Whether the server has hung up.
    fn is_cut(&mut self) -> bool {
        matches!(self.stream.read(&mut [0; 8]), Ok(0))
    }
}

/// A message in the newer dialect.
fn message(text: &[u8], wants_response: bool) -> Vec<u8> {
    let mut datagram = vec![0; 40];
    datagram[0] = 1;
    datagram[8..12].copy_from_slice(&(40 + text.len() as u32).to_ne_bytes());
    datagram[24..28].copy_from_slice(&(text.len() as u32).to_ne_bytes());
    datagram[28..32].copy_from_slice(&(if wants_response { 0x200u32 } else { 0 }).to_ne_bytes());
    datagram[32] = 1;
    datagram.extend_from_slice(text);
    datagram
}

/// The server echoes on another thread, as blocking clients need.
fn serve(place: &Place, options: ServerOptions) {
    let (ready, is_ready) = std::sync::mpsc::channel();
    let _ = place;
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut server, happenings) = ipc::Server::new(options);
            server.listen("cib_rw").unwrap();
            ready.send(()).unwrap();
            echo(server, happenings).await;
        });
    });
    is_ready.recv().unwrap();
}

fn is_served(place: &Place) -> bool {
    let options = place.client_options(Dialect::Multipart);
    let mut client = ipc::blocking::Client::connect("cib_rw", &options).unwrap();
    client.request(&Element::new("ping"), None).is_ok_and(|answer| answer.name() == "echo")
}

#[test]
fn handshakes_that_never_come_or_make_no_sense_are_cut_off() {
    let place = Place::new();
    let options = ServerOptions { handshake_timeout: Duration::from_millis(300), ..place.server_options() };
    serve(&place, options);
    let mut silent = Raw::dial(&place);
    let mut slow = Raw::dial(&place);
    slow.write_all(&[255; 3]).unwrap();
    let mut nonsense = Raw::dial(&place);
    nonsense.write_all(&[7; 4096]).unwrap();
    assert!(is_served(&place));
    for stream in [&mut silent, &mut slow, &mut nonsense] {
        let got = stream.read(&mut [0; 64]);
        assert!(matches!(&got, Ok(0)) || got.is_err_and(|error| error.raw_os_error() == Some(104)));
    }
    assert!(is_served(&place));
}

#[test]
fn bytes_that_are_no_messages_end_the_connection() {
    let place = Place::new();
    serve(&place, place.server_options());
    let mut negative = message(b"<a/>\0", true);
    negative[..4].copy_from_slice(&(-3i32).to_ne_bytes());
    let mut lying = message(b"<a/>\0", true);
    lying[8..12].copy_from_slice(&u32::MAX.to_ne_bytes());
    let mut bomb = message(b"BZh91AY&SY", true);
    (bomb[28], bomb[32], bomb[36]) = (10, 1, 1);
    bomb[24..28].copy_from_slice(&u32::MAX.to_ne_bytes());
    let mut last_part_first = message(b"<a/>\0", true);
    last_part_first[28..32].copy_from_slice(&0x18_0200u32.to_ne_bytes());
    last_part_first[34] = 3;
    for bytes in
        [vec![], vec![0; 39], vec![255; 200], negative, lying, bomb, last_part_first, message(b"<a/>", true)]
    {
        let mut raw = Raw::connect(&place);
        raw.requests.send(&bytes).unwrap();
        assert!(raw.is_cut(), "{bytes:?}");
    }
    assert!(is_served(&place));
}

#[test]
fn a_message_that_is_no_xml_is_answered() {
    let place = Place::new();
    serve(&place, place.server_options());
    let raw = Raw::connect(&place);
    raw.requests.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    for text in [&b"<a\0"[..], b"no\0", b"\xff\xff\0", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>\0"] {
        raw.requests.send(&message(text, true)).unwrap();
        let mut answer = [0; 4096];
        let length = raw.requests.recv(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer[40..length - 1]).into_owned();
        assert!(answer.starts_with("<ack ") && answer.contains("status=\"76\""), "{answer}");
    }
    assert!(is_served(&place));
}

#[test]
fn a_control_file_that_is_cut_or_gone_harms_nobody() {
    let place = Place::new();
    serve(&place, place.server_options());
    let raw = Raw::connect(&place);
    raw.requests.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    std::fs::OpenOptions::new().write(true).open(&raw.control).unwrap().set_len(0).unwrap();
    std::fs::remove_file(&raw.control).unwrap();
    raw.requests.send(&message(b"<a/>\0", true)).unwrap();
    assert!(raw.requests.recv(&mut [0; 4096]).unwrap() > 40);
    assert!(is_served(&place));
}

#[test]
fn only_so_many_are_served_at_a_time() {
    let place = Place::new();
    serve(&place, ServerOptions { clients_max: 2, ..place.server_options() });
    let options = ipc::ClientOptions {
        connect_timeout: Duration::from_millis(200),
        ..place.client_options(Dialect::Multipart)
    };
    let first = ipc::blocking::Client::connect("cib_rw", &options).unwrap();
    let _second = ipc::blocking::Client::connect("cib_rw", &options).unwrap();
    let refused = ipc::blocking::Client::connect("cib_rw", &options).unwrap_err();
    assert!(matches!(refused, ConnectError::Timeout { .. }), "{refused}");
    drop(first);
    assert!(is_served(&place));
}

#[tokio::test]
async fn a_client_that_takes_no_events_is_hung_up_on() {
    let place = Place::new();
    let (server, mut happenings) = place.serve(ServerOptions { backlog_max: 20, ..place.server_options() });
    let mut deaf = place.connect(Dialect::Multipart).await;
    let mut good = place.connect(Dialect::Multipart).await;
    for client in [&mut deaf, &mut good] {
        client.send(&Element::new("hello")).await.unwrap();
    }
    let (mut names, mut ids) = (0, Vec::new());
    while names < 2 {
        match happenings.recv().await.unwrap() {
            ServerEvent::Connected { client, .. } => ids.push(client),
            ServerEvent::Message { .. } => names += 1,
            ServerEvent::Gone { .. } => panic!(),
        }
    }
    let reader = tokio::spawn(async move {
        for _ in 0..2000 {
            good.next_event().await.unwrap();
        }
    });
    let event = large(20_000, false);
    for n in 0..2000 {
        for id in &ids {
            server.event(*id, event.clone());
        }
        if n % 10 == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let Some(ServerEvent::Gone { client }) = happenings.recv().await else { panic!() };
    assert_eq!(client, ids[0]);
    reader.await.unwrap();
}

#[tokio::test]
async fn a_flood_waits_until_the_daemon_has_time() {
    let place = Place::new();
    let (_server, mut happenings) = place.serve(place.server_options());
    let mut client = place.connect(Dialect::Multipart).await;
    const COUNT: usize = 5000;
    let flood = tokio::spawn(async move {
        for n in 0..COUNT {
            client.send(&Element::new("m").with_attr("n", n)).await.unwrap();
        }
        client
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!flood.is_finished(), "all {COUNT} messages are held somewhere");
    assert!(matches!(happenings.recv().await, Some(ServerEvent::Connected { .. })));
    for n in 0..COUNT {
        let Some(ServerEvent::Message { message, .. }) = happenings.recv().await else { panic!() };
        assert_eq!(message.attr("n"), Some(n.to_string().as_str()));
    }
    drop(flood.await.unwrap());
}
