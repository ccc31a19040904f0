//! Target `resource` as a program of libFuzzer; what it holds is said in `crates/fuzz-targets`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    (payonce_fuzz_targets::RESOURCE.run)(input);
});
