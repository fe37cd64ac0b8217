// SPDX-License-Identifier: GPL-2.0-or-later
//! Peers that only other processes can be: Debian's own `cibadmin` and executor (2.1.5, with C's libqb), and other users.
//!
//! Their socket names are fixed, so they run in a network namespace of their own, where such names live. Where that,
//! Debian's programs or the right to become another user is missing, a test fails under `CI=true`, and says that it did
//! nothing otherwise.
#![allow(clippy::unwrap_used, clippy::panic)]

use ipc::{ClientOptions, ConnectError, Server, ServerEvent, ServerOptions};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use xml::Element;

const CIBADMIN: &str = "/usr/sbin/cibadmin";
const EXECUTOR: &str = "/usr/lib/pacemaker/pacemaker-execd";
/// A user and group that own nothing and are in no group of the cluster.
const NOBODY: u32 = 65_534;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["cibadmin"] => debians_cibadmin_is_served(),
        ["executor"] => debians_executor_serves_us(),
        ["connect", prefix] => connect(prefix),
        ["serve", prefix] => serve_as_a_stranger(prefix),
        ["spoof", base] => spoof(base),
        args if args.contains(&"--list") => {
            println!(
                "debians_cibadmin_is_served: test\ndebians_executor_serves_us: test\nstrangers_are_kept_out: test"
            );
        }
        _ => return run_all(),
    }
    ExitCode::SUCCESS
}

fn run_all() -> ExitCode {
    let isolated = |program: &str| {
        let mut command = Command::new("unshare");
        command.args(["--net", "--mount"]).arg(program);
        command
    };
    let can_isolate = isolated("true").status().is_ok_and(|status| status.success());
    let inside = |what: &str| isolated(own().to_str().unwrap()).arg(what).status().unwrap().success();
    let is_there = |program: &str| can_isolate && std::path::Path::new(program).exists();
    let cibadmin = test("debians_cibadmin_is_served", is_there(CIBADMIN), || inside("cibadmin"));
    let executor = test("debians_executor_serves_us", is_there(EXECUTOR), || inside("executor"));
    let can_become =
        Command::new("true").uid(NOBODY).gid(NOBODY).status().is_ok_and(|status| status.success());
    let strangers = test("strangers_are_kept_out", can_become, || {
        strangers_are_kept_out();
        true
    });
    if cibadmin && executor && strangers { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn test(name: &str, can_be_done: bool, run: impl FnOnce() -> bool) -> bool {
    println!("test {name} ...");
    if !can_be_done {
        println!("test {name} ... NOT DONE: needs root, 'unshare', {CIBADMIN} and {EXECUTOR}");
        return !std::env::var("CI").is_ok_and(|value| value == "true");
    }
    let is_good = run();
    println!("test {name} ... {}", if is_good { "ok" } else { "FAILED" });
    is_good
}

fn own() -> PathBuf {
    std::env::current_exe().unwrap()
}

// --- other users ------------------------------------------------------------------------------------------------

fn options(prefix: &str) -> ClientOptions {
    ClientOptions { name_prefix: prefix.to_owned(), ..ClientOptions::default() }
}

/// What another user gets when it connects: printed, for the one who started us.
fn connect(prefix: &str) {
    match ipc::blocking::Client::connect("cib_rw", &options(prefix)) {
        Ok(mut client) => println!("{}", client.request(&Element::new("whoami"), None).unwrap().name()),
        Err(ConnectError::Refused { reason, .. }) => println!("refused: {}", reason.kind()),
        Err(error) => println!("{error}"),
    }
}

/// Takes a daemon's name, as anybody can.
fn serve_as_a_stranger(prefix: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _guard = runtime.enter();
    let directory = std::env::temp_dir();
    let (mut server, _happenings) =
        Server::new(ServerOptions { name_prefix: prefix.to_owned(), directory, ..ServerOptions::default() });
    server.listen("crmd").unwrap();
    println!("ready");
    // Until our standard input ends.
    let _ = std::io::stdin().lines().next();
}

/// Says something in the name of another user's connection.
fn spoof(base: &str) {
    let mut name = format!("{base}-request").into_bytes();
    name.resize(107, 0);
    let address = std::os::unix::net::SocketAddr::from_abstract_name(name).unwrap();
    let socket = std::os::unix::net::UnixDatagram::unbound().unwrap();
    socket.connect_addr(&address).unwrap();
    let text = b"<spoofed/>\0";
    let mut datagram = vec![0u8; 40];
    datagram[8] = 40 + text.len() as u8;
    datagram[24] = text.len() as u8;
    datagram[32] = 1;
    datagram.extend_from_slice(text);
    socket.send(&datagram).unwrap();
}

fn strangers_are_kept_out() {
    // Where every user can run it.
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("peers");
    std::fs::copy(own(), &program).unwrap();
    let prefix = format!("peers-{}-", std::process::id());
    let as_user = |gid: u32, args: &[&str]| {
        let mut command = Command::new(&program);
        command.uid(NOBODY).gid(gid).args(args);
        command
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut server, mut happenings) = Server::new(ServerOptions {
        name_prefix: prefix.clone(),
        directory: folder.path().join("qb"),
        ..ServerOptions::default()
    });
    runtime.block_on(async {
        server.listen("cib_rw").unwrap();
        let said = |mut command: Command| async move {
            let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        // Neither privileged nor of the group.
        assert_eq!(said(as_user(NOBODY, &["connect", &prefix])).await, "refused: permission denied");

        // Of the group: served, but not privileged.
        let group = nix::unistd::Group::from_name("haclient").unwrap();
        if let Some(group) = group {
            let client = tokio::spawn(said(as_user(group.gid.as_raw(), &["connect", &prefix])));
            let Some(ServerEvent::Connected { credentials, .. }) = happenings.recv().await else { panic!() };
            assert_eq!((credentials.uid, credentials.privileged), (NOBODY, false));
            let Some(ServerEvent::Message { client: id, request, .. }) = happenings.recv().await else {
                panic!()
            };
            server.respond(id, request, Element::new("nobody"));
            assert_eq!(client.await.unwrap(), "nobody");
            assert!(matches!(happenings.recv().await, Some(ServerEvent::Gone { .. })));
        }

        // In the name of somebody else's connection: not heard.
        let mut client = ipc::Client::connect("cib_rw", &options(&prefix)).await.unwrap();
        assert!(matches!(happenings.recv().await, Some(ServerEvent::Connected { .. })));
        let entry = std::fs::read_dir(folder.path().join("qb")).unwrap().next().unwrap().unwrap();
        let base = format!("/{}/qb-cib_rw", entry.file_name().to_string_lossy());
        said(as_user(NOBODY, &["spoof", &base])).await;
        client.send(&Element::new("genuine")).await.unwrap();
        let Some(ServerEvent::Message { message, .. }) = happenings.recv().await else { panic!() };
        assert_eq!(message.name(), "genuine");

        // A stranger's server: not believed.
        let mut command = as_user(NOBODY, &["serve", &prefix]);
        command.env("TMPDIR", "/tmp").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut stranger = command.spawn().unwrap();
        let mut ready = String::new();
        std::io::BufRead::read_line(
            &mut std::io::BufReader::new(stranger.stdout.take().unwrap()),
            &mut ready,
        )
        .unwrap();
        let refused = ipc::Client::connect("crmd", &options(&prefix)).await.unwrap_err();
        assert!(matches!(refused, ConnectError::Untrusted { uid: NOBODY, .. }), "{refused}");
        assert!(ipc::probe("crmd", &options(&prefix)).await.is_err());
        drop(stranger.stdin.take());
        assert!(stranger.wait().unwrap().success());
    });
}

// --- Debian -----------------------------------------------------------------------------------------------------

fn debians_cibadmin_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("qb");
    let (ready, is_ready) = std::sync::mpsc::channel();
    let served = directory.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(serve(ServerOptions { directory: served, ..ServerOptions::default() }, &ready));
    });
    is_ready.recv().unwrap();
    // Its own large reply is compressed, as is the request to replace.
    let queried = Command::new(CIBADMIN).arg("-Q").output().unwrap();
    let text = String::from_utf8_lossy(&queried.stdout);
    assert!(queried.status.success(), "{queried:?}");
    assert!(text.contains("epoch=\"7\"") && text.matches("<nvpair ").count() == PAIRS, "{text}");
    let file = folder.path().join("cib.xml");
    std::fs::write(&file, text.as_bytes()).unwrap();
    let replaced = Command::new(CIBADMIN).args(["-R", "-x"]).arg(&file).output().unwrap();
    assert!(replaced.status.success(), "{replaced:?}");
    let left = || std::fs::read_dir(&directory).unwrap().count();
    for _ in 0..100 {
        if left() == 0 {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("{} folders of connections are left", left());
}

/// Enough that no message carries them uncompressed.
const PAIRS: usize = 5000;

fn cib() -> Element {
    let pair = |n: usize| {
        let id = format!("cib-bootstrap-options-option-{n}");
        Element::new("nvpair")
            .with_attr("id", id)
            .with_attr("name", format!("option-{n}"))
            .with_attr("value", n)
    };
    let set = Element::new("cluster_property_set").with_attr("id", "cib-bootstrap-options");
    let options = Element::new("crm_config").with_child(set.with_children((0..PAIRS).map(pair)));
    let configuration = Element::new("configuration")
        .with_child(options)
        .with_children(["nodes", "resources", "constraints"].map(Element::new));
    Element::new("cib")
        .with_attr("epoch", 7)
        .with_attr("num_updates", 1)
        .with_attr("admin_epoch", 0)
        .with_attr("validate-with", "pacemaker-3.9")
        .with_child(configuration)
        .with_child(Element::new("status"))
}

/// Answers as a CIB manager would whose CIB never changes.
async fn serve(options: ServerOptions, ready: &std::sync::mpsc::Sender<()>) {
    let (mut server, mut happenings) = Server::new(options);
    for name in ["cib_rw", "cib_ro"] {
        server.listen(name).unwrap();
    }
    ready.send(()).unwrap();
    while let Some(event) = happenings.recv().await {
        let ServerEvent::Message { client, request, wants_response, message } = event else { continue };
        let operation = message.attr("cib_op").unwrap();
        let mut reply = Element::new("cib-reply").with_attr("t", "cib").with_attr("cib_op", operation);
        reply.set_attr("cib_clientid", "11111111-2222-3333-4444-555555555555");
        reply.set_attr_opt("cib_callid", message.attr("cib_callid"));
        reply.set_attr_opt("cib_callopt", message.attr("cib_callopt"));
        reply.set_attr("cib_rc", 0);
        match operation {
            "register" => {}
            "cib_query" => reply.push(Element::new("cib_calldata").with_child(cib())),
            "cib_replace" => {
                let given = message.child("cib_calldata").and_then(|data| data.child("cib")).unwrap();
                assert_eq!(given.descendants().filter(|element| element.name() == "nvpair").count(), PAIRS);
            }
            other => panic!("unexpected operation {other}"),
        }
        if wants_response {
            server.respond(client, request, reply);
        } else {
            server.event(client, reply);
        }
    }
}

/// Our client talks to C's server, by sockets; and says clearly what it cannot do.
fn debians_executor_serves_us() {
    // What it writes is gone with the namespace.
    for folder in ["/run", "/var/log", "/var/lib/pacemaker", "/dev/shm"] {
        assert!(Command::new("mount").args(["-t", "tmpfs", "none", folder]).status().unwrap().success());
    }
    std::fs::create_dir_all("/run/crm").unwrap();
    let options = ClientOptions { dialect: ipc::Dialect::Compressed, ..ClientOptions::default() };
    for transport in ["socket", "shared-mem"] {
        let mut command = Command::new(EXECUTOR);
        command.env("PCMK_ipc_type", transport).env("PCMK_logfile", "none").stderr(Stdio::null());
        let executor = Ending(command.spawn().unwrap());
        let mut connected = ipc::blocking::Client::connect("lrmd", &options);
        for _ in 0..500 {
            if !matches!(connected, Err(ConnectError::NotRunning { .. })) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
            connected = ipc::blocking::Client::connect("lrmd", &options);
        }
        match connected {
            Ok(client) if transport == "socket" => {
                assert_eq!(client.server().pid, executor.0.id());
                talk_to_executor(client);
            }
            Err(ConnectError::Transport { transport: 1, .. }) if transport == "shared-mem" => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                assert_eq!(runtime.block_on(ipc::probe("lrmd", &options)).unwrap().pid, executor.0.id());
            }
            other => panic!("by {transport}: {other:?}"),
        }
    }
}

/// A process that ends with what needs it.
struct Ending(std::process::Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn talk_to_executor(mut client: ipc::blocking::Client) {
    let register = Element::new("lrmd_command")
        .with_attr("lrmd_op", "register")
        .with_attr("lrmd_clientname", "peers")
        .with_attr("lrmd_protocol_version", "1.1");
    let reply = client.request(&register, None).unwrap();
    assert_eq!((reply.attr("lrmd_op"), reply.attr("lrmd_rc")), (Some("register"), Some("0")));
    for bytes in [1, 100, 400_000] {
        let resource =
            Element::new("lrmd_rsc").with_attr("lrmd_rsc_id", "r").with_attr("x", "x".repeat(bytes));
        let ask = Element::new("lrmd_command")
            .with_attr("lrmd_op", "lrmd_rsc_info")
            .with_attr("lrmd_callid", bytes)
            .with_attr("lrmd_callopt", 0)
            .with_child(Element::new("lrmd_calldata").with_child(resource));
        // There is no such resource.
        assert_eq!(client.request(&ask, None).unwrap().attr("lrmd_rc"), Some("-19"));
    }
}
