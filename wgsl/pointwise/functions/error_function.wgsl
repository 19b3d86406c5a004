// erf x = 2/√π·∫₀ˣ e^(-t²) dt. Needs: bits, exponential.
//
// Up to 1 it is x + x·p(x²); from there to 4 it is 1 - e^q(x), q being the
// logarithm of what is missing to 1. Beyond 4 nothing is, in 24 bits.

fn erf(x: f32) -> f32 {
  let x2 = x * x;
  var p = 7.806903e-5;
  p = p * x2 - 0.0007997853;
  p = p * x2 + 0.005187162;
  p = p * x2 - 0.026853347;
  p = p * x2 + 0.11283579;
  p = p * x2 - 0.37612626;
  p = p * x2 + 0.12837917;
  let inner = x + x * p;
  let t = min(from_bits(magnitude(x)), 4.0);
  var q = -2.1693437e-5;
  q = q * t + 0.0004414306;
  q = q * t - 0.004205116;
  q = q * t + 0.025209993;
  q = q * t - 0.10842171;
  q = q * t - 0.6332166;
  q = q * t - 1.1295803;
  q = q * t + 0.00018846766;
  let outer = with_sign(1.0 - exp_(q), x);
  let small = magnitude(x) < 0x3f800000u; // 1
  return select(select(outer, inner, small), x, is_nan(x));
}
