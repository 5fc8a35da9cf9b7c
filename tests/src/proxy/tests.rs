use std::io::ErrorKind;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::eventually;

/// A server that says everything back, and a link to it.
async fn echo() -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut reads, mut writes) = stream.split();
                drop(tokio::io::copy(&mut reads, &mut writes).await);
            });
        }
    });
    Proxy::start(Some(&server))
}

async fn connect(link: &Proxy) -> std::io::Result<TcpStream> {
    TcpStream::connect(("127.0.0.1", link.port())).await
}

async fn say(stream: &mut TcpStream, word: &[u8; 4]) {
    stream.write_all(word).await.unwrap();
}

async fn hear(stream: &mut TcpStream) -> std::io::Result<[u8; 4]> {
    let mut word = [0; 4];
    stream.read_exact(&mut word).await.map(|_| word)
}

fn nothing_is_heard(stream: &TcpStream) {
    let nothing = stream.try_read(&mut [0; 4]).unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::WouldBlock);
}

#[tokio::test]
async fn what_is_held_arrives_late_and_complete() {
    let link = echo().await;
    let mut stream = connect(&link).await.unwrap();
    say(&mut stream, b"one.").await;
    assert_eq!(&hear(&mut stream).await.unwrap(), b"one.");
    link.back(Flow::Hold);
    say(&mut stream, b"two.").await;
    eventually("the server has it", || async {
        (link.carried().0 == 8).then_some(())
    })
    .await;
    nothing_is_heard(&stream);
    link.heal();
    assert_eq!(&hear(&mut stream).await.unwrap(), b"two.");
}

#[tokio::test]
async fn what_is_lost_never_arrives_and_breaks_the_connection() {
    let link = echo().await;
    let mut stream = connect(&link).await.unwrap();
    link.there(Flow::Lose);
    say(&mut stream, b"gone").await;
    eventually("the word is lost", || async {
        (link.lost() > 0).then_some(())
    })
    .await;
    link.heal();
    let broken = hear(&mut stream).await.unwrap_err();
    assert_eq!(broken.kind(), ErrorKind::ConnectionReset);
    assert_eq!(link.carried(), (0, 0));
    let mut anew = connect(&link).await.unwrap();
    say(&mut anew, b"new.").await;
    assert_eq!(&hear(&mut anew).await.unwrap(), b"new.");
}

#[tokio::test]
async fn a_reset_is_one_and_a_cut_link_refuses_until_it_is_healed() {
    let link = echo().await;
    let mut stream = connect(&link).await.unwrap();
    say(&mut stream, b"one.").await;
    hear(&mut stream).await.unwrap();
    link.reset();
    let reset = hear(&mut stream).await.unwrap_err();
    assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
    let mut open = connect(&link).await.unwrap();
    say(&mut open, b"one.").await;
    hear(&mut open).await.unwrap();
    link.cut();
    assert_eq!(
        hear(&mut open).await.unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
    let refused = eventually("it refuses", || async { connect(&link).await.err() }).await;
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    link.heal();
    let mut again = eventually("it listens", || async { connect(&link).await.ok() }).await;
    say(&mut again, b"two.").await;
    assert_eq!(&hear(&mut again).await.unwrap(), b"two.");
}

#[tokio::test]
async fn resets_come_with_their_probability() {
    let link = echo().await;
    link.reset_per_cent(30);
    let mut survived = 0;
    for _ in 0..200 {
        let mut stream = connect(&link).await.unwrap();
        say(&mut stream, b"dice").await;
        survived += u8::from(hear(&mut stream).await.is_ok());
    }
    // Twice through the link: 49 % survive.
    assert!((60..=140).contains(&survived), "{survived} of 200");
}
