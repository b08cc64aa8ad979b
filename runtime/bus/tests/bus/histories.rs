//! Histories: the fence holds whoever writes, whatever is lost on the way; reading and following give every entry once.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::join_all;
use hansa_bus::limits::HISTORY_HEADER_BYTES_MAX;
use hansa_bus::{AppendError, BucketOptions, BucketStorage, Bus, Histories, HistoryEntry, HistoryError, testing};

use crate::servers::{kill, restart, restart_by, signal};
use crate::soon;

fn texts(entries: &[HistoryEntry]) -> Vec<&str> {
    entries.iter().map(|entry| std::str::from_utf8(&entry.entry).unwrap()).collect()
}

async fn runs(bus: &Bus) -> Histories {
    bus.histories("runs").await.unwrap()
}

#[tokio::test]
async fn an_entry_comes_after_the_last_one_that_its_writer_knows() {
    let server = testing::server().await;
    let (one, two) = (runs(&server.bus().await).await, runs(&server.bus().await).await);
    assert_eq!(one.last("a").await, Ok(None));
    assert_eq!(one.append("a", 0, "one-1", "first".into()).await, Ok(1));
    assert_eq!(two.append("a", 0, "two-1", "another first".into()).await, Err(AppendError::Behind { last: 1 }));
    assert_eq!(two.append("a", 1, "two-2", "second".into()).await, Ok(2));
    let cases = [(0, "knows nothing"), (1, "knows too little"), (3, "knows what is not there"), (u64::MAX, "knows too much")];
    for (after, text) in cases {
        assert_eq!(one.append("a", after, "one-2", text.into()).await, Err(AppendError::Behind { last: 2 }), "{text}");
    }
    assert_eq!(one.append("b", 2, "one-3", "not there".into()).await, Err(AppendError::Behind { last: 0 }));
    assert_eq!(texts(&one.read("a", 0).await.unwrap()), ["first", "second"]);
    assert_eq!((one.last("a").await, one.last("b").await), (Ok(Some(2)), Ok(None)));
}

#[tokio::test]
async fn of_two_writers_one_wins_each_round() {
    let server = testing::server().await;
    let (one, two) = (runs(&server.bus().await).await, runs(&server.bus().await).await);
    let (mut after, mut won) = (0, Vec::new());
    for round in 0..50 {
        let ids = [format!("one-{round}"), format!("two-{round}")];
        // The same bytes: only the ids tell the writers apart.
        let entry = Bytes::from(format!("round {round}"));
        let (a, b) = tokio::join!(one.append("a", after, &ids[0], entry.clone()), two.append("a", after, &ids[1], entry));
        after = match (a, b) {
            (Ok(position), Err(AppendError::Behind { last })) | (Err(AppendError::Behind { last }), Ok(position)) => {
                assert_eq!(position, last);
                position
            }
            both => panic!("round {round}: {both:?}"),
        };
        won.push(after);
    }
    let positions: Vec<u64> = one.read("a", 1).await.unwrap().iter().map(|entry| entry.position).collect();
    assert_eq!(positions, won);
}

/// The story: an entry was kept, its writer did not hear of it, and asks again; meanwhile others have written, and the server is
/// another process.
#[tokio::test]
async fn a_repeat_gets_the_position_of_what_was_kept() {
    let server = testing::server().await;
    let bus = server.bus().await;
    let runs = runs(&bus).await;
    assert_eq!(runs.append("a", 0, "one-1", "first".into()).await, Ok(1));
    assert_eq!(runs.append("b", 0, "one-1", "first".into()).await, Ok(2), "ids of other histories are others");
    for when in ["as the last one", "under a later one", "after a restart"] {
        match when {
            "under a later one" => assert_eq!(runs.append("a", 1, "two-1", "second".into()).await, Ok(3)),
            "after a restart" => restart(server.managed(), &[&bus]).await,
            _ => {}
        }
        let last = runs.last("a").await.unwrap().unwrap();
        assert_eq!(runs.append("a", 0, "one-1", "first".into()).await, Ok(1), "{when}");
        assert_eq!(runs.append("a", 0, "one-1", "something else".into()).await, Err(AppendError::Behind { last }), "{when}");
        assert_eq!(runs.append("a", 0, "two-1", "first".into()).await, Err(AppendError::Behind { last }), "{when}");
        assert_eq!(runs.read("a", 0).await.unwrap().len() as u64, if last == 1 { 1 } else { 2 }, "{when}: nothing is added");
    }
}

/// The story: the server dies again and again, with and without warning, under two engines that write to one history as fast as
/// they can. None of them hears of it.
#[tokio::test]
async fn the_fence_holds_while_the_server_dies() {
    const SIGNALS: [&str; 4] = ["KILL", "TERM", "KILL", "TERM"];
    let server = testing::server().await;
    let buses = [server.bus().await, server.bus().await];
    let over = std::sync::atomic::AtomicBool::new(false);
    let write = async |writer: usize| {
        let runs = runs(&buses[writer]).await;
        let (mut after, mut written) = (0, Vec::new());
        for round in 0_u32.. {
            if over.load(std::sync::atomic::Ordering::Relaxed) {
                break;
            }
            let id = format!("{writer}-{round}");
            loop {
                match runs.append("a", after, &id, id.clone().into()).await {
                    Ok(position) => {
                        written.push((position, id));
                        after = position;
                        break;
                    }
                    Err(AppendError::Behind { last }) => after = last,
                    Err(error) => panic!("{error}"),
                }
            }
        }
        written
    };
    let die = async {
        for name in SIGNALS {
            tokio::time::sleep(Duration::from_millis(200)).await;
            restart_by(server.managed(), name, &[&buses[0], &buses[1]]).await;
        }
        over.store(true, std::sync::atomic::Ordering::Relaxed);
    };
    let (one, two, ()) = soon(Box::pin(async { tokio::join!(write(0), write(1), die) })).await;
    let mut claimed = [one, two].concat();
    claimed.sort();
    let read = runs(&buses[0]).await.read("a", 0).await.unwrap();
    let kept: Vec<(u64, String)> =
        read.iter().map(|entry| (entry.position, texts(std::slice::from_ref(entry))[0].to_owned())).collect();
    assert!(kept.len() > SIGNALS.len());
    // The first difference is enough to read.
    let difference = claimed.iter().zip(&kept).find(|(claimed, kept)| claimed != kept);
    assert_eq!((difference, claimed.len()), (None, kept.len()), "each entry has one writer that knows its position");
}

#[tokio::test]
async fn thousands_of_entries_are_read_in_order() {
    const ENTRIES: u64 = 10_000;
    let server = testing::server().await;
    let runs = &runs(&server.bus().await).await;
    // Histories side by side, so that the entries of each lie scattered.
    let fill = |key: &'static str, count: u64| async move {
        let mut after = 0;
        for i in 0..count {
            after = runs.append(key, after, &format!("w-{i}"), format!("{key} {i}").into()).await.unwrap();
        }
    };
    soon(join_all([fill("long", ENTRIES), fill("other", 500), fill("third", 500)])).await;
    let begun = Instant::now();
    let entries = runs.read("long", 0).await.unwrap();
    println!("{ENTRIES} entries read in {} ms", begun.elapsed().as_millis());
    assert_eq!(entries.len() as u64, ENTRIES);
    for (i, entry) in entries.iter().enumerate() {
        assert_eq!(entry.entry, format!("long {i}"));
    }
    assert!(entries.is_sorted_by(|a, b| a.position < b.position));
    let from = entries[7_000].position;
    assert_eq!(runs.read("long", from).await.unwrap(), entries[7_000..]);
    assert_eq!(runs.read("long", from + 1).await.unwrap()[0].entry, "long 7001");
    assert_eq!(runs.read("long", u64::MAX).await, Ok(Vec::new()));
    assert_eq!(runs.read("none", 0).await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_follower_misses_nothing_and_sees_nothing_twice() {
    let server = testing::server().await;
    let bus = server.bus().await;
    let runs = runs(&bus).await;
    let (mut after, mut expected) = (0, Vec::new());
    let mut reader = runs.follow("a", 0).unwrap();
    let mut all = runs.follow_all().await.unwrap();
    for round in 0..3 {
        for i in 0..10 {
            let text = format!("{round}.{i}");
            after = runs.append("a", after, &text, text.clone().into()).await.unwrap();
            let other = runs.last("b.c").await.unwrap().unwrap_or(0);
            let other = runs.append("b.c", other, &text, "beside".into()).await.unwrap();
            expected.push((after, text.clone()));
            if round != 1 {
                continue;
            }
            assert_eq!(soon(all.next()).await, ("a".to_owned(), HistoryEntry { position: after, entry: text.into() }));
            assert_eq!(soon(all.next()).await, ("b.c".to_owned(), HistoryEntry { position: other, entry: "beside".into() }));
        }
        while let Some((position, text)) = expected.first().cloned() {
            assert_eq!(soon(reader.next()).await, HistoryEntry { position, entry: text.into() });
            expected.remove(0);
        }
        if round == 0 {
            for _ in 0..20 {
                soon(all.next()).await;
            }
        }
        if round == 1 {
            kill(server.managed());
        }
    }
    let mut late = runs.follow("a", after).unwrap();
    assert_eq!(soon(late.next()).await.position, after, "it begins where it is told");
    assert!(runs.follow("a *", 0).is_err());
}

#[tokio::test]
async fn what_is_removed_is_gone_and_nothing_else() {
    let server = testing::server().await;
    let runs = runs(&server.bus().await).await;
    let mut reader = runs.follow("a", 0).unwrap();
    for key in ["a", "a.b", "b"] {
        let first = runs.append(key, 0, "w-1", key.into()).await.unwrap();
        runs.append(key, first, "w-2", "second".into()).await.unwrap();
    }
    assert_eq!((soon(reader.next()).await.position, soon(reader.next()).await.position), (1, 2));
    runs.remove("a").await.unwrap();
    runs.remove("a").await.unwrap();
    assert_eq!((runs.last("a").await, runs.read("a", 0).await), (Ok(None), Ok(Vec::new())));
    assert_eq!(texts(&runs.read("a.b", 0).await.unwrap()), ["a.b", "second"]);
    assert_eq!(texts(&runs.read("b", 0).await.unwrap()), ["b", "second"]);
    assert_eq!(runs.append("a", 2, "w-3", "third".into()).await, Err(AppendError::Behind { last: 0 }));
    // The story: a run is made anew under its old name, with its old ids, minutes after its history was removed.
    assert_eq!(runs.append("a", 0, "w-1", "a".into()).await, Ok(7), "a new entry, not the memory of a removed one");
    assert_eq!(soon(reader.next()).await, HistoryEntry { position: 7, entry: "a".into() });
}

#[tokio::test]
async fn names_and_sizes_are_checked() {
    let server = testing::server().await;
    let bus = server.bus().await;
    for bad in ["", "a b", "a.b", "a.>", "ä"] {
        assert!(matches!(bus.histories(bad).await, Err(HistoryError::BadName(_))), "{bad}");
    }
    let runs = runs(&bus).await;
    for bad in ["", "a b", "a.*", ">", ".a", "a..b", "ä"] {
        assert!(matches!(runs.append(bad, 0, "w-1", Bytes::new()).await, Err(AppendError::BadName(_))), "{bad}");
        assert!(matches!(runs.read(bad, 0).await, Err(HistoryError::BadName(_))), "{bad}");
        assert!(matches!(runs.last(bad).await, Err(HistoryError::BadName(_))), "{bad}");
        assert!(matches!(runs.remove(bad).await, Err(HistoryError::BadName(_))), "{bad}");
        assert!(runs.follow(bad, 0).is_err(), "{bad}");
    }
    for bad in ["", "a b", "a\r\nNats-Rollup: all", "ä"] {
        assert!(matches!(runs.append("a", 0, bad, Bytes::new()).await, Err(AppendError::BadName(_))), "{bad}");
    }
    let max = (8 << 20) - HISTORY_HEADER_BYTES_MAX;
    let big = Bytes::from(vec![7; max + 1]);
    let (longest_key, longest_id) = (format!("k{}", "/".repeat(511)), "i".repeat(128));
    assert_eq!(runs.append("a", 0, "w-1", big.clone()).await, Err(AppendError::TooLarge { size: max + 1, max }));
    let (key, id, fitting) = (longest_key.as_str(), longest_id.as_str(), big.slice(1..));
    for what in ["first", "repeat"] {
        assert_eq!(soon(runs.append(key, 0, id, fitting.clone())).await, Ok(1), "{what}");
    }
    let second = soon(runs.append(key, 1, "w-2", fitting.clone())).await;
    assert_eq!(second, Ok(2), "the largest entries fit");
    let read = soon(runs.read(key, 0)).await.unwrap();
    assert!(read.iter().map(|entry| &entry.entry).eq([&fitting, &fitting]));
    assert!(soon(runs.follow(key, 2).unwrap().next()).await.entry == fitting);
    assert_eq!(runs.append("a", 0, "w-1", Bytes::new()).await, Ok(3), "an entry may be empty");
    assert_eq!(runs.read("a", 0).await, Ok(vec![HistoryEntry { position: 3, entry: Bytes::new() }]));
}

#[tokio::test]
async fn a_stream_that_could_lose_entries_is_refused() {
    let server = testing::server().await;
    let bus = server.bus().await;
    bus.journal("facts").await.unwrap();
    let refused = HistoryError::OtherSettings { histories: "facts".into(), setting: "max_msgs_per_subject" };
    assert_eq!(bus.histories("facts").await.unwrap_err(), refused);
    let max_age = Some(Duration::from_secs(5));
    let bucket = BucketOptions { name: "b".into(), max_age, history: 1, storage: BucketStorage::Memory };
    bus.bucket(bucket).await.unwrap();
    let refused = HistoryError::OtherSettings { histories: "KV_b".into(), setting: "subjects" };
    assert_eq!(bus.histories("KV_b").await.unwrap_err(), refused);
}

/// The story: somebody deletes the stream under a running engine. Positions would begin anew, so that an entry could come after
/// another one than its writer knows; therefore only a new opening makes it again.
#[tokio::test]
async fn lost_histories_are_told_not_made_anew() {
    let server = testing::server().await;
    let bus = server.bus().await;
    let runs = runs(&bus).await;
    let mut reader = runs.follow("a", 0).unwrap();
    assert_eq!(runs.append("a", 0, "w-1", "first".into()).await, Ok(1));
    assert_eq!(runs.append("a", 1, "w-2", "second".into()).await, Ok(2));
    assert_eq!((soon(reader.next()).await.position, soon(reader.next()).await.position), (1, 2));
    soon(bus.request("$JS.API.STREAM.DELETE.runs", Bytes::new(), Duration::from_secs(5))).await.unwrap();
    let gone = HistoryError::Gone { histories: "runs".into() };
    assert_eq!(runs.append("a", 2, "w-3", "third".into()).await, Err(AppendError::History(gone.clone())));
    assert_eq!(runs.read("a", 0).await, Err(gone.clone()));
    assert_eq!(runs.last("a").await, Err(gone.clone()));
    assert_eq!(runs.remove("a").await, Err(gone));
    let again = bus.histories("runs").await.unwrap();
    assert_eq!(runs.append("a", 2, "w-3", "third".into()).await, Err(AppendError::Behind { last: 0 }));
    assert_eq!(again.append("a", 0, "w-1", "anew".into()).await, Ok(1));
    assert_eq!(soon(reader.next()).await, HistoryEntry { position: 1, entry: "anew".into() });
}

#[tokio::test]
async fn many_histories_are_written_at_once() {
    let server = testing::server().await;
    let runs = &runs(&server.bus().await).await;
    let write = |i: u64| async move { runs.append(&format!("run-{i}"), 0, "w-1", Bytes::from_static(&[7; 200])).await };
    let begun = Instant::now();
    let positions = soon(join_all((0..1000).map(write))).await;
    println!("1000 entries in 1000 histories in {} ms", begun.elapsed().as_millis());
    let mut positions: Vec<u64> = positions.into_iter().map(Result::unwrap).collect();
    positions.sort_unstable();
    assert!(positions.into_iter().eq(1..=1000));
}

/// The story: the server hangs, an append is given up, and was kept nevertheless once the server went on.
#[tokio::test]
async fn an_append_without_an_answer_may_be_repeated() {
    let server = testing::server().await;
    let runs = runs(&server.bus().await).await;
    signal(server.managed(), "STOP");
    let (append, last) = tokio::join!(soon(runs.append("a", 0, "w-1", "first".into())), soon(runs.last("a")));
    signal(server.managed(), "CONT");
    let error = append.unwrap_err();
    assert_eq!(error, AppendError::Timeout { histories: "runs".into() });
    assert!(error.may_have_taken_effect() && error.retry_is_sensible());
    assert_eq!(last, Err(HistoryError::Timeout { histories: "runs".into() }));
    assert_eq!(soon(runs.append("a", 0, "w-1", "first".into())).await, Ok(1));
    assert_eq!(texts(&soon(runs.read("a", 0)).await.unwrap()), ["first"]);
}
