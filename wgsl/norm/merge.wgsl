// Moments of values as (count, mean, sum of squared differences from the
// mean), merged without cancellation (Chan, Golub & LeVeque 1979).

fn merge(a: vec3f, b: vec3f) -> vec3f {
  let count = a.x + b.x;
  let share = b.x / max(count, 1.0);
  let difference = b.y - a.y;
  return vec3f(
    count,
    a.y + difference * share,
    a.z + b.z + difference * difference * a.x * share,
  );
}
