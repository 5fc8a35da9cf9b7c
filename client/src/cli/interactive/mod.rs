use super::context::Context;
use super::failure::Failure;
pub async fn run(_context: Context) -> Result<(), Failure> {
    Ok(())
}
