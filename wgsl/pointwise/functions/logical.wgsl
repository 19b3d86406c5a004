// Truth and choice, over any element type X: all but zero is true.

fn logical_not(x: X) -> bool {
  return !truthy(x);
}

fn logical_and(a: X, b: X) -> bool {
  return truthy(a) && truthy(b);
}

fn logical_or(a: X, b: X) -> bool {
  return truthy(a) || truthy(b);
}

fn logical_xor(a: X, b: X) -> bool {
  return truthy(a) != truthy(b);
}

fn where_(condition: X, yes: X, no: X) -> X {
  return select(no, yes, truthy(condition));
}
