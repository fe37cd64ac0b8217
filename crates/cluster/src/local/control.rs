// SPDX-License-Identifier: GPL-2.0-or-later
//! The control socket: lines in, lines out, for people (`socat - UNIX:PATH`) and tests.
//!
//! | line | what it does |
//! |---|---|
//! | `list` | a line for every node: id, name, `up`, `gone` or `down`, `side=`, `groups=` |
//! | `kill NODE` | cuts all its connections; it may come back at once |
//! | `down NODE` | the same, and keeps it away |
//! | `up NODE` | lets it come back |
//! | `cut NODE[,NODE…]\|NODE[,NODE…]…` | makes sides that do not see each other |
//! | `heal` | lets all nodes see each other |
//!
//! Every answer ends with a line `ok` or `error: …`.

use super::hub::Shared;
use super::order::Order;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

/// The longest line we read.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// Serves one connection to its end.
pub async fn serve(shared: Arc<Shared>, mut stream: UnixStream) {
    let (read, mut write) = stream.split();
    let mut read = BufReader::new(read);
    loop {
        let mut line = String::new();
        let got = (&mut read).take(LINE_BYTES_MAX).read_line(&mut line).await;
        if !matches!(got, Ok(1..)) {
            return;
        }
        let answer = shared.change(|order| obey(order, line.trim()));
        if write.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn obey(order: &mut Order, line: &str) -> String {
    let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
    let done = match (command, rest.trim()) {
        ("list", "") => return format!("{}ok\n", order.list()),
        ("heal", "") => {
            order.heal();
            Ok(())
        }
        ("kill", node) => order.kill(node),
        ("down", node) => order.down(node),
        ("up", node) => order.up(node),
        ("cut", sides) => order.cut(&sides.split('|').map(names).collect::<Vec<_>>()),
        _ => return "error: expected list, heal, kill NODE, down NODE, up NODE or cut A,B|C\n".to_owned(),
    };
    match done {
        Ok(()) => "ok\n".to_owned(),
        Err(refusal) => format!("error: {refusal}\n"),
    }
}

fn names(side: &str) -> Vec<String> {
    side.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::super::order::{LinkId, QuorumRule};
    use super::*;

    #[test]
    fn lines_are_obeyed() {
        let names = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let mut order = Order::new(&names, QuorumRule { expected_votes: 3, two_node: false });
        order.join(LinkId(1), "a", "crmd").unwrap();
        assert_eq!(obey(&mut order, "cut a, b | c"), "ok\n");
        let list = "1 a up side=1 groups=crmd\n2 b gone side=1 groups=-\n3 c gone side=2 groups=-\nok\n";
        assert_eq!(obey(&mut order, "list"), list);
        assert_eq!(obey(&mut order, "heal"), "ok\n");
        assert_eq!(obey(&mut order, "down a"), "ok\n");
        assert!(obey(&mut order, "list").starts_with("1 a down side=0 groups=-\n"));
        assert_eq!(obey(&mut order, "kill x"), "error: node 'x' is not known (known are: a, b, c)\n");
        assert!(obey(&mut order, "").starts_with("error: expected"));
        assert!(obey(&mut order, "cut a|a").starts_with("error: node 'a' cannot be"));
    }
}
