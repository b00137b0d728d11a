//! Servers whose answers never end: they cost their own poll, within bounds, and are told.

use super::Watch;
use stacktop::config::target::Connect;
use stacktop::config::url;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A server that says `first` when it hears anything, and then sends `x` for ever; how much it got rid of.
fn server(first: &'static [u8]) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let counter = Arc::clone(&counter);
            std::thread::spawn(move || pour(stream, first, &counter));
        }
    });
    (port, sent)
}

fn pour(mut stream: TcpStream, first: &[u8], counter: &AtomicUsize) -> std::io::Result<()> {
    let mut heard = [0; 8192];
    let mut count = stream.read(&mut heard)?;
    if heard[..count].starts_with(&[0, 0, 0, 8, 4, 210, 22, 47]) {
        // Postgres asks for TLS first.
        stream.write_all(b"N")?;
        count = stream.read(&mut heard)?;
    }
    if count == 0 {
        return Ok(());
    }
    stream.write_all(first)?;
    let block = vec![b'x'; 65_536];
    loop {
        stream.write_all(&block)?;
        counter.fetch_add(block.len(), Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_an_end_costs_one_poll() {
    // A text of 3 GB; a login that was granted, and a row of 2 GB.
    let (redis, from_redis) = server(b"$3000000000\r\n");
    let (postgres, from_postgres) = server(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05IT\x7f\xff\xff\xff");
    let redis = Connect::Redis(url::redis(&format!("redis://127.0.0.1:{redis}")).expect("a URL"));
    let pg =
        url::postgres(&format!("postgres://ana@127.0.0.1:{postgres}/app?sslmode=disable")).expect("a URL");
    for (what, connect, sent) in
        [("redis", redis, from_redis), ("postgres", Connect::Postgres(pg), from_postgres)]
    {
        let error = Watch::new(connect).poll().await.expect_err("it never ends");
        // Of a Postgres connection only its end is known to who asks on it.
        let says = if what == "redis" { "larger than 32 MiB" } else { "broke: connection closed" };
        assert!(error.message.contains(says), "{what}: {error:?}");
        let sent = sent.load(Ordering::Relaxed);
        // What the system's buffers hold comes on top.
        assert!(sent < 120 << 20, "{what}: {sent}");
    }
}
