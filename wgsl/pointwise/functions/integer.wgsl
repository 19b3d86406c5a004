// The same functions for integers, over X = i32 or u32. Sums and products
// wrap around. Division by zero gives 0 (nothing can be raised here, and WGSL
// leaves x / 0 = x).

fn truthy(x: X) -> bool {
  return x != X(0);
}

fn neg(x: X) -> X {
  return X(0) - x;
}

fn abs_(x: X) -> X {
  return abs(x);
}

fn sign_(x: X) -> X {
  return X(x > X(0)) - X(x < X(0));
}

fn square(x: X) -> X {
  return x * x;
}

fn relu(x: X) -> X {
  return max(x, X(0));
}

fn add(a: X, b: X) -> X {
  return a + b;
}

fn sub(a: X, b: X) -> X {
  return a - b;
}

fn mul(a: X, b: X) -> X {
  return a * b;
}

fn maximum(a: X, b: X) -> X {
  return max(a, b);
}

fn minimum(a: X, b: X) -> X {
  return min(a, b);
}

fn clamp_low(x: X, low: X) -> X {
  return max(x, low);
}

fn clamp_high(x: X, high: X) -> X {
  return min(x, high);
}

fn clamp_both(x: X, low: X, high: X) -> X {
  return min(max(x, low), high);
}

// Rounds towards minus infinity; the remainder has the divisor's sign.
fn floor_divide(a: X, b: X) -> X {
  let divisor = select(b, X(1), b == X(0));
  let rest = a % divisor;
  let inexact = rest != X(0) && (rest < X(0)) != (divisor < X(0));
  return select(a / divisor - X(inexact), X(0), b == X(0));
}

fn remainder(a: X, b: X) -> X {
  let divisor = select(b, X(1), b == X(0));
  let rest = a % divisor;
  let other = rest != X(0) && (rest < X(0)) != (divisor < X(0));
  return rest + select(X(0), divisor, other);
}

// By squaring, over the bits of the exponent. A negative exponent gives the
// reciprocal cut to an integer: 1 and -1 have one, all others give 0.
fn pow_(a: X, b: X) -> X {
  var result = X(1);
  var base = a;
  for (var bits = u32(b); bits != 0u; bits >>= 1u) {
    result *= select(X(1), base, (bits & 1u) == 1u);
    base *= base;
  }
  let odd = (u32(b) & 1u) == 1u;
  let unit = a == X(1) || a == X(0) - X(1);
  let inverse = select(X(0), select(X(1), a, odd), unit);
  return select(result, inverse, b < X(0));
}

fn eq(a: X, b: X) -> bool {
  return a == b;
}

fn ne(a: X, b: X) -> bool {
  return a != b;
}

fn lt(a: X, b: X) -> bool {
  return a < b;
}

fn le(a: X, b: X) -> bool {
  return a <= b;
}

fn gt(a: X, b: X) -> bool {
  return a > b;
}

fn ge(a: X, b: X) -> bool {
  return a >= b;
}
