// Arcsine, arccosine and arctangent. Needs: bits.
//
// The arcsine of up to ½ is a polynomial; above, arcsin x =
// π/2 - 2·arcsin √((1 - x) / 2). The arctangent of up to tan π/8 is a
// polynomial; above, arctan q = π/4 + arctan((q - 1) / (q + 1)), and above 1
// it is π/2 - arctan(1 / q). π is the sum of two floats.

const HALF_PI_HIGH = 1.5707964;
const HALF_PI_LOW = -4.371139e-8;
const PI_HIGH = 3.1415927;
const PI_LOW = -8.742278e-8;

// arcsin x for |x| ≤ ½.
fn asin_reduced(x: f32) -> f32 {
  let x2 = x * x;
  var p = 0.04222758;
  p = p * x2 + 0.024145383;
  p = p * x2 + 0.045476887;
  p = p * x2 + 0.07495249;
  p = p * x2 + 0.16666754;
  return x + x * x2 * p;
}

fn asin_(x: f32) -> f32 {
  let size = from_bits(magnitude(x));
  let inner = asin_reduced(min(size, 0.5));
  let rest = asin_reduced(sqrt(max(0.5 * (1.0 - size), 0.0)));
  let outer = HALF_PI_HIGH - (2.0 * rest - HALF_PI_LOW);
  let y = with_sign(select(inner, outer, size > 0.5), x);
  return select(y, not_a_number(), magnitude(x) > 0x3f800000u);
}

fn acos_(x: f32) -> f32 {
  let size = from_bits(magnitude(x));
  let minus = (bitcast<u32>(x) >> 31u) == 1u;
  let inner = asin_reduced(select(min(size, 0.5), -min(size, 0.5), minus));
  let rest = 2.0 * asin_reduced(sqrt(max(0.5 * (1.0 - size), 0.0)));
  let outer = select(rest, PI_HIGH - (rest - PI_LOW), minus);
  let middle = HALF_PI_HIGH - (inner - HALF_PI_LOW);
  let y = select(middle, outer, size > 0.5);
  return select(y, not_a_number(), magnitude(x) > 0x3f800000u);
}

// arctan q for q from 0 to 1.
fn atan_unit(q: f32) -> f32 {
  let upper = q > 0.41421357;
  let t = select(q, (q - 1.0) / (q + 1.0), upper);
  let t2 = t * t;
  var p = -0.06087337;
  p = p * t2 + 0.105982654;
  p = p * t2 - 0.14244297;
  p = p * t2 + 0.19998525;
  p = p * t2 - 0.33333316;
  let y = t + t * t2 * p;
  return select(y, 0.7853982 + (y - 2.1855695e-8), upper);
}

fn atan_(x: f32) -> f32 {
  let size = from_bits(magnitude(x));
  let steep = size > 1.0;
  let angle = atan_unit(select(size, 1.0 / size, steep));
  let y = select(angle, HALF_PI_HIGH - (angle - HALF_PI_LOW), steep);
  return select(with_sign(y, x), x, is_nan(x));
}

// The angle of the point (x, y), in the quadrant that their signs tell, those
// of zeros too.
fn atan2_(y: f32, x: f32) -> f32 {
  let size_x = magnitude(x);
  let size_y = magnitude(y);
  let steep = size_y > size_x;
  let larger = max(size_x, size_y);
  let ratio = from_bits(min(size_x, size_y)) / from_bits(larger);
  let diagonal = size_x == size_y; // 0/0 and ∞/∞ too
  let q = select(select(ratio, 1.0, diagonal), 0.0, larger == 0u);
  var angle = atan_unit(q);
  angle = select(angle, HALF_PI_HIGH - (angle - HALF_PI_LOW), steep);
  let left = (bitcast<u32>(x) >> 31u) == 1u;
  angle = select(angle, PI_HIGH - (angle - PI_LOW), left);
  let undefined = is_nan(x) || is_nan(y);
  return select(with_sign(angle, y), not_a_number(), undefined);
}
