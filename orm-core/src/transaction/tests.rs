//! Transactions against a fake database: nesting, serialisation, cancellation, doom, misuse.

use super::*;
use crate::backend::{Isolation, Sink};
use crate::error::{ErrorKind, TransactionError};
use crate::instrument;
use crate::pool::fake::{World, connection, poll_then_drop, statement};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

/// Runs one statement where a query without `using_db` would.
pub(super) async fn send(sql: &str) -> Result<()> {
    let db = Db::pick(None)?;
    db.run(&statement(sql), &mut Sink::discard()).await?;
    Ok(())
}

pub(super) async fn send_on(tx: &Tx, sql: &str) -> Result<()> {
    tx.run(&statement(sql), &mut Sink::discard()).await?;
    Ok(())
}

pub(super) fn state(result: Result<()>) -> TransactionError {
    match result {
        Err(Error::Transaction(error)) => error,
        other => panic!("expected a transaction error, got {other:?}"),
    }
}

/// Runs the test on a database of its own, and checks that it ends sound, with a pool of one whose
/// connection can be borrowed again.
pub(super) async fn with(test: impl AsyncFnOnce(Arc<World>)) {
    let world = World::new(1);
    let connection = connection(&world, 1);
    crate::connection::scope(connection.clone(), test(Arc::clone(&world))).await;
    connection
        .execute_query("INSERT last", vec![])
        .await
        .unwrap();
    assert_eq!(world.rows().last().unwrap(), "last");
    world.assert_sound();
}

#[tokio::test]
async fn ok_commits_and_err_rolls_back() {
    with(async |world| {
        let name = String::from("a");
        let got = in_transaction(async |_| {
            send(&format!("INSERT {name}")).await?;
            Ok::<_, Error>(7)
        });
        assert_eq!(got.await.unwrap(), 7);
        assert_eq!(world.take_log(), ["BEGIN", "INSERT a", "COMMIT"]);
        let failed: Result<()> = in_transaction(async |_| {
            send("INSERT b").await?;
            Err(Error::Unsaved("X"))
        })
        .await;
        assert_eq!(failed.unwrap_err().kind(), ErrorKind::Unsaved);
        assert_eq!(world.rows(), ["a"]);
    })
    .await;
}

#[tokio::test]
async fn nested_blocks_are_savepoints_in_order() {
    with(async |world| {
        in_transaction(async |outer| {
            send("INSERT a").await?;
            let inner: Result<()> = in_transaction(async |_| {
                send("INSERT b").await?;
                in_transaction(async |deep| {
                    assert_eq!(deep.depth(), 2);
                    send("INSERT c").await
                })
                .await?;
                Err(Error::Unsaved("X"))
            })
            .await;
            assert!(inner.is_err());
            send_on(&outer, "INSERT d").await?;
            in_transaction(async |_| send("INSERT e").await).await
        })
        .await
        .unwrap();
        assert_eq!(world.rows(), ["a", "d", "e"]);
        let sent = world.take_log().join(", ");
        assert_eq!(
            sent,
            "BEGIN, INSERT a, SAVEPOINT 1, INSERT b, SAVEPOINT 2, INSERT c, RELEASE 2, UNDO 1, \
             INSERT d, SAVEPOINT 1, INSERT e, RELEASE 1, COMMIT"
        );
    })
    .await;
}

#[tokio::test]
async fn joined_blocks_run_one_after_the_other() {
    with(async |world| {
        in_transaction(async |tx| {
            let branch = async |name: &str, fail: bool| -> Result<()> {
                in_transaction(async |_| {
                    send(&format!("INSERT {name}1")).await?;
                    send(&format!("INSERT {name}2")).await?;
                    if fail {
                        Err(Error::Unsaved("X"))
                    } else {
                        Ok(())
                    }
                })
                .await
            };
            let (a, b, plain) = tokio::join!(
                branch("a", true),
                branch("b", false),
                send_on(&tx, "INSERT c"),
            );
            assert!(a.is_err());
            b?;
            plain
        })
        .await
        .unwrap();
        let mut rows = world.rows();
        rows.sort();
        assert_eq!(rows, ["b1", "b2", "c"]);
    })
    .await;
}

#[tokio::test]
async fn joined_statements_are_serialised() {
    with(async |world| {
        in_transaction(async |tx| {
            let (a, b, c) =
                tokio::join!(send("INSERT a"), send_on(&tx, "INSERT b"), send("INSERT c"));
            a.and(b).and(c)
        })
        .await
        .unwrap();
        assert_eq!(world.rows().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn the_outer_handle_is_refused_inside_its_nested_block() {
    with(async |world| {
        in_transaction(async |outer| {
            let inner: Result<()> = in_transaction(async |_| {
                assert_eq!(
                    state(send_on(&outer, "X").await),
                    TransactionError::Suspended
                );
                outer
                    .scope(async {
                        assert_eq!(state(send("X").await), TransactionError::Suspended);
                    })
                    .await;
                assert_eq!(
                    state(outer.begin().await.map(drop)),
                    TransactionError::Suspended
                );
                send("INSERT inner").await
            })
            .await;
            inner?;
            let guard = begin().await?;
            assert_eq!(state(send("X").await), TransactionError::Suspended);
            send_on(&guard, "INSERT guard").await?;
            guard.commit().await?;
            send("INSERT outer").await
        })
        .await
        .unwrap();
        assert_eq!(world.rows(), ["inner", "guard", "outer"]);
    })
    .await;
}

#[tokio::test]
async fn finished_handles_send_nothing() {
    with(async |world| {
        let mut leaked = None;
        in_transaction(async |tx| {
            leaked = Some(tx);
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
        let leaked = leaked.unwrap();
        world.take_log();
        assert_eq!(
            state(send_on(&leaked, "X").await),
            TransactionError::Finished
        );
        assert_eq!(
            state(leaked.begin().await.map(drop)),
            TransactionError::Finished
        );
        assert_eq!(
            state(leaked.on_commit(async || {})),
            TransactionError::Finished
        );
        let scoped = leaked.scope(send("X")).await;
        assert_eq!(state(scoped), TransactionError::Finished);
        assert!(!leaked.is_open() && world.take_log().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_rejected_statement_dooms_its_innermost_block_only() {
    with(async |world| {
        in_transaction(async |_| {
            send("INSERT a").await?;
            let inner: Result<()> = in_transaction(async |_| {
                let rejected = send("FAIL").await.unwrap_err();
                assert_eq!(rejected.kind(), ErrorKind::Statement);
                assert_eq!(state(send("X").await), TransactionError::Aborted);
                let nested = in_transaction(async |_| Ok::<_, Error>(()));
                assert_eq!(state(nested.await), TransactionError::Aborted);
                Ok(())
            })
            .await;
            assert_eq!(state(inner), TransactionError::Aborted);
            send("INSERT b").await
        })
        .await
        .unwrap();
        assert_eq!(world.rows(), ["a", "b"]);
        let swallowed: Result<()> = in_transaction(async |_| {
            send("INSERT c").await?;
            let _ = send("FAIL").await;
            Ok(())
        })
        .await;
        assert_eq!(state(swallowed), TransactionError::Aborted);
        assert_eq!(world.rows(), ["a", "b"]);
        assert_eq!(world.take_log().last().unwrap(), "ROLLBACK");
    })
    .await;
}

#[tokio::test]
async fn a_transaction_that_the_database_ended_is_doomed_on_all_levels() {
    for word in ["BUSY", "LOSE"] {
        with(async |world| {
            let outer: Result<()> = in_transaction(async |_| {
                let inner: Result<()> = in_transaction(async |_| send(word).await).await;
                assert!(inner.is_err());
                world.take_log();
                assert_eq!(state(send("X").await), TransactionError::Aborted);
                assert!(world.take_log().is_empty());
                Ok(())
            })
            .await;
            assert_eq!(state(outer), TransactionError::Aborted);
            assert!(world.rows().is_empty());
        })
        .await;
    }
}

#[tokio::test]
async fn a_dropped_statement_dooms_the_whole_transaction() {
    with(async |world| {
        let outer: Result<()> = in_transaction(async |_| {
            send("INSERT a").await?;
            let inner: Result<()> = in_transaction(async |_| {
                let slow = tokio::time::timeout(Duration::from_millis(5), send("HANG"));
                assert!(slow.await.is_err());
                Ok(())
            })
            .await;
            assert_eq!(state(inner), TransactionError::Aborted);
            assert_eq!(state(send("X").await), TransactionError::Aborted);
            Ok(())
        })
        .await;
        assert_eq!(state(outer), TransactionError::Aborted);
        assert!(world.rows().is_empty());
    })
    .await;
}

/// Every await of a nested transaction, dropped: all or nothing, and the connection is clean.
#[tokio::test]
async fn dropping_at_any_poll_stores_all_or_nothing() {
    for inner_only in [false, true] {
        let mut polls = 0;
        loop {
            let mut done = false;
            with(async |world| {
                let inner = || {
                    in_transaction(async |_| {
                        send("INSERT b").await?;
                        tokio::task::yield_now().await;
                        let _: Result<()> = in_transaction(async |_| {
                            send("INSERT c").await?;
                            // Dropped here, no call is unfinished.
                            tokio::task::yield_now().await;
                            Err(Error::Unsaved("X"))
                        })
                        .await;
                        send("INSERT d").await
                    })
                };
                if inner_only {
                    let result = in_transaction(async |_| {
                        send("INSERT a").await?;
                        done = poll_then_drop(inner(), polls).await.is_some();
                        send("INSERT e").await
                    })
                    .await;
                    let rows = world.rows().join("");
                    match result {
                        Ok(()) if done => assert_eq!(rows, "abde"),
                        Ok(()) => assert_eq!(rows, "ae"),
                        Err(error) => {
                            assert_eq!(state(Err(error)), TransactionError::Aborted);
                            assert_eq!(rows, "", "after {polls} polls");
                        }
                    }
                } else {
                    let outer = in_transaction(async |_| {
                        send("INSERT a").await?;
                        inner().await
                    });
                    done = poll_then_drop(outer, polls).await.is_some();
                    // The next transaction is never inside the one before.
                    in_transaction(async |_| send("INSERT z").await)
                        .await
                        .unwrap();
                    let rows = world.rows().join("");
                    assert!(rows == "z" || rows == "abdz", "{rows} after {polls} polls");
                    assert!(!done || rows == "abdz");
                }
            })
            .await;
            if done {
                assert!(polls >= 17, "too few polls to prove much: {polls}");
                break;
            }
            polls += 1;
        }
    }
}

#[tokio::test]
async fn a_panic_rolls_back_and_goes_on() {
    for sql in ["PANIC", "INSERT a"] {
        with(async |world| {
            let own = crate::connection::default_connection().unwrap();
            let task = tokio::spawn(crate::connection::scope(
                own,
                in_transaction(async move |_| {
                    send("INSERT b").await?;
                    send(sql).await?;
                    if true {
                        panic!("of the closure");
                    }
                    Ok::<_, Error>(())
                }),
            ));
            assert!(task.await.unwrap_err().is_panic());
            in_transaction(async |_| send("INSERT z").await)
                .await
                .unwrap();
            assert_eq!(world.rows(), ["z"]);
        })
        .await;
    }
}

#[tokio::test]
async fn a_dropped_block_is_undone_with_the_block_inside_it() {
    with(async |world| {
        let tx = begin().await.unwrap();
        let outer = tx.handle().begin().await.unwrap();
        send_on(&outer.handle(), "INSERT lost").await.unwrap();
        let inner = outer.handle().begin().await.unwrap();
        drop(outer);
        inner.rollback().await.unwrap();
        send_on(&tx.handle(), "INSERT kept").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(world.rows(), ["kept"]);
    })
    .await;
}

#[tokio::test]
async fn guards_are_explicit_and_roll_back_when_dropped() {
    with(async |world| {
        let guard = begin().await.unwrap();
        assert!(
            !guard
                .handle()
                .scope(async { Db::pick(None).is_err() })
                .await
        );
        assert!(matches!(Db::pick(None), Ok(Db::Client(_))));
        send_on(&guard, "INSERT a").await.unwrap();
        guard.commit().await.unwrap();
        let guard = begin().await.unwrap();
        send_on(&guard, "INSERT b").await.unwrap();
        drop(guard);
        let guard = begin().await.unwrap();
        let db = Db::from(&guard);
        db.script("x").await.unwrap();
        let nested = guard.begin().await.unwrap();
        assert_eq!(state(guard.commit().await), TransactionError::Suspended);
        assert_eq!(
            state(send_on(&nested, "X").await),
            TransactionError::Finished
        );
        drop(nested);
        begin().await.unwrap().rollback().await.unwrap();
        assert_eq!(world.rows(), ["a"]);
    })
    .await;
}

#[tokio::test]
async fn a_nested_block_dropped_between_statements_is_undone_before_the_next_one() {
    with(async |world| {
        in_transaction(async |tx| {
            send("INSERT a").await?;
            let guard = begin().await?;
            let deeper = guard.begin().await?;
            send_on(&deeper, "INSERT b").await?;
            guard.on_commit(async || panic!("undone"))?;
            drop(guard);
            assert_eq!(
                state(send_on(&deeper, "X").await),
                TransactionError::Finished
            );
            drop(deeper);
            in_transaction(async |_| send("INSERT c").await).await?;
            let kept = tx.begin().await?;
            let dropped = kept.begin().await?;
            send_on(&dropped, "INSERT d").await?;
            drop(dropped);
            kept.commit().await?;
            let dropped = tx.begin().await?;
            send_on(&dropped, "INSERT e").await
        })
        .await
        .unwrap();
        assert_eq!(world.rows(), ["a", "c"]);
        let sent = world.take_log().join(", ");
        assert_eq!(
            sent,
            "BEGIN, INSERT a, SAVEPOINT 1, SAVEPOINT 2, INSERT b, UNDO 1, SAVEPOINT 1, INSERT c, \
             RELEASE 1, SAVEPOINT 1, SAVEPOINT 2, INSERT d, UNDO 2, RELEASE 1, \
             SAVEPOINT 1, INSERT e, UNDO 1, COMMIT"
        );
    })
    .await;
}

#[tokio::test]
async fn spawned_tasks_are_outside_unless_scoped() {
    with(async |world| {
        let inside: Result<()> = in_transaction(async |tx| {
            let outside = tokio::spawn(async { Db::pick(None).map(drop) });
            // No transaction, and no connection of the test either.
            let _ = outside.await.unwrap();
            let work = tokio::spawn(async move {
                tx.scope(async {
                    let db = Db::from(&tx);
                    db.atomic(async |_| Ok::<_, Error>(())).await?;
                    db.client().execute_query("INSERT raw", vec![]).await?;
                    db.client()
                        .execute_many("INSERT many", vec![vec![], vec![]])
                        .await?;
                    Ok::<_, Error>(())
                })
                .await
            });
            work.await.unwrap()?;
            get_connection("default")?.execute_script("x").await
        })
        .await;
        inside.unwrap();
        assert_eq!(world.rows(), ["raw", "many", "many"]);
        assert_eq!(
            world
                .take_log()
                .iter()
                .filter(|sql| *sql == "BEGIN")
                .count(),
            1
        );
    })
    .await;
}

#[tokio::test]
async fn transactions_of_two_connections_coexist() {
    let (a, b) = (World::new(0), World::new(0));
    let (first, second) = (connection(&a, 1), connection(&b, 1));
    crate::connection::scope(first.clone(), async {
        let result: Result<()> = in_transaction(async |_| {
            send("INSERT a").await?;
            let other = Db::from(&second);
            let inner: Result<()> = other
                .atomic(async |tx| {
                    assert_eq!(tx.depth(), 0);
                    send_on(&tx, "INSERT b").await?;
                    send("INSERT a2").await?;
                    Err(Error::Unsaved("X"))
                })
                .await;
            assert!(inner.is_err());
            Ok(())
        })
        .await;
        result.unwrap();
    })
    .await;
    assert_eq!((a.rows().join(","), b.rows().len()), ("a,a2".into(), 0));
}

#[tokio::test]
async fn callbacks_run_after_a_real_commit_only() {
    with(async |world| {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let note = |name: &'static str| {
            let (seen, world) = (Arc::clone(&seen), Arc::clone(&world));
            async move || seen.lock().unwrap().push((name, world.rows().len()))
        };
        in_transaction(async |tx| {
            tx.on_commit(note("outer"))?;
            let undone: Result<()> = in_transaction(async |tx| {
                tx.on_commit(note("undone"))?;
                Err(Error::Unsaved("X"))
            })
            .await;
            assert!(undone.is_err());
            in_transaction(async |tx| tx.on_commit(note("inner"))).await?;
            send("INSERT a").await
        })
        .await
        .unwrap();
        assert_eq!(*seen.lock().unwrap(), [("outer", 1), ("inner", 1)]);
        let failed: Result<()> = in_transaction(async |tx| {
            tx.on_commit(note("never"))?;
            Err(Error::Unsaved("X"))
        })
        .await;
        assert!(failed.is_err());
        assert_eq!(seen.lock().unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_failed_commit_rolls_back_and_a_lost_one_is_unknown() {
    for (kind, expected) in [
        (ErrorKind::Integrity, ErrorKind::Integrity),
        (ErrorKind::ConnectionLost, ErrorKind::CommitOutcomeUnknown),
    ] {
        with(async |world| {
            *world.commit_fails.lock().unwrap() = Some(kind);
            let result: Result<()> = in_transaction(async |tx| {
                tx.on_commit(async || panic!("not committed"))?;
                send("INSERT a").await
            })
            .await;
            let error = result.unwrap_err();
            assert_eq!((error.kind(), error.is_retryable()), (expected, false));
            assert!(world.rows().is_empty());
        })
        .await;
    }
}

#[tokio::test]
async fn retry_runs_the_whole_block_again() {
    with(async |world| {
        let runs = AtomicU32::new(0);
        retry(3, async || {
            in_transaction(async |_| {
                send("INSERT a").await?;
                match runs.fetch_add(1, SeqCst) {
                    0 | 1 => send("BUSY").await,
                    _ => Ok(()),
                }
            })
            .await
        })
        .await
        .unwrap();
        assert_eq!((runs.load(SeqCst), world.rows()), (3, vec!["a".to_owned()]));
        let again = retry(2, async || {
            runs.fetch_add(1, SeqCst);
            in_transaction(async |_| send("BUSY").await).await
        });
        assert!(again.await.unwrap_err().is_retryable());
        assert_eq!(runs.load(SeqCst), 6);
        let other = retry(2, async || {
            runs.fetch_add(1, SeqCst);
            send("FAIL").await
        });
        assert!(other.await.is_err());
        assert_eq!(runs.load(SeqCst), 7);
    })
    .await;
}

#[tokio::test]
async fn options_are_checked_and_belong_to_the_outermost_block() {
    with(async |world| {
        let options = TransactionOptions::new().isolation(Isolation::Serializable);
        in_transaction_with(options, async |_| {
            let nested: Result<()> = in_transaction_with(options, async |_| Ok(())).await;
            assert_eq!(nested.unwrap_err().kind(), ErrorKind::Configuration);
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
        world.take_log();
        let lacking = TransactionOptions::new().read_only();
        let refused: Result<()> = in_transaction_with(lacking, async |_| Ok(())).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unsupported);
        assert!(world.take_log().is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_recorder_sees_statements_and_commands() {
    with(async |_| {
        let (result, sent) = instrument::record(in_transaction(async |_| {
            in_transaction(async |_| send("INSERT a").await).await
        }))
        .await;
        result.unwrap();
        let texts: Vec<&str> = sent.iter().map(|sent| &*sent.sql).collect();
        let expected = [
            "BEGIN",
            "SAVEPOINT sp1",
            "INSERT a",
            "RELEASE SAVEPOINT sp1",
            "COMMIT",
        ];
        assert_eq!(texts, expected);
        assert_eq!(sent.iter().filter(|sent| !sent.is_command).count(), 1);
    })
    .await;
}

#[tokio::test]
async fn dropping_the_block_while_another_task_uses_the_handle_frees_the_connection() {
    with(async |world| {
        let mut spawned = None;
        let block = in_transaction(async |tx| {
            spawned = Some(tokio::spawn({
                let tx = tx.clone();
                async move { send_on(&tx, "INSERT a").await }
            }));
            tokio::task::yield_now().await;
            std::future::pending::<Result<()>>().await
        });
        assert!(poll_then_drop(block, 6).await.is_none());
        let _ = spawned.unwrap().await.unwrap();
        in_transaction(async |_| send("INSERT z").await)
            .await
            .unwrap();
        assert_eq!(world.rows(), ["z"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn aborted_tasks_leave_nothing_behind() {
    let world = World::new(2);
    let mut options = crate::pool::fake::options(3);
    options.acquire_timeout = Duration::from_secs(20);
    let pool = crate::pool::fake::pool(&world, &options);
    let own = Connection::new("default", Arc::new(crate::pool::fake::FakeClient(pool)));
    let tasks: Vec<_> = (0..300)
        .map(|i| {
            tokio::spawn(crate::connection::scope(own.clone(), async move {
                let block = in_transaction(async |tx| {
                    send("INSERT p").await?;
                    let (a, b) = tokio::join!(
                        in_transaction(async |_| send("INSERT q").await),
                        in_transaction(async |_| send("INSERT r").await),
                    );
                    a.and(b)?;
                    send_on(&tx, "INSERT s").await
                });
                poll_then_drop(block, i % 61).await
            }))
        })
        .collect();
    for (i, task) in tasks.into_iter().enumerate() {
        if i % 5 == 0 {
            task.abort();
        }
        match task.await {
            Ok(Some(result)) => result.unwrap(),
            Ok(None) => {}
            Err(error) => assert!(error.is_cancelled(), "{error}"),
        }
    }
    in_transaction_for(&own).await;
    world.assert_sound();
    let rows = world.rows();
    let count = |row: &str| rows.iter().filter(|kept| *kept == row).count();
    for row in ["q", "r", "s"] {
        assert_eq!(count(row), count("p"));
    }
    assert!(world.open.load(SeqCst) <= 3);
}

async fn in_transaction_for(own: &Connection) {
    let db = Db::from(own);
    db.atomic(async |tx| send_on(&tx, "INSERT z").await)
        .await
        .unwrap();
}
