// SPDX-License-Identifier: GPL-2.0-or-later
//! A client and a server talk, in both dialects, little and much.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Place, echo, large};
use ipc::{Client, ClientEvent, ConnectError, Dialect, RequestError, ServerEvent};
use std::time::Duration;
use xml::Element;

const BOTH: [Dialect; 2] = [Dialect::Compressed, Dialect::Multipart];

#[tokio::test]
async fn requests_are_answered_and_events_come() {
    for dialect in BOTH {
        let place = Place::new();
        let (server, happenings) = place.serve(place.server_options());
        let task = tokio::spawn(echo(server, happenings));
        let mut client = place.connect(dialect).await;
        assert_eq!(client.server().pid, std::process::id());
        for n in 0..100 {
            let message = Element::new("ping").with_attr("n", n);
            client.send(&message).await.unwrap();
            assert_eq!(client.request(&message, None).await.unwrap().first_element(), Some(&message));
        }
        for n in 0..100 {
            let event = client.next_event().await.unwrap();
            assert_eq!(event.first_element().unwrap().attr("n"), Some(n.to_string().as_str()));
        }
        drop(client);
        task.abort();
        let _ = task.await;
        assert_eq!(place.left(), 0);
    }
}

#[tokio::test]
async fn megabytes_pass_in_both_dialects() {
    for (dialect, noise) in
        [(Dialect::Compressed, false), (Dialect::Multipart, false), (Dialect::Multipart, true)]
    {
        let place = Place::new();
        let (server, happenings) = place.serve(place.server_options());
        let task = tokio::spawn(echo(server, happenings));
        let mut client = place.connect(dialect).await;
        let message = large(2_500_000, noise);
        let answer = client.request(&message, None).await.unwrap();
        assert_eq!(answer.first_element(), Some(&message));
        client.send(&message).await.unwrap();
        assert_eq!(client.next_event().await.unwrap().first_element(), Some(&message));
        task.abort();
    }
}

#[tokio::test]
async fn several_requests_on_the_way_are_answered_by_number() {
    let place = Place::new();
    let (server, mut happenings) = place.serve(place.server_options());
    let task = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Some(event) = happenings.recv().await {
            if let ServerEvent::Message { client, request, message, .. } = event {
                held.push((client, request, message));
            }
            if held.len() == 3 {
                for (client, request, message) in held.drain(..).rev() {
                    server.respond(client, request, message);
                }
            }
        }
    });
    let mut client = place.connect(Dialect::Multipart).await;
    for number in [10, 20, 30] {
        client.send_numbered(number, true, &Element::new("m").with_attr("n", number)).await.unwrap();
    }
    for number in [30, 20, 10] {
        match client.next().await.unwrap() {
            ClientEvent::Response { request, message } => {
                assert_eq!((request, message.attr("n")), (number, Some(number.to_string().as_str())));
            }
            event => panic!("{event:?}"),
        }
    }
    task.abort();
}

#[tokio::test]
async fn what_was_said_before_a_hang_up_is_heard() {
    let place = Place::new();
    let (server, mut happenings) = place.serve(place.server_options());
    let mut client = place.connect(Dialect::Multipart).await;
    let Some(ServerEvent::Connected { client: id, channel, credentials }) = happenings.recv().await else {
        panic!()
    };
    assert_eq!((channel, credentials.pid, credentials.privileged), ("cib_rw", std::process::id(), true));
    client.send(&Element::new("hello")).await.unwrap();
    assert!(matches!(happenings.recv().await, Some(ServerEvent::Message { .. })));
    let message = large(1_000_000, false);
    server.event(id, message.clone());
    server.event(id, Element::new("last"));
    let reader = tokio::spawn(async move {
        let first = client.next_event().await.unwrap();
        let second = client.next_event().await.unwrap();
        (first, second, client.next_event().await)
    });
    server.close(Duration::from_secs(10)).await;
    let (first, second, end) = reader.await.unwrap();
    assert_eq!((first, second.name()), (message, "last"));
    assert!(matches!(end, Err(RequestError::Disconnected(_))));
    assert!(matches!(happenings.recv().await, Some(ServerEvent::Gone { .. })));
    assert_eq!(place.left(), 0);
}

#[tokio::test]
async fn last_words_are_heard() {
    let place = Place::new();
    let (_server, mut happenings) = place.serve(place.server_options());
    for _ in 0..20 {
        let mut client = place.connect(Dialect::Multipart).await;
        for n in 0..5 {
            client.send(&Element::new("word").with_attr("n", n)).await.unwrap();
        }
        drop(client);
        assert!(matches!(happenings.recv().await, Some(ServerEvent::Connected { .. })));
        for n in 0..5 {
            let Some(ServerEvent::Message { message, .. }) = happenings.recv().await else { panic!() };
            assert_eq!(message.attr("n"), Some(n.to_string().as_str()));
        }
        assert!(matches!(happenings.recv().await, Some(ServerEvent::Gone { .. })));
    }
}

#[tokio::test]
async fn a_late_answer_is_not_taken_for_the_next() {
    let place = Place::new();
    let (server, mut happenings) = place.serve(place.server_options());
    let task = tokio::spawn(async move {
        while let Some(event) = happenings.recv().await {
            if let ServerEvent::Message { client, request, message, .. } = event {
                if message.attr("slow").is_some() {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                server.respond(client, request, message);
            }
        }
    });
    let mut client = place.connect(Dialect::Multipart).await;
    let slow = Element::new("m").with_attr("slow", 1);
    let refused = client.request(&slow, Some(Duration::from_millis(50))).await;
    assert!(matches!(refused, Err(RequestError::Timeout { .. })));
    let quick = Element::new("m").with_attr("quick", 1);
    assert_eq!(client.request(&quick, None).await.unwrap(), quick);
    task.abort();
}

#[tokio::test]
async fn nobody_there_is_said_clearly() {
    let place = Place::new();
    let refused = Client::connect("cib_rw", &place.client_options(Dialect::Multipart)).await.unwrap_err();
    assert!(matches!(refused, ConnectError::NotRunning { .. }), "{refused}");
    let mut options = place.client_options(Dialect::Multipart);
    options.name_prefix = "x".repeat(105);
    let refused = Client::connect("cib_rw", &options).await.unwrap_err();
    assert!(matches!(refused, ConnectError::NameTooLong(_)), "{refused}");
}

#[tokio::test]
async fn two_servers_of_a_name_do_not_meet() {
    let place = Place::new();
    let (_first, _happenings) = place.serve(place.server_options());
    let (mut second, _happenings) = ipc::Server::new(place.server_options());
    assert!(second.listen("cib_rw").unwrap_err().to_string().contains("served already"));
}

#[test]
fn the_blocking_client_does_the_same() {
    let place = Place::new();
    let options = place.server_options();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (ready, is_ready) = std::sync::mpsc::channel();
    let server = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut server, happenings) = ipc::Server::new(options);
            server.listen("cib_rw").unwrap();
            ready.send(()).unwrap();
            tokio::select! { () = echo(server, happenings) => {}, _ = stopped => {} }
        });
    });
    is_ready.recv().unwrap();
    let mut client =
        ipc::blocking::Client::connect("cib_rw", &place.client_options(Dialect::Compressed)).unwrap();
    let message = Element::new("m");
    assert_eq!(client.request(&message, None).unwrap().first_element(), Some(&message));
    assert!(client.next_event(Some(Duration::from_millis(10))).unwrap().is_none());
    client.send(&message).unwrap();
    assert!(client.next_event(None).unwrap().is_some());
    stop.send(()).unwrap();
    server.join().unwrap();
    assert!(matches!(client.request(&message, None), Err(RequestError::Disconnected(_))));
}
