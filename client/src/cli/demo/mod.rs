use super::args::DemoArguments;
use super::context::Context;
use super::failure::Failure;
pub async fn run(_context: &Context, _arguments: &DemoArguments) -> Result<(), Failure> {
    Ok(())
}
