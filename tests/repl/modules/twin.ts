export type Twin = readonly [number, number];

export function twin(x: number): Twin {
  return [x, x];
}

function first([x]: Twin): number {
  return x;
}

export { first as default };
