//! A wire on which no answer is larger than anything that we ask for: a server that is wrong, or hostile, must not take the memory of this
//! machine.

use super::heard::Heard;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Nothing that is asked for has a longer answer; what the client libraries make of it in memory may be ten times as much.
pub const ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// Counts what is read since something was last written. A poll that is given up drops its connection, so a new question never comes into
/// the middle of an answer.
#[derive(Debug)]
pub struct Metered<S> {
    inner: S,
    read: usize,
    heard: Heard,
}

impl<S> Metered<S> {
    /// The same wire, metered.
    pub fn new(inner: S) -> Self {
        Self { inner, read: 0, heard: Heard::default() }
    }

    /// When its last byte came.
    #[must_use]
    pub fn heard(&self) -> Heard {
        self.heard.clone()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.inner).poll_read(cx, buf);
        let came = buf.filled().len() - before;
        if came > 0 {
            self.heard.now();
        }
        self.read += came;
        if self.read > ANSWER_BYTES {
            let message = format!(
                "an answer is larger than {} MiB, which nothing that is asked for is",
                ANSWER_BYTES >> 20
            );
            return Poll::Ready(Err(io::Error::other(message)));
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.read = 0;
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn an_answer_ends_somewhere_and_many_answers_do_not() {
        let (near, mut far) = tokio::io::duplex(1 << 20);
        tokio::spawn(async move {
            let block = vec![b'x'; 1 << 20];
            while far.write_all(&block).await.is_ok() {}
        });
        let mut wire = Metered::new(near);
        let mut block = vec![0; 1 << 20];
        for _ in 0..3 {
            // A question, and an answer that is large.
            let _ = wire.write(b"?").await;
            for _ in 0..20 {
                wire.read_exact(&mut block).await.unwrap();
            }
        }
        let mut total = 20 << 20;
        let error = loop {
            match wire.read(&mut block).await {
                Ok(count) => total += count,
                Err(error) => break error,
            }
        };
        assert!(error.to_string().contains("larger than 32 MiB"), "{error}");
        assert!(total <= ANSWER_BYTES, "{total}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_follows_the_last_byte_is_not_heard() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut wire = Metered::new(near);
        let heard = wire.heard();
        assert_eq!(heard.at(), None);
        let began = tokio::time::Instant::now();
        tokio::spawn(async move {
            for _ in 0..2 {
                tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                far.write_all(b"x").await.unwrap();
            }
            far
        });
        wire.read_exact(&mut [0; 2]).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        assert_eq!(heard.at().unwrap() - began, std::time::Duration::from_millis(600));
    }
}
