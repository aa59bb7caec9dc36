pub fn demo(_: &crate::context::Context, _: &crate::cli::DemoArgs) -> koru_build::Result<u8> {
    Ok(0)
}
