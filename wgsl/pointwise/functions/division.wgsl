// Remainder and rounded quotient of floats, exact as C's fmod.
//
// a - b·trunc(a / b) is wrong as soon as the quotient has more bits than a
// float. So the fractions are divided as integers, 8 bits of the quotient at
// a time: at most 32 steps, mostly one or none.

// a minus b times their quotient cut to an integer; it has the sign of a.
fn fmod(a: f32, b: f32) -> f32 {
  let size_a = magnitude(a);
  let size_b = magnitude(b);
  let undefined = size_a >= 0x7f800000u || size_b > 0x7f800000u ||
    size_b == 0u;
  if (undefined) {
    return not_a_number();
  }
  if (size_a < size_b) {
    return a;
  }
  // |x| = fraction·2^(exponent - 150); subnormals have no leading one.
  let exponent = i32(max(size_b >> 23u, 1u));
  let leading_a = select(0x800000u, 0u, size_a < 0x800000u);
  let leading_b = select(0x800000u, 0u, size_b < 0x800000u);
  let divisor = (size_b & 0x7fffffu) | leading_b;
  var rest = ((size_a & 0x7fffffu) | leading_a) % divisor;
  var shift = i32(max(size_a >> 23u, 1u)) - exponent;
  while (shift > 0) {
    let step = min(shift, 8);
    rest = (rest << u32(step)) % divisor;
    shift -= step;
  }
  return with_sign(scale(f32(rest), exponent - 150), a);
}

// The remainder that has the divisor's sign, as in Python.
fn remainder(a: f32, b: f32) -> f32 {
  let rest = fmod(a, b);
  let other = truthy(rest) && less(rest, 0.0) != less(b, 0.0);
  return select(rest, rest + b, other);
}

// The quotient rounded towards minus infinity.
fn floor_divide(a: f32, b: f32) -> f32 {
  let rest = fmod(a, b);
  let other = truthy(rest) && less(rest, 0.0) != less(b, 0.0);
  let quotient = (a - rest) / b - select(0.0, 1.0, other);
  // The division may have rounded to just below an integer.
  let below = floor(quotient);
  let whole = below + select(0.0, 1.0, quotient - below > 0.5);
  let result = select(with_sign(0.0, a / b), whole, truthy(quotient));
  return select(result, a / b, !truthy(b));
}
