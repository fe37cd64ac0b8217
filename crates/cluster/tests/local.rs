// SPDX-License-Identifier: GPL-2.0-or-later
//! Daemons of three nodes meet at a hub: order, membership, quorum, kill, cut, heal; and who may come in.
#![allow(clippy::unwrap_used, clippy::panic)]

use cluster::local::{Hub, HubOptions};
use cluster::{Address, Cluster, ClusterEvent, JoinError};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use xml::Element;

struct Lab {
    folder: TempDir,
    hub: Hub,
}

impl Lab {
    fn start(nodes: &[&str]) -> Lab {
        let folder = TempDir::new().unwrap();
        let mut options = HubOptions::new(folder.path().join("hub"), nodes);
        options.control = Some(folder.path().join("control"));
        let hub = Hub::start(&options).unwrap();
        Lab { folder, hub }
    }

    async fn join(&self, node: &str, group: &str) -> Result<Box<dyn Cluster>, JoinError> {
        cluster::join(&Address::Local(self.folder.path().join("hub")), node, group).await
    }
}

async fn event(daemon: &mut Box<dyn Cluster>) -> ClusterEvent {
    tokio::time::timeout(Duration::from_secs(10), daemon.next()).await.unwrap()
}

/// Peers' names and quorum, of the next membership that says this many peers.
async fn until_peers(daemon: &mut Box<dyn Cluster>, count: usize) -> (Vec<String>, bool) {
    loop {
        if let ClusterEvent::Membership(membership) = event(daemon).await {
            let peers: Vec<String> = membership.peers().map(|node| node.name.to_string()).collect();
            if peers.len() == count {
                return (peers, membership.quorate);
            }
        }
    }
}

async fn messages(daemon: &mut Box<dyn Cluster>, count: usize) -> Vec<String> {
    let mut said = Vec::new();
    while said.len() < count {
        if let ClusterEvent::Message { from, message } = event(daemon).await {
            said.push(format!("{}:{}", from.name, message.attr("n").unwrap()));
        }
    }
    said
}

#[tokio::test]
async fn all_hear_all_in_one_order() {
    let lab = Lab::start(&["a", "b", "c"]);
    let mut daemons = Vec::new();
    for name in ["a", "b", "c"] {
        let mut daemon = lab.join(name, "crmd").await.unwrap();
        let ClusterEvent::Joined { local } = event(&mut daemon).await else { panic!() };
        assert_eq!(local.name.as_ref(), name);
        daemons.push(daemon);
    }
    for n in 0..200 {
        for daemon in &mut daemons {
            daemon.send(None, &Element::new("m").with_attr("n", n)).unwrap();
        }
        tokio::task::yield_now().await;
    }
    let first = messages(&mut daemons[0], 600).await;
    for daemon in &mut daemons[1..] {
        assert_eq!(messages(daemon, 600).await, first);
    }
    let of_b: Vec<&String> = first.iter().filter(|said| said.starts_with("b:")).collect();
    assert_eq!((of_b[0].as_str(), of_b[199].as_str()), ("b:0", "b:199"));
}

#[tokio::test]
async fn directed_messages_and_groups_stay_apart() {
    let lab = Lab::start(&["a", "b"]);
    let mut a = lab.join("a", "crmd").await.unwrap();
    let mut b = lab.join("b", "crmd").await.unwrap();
    let mut cib = lab.join("b", "cib").await.unwrap();
    a.send(Some("B"), &Element::new("m").with_attr("n", "to b")).unwrap();
    a.send(None, &Element::new("m").with_attr("n", "to all")).unwrap();
    assert_eq!(messages(&mut b, 2).await, ["a:to b", "a:to all"]);
    assert_eq!(messages(&mut a, 1).await, ["a:to all"]);
    cib.send(None, &Element::new("m").with_attr("n", "cib")).unwrap();
    assert_eq!(messages(&mut cib, 1).await, ["b:cib"]);
}

#[tokio::test]
async fn megabytes_pass() {
    let lab = Lab::start(&["a", "b"]);
    let mut a = lab.join("a", "cib").await.unwrap();
    let mut b = lab.join("b", "cib").await.unwrap();
    let large = Element::new("cib").with_attr("n", "x".repeat(8 << 20));
    a.send(None, &large).unwrap();
    a.flush().await;
    assert_eq!(messages(&mut b, 1).await[0].len(), (8 << 20) + 2);
}

#[tokio::test]
async fn kill_cut_and_heal_are_seen() {
    let lab = Lab::start(&["a", "b", "c"]);
    let mut a = lab.join("a", "crmd").await.unwrap();
    let mut b = lab.join("b", "crmd").await.unwrap();
    let mut c = lab.join("c", "crmd").await.unwrap();
    until_peers(&mut a, 3).await;
    lab.hub.kill("c").unwrap();
    loop {
        if let ClusterEvent::Lost { .. } = event(&mut c).await {
            break;
        }
    }
    assert_eq!(until_peers(&mut a, 2).await, (vec!["a".into(), "b".into()], true));
    let mut c = lab.join("c", "crmd").await.unwrap();
    until_peers(&mut a, 3).await;

    let stream = tokio::net::UnixStream::connect(lab.folder.path().join("control")).await.unwrap();
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"cut a|b,c\n").await.unwrap();
    assert_eq!(lines.next_line().await.unwrap().unwrap(), "ok");
    assert_eq!(until_peers(&mut a, 1).await, (vec!["a".into()], false));
    while until_peers(&mut b, 2).await != (vec!["b".into(), "c".into()], true) {}
    write.write_all(b"heal\nlist\n").await.unwrap();
    assert!(until_peers(&mut a, 3).await.1);
    let mut answer = Vec::new();
    for _ in 0..5 {
        answer.push(lines.next_line().await.unwrap().unwrap());
    }
    assert_eq!(
        answer,
        ["ok", "1 a up side=0 groups=crmd", "2 b up side=0 groups=crmd", "3 c up side=0 groups=crmd", "ok"]
    );
    until_peers(&mut c, 2).await;
}

#[tokio::test]
async fn a_node_is_lost_with_its_last_daemon() {
    let lab = Lab::start(&["a", "b"]);
    let mut a = lab.join("a", "crmd").await.unwrap();
    let b = lab.join("b", "crmd").await.unwrap();
    let b_cib = lab.join("b", "cib").await.unwrap();
    until_peers(&mut a, 2).await;
    drop(b);
    let ClusterEvent::Membership(membership) = event(&mut a).await else { panic!() };
    assert!(membership.nodes[1].is_member && !membership.nodes[1].in_group && membership.quorate);
    drop(b_cib);
    let ClusterEvent::Membership(membership) = event(&mut a).await else { panic!() };
    assert!(!membership.nodes[1].is_member && !membership.quorate);
}

#[tokio::test]
async fn who_may_not_come_in_is_told_why() {
    let lab = Lab::start(&["a"]);
    let refused = lab.join("x", "crmd").await.err().unwrap();
    assert!(refused.to_string().contains("node 'x' is not known") && !refused.is_temporary(), "{refused}");
    let nowhere = cluster::join(&Address::Local("/nonexistent/hub".into()), "a", "crmd").await.err().unwrap();
    assert!(nowhere.is_temporary());
    let twice = Hub::start(&HubOptions::new(lab.folder.path().join("hub"), &["a"])).unwrap_err();
    assert!(twice.to_string().contains("running"), "{twice}");
}

#[tokio::test]
async fn hostile_bytes_do_not_harm_the_others() {
    let lab = Lab::start(&["a", "b"]);
    let mut a = lab.join("a", "crmd").await.unwrap();
    for bytes in [&[255u8; 64][..], &[0; 4], b"GET / HTTP/1.0\r\n\r\n", &[1, 0, 0, 0, 9]] {
        let mut stream = tokio::net::UnixStream::connect(lab.folder.path().join("hub")).await.unwrap();
        let _ = stream.write_all(bytes).await;
    }
    a.send(None, &Element::new("m").with_attr("n", 1)).unwrap();
    assert_eq!(messages(&mut a, 1).await, ["a:1"]);
}

#[tokio::test]
async fn an_ended_hub_leaves_nothing_and_is_noticed() {
    let lab = Lab::start(&["a"]);
    let mut a = lab.join("a", "crmd").await.unwrap();
    drop(lab.hub);
    while !matches!(event(&mut a).await, ClusterEvent::Lost { .. }) {}
    assert_eq!(std::fs::read_dir(lab.folder.path()).unwrap().count(), 0);
}
