//! Names and the task's own default. The process-wide state is used by one test only.

use super::*;
use crate::pool::fake;

#[tokio::test]
async fn names_lead_to_connections_and_errors_list_what_is_known() {
    let text = get_connection("x").unwrap_err().to_string();
    assert!(text.contains("call `Tortoise::init`"), "{text}");
    let world = fake::World::new(0);
    let named =
        |name: &str| Connection::new(name, Arc::clone(fake::connection(&world, 1).client()));
    assert!(install([named("a"), named("a")]).is_err());
    install([named("archive"), named("other")]).unwrap();
    let text = get_connection("achive").unwrap_err().to_string();
    assert!(
        text.contains("`achive`: known are `archive`, `other`"),
        "{text}"
    );
    assert!(default_connection().is_err());
    assert!(install([named("default")]).is_err());
    assert_eq!(replace([named(DEFAULT)]).unwrap().len(), 2);
    let process = default_connection().unwrap();
    let own = named("mine");
    scope(own.clone(), async {
        for found in [
            default_connection(),
            get_connection("mine"),
            get_connection(DEFAULT),
        ] {
            assert!(found.unwrap().is_same(&own));
        }
        let spawned = tokio::spawn(async { default_connection() }).await.unwrap();
        assert!(spawned.unwrap().is_same(&process));
    })
    .await;
    process.execute_query("SELECT", Vec::new()).await.unwrap();
    assert_eq!((all().len(), clear().len(), clear().len()), (1, 1, 0));
}
