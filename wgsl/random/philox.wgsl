// Philox4x32-10: (counter, key) -> four random words
//
// Appended to the kernels that draw random numbers. Salmon, Moraes, Dror and
// Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), section 4.3:
// ten rounds of multiplying, exchanging and adding a key that steps along a
// Weyl sequence. It keeps no state: equal arguments give equal words, on every
// device.

// The 64-bit product of two words: low word, high word. WGSL has no wider
// integers, so it is put together from products of 16-bit halves.
fn multiply_wide(a: u32, b: u32) -> vec2u {
  let a_low = a & 0xffffu;
  let a_high = a >> 16u;
  let b_low = b & 0xffffu;
  let b_high = b >> 16u;
  let middle = a_high * b_low + ((a_low * b_low) >> 16u);
  let other = a_low * b_high + (middle & 0xffffu);
  return vec2u(a * b, a_high * b_high + (middle >> 16u) + (other >> 16u));
}

fn philox(counter: vec4u, key: vec2u) -> vec4u {
  var words = counter;
  var round_key = key;
  for (var round = 0u; round < 10u; round++) {
    let even = multiply_wide(0xd2511f53u, words.x);
    let odd = multiply_wide(0xcd9e8d57u, words.z);
    words = vec4u(
      odd.y ^ words.y ^ round_key.x,
      odd.x,
      even.y ^ words.w ^ round_key.y,
      even.x,
    );
    round_key += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return words;
}

// The words of the block that stands `block` after the 64-bit counter (low
// word, high word).
fn philox_block(counter: vec2u, block: u32, key: vec2u) -> vec4u {
  let low = counter.x + block;
  let carry = select(0u, 1u, low < block);
  return philox(vec4u(low, counter.y + carry, 0u, 0u), key);
}
