//! What a peer of ours serves that only asks: nothing.

use kad::{
    answer::Answer,
    fabric::{Request, Service},
};

/// Serves nothing: nobody lists a client, and who asks one all the same is turned away. Who it is the fabric says.
#[derive(Debug, Clone, Copy, Default)]
pub struct AsksOnly;

impl Service for AsksOnly {
    async fn answer(&self, _: Request) -> Answer {
        Answer::Reset
    }
}
